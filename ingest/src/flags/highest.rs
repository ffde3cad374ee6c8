//! The highest soil moisture of a place, which `D10` measures plateaus by.

use std::collections::BTreeMap;

use plotwise_config::reading::Flags;

use super::{TimedReading, pace::HOUR_MS};

/// Soil moisture from here on is no measure of what a place can hold, m³/m³.
const PLAUSIBLE_BELOW: f64 = 0.60;

/// So many days of UTC before that of a plateau's begin count, besides that day.
const DAYS: i64 = 30;

/// Days that are kept: those that count, those of a piece with its margins, and some to spare.
const DAYS_KEPT: usize = 100;

const DAY_MS: i64 = 24 * HOUR_MS;

/// Daily maxima of the soil moisture of one place, for the days of UTC that were seen last.
#[derive(Clone, Debug, Default)]
pub struct DayPeaks(BTreeMap<i64, f64>);

impl DayPeaks {
    /// Takes a reading; again and in any order, as long as none is much older than the newest.
    pub fn take(&mut self, reading: &TimedReading) {
        if reading.flags.has(Flags::FAULT_CODE) || reading.value >= PLAUSIBLE_BELOW {
            return;
        }
        let day = reading.time.as_millisecond().div_euclid(DAY_MS);
        let peak = self.0.entry(day).or_insert(f64::NEG_INFINITY);
        *peak = peak.max(reading.value);
        if self.0.len() > DAYS_KEPT {
            self.0.pop_first();
        }
    }

    /// The highest of the day of a moment and the 30 days before.
    pub(super) fn highest(&self, time_ms: i64) -> Option<f64> {
        let day = time_ms.div_euclid(DAY_MS);
        self.0.range(day - DAYS..=day).map(|(_, peak)| *peak).reduce(f64::max)
    }
}

/// The highest of a whole series.
pub(super) fn highest_of(readings: &[TimedReading]) -> Option<f64> {
    let sound = readings.iter().filter(|reading| !reading.flags.has(Flags::FAULT_CODE));
    sound.map(|reading| reading.value).filter(|value| *value < PLAUSIBLE_BELOW).reduce(f64::max)
}
