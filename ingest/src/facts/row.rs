//! From columns to values: what every table needs to read its rows.

use std::{fmt::Display, str::FromStr};

use jiff::{Timestamp, civil::Date};
use serde::de::DeserializeOwned;

use super::FactsError;

/// Reads the columns of one row; a column that cannot be read is named.
pub(super) struct RowReader<'a> {
    table: &'static str,
    key: &'a str,
}

impl<'a> RowReader<'a> {
    pub(super) fn new(table: &'static str, key: &'a str) -> Self {
        Self { table, key }
    }

    /// An error that names this row.
    pub(super) fn damaged(&self, found: impl Display, wanted: &'static str) -> FactsError {
        FactsError::Damaged {
            table: self.table,
            key: self.key.to_owned(),
            found: found.to_string(),
            wanted,
        }
    }

    pub(super) fn word<T: FromStr>(
        &self,
        text: &str,
        wanted: &'static str,
    ) -> Result<T, FactsError> {
        text.parse().map_err(|_| self.damaged(text, wanted))
    }

    pub(super) fn word_if<T: FromStr>(
        &self,
        text: Option<&str>,
        wanted: &'static str,
    ) -> Result<Option<T>, FactsError> {
        text.map(|text| self.word(text, wanted)).transpose()
    }

    pub(super) fn day(&self, text: &str) -> Result<Date, FactsError> {
        self.word(text, "a day, YYYY-MM-DD")
    }

    pub(super) fn day_if(&self, text: Option<&str>) -> Result<Option<Date>, FactsError> {
        text.map(|text| self.day(text)).transpose()
    }

    pub(super) fn moment(&self, ms: i64) -> Result<Timestamp, FactsError> {
        Timestamp::from_millisecond(ms).map_err(|_| self.damaged(ms, "milliseconds since 1970"))
    }

    pub(super) fn json<T: DeserializeOwned>(
        &self,
        text: &str,
        wanted: &'static str,
    ) -> Result<T, FactsError> {
        serde_json::from_str(text).map_err(|_| self.damaged(text, wanted))
    }
}

/// The key of an optional word.
pub(super) fn text_of(word: Option<impl Display>) -> Option<String> {
    word.map(|word| word.to_string())
}

/// An optional word in a primary key, where absent is the empty text.
pub(super) fn key_text(word: Option<&str>) -> String {
    word.unwrap_or_default().to_owned()
}

/// What [`key_text`] was made of.
pub(super) fn from_key_text(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// JSON of a value that always has one.
pub(super) fn json_of(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("lists and maps of text and finite numbers have JSON")
}
