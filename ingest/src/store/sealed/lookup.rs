//! What the writer asks: is there a sealed observation at this time?
//!
//! While only the present arrives, the answer is one comparison: nothing is sealed up to there. Else
//! the block, or the gap between two blocks, in which the last time lay is remembered for as long as
//! the transaction lasts, and some decoded blocks for as long as they are asked for: a file that is
//! imported once more asks for every observation of a block one after the other.

use rusqlite::Connection;

use super::{
    directory::{self, Entry},
    format::{BlockKey, BlockReader},
    rows::{Head, Rows},
};
use crate::store::{StoreError, packed::Packed};

/// How many decoded readings are kept; 24 bytes each. Our choice: some 25 blocks.
const READINGS_KEPT: usize = 500_000;

/// What a writer knows of the sealed observations.
#[derive(Debug)]
pub(in crate::store) struct Lookup {
    until_ms: i64,
    stretch: Option<Stretch>,
    /// The one used last is last.
    decoded: Vec<Decoded>,
    reader: BlockReader,
    is_used: bool,
}

/// A stretch of time that one block spans, or in which no block is.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    device: i64,
    first_ms: i64,
    last_ms: i64,
    block: Option<Entry>,
}

#[derive(Debug)]
struct Decoded {
    block: i64,
    /// Empty where the block is damaged.
    rows: Rows,
}

/// A sealed observation.
#[derive(Debug)]
pub(in crate::store) struct SealedObservation<'a> {
    pub(in crate::store) key: BlockKey,
    pub(in crate::store) head: Head,
    pub(in crate::store) readings: &'a [Packed],
    pub(in crate::store) replaced: &'a [Packed],
}

impl Lookup {
    pub(in crate::store) fn new() -> Self {
        let reader = BlockReader::new();
        Self { until_ms: i64::MIN, stretch: None, decoded: Vec::new(), reader, is_used: false }
    }

    /// To be called first in every transaction: others seal too.
    pub(in crate::store) fn begin(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.until_ms = directory::extent(connection)?.map_or(i64::MIN, |(_, until_ms)| until_ms);
        self.stretch = None;
        // A block never changes, so those decoded stay right; unused they are only memory.
        if !std::mem::take(&mut self.is_used) {
            self.decoded.clear();
        }
        Ok(())
    }

    /// The sealed observation of a device and time, where there is one.
    ///
    /// # Errors
    ///
    /// Where `SQLite` fails. A damaged block is logged and taken for none: what arrives is kept.
    pub(in crate::store) fn find(
        &mut self,
        connection: &Connection,
        device: i64,
        time_ms: i64,
    ) -> Result<Option<SealedObservation<'_>>, StoreError> {
        if time_ms > self.until_ms {
            return Ok(None);
        }
        let known = self.stretch.filter(|stretch| stretch.holds(device, time_ms));
        let stretch = match known {
            Some(stretch) => stretch,
            None => Stretch::around(connection, device, time_ms)?,
        };
        self.stretch = Some(stretch);
        let Some(entry) = stretch.block else { return Ok(None) };
        let rows = self.decode(connection, &entry)?;
        Ok(rows.find(time_ms).map(|place| SealedObservation {
            key: entry.key,
            head: rows.heads()[place],
            readings: rows.readings(place),
            replaced: rows.replaced(place),
        }))
    }

    /// To be called where this transaction has moved blocks itself.
    pub(in crate::store) fn forget_where(&mut self) {
        self.stretch = None;
    }

    fn decode(&mut self, connection: &Connection, entry: &Entry) -> Result<&Rows, StoreError> {
        self.is_used = true;
        let known = self.decoded.iter().rposition(|decoded| decoded.block == entry.block);
        if let Some(place) = known {
            self.decoded[place..].rotate_left(1);
        } else {
            let mut rows = Rows::default();
            if let Err(damage) = entry.load(connection, &mut self.reader, &mut rows)? {
                let (device, block) = (entry.key.device, entry.block);
                tracing::error!(
                    device,
                    block,
                    %damage,
                    "sealed block {block} is damaged ({damage}): what arrives for its span is \
                     stored as if nothing were there; plotwise doctor --sealed names the span"
                );
            }
            self.make_room(rows.count_readings());
            self.decoded.push(Decoded { block: entry.block, rows });
        }
        Ok(&self.decoded[self.decoded.len() - 1].rows)
    }

    /// Lets go of those that were used longest ago.
    fn make_room(&mut self, readings: usize) {
        let of_all = self.decoded.iter().map(|decoded| decoded.rows.count_readings());
        let mut kept = readings + of_all.sum::<usize>();
        let mut dropped = 0;
        while kept > READINGS_KEPT && dropped < self.decoded.len() {
            kept -= self.decoded[dropped].rows.count_readings();
            dropped += 1;
        }
        self.decoded.drain(..dropped);
    }
}

impl Stretch {
    fn around(connection: &Connection, device: i64, time_ms: i64) -> Result<Self, StoreError> {
        let next = directory::first_ending_from(connection, device, time_ms)?;
        Ok(match next {
            Some(entry) if entry.key.first_ms <= time_ms => {
                let BlockKey { first_ms, last_ms, .. } = entry.key;
                Self { device, first_ms, last_ms, block: Some(entry) }
            }
            // What lies before in the same gap is not asked for: times come in order.
            Some(entry) => {
                let last_ms = entry.key.first_ms - 1;
                Self { device, first_ms: time_ms, last_ms, block: None }
            }
            None => Self { device, first_ms: time_ms, last_ms: i64::MAX, block: None },
        })
    }

    fn holds(&self, device: i64, time_ms: i64) -> bool {
        self.device == device && (self.first_ms..=self.last_ms).contains(&time_ms)
    }
}
