//! SenML (RFC 8428): packs of records in JSON or CBOR, told apart by the first byte.
//!
//! ```json
//! [{"bn": "urn:dev:mac:0024befffe804ff1/", "bt": 1767225600, "n": "soil_moisture", "u": "/", "v": 0.231},
//!  {"n": "soil_moisture/0.6", "v": 0.252}, {"n": "soil_ph", "t": -60, "v": 5.4}]
//! ```
//!
//! ```text
//! bytes -> json | cbor -> Record, one after the other -> Pack: base fields, time -> name -> observations
//! ```
//!
//! Records of one time become one observation. The last part of a resolved name is the quantity, as
//! `name` tells; a value without a unit is in the canonical one. A record that is no reading (`vs`,
//! `vb`, `vd`, a sum without a value, an invalid name) costs itself and nothing else.
//!
//! Refused as a whole is a pack with a field that must be understood and is not (its label ends in
//! `_`), of a version that this reader does not know, or with a base field of a wrong type: what follows
//! leans on it.
//!
//! # Time
//!
//! Base time and time add up. From 2^28 on the sum is seconds since 1970; below, it is relative to now,
//! which is the arrival. A relative time has been reckoned from the arrival, so its readings are flagged
//! `T` and the payload is what makes the message the same one when it comes again.
//!
//! # What it leaves out
//!
//! Sums (`s`, `bs`): an integral over time is no quantity of the catalogue. Update times (`ut`). XML and
//! EXI. Base version 26 is read too: it says that units of RFC 8798 (`mm`, `ppm` ...) occur (RFC 9100).
//!
//! # Invariants
//!
//! Records are handled one by one and never gathered: memory stays within a small multiple of the payload.
//! What CBOR nests deeper than 256 is refused; JSON that nobody reads is skipped without recursing.

mod cbor;
mod json;
mod name;
mod pack;
mod record;
mod write;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use plotwise_config::id::DeviceId;

use super::{Decoded, infinities::without_infinities, quantities::Quantities};
use crate::{directory::Entry, intake::DeadLetterReason};
use pack::Pack;
use record::Element;

pub use write::{cbor as to_cbor, json as to_json};

/// Decodes a pack of a known device that arrived at `received`.
pub fn decode_senml(
    payload: &[u8],
    device: &DeviceId,
    entry: &Entry,
    received: Timestamp,
    quantities: &Quantities,
) -> Decoded {
    let pack = || Pack::new(payload, device, entry, received, quantities);
    if cbor::is_cbor(payload) {
        return run(pack(), |sink| cbor::read(payload, sink))
            .unwrap_or_else(|error| malformed(&error));
    }
    let text = payload.strip_prefix("\u{feff}".as_bytes()).unwrap_or(payload);
    run(pack(), |sink| json::read(text, sink)).unwrap_or_else(|error| {
        let mended = without_infinities(text);
        let again = mended.as_deref().map(|text| run(pack(), |sink| json::read(text, sink)));
        again.and_then(Result::ok).unwrap_or_else(|| malformed(&error))
    })
}

/// Takes what is read for each element.
type Sink<'s> = &'s mut dyn FnMut(Element<'_>);

/// Hands every element to the pack; where the bytes break off in the middle, nothing of it counts.
fn run<E>(
    mut pack: Pack<'_>,
    read: impl FnOnce(Sink<'_>) -> Result<Option<&'static str>, E>,
) -> Result<Decoded, E> {
    Ok(match read(&mut |element| pack.take(element))? {
        None => pack.finish(),
        Some(found) => Decoded::nothing(
            DeadLetterReason::WrongShape,
            format!("found {found}, wanted an array of SenML records"),
        ),
    })
}

fn malformed(error: &dyn std::fmt::Display) -> Decoded {
    let detail = format!("{error}; wanted a SenML pack in JSON or CBOR");
    Decoded::nothing(DeadLetterReason::NotJson, detail)
}
