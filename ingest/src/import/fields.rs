//! From the cells of one record to days, numbers and words; what cannot be read is noted.

use std::{fmt::Display, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use plotwise_config::{closest::closest, id::BadId, text::UnknownWord};

use super::{
    errors::Errors,
    table::{Column, TableRow},
};

/// One record while it is read.
///
/// A field that is missing or wrong gives `None` and is noted; the caller reads every field before
/// it asks [`Fields::is_clean`], so that one look at the file tells everything.
pub(super) struct Fields<'a> {
    columns: &'a [Column],
    headers: &'a [String],
    row: &'a TableRow,
    errors: &'a mut Errors,
    errors_before: u64,
}

impl<'a> Fields<'a> {
    pub(super) fn new(
        columns: &'a [Column],
        headers: &'a [String],
        row: &'a TableRow,
        errors: &'a mut Errors,
    ) -> Self {
        let errors_before = errors.count();
        Self { columns, headers, row, errors, errors_before }
    }

    /// Whether every field that was asked for could be read.
    pub(super) fn is_clean(&self) -> bool {
        self.errors.count() == self.errors_before
    }

    pub(super) const fn line(&self) -> u64 {
        self.row.line
    }

    fn place(&self, key: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.key == key)
    }

    /// Notes that the cell of `key` is wrong.
    pub(super) fn wrong(&mut self, key: &str, wanted: impl Into<String>) {
        let place = self.place(key);
        let header = place.and_then(|place| self.headers.get(place)).map_or(key, String::as_str);
        let found = self.text(key).unwrap_or_default();
        self.errors.note(self.row.line, header, found, wanted);
    }

    /// The cell, where there is something in it.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.row.cells.get(self.place(key)?)?.as_deref()
    }

    /// An owned cell.
    pub(super) fn string(&self, key: &str) -> Option<String> {
        self.text(key).map(str::to_owned)
    }

    /// The cell; noted where it is empty.
    pub(super) fn need(&mut self, key: &str, wanted: &str) -> Option<&'a str> {
        let text = self.text(key);
        if text.is_none() {
            self.wrong(key, wanted);
        }
        text
    }

    /// A name.
    pub(super) fn id<T: FromStr<Err = BadId>>(&mut self, key: &str) -> Option<T> {
        match self.need(key, "a name")?.parse() {
            Ok(id) => Some(id),
            Err(error) => {
                self.wrong(key, error.wanted);
                None
            }
        }
    }

    /// A word of a closed list, where one is given.
    pub(super) fn word<T: FromStr<Err = UnknownWord>>(&mut self, key: &str) -> Option<T> {
        let text = self.text(key)?;
        match parse_word(text) {
            Ok(word) => Some(word),
            Err(wanted) => {
                self.wrong(key, wanted);
                None
            }
        }
    }

    /// A word of a closed list that must be given.
    pub(super) fn need_word<T: FromStr<Err = UnknownWord>>(&mut self, key: &str) -> Option<T> {
        if self.text(key).is_none() {
            // An empty word is in no list: its error names the words.
            if let Err(UnknownWord { wanted, .. }) = T::from_str("") {
                self.wrong(key, format!("one of {}", wanted.join(", ")));
            }
            return None;
        }
        self.word(key)
    }

    /// A number in a range, where one is given.
    pub(super) fn number(&mut self, key: &str, least: f64, most: f64) -> Option<f64> {
        let text = self.text(key)?;
        match parse_number(text) {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                self.wrong(key, format!("a number from {least} to {most}"));
                None
            }
        }
    }

    /// A number in a range that must be given.
    pub(super) fn need_number(&mut self, key: &str, least: f64, most: f64) -> Option<f64> {
        self.need(key, &format!("a number from {least} to {most}"))?;
        self.number(key, least, most)
    }

    /// A day, where one is given.
    pub(super) fn day(&mut self, key: &str) -> Option<Date> {
        let day = parse_day(self.text(key)?);
        if day.is_none() {
            self.wrong(key, "a day, as 2026-05-01");
        }
        day
    }

    /// A day that must be given.
    pub(super) fn need_day(&mut self, key: &str) -> Option<Date> {
        self.need(key, "a day, as 2026-05-01")?;
        self.day(key)
    }

    /// A day that has been: nobody can have sampled or harvested later.
    pub(super) fn past_day(&mut self, key: &str, now: Timestamp) -> Option<Date> {
        let day = self.day(key)?;
        // The earliest zone is fourteen hours ahead of UTC.
        let latest = now.to_zoned(TimeZone::UTC).date().tomorrow().unwrap_or(Date::MAX);
        if day > latest {
            self.wrong(key, "a day that has been");
            return None;
        }
        Some(day)
    }

    /// Notes a last day that lies before its first.
    pub(super) fn in_order(&mut self, key: &str, first: Option<Date>, last: Option<Date>) {
        if let (Some(first), Some(last)) = (first, last)
            && last < first
        {
            self.wrong(key, format!("a day that is not before {first}"));
        }
    }
}

/// A word of a closed list, or what would have been one.
fn parse_word<T: FromStr<Err = UnknownWord>>(text: &str) -> Result<T, String> {
    text.parse().or_else(|UnknownWord { wanted, .. }| {
        // Spreadsheets and people capitalise.
        text.to_lowercase().parse().map_err(|_| {
            let near = closest(text, wanted.iter().copied());
            let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
            format!("one of {}{near}", wanted.join(", "))
        })
    })
}

/// A finite number.
pub(super) fn parse_number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A day as ISO, or as spreadsheets and people in China write it: `2026/5/1`, `2026年5月1日`.
pub(super) fn parse_day(text: &str) -> Option<Date> {
    let text = text.strip_suffix('日').unwrap_or(text);
    let mut parts = text.split(['-', '/', '.', '年', '月']);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if ![year, month, day].into_iter().all(is_digits) {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// Finds what stands twice in a file.
pub(super) struct Once<K>(std::collections::HashMap<K, u64>);

impl<K: Eq + std::hash::Hash> Once<K> {
    pub(super) fn new() -> Self {
        Self(std::collections::HashMap::new())
    }

    /// Notes `key` at `column` if an earlier line has it too.
    pub(super) fn check(
        &mut self,
        fields: &mut Fields<'_>,
        column: &str,
        key: K,
        what: impl Display,
    ) {
        match self.0.entry(key) {
            std::collections::hash_map::Entry::Occupied(earlier) => {
                let line = *earlier.get();
                fields.wrong(column, format!("each {what} once; line {line} has it too"));
            }
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(fields.line());
            }
        }
    }
}
