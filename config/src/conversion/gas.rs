//! Gases: parts per million of the volume of air, and their mass in it.

/// Litres of a mole of gas at 25 °C and 1 atm, as standards round it (the ideal gas has 24.47).
pub const MOLAR_VOLUME_L: f64 = 24.45;

/// Molar mass of carbon dioxide, g/mol; this and the others from IUPAC's abridged atomic weights.
pub const CO2_G_MOL: f64 = 44.009;

/// Molar mass of ozone, g/mol.
pub const O3_G_MOL: f64 = 47.997;

/// Molar mass of ammonia, g/mol.
pub const NH3_G_MOL: f64 = 17.031;

/// Molar mass of hydrogen sulphide, g/mol.
pub const H2S_G_MOL: f64 = 34.076;

/// Mass of a gas (µg/m³) from its share of the air's volume, at 25 °C and 1 atm.
pub fn ug_m3_of_ppm(ppm: f64, molar_mass_g_mol: f64) -> f64 {
    ppm * molar_mass_g_mol / MOLAR_VOLUME_L * 1000.0
}

/// Share of a gas of the air's volume (ppm) from its mass (µg/m³), at 25 °C and 1 atm.
pub fn ppm_of_ug_m3(ug_m3: f64, molar_mass_g_mol: f64) -> f64 {
    ug_m3 / 1000.0 * MOLAR_VOLUME_L / molar_mass_g_mol
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversion::{near, undone};

    #[test]
    fn parts_per_million_become_micrograms() {
        near(ug_m3_of_ppm(0.05, O3_G_MOL), 98.0, 0.5);
        for mass in [CO2_G_MOL, O3_G_MOL, NH3_G_MOL, H2S_G_MOL] {
            undone([0.0, 100.0], |ppm| ug_m3_of_ppm(ppm, mass), |ug| ppm_of_ug_m3(ug, mass));
        }
    }
}
