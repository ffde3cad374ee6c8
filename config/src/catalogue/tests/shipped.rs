//! The shipped files against the standards they are taken from.

use super::{
    soil::ScreeningUse::{Orchard, Other, Paddy},
    *,
};
use crate::land::Disease;

pub(super) fn shipped() -> Catalogue {
    Catalogue::shipped().unwrap_or_else(|error| panic!("{error:#}"))
}

fn screening(catalogue: &Catalogue, quantity: &str, screening_use: soil::ScreeningUse) -> Vec<f64> {
    let rows = &catalogue.soil_standard().screening;
    let row = rows.iter().find(|row| row.quantity == quantity && row.uses.contains(&screening_use));
    row.unwrap_or_else(|| panic!("{quantity} has a row")).mg_kg.clone()
}

#[test]
fn the_shipped_files_have_no_mistake() {
    let catalogue = shipped();
    assert!(catalogue.crops().len() >= 34, "{} crops", catalogue.crops().len());
    for crop in ["sweet_potato", "rapeseed", "rice_single", "orange"] {
        assert!(catalogue.crop(crop).is_some(), "{crop}");
    }
    for variety in ["shangshu_19", "xushu_22", "pushu_32"] {
        assert!(catalogue.variety(variety).is_some(), "{variety}");
    }
}

#[test]
fn every_quantity_of_the_interface_is_there() {
    let catalogue = shipped();
    let keys = "soil_moisture soil_tension soil_temperature soil_ec soil_pore_ec soil_ph ppfd \
        illuminance global_radiation daily_radiation daily_light_integral sunshine air_temperature \
        relative_humidity rain pm2_5 pm10 co2 o3 nh3 h2s cadmium mercury arsenic lead chromium \
        copper nickel zinc battery battery_v rssi snr";
    for key in keys.split_whitespace() {
        assert!(catalogue.quantity_no(key).is_some(), "{key}");
    }
}

#[test]
fn soil_limits_are_those_of_gb_15618() {
    let catalogue = shipped();
    assert_eq!(catalogue.soil_standard().ph_upper, [5.5, 6.5, 7.5]);
    for (quantity, land, mg_kg) in [
        ("cadmium", Paddy, [0.3, 0.4, 0.6, 0.8]),
        ("cadmium", Other, [0.3, 0.3, 0.3, 0.6]),
        ("arsenic", Paddy, [30.0, 30.0, 25.0, 20.0]),
        ("lead", Orchard, [70.0, 90.0, 120.0, 170.0]),
        ("copper", Orchard, [150.0, 150.0, 200.0, 200.0]),
        ("copper", Paddy, [50.0, 50.0, 100.0, 100.0]),
        ("zinc", Orchard, [200.0, 200.0, 250.0, 300.0]),
    ] {
        assert_eq!(screening(&catalogue, quantity, land), mg_kg, "{quantity} {land}");
    }
    let intervention = &catalogue.soil_standard().intervention;
    let metals: Vec<&str> = intervention.iter().map(|row| row.quantity.as_str()).collect();
    assert_eq!(metals, ["cadmium", "mercury", "arsenic", "lead", "chromium"]);
}

#[test]
fn sweet_potato_is_grain_and_its_limit_for_cadmium_that_of_tubers() {
    let catalogue = shipped();
    let crop = catalogue.crop("sweet_potato").unwrap();
    assert_eq!(crop.class, crop::CropClass::Grain);
    assert_eq!(crop.uses[0].food.as_deref(), Some("tubers"));
    let foods = &catalogue.food_standard().foods;
    let tubers = foods.iter().find(|food| food.key == "tubers").unwrap();
    let cadmium = tubers.limits.iter().find(|limit| limit.quantity == "cadmium").unwrap();
    assert!((cadmium.mg_kg - 0.1).abs() < 1e-12);
}

#[test]
fn a_resistance_that_no_record_gives_is_unknown() {
    let catalogue = shipped();
    let variety = catalogue.variety("shangshu_19").unwrap();
    assert!(variety.resistance(Disease::BlackSpot).is_susceptible());
    assert_eq!(variety.resistance(Disease::BacterialWilt), variety::Resistance::Unknown);
}

#[test]
fn only_rules_of_ours_cite_plotwise() {
    for file in shipped().rule_files() {
        for rule in &file.rules {
            let is_ours = rule.source.starts_with("Plotwise");
            assert_eq!(rule.is_ours, is_ours, "{}", rule.key);
        }
    }
}
