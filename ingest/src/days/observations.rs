//! Observations as they are stored, with all flags of their readings.

use std::{collections::HashMap, ops::ControlFlow};

use jiff::Timestamp;
use plotwise_config::{
    catalogue::Catalogue,
    id::{DeviceId, PlotId},
    reading::Flags,
    records::Placement,
};

use super::{
    PlotContext,
    pieces::{Pieces, SeriesPlace, Source, Wanted},
    plot::{Stand, stands},
};
use crate::{
    flags::{Land, Range},
    store::{Reader, StoreError, StoredObservation},
};

/// Hands `each` the observations of one device with `from <= measured < to`, in order of time, with
/// all flags of each reading, until it breaks.
///
/// `own` are the placements of this device; `of_plot` tells what must be known of a plot. While the
/// device stands on none, or on one that `of_plot` does not know, its readings are judged alone.
///
/// # Errors
///
/// Whatever [`Reader::observations`] reports.
pub fn flagged_observations<'a>(
    reader: &Reader,
    catalogue: &Catalogue,
    (device, own): (&DeviceId, &[Placement]),
    of_plot: impl Fn(&PlotId) -> Option<PlotContext<'a>>,
    (from, to): (Timestamp, Timestamp),
    mut each: impl FnMut(&StoredObservation, &[Flags]) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    // One state of the store, and each of its sealed blocks decoded once.
    let _snapshot = reader.snapshot()?;
    let mut own: Vec<&Placement> = own.iter().filter(|one| one.device == *device).collect();
    own.sort_by_key(|placement| placement.from);
    let first = own.first().map_or(Timestamp::MAX, |first| first.from);
    let first_depth = own.first().and_then(|first| first.depth);
    let before = Stay { plot: None, stand: Stand::new(device, first_depth, Timestamp::MIN, first) };
    let rest = own.iter().enumerate().map(|(nth, placement)| {
        let until = own.get(nth + 1).map_or(Timestamp::MAX, |next| next.from);
        let stand = Stand::new(device, placement.depth, placement.from, until);
        Stay { plot: placement.plot.as_ref(), stand }
    });
    for stay in std::iter::once(before).chain(rest) {
        let (from, to) = (stay.stand.from.max(from), stay.stand.to.min(to));
        if from >= to {
            continue;
        }
        let context = stay.plot.and_then(&of_plot);
        let nobody = Land::default();
        let (stands, land) = match &context {
            Some(context) => (stands(context.placements, context.plot), context.land),
            None => (vec![stay.stand], &nobody),
        };
        let is_own = |stand: &Stand<'_>| stand.device == device && stand.from == stay.stand.from;
        let Some(nth) = stands.iter().position(is_own) else { continue };
        let source = Source { reader, stands: &stands, land, catalogue };
        if stay_observations(source, nth, (from, to), &mut each)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// A device at one place.
struct Stay<'a> {
    plot: Option<&'a PlotId>,
    stand: Stand<'a>,
}

fn stay_observations(
    source: Source<'_>,
    nth: usize,
    (from, to): (Timestamp, Timestamp),
    each: &mut impl FnMut(&StoredObservation, &[Flags]) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, StoreError> {
    let stand = &source.stands[nth];
    let wanted = Wanted { stand: Some(nth), ..Wanted::default() };
    let mut pieces = Pieces::new(source, wanted, from, to);
    let mut flags = Vec::new();
    while pieces.advance()? {
        let (start, end) = pieces.span();
        let mut cursors: HashMap<_, usize> = HashMap::new();
        let mut goes_on = ControlFlow::Continue(());
        source.reader.observations(stand.device, start, end, |observation| {
            flags.clear();
            flags.extend(observation.readings.iter().map(|reading| {
                let (quantity, depth) = (reading.quantity, reading.depth.or(stand.depth));
                let place = SeriesPlace { stand: nth, quantity, depth };
                let cursor = cursors.entry((quantity, depth)).or_default();
                // What was stored since the piece was read is judged by its value alone.
                pieces.flags_at(&place, observation.measured, cursor).unwrap_or_else(|| {
                    let quantity = source.catalogue.quantity(quantity);
                    Range::of(quantity).flag(reading.value, reading.flags)
                })
            }));
            goes_on = each(observation, &flags);
            goes_on
        })?;
        if goes_on.is_break() {
            return Ok(goes_on);
        }
    }
    Ok(ControlFlow::Continue(()))
}
