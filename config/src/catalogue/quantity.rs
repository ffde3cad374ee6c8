//! What can be measured, in which unit, within which range.

use serde::Deserialize;

use crate::text::Text;

/// A quantity of `quantities.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantity {
    /// Its key in messages and files, for example `soil_moisture`.
    pub key: String,
    /// The name that people read.
    pub name: Text,
    /// Canonical unit, UCUM (`m3/m3`, `[pH]`, `Cel`).
    pub unit: String,
    /// The unit as people write it (`m³/m³`, `pH`, `°C`); empty for a plain share.
    #[serde(default)]
    pub unit_shown: String,
    /// Outside these a value is physically impossible.
    pub hard: [f64; 2],
    /// Outside these a value is rare: shown in charts, gives no flag.
    #[serde(default)]
    pub soft: Option<[f64; 2]>,
    /// Border of the range check `C02`, where it is lower than the hard range's (ISMN: 0.60 for soil
    /// moisture).
    #[serde(default)]
    pub flag_above: Option<f64>,
    /// When a value that does not change is a fault; `None` where it may rest for good.
    #[serde(default)]
    pub stuck: Option<Stuck>,
    /// Whether it is measured at a depth in the soil.
    #[serde(default)]
    pub in_soil: bool,
    /// Whether it comes from a laboratory's sample; a sensor's reading can only ask for one.
    #[serde(default)]
    pub from_sample: bool,
    /// Decimals that are worth showing.
    pub decimals: u8,
    /// Where the ranges come from.
    pub source: String,
    /// Other units that are accepted and how they convert.
    #[serde(default)]
    pub accepts: Vec<UnitConversion>,
}

/// When a value that does not change is a fault (flag `S`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stuck {
    /// From so many hours on, at most [`STUCK_HOURS_MAX`].
    pub hours: f64,
    /// Values that may rest all the same, both borders included: rain at 0.
    #[serde(default)]
    pub may_rest: Vec<[f64; 2]>,
    /// Only to this depth in the soil, metres; deeper it may rest.
    #[serde(default)]
    pub to_depth_m: Option<f64>,
}

/// The most that [`Stuck::hours`] may be: a series is read with so much of it before and after.
pub const STUCK_HOURS_MAX: f64 = 48.0;

/// `canonical = value * scale + offset`, or its absolute value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitConversion {
    /// The unit as it may be written; several spellings.
    pub units: Vec<String>,
    /// Factor.
    pub scale: f64,
    /// Added after the factor.
    #[serde(default)]
    pub offset: f64,
    /// Whether the sign is dropped: some probes give suction as a negative pressure.
    #[serde(default)]
    pub absolute: bool,
    /// A value and what it must become; checked at load.
    pub example: [f64; 2],
}
