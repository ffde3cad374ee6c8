//! What every format needs once it has a key, a value and a time: is the time one, which words does a
//! refusal use, what becomes of a quantity that is named twice.

use jiff::{SignedDuration, Timestamp};
use plotwise_config::reading::{DepthMm, Reading};
use sha2::{Digest, Sha256};

use super::{
    Decoded,
    quantities::{Quantities, units_of},
    shown,
};
use crate::intake::DeadLetterReason;

/// Clocks run ahead a little; more than this and the time is none.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24);

/// 2000-01-01T00:00:00Z: a node that lost its clock counts from 1970 or from its firmware's birth.
const EARLIEST_S: i64 = 946_684_800;

/// Whether something that arrived at `received` can have been measured at `time`.
pub(super) fn is_usable(time: Timestamp, received: Timestamp) -> bool {
    time.as_second() >= EARLIEST_S && time.duration_since(received) <= AHEAD_MAX
}

/// What stands for a part of a payload that has no time: two such parts are two observations, so the
/// place counts.
pub(super) fn hash(payload: &[u8], place: usize) -> [u8; 16] {
    let digest = Sha256::new().chain_update(place.to_le_bytes()).chain_update(payload);
    let mut hash = [0; 16];
    hash.copy_from_slice(&digest.finalize()[..16]);
    hash
}

/// Adds a reading; the same quantity and depth with another value is a conflict, and the first stays.
pub(super) fn add(readings: &mut Vec<Reading>, reading: Reading, key: &str, decoded: &mut Decoded) {
    let Reading { quantity, depth, value, .. } = reading;
    match readings.iter().find(|one| one.quantity == quantity && one.depth == depth) {
        None => readings.push(reading),
        Some(first) if first.value.to_bits() == value.to_bits() => {}
        Some(first) => {
            let first = first.value;
            decoded.note(DeadLetterReason::Conflict, || {
                format!("{}: {value} beside {first} in one object", shown(key))
            });
        }
    }
}

/// What was found and what was wanted. A closure: it is dear, and only the first few of a message are
/// kept.
pub(super) type Detail<'k> = Box<dyn FnOnce(&Quantities) -> String + 'k>;

pub(super) fn not_finite<'k>(key: &'k str, found: &'k str) -> Detail<'k> {
    Box::new(move |_| format!("{}: found {found}, wanted a finite number", shown(key)))
}

pub(super) fn unknown(name: &str, known: &Quantities) -> String {
    match known.nearest(name) {
        Some(near) => {
            format!("{:?} is no quantity of the catalogue; did you mean {near}?", shown(name))
        }
        None => format!("{:?} is no quantity of the catalogue", shown(name)),
    }
}

pub(super) fn bad_unit<'k>(name: &'k str, unit: &'k str) -> Detail<'k> {
    Box::new(move |known| {
        let units = known.find(name).map(|(_, quantity)| units_of(quantity)).unwrap_or_default();
        format!("{name}: unit {:?}, wanted one of {units}", shown(unit))
    })
}

pub(super) fn parse_depth(text: &str) -> Option<DepthMm> {
    text.parse().ok().and_then(DepthMm::from_metres)
}
