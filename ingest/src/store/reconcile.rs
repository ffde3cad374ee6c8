//! What becomes of a row when a second message with its key arrives. Pure.

use super::packed::Packed;

/// Readings of a row, of an arrival, and what the row is to hold.
#[derive(Debug, Default)]
pub(super) struct Reconciliation {
    /// What the row holds; afterwards what it is to hold.
    pub(super) stored: Vec<Packed>,
    /// What corrections replaced, as first stored; afterwards with what this one replaces.
    pub(super) replaced: Vec<Packed>,
    /// (arrived, stored) where they differ and the stored one stays.
    pub(super) conflicts: Vec<(Packed, Packed)>,
    /// How many readings the row had not.
    pub(super) added: usize,
    /// How many readings got another value.
    pub(super) corrected: usize,
}

impl Reconciliation {
    /// Takes `arrived` in. The row must be written anew where `added` or `corrected` is not 0.
    pub(super) fn take_in(&mut self, arrived: &[Packed], supersede: bool) {
        self.conflicts.clear();
        self.added = 0;
        self.corrected = 0;
        for reading in arrived {
            match self.stored.binary_search_by_key(&reading.key(), Packed::key) {
                Err(place) => {
                    self.stored.insert(place, *reading);
                    self.added += 1;
                }
                Ok(place) if self.stored[place].is_same_value(reading) => {}
                Ok(place) if supersede => {
                    let old = std::mem::replace(&mut self.stored[place], *reading);
                    self.corrected += 1;
                    // The first value stays remembered, not the corrections between: it bounds the
                    // row, and it is the one whose message may come again unmarked.
                    if let Err(place) = self.find_replaced(&old) {
                        self.replaced.insert(place, old);
                    }
                }
                Ok(place) => {
                    let is_known = self
                        .find_replaced(reading)
                        .is_ok_and(|known| self.replaced[known].is_same_value(reading));
                    if !is_known {
                        self.conflicts.push((*reading, self.stored[place]));
                    }
                }
            }
        }
    }

    /// Whether `arrived` can be the message of this row again, as it is stored or as it was before a
    /// correction: one reading is equal, and none differs.
    pub(super) fn is_same_message(&self, arrived: &[Packed]) -> bool {
        let mut is_any_equal = false;
        for reading in arrived {
            let Ok(place) = self.stored.binary_search_by_key(&reading.key(), Packed::key) else {
                continue;
            };
            let was = self.find_replaced(reading).ok().map(|place| &self.replaced[place]);
            if !self.stored[place].is_same_value(reading)
                && !was.is_some_and(|was| was.is_same_value(reading))
            {
                return false;
            }
            is_any_equal = true;
        }
        is_any_equal
    }

    fn find_replaced(&self, reading: &Packed) -> Result<usize, usize> {
        self.replaced.binary_search_by_key(&reading.key(), Packed::key)
    }
}

#[cfg(test)]
mod tests {
    use plotwise_config::reading::Flags;

    use super::*;

    fn reading(code: u32, value: f64) -> Packed {
        Packed { code, depth: None, flags: Flags::NONE, value }
    }

    fn row(stored: &[Packed]) -> Reconciliation {
        Reconciliation { stored: stored.to_vec(), ..Reconciliation::default() }
    }

    #[test]
    fn a_further_quantity_is_added_in_order() {
        let mut row = row(&[reading(1, 0.2), reading(5, 6.0)]);
        row.take_in(&[reading(3, 9.0)], false);
        assert_eq!((row.added, row.corrected, row.conflicts.len()), (1, 0, 0));
        assert_eq!(row.stored, [reading(1, 0.2), reading(3, 9.0), reading(5, 6.0)]);
    }

    #[test]
    fn another_value_is_a_conflict_and_the_stored_one_stays() {
        let mut row = row(&[reading(1, 0.2)]);
        row.take_in(&[reading(1, 0.3)], false);
        assert_eq!(row.conflicts, [(reading(1, 0.3), reading(1, 0.2))]);
        assert_eq!(row.stored, [reading(1, 0.2)]);
    }

    #[test]
    fn the_original_of_a_correction_is_known_when_it_comes_again() {
        let mut row = row(&[reading(1, 0.2)]);
        row.take_in(&[reading(1, 0.3)], true);
        row.take_in(&[reading(1, 0.4)], true);
        row.take_in(&[reading(1, 0.2)], false);
        assert_eq!(row.conflicts, []);
        assert_eq!((row.stored, row.replaced), (vec![reading(1, 0.4)], vec![reading(1, 0.2)]));
    }

    #[test]
    fn two_messages_without_a_common_reading_are_not_the_same() {
        assert!(!row(&[reading(1, 0.2)]).is_same_message(&[reading(2, 0.2)]));
        assert!(
            !row(&[reading(1, 0.2), reading(2, 1.0)])
                .is_same_message(&[reading(1, 0.2), reading(2, 2.0)])
        );
        assert!(row(&[reading(1, 0.2)]).is_same_message(&[reading(1, 0.2), reading(2, 2.0)]));
    }
}
