//! `D07`, `D08`: a break, down or up; `D09`: low constant values after a drop.
//!
//! A break changes the value by more than 10 % and by more than 1 % of the volume within a step, far
//! beyond the mean slope of the day around, and the series goes on level: its bend turns over at once
//! (the two are alike within 5 %) and is gone two steps later. A fall from above 5 % to exactly 0 is a
//! drop, too.
//!
//! After a drop the values are low and constant (`D09`) where the variance of the 12 h that follow is
//! below a thousandth of their mean, and stay so until it grows by as much from one step to the next.

use super::{
    Bounds,
    comb::{Teeth, is_close, moments, rounded},
};

/// Which way a break goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    /// Down.
    Drop,
    /// Up.
    Jump,
}

/// Relative variance below which values are constant.
const CONSTANT: f64 = 0.001;

/// The break at a reading.
pub(super) fn break_at(teeth: &Teeth<'_>, before: f64) -> Option<Break> {
    let now = teeth.value(0);
    let change = now - before;
    if now == 0.0 {
        return (change.abs() > 5.0).then_some(Break::Drop);
    }
    if !(change.abs() > 1.0 && (change / now).abs() > 0.1) {
        return None;
    }
    let bend = teeth.bend(0);
    let turns_over = rounded((teeth.bend(-1) / bend).abs(), 10.0);
    let is_turned = (turns_over - 1.0).abs() <= 1e-2 + 1e-5;
    if !(is_turned && bend != 0.0 && (bend / teeth.bend(2)).abs() > 10.0) {
        return None;
    }
    let slope = teeth.slope(0);
    let usual = usual_slope(teeth)?;
    if slope.abs() <= usual || is_close(slope.abs(), usual) {
        return None;
    }
    Some(if slope < 0.0 { Break::Drop } else { Break::Jump })
}

/// Ten times the mean slope of 12 h before and after. The rule is written for 25 hourly slopes; with
/// fewer a single break would weigh more in their mean, so the sum is taken as of 25.
fn usual_slope(teeth: &Teeth<'_>) -> Option<f64> {
    let half = teeth.pace.in_12_h;
    let slopes = (-half..=half).map(|lag| teeth.slope(lag)).filter(|slope| !slope.is_nan());
    let (count, sum) = slopes.fold((0_u32, 0.0), |(count, sum), slope| (count + 1, sum + slope));
    let share = f64::from(2 * half + 1) / 25.0;
    (count >= 4).then(|| (sum / f64::from(count) * share).abs() * 10.0)
}

/// The last reading of the low constant values that begin with the drop at this reading.
/// `is_drop` says whether there is a drop at a reading.
pub(super) fn low_plateau_end(
    teeth: &Teeth<'_>,
    bounds: Bounds,
    is_drop: impl Fn(usize) -> bool,
) -> Option<usize> {
    if !is_constant(relative_variance(teeth, 0)) {
        return None;
    }
    let window = teeth.pace.in_12_h;
    let lags_max = bounds.plateau_ms_max.map_or(i32::MAX, |most_ms| {
        i32::try_from(most_ms / teeth.pace.step_ms).unwrap_or(i32::MAX)
    });
    // Lag at which the values are constant no more.
    let mut off = None;
    let mut last = teeth.nth;
    let mut variance = relative_variance(teeth, 0);
    for lag in 1..=lags_max {
        if off.is_some_and(|off| lag >= off + window) {
            break;
        }
        // A gap ends it: what came back may be sound.
        let Some(nth) = teeth.at(lag) else { break };
        last = nth;
        if off.is_none() {
            let next = relative_variance(teeth, lag);
            let goes_on = is_drop(nth) && is_constant(next);
            if next - variance >= CONSTANT && !goes_on {
                off = Some(lag);
            }
            variance = next;
        }
    }
    Some(last)
}

fn is_constant(relative_variance: f64) -> bool {
    relative_variance < CONSTANT
}

/// Variance over mean of a tooth and the 12 h after it; 0 for zeros; `NaN` where one is missing.
fn relative_variance(teeth: &Teeth<'_>, lag: i32) -> f64 {
    let (_, mean, variance) = moments((lag..=lag + teeth.pace.in_12_h).map(|lag| teeth.value(lag)));
    let ratio = rounded(variance, 10_000.0) / rounded(mean, 10_000.0);
    if ratio.is_nan() && teeth.value(lag) == 0.0 { 0.0 } else { ratio }
}
