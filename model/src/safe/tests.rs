use super::*;
use crate::example::{Example, shipped};
use crate::pollution::{Nemerow, PollutionClass};

fn pollution(class: PollutionClass, cadmium: f64) -> Pollution {
    let sample = JudgedSample {
        quantity: shipped().quantity_no("cadmium").unwrap(),
        value_mg_kg: cadmium,
        is_below_detection: false,
        ph: Some(5.8),
        is_own_ph: true,
        is_near_edge: false,
        screening_mg_kg: 0.3,
        intervention_mg_kg: Some(2.0),
        sampled_on: crate::example::day("2025-11-01"),
        class,
    };
    let nemerow = Some(Nemerow { index: cadmium / 0.3, count: 1 });
    let worst = Some(sample.clone());
    Pollution { class, worst, judged: vec![sample], nemerow, missing: Vec::new() }
}

fn safety_of(
    example: &Example,
    crop: &str,
    pollution: &Pollution,
    official: Option<SoilClass>,
) -> Safety<'static> {
    let crop = shipped().crop(crop).unwrap();
    let soil = SoilSafety::new(pollution, official);
    let produce = ProduceSamples::new(&example.dossier.samples, &example.dossier.seasons);
    safety(shipped(), crop, &soil, &produce)
}

fn grown() -> Example {
    Example::dry_land().season("sweet_potato", "2025-05-10", Some("2025-10-20"))
}

#[test]
fn between_screening_and_intervention_each_organ_is_tested_by_its_own_limit() {
    let between = pollution(PollutionClass::BetweenScreeningAndIntervention, 0.5);
    let Safety::Safe { uses, .. } = safety_of(&grown(), "sweet_potato", &between, None) else {
        panic!("not safe");
    };
    let limits: Vec<f64> = uses.iter().map(|safe| safe.tests[0].limit.unwrap().mg_kg).collect();
    // GB 2762-2025, table 2: tubers 0.1, leafy vegetables 0.2.
    assert_eq!(limits, [0.1, 0.2]);
}

#[test]
fn a_sample_that_passed_is_told_and_one_that_failed_rules_the_crop_out() {
    let between = pollution(PollutionClass::BetweenScreeningAndIntervention, 0.5);
    let passed = grown().produce("2025-05-10", Organ::Root, 0.06);
    let Safety::Safe { uses, .. } = safety_of(&passed, "sweet_potato", &between, None) else {
        panic!("not safe");
    };
    assert!(uses[0].tests[0].passed.is_some() && uses[1].tests[0].passed.is_none());
    let failed = grown().produce("2025-05-10", Organ::Root, 0.14);
    let safety = safety_of(&failed, "sweet_potato", &between, None);
    assert!(matches!(safety, Safety::ProduceFailed(_)), "{safety:?}");
}

#[test]
fn leaves_above_the_limit_leave_the_roots() {
    let between = pollution(PollutionClass::BetweenScreeningAndIntervention, 0.5);
    let failed = grown().produce("2025-05-10", Organ::Leaf, 0.3);
    let Safety::Safe { uses, failed, .. } = safety_of(&failed, "sweet_potato", &between, None)
    else {
        panic!("not safe");
    };
    assert_eq!(uses.len(), 1);
    assert_eq!(failed[0].organ, Organ::Leaf);
}

#[test]
fn a_sample_of_another_crop_says_nothing() {
    let between = pollution(PollutionClass::BetweenScreeningAndIntervention, 0.5);
    let rice = Example::dry_land().season("rice_single", "2025-05-20", Some("2025-09-20")).produce(
        "2025-05-20",
        Organ::Root,
        0.9,
    );
    assert!(matches!(safety_of(&rice, "sweet_potato", &between, None), Safety::Safe { .. }));
}

#[test]
fn above_intervention_only_what_is_neither_eaten_nor_fed_remains() {
    let above = pollution(PollutionClass::AboveIntervention, 2.6);
    for crop in shipped().crops() {
        let is_main_edible = crop.uses.first().is_some_and(|part| part.edible);
        let safety = safety_of(&grown(), crop.key.as_str(), &above, None);
        assert_eq!(matches!(safety, Safety::SoilForbids), is_main_edible, "{}", crop.key);
    }
    let cotton = safety_of(&grown(), "cotton", &above, None);
    assert!(matches!(cotton, Safety::Safe { forbidden, .. } if !forbidden.is_empty()));
}

#[test]
fn the_official_class_binds_and_samples_only_tighten_it() {
    let low = pollution(PollutionClass::BelowScreening, 0.1);
    let strict = SoilSafety::new(&low, Some(SoilClass::StrictControl));
    assert_eq!((strict.class, strict.is_official), (Some(SoilClass::StrictControl), true));
    let above = pollution(PollutionClass::AboveIntervention, 2.6);
    let tightened = SoilSafety::new(&above, Some(SoilClass::Priority));
    assert_eq!((tightened.class, tightened.is_official), (Some(SoilClass::StrictControl), false));
}

#[test]
fn rice_on_acid_soil_below_screening_is_tested_and_maize_is_not() {
    let below = pollution(PollutionClass::BelowScreening, 0.25);
    let tests = |crop: &str| match safety_of(&grown(), crop, &below, None) {
        Safety::Safe { uses, .. } => uses[0].tests.len(),
        other => panic!("{other:?}"),
    };
    // Mean uptake 0.915 x 0.25 mg/kg is above half of rice's 0.2; maize takes up a ninth.
    assert_eq!(tests("rice_single"), 1);
    assert_eq!(tests("maize"), 0);
}
