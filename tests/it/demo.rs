//! The made-up cooperative of `plotwise demo --once`: the cases that a reader wants to see, each on
//! the plot that has its role in the world.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::civil::date;
use plotwise_advisor::world::{Role, World};
use plotwise_config::catalogue::{Catalogue, crop::CropClass};
use plotwise_model::advice::{Advice, RankedLine, RuledOut, Status};
use serde_json::Value;

use crate::plotwise::Plotwise;

/// What one run printed; run once for all tests here.
struct Demo {
    advice: Vec<Advice>,
    report: Value,
    cast: BTreeMap<Role, String>,
    catalogue: Catalogue,
}

static DEMO: LazyLock<Demo> = LazyLock::new(Demo::run);

impl Demo {
    fn run() -> Self {
        let plotwise = Plotwise::new();
        let file = plotwise.path("report.json");
        let report = file.to_str().expect("a path in UTF-8");
        let printed = plotwise.json(&["demo", "--once", "--report", report]);
        let advice = serde_json::from_value(printed).expect("an array of advice");
        let report = std::fs::read(&file).expect("the report");
        let report = serde_json::from_slice(&report).expect("the report is JSON");
        let catalogue = Catalogue::load(&[]).expect("the shipped catalogue");
        // The cast stands where it stands in every world.
        let world =
            World::new(1, &catalogue, date(2022, 1, 1), date(2025, 12, 31)).expect("a world");
        let cast = world.cast().into_iter().map(|(role, plot)| (role, plot.to_string())).collect();
        Self { advice, report, cast, catalogue }
    }

    fn of(&self, role: Role) -> &Advice {
        let plot = &self.cast[&role];
        self.advice.iter().find(|advice| advice.plot == *plot).expect("advice for every plot")
    }

    fn class(&self, crop: &str) -> CropClass {
        self.catalogue.crop(crop).expect("a crop of the catalogue").class
    }
}

fn lines<'a>(advice: &'a Advice, crop: &'a str) -> impl Iterator<Item = &'a RankedLine> {
    advice.ranked.iter().filter(move |line| line.crop == crop)
}

fn ruled_out<'a>(advice: &'a Advice, crop: &'a str) -> impl Iterator<Item = &'a RuledOut> {
    advice.ruled_out.iter().filter(move |line| line.crop == crop)
}

fn has_condition(line: &RankedLine, code: &str) -> bool {
    line.conditions.iter().any(|condition| condition.code == code)
}

#[test]
fn every_plot_is_answered_and_marked_as_simulated() {
    let advice = &DEMO.advice;
    assert_eq!(advice.len(), 60);
    assert!(advice.iter().all(|advice| advice.simulated));
    for status in [Status::Ranked, Status::MeasureFirst] {
        assert!(advice.iter().any(|advice| advice.status == status), "{status:?}");
    }
    for advice in advice {
        assert_eq!(advice.status == Status::Ranked, !advice.ranked.is_empty(), "{}", advice.plot);
        let ranks: Vec<u32> = advice.ranked.iter().map(|line| line.rank).collect();
        assert!(ranks.is_sorted(), "{}: {ranks:?}", advice.plot);
        for line in &advice.ranked {
            let texts = line.reasons.iter().map(|reason| &reason.text);
            assert!(texts.clone().count() > 0, "{}: {} has no reason", advice.plot, line.crop);
            for text in texts.chain([&line.name]) {
                assert!(!text.zh.is_empty() && !text.en.is_empty(), "{}", advice.plot);
            }
        }
    }
}

#[test]
fn drained_former_paddy_ranks_sweet_potatoes_by_variety() {
    let advice = DEMO.of(Role::DrainedFormerPaddy);
    assert_eq!(advice.status, Status::Ranked);
    let varieties: Vec<_> = lines(advice, "sweet_potato").map(|line| &line.variety).collect();
    assert!(varieties.len() >= 3, "{varieties:?}");
    assert!(varieties.iter().all(|variety| variety.is_some()), "{varieties:?}");
}

#[test]
fn undrained_former_paddy_has_no_sweet_potato_and_says_what_draining_would_change() {
    let advice = DEMO.of(Role::UndrainedFormerPaddy);
    assert_eq!(lines(advice, "sweet_potato").count(), 0, "none is ranked");
    let changes: Vec<_> =
        ruled_out(advice, "sweet_potato").flat_map(|line| &line.would_change).collect();
    let draining = changes.iter().any(|change| {
        ["drainage", "water", "flooding"].contains(&change.factor.as_str())
            && !change.effect.zh.is_empty()
            && change.effect.en.contains("drain")
    });
    assert!(draining, "{:?}", ruled_out(advice, "sweet_potato").collect::<Vec<_>>());
}

#[test]
fn basic_farmland_is_for_grain_first_and_for_no_orchard_sapling_or_turf() {
    for role in [Role::BasicFarmlandPaddy, Role::BasicFarmlandDry] {
        let advice = DEMO.of(role);
        let denied = [CropClass::Fruit, CropClass::Sapling, CropClass::Turf];
        let mut others = 0;
        for line in &advice.ranked {
            let class = DEMO.class(&line.crop);
            assert!(!denied.contains(&class), "{role:?}: {} is ranked", line.crop);
            let is_warned = line.warnings.iter().any(|warning| warning.rule.key() == "protection");
            // In winter after rice they take no grain's place.
            let may_pass = ["rapeseed", "milk_vetch"].contains(&line.crop.as_str());
            if class == CropClass::Grain {
                assert!(!is_warned, "{role:?}: {} is warned of", line.crop);
            } else if !may_pass {
                assert!(is_warned, "{role:?}: {} carries no warning", line.crop);
                others += 1;
            }
        }
        assert!(others > 0, "{role:?}: no other field crop is ranked");
        for crop in ["orange", "saplings", "turf"] {
            let rules: Vec<_> = ruled_out(advice, crop).map(|line| line.rule.key()).collect();
            assert!(rules.contains(&"protection"), "{role:?}: {crop} {rules:?}");
        }
    }
}

#[test]
fn rape_after_rice_passes_on_basic_farmland_without_a_warning() {
    let advice = DEMO.of(Role::BasicFarmlandPaddy);
    let rape: Vec<_> = advice.ranked.iter().filter(|line| line.crop == "rapeseed").collect();
    assert!(!rape.is_empty(), "no rape is ranked");
    for line in rape {
        let warned = line.warnings.iter().any(|warning| warning.rule.key() == "protection");
        assert!(!warned, "{:?}", line.warnings);
    }
}

#[test]
fn above_the_screening_value_what_is_eaten_is_tested_before_sale() {
    let advice = DEMO.of(Role::AboveScreening);
    assert_eq!(
        advice.site["pollution_class"].word.as_deref(),
        Some("between_screening_and_intervention")
    );
    let edible: Vec<_> = lines(advice, "sweet_potato").collect();
    assert!(!edible.is_empty(), "sweet potato is ranked");
    for line in edible {
        assert!(has_condition(line, "test_before_sale"), "{:?}", line.conditions);
    }
    let grain = advice.ranked.iter().filter(|line| DEMO.class(&line.crop) == CropClass::Grain);
    for line in grain {
        assert!(has_condition(line, "test_before_sale"), "{}: {:?}", line.crop, line.conditions);
    }
}

#[test]
fn above_the_intervention_value_nothing_that_is_eaten_or_fed_is_ranked() {
    let advice = DEMO.of(Role::AboveIntervention);
    assert_eq!(advice.site["pollution_class"].word.as_deref(), Some("above_intervention"));
    let eaten = [CropClass::Grain, CropClass::Vegetable, CropClass::Fruit];
    for line in &advice.ranked {
        let class = DEMO.class(&line.crop);
        assert!(!eaten.contains(&class) && line.crop != "sweet_potato", "{}", line.crop);
    }
    let rules: Vec<_> = ruled_out(advice, "sweet_potato").map(|line| line.rule.key()).collect();
    assert!(rules.contains(&"pollution"), "{rules:?}");
}

#[test]
fn where_a_disease_was_seen_susceptible_varieties_are_ruled_out() {
    for (role, disease) in [(Role::BlackSpot, "black spot"), (Role::StemNematode, "stem nematode")]
    {
        let advice = DEMO.of(role);
        let by_disease =
            ruled_out(advice, "sweet_potato").find(|line| line.rule.key() == "disease");
        let line = by_disease.unwrap_or_else(|| panic!("{role:?}: no variety is ruled out"));
        assert!(line.variety.is_some(), "{line:?}");
        assert!(line.text.en.to_lowercase().contains(disease), "{}", line.text.en);
        let mut ranked = lines(advice, "sweet_potato").map(|line| &line.variety);
        assert!(ranked.all(|variety| *variety != line.variety), "ruled out and ranked");
    }
}

#[test]
fn with_too_little_data_it_says_what_to_measure_and_ranks_nothing() {
    for role in [Role::NewSensor, Role::SilentSensor] {
        let advice = DEMO.of(role);
        assert_eq!(advice.status, Status::MeasureFirst, "{role:?}");
        assert!(advice.ranked.is_empty(), "{role:?}");
        assert!(!advice.measure_first.is_empty(), "{role:?}");
    }
}

#[test]
fn the_advice_loses_less_than_habit_and_the_report_says_by_how_much() {
    let yuan = |way: &str| DEMO.report["yuan_per_mu"][way].as_f64().expect(way);
    let [advice, habit, average, oracle] =
        ["advice", "habit", "best_on_average", "oracle"].map(yuan);
    assert!(advice > habit, "advice {advice}, habit {habit}");
    assert!(oracle >= advice.max(average), "oracle {oracle}, average {average}");
    assert!(DEMO.report["falsely_safe"].is_u64(), "{}", DEMO.report);
}
