//! The daily water balance of a root zone: FAO-56, chapter 8, with drainage, ponding and run-off.
//!
//! ```text
//!        rain, irrigation          evapotranspiration = Ks Kc ET0
//!               |                            ^
//!   ponded  ____v____________________________|______   > bund: run-off
//!   saturation  . . . . . . . . . . . . . . . . . .
//!               | above field capacity a share leaves each day
//!   field capacity  . . . . . . . . . . . . . . . .
//!               | free water down to RAW, then Ks falls to 0
//!   wilting point   . . . . . . . . . . . . . . . .
//! ```
//!
//! FAO-56 lets everything above field capacity drain at once; real plots do not, and how slowly they
//! do is what makes land wet. So a share of the surplus leaves each day ([`RootZone::drained_share`]),
//! and what does not fit into the pores ponds up to the bund. That part is ours.
//!
//! # What it leaves out
//!
//! Capillary rise, and evaporation from ponds beyond the crop's own coefficient.
//!
//! # Invariant
//!
//! Water is conserved: what came in is in the soil, on it, or in one of the flows of [`Flows`].
//!
//! # Source
//!
//! Allen, Pereira, Raes and Smith (1998), *Crop evapotranspiration*, FAO Irrigation and Drainage
//! Paper 56, chapter 8, equations 82-85.

/// A root zone as one bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RootZone {
    /// What is left once surplus water has drained, m³/m³.
    pub field_capacity: f64,
    /// Below it roots draw nothing, m³/m³.
    pub wilting_point: f64,
    /// All pores full, m³/m³.
    pub saturation: f64,
    /// Rooting depth, m.
    pub depth_m: f64,
    /// Share of the water above field capacity that leaves in a day, 0-1: near 1 on good land,
    /// near 0 above a plough pan.
    pub drained_share: f64,
    /// Water that can stand on the surface, mm; 0 on a slope or without a bund.
    pub bund_mm: f64,
}

/// Total and readily available water, mm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AvailableWater {
    /// TAW, between field capacity and wilting point (equation 82).
    pub total_mm: f64,
    /// RAW, the part taken without stress (equation 83).
    pub readily_mm: f64,
}

impl RootZone {
    /// TAW and RAW for a crop that takes `free_fraction` (p) of the store without stress.
    pub fn available(&self, free_fraction: f64) -> AvailableWater {
        let total_mm = 1000.0 * (self.field_capacity - self.wilting_point) * self.depth_m;
        AvailableWater { total_mm, readily_mm: free_fraction * total_mm }
    }

    /// Depletion below field capacity at `moisture` m³/m³, mm; 0 where wetter.
    pub fn depletion_mm(&self, moisture: f64) -> f64 {
        (1000.0 * (self.field_capacity - moisture) * self.depth_m).max(0.0)
    }

    /// `Ks` at `moisture` (equation 84): 1 while water is free, 0 at wilting point.
    pub fn stress(&self, moisture: f64, free_fraction: f64) -> f64 {
        stress_coefficient(moisture, self.field_capacity, self.wilting_point, free_fraction)
    }
}

/// `Ks` (equation 84): depth cancels out. 1 where field capacity does not lie above wilting point,
/// because such marks say nothing about stress.
pub fn stress_coefficient(
    moisture: f64,
    field_capacity: f64,
    wilting_point: f64,
    free_fraction: f64,
) -> f64 {
    let total = field_capacity - wilting_point;
    let stressed = (1.0 - free_fraction) * total;
    if stressed <= 0.0 || !stressed.is_finite() {
        return 1.0;
    }
    ((moisture - wilting_point) / stressed).clamp(0.0, 1.0)
}

/// The share `p` for the day's crop evapotranspiration, from the table's (FAO-56, table 22,
/// footnote 2): less when the air asks for much. Held within 0.1-0.8.
pub fn adjusted_free_fraction(table: f64, crop_evapotranspiration_mm: f64) -> f64 {
    (table + 0.04 * (5.0 - crop_evapotranspiration_mm)).clamp(0.1, 0.8)
}

/// Water in and on the soil.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoredWater {
    /// m³/m³.
    pub moisture: f64,
    /// Standing on the surface, mm.
    pub ponded_mm: f64,
}

/// What a day brings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forcing {
    /// Rain and irrigation, mm.
    pub water_mm: f64,
    /// ET0, mm.
    pub reference_mm: f64,
    /// Kc of the crop that day.
    pub crop_coefficient: f64,
    /// The table's p of the crop.
    pub free_fraction: f64,
}

/// Where a day's water went, mm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flows {
    /// Crop and soil to air.
    pub evapotranspired_mm: f64,
    /// Below the root zone.
    pub drained_mm: f64,
    /// Over the bund.
    pub run_off_mm: f64,
    /// `Ks` of the day.
    pub stress: f64,
}

/// One day: water comes in, the crop drinks, a share of the surplus drains, the rest ponds or runs
/// off.
///
/// `zone.depth_m` must be positive and the marks in order (wilting point < field capacity <=
/// saturation); otherwise the figures mean nothing, but nothing panics.
pub fn step(zone: &RootZone, before: StoredWater, day: &Forcing) -> (StoredWater, Flows) {
    let full_mm = 1000.0 * zone.saturation * zone.depth_m;
    let capacity_mm = 1000.0 * zone.field_capacity * zone.depth_m;
    let mut stored_mm =
        1000.0 * before.moisture * zone.depth_m + before.ponded_mm + day.water_mm.max(0.0);

    let wanted_mm = (day.crop_coefficient * day.reference_mm).max(0.0);
    let free_fraction = adjusted_free_fraction(day.free_fraction, wanted_mm);
    let wet = (stored_mm.min(full_mm)) / (1000.0 * zone.depth_m);
    let stress = zone.stress(wet, free_fraction);
    let evapotranspired_mm = (stress * wanted_mm).min(stored_mm);
    stored_mm -= evapotranspired_mm;

    let drained_mm = (stored_mm - capacity_mm).max(0.0) * zone.drained_share.clamp(0.0, 1.0);
    stored_mm -= drained_mm;
    let surplus_mm = (stored_mm - full_mm).max(0.0);
    let ponded_mm = surplus_mm.min(zone.bund_mm.max(0.0));
    let moisture = stored_mm.min(full_mm) / (1000.0 * zone.depth_m);
    let flows =
        Flows { evapotranspired_mm, drained_mm, run_off_mm: surplus_mm - ponded_mm, stress };
    (StoredWater { moisture, ponded_mm }, flows)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOAM: RootZone = RootZone {
        field_capacity: 0.30,
        wilting_point: 0.14,
        saturation: 0.46,
        depth_m: 1.0,
        drained_share: 0.6,
        bund_mm: 0.0,
    };

    #[test]
    fn a_metre_of_loam_holds_160_mm_of_which_104_are_free() {
        let available = LOAM.available(0.65);
        assert!((available.total_mm - 160.0).abs() < 1e-9);
        assert!((available.readily_mm - 104.0).abs() < 1e-9);
    }

    #[test]
    fn a_thirsty_day_leaves_less_water_free() {
        assert!((adjusted_free_fraction(0.65, 7.0) - 0.57).abs() < 1e-12);
        assert!((adjusted_free_fraction(0.1, 12.0) - 0.1).abs() < 1e-12);
    }

    #[test]
    fn stress_falls_from_the_end_of_free_water_to_wilting_point() {
        assert!((LOAM.depletion_mm(0.16) - 140.0).abs() < 1e-9);
        assert!((LOAM.stress(0.16, 0.65) - 20.0 / 56.0).abs() < 1e-9);
        assert!((LOAM.stress(0.16, 0.57) - 20.0 / 68.8).abs() < 1e-9);
        assert!((LOAM.stress(0.30, 0.65) - 1.0).abs() < 1e-12);
        assert!(LOAM.stress(0.14, 0.65).abs() < 1e-12);
    }

    #[test]
    fn marks_that_are_the_wrong_way_round_stress_nothing() {
        assert!((stress_coefficient(0.2, 0.1, 0.3, 0.5) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_plough_pan_keeps_water_standing_where_good_land_is_dry_again() {
        let rain = Forcing {
            water_mm: 200.0,
            reference_mm: 3.0,
            crop_coefficient: 1.0,
            free_fraction: 0.5,
        };
        let dry = Forcing { water_mm: 0.0, ..rain };
        let after = |zone: RootZone| {
            let start = StoredWater { moisture: 0.30, ponded_mm: 0.0 };
            let (wet, _) = step(&zone, start, &rain);
            (0..3).fold(wet, |stored, _| step(&zone, stored, &dry).0)
        };
        let paddy = after(RootZone { drained_share: 0.01, bund_mm: 60.0, ..LOAM });
        let slope = after(LOAM);
        assert!(paddy.moisture > 0.45, "{paddy:?}");
        assert!(slope.moisture < 0.32, "{slope:?}");
    }

    proptest! {
        #[test]
        fn water_is_conserved(
            moisture in 0.05..0.46_f64,
            ponded in 0.0..40.0_f64,
            rain in 0.0..300.0_f64,
            reference in 0.0..9.0_f64,
            share in 0.0..=1.0_f64,
        ) {
            let zone = RootZone { drained_share: share, bund_mm: 50.0, ..LOAM };
            let before = StoredWater { moisture, ponded_mm: ponded };
            let day = Forcing {
                water_mm: rain,
                reference_mm: reference,
                crop_coefficient: 1.1,
                free_fraction: 0.5,
            };
            let (after, flows) = step(&zone, before, &day);
            let total = |water: StoredWater| 1000.0 * water.moisture + water.ponded_mm;
            let out = flows.evapotranspired_mm + flows.drained_mm + flows.run_off_mm;
            prop_assert!((total(before) + rain - out - total(after)).abs() < 1e-6);
            prop_assert!((0.0..=zone.saturation + 1e-12).contains(&after.moisture));
            prop_assert!((0.0..=zone.bund_mm).contains(&after.ponded_mm));
        }
    }
}
