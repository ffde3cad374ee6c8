//! What is wrong with a file.

use std::fmt;

use serde::Serialize;

/// Errors that are listed; more are counted. A file with the wrong separator has one in every line.
/// Our choice.
const LISTED_MAX: usize = 100;

/// Characters of a cell that an error repeats.
const FOUND_MAX: usize = 80;

/// One thing that is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("line {line}, {column}: found {found:?}, wanted {wanted}")]
pub struct FileError {
    /// Line of the file, from 1; for GeoJSON the line on which the feature starts.
    pub line: u64,
    /// The column's header or number, the property, or `geometry`.
    pub column: String,
    /// What stands there; empty where something is missing.
    pub found: String,
    /// What would have been right, and how to mend it where that is known.
    pub wanted: String,
}

/// Everything that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileErrors {
    /// The first of them, in the file's order; at least one.
    pub errors: Vec<FileError>,
    /// How many more there are.
    pub more: u64,
}

impl fmt::Display for FileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, error) in self.errors.iter().enumerate() {
            let separator = if place == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for FileErrors {}

/// Errors while a file is read.
#[derive(Debug, Default)]
pub(super) struct Errors {
    listed: Vec<FileError>,
    count: u64,
}

impl Errors {
    pub(super) fn note(&mut self, line: u64, column: &str, found: &str, wanted: impl Into<String>) {
        self.count += 1;
        if self.listed.len() < LISTED_MAX {
            self.listed.push(FileError {
                line,
                column: shown(column),
                found: shown(found),
                wanted: wanted.into(),
            });
        }
    }

    /// How many there are so far.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// `value`, if nothing is wrong.
    pub(super) fn finish<T>(self, value: T) -> Result<T, FileErrors> {
        if self.count == 0 { Ok(value) } else { self.refuse() }
    }

    /// The errors alone, for a file that cannot be read further.
    pub(super) fn refuse<T>(mut self) -> Result<T, FileErrors> {
        // Lines of a wrong length are found while the file is cut into cells, before the others.
        self.listed.sort_by_key(|error| error.line);
        let more = self.count - self.listed.len() as u64;
        Err(FileErrors { errors: self.listed, more })
    }
}

/// A file that is refused for one reason.
pub(super) fn refuse(
    line: u64,
    column: &str,
    found: &str,
    wanted: impl Into<String>,
) -> FileErrors {
    let error =
        FileError { line, column: shown(column), found: shown(found), wanted: wanted.into() };
    FileErrors { errors: vec![error], more: 0 }
}

fn shown(text: &str) -> String {
    text.chars().take(FOUND_MAX).collect()
}
