use jiff::civil::date;
use proptest::prelude::*;

use super::*;

const FIRST: Date = date(2026, 4, 29);

fn code_of(quantity: QuantityNo) -> Option<u32> {
    1000_u32.checked_sub(u32::from(quantity.0))
}

fn quantity_of(code: u32) -> Option<QuantityNo> {
    Some(QuantityNo(u16::try_from(1000 - code).ok()?))
}

fn round_trip(days: &[DaySummary]) -> Vec<DaySummary> {
    unpack(FIRST, &pack(FIRST, days, code_of).unwrap(), quantity_of).unwrap()
}

/// What equality would hide: the sign of nought.
fn bits(days: &[DaySummary]) -> Vec<[u64; 7]> {
    let of = |day: &DaySummary| {
        let empty = DayStatistics { mean: 0., min: 0., max: 0., p10: 0., p50: 0., p90: 0. };
        let DayStatistics { mean, min, max, p10, p50, p90 } = day.statistics.unwrap_or(empty);
        [day.integral, mean, min, max, p10, p50, p90].map(f64::to_bits)
    };
    days.iter().map(of).collect()
}

prop_compose! {
    fn number()(kind in 0..4_u8, any in any::<f64>(), small in -9999..9999_i32, step in -3..3_i64)
        -> f64
    {
        match kind {
            0 => any,
            1 => f64::from(small) / 1000.0,
            2 => f64::from_bits((f64::from(small) / 7.0).to_bits().wrapping_add_signed(step)),
            _ => f64::from(small % 3) * 0.0,
        }
    }
}

prop_compose! {
    fn summary()(
        day in 0..SPAN_DAYS,
        quantity in 0..4_u16,
        depth in proptest::option::of((0..3_u16).prop_map(|tenth| DepthMm(tenth * 100))),
        count in 0..200_u32,
        flagged in any::<u32>(),
        covered_s in any::<u32>(),
        integral in number(),
        statistics in proptest::option::of(proptest::array::uniform6(number())),
    ) -> DaySummary {
        let statistics = statistics
            .map(|[mean, min, max, p10, p50, p90]| DayStatistics { mean, min, max, p10, p50, p90 });
        let (day, quantity) = (FIRST + day.days(), QuantityNo(quantity));
        DaySummary { day, quantity, depth, count, flagged, covered_s, integral, statistics }
    }
}

proptest! {
    #[test]
    fn what_was_packed_comes_back_bit_for_bit_and_in_order(
        mut days in proptest::collection::vec(summary(), 0..120)
    ) {
        days.sort_by_key(|day| (day.day, day.quantity, day.depth));
        let back = round_trip(&days);
        prop_assert_eq!(bits(&back), bits(&days));
        // NaN is not equal to itself, but looks the same.
        prop_assert_eq!(format!("{back:?}"), format!("{days:?}"));
    }

    #[test]
    fn a_changed_byte_is_refused(
        mut days in proptest::collection::vec(summary(), 1..40),
        place in any::<prop::sample::Index>(),
        change in 1..=255_u8,
    ) {
        days.sort_by_key(|day| (day.day, day.quantity, day.depth));
        let mut blob = pack(FIRST, &days, code_of).unwrap();
        let place = place.index(blob.len());
        blob[place] ^= change;
        if let Ok(back) = unpack(FIRST, &blob, quantity_of) {
            // A bit of the frame's header that says nothing about the content.
            prop_assert_eq!(format!("{back:?}"), format!("{days:?}"));
        }
    }

    #[test]
    fn any_content_is_days_or_refused(content in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut blob = vec![VERSION];
        blob.extend_from_slice(&u32::try_from(content.len()).unwrap().to_le_bytes());
        blob.extend_from_slice(&compress(&content).unwrap());
        if let Ok(days) = unpack(FIRST, &blob, |code| u16::try_from(code).ok().map(QuantityNo)) {
            prop_assert!(days.len() <= content.len());
        }
        prop_assert!(unpack(FIRST, &content, quantity_of).is_err());
    }
}

#[test]
fn two_devices_at_one_place_stay_in_their_order() {
    let summary = |nth: i64, count| DaySummary {
        day: FIRST + nth.days(),
        quantity: QuantityNo(0),
        depth: None,
        count,
        flagged: 0,
        covered_s: 0,
        integral: 0.0,
        statistics: None,
    };
    let days = [summary(0, 1), summary(0, 2), summary(1, 2), summary(2, 1), summary(2, 2)];
    assert_eq!(round_trip(&days), days);
}

#[test]
fn what_lies_outside_the_span_is_not_packed() {
    let summary = |nth: i64| DaySummary {
        day: FIRST + nth.days(),
        quantity: QuantityNo(0),
        depth: None,
        count: 0,
        flagged: 1,
        covered_s: 0,
        integral: 0.0,
        statistics: None,
    };
    assert!(pack(FIRST, &[summary(27)], code_of).is_some());
    assert_eq!(pack(FIRST, &[summary(28)], code_of), None);
    assert_eq!(pack(FIRST, &[summary(-1)], code_of), None);
    assert_eq!(pack(FIRST, &[summary(0)], |_| None), None);
}

/// Four weeks of six quantities every quarter of an hour, as sensors send them.
fn four_weeks() -> Vec<DaySummary> {
    use crate::days::{TimedReading, summarise};
    let catalogue = plotwise_config::catalogue::Catalogue::shipped().unwrap();
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let start: jiff::Timestamp = "2026-04-28T16:00:00Z".parse().unwrap();
    let keys = ["soil_moisture", "soil_temperature", "soil_ec", "soil_ph", "ppfd", "battery_v"];
    let mut days = Vec::new();
    let mut chance = 12_345_u32;
    for (nth, key) in keys.into_iter().enumerate() {
        let number = catalogue.quantity_no(key).unwrap();
        let (middle, swing, decimals) = [
            (0.25, 0.1, 1e3),
            (18.0, 9.0, 1e2),
            (0.4, 0.1, 1e3),
            (5.6, 0.2, 1e2),
            (800.0, 790.0, 1e1),
            (3.6, 0.05, 1e3),
        ][nth];
        let readings: Vec<_> = (0..28 * 96)
            .map(|quarter| {
                chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = f64::from(chance >> 16) / 65_536.0 - 0.5;
                let wave = (f64::from(quarter) * std::f64::consts::TAU / 96.0).sin();
                let value = middle + swing * (0.8 * wave + 0.2 * noise);
                TimedReading {
                    time: start + jiff::SignedDuration::from_mins(i64::from(quarter) * 15),
                    value: (value * decimals).round() / decimals,
                    flags: plotwise_config::reading::Flags::NONE,
                }
            })
            .collect();
        days.extend(summarise(&readings, catalogue.quantity(number), number, None, &zone));
    }
    days.sort_by_key(|day| (day.day, day.quantity, day.depth));
    days
}

#[test]
fn a_day_of_a_quantity_takes_some_tens_of_bytes() {
    let days = four_weeks();
    assert_eq!(days.len(), 6 * 28);
    let blob = pack(FIRST, &days, code_of).unwrap();
    assert_eq!(unpack(FIRST, &blob, quantity_of).unwrap(), days);
    assert!(blob.len() < days.len() * 22, "{} bytes", blob.len());
}

/// What version 1 wrote of three days at two places, one of them without statistics.
#[test]
fn a_blob_of_version_1_is_read_as_it_was_written() {
    let statistics =
        DayStatistics { mean: 0.25, min: 0.2, max: 0.3, p10: 0.21, p50: 0.25, p90: 0.29 };
    let day = DaySummary {
        day: FIRST,
        quantity: QuantityNo(0),
        depth: Some(DepthMm(200)),
        count: 96,
        flagged: 1,
        covered_s: 85_500,
        integral: 21_375.000_000_1,
        statistics: Some(statistics),
    };
    let days = [
        day.clone(),
        DaySummary { day: FIRST + 27.days(), integral: 1.0 / 3.0, ..day.clone() },
        DaySummary {
            day: FIRST + 27.days(),
            quantity: QuantityNo(3),
            depth: None,
            count: 0,
            integral: 0.0,
            statistics: None,
            ..day
        },
    ];
    let blob = include_bytes!("../../../fixtures/day-summaries-v1.bin");
    assert_eq!(unpack(FIRST, blob, quantity_of).unwrap(), days);
    // Another zstd may press it otherwise; what is in it stays.
    let again = pack(FIRST, &days, code_of).unwrap();
    assert_eq!(decompress(&again), decompress(blob));
}
