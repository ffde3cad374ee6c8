//! A sealed block, byte by byte: observations of one device in columns.
//!
//! ```text
//! block     =  version(1) = 1   checksum(8)   body
//! checksum  =  the first 8 bytes of SHA-256 over: version(1)  device(8)  first_ms(8)  last_ms(8)  body
//!              the integers of 8 bytes with the little end first, as in the block's row of `sealed`
//! body      =  varint n, how many observations, at least 1
//!              column   measured times, ms since 1970, ascending
//!              column   ms from measured to received
//!              option   time that the device claimed, ms since 1970
//!              option   the device's own counter, its 64 bits
//!              column   1 where a correction made or changed the observation, else 0
//!              readings of each of those: what it replaced, as first stored
//!              varint how many series
//!              series*  in the order of their keys
//! option    =  column of n: 1 where there is one, else 0     column of those that there are
//! series    =  key  column of n: 1 where the observation has a reading of it, else 0
//!              column of their flags     values of them
//! ```
//!
//! `varint` see [`super::bits`], `column` [`super::column`], `values` [`super::values`], `key` and
//! `readings` [`super::singles`]. A key is a quantity's code and perhaps a depth. A block never changes:
//! what comes late makes another one in its place.
//!
//! The checksum holds the key under which the block was stored, so that a whole block in another's
//! place is damage too. Every flipped bit of a block shows: of the version and the checksum themselves
//! for certain, of the rest with a chance of 2^-64 that it does not.

use std::ops::Range;

use plotwise_config::reading::Flags;
use sha2::{Digest, Sha256};

use super::{
    BlockDamage,
    bits::{push_varint, take_bytes, take_count},
    column::{ColumnReader, ColumnWriter},
    rows::{Head, Rows},
    singles::{self, Key},
    values::{self, ValuesWriter},
};
use crate::store::packed::Packed;

const VERSION: u8 = 1;
const CHECKSUM_LENGTH: usize = 8;

/// More than any block that we write; what claims more is damage and not worth the memory.
const OBSERVATIONS_MAX: usize = 1 << 20;
const READINGS_MAX: usize = 1 << 22;

/// Under what a block is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct BlockKey {
    pub(in crate::store) device: i64,
    pub(in crate::store) first_ms: i64,
    pub(in crate::store) last_ms: i64,
}

/// Writes blocks; keeps its buffers.
pub(super) struct BlockWriter {
    columns: ColumnWriter,
    values: ValuesWriter,
    numbers: Vec<i64>,
    present: Vec<i64>,
    series: Vec<Series>,
}

/// The readings of one key, before they are written.
#[derive(Default)]
struct Series {
    key: Key,
    /// Places of the observations that have one, counted from the block's first.
    places: Vec<usize>,
    flags: Vec<i64>,
    values: Vec<f64>,
}

impl BlockWriter {
    pub(super) fn new() -> Self {
        Self {
            columns: ColumnWriter::new(),
            values: ValuesWriter::new(),
            numbers: Vec::new(),
            present: Vec::new(),
            series: Vec::new(),
        }
    }

    /// The block of some observations, at least one, of `rows`.
    pub(super) fn write(&mut self, device: i64, rows: &Rows, places: Range<usize>) -> Block {
        let heads = &rows.heads()[places.clone()];
        let (first_ms, last_ms) = (heads[0].time_ms, heads[heads.len() - 1].time_ms);
        let key = BlockKey { device, first_ms, last_ms };
        let mut data = vec![VERSION];
        data.resize(1 + CHECKSUM_LENGTH, 0);
        push_varint(&mut data, heads.len() as u64);
        self.write_heads(heads, &mut data);
        for place in places.clone().filter(|place| rows.heads()[*place].is_corrected) {
            singles::push(&mut data, rows.replaced(place));
        }
        let readings = self.write_series(rows, places, &mut data);
        let checksum = checksum(key, &data[1 + CHECKSUM_LENGTH..]);
        data[1..=CHECKSUM_LENGTH].copy_from_slice(&checksum);
        Block { key, observations: heads.len(), readings, data }
    }

    fn write_heads(&mut self, heads: &[Head], out: &mut Vec<u8>) {
        self.write_column(heads.iter().map(|head| head.time_ms), out);
        self.write_column(heads.iter().map(|head| head.delay_ms), out);
        for option in [|head: &Head| head.claimed_ms, |head: &Head| head.seq] {
            self.write_column(heads.iter().map(|head| i64::from(option(head).is_some())), out);
            self.write_column(heads.iter().filter_map(option), out);
        }
        self.write_column(heads.iter().map(|head| i64::from(head.is_corrected)), out);
    }

    fn write_column(&mut self, numbers: impl Iterator<Item = i64>, out: &mut Vec<u8>) {
        self.numbers.clear();
        self.numbers.extend(numbers);
        self.columns.write(&self.numbers, out);
    }

    /// Says how many readings there are.
    fn write_series(&mut self, rows: &Rows, places: Range<usize>, out: &mut Vec<u8>) -> usize {
        let (count, mut readings) = (places.len(), 0);
        self.series.clear();
        for (nth, place) in places.enumerate() {
            let mut next = 0;
            for reading in rows.readings(place) {
                let at = self.find_series(next, reading.key());
                let series = &mut self.series[at];
                series.places.push(nth);
                series.flags.push(i64::from(reading.flags.0));
                series.values.push(reading.value);
                next = at + 1;
                readings += 1;
            }
        }
        push_varint(out, self.series.len() as u64);
        for series in &self.series {
            singles::push_key(out, series.key);
            self.present.clear();
            self.present.resize(count, 0);
            for place in &series.places {
                self.present[*place] = 1;
            }
            self.columns.write(&self.present, out);
            self.columns.write(&series.flags, out);
            self.values.write(&series.values, &mut self.columns, out);
        }
        readings
    }

    /// The place of a key's series, which most often is `likely`; makes it where it is missing.
    fn find_series(&mut self, likely: usize, key: Key) -> usize {
        if self.series.get(likely).is_some_and(|series| series.key == key) {
            return likely;
        }
        self.series.binary_search_by_key(&key, |series| series.key).unwrap_or_else(|place| {
            self.series.insert(place, Series { key, ..Series::default() });
            place
        })
    }
}

/// A block that was written.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) key: BlockKey,
    pub(super) observations: usize,
    pub(super) readings: usize,
    pub(super) data: Vec<u8>,
}

/// Reads blocks; keeps its buffers.
pub(in crate::store) struct BlockReader {
    columns: ColumnReader,
    heads: Vec<Head>,
    numbers: Vec<i64>,
    series: Vec<Series>,
    /// Series of blocks before, for their memory.
    spare: Vec<Series>,
    /// How many wanted readings each observation has.
    counts: Vec<usize>,
    wanted: WantedCodes,
}

/// Codes of the quantities whose readings are wanted, in order; `None` for all of them.
pub(in crate::store) type WantedCodes = Option<Vec<u32>>;

impl std::fmt::Debug for BlockReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockReader").finish_non_exhaustive()
    }
}

impl BlockReader {
    pub(in crate::store) fn new() -> Self {
        Self {
            columns: ColumnReader::new(),
            heads: Vec::new(),
            numbers: Vec::new(),
            series: Vec::new(),
            spare: Vec::new(),
            counts: Vec::new(),
            wanted: None,
        }
    }

    /// From now on leaves out the readings of other quantities, and hardly spends time on them. What
    /// corrections replaced is always all there.
    pub(super) fn want(&mut self, wanted: WantedCodes) {
        self.wanted = wanted;
    }

    pub(super) fn wanted(&self) -> &WantedCodes {
        &self.wanted
    }

    /// Replaces `rows` by what the block under this key holds; how many readings that are, wanted or
    /// not. After damage `rows` are empty.
    pub(in crate::store) fn read(
        &mut self,
        key: BlockKey,
        data: &[u8],
        rows: &mut Rows,
    ) -> Result<usize, BlockDamage> {
        let read = self.read_checked(key, data, rows);
        if read.is_err() {
            rows.clear();
        }
        read
    }

    fn read_checked(
        &mut self,
        key: BlockKey,
        mut data: &[u8],
        rows: &mut Rows,
    ) -> Result<usize, BlockDamage> {
        match data.split_first() {
            Some((&VERSION, rest)) => data = rest,
            other => return Err(BlockDamage::Version(other.map(|(version, _)| *version))),
        }
        let stored = take_bytes(&mut data, CHECKSUM_LENGTH)?;
        // A fuzzer would get no further.
        if stored != checksum(key, data) && !cfg!(fuzzing) {
            return Err(BlockDamage::Checksum);
        }
        self.read_body(key, data, rows)
    }

    fn read_body(
        &mut self,
        key: BlockKey,
        mut data: &[u8],
        rows: &mut Rows,
    ) -> Result<usize, BlockDamage> {
        let data = &mut data;
        let count = take_count(data, OBSERVATIONS_MAX)?;
        self.read_heads(data, count)?;
        let times = self.heads.first().zip(self.heads.last());
        let is_ours = times.is_some_and(|(first, last)| {
            first.time_ms == key.first_ms && last.time_ms == key.last_ms
        });
        if !is_ours || !self.heads.is_sorted_by(|a, b| a.time_ms < b.time_ms) {
            return Err(BlockDamage::Order);
        }
        let mut replaced = Vec::new();
        let mut ends = Vec::with_capacity(count);
        for head in &self.heads {
            if head.is_corrected {
                singles::take(data, &mut replaced)?;
            }
            ends.push(replaced.len());
        }
        let readings = self.read_series(data, count)?;
        if !data.is_empty() {
            return Err(BlockDamage::Shape);
        }
        self.place_readings(rows);
        let (both, _, into) = rows.parts();
        for (both, end) in both.iter_mut().zip(ends) {
            both.1 = end;
        }
        *into = replaced;
        Ok(readings)
    }

    fn read_heads(&mut self, data: &mut &[u8], count: usize) -> Result<(), BlockDamage> {
        self.heads.clear();
        self.heads.resize(count, Head::default());
        self.columns.read(data, count, &mut self.numbers)?;
        for (head, time_ms) in self.heads.iter_mut().zip(&self.numbers) {
            head.time_ms = *time_ms;
        }
        self.columns.read(data, count, &mut self.numbers)?;
        for (head, delay_ms) in self.heads.iter_mut().zip(&self.numbers) {
            head.delay_ms = *delay_ms;
        }
        let mut places = Vec::new();
        for set in [
            |head: &mut Head, number| head.claimed_ms = Some(number),
            |head: &mut Head, number| head.seq = Some(number),
        ] {
            self.read_places(data, count, &mut places)?;
            self.columns.read(data, places.len(), &mut self.numbers)?;
            for (place, number) in places.iter().zip(&self.numbers) {
                set(&mut self.heads[*place], *number);
            }
        }
        self.read_places(data, count, &mut places)?;
        for place in places {
            self.heads[place].is_corrected = true;
        }
        Ok(())
    }

    /// A column of 0 and 1: where the ones are.
    fn read_places(
        &mut self,
        data: &mut &[u8],
        count: usize,
        places: &mut Vec<usize>,
    ) -> Result<(), BlockDamage> {
        self.columns.read(data, count, &mut self.numbers)?;
        places.clear();
        for (place, number) in self.numbers.iter().enumerate() {
            match number {
                0 => {}
                1 => places.push(place),
                _ => return Err(BlockDamage::Shape),
            }
        }
        Ok(())
    }

    /// Says how many readings there are, wanted or not.
    fn read_series(&mut self, data: &mut &[u8], count: usize) -> Result<usize, BlockDamage> {
        self.spare.append(&mut self.series);
        self.counts.clear();
        self.counts.resize(count, 0);
        let (mut readings, mut before) = (0, None);
        for _ in 0..take_count(data, READINGS_MAX)? {
            let key = singles::take_key(data)?;
            if before.is_some_and(|before| before >= key) {
                return Err(BlockDamage::Order);
            }
            before = Some(key);
            let mut series = self.spare.pop().unwrap_or_default();
            self.read_places(data, count, &mut series.places)?;
            let here = series.places.len();
            readings += here;
            if readings > READINGS_MAX {
                return Err(BlockDamage::TooLarge);
            }
            if self.wanted.as_ref().is_some_and(|wanted| !wanted.contains(&key.0)) {
                self.columns.skip(data, here)?;
                values::skip(data, here, &mut self.columns)?;
                self.spare.push(series);
                continue;
            }
            for place in &series.places {
                self.counts[*place] += 1;
            }
            self.columns.read(data, here, &mut series.flags)?;
            if series.flags.iter().any(|flags| u32::try_from(*flags).is_err()) {
                return Err(BlockDamage::TooLarge);
            }
            let Series { key: of, values, .. } = &mut series;
            *of = key;
            values::read(data, here, &mut self.columns, &mut self.numbers, values)?;
            self.series.push(series);
        }
        Ok(readings)
    }

    /// From series by series to observation by observation.
    fn place_readings(&mut self, rows: &mut Rows) {
        let filler = Packed { code: 0, depth: None, flags: Flags::NONE, value: 0.0 };
        rows.set(&self.heads, &self.counts, filler);
        let (ends, readings, _) = rows.parts();
        // From here on: where the next reading of each observation goes.
        for (next, end) in self.counts.iter_mut().zip(ends.iter()) {
            *next = end.0 - *next;
        }
        for series in &self.series {
            let (code, depth) = series.key;
            let of_series = series.places.iter().zip(&series.flags).zip(&series.values);
            for ((place, flags), value) in of_series {
                let flags = Flags(u32::try_from(*flags).unwrap_or(0));
                readings[self.counts[*place]] = Packed { code, depth, flags, value: *value };
                self.counts[*place] += 1;
            }
        }
    }
}

fn checksum(key: BlockKey, body: &[u8]) -> [u8; CHECKSUM_LENGTH] {
    let mut hash = Sha256::new_with_prefix([VERSION]);
    for number in [key.device, key.first_ms, key.last_ms] {
        hash.update(number.to_le_bytes());
    }
    hash.update(body);
    let hash: [u8; 32] = hash.finalize().into();
    let mut checksum = [0; CHECKSUM_LENGTH];
    checksum.copy_from_slice(&hash[..CHECKSUM_LENGTH]);
    checksum
}

#[cfg(test)]
mod tests;
