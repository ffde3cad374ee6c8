//! The shapes of soil moisture by the hour: `D04`, `D06` to `D10`, each rule and its borders.

use super::*;

/// Some days of calm around 20 %, changed by `change`.
fn calm(hours: usize, change: impl Fn(usize, f64) -> f64) -> Vec<TimedReading> {
    hourly((0..hours).map(|hour| change(hour, 20.0 + wobble(hour as f64))))
}

/// Drying, but for `height` percent more from hour 40 on, in six hours.
fn wetting(height: f64) -> Vec<TimedReading> {
    let risen = |hour: usize| height * (hour.saturating_sub(39).min(6)) as f64 / 6.0;
    hourly((0..100).map(|hour| 20.0 - hour as f64 / 100.0 + risen(hour)))
}

fn gauge(hours: i64, rain: impl Fn(i64) -> f64) -> Vec<TimedReading> {
    (0..hours).map(|hour| reading(hour * HOUR, rain(hour))).collect()
}

fn at_depth(millimetres: u16, rain: Vec<Vec<TimedReading>>) -> Judge {
    Judge { depth: Some(DepthMm(millimetres)), rain, ..Judge::default() }
}

#[test]
fn a_rise_without_rain_is_doubted_near_the_surface() {
    let dry = || vec![gauge(100, |_| 0.0)];
    let rises = |judge: &Judge| judge.places(&wetting(8.0), "D04");
    let found = rises(&at_depth(50, dry()));
    assert!(!found.is_empty() && found.iter().all(|hour| (40..=45).contains(hour)), "{found:?}");
    assert_eq!(rises(&at_depth(99, dry())), found);
    assert!(rises(&at_depth(100, dry())).is_empty());
    assert!(rises(&at_depth(50, vec![])).is_empty());
    // Nobody watched on that day.
    assert!(rises(&at_depth(50, vec![gauge(10, |_| 0.0)])).is_empty());
}

#[test]
fn rain_explains_a_rise_from_1_25_mm_at_5_cm_on() {
    let rises = |judge: &Judge| judge.places(&wetting(8.0), "D04").len();
    let shower = |mm: f64| vec![gauge(100, |hour| if hour == 39 { mm } else { 0.0 })];
    assert!(rises(&at_depth(50, shower(1.2))) > 0);
    assert_eq!(rises(&at_depth(50, shower(1.3))), 0);
    // At an unknown depth 0.2 mm do.
    assert_eq!(rises(&Judge { rain: shower(0.2), ..Judge::default() }), 0);
    // One gauge of several is enough.
    let both = [shower(0.0), shower(5.0)].concat();
    assert_eq!(rises(&at_depth(50, both)), 0);
}

#[test]
fn irrigated_and_flooded_land_may_rise_without_rain_and_stay_wet() {
    // Up by 25 % in two hours without rain, level for a day, then down.
    let irrigation = calm(120, |hour, base| match hour {
        0..40 => base,
        40 => base + 12.0,
        41..66 => 45.0 + base / 1000.0,
        _ => 44.0 - (hour as f64 - 66.0) / 4.0,
    });
    for water in [Water::RainFed, Water::Drained, Water::Irrigated, Water::Flooded] {
        let land = Land::under(water, None);
        let judge = Judge { land, ..at_depth(50, vec![gauge(120, |_| 0.0)]) };
        let is_doubted = matches!(water, Water::RainFed | Water::Drained);
        for code in ["D04", "D10"] {
            assert_eq!(!judge.places(&irrigation, code).is_empty(), is_doubted, "{code} {water}");
        }
    }
}

#[test]
fn an_hour_far_off_is_a_spike_once_twelve_hours_are_known_around() {
    let with_spike = |at: usize, factor: f64| {
        Judge::default()
            .places(&calm(60, |hour, base| if hour == at { base * factor } else { base }), "D06")
    };
    assert_eq!(with_spike(30, 1.5), [30]);
    assert_eq!(with_spike(30, 0.5), [30]);
    assert!(with_spike(30, 1.1).is_empty());
    assert_eq!(with_spike(12, 1.5), [12]);
    assert!(with_spike(11, 1.5).is_empty());
    assert_eq!(with_spike(47, 1.5), [47]);
    assert!(with_spike(48, 1.5).is_empty());
}

#[test]
fn a_spike_of_two_equal_hours_is_flagged_on_both() {
    let readings = calm(60, |hour, base| if (30..32).contains(&hour) { 30.0 } else { base });
    assert_eq!(Judge::default().places(&readings, "D06"), [30, 31]);
    let three = calm(60, |hour, base| if (30..33).contains(&hour) { 30.0 } else { base });
    assert!(Judge::default().places(&three, "D06").is_empty());
}

#[test]
fn a_missing_hour_around_leaves_a_spike_unjudged() {
    let mut readings = calm(60, |hour, base| if hour == 30 { base * 1.5 } else { base });
    readings.remove(36);
    assert!(Judge::default().places(&readings, "D06").is_empty());
}

#[test]
fn a_break_is_flagged_where_the_series_goes_on_level() {
    let step = |to: f64| hourly((0..60).map(|hour| if hour < 30 { 20.0 } else { to }));
    let judge = Judge::default();
    assert_eq!(judge.places(&step(15.0), "D07"), [30]);
    assert_eq!(judge.places(&step(25.0), "D08"), [30]);
    assert!(judge.places(&step(15.0), "D08").is_empty());
    // No more than a tenth of the value.
    assert!(judge.places(&step(22.0), "D08").is_empty());
    assert!(judge.places(&step(18.5), "D07").is_empty());
    // No more than 1 % of the volume.
    let dry = hourly((0..60).map(|hour| if hour < 30 { 4.0 } else { 3.0 }));
    assert!(judge.places(&dry, "D07").is_empty());
}

#[test]
fn a_fall_to_exactly_nothing_is_a_drop() {
    let fall = |from: f64| hourly([from + 0.3, from - 0.2, from, 0.0, 0.0, 3.0]);
    assert_eq!(Judge::default().places(&fall(5.1), "D07"), [3]);
    assert!(Judge::default().places(&fall(5.0), "D07").is_empty());
}

/// Calm, then `hours` of a constant low value from hour 30 on, then calm again.
fn fallen(hours: usize) -> Vec<TimedReading> {
    calm(100, |hour, base| if (30..30 + hours).contains(&hour) { 2.0 } else { base })
}

#[test]
fn low_constant_values_after_a_drop_are_flagged_to_their_end() {
    let judge = Judge::default();
    assert_eq!(judge.places(&fallen(20), "D09"), (30..50).collect::<Vec<_>>());
    assert_eq!(judge.places(&fallen(13), "D09"), (30..43).collect::<Vec<_>>());
    // Twelve hours are no plateau.
    assert!(judge.places(&fallen(12), "D09").is_empty());
}

#[test]
fn a_low_plateau_does_not_bridge_an_outage() {
    let mut readings = fallen(40);
    // Silent from hour 45 to 75: back at the level of before, nobody knows since when.
    readings.retain(|reading| !(at(45 * HOUR)..at(75 * HOUR)).contains(&reading.time));
    assert_eq!(Judge::default().places(&readings, "D09"), (30..45).collect::<Vec<_>>());
}

/// Calm, then a plateau at `level` percent from hour 40 on for `hours`, then calm again.
fn soaked(hours: usize, level: f64) -> Vec<TimedReading> {
    calm(120, |hour, base| match hour {
        _ if (40..40 + hours).contains(&hour) => level + (base - 20.0) / 2.0,
        // Once higher, so that the plateau is not the highest by itself.
        100 => 45.0,
        _ => base,
    })
}

#[test]
fn a_plateau_near_the_highest_values_is_flagged_between_rise_and_drop() {
    let judge = Judge::default();
    assert_eq!(judge.places(&soaked(20, 45.0), "D10"), (40..60).collect::<Vec<_>>());
    assert!(judge.places(&soaked(20, 42.0), "D10").is_empty());
    assert!(judge.places(&soaked(11, 45.0), "D10").is_empty());
}

#[test]
fn a_plateau_without_a_rise_or_a_drop_is_not_flagged() {
    let drying = hourly((0..80).map(|hour| 45.0 - f64::from(hour) / 100.0));
    assert!(Judge::default().places(&drying, "D10").is_empty());
    let level = hourly((0..80).map(|hour| if hour < 20 { 20.0 } else { 45.0 }));
    assert!(Judge::default().places(&level, "D10").is_empty());
}

#[test]
fn a_high_plateau_does_not_bridge_an_outage() {
    let mut readings = soaked(20, 45.0);
    // Silent from hour 46 to 54: neither part lasts for twelve hours.
    readings.retain(|reading| !(at(46 * HOUR)..at(54 * HOUR)).contains(&reading.time));
    assert!(Judge::default().places(&readings, "D10").is_empty());
}

#[test]
fn in_a_part_of_a_series_plateaus_end_and_the_highest_is_that_of_some_weeks() {
    let long = calm(200, |hour, base| if (40..120).contains(&hour) { 2.0 } else { base });
    let judge = Judge::default();
    assert_eq!(judge.places(&long, "D09").len(), 80);
    let mut peaks = DayPeaks::default();
    let low = judge.flags_in(&long, Extent::Piece(&peaks));
    let low = low.iter().filter(|flags| flags.has(Flags::LOW_PLATEAU)).count();
    assert_eq!(low, 35);

    // The only higher value is of the 31st day before, and no measure any more.
    peaks.take(&reading(-30 * 24 * HOUR, 0.55));
    let readings = soaked(20, 42.0);
    for reading in &readings[..100] {
        peaks.take(reading);
    }
    let high = judge.flags_in(&readings, Extent::Piece(&peaks));
    assert_eq!(high.iter().filter(|flags| flags.has(Flags::HIGH_PLATEAU)).count(), 20);
    peaks.take(&reading(-29 * 24 * HOUR, 0.55));
    let high = judge.flags_in(&readings, Extent::Piece(&peaks));
    assert!(!high.iter().any(|flags| flags.has(Flags::HIGH_PLATEAU)));
}
