//! Readings one by one: what corrections replaced, too little for columns.
//!
//! ```text
//! readings  =  varint count  reading*
//! reading   =  key  varint flags  value (8 bytes, f64 bits, little end first)
//! key       =  varint (code << 1 | has_depth)  [varint depth_mm]
//! ```

use plotwise_config::reading::{DepthMm, Flags};

use super::{
    BlockDamage,
    bits::{push_varint, take_count, take_varint, take_word},
};
use crate::store::packed::Packed;

/// What stands once in an observation: quantity code and depth.
pub(super) type Key = (u32, Option<DepthMm>);

pub(super) fn push_key(out: &mut Vec<u8>, (code, depth): Key) {
    push_varint(out, u64::from(code) << 1 | u64::from(depth.is_some()));
    if let Some(DepthMm(depth)) = depth {
        push_varint(out, u64::from(depth));
    }
}

pub(super) fn take_key(bytes: &mut &[u8]) -> Result<Key, BlockDamage> {
    let head = take_varint(bytes)?;
    let code = u32::try_from(head >> 1).map_err(|_| BlockDamage::TooLarge)?;
    let depth = match head & 1 {
        0 => None,
        _ => Some(u16::try_from(take_varint(bytes)?).map_err(|_| BlockDamage::TooLarge)?),
    };
    Ok((code, depth.map(DepthMm)))
}

/// Appends `readings` to `out`.
pub(super) fn push(out: &mut Vec<u8>, readings: &[Packed]) {
    push_varint(out, readings.len() as u64);
    for reading in readings {
        push_key(out, reading.key());
        push_varint(out, u64::from(reading.flags.0));
        out.extend_from_slice(&reading.value.to_bits().to_le_bytes());
    }
}

/// Appends what [`push`] wrote to `readings`.
pub(super) fn take(bytes: &mut &[u8], readings: &mut Vec<Packed>) -> Result<(), BlockDamage> {
    let (left, first) = (bytes.len(), readings.len());
    for _ in 0..take_count(bytes, left)? {
        let (code, depth) = take_key(bytes)?;
        let flags = u32::try_from(take_varint(bytes)?).map_err(|_| BlockDamage::TooLarge)?;
        let value = f64::from_bits(take_word(bytes)?);
        if !value.is_finite() {
            return Err(BlockDamage::NotFinite);
        }
        let reading = Packed { code, depth, flags: Flags(flags), value };
        if readings[first..].last().is_some_and(|last| last.key() >= reading.key()) {
            return Err(BlockDamage::Order);
        }
        readings.push(reading);
    }
    Ok(())
}
