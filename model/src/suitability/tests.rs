use jiff::civil::date;
use plotwise_config::{
    catalogue::{Catalogue, crop::WaterHabit},
    land::Drainage,
};
use proptest::prelude::*;

use super::*;
use crate::{
    example::{Example, shipped},
    profile::site_profile,
};

fn catalogue() -> &'static Catalogue {
    shipped()
}

/// The profile of a plot without sensors.
fn bare_profile() -> SiteProfile {
    let example = Example::dry_land();
    site_profile(shipped(), &example.dossier, &example.surroundings.climate)
}

/// A dry, well-drained, gently sloping plot of sandy loam.
fn upland(profile: &SiteProfile) -> LandInput<'_> {
    LandInput {
        profile,
        land_type: LandType::Dry,
        water: Some(Water::RainFed),
        drainage: Some(Drainage::Good),
        wet_spell_days: Some(1.0),
        soil_ph: Some(5.8),
        soil_texture: Some(SoilTexture::SandyLoam),
        ece_ds_m: None,
        soil_depth_cm: Some(90.0),
        slope_percent: Some(6.0),
        window: None,
    }
}

fn paddy(profile: &SiteProfile) -> LandInput<'_> {
    LandInput {
        land_type: LandType::Paddy,
        water: Some(Water::Flooded),
        drainage: Some(Drainage::Poor),
        wet_spell_days: None,
        soil_texture: Some(SoilTexture::ClayLoam),
        slope_percent: Some(0.5),
        ..upland(profile)
    }
}

#[test]
fn dry_sloping_sandy_loam_suits_sweet_potato_and_keeps_no_water_for_rice() {
    let (catalogue, profile) = (catalogue(), bare_profile());
    let land = upland(&profile);
    let potato = rate(catalogue.crop("sweet_potato").unwrap(), &land);
    assert_eq!(potato.class, Suitability::S1, "{:?}", potato.ratings.first());
    let rice = rate(catalogue.crop("rice_single").unwrap(), &land);
    assert_eq!((rice.class, rice.limiting), (Suitability::N, Some(Factor::Flooding)));
}

#[test]
fn an_undrained_paddy_rules_sweet_potato_out_until_it_is_drained() {
    let (catalogue, profile) = (catalogue(), bare_profile());
    let crop = catalogue.crop("sweet_potato").unwrap();
    let wet = LandInput { wet_spell_days: Some(12.0), ..paddy(&profile) };
    let before = rate(crop, &wet);
    assert_eq!((before.class, before.limiting), (Suitability::N, Some(Factor::Drainage)));
    assert!(before.ratings[0].is_veto);
    assert!(before.ratings[0].shown.zh.contains("12"));
    let after = rate(crop, &wet.with_drainage(Drainage::Good));
    assert!(after.class < Suitability::N, "{:?}", after.ratings.first());
}

#[test]
fn a_measured_spell_reads_no_better_than_the_words_for_the_same_land() {
    let (catalogue, profile) = (catalogue(), bare_profile());
    // Cotton's words leave poor drainage out: N.
    let cotton = catalogue.crop("cotton").unwrap();
    let poor = LandInput { drainage: Some(Drainage::Poor), ..upland(&profile) };
    assert_eq!(rate(cotton, &poor).class, Suitability::N);
    let measured = LandInput { wet_spell_days: Some(12.0), ..poor };
    assert_eq!(rate(cotton, &measured).class, Suitability::N);
}

#[test]
fn rice_wants_the_paddy_that_sweet_potato_cannot_stand() {
    let (catalogue, profile) = (catalogue(), bare_profile());
    let rice = rate(catalogue.crop("rice_single").unwrap(), &paddy(&profile));
    assert!(rice.class <= Suitability::S2, "{:?}", rice.ratings.first());
}

#[test]
fn a_value_on_a_border_belongs_to_the_better_class() {
    let (catalogue, profile) = (catalogue(), bare_profile());
    let crop = catalogue.crop("sweet_potato").unwrap();
    let borders = crop.requirements.soil_ph.as_ref().unwrap().lower.unwrap();
    let class = |ph: f64| {
        let evaluation = rate(crop, &upland(&profile).with_ph(ph));
        evaluation.ratings.iter().find(|it| it.factor == Factor::SoilPh).unwrap().class
    };
    assert_eq!(class(borders[2]), Suitability::S1);
    assert_eq!(class(borders[2] - 0.01), Suitability::S2);
    assert_eq!(class(borders[1] - 0.01), Suitability::S3);
    assert_eq!(class(borders[0] - 0.01), Suitability::N);
}

#[test]
fn what_is_not_known_is_named_and_rates_nothing() {
    let (catalogue, profile) = (catalogue(), bare_profile());
    let land =
        LandInput { soil_ph: None, drainage: None, wet_spell_days: None, ..upland(&profile) };
    let evaluation = rate(catalogue.crop("sweet_potato").unwrap(), &land);
    assert!(evaluation.unknown.contains(&Factor::SoilPh));
    assert!(evaluation.unknown.contains(&Factor::Drainage));
    assert!(evaluation.ratings.iter().all(|rating| rating.factor != Factor::SoilPh));
}

#[test]
fn a_crop_that_nobody_described_does_not_rank_above_one_that_is_known_to_fit() {
    let (catalogue, profile) = (catalogue(), bare_profile());
    let land = upland(&profile);
    let known = rate(catalogue.crop("sweet_potato").unwrap(), &land);
    let vague = rate(catalogue.crop("buckwheat").unwrap(), &land);
    assert!(vague.index < known.index, "{} < {}", vague.index, known.index);
}

#[test]
fn the_index_is_the_square_root_method() {
    let index = square_root_index(&[95.0, 85.0, 70.0, 90.0]);
    assert!((index - 59.6747).abs() < 1e-3, "{index}");
}

#[test]
fn drought_lowers_the_class_and_never_excludes() {
    let catalogue = catalogue();
    let mut profile = bare_profile();
    profile.marks = Some(crate::soil_water::SoilMarks {
        wilting_point: 0.12,
        field_capacity: 0.30,
        saturation: Some(0.45),
        basis: crate::soil_water::MarksBasis::Texture,
    });
    profile.judged = (0..120_i32)
        .map(|day| (date(2026, 5, 1).saturating_add(jiff::Span::new().days(day)), 0.13))
        .collect();
    let window = Window {
        calendar: "summer".to_owned(),
        from: date(2027, 5, 1),
        to: date(2027, 6, 10),
        cycle_days: [100, 120],
        harvest_to: date(2027, 11, 1),
        mean_temperature_c: Some(25.0),
        days_available: 180,
        order_by: None,
        is_clipped: false,
    };
    let crop = catalogue.crop("sweet_potato").unwrap();
    let dry = rate(crop, &upland(&profile).with_window(Some(window.clone())));
    assert_eq!((dry.class, dry.limiting), (Suitability::S3, Some(Factor::Drought)));
    let watered = upland(&profile).with_window(Some(window)).with_water(Water::Irrigated);
    assert_eq!(rate(crop, &watered).class, Suitability::S1);
}

proptest! {
    #[test]
    fn wetter_land_never_suits_a_dry_land_crop_better(
        drainage in 0..3_usize, wetter in 0..3_usize,
        spell in proptest::option::of(0.0..30.0_f64), longer in 0.0..30.0_f64,
    ) {
        let (catalogue, profile) = (catalogue(), bare_profile());
        let land = |place: usize, spell: Option<f64>| LandInput {
            drainage: Some(Drainage::ALL[place]), wet_spell_days: spell, ..upland(&profile)
        };
        let dry = land(drainage.min(wetter), spell);
        let wet = land(drainage.max(wetter), Some(spell.unwrap_or(0.0) + longer));
        let upland = catalogue.crops().iter().filter(|it| it.water_habit != WaterHabit::Aquatic);
        for crop in upland {
            prop_assert!(rate(crop, &dry).class <= rate(crop, &wet).class, "{}", crop.key);
        }
    }

    #[test]
    fn a_veto_is_never_outvoted(
        ph in 3.0..9.0_f64, slope in 0.0..40.0_f64, depth in 10.0..150.0_f64, spell in 4.0..90.0_f64,
    ) {
        let (catalogue, profile) = (catalogue(), bare_profile());
        let land = LandInput {
            soil_ph: Some(ph), slope_percent: Some(slope), soil_depth_cm: Some(depth),
            wet_spell_days: Some(spell), ..upland(&profile)
        };
        let evaluation = rate(catalogue.crop("sweet_potato").unwrap(), &land);
        prop_assert_eq!(evaluation.class, Suitability::N);
    }

    #[test]
    fn the_class_is_that_of_the_worst_factor(
        ph in 3.0..9.0_f64, slope in 0.0..40.0_f64, depth in 10.0..150.0_f64,
    ) {
        let (catalogue, profile) = (catalogue(), bare_profile());
        let land = LandInput {
            soil_ph: Some(ph), slope_percent: Some(slope), soil_depth_cm: Some(depth),
            ..upland(&profile)
        };
        for crop in catalogue.crops() {
            let evaluation = rate(crop, &land);
            let worst = evaluation.ratings.iter().map(|rating| rating.class).max();
            prop_assert_eq!(Some(evaluation.class), worst.or(Some(Suitability::S1)));
            prop_assert!((0.0..=100.0).contains(&evaluation.index));
        }
    }
}
