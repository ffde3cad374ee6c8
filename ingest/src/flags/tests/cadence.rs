//! The same events, measured more or less often.

use super::*;

const CADENCES: [i64; 6] = [5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 20 * MINUTE, 30 * MINUTE, HOUR];

/// Five days of moisture in percent: a spike at hour 20, a fall at 40.2 that lasts until 60.2, a soaking
/// at 80.2 that lasts until 100.2.
fn world(hour: f64) -> f64 {
    let base = 20.0 + wobble(hour);
    match hour {
        _ if (20.0..20.05).contains(&hour) => base * 1.6,
        _ if (40.2..60.2).contains(&hour) => 2.0,
        _ if (80.2..100.2).contains(&hour) => 45.0 + wobble(hour) / 2.0,
        _ => base,
    }
}

fn measured(cadence: i64) -> Vec<TimedReading> {
    every(cadence, 120, |hour| world(hour) / 100.0)
}

fn judge() -> Judge {
    Judge { rain: vec![every(HOUR, 120, |_| 0.0)], ..Judge::default() }
}

#[test]
fn at_full_hours_every_cadence_gives_the_flags_of_the_hourly_series() {
    let hourly = judge().flags(&measured(HOUR));
    for code in ["D04", "D06", "D07", "D08", "D09", "D10"] {
        let flag = Flags::parse_code(code).unwrap();
        assert!(hourly.iter().any(|flags| flags.has(flag)), "{code}");
    }
    for cadence in CADENCES {
        let flags = judge().flags(&measured(cadence));
        let a_step = usize::try_from(HOUR / cadence).unwrap();
        let at_hours: Vec<_> = flags.into_iter().step_by(a_step).collect();
        assert_eq!(at_hours, hourly, "{cadence} s");
    }
}

#[test]
fn between_full_hours_an_event_is_flagged_as_long_as_it_lasts() {
    let hours = |cadence: i64, code| -> Vec<f64> {
        let places = judge().places(&measured(cadence), code);
        places.into_iter().map(|place| place as f64 * cadence as f64 / HOUR as f64).collect()
    };
    for cadence in CADENCES {
        assert_eq!(hours(cadence, "D06"), [20.0], "{cadence} s");
        for (code, from, to) in
            [("D07", 40.2, 41.2), ("D09", 40.2, 60.2), ("D08", 80.2, 81.2), ("D10", 80.2, 100.2)]
        {
            let found = hours(cadence, code);
            let wanted = (to - from) * HOUR as f64 / cadence as f64;
            let of_event = found.iter().filter(|hour| (from..to).contains(*hour)).count() as f64;
            assert!((of_event - wanted).abs() <= 1.0, "{code} {cadence} s: {of_event}");
            let is_early = found.first().is_some_and(|hour| *hour < from);
            // The low values end with a jump.
            assert!(!is_early || code == "D08", "{code} {cadence} s");
        }
    }
}

#[test]
fn late_and_lost_messages_change_nothing_but_what_needs_them() {
    // Every message up to a minute late; every seventh lost where there are more than two an hour.
    let jittered = |cadence: i64| -> Vec<TimedReading> {
        measured(cadence)
            .into_iter()
            .enumerate()
            .filter(|(nth, _)| cadence >= 30 * MINUTE || nth % 7 != 3)
            .map(|(nth, reading)| {
                let late = SignedDuration::from_secs(i64::try_from(nth * 37 % 60).unwrap());
                TimedReading { time: reading.time + late, ..reading }
            })
            .collect()
    };
    for cadence in CADENCES {
        let series = jittered(cadence);
        let flags = judge().flags(&series);
        for (code, from, to) in [("D07", 40.2, 41.0), ("D09", 42.0, 59.0), ("D10", 82.0, 99.0)] {
            let flag = Flags::parse_code(code).unwrap();
            for (reading, flags) in series.iter().zip(&flags) {
                let hour = reading.time.duration_since(start()).as_secs_f64() / HOUR as f64;
                if (from + 0.02..to).contains(&hour) {
                    assert!(flags.has(flag), "{code} at {hour} of {cadence} s");
                }
            }
        }
    }
}

#[test]
fn a_cadence_of_hours_is_judged_by_its_own_steps_and_of_days_not_at_all() {
    let step = |cadence: i64| every(cadence, 240, |hour| if hour < 120.0 { 0.20 } else { 0.12 });
    for hours in [2, 3] {
        let places = Judge::default().places(&step(hours * HOUR), "D07");
        assert_eq!(places, [usize::try_from(120 / hours).unwrap()], "{hours} h");
    }
    for hours in [4, 12, 24] {
        assert!(Judge::default().places(&step(hours * HOUR), "D07").is_empty(), "{hours} h");
    }
}

#[test]
fn a_node_that_slows_down_is_judged_by_the_pace_it_has() {
    // Every ten minutes for three days, then every hour to save its battery.
    let mut readings = every(10 * MINUTE, 72, |hour| (20.0 + wobble(hour)) / 100.0);
    readings.extend((72..144).map(|hour| {
        let value = if hour == 110 { 0.31 } else { (20.0 + wobble(hour as f64)) / 100.0 };
        reading(hour * HOUR, value)
    }));
    readings[40 * 6].value = 0.31;
    assert_eq!(Judge::default().places(&readings, "D06"), [40 * 6, 72 * 6 + 110 - 72]);
}
