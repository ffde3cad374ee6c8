//! Payloads of any maker, read by a device profile.
//!
//! ```text
//! catalogue --compile, once--> Profiles          payload -> Json -> rules -> fields, lists -> observation
//!                                                                      \--> history, log -> observations
//! ```
//!
//! A profile's rules come first: a frame that is no telemetry is ignored, one that is unusable is a dead
//! letter `probe_fault`. Then every field is looked for at its places. Keys that no field names are the
//! maker's own business; a frame in which no field is found has the wrong shape.
//!
//! # Faults
//!
//! A value that its profile calls a fault code is stored with flag `X`, so that charts show that the
//! device spoke and means leave it out. A value that only says "no probe here" is dropped: it is no
//! measurement, and for a socket that nobody uses not worth a word. Where an error stands in place of a
//! value, that reading is a dead letter `probe_fault`. Null is nothing: decoders write it for NaN.
//!
//! # Time
//!
//! The device's own where the profile says where it stands; else the network server's; else the
//! arrival, flagged `T`. Readings from earlier carry their own time, and one without a usable time is a
//! dead letter: stored at its arrival it would pass for the present.

mod compiled;
mod condition;
mod log;
mod moment;
mod readings;
mod unread;
mod value;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jiff::Timestamp;
use plotwise_config::{
    catalogue::Catalogue,
    reading::{Flags, Identity, Observation},
};

use super::{
    Decoded, Quantities, frame::Frame, infinities::without_infinities, json::Json, reading, shown,
};
use crate::intake::DeadLetterReason;
pub(super) use compiled::Profile;
use readings::Gathered;

/// Keys of a payload and of a profile that a message names.
const KEYS_SHOWN: usize = 8;

/// The catalogue's profiles, compiled, by key.
#[derive(Clone, Debug, Default)]
pub(super) struct Profiles {
    by_key: HashMap<String, Profile>,
}

impl Profiles {
    pub(super) fn new(catalogue: &Catalogue, quantities: &Quantities) -> Self {
        let compiled = catalogue
            .profiles()
            .iter()
            .map(|profile| (profile.key.clone(), Profile::compile(profile, quantities)));
        Self { by_key: compiled.collect() }
    }

    pub(super) fn find(&self, key: &str) -> Option<&Profile> {
        self.by_key.get(key)
    }
}

impl Profile {
    /// Reads a payload.
    pub(super) fn decode(&self, payload: &[u8], frame: &Frame<'_>) -> Decoded {
        match Json::parse(payload) {
            Ok(root) => self.read(&root, payload, frame),
            Err(error) => {
                let mended = without_infinities(payload);
                match mended.as_deref().map(Json::parse) {
                    Some(Ok(root)) => self.read(&root, payload, frame),
                    _ => {
                        Decoded::nothing(DeadLetterReason::NotJson, format!("{error}; wanted JSON"))
                    }
                }
            }
        }
    }

    /// Reads what a payload came to; the payload itself is what makes it the same when it comes again.
    pub(super) fn read(&self, root: &Json<'_>, payload: &[u8], frame: &Frame<'_>) -> Decoded {
        if let Some(why) = self.ignored.iter().find_map(|rule| rule.says(root, frame)) {
            return Decoded::ignored(why);
        }
        if let Some(why) = self.unusable.iter().find_map(|rule| rule.says(root, frame)) {
            return Decoded::nothing(DeadLetterReason::ProbeFault, why.to_owned());
        }
        let mut decoded = Decoded::default();
        let mut gathered = Gathered::new(frame);
        gathered.fields(&self.fields, root, "", &mut decoded);
        for list in &self.lists {
            gathered.list(list, root, &mut decoded);
        }
        let is_anything_found = gathered.is_found;
        let is_passed_over = gathered.is_passed_over;
        self.present(gathered, root, payload, frame, &mut decoded);
        let is_earlier_found = self.earlier(root, frame, &mut decoded);
        if !decoded.observations.is_empty() || !decoded.problems.is_empty() {
            return decoded;
        }
        if is_anything_found || is_earlier_found {
            return Decoded::ignored("nothing is connected where it would measure");
        }
        if is_passed_over || self.information.iter().any(|path| path.find(root).is_some()) {
            return Decoded::ignored("it speaks of the device and measures nothing");
        }
        Decoded::nothing(DeadLetterReason::WrongShape, self.not_found(root))
    }

    /// The observation that the frame itself is.
    fn present(
        &self,
        mut gathered: Gathered<'_>,
        root: &Json<'_>,
        payload: &[u8],
        frame: &Frame<'_>,
        decoded: &mut Decoded,
    ) {
        if gathered.readings.is_empty() {
            return;
        }
        let claimed = match moment::at_first(&self.time, root, &self.timezone) {
            Ok(claimed) => claimed,
            Err(detail) => return decoded.note(DeadLetterReason::WrongShape, || detail),
        };
        let is_usable = |time: &Timestamp| reading::is_usable(*time, frame.received);
        let own = claimed.filter(is_usable);
        let usable = own.or(frame.network.time.filter(is_usable));
        let claimed = claimed.or(frame.network.time).filter(|time| !is_usable(time));
        let seq = self.seq.iter().find_map(|path| path.find(root)).and_then(whole);
        let identity = match (usable, frame.network.identity, seq) {
            (Some(_), ..) => Identity::MeasuredTime,
            (None, Some(identity), _) => identity,
            (None, None, Some(seq)) => Identity::Sequence(seq),
            (None, None, None) => Identity::Payload(reading::hash(payload, 0)),
        };
        for signal in frame.network.signal.into_iter().flatten() {
            gathered.beside(signal);
        }
        let flags = if usable.is_some() { Flags::NONE } else { Flags::TIME_FROM_ARRIVAL };
        let measured = usable.unwrap_or(frame.received);
        decoded.observations.push(Observation {
            device: frame.device.clone(),
            measured,
            received: frame.received,
            claimed,
            identity,
            seq,
            supersede: false,
            readings: gathered.finish(measured, flags),
        });
    }

    /// Readings from earlier; whether there were any.
    fn earlier(&self, root: &Json<'_>, frame: &Frame<'_>, decoded: &mut Decoded) -> bool {
        let mut is_found = false;
        if let Some(history) = &self.history {
            let array = history.at.iter().find_map(|path| path.find(root));
            if let Some(Json::Array(items)) = array {
                is_found |= !items.is_empty();
                for (place, item) in items.iter().enumerate() {
                    let name = format!("history {place}: ");
                    let mut gathered = Gathered::new(frame);
                    gathered.fields(&self.fields, item, &name, decoded);
                    let time = moment::at_first(&history.time, item, &self.timezone);
                    store_earlier(gathered, time, &name, frame, decoded);
                }
            }
        }
        if let Some(log) = &self.log
            && let Some(Json::Text(text)) = log.at.iter().find_map(|path| path.find(root))
        {
            for (place, entry) in log::entries(text).enumerate() {
                is_found = true;
                let Some(time) = log.time_of(&entry, &self.timezone) else { continue };
                let name = format!("log {place}: ");
                let mut gathered = Gathered::new(frame);
                gathered.log(&log.fields, &entry, root, &name, decoded);
                store_earlier(gathered, time, &name, frame, decoded);
            }
        }
        is_found
    }

    /// Which of its places a payload has none of.
    fn not_found(&self, root: &Json<'_>) -> String {
        let found = match root {
            Json::Object(entries) if entries.is_empty() => "an empty object".to_owned(),
            Json::Object(entries) => {
                let keys: Vec<String> =
                    entries.iter().take(KEYS_SHOWN).map(|(key, _)| shown(key)).collect();
                let more = if entries.len() > KEYS_SHOWN { " and more" } else { "" };
                format!("the keys {}{more}", keys.join(", "))
            }
            other => other.shown(),
        };
        let wanted: Vec<&str> = self.places().take(KEYS_SHOWN).collect();
        format!("found {found}; profile {} wants one of {}", self.key, wanted.join(", "))
    }
}

fn store_earlier(
    gathered: Gathered<'_>,
    time: Result<Option<Timestamp>, String>,
    name: &str,
    frame: &Frame<'_>,
    decoded: &mut Decoded,
) {
    if gathered.readings.is_empty() {
        return;
    }
    let measured = match time {
        Ok(Some(time)) if reading::is_usable(time, frame.received) => time,
        Ok(time) => {
            let found = time.map_or_else(|| "none".to_owned(), |time| time.to_string());
            return decoded.note(DeadLetterReason::WrongShape, || {
                format!("{name}found time {found}, wanted one from 2000 on and not ahead of now")
            });
        }
        Err(detail) => {
            return decoded.note(DeadLetterReason::WrongShape, || format!("{name}{detail}"));
        }
    };
    decoded.observations.push(Observation {
        device: frame.device.clone(),
        measured,
        received: frame.received,
        claimed: None,
        identity: Identity::MeasuredTime,
        seq: None,
        supersede: false,
        readings: gathered.finish(measured, Flags::NONE),
    });
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn whole(json: &Json<'_>) -> Option<u64> {
    let number = value::number(json)?;
    // A double counts without gaps up to 2^53.
    let is_whole = (0.0..=9_007_199_254_740_992.0).contains(&number) && number.fract() == 0.0;
    is_whole.then_some(number as u64)
}
