//! What one step seals: read and packed outside of any transaction that writes.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    ops::{ControlFlow, Range},
};

use rusqlite::{Connection, Row, params};

use super::{
    super::{
        directory::{self, Entry},
        format::{Block, BlockKey, BlockReader, BlockWriter},
        rows::{Head, Rows},
    },
    Sealed,
};
use crate::store::{StoreError, WEEK_MS, packed, week_of};

/// Blocks below this take in what follows them. Our choice: a block of 8 to 16 KB fills its pages, and a
/// chart of one day decodes no more than it must.
const SMALL_BYTES: i64 = 8 * 1024;

/// Above this a block is split, in parts of about [`AIM_BYTES`]. Our choice.
const SPLIT_BYTES: usize = 24 * 1024;
const AIM_BYTES: usize = 12 * 1024;

/// A block spans no more, however little a device sends: retention drops blocks as a whole. Our choice.
const SPAN_MS_MAX: i64 = 26 * WEEK_MS;

/// How much is read for a step, in readings and what goes with an observation: some 12 KB when packed.
const WEIGHT_MAX: usize = 32_000;
const WEIGHT_OF_OBSERVATION: usize = 4;

/// Reads and packs; keeps its buffers.
pub(super) struct Planner {
    reader: BlockReader,
    writer: BlockWriter,
    /// What rows hold, what blocks hold, and both.
    rows: Rows,
    old: Rows,
    merged: Rows,
}

/// What a step changes, and what must still be so when it does.
pub(super) struct Plan {
    pub(super) device: i64,
    /// All rows in it go, from its first to its last moment.
    pub(super) span: (i64, i64),
    /// Of those rows.
    pub(super) digest: u64,
    pub(super) count: usize,
    /// Blocks that go.
    pub(super) old: Vec<Entry>,
    /// Blocks that come, each with how many of its observations rows stand in place of.
    pub(super) new: Vec<(Block, i64)>,
    /// Whether another connection has committed since, see [`data_version`].
    pub(super) data_version: i64,
}

impl Plan {
    pub(super) fn count_in(&self, sealed: &mut Sealed) {
        sealed.rows += self.count as u64;
        sealed.blocks += self.new.len() as u64;
        sealed.bytes += self.new.iter().map(|(block, _)| block.data.len() as u64).sum::<u64>();
    }
}

impl Planner {
    pub(super) fn new() -> Self {
        Self {
            reader: BlockReader::new(),
            writer: BlockWriter::new(),
            rows: Rows::default(),
            old: Rows::default(),
            merged: Rows::default(),
        }
    }

    /// What to do with the rows of a device from `first_ms`, where one stands, up to before `until_ms`.
    /// `None` where they lie within a damaged block, or have gone meanwhile.
    pub(super) fn plan(
        &mut self,
        snapshot: &Connection,
        device: i64,
        first_ms: i64,
        until_ms: i64,
    ) -> Result<Option<Plan>, StoreError> {
        match directory::first_ending_from(snapshot, device, first_ms)? {
            Some(block) if block.key.first_ms <= first_ms => {
                self.plan_within(snapshot, device, block)
            }
            next => self.plan_gap(snapshot, device, (first_ms, until_ms), next),
        }
    }

    /// Rows within the span of a block are merged into it.
    fn plan_within(
        &mut self,
        snapshot: &Connection,
        device: i64,
        block: Entry,
    ) -> Result<Option<Plan>, StoreError> {
        let data_version = data_version(snapshot)?;
        // First, because only then its span is known to be right.
        if block.load(snapshot, &mut self.reader, &mut self.old)?.is_err() {
            tracing::error!(device, block = block.block, "rows in a damaged block's span are left");
            return Ok(None);
        }
        // From its start: a row may have come behind a pass that was there already.
        let BlockKey { first_ms, last_ms, .. } = block.key;
        let (is_whole, digest) = self.read_rows(snapshot, device, (first_ms, last_ms))?;
        let Some(last_row_ms) = self.rows.last_ms() else { return Ok(None) };
        self.merged.merge(&self.old, &self.rows);
        let span = (first_ms, last_row_ms);
        let cut = if is_whole { self.merged.len() } else { self.merged.first_from(span.1 + 1) };
        let mut new = self.pack(device, 0..cut);
        if cut < self.merged.len() {
            // Rows behind those read may stand in place of what the rest of the block holds.
            let replaced = self.rows.len() + self.old.len() - self.merged.len();
            let beside = block.beside - i64::try_from(replaced).unwrap_or(0);
            let rest = self.writer.write(device, &self.merged, cut..self.merged.len());
            new.push((rest, beside));
        }
        let count = self.rows.len();
        Ok(Some(Plan { device, span, digest, count, old: vec![block], new, data_version }))
    }

    /// Rows where no block is become one, together with neighbours that are small.
    fn plan_gap(
        &mut self,
        snapshot: &Connection,
        device: i64,
        (first_ms, until_ms): (i64, i64),
        next: Option<Entry>,
    ) -> Result<Option<Plan>, StoreError> {
        let data_version = data_version(snapshot)?;
        let gap_ms = next.map_or(i64::MAX, |next| next.key.first_ms - 1);
        let last_ms = first_ms.saturating_add(SPAN_MS_MAX).min(until_ms - 1);
        let (is_whole, digest) =
            self.read_rows(snapshot, device, (first_ms, last_ms.min(gap_ms)))?;
        let Some(last_row_ms) = self.rows.last_ms() else { return Ok(None) };
        let span = (first_ms, last_row_ms);
        let before = directory::last_ending_before(snapshot, device, first_ms)?
            .filter(|before| before.may_join((before.key.first_ms, span.1)));
        let start_ms = before.map_or(first_ms, |before| before.key.first_ms);
        let after = next
            .filter(|_| is_whole && gap_ms <= last_ms)
            .filter(|after| after.may_join((start_ms, after.key.last_ms)));
        self.merged.clear();
        let mut old = Vec::new();
        if let Some(before) = before {
            self.join(snapshot, before, &mut old)?;
        }
        self.merged.append(&self.rows, 0..self.rows.len());
        if let Some(after) = after {
            self.join(snapshot, after, &mut old)?;
        }
        let new = self.pack(device, 0..self.merged.len());
        let count = self.rows.len();
        Ok(Some(Plan { device, span, digest, count, old, new, data_version }))
    }

    /// Appends what a neighbour holds; a damaged one stays where it is.
    fn join(
        &mut self,
        snapshot: &Connection,
        block: Entry,
        old: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        if block.load(snapshot, &mut self.reader, &mut self.old)?.is_ok() {
            self.merged.append(&self.old, 0..self.old.len());
            old.push(block);
        }
        Ok(())
    }

    /// Blocks of some of the merged observations, at least one.
    fn pack(&mut self, device: i64, places: Range<usize>) -> Vec<(Block, i64)> {
        let whole = self.writer.write(device, &self.merged, places.clone());
        let parts = whole.data.len().div_ceil(AIM_BYTES).min(places.len());
        if whole.data.len() <= SPLIT_BYTES || parts < 2 {
            return vec![(whole, 0)];
        }
        let border = |part: usize| places.start + places.len() * part / parts;
        let parts = (0..parts).map(|part| border(part)..border(part + 1));
        parts.map(|part| (self.writer.write(device, &self.merged, part), 0)).collect()
    }

    /// Reads rows until there are enough; says whether it was all of them, and their digest.
    fn read_rows(
        &mut self,
        snapshot: &Connection,
        device: i64,
        span: (i64, i64),
    ) -> Result<(bool, u64), StoreError> {
        self.rows.clear();
        let mut hasher = DefaultHasher::new();
        let (mut readings, mut replaced) = (Vec::new(), Vec::new());
        let mut weight = 0;
        let ended = each_row(snapshot, device, span, |row| {
            let parts = parts(row)?;
            parts.hash(&mut hasher);
            let (head, blob, replaced_blob) = parts;
            packed::decode(blob, &mut readings)?;
            replaced.clear();
            if let Some(blob) = replaced_blob {
                packed::decode(blob, &mut replaced)?;
            }
            self.rows.push(head, &readings, &replaced);
            weight += WEIGHT_OF_OBSERVATION + readings.len();
            let is_enough = weight >= WEIGHT_MAX;
            Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok((ended.is_continue(), hasher.finish()))
    }
}

impl Entry {
    /// Whether it may become part of a block of this span.
    fn may_join(&self, (first_ms, last_ms): (i64, i64)) -> bool {
        // Rows in place of its observations would have to be counted anew.
        self.bytes < SMALL_BYTES
            && self.beside == 0
            && last_ms.saturating_sub(first_ms) <= SPAN_MS_MAX
    }
}

/// Hands `each` the rows of a device and span in order of time.
fn each_row(
    connection: &Connection,
    device: i64,
    (first_ms, last_ms): (i64, i64),
    mut each: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
) -> Result<ControlFlow<()>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select time_ms, delay_ms, claimed_ms, seq, readings, replaced from observation \
         where week = ? and device = ? and time_ms between ? and ? order by time_ms",
    )?;
    for week in week_of(first_ms)..=week_of(last_ms) {
        let mut rows = statement.query(params![week, device, first_ms, last_ms])?;
        while let Some(row) = rows.next()? {
            if each(row)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

type Parts<'a> = (Head, &'a [u8], Option<&'a [u8]>);

/// An observation, its readings and what was replaced of them.
fn parts<'a>(row: &'a Row<'_>) -> Result<Parts<'a>, StoreError> {
    let readings = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
    let replaced = row.get_ref(5)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
    let head = Head {
        time_ms: row.get(0)?,
        delay_ms: row.get(1)?,
        claimed_ms: row.get(2)?,
        seq: row.get(3)?,
        is_corrected: replaced.is_some(),
    };
    Ok((head, readings, replaced))
}

/// Whether the rows of a plan are as they were read: the number of them and their digest.
pub(super) fn is_unchanged(connection: &Connection, plan: &Plan) -> Result<bool, StoreError> {
    let (mut hasher, mut count) = (DefaultHasher::new(), 0);
    let _ = each_row(connection, plan.device, plan.span, |row| {
        parts(row)?.hash(&mut hasher);
        count += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(count == plan.count && hasher.finish() == plan.digest)
}

/// A number that is another one once another connection has committed.
pub(super) fn data_version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
}
