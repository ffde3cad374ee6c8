//! What goes into a commit: an observation, a message that could not become one, or one as it came.

use jiff::Timestamp;
use plotwise_config::{id::DeviceId, reading::Observation};

/// One thing to be written down.
#[derive(Clone, Debug, PartialEq)]
pub enum Intake {
    /// A decoded message of a known device.
    Observation(Observation),
    /// A message, or a reading of one, that could not be stored.
    DeadLetter(DeadLetter),
    /// A message as it came; what it came to stands before it.
    Raw(RawMessage),
}

/// A message that a profile or an envelope was needed for, kept so that it can be decoded again once
/// that was corrected.
#[derive(Clone, Debug, PartialEq)]
pub struct RawMessage {
    /// Who it was from.
    pub device: DeviceId,
    /// On whose word it came.
    pub sender: Sender,
    /// Where it was published.
    pub topic: String,
    /// When it arrived.
    pub received: Timestamp,
    /// As it came.
    pub payload: Vec<u8>,
    /// How many of the intakes right before it are what it came to.
    pub observations: usize,
}

/// A message, or a reading of one, that could not be stored, with its reason.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    /// Why.
    pub reason: DeadLetterReason,
    /// Who it was from, as far as that is known.
    pub device: Option<DeviceId>,
    /// On whose word it came; `None` for what the store itself wrote.
    pub sender: Option<Sender>,
    /// Where it was published, or the file it came from.
    pub topic: String,
    /// When it arrived.
    pub received: Timestamp,
    /// As it came; for `too_large` its head alone.
    pub payload: Vec<u8>,
    /// What was found and what was wanted, in English.
    pub detail: String,
}

/// On whose word a message came in: kept, so that it has to be allowed when it is decoded again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Sender {
    /// The holder of this device's or gateway's token.
    Token(String),
    /// The link with this client id.
    Link(String),
}

impl Sender {
    /// As it stands in tables: `token NAME` or `link NAME`.
    pub fn to_text(&self) -> String {
        match self {
            Self::Token(name) => format!("token {name}"),
            Self::Link(name) => format!("link {name}"),
        }
    }

    /// What [`Sender::to_text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(' ')? {
            ("token", name) => Some(Self::Token(name.to_owned())),
            ("link", name) => Some(Self::Link(name.to_owned())),
            _ => None,
        }
    }
}

/// Why a message could not be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DeadLetterReason {
    /// No decoder reads this topic.
    UnknownTopic,
    /// The payload is not JSON; on a SenML topic, neither JSON nor CBOR.
    NotJson,
    /// JSON or CBOR of another shape than the decoder reads.
    WrongShape,
    /// Nobody registered this device.
    UnknownDevice,
    /// The catalogue has no such quantity.
    UnknownQuantity,
    /// The quantity has no such unit.
    UnknownUnit,
    /// NaN, infinite, or beyond what a double holds.
    NotFinite,
    /// Another value is stored for the same device, time and quantity.
    Conflict,
    /// Larger than the limit; head, length and hash are kept.
    TooLarge,
    /// The profile calls the whole frame unusable.
    ProbeFault,
    /// The publisher may not publish as this device.
    NotAllowed,
    /// The store would not take it.
    RefusedByStore,
}

impl DeadLetterReason {
    /// Every reason, in the order of the definition.
    pub const ALL: [Self; 12] = [
        Self::UnknownTopic,
        Self::NotJson,
        Self::WrongShape,
        Self::UnknownDevice,
        Self::UnknownQuantity,
        Self::UnknownUnit,
        Self::NotFinite,
        Self::Conflict,
        Self::TooLarge,
        Self::ProbeFault,
        Self::NotAllowed,
        Self::RefusedByStore,
    ];

    /// The key in tables, metrics and the API.
    pub const fn key(self) -> &'static str {
        match self {
            Self::UnknownTopic => "unknown_topic",
            Self::NotJson => "not_json",
            Self::WrongShape => "wrong_shape",
            Self::UnknownDevice => "unknown_device",
            Self::UnknownQuantity => "unknown_quantity",
            Self::UnknownUnit => "unknown_unit",
            Self::NotFinite => "not_finite",
            Self::Conflict => "conflict",
            Self::TooLarge => "too_large",
            Self::ProbeFault => "probe_fault",
            Self::NotAllowed => "not_allowed",
            Self::RefusedByStore => "refused_by_store",
        }
    }

    /// The reason with this key.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.key() == key)
    }
}
