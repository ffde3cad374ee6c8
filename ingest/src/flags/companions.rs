//! What else was measured beside soil moisture: frost and rain.

use plotwise_config::{
    catalogue::Catalogue,
    reading::{DepthMm, Flags, QuantityNo},
};

use super::{SOIL_MOISTURE, TimedReading, comb::Comb, pace::HOUR_MS};

/// Soil temperature speaks for moisture at most so far above or below it, mm. Our choice: the wave of
/// a day is damped to a third over this.
const FROST_REACH_MM: u16 = 100;

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

/// The quantities that play a part in the checks of soil moisture.
#[derive(Clone, Copy, Debug)]
pub struct Roles {
    moisture: Option<QuantityNo>,
    soil_temperature: Option<QuantityNo>,
    air_temperature: Option<QuantityNo>,
    rain: Option<QuantityNo>,
}

/// A series that soil moisture may be judged by.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// What is measured.
    pub quantity: QuantityNo,
    /// Where.
    pub depth: Option<DepthMm>,
    /// The lower, the more it is trusted: 0 for the same device.
    pub rank: usize,
    /// Flagged with its range at least.
    pub readings: &'a [TimedReading],
}

impl Roles {
    /// By the keys of a catalogue; one that lacks a quantity leaves its checks out.
    pub fn of(catalogue: &Catalogue) -> Self {
        Self {
            moisture: catalogue.quantity_no(SOIL_MOISTURE),
            soil_temperature: catalogue.quantity_no("soil_temperature"),
            air_temperature: catalogue.quantity_no("air_temperature"),
            rain: catalogue.quantity_no("rain"),
        }
    }

    /// Whether it is the quantity that the others are companions of.
    pub fn is_moisture(&self, quantity: QuantityNo) -> bool {
        self.moisture == Some(quantity)
    }

    /// Whether soil moisture is judged by it.
    pub fn is_companion(&self, quantity: QuantityNo) -> bool {
        self.companion_quantities().any(|companion| companion == quantity)
    }

    /// What soil moisture is judged by.
    pub fn companion_quantities(&self) -> impl Iterator<Item = QuantityNo> {
        [self.soil_temperature, self.air_temperature, self.rain].into_iter().flatten()
    }

    /// What a quantity at a depth is judged by: by rank, then the nearest depth first.
    pub fn companions<'a>(
        &self,
        (quantity, depth): (QuantityNo, Option<DepthMm>),
        candidates: &[Candidate<'a>],
    ) -> Companions<'a> {
        if !self.is_moisture(quantity) {
            return Companions::default();
        }
        let distance_mm = |candidate: &Candidate<'_>| match (candidate.depth, depth) {
            (Some(DepthMm(one)), Some(DepthMm(other))) => one.abs_diff(other),
            _ => 0,
        };
        let list = |quantity: Option<QuantityNo>, reach_mm: u16| {
            let of_quantity = candidates.iter().filter(|one| Some(one.quantity) == quantity);
            let mut near: Vec<_> = of_quantity.filter(|one| distance_mm(one) <= reach_mm).collect();
            near.sort_by_key(|one| (one.rank, distance_mm(one)));
            near.into_iter().map(|one| one.readings).collect()
        };
        Companions {
            soil_temperature: list(self.soil_temperature, FROST_REACH_MM),
            air_temperature: list(self.air_temperature, u16::MAX),
            rain: list(self.rain, u16::MAX),
        }
    }
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

/// The sound value nearest to a moment, the earlier of two. `cursor` follows the moments, which never
/// go back.
fn nearest(series: &[TimedReading], cursor: &mut usize, time_ms: i64) -> Option<f64> {
    let time_of = |reading: &TimedReading| reading.time.as_millisecond();
    let rest = series.get(*cursor..)?;
    *cursor += rest.iter().take_while(|reading| time_of(reading) < time_ms).count();
    let (before, after) = series.split_at(*cursor);
    let is_sound = |reading: &&TimedReading| !reading.flags.is_excluded();
    let early = before
        .iter()
        .rev()
        .take_while(|reading| time_ms - time_of(reading) <= NEAR_MS)
        .find(is_sound)
        .map(|reading| (time_ms - time_of(reading), reading.value));
    let late = after
        .iter()
        .take_while(|reading| time_of(reading) - time_ms < NEAR_MS)
        .find(is_sound)
        .map(|reading| (time_of(reading) - time_ms, reading.value));
    match (early, late) {
        (Some((early_ms, value)), Some((late_ms, _))) if early_ms <= late_ms => Some(value),
        (_, Some((_, value))) | (Some((_, value)), None) => Some(value),
        (None, None) => None,
    }
}
