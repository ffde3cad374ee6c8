//! One entry of a file together with the lines its keys stand on.
//!
//! Cross-references can only be checked when all files are read. By then the text is gone, so each
//! entry keeps where every key of it stood; a mistake is reported at the key, not at the entry.

use std::sync::Arc;

use toml::{Spanned, de::DeValue};

use crate::{
    catalogue::error::Mistake,
    lines::{LineStarts, Lines},
    text::Text,
};

/// An entry and its place.
#[derive(Clone, Debug)]
pub(super) struct Entry<T> {
    pub(super) value: T,
    pub(super) at: Location,
}

/// Where an entry stands.
#[derive(Clone, Debug)]
pub(super) struct Location {
    /// The file as messages name it.
    pub(super) file: Arc<str>,
    /// What messages call the entry, for example `crop rice`.
    pub(super) name: String,
    /// The shipped files are layer 0, each folder of the user is one more; later layers replace.
    pub(super) layer: usize,
    /// Line of the entry itself.
    pub(super) line: usize,
    /// Line of each key below it, by path: `uses.0.food`.
    lines: Lines,
}

impl Location {
    pub(super) fn new(
        file: Arc<str>,
        name: String,
        layer: usize,
        starts: &LineStarts,
        value: &Spanned<DeValue<'_>>,
    ) -> Self {
        let line = starts.line(value.span().start);
        Self { file, name, layer, line, lines: Lines::of(starts, value) }
    }

    /// A mistake in the key at `path`; an empty path speaks of the whole entry.
    pub(super) fn mistake(&self, path: &str, what: String) -> Mistake {
        let key =
            if path.is_empty() { self.name.clone() } else { format!("{}, {path}", self.name) };
        Mistake {
            file: self.file.to_string(),
            line: Some(self.lines.at(path).unwrap_or(self.line)),
            key,
            what,
        }
    }
}

/// Notes the mistakes of one entry.
pub(super) struct Report<'a> {
    pub(super) at: &'a Location,
    pub(super) mistakes: &'a mut Vec<Mistake>,
}

impl Report<'_> {
    /// Notes that `found` stands at `path` where `wanted` should.
    pub(super) fn wrong(
        &mut self,
        path: &str,
        found: impl std::fmt::Display,
        wanted: impl std::fmt::Display,
    ) {
        self.mistakes.push(self.at.mistake(path, format!("found {found}, wanted {wanted}")));
    }

    /// Notes a mistake unless `holds`.
    pub(super) fn ensure(
        &mut self,
        holds: bool,
        path: &str,
        found: impl std::fmt::Display,
        wanted: impl std::fmt::Display,
    ) {
        if !holds {
            self.wrong(path, found, wanted);
        }
    }

    /// A text that must say something.
    pub(super) fn filled(&mut self, path: &str, text: &str) {
        self.ensure(!text.trim().is_empty(), path, "an empty text", "some words");
    }

    /// A source: each figure has one.
    pub(super) fn source(&mut self, path: &str, source: &str) {
        self.ensure(
            !source.trim().is_empty(),
            path,
            "an empty source",
            "where the figures come from",
        );
    }

    /// A source of its own, where it has one.
    pub(super) fn own_source(&mut self, path: &str, source: Option<&String>) {
        if let Some(source) = source {
            self.source(path, source);
        }
    }

    /// Words for people in both languages.
    pub(super) fn text(&mut self, path: &str, text: &Text) {
        for (language, words) in [("zh", &text.zh), ("en", &text.en)] {
            self.filled(&format!("{path}.{language}"), words);
        }
    }

    /// Least and most, both finite, the first below the second.
    pub(super) fn range(&mut self, path: &str, [least, most]: [f64; 2]) -> bool {
        let holds = least.is_finite() && most.is_finite() && least < most;
        self.ensure(
            holds,
            path,
            format!("[{least}, {most}]"),
            "two numbers, the smaller one first",
        );
        holds
    }

    /// A number above zero.
    pub(super) fn positive(&mut self, path: &str, value: f64) {
        self.ensure(value.is_finite() && value > 0.0, path, value, "a number above 0");
    }

    /// A share in percent.
    pub(super) fn percent(&mut self, path: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.ensure((0.0..=100.0).contains(&value), path, value, "a percentage, 0 to 100");
        }
    }

    /// A day with its year.
    pub(super) fn date(&mut self, path: &str, day: &str) {
        let is_date = day.len() == 10 && day.parse::<jiff::civil::Date>().is_ok();
        self.ensure(is_date, path, format_args!("{day:?}"), "a day as YYYY-MM-DD");
    }

    /// A day of any year.
    pub(super) fn month_day(&mut self, path: &str, day: &str) {
        // 2000 was a leap year: 29 February is a day of the calendar.
        let is_day = day.len() == 5 && format!("2000-{day}").parse::<jiff::civil::Date>().is_ok();
        self.ensure(is_day, path, format_args!("{day:?}"), "a day as MM-DD");
    }

    /// Shortest and longest time, days.
    pub(super) fn days(&mut self, path: &str, [least, most]: [u16; 2]) {
        let holds = 0 < least && least <= most;
        self.ensure(holds, path, format!("[{least}, {most}]"), "days above 0, the fewer first");
    }
}
