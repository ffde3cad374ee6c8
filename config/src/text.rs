//! Words for people: every text exists in Chinese and in English.

use serde::{Deserialize, Serialize};

/// The same statement in both languages. Neither is a fallback for the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Chinese, simplified.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text {
    /// Both versions of one statement.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// The version in `language`.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Zh => &self.zh,
            Language::En => &self.en,
        }
    }
}

crate::keyed::keyed! {
    /// A language that pages and printed results speak.
    pub enum Language ("language") {
        /// Chinese, simplified.
        Zh = "zh", "中文", "Chinese";
        /// English.
        En = "en", "英文", "English";
    }
}

/// A word that is not one of a closed list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no {what}; wanted one of: {}", wanted.join(", "))]
pub struct UnknownWord {
    /// What the list is of, for example `land type`.
    pub what: &'static str,
    /// The word as it was found.
    pub found: String,
    /// The keys that would have been right.
    pub wanted: &'static [&'static str],
}
