//! Quality flags that follow from values: range, frost, rise without rain, spike, break, plateau, stuck.
//!
//! A pure function of a series, the land it was measured on and a fixed look-back and look-ahead.

mod breaks;
mod comb;
mod companions;
mod highest;
mod land;
mod moisture;
mod pace;
mod plateau;
mod range;
mod rise;
mod spike;
mod stuck;

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use plotwise_config::{
    catalogue::quantity::Quantity,
    reading::{DepthMm, Flags},
};

pub use self::{companions::Companions, highest::DayPeaks, land::Land, range::Range};
use pace::HOUR_MS;

/// Readings so much older can matter to a reading's flags (but for the highest soil moisture,
/// [`HIGHEST_LOOK_BACK`]).
pub const LOOK_BACK: SignedDuration = SignedDuration::from_hours(54);

/// Readings so much newer can matter to a reading's flags: until they are there its flags are
/// provisional.
pub const LOOK_AHEAD: SignedDuration = SignedDuration::from_hours(54);

/// Soil moisture so much older can matter to `D10`, by its daily maxima alone.
pub const HIGHEST_LOOK_BACK: SignedDuration = SignedDuration::from_hours(33 * 24);

/// A plateau (`D09`, `D10`) of more than this is not followed in a part of a series.
pub const PLATEAU_MAX: SignedDuration = SignedDuration::from_hours(34);

/// The key of the quantity that the shape checks are for.
pub(crate) const SOIL_MOISTURE: &str = "soil_moisture";

/// A value and when it was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedReading {
    /// When.
    pub time: Timestamp,
    /// In the quantity's canonical unit.
    pub value: f64,
    /// Those stored with it.
    pub flags: Flags,
}

/// What a series is judged by, besides its own values.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What is measured.
    pub quantity: &'a Quantity,
    /// How deep; `None` where nobody said, or above ground.
    pub depth: Option<DepthMm>,
    /// The land it is measured on.
    pub land: &'a Land,
    /// What was measured beside soil moisture; nothing for other quantities.
    pub companions: &'a Companions<'a>,
    /// Whether there is more of the series.
    pub extent: Extent<'a>,
}

/// Whether a series is all there is.
#[derive(Clone, Copy, Debug)]
pub enum Extent<'a> {
    /// All of it: plateaus may be of any length, and the highest soil moisture is that of the series.
    Whole,
    /// A part with its margins: plateaus end at [`PLATEAU_MAX`], and the highest soil moisture is that
    /// of these days. The flags of a reading are right where [`LOOK_BACK`] before and [`LOOK_AHEAD`]
    /// after it are there.
    Piece(&'a DayPeaks),
}

/// How far a plateau is followed.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    plateau_ms_max: Option<i64>,
}

impl Bounds {
    const fn of(extent: Extent<'_>) -> Self {
        match extent {
            Extent::Whole => Self { plateau_ms_max: None },
            Extent::Piece(_) => Self { plateau_ms_max: Some(PLATEAU_MAX.as_hours() * HOUR_MS) },
        }
    }
}

/// All flags of a series of one quantity at one place, stored and computed, in the order of the
/// readings. Readings come in order of time.
pub fn flag(readings: &[TimedReading], context: &Context<'_>, flags: &mut Vec<Flags>) {
    let Context { quantity, depth, land, .. } = *context;
    let is_moisture = quantity.key == SOIL_MOISTURE;
    let range = Range::of(quantity);
    flags.clear();
    flags.extend(readings.iter().map(|reading| {
        let flags = range.flag(reading.value, reading.flags);
        if is_moisture && flags != reading.flags && land.is_watered_at(reading.time) {
            return range.flag_under_water(reading.value, reading.flags);
        }
        flags
    }));
    stuck::flag(readings, quantity, depth, is_moisture.then_some(land), flags);
    if is_moisture {
        moisture::flag(readings, context, flags);
    }
}
