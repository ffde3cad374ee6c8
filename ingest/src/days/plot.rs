//! The days of a plot: what its devices measured while they stood there.

use std::{collections::BTreeMap, ops::ControlFlow};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use plotwise_config::{
    catalogue::Catalogue,
    day::DaySummary,
    id::{DeviceId, PlotId},
    reading::{DepthMm, QuantityNo, Reading},
    records::Placement,
};

use super::{
    TimedReading,
    builder::{DayBuilder, day_span},
};
use crate::store::{Reader, StoreError};

/// A device on the plot, from a moment on until before another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand<'a> {
    pub(super) device: &'a DeviceId,
    pub(super) depth: Option<DepthMm>,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Stand<'_> {
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
/// `placements` are those of the devices that ever stood on the plot, their placements elsewhere
/// among them: a placement holds until the device's next. What a device measured before its first
/// placement belongs to no plot. `window` is the first and the last local day, both included. Two
/// devices at one depth give two summaries a day.
///
/// # Errors
///
/// Whatever [`Reader::observations`] reports.
pub fn days_of_plot(
    reader: &Reader,
    placements: &[Placement],
    plot: &PlotId,
    zone: &TimeZone,
    window: (Date, Date),
    catalogue: &Catalogue,
) -> Result<Vec<DaySummary>, StoreError> {
    let (from, to) = (day_span(window.0, zone).0, day_span(window.1, zone).1);
    let mut days = Vec::new();
    for stand in stands(placements, plot, from, to) {
        let mut builders: BTreeMap<(QuantityNo, Option<DepthMm>), DayBuilder> = BTreeMap::new();
        reader.observations(stand.device, stand.from, stand.to, |observation| {
            for (reading, depth) in stand.placed(&observation.readings) {
                let number = reading.quantity;
                let builder = builders.entry((number, depth)).or_insert_with(|| {
                    DayBuilder::new(catalogue.quantity(number), number, depth, zone)
                });
                builder.push(TimedReading {
                    time: observation.measured,
                    value: reading.value,
                    flags: reading.flags,
                });
            }
            ControlFlow::Continue(())
        })?;
        days.extend(builders.into_values().flat_map(DayBuilder::finish));
    }
    days.sort_by_key(|day| (day.day, day.quantity, day.depth));
    Ok(days)
}

/// Which devices stood on the plot and when, within a span, by device and time.
pub(super) fn stands<'a>(
    placements: &'a [Placement],
    plot: &PlotId,
    from: Timestamp,
    to: Timestamp,
) -> Vec<Stand<'a>> {
    let mut sorted: Vec<_> = placements.iter().collect();
    // Stable: of two from the same moment the later one in the list holds.
    sorted.sort_by(|a, b| (&a.device, a.from).cmp(&(&b.device, b.from)));
    let mut stands = Vec::new();
    for (place, placement) in sorted.iter().enumerate() {
        let until = match sorted.get(place + 1) {
            Some(next) if next.device == placement.device => next.from.min(to),
            _ => to,
        };
        let since = placement.from.max(from);
        if placement.plot.as_ref() == Some(plot) && since < until {
            let Placement { device, depth, .. } = placement;
            stands.push(Stand { device, depth: *depth, from: since, to: until });
        }
    }
    stands
}
