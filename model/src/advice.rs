//! The ranked varieties of a plot, each with reasons, and those ruled out, each with the rule.
//!
//! The types of this module are the `Advice` of the API, field by field.

use std::collections::BTreeMap;

use plotwise_config::{
    catalogue::{crop::Factor, rule::RuleTopic},
    land::{Disease, Drainage, LandType, Measure, Protection, SoilClass, Water},
    records::SoldAs,
    text::Text,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether the plot could be ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Crops are ranked.
    Ranked,
    /// Too little is known: `measure_first` says what is missing.
    MeasureFirst,
    /// Rules and limits leave nothing.
    NothingAllowed,
}

/// FAO class of a crop on a plot: the class of its worst factor.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
pub enum Suitability {
    /// Highly suitable.
    S1,
    /// Moderately suitable.
    S2,
    /// Marginally suitable.
    S3,
    /// Not suitable.
    N,
}

/// What a ranked line rests on, weakest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Harvests of the cooperative's own plots.
    LocalOutcomes,
    /// Varieties side by side on its plots, drawn by lot.
    Strips,
    /// Official trials elsewhere.
    Trials,
    /// The catalogue's requirements alone.
    Envelope,
}

/// Advice for one plot at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Advice {
    /// The plot.
    pub plot: String,
    /// Its cooperative.
    pub cooperative: String,
    /// RFC 3339, UTC.
    pub made_at: String,
    /// Whether it rests on made-up readings.
    pub simulated: bool,
    /// Whether the plot could be ranked.
    pub status: Status,
    /// What estimated the yields.
    pub model: ModelReference,
    /// What the land is.
    pub land: Land,
    /// Site profile: key to value.
    pub site: BTreeMap<String, SiteValue>,
    /// What should be measured, first thing first; not empty too where a sample is merely missing.
    pub measure_first: Vec<MeasureFirst>,
    /// Ranked lines, best first.
    pub ranked: Vec<RankedLine>,
    /// What rules, limits or the land exclude.
    pub ruled_out: Vec<RuledOut>,
}

/// The model behind the yields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelReference {
    /// Its id; `local-means` for plain averages of outcomes.
    pub id: String,
    /// When it was trained; absent for averages, which are made on the spot.
    pub trained_at: Option<String>,
}

/// What the land is, as told by people and offices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Land {
    /// As surveyed.
    pub land_type: LandType,
    /// What the law wants first there.
    pub protection: Vec<Protection>,
    /// Official class.
    pub soil_class: Option<SoilClass>,
    /// Measure in force.
    pub measure: Option<Measure>,
    /// Water regime.
    pub water: Option<Water>,
    /// Drainage.
    pub drainage: Option<Drainage>,
    /// Soil-borne diseases seen.
    pub disease: Vec<Disease>,
}

/// A value of the site profile: a number with its unit, or a word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SiteValue {
    /// The number; absent for words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<f64>,
    /// The word, for example a pollution class.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub word: Option<String>,
    /// UCUM unit; empty for words and shares.
    pub unit: String,
    /// Last day it rests on, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub as_of: Option<String>,
}

/// Something to measure before, or to make sure of, the advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MeasureFirst {
    /// Quantity key, or `soil_texture`, `drainage` and the like.
    pub quantity: String,
    /// Why.
    pub why: Text,
}

/// One variety, or one crop without varieties.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RankedLine {
    /// 1 is best; ties share no rank, `tied_with` says them.
    pub rank: u32,
    /// Crop key.
    pub crop: String,
    /// Variety key; absent where the catalogue has no variety of the crop.
    pub variety: Option<String>,
    /// Name of the variety, else of the crop.
    pub name: Text,
    /// Name of the crop.
    pub crop_name: Text,
    /// Class of the worst factor.
    pub suitability: Suitability,
    /// That factor; absent where every factor is S1.
    pub limiting_factor: Option<Factor>,
    /// When to plant.
    pub planting: Option<PlantingWindow>,
    /// `MM-DD` by which seed or seedlings are to be ordered.
    pub order_by: Option<String>,
    /// Expected yield with its interval; absent where nothing supports a number.
    pub yield_kg_ha: Option<YieldInterval>,
    /// Varieties of the same crop that the data cannot tell from this one.
    pub tied_with: Vec<String>,
    /// Chance that this variety yields more than another of the crop.
    pub p_better: BTreeMap<String, f64>,
    /// Margin, where the cooperative has set prices.
    pub margin: Option<Margin>,
    /// The strongest evidence behind the expected yield.
    pub evidence: Evidence,
    /// How much of it there is.
    pub basis: Basis,
    /// Distance of the site from those the model has seen, 0-1; absent for plain averages.
    pub novelty: Option<f64>,
    /// What speaks for and against.
    pub reasons: Vec<Reason>,
    /// Rules that do not forbid but must be said.
    pub warnings: Vec<Warning>,
    /// What has to be done for the line to hold.
    pub conditions: Vec<Condition>,
    /// What would change the line, run through all steps again.
    pub would_change: Vec<Change>,
}

/// First and last day of planting, `MM-DD`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlantingWindow {
    /// First.
    pub from: String,
    /// Last.
    pub to: String,
}

/// Expected yield and the interval that holds in `level` of seasons like those on record.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct YieldInterval {
    /// kg/ha.
    pub expected: f64,
    /// kg/ha.
    pub low: f64,
    /// kg/ha.
    pub high: f64,
    /// Nominal, for example 0.8.
    pub level: f64,
    /// Whether the interval was calibrated on left-out environments.
    pub calibrated: bool,
}

/// Price times expected yield, less cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Margin {
    /// Per mu.
    pub per_mu: f64,
    /// Per hectare.
    pub per_ha: f64,
    /// ISO 4217.
    pub currency: String,
    /// As what it is sold.
    pub sold_as: SoldAs,
}

/// How much evidence there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Basis {
    /// Harvests of this variety.
    pub harvests: u32,
    /// Households behind them.
    pub households: u32,
    /// Environments (village x season) behind them.
    pub environments: u32,
}

/// Whether a reason speaks for or against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Speaks {
    /// For.
    For,
    /// Against.
    Against,
}

/// One reason, computed from the plot's own figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// For or against.
    pub speaks: Speaks,
    /// Factor, or `margin`, `resistance`, `harvests` and the like.
    pub factor: String,
    /// In words, with the figure.
    pub text: Text,
}

/// A rule that does not forbid but must be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// What the rule speaks of.
    pub rule: RuleTopic,
    /// Statute or standard.
    pub source: String,
    /// In words.
    pub text: Text,
}

/// Something that has to be done for the line to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Condition {
    /// `test_before_sale`, `clean_seedlings`, `pollution_unknown`, ...
    pub code: String,
    /// In words.
    pub text: Text,
}

/// One change that would move the line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Factor.
    pub factor: String,
    /// As it is.
    pub from: String,
    /// As it would be.
    pub to: String,
    /// What all steps then give.
    pub effect: Text,
}

/// A crop, or one variety of it, that is excluded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuledOut {
    /// Crop key.
    pub crop: String,
    /// Variety key, where the variety alone is excluded.
    pub variety: Option<String>,
    /// Name of the variety, else of the crop.
    pub name: Text,
    /// What the rule speaks of.
    pub rule: RuleTopic,
    /// Statute, standard or table.
    pub source: String,
    /// In words, with the figure.
    pub text: Text,
    /// What would let it in.
    pub would_change: Vec<Change>,
}
