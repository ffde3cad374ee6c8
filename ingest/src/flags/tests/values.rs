//! What a single value shows, and a value that does not change: `C`, `D01`, `D02`, `S`.

use super::*;

fn codes(judge: &Judge, value: f64) -> Vec<&'static str> {
    judge.flags(&[reading(0, value)])[0].codes().collect()
}

#[test]
fn moisture_is_doubted_above_60_percent_and_below_none() {
    let judge = Judge::default();
    assert!(codes(&judge, 0.0).is_empty() && codes(&judge, 0.60).is_empty());
    assert_eq!(codes(&judge, -0.001), ["C01"]);
    assert_eq!(codes(&judge, 0.601), ["C02"]);
}

#[test]
fn under_water_only_what_cannot_be_is_out_of_range() {
    for water in [Water::Irrigated, Water::Flooded] {
        let judge = Judge::under(water);
        assert!(codes(&judge, 0.7).is_empty(), "{water}");
        assert_eq!(codes(&judge, 1.01), ["C02"], "{water}");
        assert_eq!(codes(&judge, -0.01), ["C01"], "{water}");
    }
    assert_eq!(codes(&Judge::under(Water::Drained), 0.7), ["C02"]);
    let heat = Judge { key: "soil_temperature", ..Judge::under(Water::Flooded) };
    assert_eq!(codes(&heat, 60.1), ["C02"]);
}

#[test]
fn moisture_above_saturation_is_doubted_where_saturation_is_known() {
    let judge = Judge { land: Land::under(Water::RainFed, Some(0.427)), ..Judge::default() };
    assert!(codes(&judge, 42.7 / 100.0).is_empty());
    assert_eq!(codes(&judge, 0.4271), ["C03"]);
    assert!(codes(&Judge::default(), 0.4271).is_empty());
}

#[test]
fn frost_is_that_of_the_half_hour_around() {
    let moisture = every(HOUR, 4, |hour| 0.2 + hour / 1000.0);
    let frost = |seconds, celsius| {
        let judge = Judge { soil_temperature: vec![reading(seconds, celsius)], ..Judge::default() };
        judge.places(&moisture, "D01")
    };
    assert_eq!(frost(HOUR, -0.1), [1]);
    assert!(frost(HOUR, 0.0).is_empty());
    assert_eq!(frost(HOUR - 30 * MINUTE, -1.0), [1]);
    assert_eq!(frost(HOUR + 30 * MINUTE - 1, -1.0), [1]);

    let air = Judge { air_temperature: vec![reading(HOUR, -1.0)], ..Judge::default() };
    assert_eq!((air.places(&moisture, "D02"), air.places(&moisture, "D01")), (vec![1], vec![]));
}

#[test]
fn a_thermometer_that_is_out_of_range_is_passed_over_for_the_next() {
    let moisture = hourly([20.0]);
    let broken = TimedReading { flags: Flags::BELOW_RANGE, ..reading(0, -70.0) };
    let sound = reading(60, -2.0);
    for (first, wanted) in [(broken, vec![0]), (reading(0, 5.0), vec![])] {
        let judge = Judge { soil_temperature: vec![first, sound], ..Judge::default() };
        assert_eq!(judge.places(&moisture, "D01"), wanted);
    }
}

#[test]
fn a_value_that_rests_for_two_days_is_stuck_from_its_first_reading_on() {
    let moving = (0..10).map(|hour| 20.0 + f64::from(hour));
    let frozen =
        |hours| hourly(moving.clone().chain(std::iter::repeat_n(31.2, hours)).chain([20.0]));
    let judge = Judge { depth: Some(DepthMm(200)), ..Judge::default() };
    // 49 readings span 48 hours.
    assert_eq!(judge.places(&frozen(49), "S"), (10..59).collect::<Vec<_>>());
    assert!(judge.places(&frozen(48), "S").is_empty());
    let deep = Judge { depth: Some(DepthMm(501)), ..Judge::default() };
    assert!(deep.places(&frozen(100), "S").is_empty());
}

#[test]
fn a_frozen_probe_at_mid_range_is_stuck_at_any_cadence() {
    for cadence in [10 * MINUTE, 15 * MINUTE, 20 * MINUTE, HOUR, 3 * HOUR] {
        let readings = every(cadence, 240, |hour| if hour < 60.0 { hour / 300.0 } else { 0.25 });
        let from = usize::try_from(60 * HOUR / cadence).unwrap();
        let stuck = Judge::default().places(&readings, "S");
        assert_eq!(stuck, (from..readings.len()).collect::<Vec<_>>(), "{cadence} s");
    }
}

#[test]
fn a_silence_of_more_than_four_hours_ends_a_rest() {
    let with_gap = |gap_h: i64| -> Vec<TimedReading> {
        let hours = (0..30).chain(30 + gap_h - 1..60 + gap_h - 1);
        hours.map(|hour| reading(hour * HOUR, 0.3)).collect()
    };
    assert_eq!(Judge::default().places(&with_gap(4), "S").len(), 60);
    assert!(Judge::default().places(&with_gap(5), "S").is_empty());
}

#[test]
fn what_may_rest_is_not_stuck() {
    let days = |value: f64| every(HOUR, 100, |_| value);
    for (key, value, is_stuck) in [
        ("rain", 0.0, false),
        ("rain", 0.2, true),
        ("ppfd", 0.0, true),
        ("relative_humidity", 100.0, false),
        ("relative_humidity", 60.0, true),
        ("soil_temperature", 0.0, false),
        ("soil_temperature", 12.5, true),
        ("soil_ph", 5.6, false),
        ("battery", 0.9, false),
    ] {
        let flags = Judge::of(key).flags(&days(value));
        assert_eq!(flags.iter().all(|flags| flags.has(Flags::STUCK)), is_stuck, "{key} {value}");
        assert_eq!(flags.iter().any(|flags| flags.has(Flags::STUCK)), is_stuck, "{key} {value}");
    }
}

#[test]
fn a_night_without_light_is_not_stuck_and_a_covered_sensor_is() {
    let light = |covered: bool| {
        every(15 * MINUTE, 120, |hour| {
            let sun = (std::f64::consts::TAU * (hour - 6.0) / 24.0).sin();
            if covered && hour >= 48.0 { 0.0 } else { (1800.0 * sun).round().max(0.0) }
        })
    };
    assert!(Judge::of("ppfd").places(&light(false), "S").is_empty());
    let stuck = Judge::of("ppfd").places(&light(true), "S");
    // From the dusk before on.
    assert_eq!((stuck.first(), stuck.last()), (Some(&(42 * 4)), Some(&(120 * 4 - 1))));
}

#[test]
fn full_soil_under_standing_water_may_rest() {
    let full = every(HOUR, 100, |_| 0.5);
    assert!(Judge::under(Water::Flooded).places(&full, "S").is_empty());
    assert_eq!(Judge::under(Water::Irrigated).places(&full, "S").len(), 100);
}

#[test]
fn a_fault_code_is_no_part_of_the_series() {
    let mut readings = every(HOUR, 100, |_| 0.3);
    readings[50] = TimedReading { flags: Flags::FAULT_CODE, ..reading(50 * HOUR, -999.0) };
    let flags = Judge::default().flags(&readings);
    let codes: Vec<_> = flags[50].codes().collect();
    assert_eq!(codes, ["X", "C01"]);
    for (place, flags) in flags.iter().enumerate().filter(|(place, _)| *place != 50) {
        assert_eq!(*flags, Flags::STUCK, "{place}");
    }
}
