//! A plot's features over a window: what the land is, by its own readings and samples.

use std::collections::BTreeMap;

use jiff::civil::Date;
use plotwise_config::{
    catalogue::Catalogue,
    land::{Drainage, Water},
    records::Climate,
    text::Text,
};

use crate::{
    advice::SiteValue,
    dossier::Dossier,
    pollution::{Pollution, PollutionClass},
};

/// What a figure rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureBasis {
    /// Readings of the quantity itself.
    Readings,
    /// A laboratory's samples.
    Samples,
    /// Readings of another quantity, converted.
    Converted,
}

/// One number of a profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// In `unit`.
    pub value: f64,
    /// UCUM; empty for shares.
    pub unit: &'static str,
    /// Last day it rests on.
    pub as_of: Date,
    /// Share of the window's days with data, 0-1; 1 for samples, which have no days.
    pub coverage: f64,
    /// What it rests on.
    pub basis: FigureBasis,
}

/// How a drainage class is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WetnessBasis {
    /// Waterlogged spells of its own record.
    Measured,
    /// What people said.
    Stated,
}

/// How fast surplus water leaves, as said and as measured outside flooded spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wetness {
    /// The class that counts: the worse of the two below; `None` where neither is known.
    pub drainage: Option<Drainage>,
    /// Which of the two decided.
    pub basis: Option<WetnessBasis>,
    /// As people said.
    pub stated: Option<Drainage>,
    /// As measured.
    pub measured: Option<Drainage>,
}

impl Wetness {
    /// Whether both are known and differ: shown to the reader.
    pub fn is_contradiction(&self) -> bool {
        matches!((self.stated, self.measured), (Some(stated), Some(measured)) if stated != measured)
    }
}

/// Something that is too thin to advise on, or merely missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Quantity key, or `soil_texture`, `drainage` and the like.
    pub quantity: &'static str,
    /// Why it should be measured.
    pub why: Text,
    /// Whether nothing can be ranked without it.
    pub is_blocking: bool,
}

/// A plot's features over a window.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteProfile {
    /// First and last day, both included.
    pub window: (Date, Date),
    /// m³/m³.
    pub soil_moisture_mean: Option<Figure>,
    /// m³/m³.
    pub soil_moisture_p10: Option<Figure>,
    /// m³/m³.
    pub soil_moisture_p90: Option<Figure>,
    /// Days among `days_judged`.
    pub days_too_dry: Option<Figure>,
    /// Days among `days_judged`.
    pub days_too_wet: Option<Figure>,
    /// Days with moisture outside flooded spans.
    pub days_judged: u32,
    /// Longest run of days with too little air in the soil, outside flooded spans.
    pub longest_wet_spell: Option<Figure>,
    /// Median pH in water.
    pub soil_ph_median: Option<Figure>,
    /// mol m⁻² d⁻¹.
    pub daily_light_integral: Option<Figure>,
    /// °C.
    pub soil_temperature_mean: Option<Figure>,
    /// Bulk EC, dS/m: says nothing about ECe.
    pub soil_ec_p90: Option<Figure>,
    /// ECe or pore-water EC from samples, dS/m.
    pub ece_ds_m: Option<Figure>,
    /// By samples.
    pub pollution: Pollution,
    /// Drainage class.
    pub wetness: Wetness,
    /// The water regime now.
    pub current_water: Option<Water>,
    /// Share of the window's days with soil moisture, 0-1.
    pub coverage: f64,
    /// Share of the window's readings that a flag excludes, 0-1.
    pub flagged_share: f64,
}

/// The features of one plot over the dossier's window.
pub fn site_profile(catalogue: &Catalogue, dossier: &Dossier, climate: &Climate) -> SiteProfile {
    let _ = (catalogue, climate);
    SiteProfile {
        window: dossier.window,
        soil_moisture_mean: None,
        soil_moisture_p10: None,
        soil_moisture_p90: None,
        days_too_dry: None,
        days_too_wet: None,
        days_judged: 0,
        longest_wet_spell: None,
        soil_ph_median: None,
        daily_light_integral: None,
        soil_temperature_mean: None,
        soil_ec_p90: None,
        ece_ds_m: None,
        pollution: Pollution {
            class: PollutionClass::Unknown,
            worst: None,
            judged: Vec::new(),
            nemerow: None,
            missing: Vec::new(),
        },
        wetness: Wetness::default(),
        current_water: None,
        coverage: 0.0,
        flagged_share: 0.0,
    }
}

impl SiteProfile {
    /// The profile under the keys of the API.
    pub fn to_site(&self) -> BTreeMap<String, SiteValue> {
        BTreeMap::new()
    }

    /// What is too thin or missing, most pressing first.
    pub fn gaps(&self) -> Vec<Gap> {
        Vec::new()
    }
}
