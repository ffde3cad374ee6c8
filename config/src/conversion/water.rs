//! Soil water: shares of volume, mass and field capacity, millimetres, permittivity, tension.

/// Density of water, g/cm³.
pub const WATER_G_CM3: f64 = 1.0;

/// Topp's polynomial, the coefficient of each power of the permittivity.
///
/// Topp, Davis and Annan (1980), *Electromagnetic determination of soil water content*, Water
/// Resources Research 16:574-582, equation 7.
const TOPP: [f64; 4] = [-5.3e-2, 2.92e-2, -5.5e-4, 4.3e-6];

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

/// Volumetric water (m³/m³) from gravimetric water (kg of water in a kg of dry soil).
///
/// By definition; `bulk_density_g_cm3` is that of the dry soil as it lies, some 1.3 in a ploughed layer.
pub fn water_of_gravimetric(water_kg_kg: f64, bulk_density_g_cm3: f64) -> f64 {
    water_kg_kg * bulk_density_g_cm3 / WATER_G_CM3
}

/// Gravimetric water (kg of water in a kg of dry soil) from volumetric water (m³/m³).
pub fn gravimetric_of_water(water: f64, bulk_density_g_cm3: f64) -> f64 {
    water * WATER_G_CM3 / bulk_density_g_cm3
}

/// Volumetric water (m³/m³) of a mineral soil from its apparent relative permittivity.
///
/// Topp, Davis and Annan (1980), equation 7; measured from 3 to 40 (0.03 to 0.55 m³/m³). Organic soils
/// and heavy clays deviate.
pub fn water_of_permittivity(permittivity: f64) -> f64 {
    TOPP.into_iter().rev().fold(0.0, |sum, coefficient| sum * permittivity + coefficient)
}

/// The permittivity at which [`water_of_permittivity`] gives `water` (m³/m³).
///
/// Topp's polynomial rises everywhere, so there is exactly one; found by Newton's method. The paper has
/// a second polynomial for this direction, which undoes the first to some 0.01 only.
pub fn permittivity_of_water(water: f64) -> f64 {
    let slope = |at: f64| TOPP[1] + (2.0 * TOPP[2] + 3.0 * TOPP[3] * at) * at;
    // Above the turning point the curve bends upwards, and Newton's method comes down without a leap.
    let mut permittivity = 100.0;
    for _ in 0..64 {
        let step = (water_of_permittivity(permittivity) - water) / slope(permittivity);
        permittivity -= step;
        if step.abs() <= 1e-14 * permittivity.abs() {
            break;
        }
    }
    permittivity
}

/// pF of a soil water tension in kPa: the logarithm of its height of water in cm, 10 cm a kPa.
///
/// Minus infinity at 0 kPa, NaN below.
pub fn pf_of_tension(tension_kpa: f64) -> f64 {
    (10.0 * tension_kpa).log10()
}

/// Soil water tension in kPa of a pF.
pub fn tension_of_pf(pf: f64) -> f64 {
    10.0_f64.powf(pf) / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversion::{near, undone};

    #[test]
    fn water_comes_from_field_capacity_and_from_millimetres() {
        near(water_of_relative_percent(65.0, 0.30), 0.195, 1e-12);
        near(water_of_layer_mm(60.0, 0.3), 0.20, 1e-12);
        undone(
            [0.0, 100.0],
            |percent| water_of_relative_percent(percent, 0.30),
            |water| relative_percent_of_water(water, 0.30),
        );
        undone(
            [0.0, 200.0],
            |mm| water_of_layer_mm(mm, 0.3),
            |water| layer_mm_of_water(water, 0.3),
        );
    }

    #[test]
    fn water_by_mass_becomes_water_by_volume() {
        near(water_of_gravimetric(0.15, 1.3), 0.195, 1e-12);
        undone(
            [0.0, 0.6],
            |mass| water_of_gravimetric(mass, 1.3),
            |water| gravimetric_of_water(water, 1.3),
        );
    }

    #[test]
    fn permittivity_gives_water_after_topp() {
        near(water_of_permittivity(20.0), 0.3454, 5e-5);
        undone([1.0, 81.0], water_of_permittivity, permittivity_of_water);
        assert!(permittivity_of_water(f64::NAN).is_nan());
    }

    #[test]
    fn more_permittivity_is_more_water() {
        let water: Vec<f64> = (1..=81).map(|at| water_of_permittivity(f64::from(at))).collect();
        assert!(water.is_sorted_by(|less, more| less < more));
    }

    #[test]
    fn tension_gives_pf() {
        near(pf_of_tension(33.0), 2.52, 0.005);
        near(pf_of_tension(1500.0), 4.18, 0.005);
        assert!(pf_of_tension(-1.0).is_nan());
        undone([0.1, 7.0], tension_of_pf, pf_of_tension);
    }
}
