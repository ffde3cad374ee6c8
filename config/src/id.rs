//! Names of things: parsed once, then known to be well-formed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A name that does not fit its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no {what}; wanted {wanted}")]
pub struct BadId {
    /// The kind of name, for example `device`.
    pub what: &'static str,
    /// What was found.
    pub found: String,
    /// The form that was wanted.
    pub wanted: &'static str,
}

macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $what:literal, $wanted:literal, $is_valid:expr) => {
        $(#[$meta])*
        ///
        /// Cheap to clone: the text is shared.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            #[doc = concat!("Parses ", $wanted, ".")]
            ///
            /// # Errors
            ///
            /// [`BadId`] with the text as it was found.
            pub fn parse(text: &str) -> Result<Self, BadId> {
                let is_valid: fn(&str) -> bool = $is_valid;
                if is_valid(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(BadId { what: $what, found: text.chars().take(80).collect(), wanted: $wanted })
                }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;

            fn try_from(text: String) -> Result<Self, BadId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    /// A sensor node or gateway; also its user name and its place in a topic.
    DeviceId, "device", "1-64 of A-Z a-z 0-9 - _ . :",
    |text| (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
);
id!(
    /// A piece of land.
    PlotId, "plot", "1-64 letters, digits or - _ . :",
    |text| is_word(text)
);
id!(
    /// A tenant: owns plots, devices, outcomes.
    CooperativeId, "cooperative", "1-64 letters, digits or - _ . :",
    |text| is_word(text)
);
id!(
    /// A crop of the catalogue, for example `sweet_potato`.
    CropKey, "crop", "a key: a-z 0-9 _, starting with a letter",
    |text| is_key(text)
);
id!(
    /// A variety of the catalogue: pinyin of the series as one word, then the number.
    VarietyKey, "variety", "a key: a-z 0-9 _, starting with a letter",
    |text| is_key(text)
);

/// Letters of any script: villages name their plots in Chinese.
fn is_word(text: &str) -> bool {
    let count = text.chars().count();
    (1..=64).contains(&count) && text.chars().all(|c| c.is_alphanumeric() || "-_.:".contains(c))
}

fn is_key(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_name_with_a_slash_or_wildcard_is_refused() {
        for name in ["a/b", "+", "#", "", "é"] {
            assert!(DeviceId::parse(name).is_err(), "{name:?}");
        }
        assert!(DeviceId::parse("a8404137b182fd31").is_ok());
    }

    #[test]
    fn a_plot_may_be_named_in_chinese() {
        assert!(PlotId::parse("塘湾-03").is_ok());
        assert!(PlotId::parse("a b").is_err());
    }

    #[test]
    fn a_variety_key_is_pinyin_and_number() {
        assert!(VarietyKey::parse("shangshu_19").is_ok());
        assert!(VarietyKey::parse("商薯19").is_err());
    }
}
