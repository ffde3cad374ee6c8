use plotwise_config::id::PlotId;

use super::*;

const KEYS: [&str; 5] = ["soil_ph", "cadmium", "arsenic", "lead", "copper"];

fn quantities() -> Vec<Quantity> {
    KEYS.iter()
        .map(|key| {
            serde_json::from_value(serde_json::json!({
                "key": key, "name": {"zh": key, "en": key}, "unit": "mg/kg",
                "hard": [0.0, 1e5], "decimals": 2, "source": "test",
            }))
            .unwrap()
        })
        .collect()
}

/// Rows of GB 15618-2018, tables 1 and 3.
fn standard() -> SoilStandard {
    serde_json::from_value(serde_json::json!({
        "number": "GB 15618-2018", "title": {"zh": "", "en": ""}, "ph_upper": [5.5, 6.5, 7.5],
        "screening": [
            {"quantity": "cadmium", "uses": ["paddy"], "mg_kg": [0.3, 0.4, 0.6, 0.8]},
            {"quantity": "cadmium", "uses": ["other"], "mg_kg": [0.3, 0.3, 0.3, 0.6]},
            {"quantity": "arsenic", "uses": ["paddy"], "mg_kg": [30.0, 30.0, 25.0, 20.0]},
            {"quantity": "arsenic", "uses": ["other"], "mg_kg": [40.0, 40.0, 30.0, 25.0]},
            {"quantity": "lead", "uses": ["paddy"], "mg_kg": [80.0, 100.0, 140.0, 240.0]},
            {"quantity": "lead", "uses": ["other"], "mg_kg": [70.0, 90.0, 120.0, 170.0]},
            {"quantity": "copper", "uses": ["orchard"], "mg_kg": [150.0, 150.0, 200.0, 200.0]},
            {"quantity": "copper", "uses": ["other"], "mg_kg": [50.0, 50.0, 100.0, 100.0]},
        ],
        "intervention": [
            {"quantity": "cadmium", "mg_kg": [1.5, 2.0, 3.0, 4.0]},
            {"quantity": "arsenic", "mg_kg": [200.0, 150.0, 120.0, 100.0]},
            {"quantity": "lead", "mg_kg": [400.0, 500.0, 700.0, 1000.0]},
        ],
        "source": "test",
    }))
    .unwrap()
}

fn sample(key: &str, measured: Measured, on: &str, depth_m: f64) -> Sample {
    let place = KEYS.iter().position(|it| *it == key).unwrap();
    Sample {
        plot: PlotId::parse("p").unwrap(),
        kind: SampleKind::Soil { sampled_on: on.parse().unwrap(), depth_m },
        quantity: QuantityNo(u16::try_from(place).unwrap()),
        measured,
        laboratory: None,
        method: None,
    }
}

fn value(key: &str, value: f64) -> Sample {
    sample(key, Measured::Value(value), "2026-01-10", 0.2)
}

fn class(samples: &[Sample], uses: &[ScreeningUse], plot_ph: Option<f64>) -> Pollution {
    class_soil(&standard(), &quantities(), samples, uses, plot_ph)
}

fn screening(key: &str, ph: f64, uses: &[ScreeningUse]) -> f64 {
    class(&[value(key, 0.01), value("soil_ph", ph)], uses, None).worst.unwrap().screening_mg_kg
}

#[test]
fn an_edge_belongs_to_the_band_below_it() {
    assert_eq!(band(&standard(), 5.5), 0);
    assert_eq!(band(&standard(), 5.51), 1);
    assert_eq!(band(&standard(), 6.5), 1);
    assert_eq!(band(&standard(), 7.5), 2);
    assert_eq!(band(&standard(), 7.51), 3);
}

#[test]
#[expect(clippy::float_cmp, reason = "limits are copied, not computed")]
fn near_an_edge_the_stricter_band_counts_for_each_pollutant() {
    let paddy = [ScreeningUse::Paddy];
    assert_eq!(screening("cadmium", 5.55, &paddy), 0.3, "cadmium is stricter below");
    assert_eq!(screening("cadmium", 5.65, &paddy), 0.4);
    assert_eq!(screening("arsenic", 6.45, &paddy), 25.0, "arsenic is stricter above");
    assert_eq!(screening("arsenic", 6.35, &paddy), 30.0);
}

#[test]
#[expect(clippy::float_cmp, reason = "limits are copied, not computed")]
fn rotated_paddy_takes_the_stricter_of_both_uses() {
    let rotated = screening_uses(LandType::Paddy, true);
    assert_eq!(screening("cadmium", 7.0, &rotated), 0.3);
    assert_eq!(screening("arsenic", 5.0, &rotated), 30.0);
    assert_eq!(screening("lead", 5.0, &rotated), 70.0);
    assert_eq!(screening("lead", 5.0, &screening_uses(LandType::Paddy, false)), 80.0);
}

#[test]
#[expect(clippy::float_cmp, reason = "limits are copied, not computed")]
fn orchards_may_hold_more_copper_and_take_the_rest_of_other_land() {
    let orchard = screening_uses(LandType::Orchard, false);
    assert_eq!(screening("copper", 5.0, &orchard), 150.0);
    assert_eq!(screening("lead", 5.0, &orchard), 70.0);
}

#[test]
fn the_worst_single_factor_gives_the_class() {
    let found = class(
        &[value("soil_ph", 5.0), value("cadmium", 0.35), value("lead", 20.0)],
        &[ScreeningUse::Paddy],
        None,
    );
    assert_eq!(found.class, PollutionClass::BetweenScreeningAndIntervention);
    assert_eq!(found.worst.unwrap().quantity, QuantityNo(1));
    assert_eq!(found.missing, [QuantityNo(2), QuantityNo(4)], "arsenic and copper");

    let strict = class(
        &[value("soil_ph", 5.0), value("cadmium", 1.6), value("lead", 20.0)],
        &[ScreeningUse::Paddy],
        None,
    );
    assert_eq!(strict.class, PollutionClass::AboveIntervention);
}

#[test]
fn copper_alone_never_asks_for_strict_control() {
    let found = class(&[value("soil_ph", 5.0), value("copper", 9e3)], &[ScreeningUse::Other], None);
    assert_eq!(found.class, PollutionClass::BetweenScreeningAndIntervention);
}

#[test]
fn a_sample_without_ph_takes_the_strictest_band_the_plot_allows() {
    let cadmium = [value("cadmium", 0.35)];
    let paddy = [ScreeningUse::Paddy];
    assert_eq!(
        class(&cadmium, &paddy, Some(5.9)).class,
        PollutionClass::BetweenScreeningAndIntervention
    );
    assert_eq!(class(&cadmium, &paddy, Some(6.2)).class, PollutionClass::BelowScreening);
    let unknown = class(&cadmium, &paddy, None);
    assert_eq!(unknown.class, PollutionClass::BetweenScreeningAndIntervention);
    assert!(!unknown.worst.unwrap().is_own_ph);
}

#[test]
fn the_newest_day_wins_and_subsoil_says_nothing() {
    let found = class(
        &[
            sample("cadmium", Measured::Value(0.9), "2019-03-01", 0.2),
            sample("cadmium", Measured::Value(0.1), "2026-01-10", 0.2),
            sample("cadmium", Measured::Value(5.0), "2026-01-10", 0.6),
            value("soil_ph", 5.0),
        ],
        &[ScreeningUse::Paddy],
        None,
    );
    assert_eq!(found.class, PollutionClass::BelowScreening);
}

#[test]
fn below_detection_counts_as_the_limit_and_says_so() {
    let paddy = [ScreeningUse::Paddy];
    let of = |limit| {
        class(
            &[sample("cadmium", Measured::Below(limit), "2026-01-10", 0.2), value("soil_ph", 5.0)],
            &paddy,
            None,
        )
    };
    assert_eq!(of(0.05).class, PollutionClass::BelowScreening);
    let blunt = of(5.0);
    assert_eq!(blunt.class, PollutionClass::BetweenScreeningAndIntervention);
    assert!(blunt.worst.unwrap().is_below_detection);
}

#[test]
fn nemerow_averages_only_what_was_measured() {
    let found = nemerow([2.0, 0.5, 0.5].into_iter()).unwrap();
    assert!((found.index - 1.5811).abs() < 5e-5);
    assert_eq!(found.count, 3);
    assert_eq!(nemerow(std::iter::empty()), None);
}

#[test]
fn samples_tighten_the_official_class_and_never_loosen_it() {
    use PollutionClass as P;
    assert_eq!(effective_class(P::Unknown, None), None);
    assert_eq!(
        effective_class(P::BelowScreening, Some(SoilClass::SafeUse)),
        Some(SoilClass::SafeUse)
    );
    assert_eq!(
        effective_class(P::AboveIntervention, Some(SoilClass::Priority)),
        Some(SoilClass::StrictControl)
    );
}

#[test]
fn no_sample_is_unknown_and_names_what_is_missing() {
    let found = class(&[], &[ScreeningUse::Paddy], Some(5.0));
    assert_eq!(found.class, PollutionClass::Unknown);
    assert_eq!(found.missing.len(), 4);
    assert_eq!(found.nemerow, None);
}
