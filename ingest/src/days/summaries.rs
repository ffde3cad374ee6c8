//! Day summaries of a plot: kept ones where they hold, the others from readings.
//!
//! ```text
//! span of 28 days   kept, with the right fingerprint?   else from readings
//!   its days        touched by a mark?                  then from readings
//! ```
//!
//! What is read is right at once, whatever upkeep has got to: a late reading, a correction, a moved
//! device or a changed range shows in the next call. Upkeep ([`super::Summariser`]) only makes the next
//! one cheap.
//!
//! # How far a mark reaches
//!
//! A reading matters to the flags of others on its plot up to [`flags::LOOK_AHEAD`] before it and up to
//! [`flags::LOOK_BACK`] after it, to those of soil moisture up to [`flags::HIGHEST_LOOK_BACK`] after it. A
//! device's marked day touches every local day of the plot within that, as far as the device stood there
//! on that day; other plots it touches not at all.
//!
//! # Invariants
//!
//! [`day_summaries`] gives what [`days_of_plot`] gives, bit for bit and in its order, from one snapshot
//! of the store.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use plotwise_config::{day::DaySummary, id::DeviceId};

use super::{
    PlotContext,
    fingerprint::{Fingerprints, stands_within},
    packed,
    pieces::Wanted,
    plot::{Stand, days_within, stands},
    span::{DayRuns, SPAN_DAYS, Span},
};
use crate::{
    flags,
    local_day::day_span,
    store::{DAY_MS, Reader, StoreError, day_of},
};

/// Day summaries of every quantity at every place of a plot, in the order of day, quantity, depth:
/// what [`days_of_plot`](super::days_of_plot) gives, without reading every reading.
///
/// `window` is the first and the last local day, both included.
///
/// # Errors
///
/// Whatever [`Reader::observations`] reports.
pub fn day_summaries(
    reader: &Reader,
    context: &PlotContext<'_>,
    window: (Date, Date),
) -> Result<Vec<DaySummary>, StoreError> {
    summaries_of(reader, context, Wanted::default(), window)
}

/// The same for what is wanted of a plot.
pub(super) fn summaries_of(
    reader: &Reader,
    context: &PlotContext<'_>,
    wanted: Wanted,
    window: (Date, Date),
) -> Result<Vec<DaySummary>, StoreError> {
    let _snapshot = reader.snapshot()?;
    let stands = stands(context.placements, context.plot);
    let kept = kept_spans(reader, context, &stands, window)?;
    let anew = days_to_make(reader, context, &stands, &kept, window)?;
    let mut days = Vec::new();
    for (_, summaries) in kept {
        days.extend(summaries.into_iter().filter(|summary| {
            wanted.has_summary(summary)
                && (window.0..=window.1).contains(&summary.day)
                && !anew.has(summary.day)
        }));
    }
    for run in anew.iter() {
        days.extend(days_within(reader, context, wanted, run)?);
    }
    // Stable, and a day comes from one side alone: its order is kept.
    days.sort_by_key(|day| day.day);
    Ok(days)
}

/// The spans of a window whose kept summaries hold but for what is marked.
fn kept_spans(
    reader: &Reader,
    context: &PlotContext<'_>,
    stands: &[Stand<'_>],
    window: (Date, Date),
) -> Result<Vec<(Span, Vec<DaySummary>)>, StoreError> {
    let fingerprints = Fingerprints::new(context, stands);
    let rows = reader.summary_rows(context.plot, (Span::of(window.0).0, Span::of(window.1).0))?;
    let mut kept = Vec::with_capacity(rows.len());
    for row in rows {
        let span = Span(row.span);
        if row.fingerprint != Some(fingerprints.of(span)) {
            continue;
        }
        // What cannot be read is made anew.
        let quantity_of = |code| reader.quantity(code).ok();
        if let Ok(days) = packed::unpack(span.first(), &row.days, quantity_of) {
            kept.push((span, days));
        }
    }
    Ok(kept)
}

/// The days of a window that no kept span has, and those that a mark touches.
fn days_to_make(
    reader: &Reader,
    context: &PlotContext<'_>,
    stands: &[Stand<'_>],
    kept: &[(Span, Vec<DaySummary>)],
    window: (Date, Date),
) -> Result<DayRuns, StoreError> {
    let mut runs = Vec::new();
    let mut next = window.0;
    for (span, _) in kept {
        runs.push((next, span.first().yesterday().unwrap_or(Date::MIN)));
        next = span.day(SPAN_DAYS);
    }
    runs.push((next, window.1));
    runs.extend(marked_runs(reader, context, stands, window)?);
    Ok(DayRuns::of(runs))
}

/// The local days that the marks of a plot's devices touch, as far as they lie in the window.
fn marked_runs(
    reader: &Reader,
    context: &PlotContext<'_>,
    stands: &[Stand<'_>],
    window: (Date, Date),
) -> Result<Vec<(Date, Date)>, StoreError> {
    let zone = context.zone;
    let (start, end) = (day_span(window.0, zone).0, day_span(window.1, zone).1);
    let from = start.saturating_sub(flags::HIGHEST_LOOK_BACK).unwrap_or(Timestamp::MIN);
    let to = end.saturating_add(flags::LOOK_AHEAD).unwrap_or(Timestamp::MAX);
    let near = (day_of(from.as_millisecond()), day_of(to.as_millisecond()));
    let devices: BTreeSet<&DeviceId> =
        stands_within(stands, from, to).map(|stand| stand.device).collect();
    let mut runs = Vec::new();
    for device in devices {
        for day in reader.changed_days(device, near)? {
            let marked = day_of_utc(day);
            for stand in stands.iter().filter(|stand| stand.device == device) {
                let (since, until) = (stand.from.max(marked.0), stand.to.min(marked.1));
                if since < until {
                    let (first, last) = touched((since, until), zone);
                    runs.push((first.max(window.0), last.min(window.1)));
                }
            }
        }
    }
    Ok(runs)
}

/// The first and the last local day that new readings of a time can say something else of.
fn touched((since, until): (Timestamp, Timestamp), zone: &TimeZone) -> (Date, Date) {
    let from = since.saturating_sub(flags::LOOK_AHEAD).unwrap_or(Timestamp::MIN);
    let to = until.saturating_add(flags::HIGHEST_LOOK_BACK).unwrap_or(Timestamp::MAX);
    (zone.to_datetime(from).date(), zone.to_datetime(to).date())
}

/// The spans of a plot that a device's marked days reach.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// Those of the days themselves, where the device stood on the plot.
    pub(super) own: BTreeSet<Span>,
    /// Those whose readings can have other flags.
    pub(super) all: BTreeSet<Span>,
}

impl Reached {
    /// `stands` are the device's on the plot.
    pub(super) fn of<'s, 'a: 's>(
        days: &[i64],
        stands: impl Iterator<Item = &'s Stand<'a>>,
        zone: &TimeZone,
    ) -> Self {
        let mut reached = Self::default();
        for stand in stands {
            for day in days {
                let marked = day_of_utc(*day);
                let (since, until) = (stand.from.max(marked.0), stand.to.min(marked.1));
                if since < until {
                    let of = |time: Timestamp| Span::of(zone.to_datetime(time).date()).0;
                    let (first, last) = touched((since, until), zone);
                    reached.own.extend((of(since)..=of(until)).map(Span));
                    reached.all.extend((Span::of(first).0..=Span::of(last).0).map(Span));
                }
            }
        }
        reached
    }
}

/// The spans that a marked day can reach in whatever zone.
pub(super) fn spans_near(day: i64) -> impl Iterator<Item = Span> {
    let (since, until) = day_of_utc(day);
    let from = since.saturating_sub(flags::LOOK_AHEAD).unwrap_or(Timestamp::MIN);
    let to = until.saturating_add(flags::HIGHEST_LOOK_BACK).unwrap_or(Timestamp::MAX);
    // A zone is at most a day and a bit away from UTC.
    let first = Span::of_day(day_of(from.as_millisecond()) - 2);
    let last = Span::of_day(day_of(to.as_millisecond()) + 2);
    (first.0..=last.0).map(Span)
}

/// First moment of a day of UTC, and of the next.
fn day_of_utc(day: i64) -> (Timestamp, Timestamp) {
    let moment = |ms: i64| {
        let bound = if ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_millisecond(ms).unwrap_or(bound)
    };
    let start = day.saturating_mul(DAY_MS);
    (moment(start), moment(start.saturating_add(DAY_MS)))
}
