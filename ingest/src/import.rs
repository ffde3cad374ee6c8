//! Files that people bring: plots, devices, samples, seasons, outcomes, prices, climate, readings.
//!
//! Every parser is a pure function from the file's bytes, the [`Options`] and what is [`Known`] to
//! records, or to everything that is wrong with the file: each error with line, column, what was
//! found and what was wanted. Nothing is written before the whole file is right.
//!
//! ```text
//! bytes -> table (UTF-8, header, cells) -> fields (days, numbers, words) -> records -> Facts::put_*
//! GeoJSON -> features ---------------------^
//! bytes -> readings (streamed) -> observations -> pipeline
//! bytes -> flagging (the quality checks) -> the same bytes and a column of flags
//! ```
//!
//! Files are UTF-8 with or without a byte-order mark, comma, a header line in English keys or
//! Chinese. Words may be keys or Chinese names: what people export from a spreadsheet goes in as it
//! is. An unknown column is refused by name, unless [`Options::ignore_unknown`].
//!
//! Invariant: no clock, no database, no network here; no bytes make it panic.
//!
//! Source: interfaces, section 5 (files).

mod climate;
mod datum;
mod devices;
mod errors;
mod fields;
mod flagging;
mod geojson;
mod geometry;
mod outcomes;
mod plots;
mod prices;
mod readings;
mod references;
mod samples;
mod seasons;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use jiff::{Timestamp, tz::TimeZone};
use plotwise_config::{
    id::{CooperativeId, PlotId},
    settings::Datum,
};
use serde::Serialize;

use crate::{directory::Directory, facts::Changes};

pub use climate::parse_climate;
pub use datum::{from_wgs84, to_wgs84};
pub use devices::parse_devices;
pub use errors::{FileError, FileErrors};
pub use flagging::{FlagOptions, FlaggedFile, flag_readings};
pub use outcomes::parse_outcomes;
pub use plots::{parse_plots, parse_plots_csv, parse_plots_geojson};
pub use prices::parse_prices;
pub use readings::{Readings, ReadingsSummary, parse_readings};
pub use samples::parse_samples;
pub use seasons::parse_seasons;

/// How a file is to be read.
#[derive(Clone, Debug)]
pub struct Options {
    /// The present moment: bounds times, and is when readings without `received` arrived.
    pub now: Timestamp,
    /// Zone of times that carry none; such times are refused without it.
    pub timezone: Option<TimeZone>,
    /// What the coordinates of plots refer to.
    pub datum: Datum,
    /// Whether columns that nobody knows are left out instead of refused.
    pub ignore_unknown: bool,
    /// Whose prices and climate they are, where the file has no column `cooperative`; where only one
    /// cooperative is known it need not be said.
    pub cooperative: Option<CooperativeId>,
}

impl Options {
    /// As a command without flags reads a file.
    pub const fn new(now: Timestamp) -> Self {
        Self { now, timezone: None, datum: Datum::Wgs84, ignore_unknown: false, cooperative: None }
    }
}

/// What a file may refer to: a snapshot, see [`crate::facts::Facts::known`].
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Every cooperative.
    pub cooperatives: BTreeSet<CooperativeId>,
    /// Every plot and its owner.
    pub plots: HashMap<PlotId, CooperativeId>,
    /// Every device.
    pub directory: Directory,
}

/// What an import did, or why it did nothing. The shape of `import --format json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Records of the file: for GeoJSON features, for readings what one device measured at one time.
    pub rows: u64,
    /// Records that were not there.
    pub new: u64,
    /// Records that were there with other values.
    pub changed: u64,
    /// Records that were there already.
    pub same: u64,
    /// What is wrong with the file; nothing was written if there is anything.
    pub errors: Vec<FileError>,
    /// Errors beyond those that are listed.
    pub more_errors: u64,
}

impl ImportReport {
    /// Of a file that was written, or tried in a dry run.
    pub fn written(rows: u64, changes: Changes) -> Self {
        let Changes { new, changed, same } = changes;
        Self { rows, new, changed, same, ..Self::default() }
    }

    /// Of a file that was refused.
    pub fn refused(errors: FileErrors) -> Self {
        Self { errors: errors.errors, more_errors: errors.more, ..Self::default() }
    }
}
