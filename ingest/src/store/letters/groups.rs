//! Dead letters as an operator wants to see them: what is the same trouble stands in one line.
//!
//! Letters of one reason and device whose topics and details differ in numbers and times alone are one
//! group.

use std::{collections::HashMap, fmt::Write as _};

use jiff::Timestamp;
use plotwise_config::id::DeviceId;
use rusqlite::{Connection, params};

use super::{LetterFilter, device_id, reason};
use crate::{
    intake::DeadLetterReason,
    store::{Reader, StoreError, reader::moment},
};

/// Groups that are told apart; the rest is one more group. A table of letters is bounded, but a bound of
/// hundreds of megabytes may hold a group a letter.
const GROUPS_MAX: usize = 10_000;

/// Letters that are the same trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterGroup {
    /// Why.
    pub reason: DeadLetterReason,
    /// Who they were from, as far as that is known.
    pub device: Option<DeviceId>,
    /// Their topic; `{device}` stands for the device, `#` for a number.
    pub topic: String,
    /// Their detail; `#` stands for a number, `{time}` for a time.
    pub detail: String,
    /// How many.
    pub count: u64,
    /// Arrival of the first.
    pub first: Timestamp,
    /// Arrival of the last.
    pub last: Timestamp,
    /// Id of the newest.
    pub newest: i64,
}

type Key = (DeadLetterReason, Option<DeviceId>, String, String);

impl Reader {
    /// All letters that `filter` lets through, in groups, the one with the newest letter first.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub fn dead_letter_groups(
        &self,
        filter: &LetterFilter,
    ) -> Result<Vec<LetterGroup>, StoreError> {
        groups(&self.connection, filter)
    }
}

fn groups(connection: &Connection, filter: &LetterFilter) -> Result<Vec<LetterGroup>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select id, reason, device, topic, detail, received_ms from dead_letter \
         where (?1 is null or reason = ?1) and (?2 is null or device = ?2) \
         and (?3 is null or received_ms < ?3) order by id",
    )?;
    let (wanted, device, before_ms) = filter.columns();
    let mut rows = statement.query(params![wanted, device, before_ms])?;
    let mut known: HashMap<Key, LetterGroup> = HashMap::new();
    while let Some(row) = rows.next()? {
        let device: Option<String> = row.get(2)?;
        let device = device.as_deref().map(device_id).transpose()?;
        let name = device.as_ref().map(DeviceId::as_str);
        let (topic, detail): (String, String) = (row.get(3)?, row.get(4)?);
        let reason = reason(&row.get::<_, String>(1)?)?;
        let mut key = (reason, device.clone(), topic_pattern(&topic, name), pattern(&detail));
        if known.len() >= GROUPS_MAX && !known.contains_key(&key) {
            key = (reason, None, "others".to_owned(), "others".to_owned());
        }
        let (newest, received) = (row.get(0)?, moment(row.get(5)?)?);
        let group = known.entry(key).or_insert_with_key(|(reason, device, topic, detail)| {
            let (device, topic, detail) = (device.clone(), topic.clone(), detail.clone());
            let (first, last) = (received, received);
            LetterGroup { reason: *reason, device, topic, detail, count: 0, first, last, newest }
        });
        group.count += 1;
        group.newest = newest;
        group.first = group.first.min(received);
        group.last = group.last.max(received);
    }
    let mut groups: Vec<_> = known.into_values().collect();
    groups.sort_unstable_by_key(|group| std::cmp::Reverse(group.newest));
    Ok(groups)
}

/// A topic with `{device}` where the device stands and `#` where a level is a number.
fn topic_pattern(topic: &str, device: Option<&str>) -> String {
    let level = |level: &str| {
        if device.is_some_and(|device| device.eq_ignore_ascii_case(level)) {
            "{device}".to_owned()
        } else if !level.is_empty() && level.bytes().all(|byte| byte.is_ascii_digit()) {
            "#".to_owned()
        } else {
            level.to_owned()
        }
    };
    topic.split('/').map(level).collect::<Vec<_>>().join("/")
}

/// A text with `#` for each number and `{time}` for each time.
fn pattern(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(is_border).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        // A sentence or a list may end here.
        let bare = word.trim_end_matches(['.', ':']);
        let is_number =
            || bare.parse::<f64>().is_ok() && bare.contains(|c: char| c.is_ascii_digit());
        let shown = if bare.parse::<Timestamp>().is_ok() {
            "{time}"
        } else if is_number() {
            "#"
        } else {
            bare
        };
        // Writing to a String cannot fail.
        let _ = write!(out, "{shown}{}", &word[bare.len()..]);
        let border = after.chars().next();
        out.extend(border);
        rest = &after[border.map_or(0, char::len_utf8)..];
    }
    out
}

fn is_border(letter: char) -> bool {
    !letter.is_alphanumeric() && !matches!(letter, '.' | ':' | '-' | '+' | '_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_differs_from_letter_to_letter_is_left_out() {
        for (text, wanted) in [
            ("found 17.5, wanted 0 to 60", "found #, wanted # to #"),
            ("element 3: found a number", "element #: found a number"),
            (
                "soil_ph at 2026-01-01T00:00:00Z is stored as 5.1",
                "soil_ph at {time} is stored as #",
            ),
            ("unknown quantity pm2_5", "unknown quantity pm2_5"),
            ("at column 12. Wanted nan or inf", "at column #. Wanted nan or inf"),
            ("温度 3 度", "温度 # 度"),
        ] {
            assert_eq!(pattern(text), wanted);
        }
    }

    #[test]
    fn a_topic_keeps_its_shape_without_its_device() {
        let device = Some("a840411f8182f655");
        let topic = "application/12/device/A840411F8182F655/event/up";
        assert_eq!(topic_pattern(topic, device), "application/#/device/{device}/event/up");
        assert_eq!(topic_pattern("farm/7/soil", None), "farm/#/soil");
    }

    proptest! {
        #[test]
        fn any_text_has_a_pattern_that_is_its_own(text in "\\PC{0,80}") {
            let once = pattern(&text);
            prop_assert_eq!(pattern(&once), once);
        }
    }
}
