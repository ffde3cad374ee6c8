//! `D06`: a spike of one or two hours.
//!
//! All of: the value leaves the one before by more than 15 %; it is the strict extremum of three, or
//! the first of two equal ones between two lower or two higher; the bends before and after are alike
//! within 20 %; and the 12 h before and after are calm, their variance below their mean.

use super::comb::{Teeth, moments, rounded};

/// How long a spike lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spike {
    /// This reading alone.
    Single,
    /// This reading and that of the next step.
    Double,
}

/// The spike that begins at this reading.
pub(super) fn spike(teeth: &Teeth<'_>, before: f64, after: f64) -> Option<Spike> {
    let now = teeth.value(0);
    let spike = kind(teeth, before, now, after)?;
    let ratio = rounded(now / before, 1000.0);
    if ratio.is_nan() || (0.85..=1.15).contains(&ratio) {
        return None;
    }
    let bends = rounded((teeth.bend(-1) / teeth.bend(1)).abs(), 1000.0);
    if !(bends > 0.8 && bends < 1.2) {
        return None;
    }
    let half = teeth.pace.in_12_h;
    let others = (-half..=half).filter(|lag| *lag != 0).map(|lag| teeth.value(lag));
    // A missing value makes both NaN.
    let (_, mean, variance) = moments(others);
    (variance / mean < 1.0).then_some(spike)
}

fn kind(teeth: &Teeth<'_>, before: f64, now: f64, after: f64) -> Option<Spike> {
    if before < now && now > after || before > now && now < after {
        return Some(Spike::Single);
    }
    #[expect(clippy::float_cmp, reason = "two readings of the same value")]
    let is_level = now == after;
    let later = if is_level { teeth.value(2) } else { f64::NAN };
    let is_peak = before < now && after > later || before > now && after < later;
    is_peak.then_some(Spike::Double)
}
