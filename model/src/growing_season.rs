//! When a crop can stand in the field, and how warm it is then.
//!
//! The catalogue's calendar says when a region plants; the climate of the place clips it: no
//! planting while it is too cold to grow, and none so late that the shortest cycle would not end
//! before it is too cold again. The temperature of a day is read from twelve monthly means, joined
//! by straight lines from mid-month to mid-month.
//!
//! # What it leaves out
//!
//! Frost of a single night and the spread between years: this is the mean year. Straight lines cut
//! the summer's top by some tenths of a degree.

use jiff::{ToSpan, civil::Date};
use plotwise_config::{
    catalogue::crop::{Calendar, Crop},
    records::Climate,
};

/// Days of a month that a mean needs when normals are missing. Our choice.
const DAYS_OF_MONTH_MIN: u32 = 20;

/// The mean year of a place: air temperature of each day.
#[derive(Clone, Debug, PartialEq)]
pub struct MeanYear {
    /// January first, °C.
    monthly_c: [f64; 12],
}

impl MeanYear {
    /// From the normals where there are twelve, else from the days; `None` where a month is missing.
    pub fn of(climate: &Climate) -> Option<Self> {
        let mut sums = [(0.0, 0_u32); 12];
        let needed = if climate.months.len() == 12 { 1 } else { DAYS_OF_MONTH_MIN };
        let mut add = |month: i8, max_c: f64, min_c: f64| {
            let mean = f64::midpoint(max_c, min_c);
            let place = usize::try_from(month - 1).ok().and_then(|place| sums.get_mut(place));
            if let (Some(sum), true) = (place, mean.is_finite()) {
                *sum = (sum.0 + mean, sum.1 + 1);
            }
        };
        if climate.months.len() == 12 {
            for month in &climate.months {
                add(month.month, month.air_temperature_max, month.air_temperature_min);
            }
        } else {
            for day in &climate.days {
                add(day.date.month(), day.air_temperature_max, day.air_temperature_min);
            }
        }
        if sums.iter().any(|&(_, count)| count < needed) {
            return None;
        }
        Some(Self { monthly_c: sums.map(|(sum, count)| sum / f64::from(count)) })
    }

    /// Mean air temperature of a day, °C.
    pub fn temperature_c(&self, date: Date) -> f64 {
        let length = f64::from(date.days_in_month());
        // -0.5 at the first day's start, 0 mid-month, 0.5 at the last day's end.
        let place = (f64::from(date.day()) - 0.5) / length - 0.5;
        let month = usize::try_from(date.month() - 1).unwrap_or(0);
        let neighbour = if place < 0.0 { (month + 11) % 12 } else { (month + 1) % 12 };
        let share = place.abs();
        self.monthly_c[month] * (1.0 - share) + self.monthly_c[neighbour] * share
    }

    /// Mean air temperature of `days` days from `from` on, °C; that of the day itself for 0.
    pub fn mean_c(&self, from: Date, days: u16) -> f64 {
        let days = days.max(1);
        let sum: f64 = (0..days).map(|ahead| self.temperature_c(later(from, ahead))).sum();
        sum / f64::from(days)
    }

    /// Days from `from` until the mean falls below `border_c`; at most a year, 0 where it is below.
    pub fn days_until_below(&self, border_c: f64, from: Date) -> u16 {
        (0..365).find(|&ahead| self.temperature_c(later(from, ahead)) < border_c).unwrap_or(365)
    }

    /// Days of the year whose mean is at least `border_c`, for example the growing season.
    pub fn days_at_least(&self, border_c: f64) -> u16 {
        let first = Date::constant(2025, 1, 1);
        let days = (0..365_u16)
            .filter(|&ahead| self.temperature_c(later(first, ahead)) >= border_c)
            .count();
        u16::try_from(days).unwrap_or(365)
    }
}

/// One span in which a crop can be planted, clipped to what the climate allows.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Key of the crop's calendar.
    pub calendar: String,
    /// First day of planting, on or after the day that was asked for.
    pub from: Date,
    /// Last day of planting.
    pub to: Date,
    /// Shortest and longest time on the field, days.
    pub cycle_days: [u16; 2],
    /// Last day of harvest by the calendar.
    pub harvest_to: Date,
    /// Mean air temperature from the middle of the window over the mean cycle, °C; `None` without a
    /// climate.
    pub mean_temperature_c: Option<f64>,
    /// Days from `from` until growth ends for the cold, or until the calendar's last harvest where
    /// the crop has no such border or the place no climate.
    pub days_available: u16,
    /// Day by which seed or seedlings are to be ordered.
    pub order_by: Option<Date>,
    /// Whether the climate shortened the calendar's own span.
    pub is_clipped: bool,
}

/// The next occurrence, after `on`, of each span of the crop's calendar that the climate allows.
///
/// A span under way counts from `on`. Empty where the crop has no calendar or the climate leaves
/// nothing of it. In order of the first day.
pub fn planting_windows(crop: &Crop, climate: &Climate, on: Date) -> Vec<Window> {
    windows_of_year(crop, MeanYear::of(climate).as_ref(), on)
}

/// The same for many plots of a place, whose mean year is made once.
pub fn windows_of_year(crop: &Crop, year: Option<&MeanYear>, on: Date) -> Vec<Window> {
    let mut windows: Vec<Window> =
        crop.calendar.iter().filter_map(|calendar| next_window(crop, calendar, year, on)).collect();
    windows.sort_by(|a, b| (a.from, &a.calendar).cmp(&(b.from, &b.calendar)));
    windows
}

/// This year's span where something of it is left, else next year's.
fn next_window(
    crop: &Crop,
    calendar: &Calendar,
    year: Option<&MeanYear>,
    on: Date,
) -> Option<Window> {
    // A span that crosses New Year may have begun last year.
    (on.year() - 1..=on.year() + 1)
        .find_map(|first_year| window_of(crop, calendar, year, on, first_year))
}

fn window_of(
    crop: &Crop,
    calendar: &Calendar,
    year: Option<&MeanYear>,
    on: Date,
    first_year: i16,
) -> Option<Window> {
    let opens = day_of(&calendar.plant[0], first_year)?;
    let closes = on_or_after(&calendar.plant[1], opens)?;
    let mut from = opens.max(on);
    let mut to = closes;
    let mut days_until_cold = None;
    let mut is_clipped = false;
    if let (Some(year), Some(border_c)) = (year, crop.growth_ends_below_c) {
        let first_warm = (0..365)
            .map(|ahead| later(from, ahead))
            .find(|&date| year.temperature_c(date) >= border_c)?;
        let cold = later(first_warm, year.days_until_below(border_c, first_warm));
        let last_in_time = earlier(cold, calendar.days[0]);
        is_clipped = first_warm > from || last_in_time < to;
        from = from.max(first_warm);
        to = to.min(last_in_time);
        days_until_cold = Some(days_between(from, cold));
    }
    if from > to {
        return None;
    }
    let cycle = u16::midpoint(calendar.days[0], calendar.days[1]);
    let middle = later(from, days_between(from, to) / 2);
    let last_harvest = on_or_after(&calendar.harvest[1], to)?;
    let days_until_harvest = days_between(from, last_harvest);
    Some(Window {
        calendar: calendar.key.clone(),
        from,
        to,
        cycle_days: calendar.days,
        harvest_to: last_harvest,
        mean_temperature_c: year.map(|year| year.mean_c(middle, cycle)),
        days_available: days_until_cold.unwrap_or(days_until_harvest),
        order_by: calendar.order_weeks.map(|weeks| earlier(from, u16::from(weeks) * 7)),
        is_clipped,
    })
}

/// `MM-DD` in a year; 29 February becomes the 28th where there is none.
fn day_of(month_day: &str, year: i16) -> Option<Date> {
    let (month, day) = month_day.split_once('-')?;
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    Date::new(year, month, day)
        .or_else(|error| if (month, day) == (2, 29) { Date::new(year, 2, 28) } else { Err(error) })
        .ok()
}

/// The first `MM-DD` that is not before `date`.
fn on_or_after(month_day: &str, date: Date) -> Option<Date> {
    let same_year = day_of(month_day, date.year())?;
    if same_year >= date { Some(same_year) } else { day_of(month_day, date.year() + 1) }
}

fn later(date: Date, days: u16) -> Date {
    date.saturating_add(i32::from(days).days())
}

fn earlier(date: Date, days: u16) -> Date {
    date.saturating_sub(i32::from(days).days())
}

/// Whole days; 0 where `to` lies before `from`.
fn days_between(from: Date, to: Date) -> u16 {
    u16::try_from((to - from).get_days()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
