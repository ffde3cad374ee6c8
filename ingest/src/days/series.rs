//! One quantity of a plot as a chart wants it: every reading, or hours, or days.

use std::{collections::BTreeMap, ops::ControlFlow};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use plotwise_config::{
    catalogue::Catalogue,
    id::PlotId,
    reading::{DepthMm, Flags, QuantityNo},
    records::Placement,
};

use super::{
    Range,
    builder::day_span,
    plot::{Stand, stands},
};
use crate::store::{Reader, StoreError};

/// How finely a series is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Every reading.
    Raw,
    /// Hours of UTC.
    Hour,
    /// Local days.
    Day,
    /// The finest of the three that stays within the number of points.
    Auto,
}

/// What of a plot is wanted.
#[derive(Clone, Copy, Debug)]
pub struct SeriesQuery<'a> {
    /// Which plot.
    pub plot: &'a PlotId,
    /// Which quantity.
    pub quantity: QuantityNo,
    /// One depth alone; all of them where `None`.
    pub depth: Option<DepthMm>,
    /// First moment.
    pub from: Timestamp,
    /// First moment that is not wanted any more.
    pub to: Timestamp,
    /// The cooperative's time zone.
    pub zone: &'a TimeZone,
    /// How finely.
    pub step: Step,
    /// At most so many points, all depths together.
    pub points_max: usize,
}

/// A series, in the order of time, then depth.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// As asked for; never [`Step::Auto`].
    pub step: Step,
    /// The points, the earliest ones where there were too many.
    pub points: Points,
    /// Whether there were more points than wanted.
    pub is_cut: bool,
}

/// Points of a series.
#[derive(Clone, Debug, PartialEq)]
pub enum Points {
    /// Of [`Step::Raw`].
    Raw(Vec<RawPoint>),
    /// Of [`Step::Hour`] and [`Step::Day`].
    Buckets(Vec<Bucket>),
}

/// A reading with all its flags, stored and computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RawPoint {
    /// When it was measured.
    pub time: Timestamp,
    /// Where: its own depth, else that of the placement.
    pub depth: Option<DepthMm>,
    /// In the quantity's canonical unit.
    pub value: f64,
    /// All of them.
    pub flags: Flags,
}

/// An hour or a day at one depth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Its first moment.
    pub time: Timestamp,
    /// Where.
    pub depth: Option<DepthMm>,
    /// How many readings count.
    pub count: u32,
    /// How many readings a flag excludes.
    pub flagged: u32,
    /// Of those that count; `None` where all are flagged.
    pub statistics: Option<BucketStatistics>,
}

/// Statistics of an hour or a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BucketStatistics {
    /// Plain mean.
    pub mean: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
}

/// One quantity of a plot over a span. `placements` as for [`super::days_of_plot`].
///
/// # Errors
///
/// Whatever [`Reader::observations`] reports.
pub fn series(
    reader: &Reader,
    placements: &[Placement],
    query: &SeriesQuery<'_>,
    catalogue: &Catalogue,
) -> Result<Series, StoreError> {
    let range = Range::of(catalogue.quantity(query.quantity));
    let stands = stands(placements, query.plot, query.from, query.to);
    let steps: &[Step] = match query.step {
        Step::Auto => &[Step::Raw, Step::Hour, Step::Day],
        Step::Raw => &[Step::Raw],
        Step::Hour => &[Step::Hour],
        Step::Day => &[Step::Day],
    };
    let mut last = Series { step: Step::Day, points: Points::Raw(Vec::new()), is_cut: false };
    for step in steps {
        last = match step {
            Step::Raw => raw(reader, &stands, query, range)?,
            step => buckets(reader, &stands, query, range, *step)?,
        };
        if !last.is_cut {
            break;
        }
    }
    Ok(last)
}

fn raw(
    reader: &Reader,
    stands: &[Stand<'_>],
    query: &SeriesQuery<'_>,
    range: Range,
) -> Result<Series, StoreError> {
    let mut points = Vec::new();
    for stand in stands {
        // The earliest of all are among the earliest of each.
        let enough = points.len() + query.points_max;
        each_point(reader, stand, query, range, |point| {
            points.push(point);
            if points.len() > enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
    }
    points.sort_by_key(|point| (point.time, point.depth));
    let is_cut = points.len() > query.points_max;
    points.truncate(query.points_max);
    Ok(Series { step: Step::Raw, points: Points::Raw(points), is_cut })
}

fn buckets(
    reader: &Reader,
    stands: &[Stand<'_>],
    query: &SeriesQuery<'_>,
    range: Range,
    step: Step,
) -> Result<Series, StoreError> {
    let mut buckets: BTreeMap<(Timestamp, Option<DepthMm>), Bucket> = BTreeMap::new();
    for stand in stands {
        let mut span = (Timestamp::MAX, Timestamp::MAX);
        each_point(reader, stand, query, range, |point| {
            if !(span.0 <= point.time && point.time < span.1) {
                span = match step {
                    Step::Day => day_span(query.zone.to_datetime(point.time).date(), query.zone),
                    _ => hour_span(point.time),
                };
            }
            let empty =
                Bucket { time: span.0, depth: point.depth, count: 0, flagged: 0, statistics: None };
            buckets.entry((span.0, point.depth)).or_insert(empty).take(&point);
            ControlFlow::Continue(())
        })?;
    }
    let is_cut = buckets.len() > query.points_max;
    let points = buckets.into_values().take(query.points_max).map(Bucket::with_mean).collect();
    Ok(Series { step, points: Points::Buckets(points), is_cut })
}

impl Bucket {
    /// Adds a reading; `mean` is a sum until [`Bucket::with_mean`].
    fn take(&mut self, point: &RawPoint) {
        if point.flags.is_excluded() {
            self.flagged += 1;
            return;
        }
        self.count += 1;
        let value = point.value;
        self.statistics = Some(match self.statistics {
            None => BucketStatistics { mean: value, min: value, max: value },
            Some(BucketStatistics { mean, min, max }) => {
                BucketStatistics { mean: mean + value, min: min.min(value), max: max.max(value) }
            }
        });
    }

    fn with_mean(mut self) -> Self {
        if let Some(statistics) = &mut self.statistics {
            statistics.mean /= f64::from(self.count);
        }
        self
    }
}

fn each_point(
    reader: &Reader,
    stand: &Stand<'_>,
    query: &SeriesQuery<'_>,
    range: Range,
    mut each: impl FnMut(RawPoint) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    reader.observations(stand.device, stand.from, stand.to, |observation| {
        let placed = stand.placed(&observation.readings);
        for (reading, depth) in placed.filter(|(one, _)| one.quantity == query.quantity) {
            if query.depth.is_none() || query.depth == depth {
                let flags = range.flag(reading.value, reading.flags);
                each(RawPoint { time: observation.measured, depth, value: reading.value, flags })?;
            }
        }
        ControlFlow::Continue(())
    })
}

fn hour_span(time: Timestamp) -> (Timestamp, Timestamp) {
    let start = Timestamp::from_second(time.as_second().div_euclid(3600) * 3600).unwrap_or(time);
    (start, start.saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX))
}
