//! The store of readings: one `SQLite` file, `readings.db`, in which every observation stands once.
//!
//! One row is one observation, keyed (week, device, time in ms), its readings packed in one blob.
//! The leading week keeps the inserts of many devices in one corner of the tree and lets retention
//! drop whole weeks. Devices and quantities have integers of their own here, which are never reused:
//! a catalogue may grow or change its order without a row being touched.
//!
//! Weeks that are over are sealed in the background: `store/sealed.rs` says how. Readers and writers see rows
//! and sealed observations alike.
//!
//! ```text
//! commit(batch):  begin immediate
//!                   dead letters                      as they came
//!                   observations with a measured time sorted by key, insert or reconcile
//!                   observations without one          by identity, in order of arrival
//!                   last seen, gaps in numbers, days that changed
//!                 commit                              fsynced: WAL, synchronous=FULL
//! ```
//!
//! # When an observation is the same one again
//!
//! - By its key (device, measured time). Identical readings write nothing; further quantities or
//!   depths are added to the row; another value for the same quantity and depth is kept as a dead
//!   letter `conflict` and the stored one stays, unless the observation says `supersede`. The same
//!   conflict coming again makes no second dead letter. Values are compared bit for bit (0 and -0 are
//!   one). What a correction replaced is kept in the row as it was first stored, so that the original
//!   message coming once more is known and no conflict.
//! - Without a usable time, by its payload: the same hash within the redelivery window, counted from
//!   the arrival that was stored, is the same message.
//! - Or by the device's counter: the same `seq` within seven days (or the redelivery window, where
//!   that is longer) is the same message if at least one reading is equal and none differs. A device
//!   that starts to count anew after a reset so loses nothing.
//! - Two different messages without a time that arrive in the same millisecond are stored a
//!   millisecond apart.
//!
//! # What cannot be stored
//!
//! A batch that fails because of what is in it (a row damaged on disk, a constraint) is written part by
//! part; what fails alone becomes a dead letter `refused_by_store`, and the rest is stored.
//!
//! # What it leaves out
//!
//! Backup. Flags that follow from values
//! are not stored ([`crate::days`] computes them).
//!
//! # Invariants
//!
//! No clock here: every time comes with the observation. What [`Writer::commit`] has returned for is
//! on disk; where it fails, nothing of the batch is. Several processes may write.

mod care;
mod changes;
mod checkpoints;
mod codes;
mod committed;
mod error;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod letters;
mod packed;
mod raw;
mod reader;
mod recent;
mod reconcile;
mod replay;
pub mod retention;
mod scan;
mod schema;
mod sealed;
mod summaries;
mod watch;
mod writer;

#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use plotwise_config::{catalogue::Catalogue, id::DeviceId, reading::Reading};

use checkpoints::LogGrowth;
use sealed::Turn;

pub(crate) use self::{
    changes::{DAY_MS, day_of},
    summaries::{ChangedDevice, Fingerprint, NewRow, Outcome, SummaryWriter},
};
pub use self::{
    checkpoints::Checkpoints,
    committed::Committed,
    error::StoreError,
    letters::{LetGo, LetterBounds, LetterFilter, LetterGroup, LetterLimits, StoredDeadLetter},
    packed::Damage,
    raw::{RawBounds, RawFilter, RawLimits, RawSizes, Retaken},
    reader::{Counts, LastSeen, Reader},
    replay::Replayed,
    retention::Retention,
    sealed::{BlockDamage, DamagedSpan, Damages, Sealed, Sealer, Sizes, sealing},
    writer::Writer,
};

/// Name of the file in the data directory.
pub const FILE_NAME: &str = "readings.db";

/// What a user may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// How long after its arrival a message without time and counter is taken for a redelivery when
    /// it comes again, seconds.
    pub redelivery_window_s: u32,
    /// Whether messages that needed a profile are kept as they came.
    pub keeps_raw: bool,
}

/// An observation as it stands in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredObservation {
    /// Who measured.
    pub device: DeviceId,
    /// When it was measured, whole milliseconds.
    pub measured: Timestamp,
    /// When it first arrived, whole milliseconds.
    pub received: Timestamp,
    /// The time the device claimed, where that could not be one.
    pub claimed: Option<Timestamp>,
    /// The device's own counter, where it sends one.
    pub seq: Option<u64>,
    /// Whether a correction (`supersede`) made or changed it.
    pub corrected: bool,
    /// In the order of the store's quantity codes, then depth; each pair once.
    pub readings: Vec<Reading>,
}

/// A store that was opened and checked; hands out connections.
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
    /// Keys of the catalogue's quantities, in the order of their numbers.
    keys: Arc<[String]>,
    options: StoreOptions,
    log_growth: LogGrowth,
    turn: Turn,
}

impl Store {
    /// Opens the store in `directory`, making what is missing.
    ///
    /// # Errors
    ///
    /// - [`StoreError::Newer`] for a file of a later version, which stays untouched.
    /// - [`StoreError::NotAStore`] for another program's file.
    /// - [`StoreError::QuantityGone`] where readings of a quantity are stored that `catalogue` lacks.
    /// - [`StoreError::ReadOnly`], [`StoreError::Full`], [`StoreError::Busy`],
    ///   [`StoreError::Damaged`] and others as their names say.
    #[expect(clippy::needless_pass_by_value, reason = "callers share the catalogue by its Arc")]
    pub fn open(
        directory: &Path,
        catalogue: Arc<Catalogue>,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let keys = catalogue.quantities().iter().map(|quantity| quantity.key.clone()).collect();
        Self::open_with_keys(directory, keys, options)
    }

    fn open_with_keys(
        directory: &Path,
        keys: Arc<[String]>,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let path = directory.join(FILE_NAME);
        let connection = schema::prepare(directory, &path)?;
        codes::known_quantities(&connection, &keys)?;
        let (log_growth, turn) = (LogGrowth::default(), Turn::default());
        Ok(Self { path, keys, options, log_growth, turn })
    }

    /// A connection that writes. Its calls block; give it a thread of its own.
    ///
    /// # Errors
    ///
    /// As for [`Store::open`].
    pub fn writer(&self) -> Result<Writer, StoreError> {
        let (growth, turn) = (self.log_growth.clone(), self.turn.clone());
        Writer::open(&self.path, Arc::clone(&self.keys), self.options, growth, turn)
    }

    /// A connection that seals. Its calls block; give it a thread of its own.
    ///
    /// # Errors
    ///
    /// As for [`Store::open`].
    pub fn sealer(&self) -> Result<Sealer, StoreError> {
        Sealer::open(&self.path, self.turn.clone())
    }

    /// What copies the log into the file beside the store's writers, which then leave it alone up to
    /// a bound: see [`Writer::leave_log`].
    ///
    /// # Errors
    ///
    /// As for [`Store::open`].
    pub fn checkpoints(&self) -> Result<Checkpoints, StoreError> {
        Checkpoints::open(&self.path, self.log_growth.clone())
    }

    /// A connection that keeps summaries.
    pub(crate) fn summary_writer(&self) -> Result<SummaryWriter, StoreError> {
        SummaryWriter::open(&self.path, self.turn.clone())
    }

    /// A connection that only reads. Its calls block.
    ///
    /// # Errors
    ///
    /// As for [`Store::open`].
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.path, Arc::clone(&self.keys))
    }

    /// A connection that keeps the dead letters within `limits`.
    ///
    /// # Errors
    ///
    /// As for [`Store::open`].
    pub fn letter_bounds(&self, limits: LetterLimits) -> Result<LetterBounds, StoreError> {
        LetterBounds::open(&self.path, self.turn.clone(), limits)
    }

    /// A connection that keeps the messages as they came within `limits`.
    ///
    /// # Errors
    ///
    /// As for [`Store::open`].
    pub fn raw_bounds(&self, limits: RawLimits) -> Result<RawBounds, StoreError> {
        RawBounds::open(&self.path, self.turn.clone(), limits)
    }

    /// A connection that lets old observations go.
    ///
    /// # Errors
    ///
    /// As for [`Store::open`].
    pub fn retention(&self) -> Result<Retention, StoreError> {
        Retention::open(&self.path, self.turn.clone())
    }

    /// The file that holds it.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

const WEEK_MS: i64 = 7 * 24 * 3600 * 1000;

/// Weeks are counted from 1970-01-01, a Thursday.
const fn week_of(time_ms: i64) -> i64 {
    time_ms.div_euclid(WEEK_MS)
}
