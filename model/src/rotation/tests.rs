use super::*;
use crate::example::{Example, day, shipped};

fn past(example: &Example) -> Past<'_> {
    Past::new(shipped(), &example.dossier.seasons, example.on)
}

fn crop(key: &str) -> &'static Crop {
    shipped().crop(key).unwrap()
}

#[test]
fn what_stands_must_be_in_before_the_next_planting() {
    let example = Example::dry_land().season("rapeseed", "2025-10-05", Some("2026-05-05"));
    let standing = past(&example).standing().unwrap();
    assert_eq!(standing.free_from, Some(day("2026-05-12")));
}

#[test]
fn an_open_season_ends_with_its_longest_cycle() {
    let example = Example::dry_land().season("rapeseed", "2025-10-05", None);
    let free = past(&example).standing().unwrap().free_from.unwrap();
    assert!(free > day("2026-04-15") && free < day("2026-06-15"), "{free}");
    let long_over = Example::dry_land().season("maize", "2025-04-01", None);
    assert!(past(&long_over).standing().is_none());
}

#[test]
fn a_fruit_tree_stands_without_an_end() {
    let example = Example::dry_land().season("orange", "2019-03-01", None);
    assert_eq!(past(&example).standing().unwrap().free_from, None);
}

#[test]
fn watermelon_too_soon_after_a_melon_is_excluded_and_rice_in_between_halves_the_wait() {
    let dry = Example::dry_land().season("watermelon", "2024-04-15", Some("2024-07-20"));
    let breach = past(&dry).breach(crop("watermelon"), day("2026-04-10")).unwrap();
    assert!(breach.is_excluding && !breach.is_halved, "{breach:?}");
    let rice = dry.clone().season("rice_single", "2025-05-20", Some("2025-09-20"));
    let halved = past(&rice).breach(crop("watermelon"), day("2026-04-10"));
    assert!(halved.is_none_or(|halved| halved.is_halved && halved.years < breach.years));
}

#[test]
fn the_family_counts_and_not_the_crop_alone() {
    let example = Example::dry_land().season("tomato", "2025-04-15", Some("2025-08-01"));
    let breach = past(&example).breach(crop("chili"), day("2026-04-15")).unwrap();
    assert_eq!(breach.before.unwrap().key.as_str(), "tomato");
}

#[test]
fn a_single_years_break_warns_and_does_not_exclude() {
    let example = Example::dry_land().season("sweet_potato", "2025-05-10", Some("2025-10-25"));
    let breach = past(&example).breach(crop("sweet_potato"), day("2026-04-15")).unwrap();
    assert!(!breach.is_excluding);
}

#[test]
fn green_manure_and_rice_keep_no_relative_away() {
    let vetch = Example::dry_land().season("milk_vetch", "2025-09-25", Some("2026-04-05"));
    assert!(past(&vetch).breach(crop("peanut"), day("2026-04-20")).is_none());
    let rice = Example::dry_land().season("rice_late", "2025-07-15", Some("2025-10-25"));
    assert!(past(&rice).breach(crop("maize"), day("2026-03-25")).is_none());
}

#[test]
fn after_a_disease_a_crop_with_varieties_is_warned_of_and_resistances_decide() {
    let example =
        Example::dry_land().disease(Disease::BlackSpot, "sweet_potato", "2024-05-10", "2024-10-20");
    let breach = past(&example).breach(crop("sweet_potato"), day("2026-04-15")).unwrap();
    assert_eq!(breach.disease, Some(Disease::BlackSpot));
    assert!(!breach.is_excluding);
    assert_eq!(past(&example).diseases().len(), 1);
}

#[test]
fn rape_stands_after_rice_within_twelve_months() {
    let example = Example::dry_land().season("rice_single", "2025-05-20", Some("2025-09-20"));
    assert!(past(&example).is_after_rice(day("2025-10-01")));
    assert!(!past(&example).is_after_rice(day("2026-10-01")));
}
