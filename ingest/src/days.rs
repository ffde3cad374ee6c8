//! Readings as days: how many, how high, how long, per place and local day.
//!
//! ```text
//! readings in order of time -> flags::flag, a month at a time -> DayBuilder -> DaySummary
//!                                                             -> series, export
//! DaySummary -> Summariser, in the background -> the store
//! the store, and readings where it has none that hold -> day_summaries -> profiles, charts by the day
//! ```
//!
//! Flags that follow from values are computed here, when readings are read ([`crate::flags`]), so that
//! neither late data nor a changed range leaves a stale one. Every flag but `T` keeps a reading out of
//! every statistic.
//!
//! Days are local: 23, 24 or 25 hours long, as the zone has it. A device counts for a plot while it
//! stands there; what it measures at its own depth counts for the depth of that placement. A placement
//! is a series of its own: no check looks across a move.
//!
//! # What it leaves out
//!
//! The longest wet spell within a day: a site profile counts days, and a day is wet by its mean.
//!
//! # Invariants
//!
//! - [`DayBuilder`] and [`summarise`] are pure, and hold the values of one day at most. Only
//!   [`days_of_plot`], [`day_summaries`], [`series`] and [`flagged_observations`] read the store, and only
//!   [`Summariser`] writes it.
//! - What is kept is never believed without its marks and its fingerprint: [`day_summaries`] is
//!   [`days_of_plot`], bit for bit.
//! - What is said of a day or of a reading does not depend on the window that was asked for: windows
//!   are widened by [`crate::flags::LOOK_BACK`] and [`crate::flags::LOOK_AHEAD`] and cut again.
//! - Memory does not grow with the window: a plot's readings of a month are held at most.

mod builder;
mod fingerprint;
mod ground;
mod observations;
mod packed;
mod pieces;
mod plot;
mod series;
mod span;
mod summaries;
mod summariser;

#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;
use plotwise_config::{catalogue::Catalogue, id::PlotId, records::Placement};

pub use self::{
    builder::{DayBuilder, summarise},
    ground::Ground,
    observations::flagged_observations,
    plot::days_of_plot,
    series::{Bucket, BucketStatistics, Points, RawPoint, Series, SeriesQuery, Step, series},
    summaries::day_summaries,
    summariser::{Summariser, SummariserError},
};
use crate::flags::Land;
pub use crate::flags::TimedReading;

/// The longest time between two readings that counts as covered, ms (3 h, as in
/// [`plotwise_config::day::DaySummary`]).
pub const GAP_MS_MAX: i64 = 3 * 3600 * 1000;

/// A plot and what must be known of it to read its series.
#[derive(Clone, Copy, Debug)]
pub struct PlotContext<'a> {
    /// Which plot.
    pub plot: &'a PlotId,
    /// Those of the devices that ever stood on the plot, their placements elsewhere among them: a
    /// placement holds until the device's next. What a device measured before its first placement
    /// belongs to no plot.
    pub placements: &'a [Placement],
    /// Its water regime and saturation: [`Land::of`] the plot and its seasons.
    pub land: &'a Land,
    /// The cooperative's time zone.
    pub zone: &'a TimeZone,
    /// As loaded.
    pub catalogue: &'a Catalogue,
}
