use super::*;
use crate::advice::{Basis, Evidence, YieldInterval};
use crate::example::{Example, shipped, variety_key};

fn estimate(expected: f64) -> Estimate {
    Estimate {
        interval: YieldInterval {
            expected,
            low: expected * 0.7,
            high: expected * 1.3,
            level: 0.8,
            calibrated: false,
        },
        evidence: Evidence::LocalOutcomes,
        basis: Basis::default(),
    }
}

/// The best offer for 30 t/ha of a variety on 0.2 ha.
fn offer_for<'a>(example: &'a Example, variety: &str) -> Option<Offer<'a>> {
    let crop = shipped().crop("sweet_potato").unwrap();
    let variety = shipped().variety(variety).unwrap();
    let prices = prices_of(&example.surroundings.prices, crop, example.on);
    let sold_as = uses_of(crop, Some(variety));
    let estimate = estimate(30_000.0);
    let produce = Produce { variety: Some(variety), sold_as, estimate: &estimate, area_ha: 0.2 };
    best_offer(&prices, produce, starch_reference(shipped(), crop))
}

#[test]
fn the_margin_is_price_times_yield_less_cost() {
    let example = Example::dry_land().price("sweet_potato", SoldAs::Fresh, 1.2, 1500.0);
    let offer = offer_for(&example, "yanshu_25").unwrap();
    assert!((offer.margin.per_ha - (1.2 * 30_000.0 - 22_500.0)).abs() < 1e-6);
    assert!((offer.margin.per_mu - 900.0).abs() < 1e-6);
}

#[test]
fn a_variety_does_not_get_the_price_of_a_use_it_is_not_grown_for() {
    let example = Example::dry_land().price("sweet_potato", SoldAs::Starch, 0.7, 1500.0);
    assert!(offer_for(&example, "yanshu_25").is_none());
    assert_eq!(offer_for(&example, "shangshu_19").unwrap().margin.sold_as, SoldAs::Starch);
}

#[test]
fn starch_content_moves_the_starch_price() {
    let example = Example::dry_land().price("sweet_potato", SoldAs::Starch, 0.7, 1500.0);
    let crop = shipped().crop("sweet_potato").unwrap();
    let reference = starch_reference(shipped(), crop).unwrap();
    let own = shipped().variety("shangshu_19").unwrap().starch_percent_fresh.unwrap();
    let offer = offer_for(&example, "shangshu_19").unwrap();
    assert!((offer.paid_per_kg - 0.7 * own / reference).abs() < 1e-9);
    assert!(offer_for(&example, "xushu_18").unwrap().is_starch_unknown);
}

#[test]
fn dried_produce_is_paid_by_dry_matter_and_the_best_use_wins() {
    let example = Example::dry_land().price("sweet_potato", SoldAs::Starch, 0.5, 1500.0).price(
        "sweet_potato",
        SoldAs::Dried,
        3.0,
        1500.0,
    );
    let offer = offer_for(&example, "shangshu_19").unwrap();
    assert_eq!(offer.margin.sold_as, SoldAs::Dried);
    assert!((offer.paid_per_kg - 3.0 * 0.328).abs() < 1e-9);
}

#[test]
fn a_buyers_limit_bounds_what_is_paid() {
    let mut example = Example::dry_land().price("sweet_potato", SoldAs::Fresh, 1.0, 0.0);
    example.surroundings.prices[0].max_t = Some(3.0);
    let offer = offer_for(&example, "yanshu_25").unwrap();
    assert!((offer.unsold_share - 0.5).abs() < 1e-9);
    assert!((offer.margin.per_ha - 15_000.0).abs() < 1e-6);
}

#[test]
fn a_price_for_one_variety_replaces_the_general_one_and_is_nobody_elses() {
    let mut example = Example::dry_land().price("sweet_potato", SoldAs::Fresh, 1.0, 0.0).price(
        "sweet_potato",
        SoldAs::Fresh,
        0.8,
        0.0,
    );
    example.surroundings.prices[1].variety = Some(variety_key("yanshu_25"));
    assert!((offer_for(&example, "yanshu_25").unwrap().paid_per_kg - 0.8).abs() < 1e-9);
    assert!((offer_for(&example, "jishu_26").unwrap().paid_per_kg - 1.0).abs() < 1e-9);
}

#[test]
fn a_price_that_is_over_does_not_count_and_one_that_will_hold_does() {
    let mut example = Example::dry_land().price("sweet_potato", SoldAs::Fresh, 1.0, 0.0);
    example.surroundings.prices[0].to = Some(crate::example::day("2026-02-28"));
    assert!(offer_for(&example, "yanshu_25").is_none());
    let mut next = Example::dry_land().price("sweet_potato", SoldAs::Fresh, 1.1, 0.0);
    next.surroundings.prices[0].from = Some(crate::example::day("2026-09-01"));
    assert!(offer_for(&next, "yanshu_25").is_some());
}
