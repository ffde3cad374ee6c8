//! The readings of one observation as one blob.
//!
//! ```text
//! version(1)  reading*
//! reading  =  varint(code << 2 | has_flags << 1 | has_depth)  [varint depth_mm]  [varint flags]
//!             value (8 bytes, f64 bits, little end first)
//! ```
//!
//! Readings stand in the order of (code, depth), each pair once, so that equal observations are equal
//! bytes. A common reading takes nine bytes. Varints are LEB128.

use plotwise_config::reading::{DepthMm, Flags};

const VERSION: u8 = 1;
const HAS_DEPTH: u64 = 1;
const HAS_FLAGS: u64 = 1 << 1;

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
        push_varint(blob, u64::from(reading.code) << 2 | has_flags | has_depth);
        if let Some(DepthMm(depth)) = reading.depth {
            push_varint(blob, u64::from(depth));
        }
        if has_flags != 0 {
            push_varint(blob, u64::from(reading.flags.0));
        }
        blob.extend_from_slice(&reading.value.to_bits().to_le_bytes());
    }
}

/// Replaces `readings` by what `blob` holds.
pub(super) fn decode(mut blob: &[u8], readings: &mut Vec<Packed>) -> Result<(), Damage> {
    readings.clear();
    match blob.split_first() {
        Some((&VERSION, rest)) => blob = rest,
        other => return Err(Damage::Version(other.map(|(version, _)| *version))),
    }
    while !blob.is_empty() {
        let head = take_varint(&mut blob)?;
        let code = u32::try_from(head >> 2).map_err(|_| Damage::TooLarge)?;
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
        let (bits, rest) = blob.split_first_chunk().ok_or(Damage::Cut)?;
        let value = f64::from_bits(u64::from_le_bytes(*bits));
        blob = rest;
        if !value.is_finite() {
            return Err(Damage::NotFinite);
        }
        let reading = Packed { code, depth, flags, value };
        if readings.last().is_some_and(|last| last.key() >= reading.key()) {
            return Err(Damage::Order);
        }
        readings.push(reading);
    }
    Ok(())
}

fn push_varint(blob: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        blob.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    blob.push(number.to_le_bytes()[0]);
}

/// At most five bytes: every field fits 34 bits.
fn take_varint(blob: &mut &[u8]) -> Result<u64, Damage> {
    let mut number = 0;
    for shift in [0, 7, 14, 21, 28] {
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
        let rest = (any::<u32>().prop_map(Flags), proptest::num::f64::NORMAL);
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
    fn a_common_reading_takes_nine_bytes() {
        let reading = Packed { code: 7, depth: None, flags: Flags::NONE, value: 0.231 };
        let mut blob = Vec::new();
        encode(&[reading], &mut blob);
        assert_eq!(blob.len(), 1 + 9);
    }

    #[test]
    fn a_later_layout_is_damage_and_not_a_guess() {
        assert_eq!(decode(&[9, 1, 2], &mut Vec::new()), Err(Damage::Version(Some(9))));
        assert_eq!(decode(&[], &mut Vec::new()), Err(Damage::Version(None)));
    }
}
