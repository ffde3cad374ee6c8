//! `S`: the same value for longer than the quantity can rest. Ours; the ISMN calls it good.
//!
//! A run of equal values (bit for bit, readings with a fault code left out) is stuck where it lasts at
//! least the hours that the catalogue gives the quantity, and then as a whole, from its first reading
//! on. Silence of more than [`GAP_MS_MAX`] ends a run: what happened in an outage nobody saw.

use plotwise_config::{
    catalogue::quantity::{Quantity, Stuck},
    reading::{DepthMm, Flags},
};

use super::{Land, TimedReading};

/// The longest silence inside a run, ms (4 h): a node that reports every three hours and is a little
/// late is still judged, on at least 13 readings in 48 h. Our choice.
pub(super) const GAP_MS_MAX: i64 = 4 * 3600 * 1000;

/// Adds `S` to the flags of stuck readings. A series that is moisture of flooded land is held back
/// while water stands: soil that is full cannot change.
pub(super) fn flag(
    readings: &[TimedReading],
    quantity: &Quantity,
    depth: Option<DepthMm>,
    flooded: Option<&Land>,
    flags: &mut [Flags],
) {
    let Some(stuck) = &quantity.stuck else { return };
    if depth.is_some_and(|depth| stuck.to_depth_m.is_some_and(|to| depth.metres() > to)) {
        return;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the catalogue refuses more than 48 h")]
    let long_ms = (stuck.hours * 3_600_000.0) as i64;
    let mut run: Option<Run> = None;
    let mut end = |run: Option<Run>, after: usize| {
        if let Some(run) = run.filter(|run| run.last_ms - run.first_ms >= long_ms) {
            let span = run.first..after;
            mark(&readings[span.clone()], stuck, flooded, &mut flags[span]);
        }
    };
    for (place, reading) in readings.iter().enumerate() {
        if reading.flags.has(Flags::FAULT_CODE) {
            continue;
        }
        // -0 and 0 are the same value.
        let (time_ms, bits) = (reading.time.as_millisecond(), (reading.value + 0.0).to_bits());
        match &mut run {
            Some(run) if run.bits == bits && time_ms - run.last_ms <= GAP_MS_MAX => {
                run.last_ms = time_ms;
            }
            _ => {
                end(run.take(), place);
                run = Some(Run { first: place, bits, first_ms: time_ms, last_ms: time_ms });
            }
        }
    }
    end(run, readings.len());
}

/// Equal values, one after the other.
struct Run {
    first: usize,
    bits: u64,
    first_ms: i64,
    last_ms: i64,
}

fn mark(run: &[TimedReading], stuck: &Stuck, flooded: Option<&Land>, flags: &mut [Flags]) {
    let value = run.first().map_or(0.0, |first| first.value);
    if stuck.may_rest.iter().any(|[low, high]| (*low..=*high).contains(&value)) {
        return;
    }
    for (reading, flags) in run.iter().zip(flags) {
        let is_held_back = flooded.is_some_and(|land| land.is_flooded_at(reading.time));
        if !is_held_back && !reading.flags.has(Flags::FAULT_CODE) {
            *flags = flags.with(Flags::STUCK);
        }
    }
}
