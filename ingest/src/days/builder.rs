//! From readings in order of time to days, one day in memory at a time.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use plotwise_config::{
    catalogue::quantity::Quantity,
    day::{DayStatistics, DaySummary},
    reading::{DepthMm, QuantityNo},
};

use super::{GAP_MS_MAX, TimedReading};
use crate::{
    flags::{self, Companions, Context, Extent, Land},
    local_day::day_span,
};

/// Summarises one quantity at one place, reading by reading.
#[derive(Debug)]
pub struct DayBuilder {
    zone: TimeZone,
    number: QuantityNo,
    depth: Option<DepthMm>,
    day: Option<Day>,
    /// Counted values of the day.
    values: Vec<f64>,
    finished: Vec<DaySummary>,
}

/// The day that is being filled.
#[derive(Debug)]
struct Day {
    date: Date,
    /// First moment of the day, and of the next.
    span: (Timestamp, Timestamp),
    flagged: u32,
    covered_ms: i64,
    integral: f64,
    /// Time in ms and value of the last reading that counts.
    last: Option<(i64, f64)>,
}

impl DayBuilder {
    /// For a quantity by its number in the loaded catalogue, the depth of the place, and the
    /// cooperative's time zone.
    pub fn new(number: QuantityNo, depth: Option<DepthMm>, zone: &TimeZone) -> Self {
        Self {
            zone: zone.clone(),
            number,
            depth,
            day: None,
            values: Vec::new(),
            finished: Vec::new(),
        }
    }

    /// Takes the next reading with all its flags ([`flags::flag`]). Readings come in order of time: one of a day that is over would open
    /// that day a second time.
    pub fn push(&mut self, reading: TimedReading) {
        let is_of_day = self
            .day
            .as_ref()
            .is_some_and(|day| day.span.0 <= reading.time && reading.time < day.span.1);
        if !is_of_day {
            self.close();
        }
        let day = self.day.get_or_insert_with(|| Day::at(reading.time, &self.zone));
        if reading.flags.is_excluded() {
            day.flagged += 1;
            return;
        }
        let time_ms = reading.time.as_millisecond();
        if let Some((last_ms, last)) = day.last {
            let gap_ms = time_ms - last_ms;
            if (0..=GAP_MS_MAX).contains(&gap_ms) {
                day.covered_ms += gap_ms;
                // Halves first: the sum of two huge values may be infinite.
                day.integral += (last / 2.0 + reading.value / 2.0) * (gap_ms as f64 / 1000.0);
            }
        }
        day.last = Some((time_ms, reading.value));
        self.values.push(reading.value);
    }

    /// The days, in order; days without any reading are left out.
    pub fn finish(mut self) -> Vec<DaySummary> {
        self.close();
        self.finished
    }

    fn close(&mut self) {
        let Some(day) = self.day.take() else { return };
        self.finished.push(DaySummary {
            day: day.date,
            quantity: self.number,
            depth: self.depth,
            count: u32::try_from(self.values.len()).unwrap_or(u32::MAX),
            flagged: day.flagged,
            covered_s: u32::try_from((day.covered_ms + 500) / 1000).unwrap_or(u32::MAX),
            integral: day.integral,
            statistics: statistics(&mut self.values),
        });
        self.values.clear();
    }
}

impl Day {
    fn at(time: Timestamp, zone: &TimeZone) -> Self {
        let date = zone.to_datetime(time).date();
        Self {
            date,
            span: day_span(date, zone),
            flagged: 0,
            covered_ms: 0,
            integral: 0.0,
            last: None,
        }
    }
}

/// Days of one quantity at one place on rain-fed land, from its readings in any order.
pub fn summarise(
    readings: &[TimedReading],
    quantity: &Quantity,
    number: QuantityNo,
    depth: Option<DepthMm>,
    zone: &TimeZone,
) -> Vec<DaySummary> {
    let mut sorted = readings.to_vec();
    sorted.sort_by_key(|reading| reading.time);
    let (land, companions) = (Land::default(), Companions::default());
    let extent = Extent::Whole;
    let context = Context { quantity, depth, land: &land, companions: &companions, extent };
    let mut flags = Vec::new();
    flags::flag(&sorted, &context, &mut flags);
    let mut builder = DayBuilder::new(number, depth, zone);
    for (reading, flags) in sorted.into_iter().zip(flags) {
        builder.push(TimedReading { flags, ..reading });
    }
    builder.finish()
}

fn statistics(values: &mut [f64]) -> Option<DayStatistics> {
    values.sort_unstable_by(f64::total_cmp);
    let (min, max) = (*values.first()?, *values.last()?);
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let [p10, p50, p90] = [0.1, 0.5, 0.9].map(|share| percentile(values, share));
    Some(DayStatistics { mean, min, max, p10, p50, p90 })
}

/// Linear between order statistics: the value at `share * (n - 1)`, counted from 0.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the number of values"
    )]
    let below = place.floor() as usize;
    let low = sorted[below];
    let high = sorted.get(below + 1).copied().unwrap_or(low);
    low + (high - low) * place.fract()
}
