//! The readings of one observation as one blob.
//!
//! ```text
//! version(2)  reading*
//! reading  =  varint(code << 6 | form << 2 | has_flags << 1 | has_depth)
//!             [varint depth_mm]  [varint flags]  value
//! value    =  form 0..=9: zigzag varint m, the value being m / 10^form
//!             form 15:    8 bytes, f64 bits, little end first
//! ```
//!
//! Readings stand in the order of (code, depth), each pair once, and a value in the first form that
//! gives it back bit for bit, so that equal observations are equal bytes. Sensors send a few decimals:
//! a common reading takes four bytes. Varints are LEB128.
//!
//! Version 1, as the first release wrote it, had no forms: `varint(code << 2 | has_flags << 1 |
//! has_depth)` and always 8 bytes of value. It is still read.

use plotwise_config::reading::{DepthMm, Flags, Reading};

const VERSION: u8 = 2;
const HAS_DEPTH: u64 = 1;
const HAS_FLAGS: u64 = 1 << 1;

/// Where the form stands in the head of a reading.
const FORM_SHIFT: u32 = 2;
const FORM_MASK: u64 = 0xf;
const CODE_SHIFT: u32 = 6;
const CODE_SHIFT_V1: u32 = 2;

/// The form of eight raw bytes.
const RAW: u64 = 15;

/// Powers of ten of the decimal forms; each is exact.
const POWERS: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// Larger whole numbers would take as many bytes as the raw value.
const WHOLE_MAX: f64 = (1_i64 << 47) as f64;

/// A reading with the store's own number of its quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Packed {
    /// The store's number of the quantity.
    pub(super) code: u32,
    /// As in [`plotwise_config::reading::Reading`].
    pub(super) depth: Option<DepthMm>,
    /// Those known on arrival.
    pub(super) flags: Flags,
    /// Finite, and never -0.
    pub(super) value: f64,
}

impl Packed {
    /// A reading as it is stored: only flags that the arrival alone knows, and 0 for -0.
    pub(super) fn of(code: u32, reading: &Reading) -> Self {
        let flags = reading.flags.0 & (Flags::FAULT_CODE.0 | Flags::TIME_FROM_ARRIVAL.0);
        let (depth, value) = (reading.depth, reading.value + 0.0);
        Self { code, depth, flags: Flags(flags), value }
    }

    /// What may stand once in an observation.
    pub(super) fn key(&self) -> (u32, Option<DepthMm>) {
        (self.code, self.depth)
    }

    /// Bit for bit; both have gone through the store's normalisation of -0.
    pub(super) fn is_same_value(&self, other: &Self) -> bool {
        self.value.to_bits() == other.value.to_bits()
    }
}

/// A blob that this program did not write, or that the disk changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// Another layout, or no layout.
    #[error("packed readings of version {0:?}, wanted {VERSION}")]
    Version(Option<u8>),
    /// The blob ends within a reading.
    #[error("packed readings end within a reading")]
    Cut,
    /// A number is larger than its field.
    #[error("a number in packed readings is too large")]
    TooLarge,
    /// NaN or infinite.
    #[error("a value in packed readings is not finite")]
    NotFinite,
    /// A form that no version has.
    #[error("a value in packed readings of form {0}, wanted 0 to 9 or {RAW}")]
    Form(u64),
    /// Not ascending, or a pair twice.
    #[error("packed readings are out of order")]
    Order,
}

/// Replaces `blob` by the packed form of `readings`, which are in ascending order.
pub(super) fn encode(readings: &[Packed], blob: &mut Vec<u8>) {
    debug_assert!(readings.is_sorted_by(|a, b| a.key() < b.key()), "ascending, each pair once");
    blob.clear();
    blob.push(VERSION);
    for reading in readings {
        let has_depth = if reading.depth.is_some() { HAS_DEPTH } else { 0 };
        let has_flags = if reading.flags == Flags::NONE { 0 } else { HAS_FLAGS };
        let decimal = decimal(reading.value);
        let form = decimal.map_or(RAW, |(form, _)| form);
        let code = u64::from(reading.code) << CODE_SHIFT;
        push_varint(blob, code | form << FORM_SHIFT | has_flags | has_depth);
        if let Some(DepthMm(depth)) = reading.depth {
            push_varint(blob, u64::from(depth));
        }
        if has_flags != 0 {
            push_varint(blob, u64::from(reading.flags.0));
        }
        match decimal {
            Some((_, whole)) => push_varint(blob, zigzag(whole)),
            None => blob.extend_from_slice(&reading.value.to_bits().to_le_bytes()),
        }
    }
}

/// The first form and its whole number that give `value` back bit for bit.
fn decimal(value: f64) -> Option<(u64, i64)> {
    for (form, power) in (0..).zip(POWERS) {
        let scaled = value * power;
        if scaled.abs() >= WHOLE_MAX {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "truncation of less than 2^47 + 1")]
        let whole = (scaled + 0.5_f64.copysign(scaled)) as i64;
        // The bits, not the number: -0 has no whole number.
        if (whole as f64 / power).to_bits() == value.to_bits() {
            return Some((form, whole));
        }
    }
    None
}

/// Replaces `readings` by what `blob` holds.
pub(super) fn decode(blob: &[u8], readings: &mut Vec<Packed>) -> Result<(), Damage> {
    readings.clear();
    let (code_shift, mut blob) = match blob.split_first() {
        Some((&VERSION, rest)) => (CODE_SHIFT, rest),
        Some((&1, rest)) => (CODE_SHIFT_V1, rest),
        other => return Err(Damage::Version(other.map(|(version, _)| *version))),
    };
    while !blob.is_empty() {
        let head = take_varint(&mut blob)?;
        let form = if code_shift == CODE_SHIFT { head >> FORM_SHIFT & FORM_MASK } else { RAW };
        let code = u32::try_from(head >> code_shift).map_err(|_| Damage::TooLarge)?;
        let depth = match head & HAS_DEPTH {
            0 => None,
            _ => Some(
                take_varint(&mut blob)?.try_into().map(DepthMm).map_err(|_| Damage::TooLarge)?,
            ),
        };
        let flags = match head & HAS_FLAGS {
            0 => Flags::NONE,
            _ => Flags(take_varint(&mut blob)?.try_into().map_err(|_| Damage::TooLarge)?),
        };
        let value = take_value(&mut blob, form)?;
        let reading = Packed { code, depth, flags, value };
        if readings.last().is_some_and(|last| last.key() >= reading.key()) {
            return Err(Damage::Order);
        }
        readings.push(reading);
    }
    Ok(())
}

fn take_value(blob: &mut &[u8], form: u64) -> Result<f64, Damage> {
    let power = usize::try_from(form).ok().and_then(|form| POWERS.get(form));
    if let Some(power) = power {
        return Ok(unzigzag(take_varint(blob)?) as f64 / power);
    }
    if form != RAW {
        return Err(Damage::Form(form));
    }
    let (bits, rest) = blob.split_first_chunk().ok_or(Damage::Cut)?;
    *blob = rest;
    let value = f64::from_bits(u64::from_le_bytes(*bits));
    if value.is_finite() { Ok(value) } else { Err(Damage::NotFinite) }
}

fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

fn push_varint(blob: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        blob.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    blob.push(number.to_le_bytes()[0]);
}

/// At most seven bytes: every field fits 49 bits.
fn take_varint(blob: &mut &[u8]) -> Result<u64, Damage> {
    let mut number = 0;
    for shift in [0, 7, 14, 21, 28, 35, 42] {
        let (byte, rest) = blob.split_first().ok_or(Damage::Cut)?;
        *blob = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Damage::TooLarge)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn readings() -> impl Strategy<Value = Vec<Packed>> {
        let key = (any::<u32>(), proptest::option::of(any::<u16>().prop_map(DepthMm)));
        // As sensors send them, and as nobody does.
        let decimal = (any::<i32>(), 0..12_i32).prop_map(|(whole, places)| {
            // Through text, as a payload comes; 0 and -0 are one in the store.
            format!("{whole}e-{places}").parse::<f64>().unwrap() + 0.0
        });
        let value = prop_oneof![proptest::num::f64::NORMAL, decimal];
        let rest = (any::<u32>().prop_map(Flags), value);
        proptest::collection::btree_map(key, rest, 0..12).prop_map(|map: BTreeMap<_, _>| {
            map.into_iter()
                .map(|((code, depth), (flags, value))| Packed { code, depth, flags, value })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_back(readings in readings()) {
            let (mut blob, mut back) = (Vec::new(), Vec::new());
            encode(&readings, &mut blob);
            decode(&blob, &mut back).unwrap();
            prop_assert_eq!(back, readings);
        }

        #[test]
        fn any_bytes_are_readings_or_an_error(blob in proptest::collection::vec(any::<u8>(), 0..64)) {
            let (mut back, mut again) = (Vec::new(), Vec::new());
            if decode(&blob, &mut back).is_ok() {
                encode(&back, &mut again);
                decode(&again, &mut Vec::new()).unwrap();
            }
        }

        #[test]
        fn a_blob_cut_short_is_not_read_as_whole(readings in readings(), keep in any::<prop::sample::Index>()) {
            let (mut blob, mut back) = (Vec::new(), Vec::new());
            encode(&readings, &mut blob);
            let keep = keep.index(blob.len());
            if decode(&blob[..keep], &mut back).is_ok() {
                // Cut between two readings: fewer of them, each as it was.
                prop_assert!(back.len() < readings.len());
                prop_assert_eq!(&back[..], &readings[..back.len()]);
            }
        }
    }

    #[test]
    fn a_common_reading_takes_four_bytes() {
        let reading = Packed { code: 7, depth: None, flags: Flags::NONE, value: 0.231 };
        let mut blob = Vec::new();
        encode(&[reading], &mut blob);
        assert_eq!(blob.len(), 1 + 4);
    }

    #[test]
    fn every_value_comes_back_bit_for_bit() {
        let largest = WHOLE_MAX - 1.0;
        for value in [
            0.0,
            -1.3,
            0.1 + 0.2,
            1e-9,
            1e-10,
            largest,
            -largest,
            WHOLE_MAX,
            largest / 10.0,
            f64::MAX,
            f64::MIN_POSITIVE,
            f64::EPSILON,
            28_200.5,
            -0.05,
        ] {
            let reading = Packed { code: 1000, depth: None, flags: Flags::NONE, value };
            let (mut blob, mut back) = (Vec::new(), Vec::new());
            encode(&[reading], &mut blob);
            decode(&blob, &mut back).unwrap();
            assert_eq!(back[0].value.to_bits(), value.to_bits(), "{value}");
        }
    }

    #[test]
    fn what_version_1_packed_is_still_read() {
        let mut blob = vec![1, 7 << 2 | 1, 0xd8, 4];
        blob.extend_from_slice(&0.231_f64.to_bits().to_le_bytes());
        let mut back = Vec::new();
        decode(&blob, &mut back).unwrap();
        let depth = Some(DepthMm(600));
        assert_eq!(back, [Packed { code: 7, depth, flags: Flags::NONE, value: 0.231 }]);
    }

    #[test]
    fn a_later_layout_is_damage_and_not_a_guess() {
        assert_eq!(decode(&[9, 1, 2], &mut Vec::new()), Err(Damage::Version(Some(9))));
        assert_eq!(decode(&[], &mut Vec::new()), Err(Damage::Version(None)));
    }
}
