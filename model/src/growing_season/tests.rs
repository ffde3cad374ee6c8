use plotwise_config::records::ClimateMonth;

use super::*;

/// Changsha: monthly means and daily ranges (ASHRAE Handbook 2025, station 576870).
pub(crate) fn changsha() -> Climate {
    let mean = [5.7, 8.1, 13.0, 18.5, 22.8, 26.5, 29.8, 28.9, 25.0, 19.4, 13.8, 7.7];
    let range = [5.1, 5.5, 6.3, 7.1, 6.8, 6.3, 6.8, 6.7, 6.8, 6.5, 6.5, 5.9];
    let months = (1..=12)
        .zip(mean.into_iter().zip(range))
        .map(|(month, (mean, range))| ClimateMonth {
            month,
            air_temperature_max: mean + range / 2.0,
            air_temperature_min: mean - range / 2.0,
            rain: 100.0,
            daily_radiation: None,
            sunshine: None,
        })
        .collect();
    Climate { days: Vec::new(), months }
}

fn sweet_potato() -> Crop {
    serde_json::from_value(serde_json::json!({
        "key": "sweet_potato", "name": {"zh": "甘薯", "en": "sweet potato"},
        "scientific": "Ipomoea batatas", "family": "Convolvulaceae", "class": "grain",
        "water_habit": "upland_tuber", "growth_ends_below_c": 15.0, "uses": [],
        "calendar": [
            {"key": "summer", "name": {"zh": "夏薯", "en": "summer crop"},
             "plant": ["06-01", "08-08"], "harvest": ["10-15", "11-15"], "days": [100, 130],
             "order_weeks": 12, "source": "test"},
            {"key": "spring", "name": {"zh": "春薯", "en": "spring crop"},
             "plant": ["04-15", "05-15"], "harvest": ["09-20", "11-05"], "days": [140, 180],
             "source": "test"},
        ],
        "source": "test",
    }))
    .unwrap()
}

fn rape() -> Crop {
    serde_json::from_value(serde_json::json!({
        "key": "rape", "name": {"zh": "油菜", "en": "rape"},
        "scientific": "Brassica napus", "family": "Brassicaceae", "class": "oil",
        "water_habit": "upland", "uses": [],
        "calendar": [{"key": "winter", "name": {"zh": "冬油菜", "en": "winter rape"},
             "plant": ["12-15", "02-10"], "harvest": ["04-20", "05-15"], "days": [85, 110],
             "source": "test"}],
        "source": "test",
    }))
    .unwrap()
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

#[test]
fn mid_month_has_the_months_own_mean() {
    let year = MeanYear::of(&changsha()).unwrap();
    assert!((year.temperature_c(date("2026-07-16")) - 29.8).abs() < 0.05);
    assert!((year.temperature_c(date("2026-11-01")) - f64::midpoint(19.4, 13.8)).abs() < 0.15);
}

#[test]
fn the_year_has_no_step_at_its_ends() {
    let year = MeanYear::of(&changsha()).unwrap();
    let step = year.temperature_c(date("2026-12-31")) - year.temperature_c(date("2027-01-01"));
    assert!(step.abs() < 0.15);
}

#[test]
fn days_stand_in_for_missing_normals_and_eleven_months_do_not() {
    let day = |date: Date| plotwise_config::records::ClimateDay {
        date,
        air_temperature_max: 20.0 + f64::from(date.month()),
        air_temperature_min: 10.0 + f64::from(date.month()),
        rain: 0.0,
        daily_radiation: None,
        sunshine: None,
    };
    let mut days: Vec<_> = date("2025-01-01").series(1.day()).take(365).map(day).collect();
    let climate = Climate { days: days.clone(), months: Vec::new() };
    let found = MeanYear::of(&climate).unwrap().temperature_c(date("2026-07-16"));
    assert!((found - 22.0).abs() < 0.05, "{found}");
    days.retain(|day| day.date.month() != 4);
    assert_eq!(MeanYear::of(&Climate { days, months: Vec::new() }), None);
}

#[test]
fn sweet_potato_must_be_planted_a_short_cycle_before_the_cold() {
    let windows = planting_windows(&sweet_potato(), &changsha(), date("2026-02-01"));
    let summer = windows.iter().find(|window| window.calendar == "summer").unwrap();
    assert_eq!(summer.from, date("2026-06-01"));
    // 15 °C is crossed in early November; 100 days before it is late July.
    assert!(summer.to > date("2026-07-20") && summer.to < date("2026-08-05"), "{summer:?}");
    assert!(summer.is_clipped);
    assert_eq!(summer.order_by, Some(date("2026-03-09")));
    let mean = summer.mean_temperature_c.unwrap();
    assert!((25.0..29.0).contains(&mean), "{mean}");
}

#[test]
fn windows_come_in_order_of_their_first_day() {
    let windows = planting_windows(&sweet_potato(), &changsha(), date("2026-02-01"));
    let keys: Vec<_> = windows.iter().map(|window| window.calendar.as_str()).collect();
    assert_eq!(keys, ["spring", "summer"]);
    assert_eq!(windows[0].from, date("2026-04-15"));
}

#[test]
fn a_span_under_way_counts_from_today_and_a_past_one_from_next_year() {
    let windows = planting_windows(&sweet_potato(), &changsha(), date("2026-06-20"));
    let from = |key: &str| windows.iter().find(|it| it.calendar == key).unwrap().from;
    assert_eq!(from("summer"), date("2026-06-20"));
    assert_eq!(from("spring"), date("2027-04-15"));
}

#[test]
fn a_span_across_new_year_that_began_last_year_still_counts() {
    let windows = planting_windows(&rape(), &Climate::default(), date("2026-01-20"));
    assert_eq!(windows[0].from, date("2026-01-20"));
    assert_eq!(windows[0].to, date("2026-02-10"));
    assert_eq!(windows[0].mean_temperature_c, None);
    assert_eq!(windows[0].harvest_to, date("2026-05-15"));
}

#[test]
fn where_it_never_gets_warm_nothing_is_planted() {
    let mut climate = changsha();
    for month in &mut climate.months {
        month.air_temperature_max -= 25.0;
        month.air_temperature_min -= 25.0;
    }
    assert!(planting_windows(&sweet_potato(), &climate, date("2026-02-01")).is_empty());
}

#[test]
fn the_warm_season_of_changsha_has_some_220_days_above_15_degrees() {
    let days = MeanYear::of(&changsha()).unwrap().days_at_least(15.0);
    assert!((195..=230).contains(&days), "{days}");
}
