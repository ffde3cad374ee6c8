//! Reference evapotranspiration ET0: how much water the weather asks of a short green crop.
//!
//! Penman-Monteith as FAO-56 writes it (equation 6), for a day or, with a soil heat flux, for a
//! month. A farm seldom has a wind or humidity sensor: what is missing is filled the way FAO-56
//! chapter 3 proposes, and [`ReferenceEvapotranspiration::defaulted`] says what was. Without any
//! sunlight figure the Hargreaves equation (52) stands in.
//!
//! # Source
//!
//! Allen, Pereira, Raes and Smith (1998), *Crop evapotranspiration*, FAO Irrigation and Drainage
//! Paper 56, chapters 3 and 4; equation numbers stand at the functions.

use std::f64::consts::PI;

/// Wind where nobody measured it, m/s at 2 m (FAO-56, chapter 3).
pub const WIND_DEFAULT_M_S: f64 = 2.0;

/// Height above the sea where nobody said it, m. Our choice: 100 m more change ET0 by about 0.3 %.
pub const ELEVATION_DEFAULT_M: f64 = 0.0;

/// Albedo of the reference crop (FAO-56, equation 38).
const ALBEDO: f64 = 0.23;

/// MJ m⁻² d⁻¹ to mm of evaporated water a day (FAO-56, equation 20).
const MM_PER_MJ: f64 = 0.408;

/// Water vapour in the air.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Humidity {
    /// Largest and smallest relative humidity of the day, percent.
    Range {
        /// Percent.
        max_percent: f64,
        /// Percent.
        min_percent: f64,
    },
    /// Mean relative humidity, percent (equation 19).
    Mean {
        /// Percent.
        percent: f64,
    },
    /// Actual vapour pressure, kPa.
    Vapour {
        /// kPa.
        kpa: f64,
    },
}

/// Wind and the height of its sensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wind {
    /// m/s.
    pub speed_m_s: f64,
    /// m above ground.
    pub height_m: f64,
}

/// Sunlight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sunlight {
    /// Global radiation, MJ m⁻² d⁻¹.
    Radiation {
        /// MJ m⁻² d⁻¹.
        mj_m2: f64,
    },
    /// Hours of sunshine (Ångström, equation 35 with 0.25 and 0.50).
    Sunshine {
        /// Hours.
        hours: f64,
    },
}

/// Where and on which day of the year.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sky {
    /// Degrees north.
    pub latitude: f64,
    /// 1-366.
    pub day_of_year: i16,
}

/// A day's weather, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayWeather {
    /// °C.
    pub temperature_max_c: f64,
    /// °C; not above the largest.
    pub temperature_min_c: f64,
    /// Water vapour.
    pub humidity: Option<Humidity>,
    /// Wind.
    pub wind: Option<Wind>,
    /// Sunlight.
    pub sunlight: Option<Sunlight>,
    /// Metres above the sea.
    pub elevation_m: Option<f64>,
    /// Soil heat flux, MJ m⁻² d⁻¹: 0 for a day, see [`monthly_soil_heat_flux`] for months.
    pub soil_heat_flux_mj_m2: f64,
}

/// An input that nobody gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Defaulted {
    /// Vapour pressure taken at the night's lowest temperature (equation 48).
    Humidity,
    /// [`WIND_DEFAULT_M_S`].
    Wind,
    /// No sunlight: Hargreaves instead of Penman-Monteith.
    Sunlight,
    /// [`ELEVATION_DEFAULT_M`].
    Elevation,
}

/// ET0 and what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceEvapotranspiration {
    /// mm a day, never negative.
    pub mm: f64,
    /// Inputs that were filled in.
    pub defaulted: Vec<Defaulted>,
}

/// ET0 of a day.
///
/// Not a number where a temperature is not; callers leave such days out.
pub fn reference_evapotranspiration(sky: Sky, day: &DayWeather) -> ReferenceEvapotranspiration {
    let Some(sunlight) = day.sunlight else {
        let mm = hargreaves_mm(sky, day.temperature_max_c, day.temperature_min_c);
        return ReferenceEvapotranspiration { mm, defaulted: vec![Defaulted::Sunlight] };
    };
    let mut defaulted = Vec::new();
    let elevation_m = day.elevation_m.unwrap_or_else(|| {
        defaulted.push(Defaulted::Elevation);
        ELEVATION_DEFAULT_M
    });
    let wind_2m = day.wind.map_or_else(
        || {
            defaulted.push(Defaulted::Wind);
            WIND_DEFAULT_M_S
        },
        wind_at_2m,
    );
    let actual = day.humidity.map_or_else(
        || {
            defaulted.push(Defaulted::Humidity);
            saturation_vapour_pressure(day.temperature_min_c)
        },
        |humidity| vapour_pressure(humidity, day.temperature_max_c, day.temperature_min_c),
    );

    let mean_c = f64::midpoint(day.temperature_max_c, day.temperature_min_c);
    let saturated = mean_saturation(day.temperature_max_c, day.temperature_min_c);
    let slope = saturation_slope(mean_c);
    let gamma = psychrometric_constant(elevation_m);
    let incoming = incoming_radiation(sky, sunlight);
    let net = net_radiation(sky, day, elevation_m, incoming, actual);
    let energy = MM_PER_MJ * slope * (net - day.soil_heat_flux_mj_m2);
    let air = gamma * 900.0 / (mean_c + 273.0) * wind_2m * (saturated - actual).max(0.0);
    let mm = (energy + air) / (slope + gamma * (1.0 + 0.34 * wind_2m));
    ReferenceEvapotranspiration { mm: mm.max(0.0), defaulted }
}

/// Hargreaves' ET0 from temperatures alone, mm a day (equation 52).
pub fn hargreaves_mm(sky: Sky, temperature_max_c: f64, temperature_min_c: f64) -> f64 {
    let mean_c = f64::midpoint(temperature_max_c, temperature_min_c);
    let range = (temperature_max_c - temperature_min_c).max(0.0);
    let mm = 0.0023 * (mean_c + 17.8) * range.sqrt() * extraterrestrial_radiation(sky) * MM_PER_MJ;
    mm.max(0.0)
}

/// Soil heat flux of a month, MJ m⁻² d⁻¹, from its mean temperature and that before (equation 44).
pub fn monthly_soil_heat_flux(mean_c: f64, month_before_c: f64) -> f64 {
    0.14 * (mean_c - month_before_c)
}

/// Radiation at the top of the atmosphere, MJ m⁻² d⁻¹ (equation 21).
pub fn extraterrestrial_radiation(sky: Sky) -> f64 {
    let latitude = sky.latitude.to_radians();
    let (distance, declination, sunset) = sun(sky);
    let beam = sunset * latitude.sin() * declination.sin()
        + latitude.cos() * declination.cos() * sunset.sin();
    24.0 * 60.0 / PI * 0.0820 * distance * beam
}

/// Hours from sunrise to sunset (equation 34).
pub fn day_length_h(sky: Sky) -> f64 {
    let (_, _, sunset) = sun(sky);
    24.0 / PI * sunset
}

/// Global radiation at the ground, MJ m⁻² d⁻¹ (equation 35 where sunshine is what is known).
pub fn incoming_radiation(sky: Sky, sunlight: Sunlight) -> f64 {
    match sunlight {
        Sunlight::Radiation { mj_m2 } => mj_m2,
        Sunlight::Sunshine { hours } => {
            let length = day_length_h(sky);
            let share = if length > 0.0 { (hours / length).clamp(0.0, 1.0) } else { 0.0 };
            (0.25 + 0.50 * share) * extraterrestrial_radiation(sky)
        }
    }
}

/// Inverse relative distance to the sun, declination and sunset hour angle (equations 23-25), rad.
fn sun(sky: Sky) -> (f64, f64, f64) {
    let turn = 2.0 * PI / 365.0 * f64::from(sky.day_of_year);
    let distance = 1.0 + 0.033 * turn.cos();
    let declination = 0.409 * (turn - 1.39).sin();
    // Clamped: beyond the polar circles the sun does not set, or does not rise.
    let cosine = (-sky.latitude.to_radians().tan() * declination.tan()).clamp(-1.0, 1.0);
    (distance, declination, cosine.acos())
}

/// kPa at a temperature in °C (equation 11).
fn saturation_vapour_pressure(celsius: f64) -> f64 {
    0.6108 * (17.27 * celsius / (celsius + 237.3)).exp()
}

/// kPa (equation 12).
fn mean_saturation(max_c: f64, min_c: f64) -> f64 {
    f64::midpoint(saturation_vapour_pressure(max_c), saturation_vapour_pressure(min_c))
}

/// kPa/°C (equation 13).
fn saturation_slope(celsius: f64) -> f64 {
    4098.0 * saturation_vapour_pressure(celsius) / (celsius + 237.3).powi(2)
}

/// Actual vapour pressure, kPa (equations 17 and 19).
fn vapour_pressure(humidity: Humidity, max_c: f64, min_c: f64) -> f64 {
    match humidity {
        Humidity::Range { max_percent, min_percent } => {
            (saturation_vapour_pressure(min_c) * max_percent
                + saturation_vapour_pressure(max_c) * min_percent)
                / 200.0
        }
        Humidity::Mean { percent } => percent / 100.0 * mean_saturation(max_c, min_c),
        Humidity::Vapour { kpa } => kpa,
    }
}

/// kPa (equation 7).
fn air_pressure(elevation_m: f64) -> f64 {
    101.3 * ((293.0 - 0.0065 * elevation_m) / 293.0).powf(5.26)
}

/// kPa/°C (equation 8).
fn psychrometric_constant(elevation_m: f64) -> f64 {
    0.665e-3 * air_pressure(elevation_m)
}

/// m/s (equation 47).
fn wind_at_2m(wind: Wind) -> f64 {
    wind.speed_m_s * 4.87 / (67.8 * wind.height_m - 5.42).ln()
}

/// Net radiation, MJ m⁻² d⁻¹ (equations 37-40).
fn net_radiation(sky: Sky, day: &DayWeather, elevation_m: f64, incoming: f64, actual: f64) -> f64 {
    (1.0 - ALBEDO) * incoming - net_longwave(sky, day, elevation_m, incoming, actual)
}

/// MJ m⁻² d⁻¹ (equation 39). The cloud term is held between 0.3 and 1, the range FAO-56 gives.
fn net_longwave(sky: Sky, day: &DayWeather, elevation_m: f64, incoming: f64, actual: f64) -> f64 {
    let clear = (0.75 + 2e-5 * elevation_m) * extraterrestrial_radiation(sky);
    let relative = if clear > 0.0 { (incoming / clear).clamp(0.3, 1.0) } else { 1.0 };
    let kelvin4 = |celsius: f64| (celsius + 273.16).powi(4);
    let emitted =
        4.903e-9 * f64::midpoint(kelvin4(day.temperature_max_c), kelvin4(day.temperature_min_c));
    emitted * (0.34 - 0.14 * actual.max(0.0).sqrt()) * (1.35 * relative - 0.35)
}

#[cfg(test)]
mod tests;
