mod cadence;
mod pieces;
mod reference;
mod shapes;
mod values;

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use plotwise_config::{catalogue::Catalogue, land::Water, reading::DepthMm};

use super::*;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::shipped().unwrap());

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

fn start() -> Timestamp {
    "2026-05-01T00:00:00Z".parse().unwrap()
}

fn at(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn reading(seconds: i64, value: f64) -> TimedReading {
    TimedReading { time: at(seconds), value, flags: Flags::NONE }
}

/// Every `cadence` seconds of so many hours, a value by its hour.
fn every(cadence: i64, hours: i64, value: impl Fn(f64) -> f64) -> Vec<TimedReading> {
    (0..hours * HOUR / cadence)
        .map(|nth| reading(nth * cadence, value(nth as f64 * cadence as f64 / HOUR as f64)))
        .collect()
}

/// Hourly soil moisture in percent.
fn hourly(percent: impl IntoIterator<Item = f64>) -> Vec<TimedReading> {
    let values = (0..).zip(percent);
    values.map(|(hour, percent)| reading(hour * HOUR, percent / 100.0)).collect()
}

/// What a series is judged by; rain-fed land without companions unless told.
struct Judge {
    key: &'static str,
    land: Land,
    depth: Option<DepthMm>,
    soil_temperature: Vec<TimedReading>,
    air_temperature: Vec<TimedReading>,
    rain: Vec<Vec<TimedReading>>,
}

impl Default for Judge {
    fn default() -> Self {
        Self {
            key: SOIL_MOISTURE,
            land: Land::default(),
            depth: None,
            soil_temperature: Vec::new(),
            air_temperature: Vec::new(),
            rain: Vec::new(),
        }
    }
}

impl Judge {
    fn of(key: &'static str) -> Self {
        Self { key, ..Self::default() }
    }

    fn under(water: Water) -> Self {
        Self { land: Land::under(water, None), ..Self::default() }
    }

    fn flags_in(&self, readings: &[TimedReading], extent: Extent<'_>) -> Vec<Flags> {
        let catalogue = &*CATALOGUE;
        let quantity = catalogue.quantity(catalogue.quantity_no(self.key).unwrap());
        let companions = Companions {
            soil_temperature: vec![&self.soil_temperature],
            air_temperature: vec![&self.air_temperature],
            rain: self.rain.iter().map(Vec::as_slice).collect(),
        };
        let (land, depth) = (&self.land, self.depth);
        let context = Context { quantity, depth, land, companions: &companions, extent };
        let mut flags = Vec::new();
        flag(readings, &context, &mut flags);
        assert_eq!(flags.len(), readings.len());
        flags
    }

    fn flags(&self, readings: &[TimedReading]) -> Vec<Flags> {
        self.flags_in(readings, Extent::Whole)
    }

    /// Places of the readings that carry a flag.
    fn places(&self, readings: &[TimedReading], code: &str) -> Vec<usize> {
        let flag = Flags::parse_code(code).unwrap();
        let flags = self.flags(readings).into_iter().enumerate();
        flags.filter(|(_, flags)| flags.has(flag)).map(|(place, _)| place).collect()
    }
}

/// A little up and down, so that nothing rests.
fn wobble(hour: f64) -> f64 {
    0.1 * (hour * 1.7).sin() + 0.07 * (hour * 0.9).cos()
}
