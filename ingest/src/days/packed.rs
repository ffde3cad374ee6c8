//! The days of a plot over a span as one blob, bit for bit.
//!
//! ```text
//! blob     =  version(1)  length(4, of the content)  zstd frame of the content, with its checksum
//! content  =  varint number of places, place*
//! place    =  varint code  varint depth (0 where none, else mm + 1)  days(4)
//!             counts  flagged  covered  integrals
//!             with_statistics(4)  means  min  max  p10  p50  p90
//! days     =  bit n: there is a summary of the span's nth day; the columns have one value for each
//! with_statistics = the same for those that have statistics, of which the six columns are
//! counts, flagged, covered = varint*
//! a column of numbers = form(1), then
//!     form 0..=12:  zigzag varint m*  zigzag varint u*
//!                   the value is u steps of f64 from m / 10^form (of means: m / 10^form / count);
//!                   each m stands as its difference from the one before
//!     form 255:     8 bytes each, f64 bits
//! ```
//!
//! Numbers stand little end first, varints are LEB128 of 64 bits. Values come from a few decimals, so
//! that means and integrals lie some steps of f64 from one: two small whole numbers stand for eight
//! bytes. Codes are the store's numbers of quantities. Two places with one code and depth are two
//! devices there, in the order in which they came.
//!
//! # Invariants
//!
//! `unpack(pack(days)) == days`, bit for bit and in the same order. Any other bytes are refused: what
//! cannot be read follows from readings and is made anew.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use plotwise_config::{
    day::{DayStatistics, DaySummary},
    reading::{DepthMm, QuantityNo},
};

mod column;

#[cfg(test)]
mod tests;

use self::column::{Bytes, push_numbers, push_varint, take_numbers};
use super::span::SPAN_DAYS;

pub(super) const VERSION: u8 = 1;

/// The level of compression: higher ones gain a few percent on so little data.
const LEVEL: i32 = 3;

/// No plot has so many devices: more is not packed, and not unpacked.
const CONTENT_MAX: usize = 1 << 23;

/// A blob that this program did not write, or that the disk changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Where and in which order a series was measured: code, depth, and which of several there.
type Place = (u32, Option<DepthMm>, usize);

/// Packs the days of a span that starts with `first`, which stand in the order of day, quantity and
/// depth. `None` for what this format does not hold: a day outside the span, a quantity without a
/// code, too many places.
pub(super) fn pack(
    first: Date,
    days: &[DaySummary],
    code_of: impl Fn(QuantityNo) -> Option<u32>,
) -> Option<Vec<u8>> {
    let mut places: BTreeMap<Place, Vec<(i64, &DaySummary)>> = BTreeMap::new();
    for day in days {
        let nth = i64::from(first.until(day.day).ok()?.get_days());
        let (code, is_inside) = (code_of(day.quantity)?, (0..SPAN_DAYS).contains(&nth));
        if !is_inside {
            return None;
        }
        let is_taken = |which: &usize| {
            let there = places.get(&(code, day.depth, *which));
            there.and_then(|there| there.last()).is_some_and(|(last, _)| *last >= nth)
        };
        let which = (0..days.len()).find(|which| !is_taken(which))?;
        places.entry((code, day.depth, which)).or_default().push((nth, day));
    }
    let mut content = Vec::new();
    push_varint(&mut content, places.len() as u64);
    for ((code, depth, _), days) in &places {
        push_place(&mut content, *code, *depth, days);
    }
    let length = u32::try_from(content.len()).ok().filter(|_| content.len() <= CONTENT_MAX)?;
    let mut blob = vec![VERSION];
    blob.extend_from_slice(&length.to_le_bytes());
    blob.extend_from_slice(&compress(&content)?);
    Some(blob)
}

fn push_place(
    content: &mut Vec<u8>,
    code: u32,
    depth: Option<DepthMm>,
    days: &[(i64, &DaySummary)],
) {
    let mask = |days: &[(i64, &DaySummary)]| {
        let bits = days.iter().fold(0_u32, |bits, (nth, _)| bits | 1 << nth);
        bits.to_le_bytes()
    };
    push_varint(content, u64::from(code));
    push_varint(content, depth.map_or(0, |depth| u64::from(depth.0) + 1));
    content.extend_from_slice(&mask(days));
    let columns: [fn(&DaySummary) -> u32; 3] =
        [|day| day.count, |day| day.flagged, |day| day.covered_s];
    for column in columns {
        for (_, day) in days {
            push_varint(content, u64::from(column(day)));
        }
    }
    let integrals: Vec<_> = days.iter().map(|(_, day)| day.integral).collect();
    push_numbers(content, &integrals, None);
    let with: Vec<_> = days.iter().copied().filter(|(_, day)| day.statistics.is_some()).collect();
    content.extend_from_slice(&mask(&with));
    let statistics: Vec<_> = with.iter().filter_map(|(_, day)| day.statistics).collect();
    let counts: Vec<_> = with.iter().map(|(_, day)| f64::from(day.count)).collect();
    let means: Vec<_> = statistics.iter().map(|of| of.mean).collect();
    push_numbers(content, &means, Some(&counts));
    let columns: [fn(&DayStatistics) -> f64; 5] =
        [|of| of.min, |of| of.max, |of| of.p10, |of| of.p50, |of| of.p90];
    for column in columns {
        let values: Vec<_> = statistics.iter().map(column).collect();
        push_numbers(content, &values, None);
    }
}

/// The days of a blob, in the order of day, quantity and depth.
pub(super) fn unpack(
    first: Date,
    blob: &[u8],
    quantity_of: impl Fn(u32) -> Option<QuantityNo>,
) -> Result<Vec<DaySummary>, Unreadable> {
    let content = decompress(blob).ok_or(Unreadable)?;
    let mut bytes = Bytes(&content);
    let mut days = Vec::new();
    let places = bytes.varint().ok_or(Unreadable)?;
    for _ in 0..places {
        take_place(&mut bytes, first, &quantity_of, &mut days).ok_or(Unreadable)?;
    }
    if !bytes.0.is_empty() {
        return Err(Unreadable);
    }
    // Stable: of several devices at one place the first stays first.
    days.sort_by_key(|day: &DaySummary| (day.day, day.quantity, day.depth));
    Ok(days)
}

fn take_place(
    bytes: &mut Bytes<'_>,
    first: Date,
    quantity_of: impl Fn(u32) -> Option<QuantityNo>,
    days: &mut Vec<DaySummary>,
) -> Option<()> {
    let quantity = quantity_of(bytes.varint()?.try_into().ok()?)?;
    let depth = match bytes.varint()? {
        0 => None,
        depth => Some(DepthMm((depth - 1).try_into().ok()?)),
    };
    let with = bytes.mask()?;
    let mut column = || {
        let numbers = (0..with.count_ones()).map(|_| bytes.varint()?.try_into().ok());
        numbers.collect::<Option<Vec<u32>>>()
    };
    let (counts, flagged, covered) = (column()?, column()?, column()?);
    let integrals = take_numbers(bytes, counts.len(), None)?;
    let with_statistics = bytes.mask()?;
    if with_statistics & !with != 0 {
        return None;
    }
    let mut statistics = take_statistics(bytes, with, with_statistics, &counts)?.into_iter();
    let nths = (0..SPAN_DAYS).filter(|nth| with & 1 << nth != 0);
    for (place, nth) in nths.enumerate() {
        let has_statistics = with_statistics & 1 << nth != 0;
        days.push(DaySummary {
            day: first.checked_add(nth.days()).ok()?,
            quantity,
            depth,
            count: *counts.get(place)?,
            flagged: *flagged.get(place)?,
            covered_s: *covered.get(place)?,
            integral: *integrals.get(place)?,
            statistics: if has_statistics { Some(statistics.next()?) } else { None },
        });
    }
    Some(())
}

fn take_statistics(
    bytes: &mut Bytes<'_>,
    with: u32,
    with_statistics: u32,
    counts: &[u32],
) -> Option<Vec<DayStatistics>> {
    let nths = (0..SPAN_DAYS).filter(|nth| with & 1 << nth != 0);
    let counts: Vec<_> = nths
        .zip(counts)
        .filter(|(nth, _)| with_statistics & 1 << nth != 0)
        .map(|(_, count)| f64::from(*count))
        .collect();
    let means = take_numbers(bytes, counts.len(), Some(&counts))?;
    let mut column = || take_numbers(bytes, counts.len(), None);
    let (min, max, p10, p50, p90) = (column()?, column()?, column()?, column()?, column()?);
    let of = |place: usize| {
        Some(DayStatistics {
            mean: *means.get(place)?,
            min: *min.get(place)?,
            max: *max.get(place)?,
            p10: *p10.get(place)?,
            p50: *p50.get(place)?,
            p90: *p90.get(place)?,
        })
    };
    (0..counts.len()).map(of).collect()
}

fn compress(content: &[u8]) -> Option<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL).ok()?;
    compressor.include_checksum(true).ok()?;
    compressor.compress(content).ok()
}

fn decompress(blob: &[u8]) -> Option<Vec<u8>> {
    let (&VERSION, rest) = blob.split_first()? else { return None };
    let (length, frame) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    if length > CONTENT_MAX {
        return None;
    }
    let content = zstd::bulk::decompress(frame, length).ok()?;
    (content.len() == length).then_some(content)
}
