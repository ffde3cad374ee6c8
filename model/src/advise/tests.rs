use plotwise_config::{
    land::{Disease, Drainage, LandType, Measure, Protection, SoilClass, Water},
    records::{Organ, SoldAs},
};

use super::*;
use crate::{
    advice::{Speaks, Suitability},
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
fn the_undrained_one_beside_it_gets_none_and_is_told_what_draining_would_change() {
    let advice = Example::former_paddy(Drainage::Poor, Water::Flooded).advise();
    assert!(varieties(&advice, "sweet_potato").is_empty(), "{:?}", crops(&advice));
    let ruled_out = out(&advice, "sweet_potato");
    assert_eq!(ruled_out.rule, RuleTopic::Suitability);
    let change = &ruled_out.would_change[0];
    assert_eq!((change.factor.as_str(), change.from.as_str()), ("drainage", "poor"));
    assert!(change.effect.en.contains("S1") || change.effect.en.contains("S2"), "{change:?}");
    // The law stands whatever the land is made to be.
    let rice = out(&advice, "rice_single");
    assert!(rice.would_change.iter().all(|change| change.factor != "drainage"));
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
fn above_screening_every_eaten_organ_is_tested_before_sale_by_its_own_limit() {
    let advice = Example::dry_land().metals(0.5).advise();
    let conditions = &line(&advice, "sweet_potato").conditions;
    let tests: Vec<&str> = conditions
        .iter()
        .filter(|condition| condition.code == "test_before_sale")
        .map(|condition| condition.text.zh.as_str())
        .collect();
    assert_eq!(tests.len(), 2, "{conditions:?}");
    assert!(tests[0].contains("0.1 毫克/公斤") && tests[0].contains("GB 2762-2025"), "{tests:?}");
    assert!(tests[1].contains("0.2 毫克/公斤"), "{tests:?}");
}

#[test]
fn a_produce_sample_that_passed_ends_the_hold_and_one_that_failed_rules_out() {
    let grown =
        Example::dry_land().metals(0.5).season("sweet_potato", "2024-05-10", Some("2024-10-20"));
    let passed = grown.clone().produce("2024-05-10", Organ::Root, 0.05).advise();
    let codes: Vec<&str> =
        line(&passed, "sweet_potato").conditions.iter().map(|c| c.code.as_str()).collect();
    assert!(codes.contains(&"keep_testing"), "{codes:?}");
    let failed = grown.produce("2024-05-10", Organ::Root, 0.2).advise();
    assert_eq!(out(&failed, "sweet_potato").rule, RuleTopic::Pollution);
}

#[test]
fn above_intervention_nothing_is_eaten_or_fed() {
    let advice = Example::dry_land().metals(3.0).advise();
    for line in &advice.ranked {
        let crop = shipped().crop(&line.crop).unwrap();
        assert!(!crop.uses[0].edible, "{} is eaten", line.crop);
    }
    let sweet_potato = out(&advice, "sweet_potato");
    assert_eq!(sweet_potato.rule, RuleTopic::Pollution);
    assert!(sweet_potato.text.zh.contains("管制值"), "{:?}", sweet_potato.text);
    assert!(crops(&advice).iter().any(|crop| ["cotton", "ramie"].contains(crop)));
}

#[test]
fn the_official_class_binds_above_clean_samples() {
    let advice = Example::dry_land().official(SoilClass::StrictControl).advise();
    assert_eq!(out(&advice, "sweet_potato").rule, RuleTopic::SoilClass);
}

#[test]
fn low_soil_risk_is_never_called_clean() {
    let advice = Example::dry_land().advise();
    let reasons = &line(&advice, "sweet_potato").reasons;
    let pollution = reasons.iter().find(|reason| reason.factor == "pollution").unwrap();
    assert!(pollution.text.zh.contains("土壤风险低"));
    let words = serde_json::to_string(&advice).unwrap();
    assert!(!words.contains("clean soil") && !words.contains("清洁"));
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
fn too_little_data_is_told_and_nothing_is_ranked() {
    let mut example = Example::dry_land();
    example.dossier.plot.drainage = None;
    example.dossier.plot.soil_texture = None;
    example.dossier.plot.water = None;
    example.dossier.samples.clear();
    let advice = example.advise();
    assert_eq!(advice.status, Status::MeasureFirst);
    assert!(advice.ranked.is_empty());
    let missing: Vec<&str> = advice.measure_first.iter().map(|m| m.quantity.as_str()).collect();
    assert!(missing.contains(&"cadmium") && missing.len() > 1, "{missing:?}");
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
fn lime_is_told_only_where_it_changes_something() {
    let acid = Example::dry_land().ph(4.9).advise();
    let now = line(&acid, "sweet_potato");
    assert_eq!(now.suitability, Suitability::S2);
    let lime = now.would_change.iter().find(|change| change.factor == "soil_ph").unwrap();
    assert!(lime.effect.en.contains("S1"), "{lime:?}");
    let mild = Example::dry_land().ph(6.2).advise();
    let told = |advice: &Advice| {
        advice.ranked.iter().flat_map(|line| &line.would_change).any(|c| c.factor == "soil_ph")
    };
    assert!(!told(&mild));
}

#[test]
fn lime_that_eases_cadmium_tightens_arsenic() {
    // Between screening and intervention for other land at pH 5, above screening by arsenic alone at 6.5:
    // GB 15618-2018 table 1, Cd 0.3 at every band up to 7.5, As 40 up to 6.5 and 30 above.
    let example = Example::dry_land().ph(5.2).metals(0.1).soil("arsenic", 35.0);
    let advice = example.advise();
    let told = advice.ranked.iter().flat_map(|line| &line.would_change);
    let lime: Vec<&Change> = told.filter(|change| change.factor == "soil_ph").collect();
    // Near the edge of 6.5 the stricter band counts, so produce would have to be tested.
    assert!(lime.iter().any(|change| change.effect.zh.contains("须检测")), "{lime:?}");
}

#[test]
fn the_reasons_carry_the_plots_figure_and_the_border() {
    let advice = Example::dry_land().ph(5.6).advise();
    let reasons = &line(&advice, "sweet_potato").reasons;
    let ph = reasons.iter().find(|reason| reason.factor == "soil_ph").unwrap();
    assert_eq!(ph.text.zh, "pH 5.6，适宜 5.2-8.2");
    assert_eq!(ph.speaks, Speaks::For);
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

#[test]
fn a_whole_advice_reads_as_it_should() {
    let mut example = harvested().price("sweet_potato", SoldAs::Starch, 0.8, 1500.0);
    example.dossier.plot.land_type = LandType::Paddy;
    example.dossier.plot.drainage = Some(Drainage::Moderate);
    let mut advice = example.metals(0.35).measure(Measure::StructureAdjustment).advise();
    advice.ranked.truncate(2);
    advice.ruled_out.retain(|out| ["rice_single", "orange", "lotus"].contains(&out.crop.as_str()));
    insta::assert_json_snapshot!(advice);
}

#[test]
fn what_would_lose_money_comes_last_and_trees_after_field_crops_on_cultivated_land() {
    let advice = Example::dry_land()
        .price("maize", SoldAs::Fresh, 0.2, 5_000.0)
        .price("mandarin", SoldAs::Fresh, 90.0, 100.0)
        .price("sweet_potato", SoldAs::Fresh, 1.6, 1_500.0)
        .advise();
    let place = |crop: &str| advice.ranked.iter().position(|line| line.crop == crop).unwrap();
    assert_eq!(advice.ranked[0].crop, "sweet_potato");
    assert!(line(&advice, "maize").margin.as_ref().unwrap().per_mu < 0.0);
    let unpriced = advice.ranked.iter().position(|line| line.margin.is_none()).unwrap();
    assert!(place("maize") > unpriced);
    assert!(place("mandarin") > place("maize"));
    let told = &line(&advice, "mandarin").would_change;
    assert!(told.iter().all(|change| change.factor != "price"), "{told:?}");
}

#[test]
fn a_record_under_water_ranks_what_stands_in_water_alone() {
    let mut example = Example::former_paddy(Drainage::Good, Water::Flooded);
    example.dossier.plot.measure = None;
    example.dossier.plot.protection = vec![Protection::Ordinary];
    example.dossier.plot.drainage = None;
    example.dossier.days = example.flooded_year();
    let example = example.season("rice_single", "2025-03-01", None);
    let advice = example.advise();
    assert!(advice.measure_first.iter().any(|missing| missing.quantity == "soil_moisture"));
    let is_upland = |line: &RankedLine| {
        let crop = shipped().crop(&line.crop).unwrap();
        crop.water_habit != plotwise_config::catalogue::crop::WaterHabit::Aquatic
    };
    assert!(!advice.ranked.iter().any(is_upland), "{:?}", crops(&advice));
    assert!(crops(&advice).contains(&"rice_single"), "{:?}", advice.ruled_out);
}
