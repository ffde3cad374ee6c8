//! Quality flags that follow from values: a pure function of a series, the land it was measured on, and
//! a fixed look-back and look-ahead.
//!
//! | code | of | what it says |
//! |---|---|---|
//! | `C01`, `C02` | any quantity | outside its hard range; soil moisture above 0.60 m³/m³ |
//! | `C03` | soil moisture | above the soil's saturation, where that is known |
//! | `D01`, `D02` | soil moisture | the soil, the air was below 0 °C |
//! | `D04` | soil moisture above 0.1 m | rose without rain |
//! | `D06` | soil moisture | a spike |
//! | `D07`, `D08` | soil moisture | a break down, up |
//! | `D09` | soil moisture | low constant values after a break down |
//! | `D10` | soil moisture | a plateau near the highest values |
//! | `S` | most quantities | stuck: the same value for too long; ours |
//!
//! `C` and `D` are those of the International Soil Moisture Network (ISMN). `D03` and `D05` need a weather
//! model and are left out; good (`G`) is to have no flag. `X` and `T` are known on arrival: they pass
//! through, and a value with a fault code (`X`) is no part of any series.
//!
//! # Cadence and gaps
//!
//! The ISMN's own code counts rows and takes a row for an hour. Here windows are hours: every reading is
//! judged on the comb of those that lie whole hours before and after it, so an hourly series
//! gets the ISMN's flags, and a finer one gets them for the same events. Where a reading is missing no
//! window that needs it judges: a gap is not bridged.
//!
//! # Water
//!
//! Irrigation is a rise without rain, and full soil under water is no fault: on irrigated and flooded
//! land `D04`, `D10` and soil moisture's border of `C02` stand back (above its hard range it stays
//! flagged), on flooded land also its `S`. The regime is that of the moment ([`Land`]).
//!
//! # Where it differs from the ISMN's code, on purpose
//!
//! - A row without a value is no reading and has no flags. The ISMN's code drops it, and then takes the
//!   rows around it for neighbours in `D09` and `D10`; here both end at a gap. (Its other checks give
//!   way to a missing value there as here.)
//! - The ISMN's code never gives `D09` to the first twelve rows of a series, an artefact of its window;
//!   here they may have it.
//! - `D10` looks for the rows whose slope *is* the rounded rise or drop; here within 0.0005. It also
//!   takes all rows that are in no level run for one run; here they are none.
//! - Soil moisture comes in m³/m³ and is judged in percent, rounded to nine decimals; a tie that noise
//!   decides there may fall the other way here (2 of 100,000 rows of `tests/bench/flags.sh`).
//! - In a part of a series ([`Extent::Piece`]), as the store reads it, `D09` and `D10` follow a plateau for
//!   [`PLATEAU_MAX`]: soil that stays full for longer is wet, which advice must see, and a value
//!   that does not change at all is stuck. The highest value, which the ISMN takes from two years, is
//!   that of the day and the 30 days before, and at least the saturation of the plot's texture.
//!   A file ([`Extent::Whole`]) is judged as the ISMN's code does.
//!
//! # What it leaves out
//!
//! The soft range of a quantity gives no flag. Nothing is compared between sensors or with a climate.
//!
//! # Invariants
//!
//! No clock, no store, no randomness. The flags of a reading depend on the series from [`LOOK_BACK`]
//! before to [`LOOK_AHEAD`] after it, and on the daily maxima of [`HIGHEST_LOOK_BACK`]; day summaries
//! rely on that, and on the version of the rules that `days` counts. Time is linear in the readings.
//!
//! # Source
//!
//! Dorigo et al. 2013, Global automated quality control of in situ soil moisture data from the
//! International Soil Moisture Network, Vadose Zone Journal 12(3), doi:10.2136/vzj2012.0097, with the
//! thresholds of flagit 0.3 (TU Wien, MIT).

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

pub use self::{
    companions::{Candidate, Companions, Roles},
    highest::DayPeaks,
    land::Land,
    range::Range,
};
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
const SOIL_MOISTURE: &str = "soil_moisture";

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
