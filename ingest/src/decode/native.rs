//! Plotwise's own payload: one JSON object, or an array of them that stand or fall alone.
//!
//! ```json
//! {"time": 1767225600000, "seq": 17, "battery": 0.91,
//!  "readings": {"soil_moisture": 0.231, "soil_moisture@0.6": 0.252, "soil_ph": 5.4}}
//! ```
//!
//! `shape` reads the JSON; this module gives it meaning: time, identity, quantity, unit, depth. A
//! number that no double holds (`1e999`), `NaN` and `Infinity` are not JSON, yet probes write them: a
//! payload that does not parse is read once more with those words as `null`, which costs that reading
//! and spares the others.
//!
//! # What it leaves out
//!
//! Whether the device may send this, and whether its values make sense: see [`crate::resolve`] and the
//! flags.

mod shape;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use plotwise_config::{
    catalogue::ConvertError,
    id::DeviceId,
    reading::{DepthMm, Flags, Identity, Observation, QuantityNo, Reading},
};
use sha2::{Digest, Sha256};

use super::{
    Decoded,
    quantities::{Quantities, units_of},
    shown,
};
use crate::{directory::Entry, intake::DeadLetterReason};
use shape::{Element, Object, Time, Value};

/// Clocks run ahead a little; more than this and the time is none.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24);

/// 2000-01-01T00:00:00Z: a node that lost its clock counts from 1970 or from its firmware's birth.
const EARLIEST_S: i64 = 946_684_800;

/// Numbers above this are milliseconds since 1970, others seconds.
const SECONDS_MAX: f64 = 1e11;

/// Decodes a native payload of a known device that arrived at `received`.
pub fn decode_native(
    payload: &[u8],
    device: &DeviceId,
    entry: &Entry,
    received: Timestamp,
    quantities: &Quantities,
) -> Decoded {
    let reader = Reader { payload, device, entry, received, quantities };
    match shape::parse(payload) {
        Ok(message) => reader.message(message),
        Err(error) => match without_infinities(payload).as_deref().map(shape::parse) {
            Some(Ok(message)) => reader.message(message),
            _ => Decoded::nothing(
                DeadLetterReason::NotJson,
                format!("{error}; wanted a JSON object or an array of objects"),
            ),
        },
    }
}

struct Reader<'r> {
    payload: &'r [u8],
    device: &'r DeviceId,
    entry: &'r Entry,
    received: Timestamp,
    quantities: &'r Quantities,
}

impl Reader<'_> {
    fn message(&self, shape::Message(elements): shape::Message<'_>) -> Decoded {
        let mut decoded = Decoded::default();
        if elements.is_empty() {
            decoded.note(DeadLetterReason::WrongShape, || "found an empty array".to_owned());
        }
        for (place, element) in elements.into_iter().enumerate() {
            match element {
                Element::Object(object) => self.object(place, object, &mut decoded),
                Element::Other(found) => decoded.note(DeadLetterReason::WrongShape, || {
                    format!("element {place}: found {found}, wanted an object")
                }),
            }
        }
        decoded
    }

    fn object(&self, place: usize, object: Object<'_>, decoded: &mut Decoded) {
        let wrong = |decoded: &mut Decoded, detail: &str| {
            decoded.note(DeadLetterReason::WrongShape, || format!("element {place}: {detail}"));
        };
        if let Some(detail) = object.wrong {
            return wrong(decoded, &detail);
        }
        if object.readings.is_empty() {
            return wrong(
                decoded,
                "no readings; wanted an object `readings` of quantity and value",
            );
        }
        let claimed = match object.time.as_ref().map(claimed_time) {
            None => None,
            Some(Ok(claimed)) => Some(claimed),
            Some(Err(detail)) => return wrong(decoded, &detail),
        };
        let usable = claimed.flatten().filter(|time| self.is_usable(*time));
        let measured = usable.unwrap_or(self.received);
        let flags = if usable.is_some() { Flags::NONE } else { Flags::TIME_FROM_ARRIVAL };
        let readings = self.readings(object.readings, measured, flags, decoded);
        if readings.is_empty() {
            return;
        }
        let identity = match (usable, object.seq) {
            (Some(_), _) => Identity::MeasuredTime,
            (None, Some(seq)) => Identity::Sequence(seq),
            (None, None) => Identity::Payload(self.hash(place)),
        };
        decoded.observations.push(Observation {
            device: self.device.clone(),
            measured,
            received: self.received,
            claimed: if usable.is_some() { None } else { claimed.flatten() },
            identity,
            seq: object.seq,
            supersede: object.supersede,
            readings,
        });
    }

    fn is_usable(&self, time: Timestamp) -> bool {
        time.as_second() >= EARLIEST_S && time.duration_since(self.received) <= AHEAD_MAX
    }

    /// Payload and place in it: two elements of one array are two observations.
    fn hash(&self, place: usize) -> [u8; 16] {
        let digest = Sha256::new().chain_update(place.to_le_bytes()).chain_update(self.payload);
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest.finalize()[..16]);
        hash
    }

    fn readings(
        &self,
        written: Vec<(Cow<'_, str>, Value<'_>)>,
        measured: Timestamp,
        flags: Flags,
        decoded: &mut Decoded,
    ) -> Vec<Reading> {
        let own_depth = self.entry.own_depth_at(measured);
        let mut readings: Vec<Reading> = Vec::with_capacity(written.len());
        for (key, value) in written {
            let (quantity, depth, value) = match self.reading(&key, &value) {
                Ok(read) => read,
                Err((reason, detail)) => {
                    decoded.note(reason, || detail(self.quantities));
                    continue;
                }
            };
            let depth = if depth == own_depth { None } else { depth };
            let same = readings.iter().find(|one| one.quantity == quantity && one.depth == depth);
            match same {
                None => readings.push(Reading { quantity, depth, value, flags }),
                Some(first) if first.value.to_bits() == value.to_bits() => {}
                Some(first) => {
                    let first = first.value;
                    decoded.note(DeadLetterReason::Conflict, || {
                        format!("{}: {value} beside {first} in one object", shown(&key))
                    });
                }
            }
        }
        readings
    }

    /// Quantity, written depth and value in the canonical unit. The detail is a closure: it is
    /// dear, and only the first few of a message are kept.
    fn reading<'k>(
        &self,
        key: &'k str,
        value: &'k Value<'_>,
    ) -> Result<(QuantityNo, Option<DepthMm>, f64), (DeadLetterReason, Detail<'k>)> {
        let (name, depth) = match key.split_once('@') {
            None => (key, None),
            Some((name, depth)) => (name, Some(depth)),
        };
        let Some((number, quantity)) = self.quantities.find(name) else {
            return Err((
                DeadLetterReason::UnknownQuantity,
                Box::new(move |known| unknown(name, known)),
            ));
        };
        let depth = match depth.map(|text| (text, parse_depth(text))) {
            None => None,
            Some((_, Some(depth))) => Some(depth),
            Some((text, None)) => {
                let detail = move |_: &Quantities| {
                    format!("{}: depth {:?}, wanted metres from 0 to 60", shown(key), shown(text))
                };
                return Err((DeadLetterReason::WrongShape, Box::new(detail)));
            }
        };
        let read = match value {
            Value::Number(number) => *number,
            Value::WithUnit(number, unit) => match quantity.convert(*number, unit) {
                Ok(converted) => converted,
                Err(ConvertError::NotFinite { .. }) => f64::INFINITY,
                Err(_) => return Err((DeadLetterReason::UnknownUnit, bad_unit(name, unit))),
            },
            Value::NotFinite(found) => {
                return Err((DeadLetterReason::NotFinite, not_finite(key, found)));
            }
            Value::Wrong(found) => {
                let detail = move |_: &Quantities| {
                    format!(
                        "{}: found {found}, wanted a number or {{\"value\", \"unit\"}}",
                        shown(key)
                    )
                };
                return Err((DeadLetterReason::WrongShape, Box::new(detail)));
            }
        };
        if read.is_finite() {
            // -0.0 and 0.0 are one value: two bit patterns would make a conflict of a repetition.
            Ok((number, depth, read + 0.0))
        } else {
            Err((
                DeadLetterReason::NotFinite,
                not_finite(key, "a number beyond what a double holds"),
            ))
        }
    }
}

type Detail<'k> = Box<dyn FnOnce(&Quantities) -> String + 'k>;

fn not_finite<'k>(key: &'k str, found: &'k str) -> Detail<'k> {
    Box::new(move |_| format!("{}: found {found}, wanted a finite number", shown(key)))
}

fn unknown(name: &str, known: &Quantities) -> String {
    match known.nearest(name) {
        Some(near) => {
            format!("{:?} is no quantity of the catalogue; did you mean {near}?", shown(name))
        }
        None => format!("{:?} is no quantity of the catalogue", shown(name)),
    }
}

fn bad_unit<'k>(name: &'k str, unit: &'k str) -> Detail<'k> {
    Box::new(move |known| {
        let units = known.find(name).map(|(_, quantity)| units_of(quantity)).unwrap_or_default();
        format!("{name}: unit {:?}, wanted one of {units}", shown(unit))
    })
}

fn parse_depth(text: &str) -> Option<DepthMm> {
    text.parse().ok().and_then(DepthMm::from_metres)
}

/// The moment that `time` names; `Ok(None)` for a number that lies outside the calendar.
fn claimed_time(time: &Time) -> Result<Option<Timestamp>, String> {
    match time {
        Time::Text(text) => text.parse().map(Some).map_err(|_| {
            format!("time: found {:?}, wanted RFC 3339 or a number since 1970", shown(text))
        }),
        Time::Whole(whole) if *whole as f64 > SECONDS_MAX => {
            Ok(Timestamp::from_millisecond(*whole).ok())
        }
        Time::Whole(whole) => Ok(Timestamp::from_second(*whole).ok()),
        // A double holds today's seconds to a quarter of a microsecond.
        Time::Number(number) => {
            let is_ms = *number > SECONDS_MAX;
            let microseconds = (number * if is_ms { 1e3 } else { 1e6 }).round();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "saturates, and the ends are no time"
            )]
            let moment = Timestamp::from_microsecond(microseconds as i64).ok();
            Ok(moment)
        }
    }
}

/// The payload with `NaN`, `Infinity` and numbers beyond a double as `null`; `None` where it has none.
fn without_infinities(payload: &[u8]) -> Option<Vec<u8>> {
    let mut mended = Vec::with_capacity(payload.len() + 8);
    let mut is_mended = false;
    let mut at = 0;
    while at < payload.len() {
        let end = match payload[at] {
            b'"' => end_of_text(payload, at),
            byte if is_word(byte) => {
                let length = payload[at..].iter().position(|byte| !is_word(*byte));
                length.map_or(payload.len(), |length| at + length)
            }
            _ => at + 1,
        };
        let word = &payload[at..end];
        if is_infinite(word) {
            is_mended = true;
            mended.extend_from_slice(b"null");
        } else {
            mended.extend_from_slice(word);
        }
        at = end;
    }
    is_mended.then_some(mended)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

fn is_infinite(word: &[u8]) -> bool {
    let number = std::str::from_utf8(word).ok().and_then(|word| word.parse::<f64>().ok());
    number.is_some_and(|number| !number.is_finite())
}

/// The place after the text that begins at `start`.
fn end_of_text(payload: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < payload.len() {
        match payload[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    // A text that never ends: the reader says so.
    payload.len()
}
