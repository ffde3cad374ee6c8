//! On which line of a TOML file each key stands, so that a mistake found later can still name it.

use std::collections::HashMap;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Line of each key, by its path: `uses.0.food`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(HashMap<String, usize>);

impl Lines {
    /// The lines of everything below `value`, which stands in `text`.
    pub(crate) fn of(text: &str, value: &Spanned<DeValue<'_>>) -> Self {
        let mut lines = Self::default();
        lines.note_value(text, "", value);
        lines
    }

    /// The lines of a whole file; none where it is no TOML.
    pub(crate) fn of_file(text: &str) -> Self {
        let mut lines = Self::default();
        if let Ok(table) = DeTable::parse(text) {
            lines.note_table(text, "", table.get_ref());
        }
        lines
    }

    /// The line of the key at `path`, or of the nearest key around it.
    pub(crate) fn at(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(line) = self.0.get(path) {
                return Some(*line);
            }
            path = path.rsplit_once('.')?.0;
        }
    }

    fn note_value(&mut self, text: &str, path: &str, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(table) => self.note_table(text, path, table),
            DeValue::Array(array) => {
                for (place, value) in array.iter().enumerate() {
                    let path = below(path, &place.to_string());
                    self.0.insert(path.clone(), line_of(text, value.span().start));
                    self.note_value(text, &path, value);
                }
            }
            _ => {}
        }
    }

    fn note_table(&mut self, text: &str, path: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let path = below(path, key.get_ref());
            self.0.insert(path.clone(), line_of(text, key.span().start));
            self.note_value(text, &path, value);
        }
    }
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The line of a byte, counted from 1.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}
