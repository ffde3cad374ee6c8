//! `[log]`: what is logged and how.

use serde::{Deserialize, Serialize};

use crate::keyed::keyed;

/// What is logged and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// A level, or several as `info,plotwise_ingest=debug`.
    pub level: String,
    /// How a line looks.
    pub format: LogFormat,
}

keyed! {
    /// How a line of the log looks.
    pub enum LogFormat ("log format") {
        /// For people.
        Text = "text", "文本", "text";
        /// One JSON object a line, for collectors.
        Json = "json", "JSON", "JSON";
    }
}
