//! Conversions that lead from one quantity to another, or need a second figure.
//!
//! A unit of the same quantity converts by a factor and stands in the catalogue
//! ([`crate::catalogue::quantity::UnitConversion`]). What stands here needs more: the layer that
//! holds the water, the light source, the day. Each function states its source, is tested with a
//! worked value and, where it can be undone, stands beside its inverse.
//!
//! # Invariants
//!
//! Pure arithmetic: what goes in as NaN comes out as NaN, and nothing is clamped. Ranges are the
//! catalogue's business; a formula that means nothing outside its own gives `None` there.

mod gas;
mod land;
mod light;
mod salt;
mod water;

pub use self::{
    gas::{CO2_G_MOL, H2S_G_MOL, MOLAR_VOLUME_L, NH3_G_MOL, O3_G_MOL, ppm_of_ug_m3, ug_m3_of_ppm},
    land::{
        JIN_KG, MU_M2, hectares_of_mu, jin_mu_of_kg_ha, kg_ha_of_jin_mu, kg_ha_of_kg_mu,
        kg_mu_of_kg_ha, mu_of_hectares,
    },
    light::{
        ANGSTROM, SUN_LUX_PER_PPFD, SUN_UMOL_PER_J, daily_radiation_of_mean,
        daily_radiation_of_sunshine, light_integral_of_ppfd, light_integral_of_radiation,
        mean_of_daily_radiation, ppfd_of_light_integral, ppfd_of_sun_lux, ppfd_of_sun_radiation,
        radiation_of_light_integral, radiation_of_sun_lux, sun_lux_of_ppfd, sun_lux_of_radiation,
        sun_radiation_of_ppfd, sunshine_of_daily_radiation,
    },
    salt::{
        EC_PER_C, PORE_EC_PERMITTIVITY_0, PORE_EC_WATER_MIN, bulk_ec_of_pore, ec_at_25, ec_of_25,
        pore_ec_of_bulk,
    },
    water::{
        WATER_G_CM3, gravimetric_of_water, layer_mm_of_water, permittivity_of_water, pf_of_tension,
        relative_percent_of_water, tension_of_pf, water_of_gravimetric, water_of_layer_mm,
        water_of_permittivity, water_of_relative_percent,
    },
};

#[cfg(test)]
#[track_caller]
fn near(found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() <= tolerance, "found {found}, wanted {wanted}");
}

/// That `back` undoes `there` all over a range.
#[cfg(test)]
#[track_caller]
fn undone([least, most]: [f64; 2], there: impl Fn(f64) -> f64, back: impl Fn(f64) -> f64) {
    for step in 0..=1000 {
        let value = least + (most - least) * f64::from(step) / 1000.0;
        let found = back(there(value));
        let tolerance = 1e-12 * value.abs().max(most.abs() / 1000.0);
        assert!((found - value).abs() <= tolerance, "{value} came back as {found}");
    }
}
