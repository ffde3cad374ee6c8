//! What is wrong with the files of a catalogue: every mistake of a load, not only the first.

use std::fmt;

/// One mistake, at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file as it was named on loading; shipped files start with `config/data/`.
    pub file: String,
    /// Line, counted from 1; `None` where it concerns the file as a whole.
    pub line: Option<usize>,
    /// The entry and the key in it, for example `crop rice, requirements.soil_ph.lower`.
    pub key: String,
    /// What was found and what was wanted.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// A catalogue that cannot be used. Callers print it as it is: one line a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatalogueError {
    /// At least one, in the order of files and lines as they were read.
    pub mistakes: Vec<Mistake>,
}

impl fmt::Display for CatalogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the catalogue has {} to mend", count(self.mistakes.len()))?;
        self.mistakes.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

impl std::error::Error for CatalogueError {}

fn count(mistakes: usize) -> String {
    if mistakes == 1 { "1 mistake".to_owned() } else { format!("{mistakes} mistakes") }
}
