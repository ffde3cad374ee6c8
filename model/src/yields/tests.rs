use super::*;
use crate::example::{Example, crop_key, day, harvest, shipped, variety_key};

const HERE: Ground<'static> =
    Ground { village: Some("Yuxin"), household: Some("Li"), drainage: Some(Drainage::Good) };

fn means(harvests: &[Harvest]) -> CropMeans {
    let means = LocalMeans::fit(shipped(), harvests, day("2026-03-01"));
    means.crop(&crop_key("sweet_potato")).unwrap().clone()
}

fn estimate(harvests: &[Harvest], variety: &str) -> Estimate {
    means(harvests).expect(Some(&variety_key(variety)), HERE)
}

fn width(estimate: Estimate) -> f64 {
    estimate.interval.high - estimate.interval.low
}

/// Three households over three years.
fn three_years(variety: &str, level: f64) -> Vec<Harvest> {
    let years = [(2023, 0.9), (2024, 1.0), (2025, 1.1)];
    let households = [("Li", 1.0), ("Wang", 0.95), ("Chen", 1.05)];
    years
        .iter()
        .flat_map(|(year, weather)| {
            households
                .iter()
                .map(move |(name, skill)| harvest(variety, *year, name, level * weather * skill))
        })
        .collect()
}

#[test]
fn the_expectation_follows_local_harvests() {
    let estimate = estimate(&three_years("xushu_22", 36_000.0), "xushu_22");
    assert_eq!(estimate.evidence, Evidence::LocalOutcomes);
    assert_eq!(estimate.basis, Basis { harvests: 9, households: 3, environments: 3 });
    assert!((30_000.0..38_000.0).contains(&estimate.interval.expected), "{estimate:?}");
    assert!(!estimate.interval.calibrated);
}

#[test]
fn with_the_harvests_removed_the_interval_widens_and_the_evidence_weakens() {
    let with = estimate(&three_years("xushu_22", 24_000.0), "xushu_22");
    let without = estimate(&[], "xushu_22");
    assert!(width(without) > width(with), "{without:?} {with:?}");
    assert_eq!(without.evidence, Evidence::Trials);
    assert_eq!(without.basis, Basis::default());
}

#[test]
fn a_variety_without_trials_or_harvests_rests_on_the_usual_yield_alone() {
    let estimate = estimate(&[], "xushu_18");
    assert_eq!(estimate.evidence, Evidence::Envelope);
    assert!(estimate.interval.low >= 0.0 && estimate.interval.low < estimate.interval.high);
}

#[test]
fn a_crop_that_nobody_knows_a_yield_of_has_none() {
    let means = LocalMeans::fit(shipped(), &[], day("2026-03-01"));
    let crop = crop_key("saplings");
    assert!(shipped().crop("saplings").is_some());
    assert!(means.crop(&crop).is_none());
}

#[test]
fn a_harvest_of_the_same_day_or_later_does_not_count() {
    let mut late = three_years("xushu_22", 60_000.0);
    for row in &mut late {
        row.outcome.season_end = day("2026-03-01");
    }
    assert_eq!(estimate(&late, "xushu_22"), estimate(&[], "xushu_22"));
}

#[test]
fn a_failure_pulls_the_mean_down_and_an_abandoned_season_does_not() {
    let fair = three_years("xushu_22", 30_000.0);
    let mut failed = fair.clone();
    failed.push(harvest("xushu_22", 2025, "Zhao", 0.0));
    let mut abandoned = fair.clone();
    abandoned.push(harvest("xushu_22", 2025, "Zhao", 0.0));
    abandoned.last_mut().unwrap().outcome.status = OutcomeStatus::Abandoned;
    let expected = |harvests: &[Harvest]| estimate(harvests, "xushu_22").interval.expected;
    assert!(expected(&failed) < expected(&fair));
    assert!((expected(&abandoned) - expected(&fair)).abs() < 1e-6);
}

#[test]
fn strips_tell_varieties_apart_that_harvests_of_one_household_cannot() {
    let own = [
        harvest("xushu_18", 2024, "Li", 40_000.0),
        harvest("xushu_18", 2025, "Li", 40_000.0),
        harvest("jishu_26", 2024, "Wang", 20_000.0),
        harvest("jishu_26", 2025, "Wang", 20_000.0),
    ];
    let (a, b) = (variety_key("xushu_18"), variety_key("jishu_26"));
    assert_eq!(means(&own).compare(&a, &b), Comparison::None);

    let mut example = Example::dry_land();
    for (place, year) in [2023, 2024, 2025].into_iter().enumerate() {
        let name = format!("s{place}");
        example = example.strip(&name, year, &[("xushu_18", 33_000.0), ("jishu_26", 24_000.0)]);
    }
    let means = means(&example.surroundings.harvests);
    let Comparison::Chance(chance) = means.compare(&a, &b) else { panic!("no comparison") };
    assert!(chance > 0.9, "{chance}");
    let Comparison::Chance(other) = means.compare(&b, &a) else { panic!("no comparison") };
    assert!((chance + other - 1.0).abs() < 1e-6);
    assert_eq!(means.expect(Some(&a), HERE).evidence, Evidence::Strips);
}

#[test]
fn the_order_of_the_harvests_does_not_matter() {
    let mut harvests = three_years("xushu_22", 30_000.0);
    harvests.extend(three_years("jishu_26", 25_000.0));
    let forwards = estimate(&harvests, "xushu_22").interval.expected;
    harvests.reverse();
    let backwards = estimate(&harvests, "xushu_22").interval.expected;
    assert!((forwards - backwards).abs() < 1e-3, "{forwards} {backwards}");
}

#[test]
fn the_normal_distribution_function_agrees_with_its_table() {
    for (z, expected) in [(0.0, 0.5), (1.0, 0.841_345), (-1.96, 0.024_998), (3.0, 0.998_650)] {
        assert!((normal(z) - expected).abs() < 1e-5, "{z}");
    }
}

#[test]
fn the_quantile_of_few_degrees_of_freedom_is_wider() {
    // Student's t, 90 %: 1.3968 at 8 degrees of freedom, 1.2816 at infinitely many.
    assert!((quantile(8.0) - 1.3968).abs() < 2e-3, "{}", quantile(8.0));
    assert!((quantile(1e9) - Z).abs() < 1e-6);
}
