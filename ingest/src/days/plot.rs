//! The days of a plot: what its devices measured while they stood there.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use plotwise_config::{
    day::DaySummary,
    id::{DeviceId, PlotId},
    reading::{DepthMm, Reading},
    records::Placement,
};

use super::{
    PlotContext,
    builder::DayBuilder,
    pieces::{Pieces, SeriesPlace, Source, Wanted},
};
use crate::{
    local_day::day_span,
    store::{Reader, StoreError},
};

/// A device on the plot, from a moment on until before another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand<'a> {
    pub(super) device: &'a DeviceId,
    pub(super) depth: Option<DepthMm>,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl<'a> Stand<'a> {
    pub(super) const fn new(
        device: &'a DeviceId,
        depth: Option<DepthMm>,
        from: Timestamp,
        to: Timestamp,
    ) -> Self {
        Self { device, depth, from, to }
    }

    /// An observation's readings, each with its depth here. The device's own depth, written out, is the
    /// same reading as none: where it became known late both are stored, and the one without counts.
    pub(super) fn placed<'r>(
        &self,
        readings: &'r [Reading],
    ) -> impl Iterator<Item = (&'r Reading, Option<DepthMm>)> {
        let own = self.depth;
        readings.iter().filter_map(move |reading| {
            let is_again = reading.depth.is_some()
                && reading.depth == own
                && readings
                    .iter()
                    .any(|one| one.quantity == reading.quantity && one.depth.is_none());
            (!is_again).then_some((reading, reading.depth.or(own)))
        })
    }
}

/// Day summaries of every quantity at every place of a plot, in the order of day, quantity, depth.
///
/// `window` is the first and the last local day, both included. Two devices at one depth give two
/// summaries a day.
///
/// # Errors
///
/// Whatever [`Reader::observations`] reports.
pub fn days_of_plot(
    reader: &Reader,
    context: &PlotContext<'_>,
    window: (Date, Date),
) -> Result<Vec<DaySummary>, StoreError> {
    days_within(reader, context, Wanted::default(), window)
}

/// The same for what is wanted of a plot.
pub(super) fn days_within(
    reader: &Reader,
    context: &PlotContext<'_>,
    wanted: Wanted,
    (first, last): (Date, Date),
) -> Result<Vec<DaySummary>, StoreError> {
    let PlotContext { plot, placements, land, zone, catalogue } = *context;
    let stands = stands(placements, plot);
    let source = Source { reader, stands: &stands, land, catalogue };
    days_between(source, wanted, zone, (day_span(first, zone).0, day_span(last, zone).1))
}

/// The same between two moments: days that they cut have the readings of their part alone.
pub(super) fn days_between(
    source: Source<'_>,
    wanted: Wanted,
    zone: &TimeZone,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<DaySummary>, StoreError> {
    let mut pieces = Pieces::new(source, wanted, from, to);
    let mut builders: BTreeMap<SeriesPlace, DayBuilder> = BTreeMap::new();
    while pieces.advance()? {
        for series in pieces.series() {
            let place = series.place;
            let builder = builders
                .entry(place)
                .or_insert_with(|| DayBuilder::new(place.quantity, place.depth, zone));
            series.readings().for_each(|reading| builder.push(reading));
        }
    }
    let mut days: Vec<_> = builders.into_values().flat_map(DayBuilder::finish).collect();
    days.sort_by_key(|day| (day.day, day.quantity, day.depth));
    Ok(days)
}

/// Which devices stood on the plot and when, by device and time.
pub(super) fn stands<'a>(placements: &'a [Placement], plot: &PlotId) -> Vec<Stand<'a>> {
    let mut sorted: Vec<_> = placements.iter().collect();
    // Stable: of two from the same moment the later one in the list holds.
    sorted.sort_by(|a, b| (&a.device, a.from).cmp(&(&b.device, b.from)));
    let mut stands = Vec::new();
    for (place, placement) in sorted.iter().enumerate() {
        let until = match sorted.get(place + 1) {
            Some(next) if next.device == placement.device => next.from,
            _ => Timestamp::MAX,
        };
        if placement.plot.as_ref() == Some(plot) && placement.from < until {
            let Placement { device, depth, from, .. } = placement;
            stands.push(Stand::new(device, *depth, *from, until));
        }
    }
    stands
}
