//! `D10`: a plateau near the highest values, as of saturated soil or of a probe at its end.
//!
//! ```text
//!            ________________
//!           /  12 h and more  \__     > 0.95 of the highest
//!   _______/                     \___
//!       rise >= 0.25 %/h       drop
//! ```
//!
//! A plateau is a run of readings from each of which 12 h vary by at most 0.05 %². It counts where a
//! rise stands within 12 h of its begin, any drop within 24 h of its end, and the mean between the two
//! is near the highest soil moisture of the place.

use super::{
    Bounds,
    comb::{Comb, Teeth, rounded},
};

/// Variance of 12 h up to which they are level, %². A little more, so that noise decides no tie.
const LEVEL: f64 = 0.05 + 1e-9;

/// The least rise, % per hour.
const RISE: f64 = 0.25;

/// How near the highest value the mean must be.
const NEAR_HIGHEST: f64 = 0.95;

/// Slopes are compared to three decimals.
const ALIKE: f64 = 5e-4;

/// No run.
const NONE: u32 = u32::MAX;

/// Hands `mark` the first and the last reading of each plateau.
pub(super) fn each_plateau(
    comb: &Comb,
    bounds: Bounds,
    highest: impl Fn(usize) -> Option<f64>,
    mut mark: impl FnMut(usize, usize),
) {
    let mut starts = vec![NONE; comb.len()];
    for nth in 0..comb.len() {
        let Some(teeth) = comb.through(nth).filter(is_level) else { continue };
        let before = teeth.at(-1).map_or(NONE, |before| starts[before]);
        starts[nth] = if before == NONE { u32::try_from(nth).unwrap_or(NONE) } else { before };
    }
    for (last, &start) in starts.iter().enumerate() {
        if start == NONE {
            continue;
        }
        let Some(end) = comb.through(last) else { continue };
        if end.at(1).is_some_and(|next| starts[next] != NONE) {
            continue;
        }
        let first = start as usize;
        let Some(begin) = comb.through(first) else { continue };
        let lasts_ms = comb.time_ms(last) - comb.time_ms(first)
            + i64::from(end.pace.in_11_h) * end.pace.step_ms;
        if bounds.plateau_ms_max.is_some_and(|most_ms| lasts_ms > most_ms) {
            continue;
        }
        if let Some((from, to)) = between_rise_and_drop(comb, &begin, &end, &highest) {
            mark(from, to);
        }
    }
}

/// Whether the 12 h from a reading on are level.
fn is_level(teeth: &Teeth<'_>) -> bool {
    let (mut sum, mut squares, first) = (0.0, 0.0, teeth.value(0));
    // Differences to the first are small where it matters, so one pass is exact enough.
    for lag in 1..=teeth.pace.in_11_h {
        let from_first = teeth.value(lag) - first;
        sum += from_first;
        squares += from_first * from_first;
    }
    let count = f64::from(teeth.pace.in_11_h + 1);
    (squares - sum * sum / count) / (count - 1.0) <= LEVEL
}

/// The part of a level run that is a plateau.
fn between_rise_and_drop(
    comb: &Comb,
    begin: &Teeth<'_>,
    end: &Teeth<'_>,
    highest: impl Fn(usize) -> Option<f64>,
) -> Option<(usize, usize)> {
    let (half, day) = (begin.pace.in_12_h, end.pace.in_24_h);
    // The rise is only looked for where the series goes on for 12 h.
    (half..=begin.pace.in_24_h).find(|lag| begin.at(*lag).is_some())?;
    let slopes = (-half..=half).map(|lag| begin.slope(lag)).filter(|slope| !slope.is_nan());
    let rise = rounded(slopes.reduce(f64::max)?, 1000.0);
    if rise / begin.pace.step_h() < RISE {
        return None;
    }
    // At the end of the series the drop is looked for in its last 24 h, if the run began before them.
    let ahead = (0..=day).rev().find(|lag| end.at(*lag).is_some())?;
    let run_ms = comb.time_ms(end.nth) - comb.time_ms(begin.nth);
    let run = i32::try_from((run_ms + begin.pace.step_ms / 2) / begin.pace.step_ms).ok()?;
    if day - ahead > run {
        return None;
    }
    let slopes = (ahead - day..=ahead).map(|lag| end.slope(lag)).filter(|slope| !slope.is_nan());
    let drop = rounded(slopes.reduce(f64::min)?, 1000.0);
    if drop >= 0.0 {
        return None;
    }
    let period = 0..=run + begin.pace.in_11_h;
    let is_at = |lag: &i32, wanted: f64| (begin.slope(*lag) - wanted).abs() < ALIKE;
    let from = period.clone().find(|lag| is_at(lag, rise)).unwrap_or(0);
    let to = period.clone().find(|lag| is_at(lag, drop)).unwrap_or(*period.end());
    let values = (from..=to).map(|lag| begin.value(lag)).filter(|value| !value.is_nan());
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    let is_high = sum / f64::from(count) > NEAR_HIGHEST * highest(begin.nth)?;
    is_high.then(|| Some((begin.at(from)?, begin.at(to)?)))?
}
