//! Daily weather near Ningxiang, made up: rain by a Markov chain, the rest around it.
//!
//! Richardson's generator (1981, Water Resources Research 17:182-190): wet days by a first-order
//! chain, amounts from a gamma distribution, and residuals of maximum, minimum and radiation that
//! follow their own yesterday. Chain and gamma figures come from monthly rain of Changsha by the
//! rules of Geng et al. (1986, Agricultural and Forest Meteorology 36:363-376). Two changes are
//! ours, because plain Geng makes the droughts of 2013 and 2022 far too rare: longer dry and wet
//! spells in July-October, and a lognormal factor for each month's amounts.
//!
//! Left out: wind, snow, trends of a changing climate.

use jiff::civil::Date;
use plotwise_config::records::{Climate, ClimateDay, ClimateMonth};
use plotwise_model::evapotranspiration::{Sky, extraterrestrial_radiation, hargreaves_mm};
use rand::Rng;
use rand_distr::{Distribution, Gamma, StandardNormal};

use super::chance::stream;

/// Where it is made up for, degrees north.
pub(super) const LATITUDE: f64 = 28.2;

/// P(wet | wet), by month.
const WET_AFTER_WET: [f64; 12] =
    [0.546, 0.572, 0.654, 0.680, 0.624, 0.626, 0.68, 0.68, 0.68, 0.68, 0.504, 0.461];
/// P(wet | dry), by month.
const WET_AFTER_DRY: [f64; 12] =
    [0.296, 0.322, 0.404, 0.430, 0.374, 0.376, 0.197, 0.163, 0.156, 0.214, 0.254, 0.211];
/// Shape of a wet day's amount.
const RAIN_SHAPE: [f64; 12] =
    [0.669, 0.651, 0.630, 0.619, 0.600, 0.592, 0.600, 0.612, 0.635, 0.706, 0.639, 0.672];
/// Scale of a wet day's amount, mm.
const RAIN_SCALE_MM: [f64; 12] =
    [9.7, 11.2, 14.1, 16.2, 22.0, 26.1, 22.2, 18.0, 13.3, 7.4, 12.8, 9.4];
/// Spread (sigma of the logarithm) of each month's factor on amounts.
const MONTH_FACTOR: [f64; 12] =
    [0.20, 0.25, 0.30, 0.0, 0.25, 0.25, 0.30, 0.30, 0.35, 0.40, 0.25, 0.20];
/// Mean of daily maxima, °C.
const MAXIMUM_C: [f64; 12] =
    [8.3, 10.9, 16.2, 22.1, 26.2, 29.7, 33.2, 32.3, 28.4, 22.7, 17.1, 10.7];
/// Mean of daily minima, °C.
const MINIMUM_C: [f64; 12] = [3.2, 5.4, 9.9, 15.0, 19.4, 23.4, 26.4, 25.6, 21.6, 16.2, 10.6, 4.8];
/// Spread of daily maxima, °C: between the typical year's noisy figures, smoothed by us.
const MAXIMUM_SPREAD_C: [f64; 12] = [4.4, 5.0, 5.6, 5.0, 3.6, 3.1, 2.4, 2.7, 3.4, 3.9, 3.8, 4.2];
/// Spread of daily minima, °C; smoothed by us.
const MINIMUM_SPREAD_C: [f64; 12] = [2.2, 3.0, 3.8, 3.4, 2.2, 1.9, 1.5, 1.9, 2.2, 2.4, 3.2, 2.4];
/// How much warmer a dry day's maximum is than a wet one's, °C.
const DRY_WARMER_C: [f64; 12] = [3.5, 2.0, 4.0, 2.5, 3.0, 2.0, 3.0, 4.0, 5.0, 5.0, 2.0, 4.5];
/// Mean radiation, MJ m⁻² d⁻¹.
const RADIATION_MJ: [f64; 12] = [6.2, 7.4, 9.7, 12.5, 13.6, 14.8, 18.7, 17.5, 14.0, 10.8, 8.5, 7.3];
/// A wet day's share of a dry day's radiation; our choice between the typical year's months.
const WET_RADIATION: f64 = 0.5;

/// Richardson's matrices: yesterday's residuals and fresh noise (maximum, minimum, radiation).
const CARRY: [[f64; 3]; 3] =
    [[0.567, 0.086, -0.002], [0.253, 0.504, -0.050], [-0.006, -0.039, 0.244]];
const FRESH: [[f64; 3]; 3] = [[0.781, 0.0, 0.0], [0.328, 0.637, 0.0], [0.238, -0.341, 0.873]];

/// One day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WeatherDay {
    /// °C.
    pub(super) maximum_c: f64,
    /// °C.
    pub(super) minimum_c: f64,
    /// mm.
    pub(super) rain_mm: f64,
    /// MJ m⁻² d⁻¹.
    pub(super) radiation_mj: f64,
}

impl WeatherDay {
    /// Mean of maximum and minimum, °C.
    pub(super) fn mean_c(&self) -> f64 {
        f64::midpoint(self.maximum_c, self.minimum_c)
    }
}

/// Day after day from a first one on.
#[derive(Clone, Debug)]
pub(super) struct Weather {
    /// The first day.
    pub(super) first: Date,
    /// The days.
    pub(super) days: Vec<WeatherDay>,
}

impl Weather {
    /// Makes up the weather of `first` to `last`, both included.
    pub(super) fn draw(seed: u64, first: Date, last: Date) -> Self {
        let mut rng = stream(seed, "weather");
        let mut residual = [0.0; 3];
        let (mut is_wet, mut month_seen, mut factor, mut warmer) = (false, 0, 1.0, 0.0);
        let mut days = Vec::new();
        let mut date = first;
        while date <= last {
            let month = month_of(date);
            if month_seen != month + 1 {
                month_seen = month + 1;
                let sigma = MONTH_FACTOR[month];
                let draw: f64 = rng.sample(StandardNormal);
                factor = (sigma * draw - sigma * sigma / 2.0).exp();
                warmer = rng.sample::<f64, _>(StandardNormal) * 0.9;
            }
            let chance = if is_wet { WET_AFTER_WET[month] } else { WET_AFTER_DRY[month] };
            is_wet = rng.random::<f64>() < chance;
            let rain_mm = if is_wet { factor * amount_mm(month, &mut rng) } else { 0.0 };
            residual = next_residual(residual, &mut rng);
            days.push(day(date, is_wet, (rain_mm * 10.0).round() / 10.0, warmer, residual));
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        Self { first, days }
    }

    /// The place of a date in `days`; the nearest end where it lies outside.
    pub(super) fn index(&self, date: Date) -> usize {
        let hours = date.duration_since(self.first).as_hours().max(0);
        usize::try_from(hours / 24).unwrap_or(0).min(self.days.len().saturating_sub(1))
    }

    /// The date of a place in `days`.
    pub(super) fn date(&self, index: usize) -> Date {
        let days = i64::try_from(index).unwrap_or(0);
        self.first.saturating_add(jiff::Span::new().days(days))
    }

    /// The days from `from` to `to` as records, and normals made of them.
    pub(super) fn climate(&self, from: Date, to: Date) -> Climate {
        let days: Vec<ClimateDay> = (self.index(from)..=self.index(to))
            .map(|index| {
                let day = self.days[index];
                ClimateDay {
                    date: self.date(index),
                    air_temperature_max: tenth(day.maximum_c),
                    air_temperature_min: tenth(day.minimum_c),
                    rain: tenth(day.rain_mm),
                    daily_radiation: Some(tenth(day.radiation_mj)),
                    sunshine: None,
                }
            })
            .collect();
        let months = (1..=12).filter_map(|month| normal_month(month, &days)).collect();
        Climate { days, months }
    }
}

/// Reference evapotranspiration, mm a day: the world has no wind and no humidity to do better than
/// Hargreaves' equation.
pub(super) fn reference_evapotranspiration_mm(date: Date, day: &WeatherDay) -> f64 {
    let maximum_c = day.maximum_c.max(day.minimum_c + 0.5);
    hargreaves_mm(sky(date), maximum_c, day.minimum_c).max(0.0)
}

/// The sky over the world on a day.
pub(super) fn sky(date: Date) -> Sky {
    Sky { latitude: LATITUDE, day_of_year: date.day_of_year() }
}

fn month_of(date: Date) -> usize {
    usize::try_from(date.month() - 1).unwrap_or(0)
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn amount_mm(month: usize, rng: &mut impl Rng) -> f64 {
    Gamma::new(RAIN_SHAPE[month], RAIN_SCALE_MM[month]).map_or(0.0, |gamma| gamma.sample(rng))
}

fn next_residual(last: [f64; 3], rng: &mut impl Rng) -> [f64; 3] {
    let noise: [f64; 3] = std::array::from_fn(|_| rng.sample(StandardNormal));
    std::array::from_fn(|row| {
        (0..3).map(|k| CARRY[row][k] * last[k] + FRESH[row][k] * noise[k]).sum()
    })
}

/// A monthly figure, on its way from the middle of one month to that of the next.
fn monthly(table: &[f64; 12], date: Date) -> f64 {
    let place = f64::from(date.month() - 1) + (f64::from(date.day()) - 15.5) / 30.4;
    let month = month_of(date);
    let other = if place < month as f64 { (month + 11) % 12 } else { (month + 1) % 12 };
    let weight = (place - month as f64).abs();
    table[month] * (1.0 - weight) + table[other] * weight
}

fn day(date: Date, is_wet: bool, rain_mm: f64, warmer: f64, residual: [f64; 3]) -> WeatherDay {
    let month = month_of(date);
    // Long-run share of wet days of the chain, so that the mix keeps the monthly mean.
    let wet = WET_AFTER_DRY[month] / (1.0 - WET_AFTER_WET[month] + WET_AFTER_DRY[month]);
    let shift = DRY_WARMER_C[month] * if is_wet { wet - 1.0 } else { wet };
    let spread = (MAXIMUM_SPREAD_C[month].powi(2)
        - DRY_WARMER_C[month].powi(2) * wet * (1.0 - wet))
        .max(1.0)
        .sqrt();
    let maximum_c = monthly(&MAXIMUM_C, date) + warmer + shift + spread * residual[0];
    let minimum_c = (monthly(&MINIMUM_C, date) + warmer + MINIMUM_SPREAD_C[month] * residual[1])
        .min(maximum_c - 0.8);
    let dry_mj = monthly(&RADIATION_MJ, date) / (1.0 - wet + wet * WET_RADIATION);
    let mean_mj = if is_wet { dry_mj * WET_RADIATION } else { dry_mj };
    let most_mj = 0.75 * extraterrestrial_radiation(sky(date));
    let radiation_mj = (mean_mj * (1.0 + 0.28 * residual[2])).clamp(0.8, most_mj);
    WeatherDay { maximum_c, minimum_c, rain_mm, radiation_mj }
}

fn normal_month(month: i8, days: &[ClimateDay]) -> Option<ClimateMonth> {
    let of_month: Vec<&ClimateDay> = days.iter().filter(|day| day.date.month() == month).collect();
    let count = of_month.len() as f64;
    let mean = |value: fn(&ClimateDay) -> f64| {
        tenth(of_month.iter().map(|day| value(day)).sum::<f64>() / count)
    };
    let length = f64::from(of_month.first()?.date.days_in_month());
    Some(ClimateMonth {
        month,
        air_temperature_max: mean(|day| day.air_temperature_max),
        air_temperature_min: mean(|day| day.air_temperature_min),
        rain: tenth(of_month.iter().map(|day| day.rain).sum::<f64>() / count * length),
        daily_radiation: Some(mean(|day| day.daily_radiation.unwrap_or(0.0))),
        sunshine: None,
    })
}
