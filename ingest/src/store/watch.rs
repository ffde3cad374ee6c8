//! What is kept of every device beside its readings: when it was last heard, whether messages are
//! missing, how often it sends. One row a device, written once a batch.
//!
//! A writer keeps the rows of the devices that it has met. Another connection may write meanwhile, so
//! the rows are read anew whenever `data_version` says that one did.

use std::collections::{HashMap, HashSet};

use plotwise_config::{
    id::DeviceId,
    reading::{Identity, Observation},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::StoreError;
use crate::{
    rhythm::Rhythm,
    sequence::{Numbered, Sequence},
};

const VERSION: u8 = 1;

/// Beside when a device was last heard.
pub(super) const MORE: &str = "
alter table last_seen add column watch blob;
";

/// What became of an observation, as far as a watch asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    /// Under which time it stands.
    pub(super) time_ms: i64,
    /// Whether anything of it was new.
    pub(super) is_new: bool,
}

/// Numbers of a device that were skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) device: DeviceId,
    /// How many.
    pub(super) missed: u64,
    /// The number that came instead.
    pub(super) before: u64,
    pub(super) received_ms: i64,
}

/// The rows of the devices that a writer has met.
#[derive(Debug, Default)]
pub(super) struct Watches {
    all: Vec<Watch>,
    places: HashMap<i64, usize>,
    /// Of the device before: observations come sorted by device mostly.
    latest: Option<usize>,
    changed: Vec<usize>,
    data_version: i64,
    bytes: Vec<u8>,
    /// Gaps of this batch.
    pub(super) gaps: Vec<Gap>,
    /// Numbers of this batch that filled a gap.
    pub(super) filled: u64,
}

#[derive(Clone, Debug, Default)]
struct Watch {
    device: i64,
    /// Latest measured and latest arrival; `None` before the first observation.
    seen: Option<(i64, i64)>,
    sequence: Sequence,
    rhythm: Rhythm,
    has_changed: bool,
}

impl Watches {
    /// At the beginning of a transaction.
    pub(super) fn begin(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.gaps.clear();
        self.filled = 0;
        let mut statement = connection.prepare_cached("pragma data_version")?;
        let data_version = statement.query_row([], |row| row.get(0))?;
        if self.data_version != data_version || !self.changed.is_empty() {
            self.forget();
            self.data_version = data_version;
        }
        Ok(())
    }

    /// After a transaction that failed: what was noted in it does not stand.
    pub(super) fn forget(&mut self) {
        self.all.clear();
        self.places.clear();
        self.changed.clear();
        self.latest = None;
    }

    /// Takes note of an observation that was written, or was there already.
    pub(super) fn note(
        &mut self,
        connection: &Connection,
        observation: &Observation,
        device: i64,
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        if !outcome.is_new && observation.seq.is_none() {
            return Ok(());
        }
        let place = self.place(connection, device)?;
        let watch = &mut self.all[place];
        let received_ms = observation.received.as_millisecond();
        if outcome.is_new {
            watch.see(outcome.time_ms, received_ms);
        }
        if let Some(seq) = observation.seq {
            let filled = watch.sequence.totals.filled;
            let missed = watch.sequence.note(Numbered {
                seq,
                time_ms: outcome.time_ms,
                has_own_time: observation.identity == Identity::MeasuredTime,
                is_new: outcome.is_new,
            });
            self.filled += watch.sequence.totals.filled - filled;
            if missed > 0 {
                let device = observation.device.clone();
                self.gaps.push(Gap { device, missed, before: seq, received_ms });
            }
        }
        if !watch.has_changed {
            watch.has_changed = true;
            self.changed.push(place);
        }
        Ok(())
    }

    /// Writes the rows that changed.
    pub(super) fn write(&mut self, connection: &Connection) -> Result<(), StoreError> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let mut statement = connection.prepare_cached(
            "insert into last_seen (device, time_ms, received_ms, watch) values (?, ?, ?, ?) \
             on conflict do update set time_ms = excluded.time_ms, \
             received_ms = excluded.received_ms, watch = excluded.watch",
        )?;
        for place in &self.changed {
            let watch = &mut self.all[*place];
            watch.has_changed = false;
            // A repetition alone, of a device whose rows are gone.
            let Some((time_ms, received_ms)) = watch.seen else { continue };
            self.bytes.clear();
            self.bytes.push(VERSION);
            watch.rhythm.write(&mut self.bytes);
            watch.sequence.write(&mut self.bytes);
            statement.execute(params![watch.device, time_ms, received_ms, self.bytes])?;
        }
        self.changed.clear();
        Ok(())
    }

    fn place(&mut self, connection: &Connection, device: i64) -> Result<usize, StoreError> {
        if let Some(latest) = self.latest.filter(|place| self.all[*place].device == device) {
            return Ok(latest);
        }
        let place = if let Some(place) = self.places.get(&device) {
            *place
        } else {
            self.all.push(load(connection, device)?);
            let place = self.all.len() - 1;
            self.places.insert(device, place);
            place
        };
        self.latest = Some(place);
        Ok(place)
    }
}

impl Watch {
    fn see(&mut self, time_ms: i64, received_ms: i64) {
        let Some((latest_ms, arrival_ms)) = &mut self.seen else {
            self.seen = Some((time_ms, received_ms));
            return;
        };
        if time_ms > *latest_ms {
            self.rhythm.note_measured(time_ms - *latest_ms);
            *latest_ms = time_ms;
        }
        if received_ms > *arrival_ms {
            self.rhythm.note_received(received_ms - *arrival_ms);
            *arrival_ms = received_ms;
        }
    }
}

fn load(connection: &Connection, device: i64) -> Result<Watch, StoreError> {
    let mut statement = connection
        .prepare_cached("select time_ms, received_ms, watch from last_seen where device = ?")?;
    let found = statement.query_row([device], |row| {
        Ok(((row.get(0)?, row.get(1)?), row.get::<_, Option<Vec<u8>>>(2)?))
    });
    let Some((seen, bytes)) = found.optional()? else {
        return Ok(Watch { device, ..Watch::default() });
    };
    let (rhythm, sequence) = decode(bytes.as_deref()).unwrap_or_default();
    Ok(Watch { device, seen: Some(seen), sequence, rhythm, has_changed: false })
}

/// What a row holds; `None` for nothing, or for what this program did not write: it is learned anew.
pub(super) fn decode(bytes: Option<&[u8]>) -> Option<(Rhythm, Sequence)> {
    let (version, mut bytes) = bytes?.split_first()?;
    if *version != VERSION {
        return None;
    }
    let rhythm = Rhythm::read(&mut bytes)?;
    let sequence = Sequence::read(&mut bytes)?;
    bytes.is_empty().then_some((rhythm, sequence))
}

/// How long to say nothing more of a device whose gap was told, ms.
const QUIET_MS: i64 = 10 * 60 * 1000;

/// Devices whose gaps are told one by one within [`QUIET_MS`]; more are counted.
const TOLD_MAX: usize = 20;

/// Tells gaps in the log: each device's once in a while, and not all of a broker's that fell over.
#[derive(Debug, Default)]
pub(super) struct GapLog {
    told: HashSet<DeviceId>,
    /// Messages missed that were not told.
    untold: u64,
    since_ms: i64,
}

impl GapLog {
    /// Takes what a commit found.
    pub(super) fn tell(&mut self, gaps: &[Gap]) {
        for gap in gaps {
            if gap.received_ms.saturating_sub(self.since_ms) > QUIET_MS {
                if self.untold > 0 {
                    let missed = self.untold;
                    tracing::warn!(missed, "{missed} more messages were missing meanwhile");
                }
                *self = Self { since_ms: gap.received_ms, ..Self::default() };
            }
            if self.told.len() >= TOLD_MAX || self.told.contains(&gap.device) {
                self.untold = self.untold.saturating_add(gap.missed);
                continue;
            }
            self.told.insert(gap.device.clone());
            let Gap { device, missed, before, .. } = gap;
            tracing::warn!(
                %device,
                missed,
                "{missed} messages of {device} are missing before its number {before}"
            );
        }
    }
}
