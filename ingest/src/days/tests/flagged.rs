//! Flags where series are read: the same whatever is asked for, by the plot's other devices, per stand.

use std::{collections::BTreeMap, ops::ControlFlow};

use jiff::{SignedDuration, ToSpan};
use plotwise_config::land::Water;

use super::*;
use crate::{
    flags::{Extent, flag},
    store::StoredObservation,
};

const START: &str = "2026-03-01T00:00:00Z";

fn hour(nth: i64) -> Timestamp {
    START.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(nth)
}

/// Hourly moisture in percent over a hundred days, with everything in it that is flagged.
fn percent(nth: i64) -> f64 {
    let base = 20.0 + ((nth * 7919) % 23) as f64 / 100.0;
    match nth {
        500 => base * 1.6,
        800..840 => 2.0,
        1300..1320 => 45.0 + (nth % 3) as f64 / 10.0,
        1500..1700 => 31.2,
        2000..2006 => base + (nth - 1999) as f64,
        _ => base,
    }
}

fn observation(device: &str, measured: Timestamp, readings: Vec<Reading>) -> Intake {
    Intake::Observation(Observation {
        device: DeviceId::parse(device).unwrap(),
        measured,
        received: measured,
        claimed: None,
        identity: Identity::MeasuredTime,
        seq: None,
        supersede: false,
        readings,
    })
}

/// A probe at 5 cm and a weather station, two days of silence in between.
fn store(directory: &Path) -> (Reader, Catalogue) {
    let catalogue = Catalogue::shipped().unwrap();
    let read = |key: &str, value: f64| Reading {
        quantity: catalogue.quantity_no(key).unwrap(),
        depth: None,
        value,
        flags: Flags::NONE,
    };
    let options = StoreOptions { redelivery_window_s: 600, keeps_raw: true };
    let store = Store::open(directory, Arc::new(catalogue.clone()), options).unwrap();
    let batch: Vec<_> = (0..2400)
        .filter(|nth| !(1000..1048).contains(nth))
        .flat_map(|nth| {
            let celsius = 5.0 - 8.0 * (std::f64::consts::TAU * nth as f64 / 700.0).sin();
            let soil = vec![read("soil_moisture", percent(nth) / 100.0), read("soil_ph", 5.6)];
            let air = vec![read("air_temperature", celsius), read("rain", 0.0)];
            [observation("probe", hour(nth), soil), observation("station", hour(nth), air)]
        })
        .collect();
    store.writer().unwrap().commit(&batch).unwrap();
    (store.reader().unwrap(), catalogue)
}

fn placement(device: &str, plot: &str, from: Timestamp) -> Placement {
    Placement {
        device: DeviceId::parse(device).unwrap(),
        plot: Some(PlotId::parse(plot).unwrap()),
        depth: (device == "probe").then_some(DepthMm(50)),
        from,
    }
}

fn raw(reader: &Reader, context: &PlotContext<'_>, from: i64, to: i64) -> Vec<RawPoint> {
    let quantity = context.catalogue.quantity_no("soil_moisture").unwrap();
    let query = SeriesQuery {
        quantity,
        depth: None,
        from: hour(from),
        to: hour(to),
        step: Step::Raw,
        points_max: 10_000,
    };
    match series(reader, context, &query).unwrap().points {
        Points::Raw(points) => points,
        Points::Buckets(_) => panic!("raw was asked for"),
    }
}

fn codes(points: &[RawPoint]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for code in points.iter().flat_map(|point| point.flags.codes()) {
        *counts.entry(code).or_default() += 1;
    }
    counts
}

#[test]
fn a_plot_is_judged_by_all_its_devices() {
    let directory = tempfile::tempdir().unwrap();
    let (reader, catalogue) = store(directory.path());
    let (plot, zone) = (PlotId::parse("north").unwrap(), zone(CHINA));
    let placements = [placement("probe", "north", hour(0)), placement("station", "north", hour(0))];
    let dry = Land::default();
    let context = context(&plot, &placements, &dry, &zone, &catalogue);
    let points = raw(&reader, &context, 0, 2400);
    let found = codes(&points);
    assert_eq!(found.get("D06"), Some(&1));
    // Three drops to calm values, each followed for 34 hours.
    assert_eq!(found.get("D09"), Some(&(3 * 35)));
    assert_eq!(found.get("D10"), Some(&20));
    assert_eq!(found.get("S"), Some(&200));
    for code in ["D02", "D04", "D07", "D08"] {
        assert!(found.contains_key(code), "{code} in {found:?}");
    }

    let alone = [placement("probe", "north", hour(0))];
    let context = PlotContext { placements: &alone, ..context };
    let found = codes(&raw(&reader, &context, 0, 2400));
    assert!(!found.contains_key("D02") && !found.contains_key("D04"), "{found:?}");

    let irrigated = Land::under(Water::Irrigated, None);
    let context = PlotContext { placements: &placements, land: &irrigated, ..context };
    let found = codes(&raw(&reader, &context, 0, 2400));
    assert!(!found.contains_key("D10") && !found.contains_key("D04"), "{found:?}");
    assert!(found.contains_key("D02"));
}

#[test]
fn what_is_said_of_a_day_does_not_depend_on_the_window() {
    let directory = tempfile::tempdir().unwrap();
    let (reader, catalogue) = store(directory.path());
    let (plot, zone) = (PlotId::parse("north").unwrap(), zone(CHINA));
    let placements = [placement("probe", "north", hour(0)), placement("station", "north", hour(0))];
    let land = Land::default();
    let context = context(&plot, &placements, &land, &zone, &catalogue);
    let (first, last) = (date(2026, 3, 1), date(2026, 6, 10));
    let days = days_of_plot(&reader, &context, (first, last)).unwrap();
    assert!(days.iter().any(|day| day.flagged > 0));
    for from in (0..100).step_by(3) {
        for length in [0, 1, 40] {
            let from = first.saturating_add(from.days());
            let window = (from, from.saturating_add(length.days()));
            let found = days_of_plot(&reader, &context, window).unwrap();
            let wanted = days.iter().filter(|day| (window.0..=window.1).contains(&day.day));
            assert!(found.iter().eq(wanted), "{window:?}");
        }
    }

    let whole = raw(&reader, &context, 0, 2400);
    for from in (0..2400).step_by(97) {
        let part = raw(&reader, &context, from, from + 60);
        let wanted =
            whole.iter().filter(|point| (hour(from)..hour(from + 60)).contains(&point.time));
        assert!(part.iter().eq(wanted), "from hour {from}");
    }
}

#[test]
fn observations_carry_the_flags_of_the_series() {
    let directory = tempfile::tempdir().unwrap();
    let (reader, catalogue) = store(directory.path());
    let (plot, zone) = (PlotId::parse("north").unwrap(), zone(CHINA));
    // The probe came a day later and left for a shed before the end.
    let placements = [
        placement("probe", "north", hour(24)),
        placement("station", "north", hour(0)),
        Placement { plot: None, ..placement("probe", "north", hour(2300)) },
    ];
    let land = Land::default();
    let context = context(&plot, &placements, &land, &zone, &catalogue);
    let (mut found, mut times) = (Vec::new(), Vec::new());
    flagged_observations(
        &reader,
        &catalogue,
        (&DeviceId::parse("probe").unwrap(), &placements),
        |id| (*id == plot).then_some(context),
        (Timestamp::MIN, Timestamp::MAX),
        |observation: &StoredObservation, flags: &[Flags]| {
            assert_eq!(flags.len(), observation.readings.len());
            times.push(observation.measured);
            let of_moisture = observation.readings.iter().zip(flags);
            let moisture = catalogue.quantity_no("soil_moisture").unwrap();
            found.extend(
                of_moisture
                    .filter(|(reading, _)| reading.quantity == moisture)
                    .map(|(_, flags)| (observation.measured, *flags)),
            );
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    assert_eq!(times.len(), 2400 - 48);
    assert!(times.is_sorted());
    let points = raw(&reader, &context, 0, 2400);
    assert_eq!(points.len(), 2300 - 24 - 48);
    let wanted: Vec<_> = points.iter().map(|point| (point.time, point.flags)).collect();
    let stood = found.iter().filter(|(time, _)| (hour(24)..hour(2300)).contains(time));
    assert!(stood.eq(&wanted));
}

#[test]
fn no_check_looks_across_a_move() {
    let directory = tempfile::tempdir().unwrap();
    let (reader, catalogue) = store(directory.path());
    let (plot, zone) = (PlotId::parse("south").unwrap(), zone(CHINA));
    // Moved in the very hour at which the values fall.
    let placements = [placement("probe", "north", hour(0)), placement("probe", "south", hour(800))];
    let land = Land::default();
    let context = context(&plot, &placements, &land, &zone, &catalogue);
    let found = codes(&raw(&reader, &context, 0, 900));
    assert!(!found.contains_key("D07") && !found.contains_key("D09"), "{found:?}");
}

#[test]
fn a_series_in_memory_is_flagged_as_one_in_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let (reader, catalogue) = store(directory.path());
    let (plot, zone) = (PlotId::parse("north").unwrap(), zone(CHINA));
    let placements = [placement("probe", "north", hour(0))];
    let land = Land::default();
    let context = context(&plot, &placements, &land, &zone, &catalogue);
    let points = raw(&reader, &context, 0, 2400);
    let stored = |point: &RawPoint| TimedReading {
        time: point.time,
        value: point.value,
        flags: Flags::NONE,
    };
    let readings: Vec<_> = points.iter().map(stored).collect();
    let mut peaks = crate::flags::DayPeaks::default();
    for reading in &readings {
        peaks.take(reading);
    }
    let judged = crate::flags::Context {
        quantity: catalogue.quantity(catalogue.quantity_no("soil_moisture").unwrap()),
        depth: Some(DepthMm(50)),
        land: &land,
        companions: &crate::flags::Companions::default(),
        extent: Extent::Piece(&peaks),
    };
    let mut flags = Vec::new();
    flag(&readings, &judged, &mut flags);
    assert!(flags.iter().copied().eq(points.iter().map(|point| point.flags)));
}
