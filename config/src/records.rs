//! Facts as values: what people told Plotwise about land, crops, harvests and devices.
//!
//! The ingest crate keeps them in a database, the model reads them; both speak these types.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    id::{CooperativeId, CropKey, DeviceId, PlotId, VarietyKey},
    keyed::keyed,
    land::{
        Disease, Drainage, LandType, Measure, Place, Protection, Severity, SoilClass, SoilTexture,
        Water,
    },
    reading::{DepthMm, QuantityNo},
};

/// A tenant: owns plots, devices, outcomes.
#[derive(Clone, Debug, PartialEq)]
pub struct Cooperative {
    /// Its key.
    pub id: CooperativeId,
    /// As its members call it.
    pub name: String,
    /// Its days are of this zone, as an IANA name.
    pub timezone: String,
    /// Where its climate is taken for.
    pub place: Option<Place>,
    /// Made up: everything derived from it says so.
    pub simulated: bool,
}

impl Cooperative {
    /// The zone of its days.
    ///
    /// # Errors
    ///
    /// If the name is no IANA zone.
    pub fn zone(&self) -> Result<TimeZone, jiff::Error> {
        TimeZone::get(&self.timezone)
    }
}

/// A piece of land.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// Its key.
    pub id: PlotId,
    /// Its owner.
    pub cooperative: CooperativeId,
    /// As people call it.
    pub name: String,
    /// Rings of (longitude, latitude) in WGS 84, one list a polygon, the outer ring first; empty
    /// where only a point is known.
    pub polygons: Vec<Vec<Vec<[f64; 2]>>>,
    /// Its centre.
    pub centre: Place,
    /// Measured area in square metres.
    pub area_m2: f64,
    /// Area in the contract, mu; differs from the measured one on purpose.
    pub contract_area_mu: Option<f64>,
    /// As surveyed.
    pub land_type: LandType,
    /// What the law wants first there.
    pub protection: Vec<Protection>,
    /// As of when `protection` holds.
    pub protection_date: Option<Date>,
    /// The official class, never one of ours.
    pub soil_class: Option<Official<SoilClass>>,
    /// What was ordered or allowed.
    pub measure: Option<OrderedMeasure>,
    /// Village; with the season it makes the environment.
    pub village: Option<String>,
    /// Who works it.
    pub household: Option<String>,
    /// Topsoil.
    pub soil_texture: Option<SoilTexture>,
    /// How fast surplus water leaves.
    pub drainage: Option<Drainage>,
    /// What usually happens to its water.
    pub water: Option<Water>,
    /// Percent.
    pub slope_percent: Option<f64>,
    /// Rootable depth in cm.
    pub soil_depth_cm: Option<f64>,
    /// Codes of other registries: scheme to value; text, never parsed for place.
    pub codes: BTreeMap<String, String>,
}

/// A statement of an authority, with its paper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Official<T> {
    /// What was stated.
    pub value: T,
    /// Which paper states it.
    pub document: Option<String>,
    /// Of when.
    pub date: Option<Date>,
}

/// A measure with its paper and span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderedMeasure {
    /// What was ordered.
    pub measure: Measure,
    /// Which paper orders it.
    pub document: Option<String>,
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub to: Option<Date>,
}

/// One sensor node or gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Its key, user name and place in topics.
    pub id: DeviceId,
    /// Its owner.
    pub cooperative: CooperativeId,
    /// As people call it.
    pub name: Option<String>,
    /// The device profile that reads its payload; `native` needs none.
    pub profile: String,
    /// Whether it may publish for every device of its cooperative.
    pub is_gateway: bool,
}

/// Where a device stands from a moment on, until its next placement.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// Which device.
    pub device: DeviceId,
    /// On which plot; `None` while it stands in a shed.
    pub plot: Option<PlotId>,
    /// The probe's own depth.
    pub depth: Option<DepthMm>,
    /// First moment.
    pub from: Timestamp,
}

/// What stood on a plot in one span.
#[derive(Clone, Debug, PartialEq)]
pub struct Season {
    /// Where.
    pub plot: PlotId,
    /// First day; with the plot it names the season.
    pub start: Date,
    /// Last day; `None` while it stands.
    pub end: Option<Date>,
    /// What stood there.
    pub crop: CropKey,
    /// Which variety, where known.
    pub variety: Option<VarietyKey>,
    /// How water was managed.
    pub water: Option<Water>,
    /// Disease seen.
    pub disease: Option<(Disease, Option<Severity>)>,
    /// Who confirmed the disease.
    pub confirmed_by: Option<String>,
}

keyed! {
    /// How a season ended.
    pub enum OutcomeStatus ("status") {
        /// Brought in.
        Harvested = "harvested", "已收获", "harvested";
        /// Nothing worth harvesting: a yield near zero, and it belongs in.
        Failed = "failed", "绝收", "failed";
        /// Given up for another reason.
        Abandoned = "abandoned", "弃种", "abandoned";
    }
}

/// What was planted on a plot in a season and what it yielded.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Where.
    pub plot: PlotId,
    /// First day of the season.
    pub season_start: Date,
    /// Last day of the season.
    pub season_end: Date,
    /// What.
    pub crop: CropKey,
    /// Which variety.
    pub variety: VarietyKey,
    /// Fresh weight as harvested; 0 for a failure.
    pub yield_kg_ha: f64,
    /// Planting day.
    pub planted_on: Option<Date>,
    /// Harvest day.
    pub harvested_on: Option<Date>,
    /// Area it stood on, where it was not the whole plot.
    pub area_mu: Option<f64>,
    /// How the yield was measured (weighed, estimated, ...).
    pub method: Option<String>,
    /// Share that could be sold.
    pub marketable_percent: Option<f64>,
    /// Dry matter of the harvest.
    pub dry_matter_percent: Option<f64>,
    /// How it ended.
    pub status: OutcomeStatus,
    /// How water was managed.
    pub water: Option<Water>,
    /// Disease seen.
    pub disease: Option<Disease>,
    /// Why this variety (own choice, drawn by lot, ...).
    pub why_chosen: Option<String>,
    /// The strip trial it belongs to; varieties side by side share plot and season.
    pub strip: Option<String>,
    /// Free words.
    pub note: Option<String>,
}

keyed! {
    /// Which part of a plant was tested or is sold.
    pub enum Organ ("organ") {
        /// Grain or seed.
        Grain = "grain", "籽粒", "grain";
        /// Storage root, tuber, corm, bulb.
        Root = "root", "块根块茎", "root or tuber";
        /// Leaf and tender stem.
        Leaf = "leaf", "茎叶", "leaf";
        /// Fruit or pod.
        Fruit = "fruit", "果实", "fruit";
        /// Fibre.
        Fibre = "fibre", "纤维", "fibre";
        /// Whole plant, as for feed, turf or saplings.
        Plant = "plant", "全株", "whole plant";
    }
}

/// What was analysed.
#[derive(Clone, Debug, PartialEq)]
pub enum SampleKind {
    /// Soil from a depth.
    Soil {
        /// Day of sampling.
        sampled_on: Date,
        /// Depth in metres.
        depth_m: f64,
    },
    /// Produce of a season.
    Produce {
        /// First day of the season it grew in.
        season_start: Date,
        /// Part of the plant.
        organ: Organ,
    },
}

/// A laboratory's figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measured {
    /// A value in the quantity's canonical unit.
    Value(f64),
    /// Below this limit of detection, same unit.
    Below(f64),
}

/// One figure of a laboratory's analysis of a plot's soil or produce.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Where.
    pub plot: PlotId,
    /// Soil or produce.
    pub kind: SampleKind,
    /// What was measured.
    pub quantity: QuantityNo,
    /// The figure.
    pub measured: Measured,
    /// Who measured.
    pub laboratory: Option<String>,
    /// How.
    pub method: Option<String>,
}

keyed! {
    /// What a harvest is sold as.
    pub enum SoldAs ("sold_as") {
        /// Fresh, as harvested or after field drying.
        Fresh = "fresh", "鲜售", "fresh";
        /// Dried.
        Dried = "dried", "干制", "dried";
        /// Starch content decides the price; paid by fresh weight.
        Starch = "starch", "淀粉加工", "starch";
        /// Feed.
        Feed = "feed", "饲用", "feed";
        /// Seed.
        Seed = "seed", "种用", "seed";
    }
}

/// What a buyer pays, and what growing costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// Whose.
    pub cooperative: CooperativeId,
    /// For what.
    pub crop: CropKey,
    /// As what.
    pub sold_as: SoldAs,
    /// Per kg as delivered: fresh weight for `fresh`, `starch`, `feed`, `seed`; dry for `dried`.
    pub price_per_kg: f64,
    /// ISO 4217.
    pub currency: String,
    /// One variety alone.
    pub variety: Option<VarietyKey>,
    /// Who buys.
    pub buyer: Option<String>,
    /// The most that this buyer takes in a season, tonnes.
    pub max_t: Option<f64>,
    /// Cost of growing, without the household's own labour unless it was counted.
    pub cost_per_mu: Option<f64>,
    /// First day it holds.
    pub from: Option<Date>,
    /// Last day it holds.
    pub to: Option<Date>,
}

/// A day's weather at a cooperative's place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClimateDay {
    /// Local day.
    pub date: Date,
    /// °C.
    pub air_temperature_max: f64,
    /// °C.
    pub air_temperature_min: f64,
    /// mm.
    pub rain: f64,
    /// MJ m⁻² d⁻¹.
    pub daily_radiation: Option<f64>,
    /// Hours.
    pub sunshine: Option<f64>,
}

/// A month of a climate normal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClimateMonth {
    /// 1-12.
    pub month: i8,
    /// Mean of daily maxima, °C.
    pub air_temperature_max: f64,
    /// Mean of daily minima, °C.
    pub air_temperature_min: f64,
    /// mm in the month.
    pub rain: f64,
    /// MJ m⁻² d⁻¹.
    pub daily_radiation: Option<f64>,
    /// Hours a day.
    pub sunshine: Option<f64>,
}

/// Weather known for a place: the days, the normals, or both; either may be empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Climate {
    /// In order of date, at most one a date.
    pub days: Vec<ClimateDay>,
    /// In order of month; twelve or none.
    pub months: Vec<ClimateMonth>,
}
