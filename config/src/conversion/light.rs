//! Light: lux, photons, energy, and their sums over a day. Sunlight only, where a function says so.

/// Seconds of a day over 10^6: from a mean per second to millions per day.
const MILLIONS_PER_DAY: f64 = 86_400.0 / 1e6;

/// µmol of photons in a joule of the sun's global radiation, least and most.
///
/// 0.44-0.46 of the energy is photosynthetically active, at some 4.57 µmol a joule (Thimijan and Heins
/// 1983, `HortScience` 18:818); the range is our choice. The R package bigleaf takes 2.3 (0.5 of 4.6).
/// Sunlight only.
pub const SUN_UMOL_PER_J: [f64; 2] = [2.02, 2.10];

/// Lux in one µmol m⁻² s⁻¹ of sunlight: apogeeinstruments.com/conversion-ppf-to-lux.
///
/// Lamps differ (cool white 74, high-pressure sodium 82), and so does light under leaves or film.
pub const SUN_LUX_PER_PPFD: f64 = 54.0;

/// Ångström coefficients `a` and `b` where no calibration exists: FAO-56, equation 35.
pub const ANGSTROM: [f64; 2] = [0.25, 0.5];

/// PPFD (µmol m⁻² s⁻¹) of sunlight from illuminance in lux. Not for lamps, shade or film.
pub fn ppfd_of_sun_lux(lux: f64) -> f64 {
    lux / SUN_LUX_PER_PPFD
}

/// Illuminance in lux of sunlight from PPFD (µmol m⁻² s⁻¹).
pub fn sun_lux_of_ppfd(ppfd: f64) -> f64 {
    ppfd * SUN_LUX_PER_PPFD
}

/// Global radiation (W/m²) of sunlight from illuminance in lux, least and most.
///
/// Derived from [`SUN_LUX_PER_PPFD`] and [`SUN_UMOL_PER_J`]: 109-113 lx per W/m².
pub fn radiation_of_sun_lux(lux: f64) -> [f64; 2] {
    sun_radiation_of_ppfd(ppfd_of_sun_lux(lux))
}

/// Illuminance in lux of sunlight from global radiation (W/m²), least and most.
pub fn sun_lux_of_radiation(radiation_w_m2: f64) -> [f64; 2] {
    ppfd_of_sun_radiation(radiation_w_m2).map(sun_lux_of_ppfd)
}

/// PPFD (µmol m⁻² s⁻¹) from global radiation of the sun (W/m²), least and most.
pub fn ppfd_of_sun_radiation(radiation_w_m2: f64) -> [f64; 2] {
    SUN_UMOL_PER_J.map(|umol_per_j| radiation_w_m2 * umol_per_j)
}

/// Global radiation of the sun (W/m²) from PPFD (µmol m⁻² s⁻¹), least and most.
pub fn sun_radiation_of_ppfd(ppfd: f64) -> [f64; 2] {
    let [least, most] = SUN_UMOL_PER_J;
    [ppfd / most, ppfd / least]
}

/// Daily light integral (mol m⁻² d⁻¹) from the day's mean PPFD (µmol m⁻² s⁻¹), night included.
///
/// Source: apogee-inst.com/conv_daily.htm.
pub fn light_integral_of_ppfd(mean_ppfd: f64) -> f64 {
    mean_ppfd * MILLIONS_PER_DAY
}

/// The day's mean PPFD (µmol m⁻² s⁻¹), night included, from its light integral (mol m⁻² d⁻¹).
pub fn ppfd_of_light_integral(light_mol_m2_d: f64) -> f64 {
    light_mol_m2_d / MILLIONS_PER_DAY
}

/// Daily radiation (MJ m⁻² d⁻¹) from the day's mean global radiation (W/m²), night included.
///
/// Source: FAO-56, example 18.
pub fn daily_radiation_of_mean(mean_w_m2: f64) -> f64 {
    mean_w_m2 * MILLIONS_PER_DAY
}

/// The day's mean global radiation (W/m²), night included, from daily radiation (MJ m⁻² d⁻¹).
pub fn mean_of_daily_radiation(radiation_mj_m2_d: f64) -> f64 {
    radiation_mj_m2_d / MILLIONS_PER_DAY
}

/// Daily light integral (mol m⁻² d⁻¹) from daily radiation (MJ m⁻² d⁻¹), least and most.
pub fn light_integral_of_radiation(radiation_mj_m2_d: f64) -> [f64; 2] {
    SUN_UMOL_PER_J.map(|umol_per_j| radiation_mj_m2_d * umol_per_j)
}

/// Daily radiation (MJ m⁻² d⁻¹) from the daily light integral (mol m⁻² d⁻¹), least and most.
pub fn radiation_of_light_integral(light_mol_m2_d: f64) -> [f64; 2] {
    let [least, most] = SUN_UMOL_PER_J;
    [light_mol_m2_d / most, light_mol_m2_d / least]
}

/// Daily radiation (MJ m⁻² d⁻¹) from hours of sunshine: `Rs = (a + b n/N) Ra`.
///
/// FAO-56, equation 35, with its `a` and `b`. `sunshine_h` is `n`, `day_length_h` is `N`, and
/// `extraterrestrial_mj_m2_d` is `Ra`.
pub fn daily_radiation_of_sunshine(
    sunshine_h: f64,
    day_length_h: f64,
    extraterrestrial_mj_m2_d: f64,
) -> f64 {
    let [overcast, clear] = ANGSTROM;
    (overcast + clear * sunshine_h / day_length_h) * extraterrestrial_mj_m2_d
}

/// Hours of sunshine that give a daily radiation (MJ m⁻² d⁻¹); below 0 for less than an overcast day's.
///
/// The inverse of [`daily_radiation_of_sunshine`], with the same second and third figure.
pub fn sunshine_of_daily_radiation(
    radiation_mj_m2_d: f64,
    day_length_h: f64,
    extraterrestrial_mj_m2_d: f64,
) -> f64 {
    let [overcast, clear] = ANGSTROM;
    (radiation_mj_m2_d / extraterrestrial_mj_m2_d - overcast) / clear * day_length_h
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversion::{near, undone};

    /// That both borders of a range are undone: the least there is the most back.
    #[track_caller]
    fn range_undone(most: f64, there: fn(f64) -> [f64; 2], back: fn(f64) -> [f64; 2]) {
        undone([0.0, most], |value| there(value)[0], |value| back(value)[1]);
        undone([0.0, most], |value| there(value)[1], |value| back(value)[0]);
    }

    #[test]
    fn full_sun_is_about_2000_micromoles() {
        near(ppfd_of_sun_lux(108_000.0), 2000.0, 2.0);
        let [least, most] = ppfd_of_sun_radiation(500.0);
        near(least, 1010.0, 1e-9);
        near(most, 1050.0, 1e-9);
        let [least, most] = radiation_of_sun_lux(108_000.0);
        near(least, 950.0, 5.0);
        near(most, 990.0, 5.0);
        undone([0.0, 130_000.0], ppfd_of_sun_lux, sun_lux_of_ppfd);
        range_undone(1500.0, ppfd_of_sun_radiation, sun_radiation_of_ppfd);
        range_undone(130_000.0, radiation_of_sun_lux, sun_lux_of_radiation);
    }

    #[test]
    fn a_day_of_light_adds_up() {
        near(light_integral_of_ppfd(500.0), 43.2, 1e-9);
        near(daily_radiation_of_mean(255.44), 22.07, 0.005);
        let [least, most] = light_integral_of_radiation(22.07);
        near(least, 44.6, 0.05);
        near(most, 46.3, 0.05);
        undone([0.0, 2500.0], light_integral_of_ppfd, ppfd_of_light_integral);
        undone([0.0, 500.0], daily_radiation_of_mean, mean_of_daily_radiation);
        range_undone(45.0, light_integral_of_radiation, radiation_of_light_integral);
    }

    #[test]
    fn sunshine_gives_the_radiation_of_fao_56_example_18() {
        near(daily_radiation_of_sunshine(9.25, 16.1, 41.09), 22.07, 0.01);
        undone(
            [0.0, 16.1],
            |hours| daily_radiation_of_sunshine(hours, 16.1, 41.09),
            |radiation| sunshine_of_daily_radiation(radiation, 16.1, 41.09),
        );
    }
}
