//! `[store]`, `[deadletters]`, `[facts]` and `[catalogue]`: what is kept, and what is known beforehand.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The store of readings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSettings {
    /// How long a message without time and counter is taken for a redelivery when it comes again,
    /// seconds; 1 s to 7 days.
    pub redelivery_window_s: u32,
    /// Weeks of observations that ended longer ago than so many days are let go; 0 keeps everything.
    pub retain_days: u32,
    /// How long payloads that a profile or an envelope read are kept as they came, days; 0 keeps none.
    pub keep_raw_days: u32,
    /// And up to how much of them, MB.
    pub keep_raw_max_mb: u32,
    /// With less than this free on the disk of the data directory nothing is acknowledged, MB; 0 for no
    /// such limit.
    pub disk_free_min_mb: u32,
}

/// What could not be stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadLetterSettings {
    /// Older dead letters are let go.
    pub retain_days: u32,
    /// Above this much the oldest of whoever has most are let go, MB.
    pub max_mb: u32,
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
