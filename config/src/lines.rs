//! On which line of a TOML file each key stands, so that a mistake found later can still name it.

use std::collections::HashMap;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Where each line of a text starts.
#[derive(Clone, Debug)]
pub(crate) struct LineStarts(Vec<usize>);

impl LineStarts {
    pub(crate) fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(std::iter::once(0).chain(ends.map(|(end, _)| end + 1)).collect())
    }

    /// The line of a byte, counted from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}

/// Line of each key, by its path: `uses.0.food`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(HashMap<String, usize>);

impl Lines {
    /// The lines of everything below `value`, which stands in the text of `starts`.
    pub(crate) fn of(starts: &LineStarts, value: &Spanned<DeValue<'_>>) -> Self {
        let mut lines = Self::default();
        lines.note_value(starts, "", value);
        lines
    }

    /// The lines of a whole file; none where it is no TOML.
    pub(crate) fn of_file(text: &str) -> Self {
        let mut lines = Self::default();
        if let Ok(table) = DeTable::parse(text) {
            lines.note_table(&LineStarts::of(text), "", table.get_ref());
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

    fn note_value(&mut self, starts: &LineStarts, path: &str, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(table) => self.note_table(starts, path, table),
            DeValue::Array(array) => {
                for (place, value) in array.iter().enumerate() {
                    let path = below(path, &place.to_string());
                    self.0.insert(path.clone(), starts.line(value.span().start));
                    self.note_value(starts, &path, value);
                }
            }
            _ => {}
        }
    }

    fn note_table(&mut self, starts: &LineStarts, path: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let path = below(path, key.get_ref());
            self.0.insert(path.clone(), starts.line(key.span().start));
            self.note_value(starts, &path, value);
        }
    }
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_feed_belongs_to_the_line_it_ends() {
        let starts = LineStarts::of("a\nbc\n\nd");
        let lines: Vec<usize> = (0..8).map(|offset| starts.line(offset)).collect();
        assert_eq!(lines, [1, 1, 2, 2, 2, 3, 4, 4]);
    }

    #[test]
    fn a_key_that_is_not_there_is_where_its_table_is() {
        let lines = Lines::of_file("[a]\nb = 1\n[[c]]\nd = 2\n[[c]]\nd = [\n3]\n");
        for (path, line) in [("a.b", 2), ("a.x", 1), ("c.1", 5), ("c.1.d.0", 7), ("c.0.d", 4)] {
            assert_eq!(lines.at(path), Some(line), "{path}");
        }
        assert_eq!(lines.at("x"), None);
    }
}
