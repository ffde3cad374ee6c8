//! A day of one quantity at one place in a plot.

use jiff::civil::Date;

use crate::reading::{DepthMm, QuantityNo};

/// Count, mean, range and spread of one quantity at one placement on one local day.
///
/// Days are the cooperative's own (its time zone). Statistics are of readings that no flag excludes;
/// profiles, long charts and alerts read days and never raw readings.
#[derive(Clone, Debug, PartialEq)]
pub struct DaySummary {
    /// The local day.
    pub day: Date,
    /// Which quantity.
    pub quantity: QuantityNo,
    /// Where the probe stood; `None` where nobody said, or above ground.
    pub depth: Option<DepthMm>,
    /// How many readings count.
    pub count: u32,
    /// How many readings a flag excludes.
    pub flagged: u32,
    /// Seconds of the day that lie between two counted readings at most 3 h apart.
    pub covered_s: u32,
    /// Integral of the value over the covered time by the trapezoid rule, unit times second.
    pub integral: f64,
    /// Plain mean of the counted readings; `None` where all are flagged. The same holds below.
    pub statistics: Option<DayStatistics>,
}

/// Statistics of the counted readings of a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayStatistics {
    /// Plain mean.
    pub mean: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// 10th percentile (linear between order statistics).
    pub p10: f64,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
}
