//! `[store]`, `[facts]` and `[catalogue]`: what is kept, and what is known beforehand.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The store of readings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSettings {
    /// How long a message without time and counter is taken for a redelivery when it comes again,
    /// seconds; 1 s to 7 days.
    pub redelivery_window_s: u32,
}

/// The database of facts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactsSettings {
    /// `sqlite:` and a path; without it a file in the data directory.
    #[serde(default)]
    pub url: Option<String>,
}

impl FactsSettings {
    /// The file of the database, where one is named; `sqlite:x`, `sqlite://x` and `sqlite:///x` alike.
    pub fn file(&self) -> Option<PathBuf> {
        let path = self.url.as_deref()?.strip_prefix("sqlite:")?;
        Some(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
    }
}

/// The agronomic catalogue.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueSettings {
    /// Folders of files that add to the shipped ones or replace entries of them; later wins.
    pub folders: Vec<PathBuf>,
}
