//! A part of a series with its margins has the flags of the whole.

use proptest::prelude::*;

use super::*;

/// What happens to a series at a place of it.
#[derive(Clone, Copy, Debug)]
enum Event {
    Spike(f64),
    Step(f64),
    Level { value: f64, hours: i64 },
    Outage { hours: i64 },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0.3..2.0).prop_map(Event::Spike),
        (-12.0..12.0).prop_map(Event::Step),
        (prop::sample::select(vec![0.0, 2.0, 30.0, 45.0, 46.0]), 6_i64..90)
            .prop_map(|(value, hours)| Event::Level { value, hours }),
        (1_i64..80).prop_map(|hours| Event::Outage { hours }),
    ]
}

fn series() -> impl Strategy<Value = Vec<TimedReading>> {
    let cadence = prop::sample::select(vec![10, 15, 20, 25, 40, 60, 120, 180]);
    let events = prop::collection::vec((0_i64..400, event()), 0..12);
    (cadence, events, 0_i64..50, 0..4_u32, any::<u64>()).prop_map(
        |(minutes, events, jitter_s, coarse, seed)| build(minutes, &events, jitter_s, coarse, seed),
    )
}

fn build(
    minutes: i64,
    events: &[(i64, Event)],
    jitter_s: i64,
    coarse: u32,
    seed: u64,
) -> Vec<TimedReading> {
    let mut state = seed;
    let mut chance = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let mut readings: Vec<TimedReading> = every(minutes * MINUTE, 420, |hour| 20.0 + wobble(hour));
    for &(hour, event) in events {
        let from = at(hour * HOUR);
        let until = |hours| from + SignedDuration::from_hours(hours);
        match event {
            Event::Spike(factor) => {
                if let Some(one) = readings.iter_mut().find(|one| one.time >= from) {
                    one.value *= factor;
                }
            }
            Event::Step(by) => {
                readings.iter_mut().filter(|one| one.time >= from).for_each(|one| one.value += by);
            }
            Event::Level { value, hours } => readings
                .iter_mut()
                .filter(|one| (from..until(hours)).contains(&one.time))
                .for_each(|one| one.value = value),
            Event::Outage { hours } => {
                readings.retain(|one| !(from..until(hours)).contains(&one.time));
            }
        }
    }
    let resolution = 10_f64.powi(i32::try_from(coarse).unwrap());
    for one in &mut readings {
        one.value = (one.value * resolution).round() / resolution / 100.0;
        #[expect(clippy::cast_possible_truncation, reason = "below a minute")]
        let late_s = (chance() * jitter_s as f64) as i64;
        one.time += SignedDuration::from_secs(late_s);
        if chance() < 0.02 {
            one.flags = Flags::FAULT_CODE;
        }
    }
    readings
}

fn within(readings: &[TimedReading], from: Timestamp, to: Timestamp) -> Vec<TimedReading> {
    readings.iter().filter(|one| (from..to).contains(&one.time)).copied().collect()
}

fn peaks_of(readings: &[TimedReading]) -> DayPeaks {
    let mut peaks = DayPeaks::default();
    for one in readings {
        peaks.take(one);
    }
    peaks
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_piece_with_its_margins_has_the_flags_of_the_whole(
        readings in series(),
        from_h in -10_i64..400,
        hours in 1_i64..100,
    ) {
        let (from, to) = (at(from_h * HOUR), at((from_h + hours) * HOUR));
        let rain = every(HOUR, 420, |hour| if hour % 31.0 < 1.0 { 0.4 } else { 0.0 });
        let frost = every(HOUR, 420, |hour| (hour / 10.0).sin());
        let judge = |piece: Option<(Timestamp, Timestamp)>| {
            let cut = |series: &[TimedReading]| match piece {
                Some((from, to)) => within(series, from, to),
                None => series.to_vec(),
            };
            let (rain, frost) = (cut(&rain), cut(&frost));
            Judge { rain: vec![rain], soil_temperature: frost, ..Judge::default() }
        };
        let whole = judge(None).flags_in(&readings, Extent::Piece(&peaks_of(&readings)));

        let (earliest, latest) = (from - LOOK_BACK, to + LOOK_AHEAD);
        let piece = within(&readings, earliest, latest);
        let peaks = peaks_of(&within(&readings, from - HIGHEST_LOOK_BACK, latest));
        let found = judge(Some((earliest, latest))).flags_in(&piece, Extent::Piece(&peaks));
        let cut = |readings: &[TimedReading], flags: &[Flags]| -> Vec<_> {
            let flagged = readings.iter().zip(flags).map(|(one, flags)| (one.time, *flags));
            flagged.filter(|(time, _)| (from..to).contains(time)).collect()
        };
        prop_assert_eq!(cut(&piece, &found), cut(&readings, &whole));
    }

    #[test]
    fn another_reading_changes_flags_within_its_reach_alone(
        readings in series(),
        nth in any::<prop::sample::Index>(),
        value in 0.0..0.6_f64,
    ) {
        prop_assume!(!readings.is_empty());
        let nth = nth.index(readings.len());
        let mut changed = readings.clone();
        changed[nth].value = value;
        let flags = |readings: &[TimedReading]| {
            Judge::default().flags_in(readings, Extent::Piece(&peaks_of(readings)))
        };
        let time = readings[nth].time;
        let (from, to) = (time - LOOK_AHEAD, time + HIGHEST_LOOK_BACK);
        for ((one, before), after) in readings.iter().zip(flags(&readings)).zip(flags(&changed)) {
            prop_assert!(before == after || (from..=to).contains(&one.time), "{}", one.time);
        }
    }

    #[test]
    fn no_series_makes_the_checks_panic(
        values in prop::collection::vec((any::<i32>(), any::<f64>(), any::<bool>()), 0..200),
    ) {
        let mut readings: Vec<TimedReading> = values
            .into_iter()
            .map(|(seconds, value, is_fault)| TimedReading {
                flags: if is_fault { Flags::FAULT_CODE } else { Flags::NONE },
                ..reading(i64::from(seconds) % 1_000_000, value)
            })
            .collect();
        readings.sort_by_key(|one| one.time);
        Judge::default().flags(&readings);
        Judge::of("rain").flags(&readings);
    }
}
