//! Land and harvests in the measures of the village.

/// Square metres of a mu (亩): 1 mu = 1/15 ha.
pub const MU_M2: f64 = 10_000.0 / 15.0;

/// Kilograms of a jin (斤).
pub const JIN_KG: f64 = 0.5;

/// Hectares of an area in mu.
pub fn hectares_of_mu(area_mu: f64) -> f64 {
    area_mu / 15.0
}

/// Mu of an area in hectares.
pub fn mu_of_hectares(area_ha: f64) -> f64 {
    area_ha * 15.0
}

/// Yield in kg/ha from kg a mu.
pub fn kg_ha_of_kg_mu(yield_kg_mu: f64) -> f64 {
    yield_kg_mu * 15.0
}

/// Yield in kg a mu from kg/ha.
pub fn kg_mu_of_kg_ha(yield_kg_ha: f64) -> f64 {
    yield_kg_ha / 15.0
}

/// Yield in kg/ha from jin a mu, as growers say it.
pub fn kg_ha_of_jin_mu(yield_jin_mu: f64) -> f64 {
    kg_ha_of_kg_mu(yield_jin_mu * JIN_KG)
}

/// Yield in jin a mu from kg/ha.
pub fn jin_mu_of_kg_ha(yield_kg_ha: f64) -> f64 {
    kg_mu_of_kg_ha(yield_kg_ha) / JIN_KG
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversion::{near, undone};

    #[test]
    fn mu_and_jin_become_hectares_and_kilograms() {
        near(kg_ha_of_kg_mu(3000.0), 45_000.0, 1e-9);
        near(kg_ha_of_jin_mu(6000.0), 45_000.0, 1e-9);
        near(hectares_of_mu(15.0), 1.0, 1e-12);
        near(MU_M2, 666.67, 0.005);
        undone([0.0, 100.0], hectares_of_mu, mu_of_hectares);
        undone([0.0, 10_000.0], kg_ha_of_kg_mu, kg_mu_of_kg_ha);
        undone([0.0, 20_000.0], kg_ha_of_jin_mu, jin_mu_of_kg_ha);
    }
}
