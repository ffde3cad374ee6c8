//! Readings as days: how many, how high, how long, per place and local day.
//!
//! ```text
//! readings in order of time -> flag (C01, C02) -> DayBuilder -> DaySummary
//! ```
//!
//! Flags that follow from values are computed here, when readings are read, so that neither late data
//! nor a changed range leaves a stale one: `C01` below the quantity's hard range, `C02` above it or
//! above its `flag_above`. `X` and `C` keep a reading out of every statistic; `T` does not.
//!
//! Days are local: 23, 24 or 25 hours long, as the zone has it. A device counts for a plot while it
//! stands there; what it measures at its own depth counts for the depth of that placement.
//!
//! # What it leaves out
//!
//! Spikes, breaks, plateaus and stuck sensors (`D`, `S`), and keeping days on disk.
//!
//! # Invariants
//!
//! [`DayBuilder`] and [`summarise`] are pure, and hold the values of one day at most. Only
//! [`days_of_plot`] and [`series`] read the store.

mod builder;
mod plot;
mod series;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use plotwise_config::{catalogue::quantity::Quantity, reading::Flags};

pub use self::{
    builder::{DayBuilder, summarise},
    plot::days_of_plot,
    series::{Bucket, BucketStatistics, Points, RawPoint, Series, SeriesQuery, Step, series},
};

/// The longest time between two readings that counts as covered, ms (3 h, as in
/// [`plotwise_config::day::DaySummary`]).
pub const GAP_MS_MAX: i64 = 3 * 3600 * 1000;

/// A value and when it was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedReading {
    /// When.
    pub time: Timestamp,
    /// In the quantity's canonical unit.
    pub value: f64,
    /// Those stored with it.
    pub flags: Flags,
}

/// Where a quantity's values are believed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    low: f64,
    high: f64,
}

impl Range {
    /// The range of a quantity's checks `C01` and `C02`; its borders themselves are believed.
    pub fn of(quantity: &Quantity) -> Self {
        let [low, hard_high] = quantity.hard;
        let high = quantity.flag_above.map_or(hard_high, |border| border.min(hard_high));
        Self { low, high }
    }

    /// The flags stored with a value and those that follow from it.
    pub fn flag(self, value: f64, stored: Flags) -> Flags {
        if value < self.low {
            stored.with(Flags::BELOW_RANGE)
        } else if value > self.high {
            stored.with(Flags::ABOVE_RANGE)
        } else {
            stored
        }
    }
}
