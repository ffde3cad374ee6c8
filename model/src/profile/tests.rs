use jiff::{ToSpan, civil::Date};
use plotwise_config::{
    day::{DayStatistics, DaySummary},
    reading::DepthMm,
};

use super::*;
use crate::example::{Example, day, shipped};

/// Days of a topsoil probe from a first day on, one value each.
fn days(quantity: &str, from: &str, values: &[f64]) -> Vec<DaySummary> {
    let first: Date = day(from);
    let quantity = shipped().quantity_no(quantity).unwrap();
    let of = |(nth, &value): (usize, &f64)| DaySummary {
        day: first.saturating_add(i32::try_from(nth).unwrap().days()),
        quantity,
        depth: Some(DepthMm(200)),
        count: 8,
        flagged: 0,
        covered_s: 75_600,
        integral: value * 75_600.0,
        statistics: Some(DayStatistics {
            mean: value,
            min: value,
            max: value,
            p10: value,
            p50: value,
            p90: value,
        }),
    };
    values.iter().enumerate().map(of).collect()
}

fn profile(example: &Example) -> SiteProfile {
    site_profile(shipped(), &example.dossier, &example.surroundings.climate)
}

/// A year of moisture that swings between dry and freshly drained.
fn swinging(levels: [f64; 4], count: usize) -> Vec<f64> {
    (0..count).map(|nth| levels[nth % levels.len()]).collect()
}

fn with_moisture(mut example: Example, values: &[f64]) -> Example {
    let first = example.on.saturating_sub(i32::try_from(values.len()).unwrap().days());
    example.dossier.window = (first, example.on);
    example.dossier.days = days("soil_moisture", &first.to_string(), values);
    example
}

#[test]
fn a_plot_without_sensors_has_no_moisture_and_says_so() {
    let mut example = Example::dry_land();
    example.dossier.days.clear();
    let profile = profile(&example);
    assert!(profile.soil_moisture_mean.is_none());
    assert!(profile.coverage.abs() < f64::EPSILON);
    assert!(profile.gaps().iter().any(|gap| gap.quantity == "soil_moisture"));
}

#[test]
fn mean_and_percentiles_are_those_of_the_days() {
    let example = with_moisture(Example::dry_land(), &swinging([0.20, 0.22, 0.24, 0.26], 200));
    let profile = profile(&example);
    let value = |figure: Option<Figure>| figure.unwrap().value;
    assert!((value(profile.soil_moisture_mean) - 0.23).abs() < 1e-9);
    assert!((value(profile.soil_moisture_p10) - 0.20).abs() < 1e-9);
    assert!((value(profile.soil_moisture_p90) - 0.26).abs() < 1e-9);
}

#[test]
fn twelve_days_of_standing_water_make_drainage_poor_whatever_was_said() {
    let mut values = swinging([0.20, 0.22, 0.24, 0.26], 150);
    values.extend([0.47; 12]);
    values.extend(swinging([0.20, 0.22, 0.24, 0.26], 40));
    let example = with_moisture(Example::dry_land(), &values);
    let profile = profile(&example);
    assert_eq!(profile.longest_wet_spell.map(|figure| figure.value), Some(12.0));
    assert_eq!(profile.wetness.drainage, Some(plotwise_config::land::Drainage::Poor));
    assert!(profile.wetness.is_contradiction());
}

#[test]
fn moisture_under_flooded_rice_says_nothing_about_the_drained_field() {
    let mut example = with_moisture(Example::dry_land(), &[0.47; 150]);
    let first = example.dossier.window.0.to_string();
    example = example.season("rice_single", &first, None);
    if let Some(season) = example.dossier.seasons.last_mut() {
        season.water = Some(plotwise_config::land::Water::Flooded);
    }
    let profile = profile(&example);
    assert_eq!(profile.days_judged, 0);
    assert!(profile.days_flooded > 100, "{}", profile.days_flooded);
    assert!(profile.longest_wet_spell.is_none());
}

#[test]
fn a_laboratory_ph_goes_before_a_probes() {
    let mut example = with_moisture(Example::dry_land(), &swinging([0.2, 0.22, 0.24, 0.26], 120));
    let first = example.dossier.window.0.to_string();
    example.dossier.days.extend(days("soil_ph", &first, &[7.4; 120]));
    let sampled = profile(&example).soil_ph_median.unwrap();
    assert_eq!(sampled.basis, FigureBasis::Samples);
    example.dossier.samples.clear();
    let probed = profile(&example).soil_ph_median.unwrap();
    assert_eq!((probed.value, probed.basis), (7.4, FigureBasis::Readings));
}

#[test]
fn days_outside_the_window_do_not_count() {
    let mut example = with_moisture(Example::dry_land(), &[0.25; 100]);
    let before = example.dossier.window.0.saturating_sub(50.days());
    example.dossier.days.extend(days("soil_moisture", &before.to_string(), &[0.9; 40]));
    let mean = profile(&example).soil_moisture_mean.unwrap();
    assert!((mean.value - 0.25).abs() < 1e-9, "{}", mean.value);
}

#[test]
fn every_key_of_the_interface_is_there_once_it_is_known() {
    let example = with_moisture(Example::dry_land(), &swinging([0.2, 0.22, 0.24, 0.26], 200));
    let site = profile(&example).to_site();
    for key in [
        "soil_moisture_mean",
        "soil_moisture_p10",
        "soil_moisture_p90",
        "soil_ph_median",
        "pollution_class",
        "coverage",
    ] {
        assert!(site.contains_key(key), "{key} in {:?}", site.keys());
    }
}
