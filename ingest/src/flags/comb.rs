//! A series of soil moisture as the shape checks see it: each reading among those whole steps away.
//!
//! ```text
//! every 20 minutes   . . . . . . . . . . . . .
//! the comb of one    .     .     X     .     .
//!                   -2    -1     0     1     2
//! ```
//!
//! A tooth is the reading nearest to its moment, at most half a step away; where there is none it is
//! missing, and stands as `NaN`, which no comparison meets. So a gap is never bridged: what needs the
//! value there does not judge.

use plotwise_config::reading::Flags;

use super::{
    TimedReading,
    pace::{HOUR_MS, Pace, paces_of},
};

/// Silence of more than this ends a series: what follows begins anew.
const END_MS: i64 = 24 * HOUR_MS;

/// Teeth are looked for so many readings around where they should be, then by halving.
const NEAR: usize = 8;

/// A percent has nine decimals: dropping the noise of the conversion from m³/m³ brings back what the
/// sensor said.
const SCALE: f64 = 1e9;

/// Readings without those that have a fault code.
#[derive(Debug)]
pub(super) struct Comb {
    /// Milliseconds, in order.
    times: Vec<i64>,
    /// Percent of the volume, the unit of the rules.
    values: Vec<f64>,
    /// Where in the series.
    origins: Vec<u32>,
    paces: Vec<Option<Pace>>,
    pace_of: Vec<u32>,
}

impl Comb {
    pub(super) fn new(readings: &[TimedReading]) -> Self {
        let count = readings.len();
        let (mut times, mut values) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut origins = Vec::with_capacity(count);
        for (place, reading) in (0..).zip(readings) {
            if !reading.flags.has(Flags::FAULT_CODE) {
                times.push(reading.time.as_millisecond());
                values.push(percent(reading.value));
                origins.push(place);
            }
        }
        let (paces, pace_of) = paces_of(&times);
        Self { times, values, origins, paces, pace_of }
    }

    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    /// The place in the series of a reading.
    pub(super) fn origin(&self, nth: usize) -> usize {
        self.origins[nth] as usize
    }

    pub(super) fn time_ms(&self, nth: usize) -> i64 {
        self.times[nth]
    }

    /// The comb through a reading; `None` where the series is too slow to be judged.
    pub(super) fn through(&self, nth: usize) -> Option<Teeth<'_>> {
        let pace = self.paces[self.pace_of[nth] as usize]?;
        Some(Teeth { comb: self, nth, pace })
    }
}

/// A share as percent, without the noise of the conversion.
pub(super) fn percent(share: f64) -> f64 {
    (share * 100.0 * SCALE).round() / SCALE
}

/// The comb through one reading.
#[derive(Clone, Copy, Debug)]
pub(super) struct Teeth<'a> {
    comb: &'a Comb,
    pub(super) nth: usize,
    pub(super) pace: Pace,
}

impl Teeth<'_> {
    /// The reading so many steps later.
    pub(super) fn at(&self, lag: i32) -> Option<usize> {
        if lag == 0 {
            return Some(self.nth);
        }
        let times = &self.comb.times;
        let target = times[self.nth] + i64::from(lag) * self.pace.step_ms;
        let distance = lag.unsigned_abs() as usize * self.pace.stride;
        let last = times.len() - 1;
        let guess = if lag < 0 {
            self.nth.saturating_sub(distance)
        } else {
            last.min(self.nth.saturating_add(distance))
        };
        if times[guess] == target {
            return Some(guess);
        }
        nearest(times, guess, target, self.pace.step_ms / 2)
    }

    /// The value so many steps later; `NaN` where it is missing.
    pub(super) fn value(&self, lag: i32) -> f64 {
        self.at(lag).map_or(f64::NAN, |nth| self.comb.values[nth])
    }

    /// Half the difference of the values around a tooth: the slope per step.
    pub(super) fn slope(&self, lag: i32) -> f64 {
        let [before, _, after] = self.around(lag);
        (after - before) / 2.0
    }

    /// The second difference at a tooth, per step squared.
    pub(super) fn bend(&self, lag: i32) -> f64 {
        let [before, here, after] = self.around(lag);
        after - 2.0 * here + before
    }

    /// A tooth and its neighbours. Where the series begins or ends, its border value is repeated.
    fn around(&self, lag: i32) -> [f64; 3] {
        let Some(nth) = self.at(lag) else { return [f64::NAN; 3] };
        let (times, here) = (&self.comb.times, self.comb.values[nth]);
        let is_last = times.get(nth + 1).is_none_or(|next| next - times[nth] > END_MS);
        let is_first = nth == 0 || times[nth] - times[nth - 1] > END_MS;
        [
            if is_first { here } else { self.value(lag - 1) },
            here,
            if is_last { here } else { self.value(lag + 1) },
        ]
    }
}

/// The reading nearest to a moment, less than `reach` after it or at most as much before.
fn nearest(times: &[i64], guess: usize, target: i64, reach: i64) -> Option<usize> {
    let mut after = guess;
    let mut tries = 0;
    while tries < NEAR && after < times.len() && times[after] < target {
        (after, tries) = (after + 1, tries + 1);
    }
    while tries < NEAR && after > 0 && times[after - 1] >= target {
        (after, tries) = (after - 1, tries + 1);
    }
    if tries == NEAR {
        after = times.partition_point(|time| *time < target);
    }
    let late = times.get(after).map(|time| time - target).filter(|late| *late < reach);
    let early = after.checked_sub(1).map(|before| target - times[before]);
    match (early.filter(|early| *early <= reach), late) {
        (Some(early), Some(late)) if late < early => Some(after),
        (Some(_), _) => after.checked_sub(1),
        (None, Some(_)) => Some(after),
        (None, None) => None,
    }
}

/// To so many decimals, halves to the even one, as the ISMN's own code rounds.
pub(super) fn rounded(number: f64, scale: f64) -> f64 {
    (number * scale).round_ties_even() / scale
}

/// Whether two numbers are the same but for noise, as the ISMN's own code has it.
pub(super) fn is_close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-8 + 1e-5 * b.abs()
}

/// Number, mean and sample variance of values; the variance is `NaN` for fewer than two.
pub(super) fn moments(values: impl Iterator<Item = f64> + Clone) -> (usize, f64, f64) {
    let (count, sum) =
        values.clone().fold((0_usize, 0.0), |(count, sum), value| (count + 1, sum + value));
    let mean = sum / count as f64;
    let squares: f64 = values.map(|value| (value - mean) * (value - mean)).sum();
    let variance = if count < 2 { f64::NAN } else { squares / (count as f64 - 1.0) };
    (count, mean, variance)
}
