//! "Did you mean": the known word that a mistyped one is nearest to.

/// The candidate fewest edits away.
///
/// At most a third of the word may differ (one edit is always forgiven); else the first that has the
/// word as one of its parts, as `soil_ph` has `ph`. Of several as near, the first.
pub fn closest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .filter_map(|candidate| {
            let distance = edits(word, candidate);
            let has_part = || candidate.split('_').any(|part| part == word);
            if distance <= allowed {
                Some((distance, candidate))
            } else {
                has_part().then_some((usize::MAX, candidate))
            }
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions and substitutions that lead from one word to the other (Levenshtein).
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in to.iter().enumerate() {
            let substituted = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_word() {
        let known = ["soil_moisture", "soil_ph", "ppfd"];
        assert_eq!(closest("soil_mositure", known.into_iter()), Some("soil_moisture"));
        assert_eq!(closest("soilph", known.into_iter()), Some("soil_ph"));
        assert_eq!(closest("ph", known.into_iter()), Some("soil_ph"));
        assert_eq!(closest("wind_speed", known.into_iter()), None);
    }

    #[test]
    fn edits_are_counted() {
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("水田", "旱田"), 1);
    }
}
