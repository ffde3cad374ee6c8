//! One quantity of a plot as a chart wants it: every reading, or hours, or days.
//!
//! Days come from the summaries that are kept, and with them how many points the other steps would have.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use plotwise_config::reading::{DepthMm, Flags, QuantityNo};

use self::daily::{Size, day_buckets};
use super::{
    PlotContext, TimedReading,
    pieces::{Pieces, Source, Wanted},
    plot::stands,
};
use crate::store::{Reader, StoreError};

mod daily;

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
pub struct SeriesQuery {
    /// Which quantity.
    pub quantity: QuantityNo,
    /// One depth alone; all of them where `None`.
    pub depth: Option<DepthMm>,
    /// First moment.
    pub from: Timestamp,
    /// First moment that is not wanted any more.
    pub to: Timestamp,
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

/// One quantity of a plot over a span.
///
/// # Errors
///
/// Whatever [`Reader::observations`] reports.
pub fn series(
    reader: &Reader,
    context: &PlotContext<'_>,
    query: &SeriesQuery,
) -> Result<Series, StoreError> {
    // Counts and points are of one state of the store.
    let _snapshot = reader.snapshot()?;
    let stands = stands(context.placements, context.plot);
    let PlotContext { land, catalogue, .. } = *context;
    let source = Source { reader, stands: &stands, land, catalogue };
    let raw = || raw(query.pieces(source), query);
    let hours = || hours(query.pieces(source), query);
    match query.step {
        Step::Raw => return raw(),
        Step::Hour => return hours(),
        Step::Day | Step::Auto => {}
    }
    let days = day_buckets(source, context, query)?;
    if query.step == Step::Auto {
        let size = Size::of(&days);
        if size.readings <= query.points_max {
            return raw();
        }
        if size.hours_min <= query.points_max {
            let hours = hours()?;
            if !hours.is_cut {
                return Ok(hours);
            }
        }
    }
    let is_cut = days.len() > query.points_max;
    let points = days.into_iter().take(query.points_max).map(|day| day.bucket).collect();
    Ok(Series { step: Step::Day, points: Points::Buckets(points), is_cut })
}

impl SeriesQuery {
    fn pieces<'a>(&self, source: Source<'a>) -> Pieces<'a> {
        Pieces::new(source, self.wanted(), self.from, self.to)
    }

    fn wanted(&self) -> Wanted {
        Wanted { quantity: Some(self.quantity), depth: self.depth, stand: None }
    }
}

fn raw(mut pieces: Pieces<'_>, query: &SeriesQuery) -> Result<Series, StoreError> {
    let mut points = Vec::new();
    // A piece holds every place's readings of its time: what follows is later than all of it.
    while points.len() <= query.points_max && pieces.advance()? {
        for series in pieces.series() {
            let depth = series.place.depth;
            points.extend(series.readings().map(|TimedReading { time, value, flags }| RawPoint {
                time,
                depth,
                value,
                flags,
            }));
        }
    }
    points.sort_by_key(|point: &RawPoint| (point.time, point.depth));
    let is_cut = points.len() > query.points_max;
    points.truncate(query.points_max);
    Ok(Series { step: Step::Raw, points: Points::Raw(points), is_cut })
}

fn hours(mut pieces: Pieces<'_>, query: &SeriesQuery) -> Result<Series, StoreError> {
    let mut buckets: BTreeMap<(Timestamp, Option<DepthMm>), Bucket> = BTreeMap::new();
    while !has_enough(&buckets, query.points_max) && pieces.advance()? {
        for series in pieces.series() {
            let mut readings = series.readings().peekable();
            while let Some(first) = readings.peek() {
                let (time, next) = hour_span(first.time);
                let depth = series.place.depth;
                let empty = Bucket { time, depth, count: 0, flagged: 0, statistics: None };
                let bucket = buckets.entry((time, depth)).or_insert(empty);
                while let Some(reading) = readings.next_if(|reading| reading.time < next) {
                    bucket.take(&reading);
                }
            }
        }
    }
    let is_cut = buckets.len() > query.points_max;
    let points = buckets.into_values().take(query.points_max).map(Bucket::with_mean).collect();
    Ok(Series { step: Step::Hour, points: Points::Buckets(points), is_cut })
}

/// Whether so many buckets are complete: those of the last moment may get more readings.
fn has_enough<V>(buckets: &BTreeMap<(Timestamp, Option<DepthMm>), V>, points_max: usize) -> bool {
    buckets.len() > points_max
        && buckets.last_key_value().is_some_and(|((last, _), _)| {
            let unfinished = buckets.keys().rev().take_while(|(time, _)| time == last).count();
            buckets.len() - unfinished >= points_max
        })
}

impl Bucket {
    /// Adds a reading; `mean` is a sum until [`Bucket::with_mean`].
    fn take(&mut self, point: &TimedReading) {
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

fn hour_span(time: Timestamp) -> (Timestamp, Timestamp) {
    let start = Timestamp::from_second(time.as_second().div_euclid(3600) * 3600).unwrap_or(time);
    (start, start.saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX))
}
