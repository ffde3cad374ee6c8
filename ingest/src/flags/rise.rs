//! `D04`: soil moisture rises without rain.
//!
//! Within 0.1 m of the surface: it rose over the last hour and over the last 24, the latter by more than
//! twice the standard deviation of that day, and the rain of these 24 h stays below what could have
//! wetted the soil down to the probe. Where nobody measured rain in these 24 h, nothing is said.

use plotwise_config::reading::DepthMm;

use super::{
    comb::{Teeth, is_close, moments, rounded},
    companions::Companions,
    pace::HOUR_MS,
};

/// From this depth on moisture may rise without the rain of the day, mm.
const DEPTH_MM_MIN: u16 = 100;

/// Less rain than this cannot wet soil whose depth is not known, mm.
const RAIN_MM: f64 = 0.2;

/// Rain that wets the soil down to the probe: half of 5 % of the volume above it.
const RAIN_MM_PER_MM: f64 = 0.05 * 0.5;

/// The least rain that explains a rise at a depth, mm; `None` where the check does not apply.
pub(super) fn least_rain_mm(depth: Option<DepthMm>) -> Option<f64> {
    match depth {
        Some(DepthMm(deep)) if deep >= DEPTH_MM_MIN => None,
        None | Some(DepthMm(0)) => Some(RAIN_MM),
        Some(DepthMm(shallow)) => Some(f64::from(shallow) * RAIN_MM_PER_MM),
    }
}

/// Whether the reading rose without rain.
pub(super) fn is_without_rain(
    teeth: &Teeth<'_>,
    time_ms: i64,
    companions: &Companions<'_>,
    least_rain_mm: f64,
) -> bool {
    let now = teeth.value(0);
    let day = teeth.pace.in_24_h;
    let in_a_day = now - teeth.value(-day);
    if !(now - teeth.value(-1) > 0.0 && in_a_day > 0.0) {
        return false;
    }
    let known = (-day..=0).map(|lag| teeth.value(lag)).filter(|value| !value.is_nan());
    let twice_deviation = 2.0 * moments(known).2.sqrt();
    in_a_day > twice_deviation
        && !is_close(in_a_day, twice_deviation)
        && companions
            .rain_mm(time_ms - 24 * HOUR_MS, time_ms)
            .is_some_and(|rain_mm| rounded(rain_mm, 10.0) < least_rain_mm)
}
