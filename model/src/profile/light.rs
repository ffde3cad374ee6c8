//! The daily light integral, from whichever light sensor the plot has.
//!
//! One missing noon sample costs 5-10 %, so a day counts only where the gaps come to no more than a
//! fifth of its daylight. Factors hold for sunlight without cover, not under film or a canopy.
//!
//! # Source
//!
//! 0.0185 µmol m⁻² s⁻¹ a lux (Apogee Instruments, conversion of PPFD to lux, sunlight); 2.02-2.1 µmol a
//! joule of global radiation, of which we take the middle.

use jiff::civil::Date;
use plotwise_config::day::DaySummary;
use std::collections::BTreeMap;

use super::{Figure, FigureBasis, Tables, Window, statistic};
use crate::{
    dossier::Dossier,
    evapotranspiration::{Sky, day_length_h},
    soil_water::MoistureDay,
};

/// Largest share of daylight that may be missing.
const DAYLIGHT_MISSING_MAX: f64 = 0.2;

/// µmol m⁻² s⁻¹ a lux.
const PPFD_PER_LUX: f64 = 0.0185;

/// µmol a joule of global radiation; mol a MJ.
const PPFD_PER_WATT: f64 = 2.06;

/// How a quantity becomes mol m⁻² d⁻¹.
#[derive(Clone, Copy)]
enum Way {
    /// The day's mean, times a factor.
    Mean(f64),
    /// The integral over the day, times a factor to µmol m⁻² s⁻¹.
    Integral(f64),
}

/// Best first.
const SOURCES: [(&str, Way, FigureBasis); 5] = [
    ("daily_light_integral", Way::Mean(1.0), FigureBasis::Readings),
    ("ppfd", Way::Integral(1.0), FigureBasis::Readings),
    ("global_radiation", Way::Integral(PPFD_PER_WATT), FigureBasis::Converted),
    ("daily_radiation", Way::Mean(PPFD_PER_WATT), FigureBasis::Converted),
    ("illuminance", Way::Integral(PPFD_PER_LUX), FigureBasis::Converted),
];

/// Mean over the days of the best source that has any.
pub(super) fn daily_light(
    tables: &Tables<'_>,
    dossier: &Dossier,
    window: &Window,
) -> Option<Figure> {
    SOURCES.iter().find_map(|&(key, way, basis)| {
        let days = light_days(tables, dossier, key, way);
        let mean = statistic(&days, None)?;
        let figure = window.figure(&days, mean, "mol/m2/d")?;
        Some(Figure { basis, ..figure })
    })
}

fn light_days(tables: &Tables<'_>, dossier: &Dossier, key: &str, way: Way) -> Vec<MoistureDay> {
    let Some(quantity) = tables.quantity(key) else { return Vec::new() };
    let latitude = dossier.plot.centre.latitude;
    let (first, last) = dossier.window;
    let mut sums: BTreeMap<Date, (f64, f64)> = BTreeMap::new();
    let days = dossier
        .days
        .iter()
        .filter(|day| day.quantity == quantity && (first..=last).contains(&day.day));
    for day in days {
        if let Some(value) = light_of(day, latitude, way) {
            let sum = sums.entry(day.day).or_default();
            *sum = (sum.0 + value, sum.1 + 1.0);
        }
    }
    sums.into_iter().map(|(date, (sum, count))| (date, sum / count)).collect()
}

fn light_of(day: &DaySummary, latitude: f64, way: Way) -> Option<f64> {
    match way {
        Way::Mean(factor) => Some(day.statistics?.mean * factor),
        Way::Integral(factor) => {
            let sky = Sky { latitude, day_of_year: day.day.day_of_year() };
            let daylight_s = day_length_h(sky) * 3600.0;
            let covered_s = f64::from(day.covered_s);
            // A sensor that sleeps at night never sees the dark: its hours are all daylight.
            let sleeps = day.statistics?.min > 0.0;
            let wanted_s = if sleeps { daylight_s } else { 86_400.0 };
            // Midnight lies between two readings of different days, and is dark.
            let midnight_s = covered_s / f64::from(day.count.saturating_sub(1).max(1));
            let missing_s = wanted_s - covered_s - if sleeps { 0.0 } else { midnight_s };
            (missing_s <= DAYLIGHT_MISSING_MAX * daylight_s).then_some(day.integral * factor / 1e6)
        }
    }
}
