use jiff::{ToSpan, civil::Date};
use plotwise_config::{
    day::{DayStatistics, DaySummary},
    land::Drainage,
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

/// Days of a light sensor that reports day and night.
fn light(from: &str, count: usize, integral: f64, covered_s: u32, min: f64) -> Vec<DaySummary> {
    let mut light = days("ppfd", from, &vec![400.0; count]);
    for day in &mut light {
        day.depth = None;
        day.integral = integral;
        day.covered_s = covered_s;
        if let Some(statistics) = &mut day.statistics {
            statistics.min = min;
        }
    }
    light
}

#[test]
fn a_day_of_light_counts_only_where_little_of_its_daylight_is_missing() {
    let integral = |covered_s: u32, min: f64| {
        let mut example = Example::dry_land();
        let first = example.dossier.window.0.to_string();
        example.dossier.days = light(&first, 10, 43.2e6, covered_s, min);
        profile(&example).daily_light_integral.map(|figure| (figure.value * 1e3).round() / 1e3)
    };
    // 500 µmol m⁻² s⁻¹ all day are 43.2 mol.
    assert_eq!(integral(86_400, 0.0), Some(43.2));
    assert_eq!(integral(75_600, 0.0), Some(43.2), "eight readings, 3 h apart");
    assert_eq!(integral(54_000, 0.0), None, "a noon reading is missing");
    assert_eq!(integral(40_000, 5.0), Some(43.2), "a sensor that sleeps at night misses no light");
}

#[test]
fn an_acid_reading_of_a_dry_probe_is_left_out() {
    let mut example = with_moisture(Example::dry_land(), &[0.10; 60]);
    let first = example.dossier.window.0.to_string();
    example.dossier.days.extend(days("soil_ph", &first, &[3.9; 60]));
    example.dossier.samples.clear();
    let found = profile(&example);
    assert_eq!(found.soil_ph_median, None);
    assert!(found.gaps().iter().any(|gap| gap.quantity == "soil_ph" && gap.is_blocking));
}

#[test]
fn wet_days_before_the_ditches_say_nothing_about_the_drained_field() {
    let mut values = vec![0.47; 100];
    values.extend(swinging([0.30, 0.27, 0.25, 0.24], 100));
    let mut example = with_moisture(Example::dry_land(), &values);
    let dug = example.dossier.window.0.saturating_add(100.days());
    let undrained = profile(&example);
    assert_eq!(undrained.wetness.measured, Some(Drainage::Poor));
    example = example.season("sweet_potato", &dug.to_string(), None);
    example.dossier.seasons[0].water = Some(Water::Drained);
    let drained = profile(&example);
    assert_eq!(drained.days_judged, 100);
    assert_eq!(drained.wetness.measured, Some(Drainage::Good));
    assert_eq!(drained.current_water, Some(Water::Drained));
}

#[test]
fn measurements_tighten_what_was_said_and_never_loosen_it() {
    let of = |stated, measured| {
        let found = Wetness::of(stated, measured);
        (found.drainage, found.basis, found.is_contradiction())
    };
    let (good, poor) = (Some(Drainage::Good), Some(Drainage::Poor));
    assert_eq!(of(good, poor), (poor, Some(WetnessBasis::Measured), true));
    assert_eq!(of(poor, good), (poor, Some(WetnessBasis::Stated), true));
    assert_eq!(of(None, good), (good, Some(WetnessBasis::Measured), false));
    assert_eq!(of(poor, None), (poor, Some(WetnessBasis::Stated), false));
    assert_eq!(of(None, None), (None, None, false));
}

#[test]
fn a_dry_year_puts_no_drainage_to_the_test() {
    let example = with_moisture(Example::dry_land(), &swinging([0.16, 0.15, 0.14, 0.13], 200));
    let found = profile(&example);
    assert_eq!(found.longest_wet_spell.map(|figure| figure.value), Some(0.0));
    assert_eq!(found.wetness.measured, None);
    assert_eq!(found.wetness.drainage, example.dossier.plot.drainage, "as people said");
}

#[test]
fn five_days_of_moisture_and_no_word_on_drainage_are_too_little() {
    let mut example = with_moisture(Example::dry_land(), &[0.25; 5]);
    example.dossier.plot.drainage = None;
    let gaps = profile(&example).gaps();
    assert_eq!(gaps[0].quantity, "soil_moisture");
    assert!(gaps[0].is_blocking);
}

#[test]
fn a_month_before_the_sensor_fell_silent_is_too_little_where_nobody_said_how_the_plot_drains() {
    let mut example = with_moisture(Example::dry_land(), &[0.25; 40]);
    example.dossier.window.1 = example.dossier.window.0.saturating_add(364.days());
    assert!(!profile(&example).gaps().iter().any(|gap| gap.is_blocking), "drainage was stated");
    example.dossier.plot.drainage = None;
    example.dossier.plot.soil_texture = None;
    let gaps = profile(&example).gaps();
    assert!(gaps[0].is_blocking && gaps[0].why.en.contains("11 %"), "{gaps:?}");
    assert!(gaps[0].why.en.contains("no soil moisture for 325 days"), "{gaps:?}");
    assert_eq!(gaps.iter().filter(|gap| gap.quantity == "soil_moisture").count(), 1);
}

#[test]
fn dry_and_wet_days_are_judged_by_the_plots_own_marks() {
    // Loam by its texture: field capacity 0.28, wilting point 0.14, saturation 0.46.
    let mut values = vec![0.25; 50];
    values.extend([0.15; 30]);
    values.extend([0.42; 2]);
    let found = profile(&with_moisture(Example::dry_land(), &values));
    assert_eq!(found.days_too_dry.map(|figure| figure.value), Some(30.0));
    assert_eq!(found.days_too_wet.map(|figure| figure.value), Some(2.0));
    assert_eq!(found.longest_wet_spell.map(|figure| figure.value), Some(2.0));
    assert_eq!(found.wetness.measured, None, "two soaked days test nothing");
}

#[test]
fn a_paddy_soaked_before_and_wet_after_its_rice_is_no_waterlogged_field() {
    // Open, soaked for three weeks, under rice, draining, open again.
    let mut values = swinging([0.30, 0.27, 0.25, 0.24], 80);
    values.extend([0.46; 21]);
    values.extend([0.46; 100]);
    values.extend([0.44; 12]);
    values.extend(swinging([0.30, 0.27, 0.25, 0.24], 60));
    let mut example = with_moisture(Example::dry_land(), &values);
    let first = example.dossier.window.0;
    let (start, end) = (first.saturating_add(101.days()), first.saturating_add(200.days()));
    example = example.season("rice_single", &start.to_string(), Some(&end.to_string()));
    example.dossier.seasons[0].water = Some(Water::Flooded);
    let found = profile(&example);
    assert_eq!(found.days_flooded, 100);
    assert_eq!(found.longest_wet_spell.map(|figure| figure.value), Some(0.0));
    assert_eq!(found.wetness.measured, Some(Drainage::Good));
}

#[test]
fn a_field_whose_surplus_rarely_leaves_does_not_drain_well() {
    // Halfway between field capacity 0.28 and saturation 0.46 begins too wet; waterlogged at 0.41.
    let example = with_moisture(Example::dry_land(), &swinging([0.38, 0.39, 0.38, 0.35], 120));
    let found = profile(&example);
    assert_eq!(found.longest_wet_spell.map(|figure| figure.value), Some(0.0));
    assert_eq!(found.wetness.measured, Some(Drainage::Poor));
    assert!(found.wetness.is_contradiction());
}
