//! Conversions that lead from one quantity to another, or need a second figure.
//!
//! A unit of the same quantity converts by a factor and stands in the catalogue
//! ([`crate::catalogue::quantity::UnitConversion`]). What stands here needs more: the layer that
//! holds the water, the light source, the day. Each function states its source and is tested with
//! a worked value.
//!
//! # What it leaves out
//!
//! Until their papers were checked: dielectric number to water content (Topp 1980), pore-water EC
//! from bulk EC (Hilhorst 2000), EC at 25 °C, gravimetric to volumetric water, gases from ppm to
//! µg/m³.
//!
//! # Invariants
//!
//! Pure arithmetic: what goes in as NaN comes out as NaN, and nothing is clamped. Ranges are the
//! catalogue's business.

/// Square metres of a mu (亩): 1 mu = 1/15 ha.
pub const MU_M2: f64 = 10_000.0 / 15.0;

/// Kilograms of a jin (斤).
pub const JIN_KG: f64 = 0.5;

/// Seconds of a day over 10^6: from a mean per second to millions per day.
const MILLIONS_PER_DAY: f64 = 86_400.0 / 1e6;

/// µmol of photons in a joule of the sun's global radiation, least and most.
///
/// 0.44-0.46 of the energy is photosynthetically active, at some 4.57 µmol a joule. The range is
/// our choice until its paper was checked (Thimijan and Heins 1983, `HortScience` 18:818); the R
/// package bigleaf takes 2.3 (0.5 of 4.6). Sunlight only.
pub const SUN_UMOL_PER_J: [f64; 2] = [2.02, 2.10];

/// Lux in one µmol m⁻² s⁻¹ of sunlight: apogeeinstruments.com/conversion-ppf-to-lux.
///
/// Lamps differ (cool white 74, high-pressure sodium 82), and so does light under leaves or film.
pub const SUN_LUX_PER_PPFD: f64 = 54.0;

/// Ångström coefficients `a` and `b` where no calibration exists: FAO-56, equation 35.
pub const ANGSTROM: [f64; 2] = [0.25, 0.5];

/// Volumetric water (m³/m³) from relative water, percent of field capacity.
///
/// Chinese farm advice gives 田间持水量 percent; `field_capacity` is in m³/m³.
pub fn water_of_relative_percent(percent: f64, field_capacity: f64) -> f64 {
    percent / 100.0 * field_capacity
}

/// Relative water, percent of field capacity, from volumetric water (both m³/m³).
pub fn relative_percent_of_water(water: f64, field_capacity: f64) -> f64 {
    water / field_capacity * 100.0
}

/// Volumetric water (m³/m³) of a layer that holds `water_mm` in `depth_m`.
pub fn water_of_layer_mm(water_mm: f64, depth_m: f64) -> f64 {
    water_mm / (1000.0 * depth_m)
}

/// Millimetres of water in a layer of `depth_m` at `water` m³/m³.
pub fn layer_mm_of_water(water: f64, depth_m: f64) -> f64 {
    water * 1000.0 * depth_m
}

/// PPFD (µmol m⁻² s⁻¹) of sunlight from illuminance in lux. Not for lamps, shade or film.
pub fn ppfd_of_sun_lux(lux: f64) -> f64 {
    lux / SUN_LUX_PER_PPFD
}

/// Global radiation (W/m²) of sunlight from illuminance in lux, least and most.
///
/// Derived from [`SUN_LUX_PER_PPFD`] and [`SUN_UMOL_PER_J`]: 109-113 lx per W/m².
pub fn radiation_of_sun_lux(lux: f64) -> [f64; 2] {
    let [least, most] = SUN_UMOL_PER_J;
    let ppfd = ppfd_of_sun_lux(lux);
    [ppfd / most, ppfd / least]
}

/// PPFD (µmol m⁻² s⁻¹) from global radiation of the sun (W/m²), least and most.
pub fn ppfd_of_sun_radiation(radiation_w_m2: f64) -> [f64; 2] {
    SUN_UMOL_PER_J.map(|umol_per_j| radiation_w_m2 * umol_per_j)
}

/// Daily light integral (mol m⁻² d⁻¹) from the day's mean PPFD (µmol m⁻² s⁻¹), night included.
///
/// Source: apogee-inst.com/conv_daily.htm.
pub fn light_integral_of_ppfd(mean_ppfd: f64) -> f64 {
    mean_ppfd * MILLIONS_PER_DAY
}

/// Daily radiation (MJ m⁻² d⁻¹) from the day's mean global radiation (W/m²), night included.
///
/// Source: FAO-56, example 18.
pub fn daily_radiation_of_mean(mean_w_m2: f64) -> f64 {
    mean_w_m2 * MILLIONS_PER_DAY
}

/// Daily light integral (mol m⁻² d⁻¹) from daily radiation (MJ m⁻² d⁻¹), least and most.
pub fn light_integral_of_radiation(radiation_mj_m2_d: f64) -> [f64; 2] {
    SUN_UMOL_PER_J.map(|umol_per_j| radiation_mj_m2_d * umol_per_j)
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

/// pF of a soil water tension in kPa: the logarithm of its height of water in cm, 10 cm a kPa.
///
/// Minus infinity at 0 kPa, NaN below.
pub fn pf_of_tension(tension_kpa: f64) -> f64 {
    (10.0 * tension_kpa).log10()
}

/// Hectares of an area in mu.
pub fn hectares_of_mu(area_mu: f64) -> f64 {
    area_mu / 15.0
}

/// Yield in kg/ha from kg a mu.
pub fn kg_ha_of_kg_mu(yield_kg_mu: f64) -> f64 {
    yield_kg_mu * 15.0
}

/// Yield in kg/ha from jin a mu, as growers say it.
pub fn kg_ha_of_jin_mu(yield_jin_mu: f64) -> f64 {
    kg_ha_of_kg_mu(yield_jin_mu * JIN_KG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(found: f64, wanted: f64, tolerance: f64) {
        assert!((found - wanted).abs() <= tolerance, "found {found}, wanted {wanted}");
    }

    #[test]
    fn water_comes_from_field_capacity_and_from_millimetres() {
        near(water_of_relative_percent(65.0, 0.30), 0.195, 1e-12);
        near(relative_percent_of_water(0.195, 0.30), 65.0, 1e-9);
        near(water_of_layer_mm(60.0, 0.3), 0.20, 1e-12);
        near(layer_mm_of_water(0.20, 0.3), 60.0, 1e-9);
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
    }

    #[test]
    fn a_day_of_light_adds_up() {
        near(light_integral_of_ppfd(500.0), 43.2, 1e-9);
        near(daily_radiation_of_mean(255.44), 22.07, 0.005);
        let [least, most] = light_integral_of_radiation(22.07);
        near(least, 44.6, 0.05);
        near(most, 46.3, 0.05);
    }

    #[test]
    fn sunshine_gives_the_radiation_of_fao_56_example_18() {
        near(daily_radiation_of_sunshine(9.25, 16.1, 41.09), 22.07, 0.01);
    }

    #[test]
    fn tension_gives_pf() {
        near(pf_of_tension(33.0), 2.52, 0.005);
        near(pf_of_tension(1500.0), 4.18, 0.005);
        assert!(pf_of_tension(-1.0).is_nan());
    }

    #[test]
    fn mu_and_jin_become_hectares_and_kilograms() {
        near(kg_ha_of_kg_mu(3000.0), 45_000.0, 1e-9);
        near(kg_ha_of_jin_mu(6000.0), 45_000.0, 1e-9);
        near(hectares_of_mu(15.0), 1.0, 1e-12);
        near(MU_M2, 666.67, 0.005);
    }
}
