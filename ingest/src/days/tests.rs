mod flagged;

use jiff::{Timestamp, civil::date, tz::TimeZone};
use plotwise_config::{
    catalogue::{Catalogue, quantity::Quantity},
    id::{DeviceId, PlotId},
    reading::{DepthMm, Flags, Identity, Observation, QuantityNo, Reading},
    records::Placement,
};
use std::{path::Path, sync::Arc};

use super::*;
use crate::{
    flags::Land,
    intake::Intake,
    store::{Reader, Store, StoreOptions},
};

const CHINA: &str = "Asia/Shanghai";

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn moisture() -> (Catalogue, QuantityNo) {
    let catalogue = Catalogue::shipped().unwrap();
    let number = catalogue.quantity_no("soil_moisture").unwrap();
    (catalogue, number)
}

fn quantity() -> Quantity {
    let (catalogue, number) = moisture();
    Quantity { hard: [0.0, 1.0], flag_above: Some(0.6), ..catalogue.quantity(number).clone() }
}

fn timed(time: &str, value: f64) -> TimedReading {
    TimedReading { time: time.parse().unwrap(), value, flags: Flags::NONE }
}

fn days(readings: &[TimedReading], zone_name: &str) -> Vec<plotwise_config::day::DaySummary> {
    summarise(readings, &quantity(), QuantityNo(0), None, &zone(zone_name))
}

fn is_close(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() < 1e-9
}

#[test]
fn a_day_ends_at_local_midnight() {
    let days = days(
        &[
            timed("2026-05-01T15:59:59.999Z", 0.2),
            timed("2026-05-01T16:00:00Z", 0.3),
            timed("2026-05-01T15:00:00Z", 0.1),
        ],
        CHINA,
    );
    let found: Vec<_> = days.iter().map(|day| (day.day, day.count)).collect();
    assert_eq!(found, [(date(2026, 5, 1), 2), (date(2026, 5, 2), 1)]);
    // Time between two days belongs to neither.
    assert_eq!((days[0].covered_s, days[1].covered_s), (3600, 0));
}

#[test]
fn a_day_that_loses_an_hour_has_23_and_one_that_gains_it_25() {
    // Clocks of Germany change on 2026-03-29 and 2026-10-25.
    for (first, hours, day) in [
        ("2026-03-28T23:00:00Z", 23, date(2026, 3, 29)),
        ("2026-10-24T22:00:00Z", 25, date(2026, 10, 25)),
    ] {
        let start: Timestamp = first.parse().unwrap();
        let readings: Vec<_> = (-1..=hours)
            .map(|hour| TimedReading {
                time: start + jiff::SignedDuration::from_hours(hour),
                value: 0.3,
                flags: Flags::NONE,
            })
            .collect();
        let found = days(&readings, "Europe/Berlin");
        assert_eq!(found.len(), 3);
        assert_eq!((found[1].day, i64::from(found[1].count)), (day, hours));
        assert_eq!(i64::from(found[1].covered_s), (hours - 1) * 3600);
    }
}

#[test]
fn a_midnight_that_does_not_exist_starts_the_day_later() {
    // Beirut went from 00:00 to 01:00 on 2022-03-27.
    let days = days(
        &[timed("2022-03-26T21:59:59Z", 0.1), timed("2022-03-26T22:00:00Z", 0.2)],
        "Asia/Beirut",
    );
    let found: Vec<_> = days.iter().map(|day| day.day).collect();
    assert_eq!(found, [date(2022, 3, 26), date(2022, 3, 27)]);
}

#[test]
fn flagged_readings_are_counted_and_left_out_of_everything_else() {
    let fault = TimedReading { flags: Flags::FAULT_CODE, ..timed("2026-05-01T01:00:00Z", 0.5) };
    let late =
        TimedReading { flags: Flags::TIME_FROM_ARRIVAL, ..timed("2026-05-01T02:00:00Z", 0.3) };
    let readings = [
        timed("2026-05-01T00:00:00Z", 0.1),
        fault,
        late,
        timed("2026-05-01T02:10:00Z", -0.1),
        timed("2026-05-01T02:20:00Z", 0.61),
        timed("2026-05-01T02:30:00Z", 0.6),
    ];
    let days = days(&readings, CHINA);
    assert_eq!((days.len(), days[0].count, days[0].flagged), (1, 3, 3));
    let statistics = days[0].statistics.unwrap();
    assert!(is_close(statistics.mean, 1.0 / 3.0));
    assert_eq!((statistics.min, statistics.max), (0.1, 0.6));
    // 0.2 over two hours, then 0.45 over half an hour.
    assert_eq!(days[0].covered_s, 9000);
    assert!(is_close(days[0].integral, 0.2 * 7200.0 + 0.45 * 1800.0));
}

#[test]
fn a_day_of_flagged_readings_alone_has_no_statistics() {
    let days = days(&[timed("2026-05-01T00:00:00Z", 2.0)], CHINA);
    assert_eq!((days[0].count, days[0].flagged, days[0].statistics), (0, 1, None));
}

#[test]
fn a_gap_of_more_than_three_hours_is_not_covered() {
    let days = days(
        &[
            timed("2026-05-01T00:00:00Z", 0.2),
            timed("2026-05-01T03:00:00Z", 0.2),
            timed("2026-05-01T06:00:00.001Z", 0.2),
        ],
        CHINA,
    );
    assert_eq!(days[0].covered_s, 3 * 3600);
}

#[test]
fn percentiles_lie_between_order_statistics() {
    let readings: Vec<_> = [0.5, 0.1, 0.4, 0.2, 0.3]
        .iter()
        .enumerate()
        .map(|(minute, value)| timed(&format!("2026-05-01T00:0{minute}:00Z"), *value))
        .collect();
    let found = days(&readings, CHINA)[0].statistics.unwrap();
    assert!(is_close(found.p10, 0.14) && is_close(found.p50, 0.3) && is_close(found.p90, 0.46));
}

/// A store in which device `a` measured moisture every hour of 2026-05-01 and 02, local time.
fn store_with_two_days(directory: &Path) -> Reader {
    let (catalogue, number) = moisture();
    let options = StoreOptions { redelivery_window_s: 600, keeps_raw: true };
    let store = Store::open(directory, Arc::new(catalogue), options).unwrap();
    let start: Timestamp = "2026-04-30T16:00:00Z".parse().unwrap();
    let batch: Vec<_> = (0..48)
        .map(|hour| {
            let measured = start + jiff::SignedDuration::from_hours(hour);
            let own = Reading {
                quantity: number,
                depth: None,
                value: 0.2 + hour as f64 / 1000.0,
                flags: Flags::NONE,
            };
            Intake::Observation(Observation {
                device: DeviceId::parse("a").unwrap(),
                measured,
                received: measured,
                claimed: None,
                identity: Identity::MeasuredTime,
                seq: None,
                supersede: false,
                readings: vec![own, Reading { depth: Some(DepthMm(600)), value: 0.9, ..own }],
            })
        })
        .collect();
    store.writer().unwrap().commit(&batch).unwrap();
    store.reader().unwrap()
}

/// Device `a` stands on `north` until 18:00 on May 1st, then on `south`.
fn placements() -> Vec<Placement> {
    let place = |plot: &str, depth_mm, from: &str| Placement {
        device: DeviceId::parse("a").unwrap(),
        plot: Some(PlotId::parse(plot).unwrap()),
        depth: Some(DepthMm(depth_mm)),
        from: from.parse().unwrap(),
    };
    vec![place("south", 300, "2026-05-01T10:00:00Z"), place("north", 200, "2026-01-01T00:00:00Z")]
}

fn context<'a>(
    plot: &'a PlotId,
    placements: &'a [Placement],
    land: &'a Land,
    zone: &'a TimeZone,
    catalogue: &'a Catalogue,
) -> PlotContext<'a> {
    PlotContext { plot, placements, land, zone, catalogue }
}

#[test]
fn a_device_counts_for_the_plot_it_stood_on() {
    let directory = tempfile::tempdir().unwrap();
    let reader = store_with_two_days(directory.path());
    let (catalogue, number) = moisture();
    let window = (date(2026, 5, 1), date(2026, 5, 2));
    let days_of = |plot| {
        let plot = PlotId::parse(plot).unwrap();
        let (placements, land, zone) = (placements(), Land::default(), zone(CHINA));
        let context = context(&plot, &placements, &land, &zone, &catalogue);
        days_of_plot(&reader, &context, window).unwrap()
    };
    let found = |plot| {
        let brief = |day: &plotwise_config::day::DaySummary| {
            (day.day.day(), day.depth.map(|depth| depth.0), day.count, day.flagged)
        };
        days_of(plot).iter().map(brief).collect::<Vec<_>>()
    };
    // 0.9 is above the border that the ISMN gives soil moisture.
    assert_eq!(found("north"), [(1, Some(200), 18, 0), (1, Some(600), 0, 18)]);
    let south =
        [(1, Some(300), 6, 0), (1, Some(600), 0, 6), (2, Some(300), 24, 0), (2, Some(600), 0, 24)];
    assert_eq!(found("south"), south);
    assert!(days_of("south").iter().all(|day| day.quantity == number));
    assert_eq!(found("elsewhere"), []);
}

#[test]
fn the_own_depth_written_out_counts_once_where_it_became_known_late() {
    let directory = tempfile::tempdir().unwrap();
    let reader = store_with_two_days(directory.path());
    let (catalogue, number) = moisture();
    // Stored before anybody said that the device stands at 0.6 m.
    let mut placements = placements();
    placements[0].depth = Some(DepthMm(600));
    let (plot, zone) = (PlotId::parse("south").unwrap(), zone(CHINA));
    let window = (date(2026, 5, 2), date(2026, 5, 2));
    let land = Land::default();
    let context = context(&plot, &placements, &land, &zone, &catalogue);
    let days = days_of_plot(&reader, &context, window).unwrap();
    let brief: Vec<_> = days.iter().map(|day| (day.depth, day.count, day.flagged)).collect();
    assert_eq!(brief, [(Some(DepthMm(600)), 24, 0)]);
    let query = SeriesQuery {
        quantity: number,
        depth: None,
        from: "2026-05-02T00:00:00Z".parse().unwrap(),
        to: "2026-05-02T01:00:00Z".parse().unwrap(),
        step: Step::Raw,
        points_max: 9,
    };
    let Points::Raw(points) = series(&reader, &context, &query).unwrap().points else {
        panic!("raw was asked for")
    };
    assert_eq!(points.len(), 1);
}

#[test]
fn a_series_is_as_fine_as_the_number_of_points_allows() {
    let directory = tempfile::tempdir().unwrap();
    let reader = store_with_two_days(directory.path());
    let (catalogue, number) = moisture();
    let plot = PlotId::parse("south").unwrap();
    let (placements, land, zone) = (placements(), Land::default(), zone(CHINA));
    let context = context(&plot, &placements, &land, &zone, &catalogue);
    let get = |step, points_max| {
        let query = SeriesQuery {
            quantity: number,
            depth: Some(DepthMm(300)),
            from: "2026-05-01T00:00:00Z".parse().unwrap(),
            to: "2026-05-09T00:00:00Z".parse().unwrap(),
            step,
            points_max,
        };
        series(&reader, &context, &query).unwrap()
    };
    let whole = get(Step::Auto, 30);
    let Points::Raw(points) = &whole.points else { panic!("{whole:?}") };
    assert_eq!((whole.step, whole.is_cut, points.len()), (Step::Raw, false, 30));

    let days = get(Step::Auto, 10);
    let Points::Buckets(buckets) = &days.points else { panic!("{days:?}") };
    assert_eq!((days.step, days.is_cut, buckets.len()), (Step::Day, false, 2));
    // The part of the day on which the device stood here.
    assert_eq!(buckets[0].time, "2026-04-30T16:00:00Z".parse().unwrap());
    assert_eq!((buckets[0].count, buckets[0].flagged), (6, 0));
    let statistics = buckets[0].statistics.unwrap();
    assert!(is_close(statistics.mean, 0.2205) && is_close(statistics.min, 0.218));

    let cut = get(Step::Hour, 5);
    let Points::Buckets(buckets) = &cut.points else { panic!("{cut:?}") };
    assert_eq!((cut.is_cut, buckets.len(), buckets[0].count), (true, 5, 1));
}
