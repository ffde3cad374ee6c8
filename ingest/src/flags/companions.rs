//! What else was measured beside soil moisture: frost and rain.

use plotwise_config::reading::Flags;

use super::{TimedReading, comb::Comb, pace::HOUR_MS};

/// A temperature holds for moisture measured less than so much before or after it, ms.
const NEAR_MS: i64 = HOUR_MS / 2;

/// Series beside that of soil moisture, each in order of time, the most trusted first: of the same
/// device, then of others on the plot. Readings with a flag that excludes them are passed over.
#[derive(Clone, Debug, Default)]
pub struct Companions<'a> {
    /// °C, at the depth of the moisture.
    pub soil_temperature: Vec<&'a [TimedReading]>,
    /// °C.
    pub air_temperature: Vec<&'a [TimedReading]>,
    /// mm since the reading before.
    pub rain: Vec<&'a [TimedReading]>,
}

impl Companions<'_> {
    /// Rain after `from_ms` up to and with `to_ms`, of the gauge that saw most: one that leaves out an
    /// hour counts as dry there. `None` where none measured at all.
    pub(super) fn rain_mm(&self, from_ms: i64, to_ms: i64) -> Option<f64> {
        let of_gauges = self.rain.iter().filter_map(|gauge| rain_of(gauge, from_ms, to_ms));
        of_gauges.reduce(f64::max)
    }
}

fn rain_of(gauge: &[TimedReading], from_ms: i64, to_ms: i64) -> Option<f64> {
    let before = |end_ms| gauge.partition_point(|one| one.time.as_millisecond() <= end_ms);
    let watched = gauge[before(from_ms)..before(to_ms)].iter();
    let sound = watched.filter(|reading| !reading.flags.is_excluded());
    sound.map(|reading| reading.value).reduce(|sum, value| sum + value)
}

/// Adds `flag` wherever the nearest temperature was below 0 °C.
pub(super) fn flag_frost(
    comb: &Comb,
    thermometers: &[&[TimedReading]],
    flag: Flags,
    flags: &mut [Flags],
) {
    if thermometers.is_empty() {
        return;
    }
    let mut cursors = vec![0; thermometers.len()];
    for nth in 0..comb.len() {
        let time_ms = comb.time_ms(nth);
        let nearest = thermometers
            .iter()
            .zip(&mut cursors)
            .find_map(|(thermometer, cursor)| nearest(thermometer, cursor, time_ms));
        if nearest.is_some_and(|celsius| celsius < 0.0) {
            let flags = &mut flags[comb.origin(nth)];
            *flags = flags.with(flag);
        }
    }
}

/// The value nearest to a moment; `cursor` follows the moments, which never go back.
fn nearest(series: &[TimedReading], cursor: &mut usize, time_ms: i64) -> Option<f64> {
    let rest = series.get(*cursor..)?;
    *cursor +=
        rest.iter().take_while(|reading| reading.time.as_millisecond() < time_ms - NEAR_MS).count();
    series[*cursor..]
        .iter()
        .map(|reading| (reading.time.as_millisecond() - time_ms, reading))
        .take_while(|(late_ms, _)| *late_ms < NEAR_MS)
        .filter(|(_, reading)| !reading.flags.is_excluded())
        .min_by_key(|(late_ms, _)| late_ms.abs())
        .map(|(_, reading)| reading.value)
}
