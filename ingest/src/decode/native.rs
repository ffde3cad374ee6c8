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

use jiff::Timestamp;
use plotwise_config::{
    catalogue::ConvertError,
    id::DeviceId,
    reading::{DepthMm, Flags, Identity, Observation, QuantityNo, Reading},
};

use super::{
    Decoded,
    infinities::without_infinities,
    quantities::Quantities,
    reading::{Detail, add, bad_unit, hash, is_usable, not_finite, parse_depth, unknown},
    shown,
};
use crate::{directory::Entry, intake::DeadLetterReason};
use shape::{Element, Object, Time, Value};

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
        let usable = claimed.flatten().filter(|time| is_usable(*time, self.received));
        let measured = usable.unwrap_or(self.received);
        let flags = if usable.is_some() { Flags::NONE } else { Flags::TIME_FROM_ARRIVAL };
        let readings = self.readings(object.readings, measured, flags, decoded);
        if readings.is_empty() {
            return;
        }
        let identity = match (usable, object.seq) {
            (Some(_), _) => Identity::MeasuredTime,
            (None, Some(seq)) => Identity::Sequence(seq),
            (None, None) => Identity::Payload(hash(self.payload, place)),
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
            add(&mut readings, Reading { quantity, depth, value, flags }, &key, decoded);
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
