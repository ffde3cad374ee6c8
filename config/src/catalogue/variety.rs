//! Cultivars of a crop.

use serde::Deserialize;

use crate::{
    id::{CropKey, VarietyKey},
    keyed::keyed,
    land::Disease,
    records::SoldAs,
    text::Text,
};

keyed! {
    /// Resistance as variety records grade it. From best to worst.
    pub enum Resistance ("resistance") {
        /// HR.
        HighlyResistant = "highly_resistant", "高抗", "highly resistant";
        /// R.
        Resistant = "resistant", "抗", "resistant";
        /// MR.
        ModeratelyResistant = "moderately_resistant", "中抗", "moderately resistant";
        /// MS.
        ModeratelySusceptible = "moderately_susceptible", "中感", "moderately susceptible";
        /// S.
        Susceptible = "susceptible", "感", "susceptible";
        /// HS.
        HighlySusceptible = "highly_susceptible", "高感", "highly susceptible";
        /// No figure was found, or sources contradict each other.
        Unknown = "unknown", "不详", "unknown";
    }
}

impl Resistance {
    /// Whether a plot where the disease was seen rules the variety out.
    pub const fn is_susceptible(self) -> bool {
        matches!(self, Self::Susceptible | Self::HighlySusceptible)
    }
}

/// A resistance with its source.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VarietyResistance {
    /// Against what.
    pub disease: Disease,
    /// How well.
    pub grade: Resistance,
    /// Where from; the variety's `source` where absent.
    #[serde(default)]
    pub source: Option<String>,
}

/// A mean yield of an official trial.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialYield {
    /// kg/ha as harvested.
    pub kg_ha: f64,
    /// Where and when, for example `national northern trial 2012`.
    pub trial: Text,
    /// The check it was compared with.
    #[serde(default)]
    pub check: Option<VarietyKey>,
    /// Percent over the check.
    #[serde(default)]
    pub over_check_percent: Option<f64>,
    /// Where from.
    pub source: String,
}

/// A registration or approval.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// Its number as printed.
    pub number: String,
    /// Of which year.
    #[serde(default)]
    pub year: Option<i16>,
    /// Region and season it holds for.
    #[serde(default)]
    pub region: Option<Text>,
}

/// A variety of `varieties/*.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variety {
    /// Pinyin of the series as one word, then the number.
    pub key: VarietyKey,
    /// Its crop.
    pub crop: CropKey,
    /// The name that people read.
    pub name: Text,
    /// What it is grown for.
    pub uses: Vec<SoldAs>,
    /// The calendars of its crop in which it is grown; all where empty.
    #[serde(default)]
    pub calendars: Vec<String>,
    /// Share of fresh weight, percent.
    #[serde(default)]
    pub dry_matter_percent: Option<f64>,
    /// Share of fresh weight, percent.
    #[serde(default)]
    pub starch_percent_fresh: Option<f64>,
    /// Days on the field, least and most.
    #[serde(default)]
    pub days: Option<[u16; 2]>,
    /// Official numbers; empty is shown as "no registration number found".
    #[serde(default)]
    pub registrations: Vec<Registration>,
    /// Resistances; a disease that is not named is unknown.
    #[serde(default)]
    pub resistances: Vec<VarietyResistance>,
    /// Official trials.
    #[serde(default)]
    pub trials: Vec<TrialYield>,
    /// What a grower should know.
    #[serde(default)]
    pub note: Option<Text>,
    /// Where the record comes from.
    pub source: String,
}

impl Variety {
    /// The grade against `disease`; unknown where the record says nothing.
    pub fn resistance(&self, disease: Disease) -> Resistance {
        self.resistances
            .iter()
            .find(|known| known.disease == disease)
            .map_or(Resistance::Unknown, |known| known.grade)
    }
}
