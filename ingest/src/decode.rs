//! From a payload to observations: pure functions, one module a format.
//!
//! A decoder never fails. What it can read becomes observations, what it cannot becomes problems,
//! and a message may give both: one unknown quantity costs that reading and nothing else. Problems of
//! one message are gathered by reason, so that a hostile message makes a handful of dead letters and
//! not thousands of copies of itself.
//!
//! Invariant: no clock, no store, no network; the same bytes always decode to the same values.

mod decoders;
pub mod envelope;
mod field;
mod frame;
mod infinities;
mod json;
pub mod native;
mod profile;
mod quantities;
mod reading;
pub mod senml;
mod trial;

use jiff::Timestamp;
use plotwise_config::{catalogue::profile::NATIVE, id::DeviceId, reading::Observation};

use crate::{directory::Entry, intake::DeadLetterReason};

pub use decoders::Decoders;
use frame::Frame;
use json::Json;
pub use quantities::Quantities;
pub use trial::{Trial, try_profile};

/// Problems of one reason that are told in full; more are counted.
const DETAILS_MAX: usize = 8;

/// What a payload came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// What could be read, in the payload's order.
    pub observations: Vec<Observation>,
    /// What could not, at most one for each reason.
    pub problems: Vec<Problem>,
    /// Why there is neither and nothing is wrong: the message is no telemetry.
    pub ignored: Option<String>,
}

/// Why a message, or a part of it, could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The reason.
    pub reason: DeadLetterReason,
    /// What was found and what was wanted, in English.
    pub detail: String,
    count: usize,
}

impl Decoded {
    /// A message of which nothing could be read.
    fn nothing(reason: DeadLetterReason, detail: String) -> Self {
        let problems = vec![Problem { reason, detail, count: 1 }];
        Self { problems, ..Self::default() }
    }

    /// A message that is no telemetry.
    fn ignored(why: &str) -> Self {
        Self { ignored: Some(why.to_owned()), ..Self::default() }
    }

    /// Notes a problem; `detail` is only called where it is kept.
    fn note(&mut self, reason: DeadLetterReason, detail: impl FnOnce() -> String) {
        let Some(known) = self.problems.iter_mut().find(|problem| problem.reason == reason) else {
            self.problems.push(Problem { reason, detail: detail(), count: 1 });
            return;
        };
        known.count += 1;
        if known.count <= DETAILS_MAX {
            known.detail.push_str("; ");
            known.detail.push_str(&detail());
        } else if known.count == DETAILS_MAX + 1 {
            known.detail.push_str("; and more");
        }
    }
}

/// Decodes what a device publishes under its own topic: Plotwise's own JSON, or what its profile reads.
///
/// A device with a profile may speak Plotwise's own JSON too, as recorded readings do that are
/// published again: an object with `readings` is taken for that, unless its profile knows such a key.
pub fn decode_own(
    payload: &[u8],
    device: &DeviceId,
    entry: &Entry,
    received: Timestamp,
    decoders: &Decoders,
) -> Decoded {
    let native = || native::decode_native(payload, device, entry, received, &decoders.quantities);
    if entry.profile == NATIVE {
        return native();
    }
    let Some(profile) = decoders.profiles.find(&entry.profile) else {
        return no_profile(&entry.profile);
    };
    let frame = Frame::direct(device, entry, received);
    match Json::parse(payload) {
        Ok(root) if has_readings(&root) && !profile.has_key("readings") => native(),
        Ok(root) => profile.read(&root, payload, &frame),
        Err(_) => profile.decode(payload, &frame),
    }
}

/// Decodes a payload by the profile that its topic names.
pub fn decode_by_profile(
    profile: &str,
    payload: &[u8],
    device: &DeviceId,
    entry: &Entry,
    received: Timestamp,
    decoders: &Decoders,
) -> Decoded {
    match decoders.profiles.find(profile) {
        Some(profile) => profile.decode(payload, &Frame::direct(device, entry, received)),
        None if profile == NATIVE => {
            native::decode_native(payload, device, entry, received, &decoders.quantities)
        }
        None => no_profile(profile),
    }
}

fn has_readings(root: &Json<'_>) -> bool {
    let first = match root {
        Json::Array(elements) => elements.first(),
        root => Some(root),
    };
    first.is_some_and(|first| matches!(first.get("readings"), Some(Json::Object(_))))
}

/// Nothing reads it now; once the profile is there, replaying the dead letter does.
fn no_profile(profile: &str) -> Decoded {
    let detail = format!(
        "the catalogue has no device profile {:?}; add its file to a folder of [catalogue] folders",
        shown(profile)
    );
    Decoded::nothing(DeadLetterReason::WrongShape, detail)
}

/// The beginning of a text from outside, short enough for a message.
fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}
