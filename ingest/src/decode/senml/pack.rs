//! Records one after the other: base fields applied, gathered by time into observations.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use plotwise_config::{
    catalogue::{ConvertError, quantity::Quantity},
    id::DeviceId,
    reading::{DepthMm, Flags, Identity, Observation, Reading},
};

use super::{
    name::{self, NAME_BYTES_MAX, Named},
    record::{Element, Record, Value},
};
use crate::{
    decode::{
        Decoded,
        quantities::Quantities,
        reading::{Detail, add, bad_unit, hash, is_usable, not_finite, unknown},
        shown,
    },
    directory::Entry,
    intake::DeadLetterReason,
};

/// Readings of one time; a node with more of them sends several packs.
const READINGS_MAX: usize = 1024;

/// The version of RFC 8428, and of a pack that tells none. Lower ones were drafts of it.
const VERSION: u64 = 10;

/// The same with the feature "secondary units" (RFC 9100, 6): any unit of the catalogue is read.
const VERSION_SECONDARY_UNITS: u64 = 26;

/// 2^28 s: below it a time is relative to now (RFC 8428, 4.5.3).
const ABSOLUTE_FROM_S: f64 = 268_435_456.0;

/// A pack that is being read.
pub(super) struct Pack<'r> {
    payload: &'r [u8],
    device: &'r DeviceId,
    entry: &'r Entry,
    received: Timestamp,
    quantities: &'r Quantities,
    base: Base,
    version: Option<u64>,
    /// Elements so far.
    count: usize,
    groups: Vec<Group>,
    /// Place in `groups` by the bits of the time in seconds.
    by_time: HashMap<u64, usize>,
    decoded: Decoded,
    /// Why nothing of the pack may be used.
    refused: Option<String>,
}

/// Base fields in force.
#[derive(Default)]
struct Base {
    name: String,
    time_s: f64,
    unit: String,
    value: Option<f64>,
}

/// Readings of one time.
struct Group {
    measured: Timestamp,
    claimed: Option<Timestamp>,
    flags: Flags,
    own_depth: Option<DepthMm>,
    readings: Vec<Reading>,
}

/// Why a record gives no reading.
type Refusal = (DeadLetterReason, Detail<'static>);

fn wrong(detail: String) -> Refusal {
    (DeadLetterReason::WrongShape, Box::new(|_| detail))
}

fn never_finite(key: &str, found: &'static str) -> Refusal {
    let key = key.to_owned();
    (DeadLetterReason::NotFinite, Box::new(move |known| not_finite(&key, found)(known)))
}

impl<'r> Pack<'r> {
    pub(super) fn new(
        payload: &'r [u8],
        device: &'r DeviceId,
        entry: &'r Entry,
        received: Timestamp,
        quantities: &'r Quantities,
    ) -> Self {
        Self {
            payload,
            device,
            entry,
            received,
            quantities,
            base: Base::default(),
            version: None,
            count: 0,
            groups: Vec::new(),
            by_time: HashMap::new(),
            decoded: Decoded::default(),
            refused: None,
        }
    }

    /// Takes the next element in.
    pub(super) fn take(&mut self, element: Element<'_>) {
        let place = self.count;
        self.count += 1;
        match element {
            _ if self.refused.is_some() => {}
            Element::Record(record) => self.record(place, &record),
            Element::Other(found) => self.decoded.note(DeadLetterReason::WrongShape, || {
                format!("record {place}: found {found}, wanted an object")
            }),
        }
    }

    /// What the pack came to.
    pub(super) fn finish(mut self) -> Decoded {
        if let Some(detail) = self.refused {
            return Decoded::nothing(DeadLetterReason::WrongShape, detail);
        }
        if self.count == 0 {
            let empty = || "found an empty pack".to_owned();
            self.decoded.note(DeadLetterReason::WrongShape, empty);
        }
        let observations = self.groups.into_iter().enumerate().map(|(place, group)| Observation {
            device: self.device.clone(),
            measured: group.measured,
            received: self.received,
            claimed: group.claimed,
            identity: if group.flags.has(Flags::TIME_FROM_ARRIVAL) {
                Identity::Payload(hash(self.payload, place))
            } else {
                Identity::MeasuredTime
            },
            seq: None,
            supersede: false,
            readings: group.readings,
        });
        self.decoded.observations = observations.collect();
        self.decoded
    }

    fn record(&mut self, place: usize, record: &Record<'_>) {
        if let Some(detail) = record.broken.clone().or_else(|| self.bad_version(record)) {
            self.refused = Some(format!("record {place}: {detail}; the whole pack is refused"));
            return;
        }
        self.base.take(record);
        if record.is_base_alone() && self.base.value.is_none() {
            return;
        }
        if let Err((reason, detail)) = self.reading(record) {
            let quantities = self.quantities;
            self.decoded.note(reason, || format!("record {place}: {}", detail(quantities)));
        }
    }

    /// All records of a pack have one version, and one that is not understood must not be used
    /// (RFC 8428, 4.4).
    fn bad_version(&mut self, record: &Record<'_>) -> Option<String> {
        let version = *self.version.get_or_insert(record.base_version.unwrap_or(VERSION));
        if record.base_version.is_some_and(|other| other != version) {
            return Some(format!("a second version beside {version}"));
        }
        let is_known = version <= VERSION || version == VERSION_SECONDARY_UNITS;
        (!is_known).then(|| {
            format!("bver {version}, wanted at most {VERSION}, or {VERSION_SECONDARY_UNITS}")
        })
    }

    /// Resolves a record and adds its reading to those of its time.
    fn reading(&mut self, record: &Record<'_>) -> Result<(), Refusal> {
        if let Some(detail) = &record.wrong {
            return Err(wrong(detail.clone()));
        }
        let own = record.name.as_deref().unwrap_or_default();
        if self.base.name.len() + own.len() > NAME_BYTES_MAX {
            return Err(wrong(format!("a name of more than {NAME_BYTES_MAX} bytes")));
        }
        let name = [self.base.name.as_str(), own].concat();
        if !name::is_valid(&name) {
            return Err(wrong(format!(
                "name {:?}, wanted letters, digits and - : . / _, a letter or digit first; a depth is written /0.6",
                shown(&name)
            )));
        }
        let value = self.value(record, &name)?;
        let time_s = self.base.time_s + record.time_s.unwrap_or_default();
        if !time_s.is_finite() {
            return Err(wrong(format!("{}: a time beyond what a double holds", shown(&name))));
        }
        let (number, quantity, depth) =
            match name::look_up(&name, self.device.as_str(), self.quantities) {
                Named::Quantity { number, quantity, depth } => (number, quantity, depth),
                Named::BadDepth(found) => {
                    let found = shown(found);
                    return Err(wrong(format!(
                        "{name}: depth {found:?}, wanted metres from 0 to 60"
                    )));
                }
                Named::Unknown(key) => {
                    let key = key.to_owned();
                    let detail = Box::new(move |known: &Quantities| {
                        format!("{name}: {}", unknown(&key, known))
                    });
                    return Err((DeadLetterReason::UnknownQuantity, detail));
                }
            };
        let unit = record.unit.as_deref().unwrap_or(&self.base.unit);
        let value = self.convert(quantity, value, unit)?;
        let place = self.group(time_s);
        let group = &mut self.groups[place];
        if group.readings.len() >= READINGS_MAX {
            return Err(wrong(format!("more than {READINGS_MAX} readings of one time")));
        }
        let depth = if depth == group.own_depth { None } else { depth };
        // -0.0 and 0.0 are one value: two bit patterns would make a conflict of a repetition.
        let reading = Reading { quantity: number, depth, value: value + 0.0, flags: group.flags };
        add(&mut group.readings, reading, &name, &mut self.decoded);
        Ok(())
    }

    /// Value and base value together; a missing one counts as nought (RFC 8428, 4.3).
    fn value(&self, record: &Record<'_>, name: &str) -> Result<f64, Refusal> {
        match (record.value, self.base.value) {
            (Some(Value::Number(value)), base) => Ok(value + base.unwrap_or_default()),
            (Some(Value::NotFinite(found)), _) => Err(never_finite(name, found)),
            (Some(Value::Other(label)), _) => {
                Err(wrong(format!("{}: {label} is no reading, wanted v, a number", shown(name))))
            }
            (None, _) if record.has_sum => {
                let name = shown(name);
                Err(wrong(format!("{name}: a sum is no reading, wanted v, a number")))
            }
            (None, Some(base)) => Ok(base),
            (None, None) => Err(wrong(format!("{}: no value, wanted v, a number", shown(name)))),
        }
    }

    fn convert(&self, quantity: &Quantity, value: f64, unit: &str) -> Result<f64, Refusal> {
        let converted = if unit.is_empty() { Ok(value) } else { quantity.convert(value, unit) };
        match converted {
            Ok(converted) if converted.is_finite() => Ok(converted),
            Ok(_) | Err(ConvertError::NotFinite { .. }) => {
                Err(never_finite(&quantity.key, "a number beyond what a double holds"))
            }
            Err(_) => {
                let detail = bad_unit(&quantity.key, unit)(self.quantities);
                Err((DeadLetterReason::UnknownUnit, Box::new(|_| detail)))
            }
        }
    }

    /// The place of the readings of this time.
    fn group(&mut self, time_s: f64) -> usize {
        // One pattern of bits for both noughts.
        let bits = (time_s + 0.0).to_bits();
        if let Some(place) = self.by_time.get(&bits) {
            return *place;
        }
        let (measured, claimed, flags) = self.moment(time_s);
        let own_depth = self.entry.own_depth_at(measured);
        let place = self.groups.len();
        self.groups.push(Group { measured, claimed, flags, own_depth, readings: Vec::new() });
        self.by_time.insert(bits, place);
        place
    }

    /// When that was, what the device claimed where it cannot have been then, and the flags of it.
    fn moment(&self, time_s: f64) -> (Timestamp, Option<Timestamp>, Flags) {
        let is_relative = time_s < ABSOLUTE_FROM_S;
        // A double holds today's seconds to a quarter of a microsecond.
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and the ends are no time")]
        let microseconds = (time_s * 1e6).round() as i64;
        let moment = if is_relative {
            self.received.checked_add(SignedDuration::from_micros(microseconds)).ok()
        } else {
            Timestamp::from_microsecond(microseconds).ok()
        };
        let from_arrival = Flags::TIME_FROM_ARRIVAL;
        match moment {
            Some(time) if is_usable(time, self.received) => {
                (time, None, if is_relative { from_arrival } else { Flags::NONE })
            }
            claimed => (self.received, claimed, from_arrival),
        }
    }
}

impl Base {
    /// A base field holds until the next one of its kind.
    fn take(&mut self, record: &Record<'_>) {
        if let Some(name) = record.base_name.as_deref() {
            name.clone_into(&mut self.name);
        }
        if let Some(unit) = record.base_unit.as_deref() {
            unit.clone_into(&mut self.unit);
        }
        if let Some(time_s) = record.base_time_s {
            self.time_s = time_s;
        }
        self.value = record.base_value.or(self.value);
    }
}
