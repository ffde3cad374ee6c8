//! Sealed spans: observations of time that is over, in columns.
//!
//! ```text
//! observation   one row an observation: what arrives                 --+
//!                                                                      |  sealing, in the background
//! sealed        one row a block: device, span, how much is in it    <--+
//! block         the blocks themselves, some 12 KB each
//! ```
//!
//! A block holds the observations of one device over a span of time; no two blocks of a device overlap.
//! It never changes and its number is never used again: what comes late makes a new block in its place.
//! What arrives for a time that is sealed stands as a row, beside the block or in place of one of its
//! observations: a row wins over the sealed observation of its time, because [`super::Writer`] made it
//! of that. The next sealing takes such rows in. `beside` counts the observations of a block that rows
//! stand in place of, so that observations can be counted without reading blocks.
//!
//! - [`format`](self::format): a block byte by byte; [`column`], [`values`], [`singles`] and [`bits`]
//!   are its parts.
//! - [`rows`]: observations in memory; [`directory`]: which block holds a time.
//! - [`opened`]: what a reader has decoded; [`lookup`]: what the writer asks; [`sealer`]: what seals;
//!   [`survey`]: how much there is, and whether it is whole.
//!
//! # Damage
//!
//! Each block has a checksum, which is held against it whenever it is read. What a damaged one held is
//! not served; whatever else there is of the device is, with the damaged spans beside ([`Damages`]). Rows
//! that arrive for such a span are stored as if nothing were there, so that a file imported once more
//! brings back what it held, and are left unsealed.
//!
//! # Why so
//!
//! A table of its own for where blocks stand: finding the block of a time reads pages full of
//! entries and no blocks, and blocks come one after the other in the order of sealing, which fills
//! their pages. Spans that end where observations end rather than with a week: a device that measures
//! every second has a week of 600,000 observations, and a step of sealing is to stay short.

mod bits;
mod column;
mod directory;
mod format;
mod lookup;
mod opened;
mod rows;
mod sealer;
mod singles;
mod survey;
mod values;

use jiff::Timestamp;
use plotwise_config::id::DeviceId;

pub(super) use self::{
    directory::{Entry, delete, insert_beside, overlapping, unseal},
    format::{BlockKey, BlockReader, WantedCodes},
    lookup::Lookup,
    opened::Opened,
    rows::{Head, Rows},
    sealer::Turn,
};
pub use self::{
    sealer::{Sealed, Sealer, sealing},
    survey::Sizes,
};

/// `sealing` has one row, once something is sealed: from when up to when, at most.
pub(super) const TABLES: &str = "
create table sealed (
    device integer not null,
    last_ms integer not null,
    first_ms integer not null,
    block integer not null,
    observations integer not null,
    readings integer not null,
    bytes integer not null,
    beside integer not null,
    primary key (device, last_ms)
) strict, without rowid;
create table block (
    id integer primary key autoincrement,
    data blob not null
) strict;
create table sealing (
    id integer primary key check (id = 1),
    from_ms integer not null,
    until_ms integer not null
) strict;
";

/// For a fuzzer: a block that can be read is written and read again.
#[cfg(fuzzing)]
pub(super) fn read_and_write(key: BlockKey, data: &[u8]) {
    let (mut reader, mut rows, mut again) = (BlockReader::new(), Rows::default(), Rows::default());
    if reader.read(key, data, &mut rows).is_ok() {
        let block = format::BlockWriter::new().write(key.device, &rows, 0..rows.len());
        reader.read(block.key, &block.data, &mut again).expect("what we wrote can be read");
        assert_eq!(rows, again);
    }
}

/// Why a sealed block cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockDamage {
    /// Another layout, or no layout.
    #[error("it is of version {0:?}, wanted 1")]
    Version(Option<u8>),
    /// Other bytes than were written, or under another key.
    #[error("its checksum does not hold")]
    Checksum,
    /// It ends too early.
    #[error("it ends too early")]
    Cut,
    /// A number is larger than its field.
    #[error("a number in it is too large")]
    TooLarge,
    /// NaN or infinite.
    #[error("a value in it is not finite")]
    NotFinite,
    /// Not ascending.
    #[error("it is out of order")]
    Order,
    /// Its parts do not fit together.
    #[error("its parts do not fit together")]
    Shape,
    /// It holds another number of observations or readings than was noted when it was written.
    #[error("it does not hold what it is to hold")]
    Count,
    /// Noted, but not there.
    #[error("it is missing")]
    Missing,
}

/// A sealed span that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedSpan {
    /// Whose.
    pub device: DeviceId,
    /// The first measured time in it.
    pub first: Timestamp,
    /// The last one.
    pub last: Timestamp,
    /// How many observations it held.
    pub observations: u64,
    /// What is wrong with it.
    pub damage: BlockDamage,
}

impl DamagedSpan {
    pub(super) fn of(device: DeviceId, block: &Entry, damage: BlockDamage) -> Self {
        let moment = |time_ms| Timestamp::from_millisecond(time_ms).unwrap_or(Timestamp::MIN);
        Self {
            device,
            first: moment(block.key.first_ms),
            last: moment(block.key.last_ms),
            observations: block.observations.unsigned_abs(),
            damage,
        }
    }
}

impl std::fmt::Display for DamagedSpan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { device, first, last, observations, damage } = self;
        write!(
            f,
            "the sealed block of device {device} from {first} to {last} ({observations} \
             observations) is damaged: {damage}"
        )
    }
}

/// The spans that a reading had to leave out; mostly none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damages(Vec<DamagedSpan>);

impl Damages {
    /// The spans, in the order in which they were met.
    pub fn spans(&self) -> &[DamagedSpan] {
        &self.0
    }

    pub(super) fn log(&self) {
        for span in &self.0 {
            tracing::error!(
                device = %span.device, first = %span.first, last = %span.last,
                "{span}; it is left out. Restore a backup, or take it out with plotwise store \
                 drop-damaged and import its readings again"
            );
        }
    }

    pub(super) fn push(&mut self, span: DamagedSpan) {
        self.0.push(span);
    }

    /// Those of another reading too, each span once.
    pub(super) fn add(&mut self, other: Self) {
        for span in other.0 {
            if !self.0.contains(&span) {
                self.0.push(span);
            }
        }
    }
}
