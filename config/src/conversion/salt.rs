//! Salt: electrical conductivity at 25 °C, and that of the water in the pores.

use super::water_of_permittivity;

/// How much the conductivity of a dilute salt solution grows from its value at 25 °C, share per °C.
///
/// *Standard Methods for the Examination of Water and Wastewater*, 2510 B; 0.02 is common as well.
pub const EC_PER_C: f64 = 0.0191;

/// Permittivity at which bulk conductivity vanishes: Hilhorst's mean over soils.
///
/// Hilhorst (2000), *A pore water conductivity sensor*, Soil Science Society of America Journal
/// 64:1922-1925; his soils gave 1.9 to 7.6.
pub const PORE_EC_PERMITTIVITY_0: f64 = 4.1;

/// Least volumetric water (m³/m³) for which Hilhorst's model holds.
pub const PORE_EC_WATER_MIN: f64 = 0.10;

/// Conductivity at 25 °C of what has `ec` at `temperature_c`, in the unit of `ec`.
///
/// [`EC_PER_C`], a straight line: good from 0 to some 40 °C. Not for probes that compensate themselves.
pub fn ec_at_25(ec: f64, temperature_c: f64) -> f64 {
    ec / (1.0 + EC_PER_C * (temperature_c - 25.0))
}

/// Conductivity at `temperature_c` of what has `ec_25` at 25 °C.
pub fn ec_of_25(ec_25: f64, temperature_c: f64) -> f64 {
    ec_25 * (1.0 + EC_PER_C * (temperature_c - 25.0))
}

/// Conductivity of the pore water from that of the bulk soil, in the unit of `bulk_ec`.
///
/// Hilhorst (2000): `pore = e_water bulk / (e_soil - e_0)` with `e_water = 80.3 - 0.37 (T - 20)`, all at
/// the soil's temperature. `None` where the soil's `permittivity` means less water than
/// [`PORE_EC_WATER_MIN`] (after Topp), where the model does not hold.
pub fn pore_ec_of_bulk(bulk_ec: f64, permittivity: f64, temperature_c: f64) -> Option<f64> {
    ratio(permittivity, temperature_c).map(|ratio| bulk_ec * ratio)
}

/// Conductivity of the bulk soil from that of its pore water; `None` as for [`pore_ec_of_bulk`].
pub fn bulk_ec_of_pore(pore_ec: f64, permittivity: f64, temperature_c: f64) -> Option<f64> {
    ratio(permittivity, temperature_c).map(|ratio| pore_ec / ratio)
}

/// Pore over bulk conductivity. Wet enough, the permittivity is well above [`PORE_EC_PERMITTIVITY_0`].
fn ratio(permittivity: f64, temperature_c: f64) -> Option<f64> {
    let of_water = 80.3 - 0.37 * (temperature_c - 20.0);
    let is_wet = water_of_permittivity(permittivity) >= PORE_EC_WATER_MIN;
    is_wet.then(|| of_water / (permittivity - PORE_EC_PERMITTIVITY_0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversion::{near, permittivity_of_water, undone};

    #[test]
    fn conductivity_is_brought_to_25_degrees() {
        near(ec_at_25(1.0, 15.0), 1.236, 5e-4);
        near(ec_at_25(1.0, 25.0), 1.0, 1e-12);
        undone([0.0, 23.0], |ec| ec_at_25(ec, 8.5), |ec| ec_of_25(ec, 8.5));
    }

    #[test]
    fn bulk_conductivity_gives_that_of_the_pores() {
        near(pore_ec_of_bulk(0.5, 20.0, 20.0).unwrap(), 2.525, 5e-4);
        undone(
            [0.0, 5.0],
            |bulk| pore_ec_of_bulk(bulk, 20.0, 28.0).unwrap(),
            |pore| bulk_ec_of_pore(pore, 20.0, 28.0).unwrap(),
        );
    }

    #[test]
    fn dry_soil_tells_nothing_of_its_pores() {
        let border = permittivity_of_water(PORE_EC_WATER_MIN);
        assert!(border > PORE_EC_PERMITTIVITY_0);
        assert!(pore_ec_of_bulk(0.5, border + 1e-6, 20.0).is_some());
        for permittivity in [border - 1e-6, PORE_EC_PERMITTIVITY_0, 1.0, f64::NAN] {
            assert_eq!(pore_ec_of_bulk(0.5, permittivity, 20.0), None, "{permittivity}");
            assert_eq!(bulk_ec_of_pore(0.5, permittivity, 20.0), None, "{permittivity}");
        }
    }
}
