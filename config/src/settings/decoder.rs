//! What reads the payloads of a subscription, as one word of a settings file.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What reads a payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Decoder {
    /// Plotwise's own JSON, or the device's own profile.
    Native,
    /// SenML in JSON or CBOR (RFC 8428).
    Senml,
    /// JSON of a `ChirpStack` v4 server; the device's own profile reads the object in it.
    ChirpStack,
    /// JSON of The Things Stack v3; the device's own profile reads the object in it.
    ThingsStack,
    /// The device profile with this key.
    Profile(String),
}

/// A decoder that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found:?} is no decoder; wanted one of: {}, or profile:NAME with a device profile",
    Decoder::KEYS.join(", ")
)]
pub struct UnknownDecoder {
    /// What was found.
    pub found: String,
}

impl Decoder {
    const KEYS: [&str; 4] = ["native", "senml", "chirpstack", "things_stack"];

    /// Whether the payload itself says which device it is from; else the topic does.
    pub fn names_device(&self) -> bool {
        matches!(self, Self::ChirpStack | Self::ThingsStack)
    }
}

impl FromStr for Decoder {
    type Err = UnknownDecoder;

    fn from_str(word: &str) -> Result<Self, UnknownDecoder> {
        match word {
            "native" => Ok(Self::Native),
            "senml" => Ok(Self::Senml),
            "chirpstack" => Ok(Self::ChirpStack),
            "things_stack" => Ok(Self::ThingsStack),
            _ => match word.strip_prefix("profile:") {
                Some(name) if !name.is_empty() => Ok(Self::Profile(name.to_owned())),
                _ => Err(UnknownDecoder { found: word.to_owned() }),
            },
        }
    }
}

impl fmt::Display for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Native => f.write_str("native"),
            Self::Senml => f.write_str("senml"),
            Self::ChirpStack => f.write_str("chirpstack"),
            Self::ThingsStack => f.write_str("things_stack"),
            Self::Profile(name) => write!(f, "profile:{name}"),
        }
    }
}

impl TryFrom<String> for Decoder {
    type Error = UnknownDecoder;

    fn try_from(word: String) -> Result<Self, UnknownDecoder> {
        word.parse()
    }
}

impl From<Decoder> for String {
    fn from(decoder: Decoder) -> Self {
        decoder.to_string()
    }
}
