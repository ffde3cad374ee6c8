//! Weather: days, or normals of the twelve months; the column `month` tells the files apart.

use std::collections::BTreeMap;

use plotwise_config::{
    id::CooperativeId,
    records::{Climate, ClimateDay, ClimateMonth},
};

use super::{
    Known, Options,
    errors::{Errors, FileErrors, refuse},
    fields::{Fields, Once},
    table::{Column, Table, optional, required, text_of},
};

const MAX: Column = required("air_temperature_max", &["最高气温", "最高气温(℃)", "最高气温（℃）"]);
const MIN: Column = required("air_temperature_min", &["最低气温", "最低气温(℃)", "最低气温（℃）"]);
const RAIN: Column = required("rain", &["降水量", "降水量(mm)", "降水量（mm）", "降水"]);
const RADIATION: Column = optional("daily_radiation", &["日辐射", "太阳辐射"]);
const SUNSHINE: Column = optional("sunshine", &["日照时数", "日照"]);
const OWNER: Column = optional("cooperative", &["合作社"]);
const DAYS: &[Column] = &[required("date", &["日期"]), MAX, MIN, RAIN, RADIATION, SUNSHINE, OWNER];
const MONTHS: &[Column] =
    &[required("month", &["月份", "月"]), MAX, MIN, RAIN, RADIATION, SUNSHINE, OWNER];

/// What days and months share.
struct Weather {
    owner: CooperativeId,
    max: f64,
    min: f64,
    rain: f64,
    daily_radiation: Option<f64>,
    sunshine: Option<f64>,
}

/// Reads the weather of cooperatives, each with its days in order or its twelve months.
///
/// # Errors
///
/// [`FileErrors`] with everything that is wrong.
pub fn parse_climate(
    bytes: &[u8],
    options: &Options,
    known: &Known,
) -> Result<BTreeMap<CooperativeId, Climate>, FileErrors> {
    let header = text_of(bytes)?.trim_start().lines().next().unwrap_or_default();
    let mut names = header.split(',').map(|name| name.trim().trim_matches('"'));
    let is_monthly = names.any(|name| MONTHS[0].key == name || MONTHS[0].zh.contains(&name));
    let columns = if is_monthly { MONTHS } else { DAYS };
    let mut errors = Errors::default();
    let table = Table::read(bytes, columns, options, &mut errors)?;
    let mut once = Once::new();
    let mut climates: BTreeMap<CooperativeId, Climate> = BTreeMap::new();
    for row in &table.rows {
        let mut fields = Fields::new(columns, &table.headers, row, &mut errors);
        if is_monthly {
            if let Some((owner, month)) = month(&mut fields, options, known) {
                once.check(&mut fields, "month", (owner.clone(), month.month.to_string()), "month");
                climates.entry(owner).or_default().months.push(month);
            }
        } else if let Some((owner, day)) = day(&mut fields, options, known) {
            once.check(&mut fields, "date", (owner.clone(), day.date.to_string()), "day");
            climates.entry(owner).or_default().days.push(day);
        }
    }
    let mut climates = errors.finish(climates)?;
    for climate in climates.values_mut() {
        climate.days.sort_by_key(|day| day.date);
        climate.months.sort_by_key(|month| month.month);
        if is_monthly && climate.months.len() != 12 {
            let found = format!("{} months", climate.months.len());
            return Err(refuse(1, "month", &found, "all twelve months of the normals"));
        }
    }
    Ok(climates)
}

fn day(
    fields: &mut Fields<'_>,
    options: &Options,
    known: &Known,
) -> Option<(CooperativeId, ClimateDay)> {
    let date = fields.need_day("date");
    // The wettest day that was ever measured brought 1,825 mm (La Reunion, 1966: WMO's archive).
    let weather = weather(fields, 2000.0, options, known)?;
    let day = ClimateDay {
        date: date?,
        air_temperature_max: weather.max,
        air_temperature_min: weather.min,
        rain: weather.rain,
        daily_radiation: weather.daily_radiation,
        sunshine: weather.sunshine,
    };
    Some((weather.owner, day))
}

fn month(
    fields: &mut Fields<'_>,
    options: &Options,
    known: &Known,
) -> Option<(CooperativeId, ClimateMonth)> {
    let text = fields.need("month", "a month, 1-12");
    let month = text.and_then(|text| text.trim_end_matches('月').parse().ok());
    let month = month.filter(|month| (1..=12).contains(month));
    if text.is_some() && month.is_none() {
        fields.wrong("month", "a month, 1-12");
    }
    let weather = weather(fields, 10_000.0, options, known)?;
    let month = ClimateMonth {
        month: month?,
        air_temperature_max: weather.max,
        air_temperature_min: weather.min,
        rain: weather.rain,
        daily_radiation: weather.daily_radiation,
        sunshine: weather.sunshine,
    };
    Some((weather.owner, month))
}

/// The columns that both files have; ranges are wider than any place on Earth. Our choice.
fn weather(
    fields: &mut Fields<'_>,
    rain_mm_max: f64,
    options: &Options,
    known: &Known,
) -> Option<Weather> {
    let owner = fields.cooperative_or_only(known, options);
    let max = fields.need_number("air_temperature_max", -80.0, 65.0);
    let min = fields.need_number("air_temperature_min", -95.0, 60.0);
    let rain = fields.need_number("rain", 0.0, rain_mm_max);
    let daily_radiation = fields.number("daily_radiation", 0.0, 50.0);
    let sunshine = fields.number("sunshine", 0.0, 24.0);
    if let (Some(max), Some(min)) = (max, min)
        && min > max
    {
        fields.wrong("air_temperature_min", format!("at most the maximum, {max}"));
    }
    let weather =
        Weather { owner: owner?, max: max?, min: min?, rain: rain?, daily_radiation, sunshine };
    fields.is_clean().then_some(weather)
}
