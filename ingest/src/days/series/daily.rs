//! A series by the day, from summaries.

use jiff::{SignedDuration, Timestamp, civil::Date};
use plotwise_config::day::DaySummary;

use super::{Bucket, BucketStatistics, SeriesQuery};
use crate::{
    days::{PlotContext, pieces::Source, plot::days_between, summaries::summaries_of},
    local_day::day_span,
    store::StoreError,
};

/// A day at one depth.
pub(super) struct DayBucket {
    pub(super) bucket: Bucket,
    day: Date,
    /// Of the device that covers most of it.
    covered_s: u32,
}

/// The days of a series, in the order of time, then depth; first and last may be cut by the window.
pub(super) fn day_buckets(
    source: Source<'_>,
    context: &PlotContext<'_>,
    query: &SeriesQuery,
) -> Result<Vec<DayBucket>, StoreError> {
    let zone = context.zone;
    let date = |time: Timestamp| zone.to_datetime(time).date();
    let (from, to) = (query.from, query.to);
    if from >= to {
        return Ok(Vec::new());
    }
    let just_before = to.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(to);
    let (mut first, mut last) = (date(from), date(just_before));
    let (first_span, last_span) = (day_span(first, zone), day_span(last, zone));
    let part = |from, to| days_between(source, query.wanted(), zone, (from, to));
    let mut buckets = Buckets(Vec::new());
    if first == last && first_span != (from, to) {
        buckets.take(part(from, to)?, context);
        return Ok(buckets.0);
    }
    if first_span.0 < from {
        buckets.take(part(from, first_span.1)?, context);
        first = first.tomorrow().unwrap_or(Date::MAX);
    }
    let is_last_cut = to < last_span.1;
    if is_last_cut {
        last = last.yesterday().unwrap_or(Date::MIN);
    }
    if first <= last {
        buckets.take(summaries_of(source.reader, context, query.wanted(), (first, last))?, context);
    }
    if is_last_cut {
        buckets.take(part(last_span.0, to)?, context);
    }
    Ok(buckets.0)
}

struct Buckets(Vec<DayBucket>);

impl Buckets {
    /// Takes summaries in the order of day and depth.
    fn take(&mut self, days: Vec<DaySummary>, context: &PlotContext<'_>) {
        for day in days {
            match self.0.last_mut() {
                // Another device at the same place.
                Some(last) if (last.day, last.bucket.depth) == (day.day, day.depth) => {
                    last.bucket.join(&bucket(&day, last.bucket.time));
                    last.covered_s = last.covered_s.max(day.covered_s);
                }
                last => {
                    let time = match last {
                        Some(last) if last.day == day.day => last.bucket.time,
                        _ => day_span(day.day, context.zone).0,
                    };
                    let (bucket, covered_s) = (bucket(&day, time), day.covered_s);
                    self.0.push(DayBucket { bucket, day: day.day, covered_s });
                }
            }
        }
    }
}

fn bucket(day: &DaySummary, time: Timestamp) -> Bucket {
    let statistics =
        day.statistics.map(|of| BucketStatistics { mean: of.mean, min: of.min, max: of.max });
    let DaySummary { depth, count, flagged, .. } = *day;
    Bucket { time, depth, count, flagged, statistics }
}

impl Bucket {
    fn join(&mut self, other: &Self) {
        self.statistics = match (self.statistics, other.statistics) {
            (Some(one), Some(two)) => {
                let share = f64::from(other.count) / f64::from(self.count + other.count);
                Some(BucketStatistics {
                    mean: one.mean * (1.0 - share) + two.mean * share,
                    min: one.min.min(two.min),
                    max: one.max.max(two.max),
                })
            }
            (one, two) => one.or(two),
        };
        self.count += other.count;
        self.flagged += other.flagged;
    }
}

/// Gaps that begin within one hour cover less than this, s: the last of them is of 3 h at the most.
const COVERED_BY_AN_HOUR_S: u32 = 4 * 3600;

/// How many points the finer steps have, as far as days tell.
pub(super) struct Size {
    pub(super) readings: usize,
    /// At least so many hours hold readings.
    pub(super) hours_min: usize,
}

impl Size {
    pub(super) fn of(days: &[DayBucket]) -> Self {
        let readings = |day: &DayBucket| day.bucket.count as usize + day.bucket.flagged as usize;
        let hours = |day: &DayBucket| (day.covered_s / COVERED_BY_AN_HOUR_S) as usize;
        Self { readings: days.iter().map(readings).sum(), hours_min: days.iter().map(hours).sum() }
    }
}
