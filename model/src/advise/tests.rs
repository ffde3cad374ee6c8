use plotwise_config::{
    land::{Disease, Drainage, LandType, Measure, Protection, SoilClass, Water},
    records::SoldAs,
};

use super::*;
use crate::{
    advice::Speaks,
    example::{Example, day, shipped},
};

fn crops(advice: &Advice) -> Vec<&str> {
    let mut crops: Vec<&str> = Vec::new();
    for line in &advice.ranked {
        if !crops.contains(&line.crop.as_str()) {
            crops.push(&line.crop);
        }
    }
    crops
}

fn varieties<'a>(advice: &'a Advice, crop: &str) -> Vec<&'a str> {
    let lines = advice.ranked.iter().filter(|line| line.crop == crop);
    lines.filter_map(|line| line.variety.as_deref()).collect()
}

fn line<'a>(advice: &'a Advice, name: &str) -> &'a RankedLine {
    let is_it = |line: &&RankedLine| line.crop == name || line.variety.as_deref() == Some(name);
    advice.ranked.iter().find(is_it).unwrap_or_else(|| panic!("{name} is not ranked"))
}

fn out<'a>(advice: &'a Advice, crop: &str) -> &'a RuledOut {
    let is_it = |out: &&RuledOut| out.crop == crop && out.variety.is_none();
    advice.ruled_out.iter().find(is_it).unwrap_or_else(|| panic!("{crop} is not ruled out"))
}

#[test]
fn former_paddy_that_drains_gets_sweet_potatoes_by_variety_and_no_rice() {
    let advice = Example::former_paddy(Drainage::Good, Water::Drained).advise();
    assert_eq!(advice.status, Status::Ranked);
    assert!(varieties(&advice, "sweet_potato").len() > 5);
    assert_eq!(out(&advice, "rice_single").rule, RuleTopic::Measure);
    assert!(advice.simulated);
}

#[test]
fn basic_farmland_passes_grain_and_rape_after_rice_warns_of_others_and_denies_orchards() {
    let mut example = Example::dry_land().season("rice_single", "2025-05-20", Some("2025-09-20"));
    example.dossier.plot.land_type = LandType::Irrigated;
    example.dossier.plot.protection = vec![Protection::BasicFarmland];
    example.dossier.plot.water = Some(Water::Irrigated);
    example.on = day("2025-09-25");
    let advice = example.advise();
    let is_warned = |name: &str| {
        line(&advice, name).warnings.iter().any(|warning| warning.rule == RuleTopic::Protection)
    };
    assert!(!is_warned("maize") && !is_warned("sweet_potato") && !is_warned("rapeseed"));
    assert!(is_warned("chili") && is_warned("sesame"));
    for crop in ["orange", "saplings", "turf"] {
        assert_eq!(out(&advice, crop).rule, RuleTopic::Protection, "{crop}");
    }
}

#[test]
fn ordinary_paddy_stays_with_rice() {
    let mut example = Example::former_paddy(Drainage::Poor, Water::Flooded);
    example.dossier.plot.measure = None;
    let advice = example.advise();
    assert_eq!(out(&advice, "sweet_potato").rule, RuleTopic::LandType);
    assert!(crops(&advice).contains(&"rice_single"));
}

#[test]
fn a_measure_that_is_over_binds_nobody() {
    let mut example = Example::former_paddy(Drainage::Poor, Water::Flooded);
    example.dossier.plot.measure.as_mut().unwrap().to = Some(day("2025-12-31"));
    let advice = example.advise();
    assert_eq!(advice.land.measure, None);
    assert!(crops(&advice).contains(&"rice_single"));
    assert_eq!(
        Example::dry_land().measure(Measure::Fallow).advise().land.measure,
        Some(Measure::Fallow)
    );
}

#[test]
fn the_official_class_binds_above_clean_samples() {
    let advice = Example::dry_land().official(SoilClass::StrictControl).advise();
    assert_eq!(out(&advice, "sweet_potato").rule, RuleTopic::SoilClass);
}

#[test]
fn where_black_spot_was_seen_susceptible_varieties_are_out_and_unknown_ones_say_so() {
    let example =
        Example::dry_land().disease(Disease::BlackSpot, "sweet_potato", "2023-05-10", "2023-10-20");
    let advice = example.advise();
    let gone = advice.ruled_out.iter().find(|o| o.variety.as_deref() == Some("shangshu_19"));
    assert_eq!(gone.unwrap().rule, RuleTopic::Disease);
    assert!(varieties(&advice, "sweet_potato").contains(&"yanshu_25"));
    let resistance = |name: &str| {
        let reasons = &line(&advice, name).reasons;
        reasons.iter().find(|reason| reason.factor == "resistance").unwrap().clone()
    };
    assert_eq!(resistance("yanshu_25").speaks, Speaks::For);
    assert_eq!(resistance("pushu_32").speaks, Speaks::Against);
    assert!(resistance("pushu_32").text.zh.contains("不详"));
    assert_eq!(advice.land.disease, [Disease::BlackSpot]);
}

#[test]
fn without_a_soil_sample_crops_are_ranked_with_a_condition() {
    let mut example = Example::dry_land();
    let ph = shipped().quantity_no("soil_ph").unwrap();
    example.dossier.samples.retain(|sample| sample.quantity == ph);
    let advice = example.advise();
    assert_eq!(advice.status, Status::Ranked);
    assert_eq!(line(&advice, "sweet_potato").conditions[0].code, "pollution_unknown");
    assert!(advice.measure_first.iter().any(|missing| missing.quantity == "cadmium"));
}

/// Harvests of a starch and of a fresh variety, by two households each.
fn harvested() -> Example {
    Example::dry_land()
        .harvests("shangshu_19", &[(2024, "Li", 33_000.0), (2025, "Wang", 35_000.0)])
        .harvests("yanshu_25", &[(2024, "Wang", 27_000.0), (2025, "Li", 28_000.0)])
        .strip("s1", 2024, &[("shangshu_19", 34_000.0), ("yanshu_25", 27_000.0)])
        .strip("s2", 2025, &[("shangshu_19", 35_000.0), ("yanshu_25", 27_500.0)])
}

#[test]
fn another_buyer_brings_another_variety_and_another_crop() {
    let starch = harvested()
        .price("sweet_potato", SoldAs::Starch, 0.8, 1500.0)
        .price("maize", SoldAs::Fresh, 2.4, 750.0)
        .advise();
    assert_eq!(starch.ranked[0].crop, "sweet_potato");
    assert_eq!(starch.ranked[0].margin.as_ref().unwrap().sold_as, SoldAs::Starch);
    let fresh = harvested().price("sweet_potato", SoldAs::Fresh, 1.6, 1500.0).advise();
    assert!(
        shipped()
            .variety(fresh.ranked[0].variety.as_ref().unwrap())
            .unwrap()
            .uses
            .contains(&SoldAs::Fresh)
    );
    assert_ne!(starch.ranked[0].variety, fresh.ranked[0].variety);
    let maize = harvested()
        .price("sweet_potato", SoldAs::Starch, 0.4, 1500.0)
        .price("maize", SoldAs::Fresh, 3.2, 750.0)
        .advise();
    assert_eq!(maize.ranked[0].crop, "maize");
    let told = &line(&maize, "sweet_potato").would_change;
    assert!(told.iter().any(|change| change.factor == "price") || told.is_empty(), "{told:?}");
}

#[test]
fn a_crop_without_a_price_comes_after_those_with_one() {
    let advice = Example::dry_land().price("maize", SoldAs::Fresh, 2.4, 750.0).advise();
    let first_without = advice.ranked.iter().position(|line| line.margin.is_none()).unwrap();
    assert!(first_without > 0);
    assert!(advice.ranked[first_without..].iter().all(|line| line.margin.is_none()));
    let sweet_potato = line(&advice, "sweet_potato");
    assert!(sweet_potato.reasons.iter().any(|reason| reason.factor == "margin"));
}

#[test]
fn with_the_harvests_removed_the_advice_is_less_certain() {
    let with = harvested().advise();
    let without = Example::dry_land().advise();
    let spread = |advice: &Advice| {
        let interval = line(advice, "shangshu_19").yield_kg_ha.unwrap();
        (interval.high - interval.low) / interval.expected
    };
    assert!(spread(&without) > spread(&with));
    assert_eq!(line(&with, "shangshu_19").evidence, Evidence::LocalOutcomes);
    assert_eq!(line(&without, "shangshu_19").evidence, Evidence::Trials);
    assert_eq!(line(&without, "shangshu_19").basis, Basis::default());
}

#[test]
fn varieties_that_the_data_cannot_tell_apart_are_tied_both_ways() {
    let advice = Example::dry_land()
        .strip("s1", 2024, &[("xushu_22", 30_000.0), ("jishu_26", 30_200.0)])
        .strip("s2", 2025, &[("xushu_22", 29_000.0), ("jishu_26", 28_900.0)])
        .advise();
    let (a, b) = (line(&advice, "xushu_22"), line(&advice, "jishu_26"));
    assert!(a.tied_with.contains(&"jishu_26".to_owned()), "{:?}", a.p_better);
    assert!(b.tied_with.contains(&"xushu_22".to_owned()));
    assert!((a.p_better["jishu_26"] + b.p_better["xushu_22"] - 1.0).abs() < 0.011);
    let apart = harvested().advise();
    assert!(!line(&apart, "shangshu_19").tied_with.contains(&"yanshu_25".to_owned()));
    assert!(line(&apart, "shangshu_19").p_better["yanshu_25"] > 0.8);
}

#[test]
fn what_stands_there_moves_the_planting() {
    let example = Example::dry_land().season("rapeseed", "2025-10-05", Some("2026-05-20"));
    let advice = example.advise();
    let planting = line(&advice, "sweet_potato").planting.clone().unwrap();
    assert_eq!(planting.from, "06-01");
}

#[test]
fn the_same_values_give_the_same_bytes() {
    let example = harvested().price("sweet_potato", SoldAs::Starch, 0.8, 1500.0);
    let first = serde_json::to_string(&example.advise()).unwrap();
    assert_eq!(first, serde_json::to_string(&example.advise()).unwrap());
}
