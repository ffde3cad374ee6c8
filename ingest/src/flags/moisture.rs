//! The checks of soil moisture, each reading in turn.

use jiff::Timestamp;
use plotwise_config::reading::Flags;

use super::{
    Bounds, Context, Extent, TimedReading,
    breaks::{Break, break_at, low_plateau_end},
    comb::{Comb, percent},
    companions::flag_frost,
    highest::highest_of,
    plateau::each_plateau,
    rise::{is_without_rain, least_rain_mm},
    spike::{Spike, spike},
};

/// Adds `C03`, `D01`, `D02`, `D04` and `D06` to `D10`.
pub(super) fn flag(readings: &[TimedReading], context: &Context<'_>, flags: &mut [Flags]) {
    if let Some(border) = context.land.doubted_above() {
        for (reading, flags) in readings.iter().zip(&mut *flags) {
            if percent(reading.value) > percent(border) {
                *flags = flags.with(Flags::ABOVE_SATURATION);
            }
        }
    }
    let comb = Comb::new(readings);
    let companions = context.companions;
    flag_frost(&comb, &companions.soil_temperature, Flags::SOIL_FROZEN, flags);
    flag_frost(&comb, &companions.air_temperature, Flags::AIR_FROZEN, flags);
    let drops = flag_shapes(readings, &comb, context, flags);
    flag_plateaus(readings, &comb, context, &drops, flags);
}

/// Rises, spikes and breaks; the drops among them, in order.
fn flag_shapes(
    readings: &[TimedReading],
    comb: &Comb,
    context: &Context<'_>,
    flags: &mut [Flags],
) -> Vec<usize> {
    let least_rain_mm =
        least_rain_mm(context.depth).filter(|_| !context.companions.rain.is_empty());
    let mut drops = Vec::new();
    let mut add = |nth: usize, flag: Flags| {
        let flags = &mut flags[comb.origin(nth)];
        *flags = flags.with(flag);
    };
    for nth in 0..comb.len() {
        let Some(teeth) = comb.through(nth) else { continue };
        let (before, after) = (teeth.value(-1), teeth.value(1));
        if let Some(least_rain_mm) = least_rain_mm
            && is_without_rain(&teeth, comb.time_ms(nth), context.companions, least_rain_mm)
            && !context.land.is_watered_at(time_of(readings, comb, nth))
        {
            add(nth, Flags::RISE_WITHOUT_RAIN);
        }
        match spike(&teeth, before, after) {
            None => {}
            Some(Spike::Single) => add(nth, Flags::SPIKE),
            Some(Spike::Double) => {
                add(nth, Flags::SPIKE);
                if let Some(second) = teeth.at(1) {
                    add(second, Flags::SPIKE);
                }
            }
        }
        match break_at(&teeth, before) {
            None => {}
            Some(Break::Jump) => add(nth, Flags::JUMP),
            Some(Break::Drop) => {
                add(nth, Flags::DROP);
                drops.push(nth);
            }
        }
    }
    drops
}

fn flag_plateaus(
    readings: &[TimedReading],
    comb: &Comb,
    context: &Context<'_>,
    drops: &[usize],
    flags: &mut [Flags],
) {
    let bounds = Bounds::of(context.extent);
    let mut add = |from: usize, to: usize, flag: Flags, is_held_back: bool| {
        for nth in from..=to {
            if is_held_back && context.land.is_watered_at(time_of(readings, comb, nth)) {
                continue;
            }
            let flags = &mut flags[comb.origin(nth)];
            *flags = flags.with(flag);
        }
    };
    for &drop in drops {
        let is_drop = |nth: usize| drops.binary_search(&nth).is_ok();
        if let Some(teeth) = comb.through(drop)
            && let Some(last) = low_plateau_end(&teeth, bounds, is_drop)
        {
            add(drop, last, Flags::LOW_PLATEAU, false);
        }
    }
    let of_series = match context.extent {
        Extent::Whole => highest_of(readings),
        Extent::Piece(_) => None,
    };
    let highest = |nth: usize| {
        let seen = match context.extent {
            Extent::Whole => of_series,
            Extent::Piece(peaks) => peaks.highest(comb.time_ms(nth)),
        };
        // A plateau well below what the soil can hold is none of full soil.
        let highest = seen.into_iter().chain(context.land.saturation()).reduce(f64::max);
        highest.map(|highest| highest * 100.0)
    };
    each_plateau(comb, bounds, highest, |from, to| add(from, to, Flags::HIGH_PLATEAU, true));
}

fn time_of(readings: &[TimedReading], comb: &Comb, nth: usize) -> Timestamp {
    readings[comb.origin(nth)].time
}
