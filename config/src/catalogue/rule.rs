//! What may be planted where: rules with their citations.

use serde::Deserialize;

use crate::{
    catalogue::crop::CropClass,
    id::CropKey,
    keyed::keyed,
    land::{LandType, Measure, Protection, SoilClass},
    text::Text,
};

keyed! {
    /// What a rule does when it applies. Few rules are hard bans in law, most are priorities.
    pub enum Effect ("effect") {
        /// Rules the crop out.
        Deny = "deny", "禁止", "deny";
        /// Shown with the advice.
        Warn = "warn", "提示", "warn";
        /// Lifts a warning of the same topic.
        Allow = "allow", "允许", "allow";
    }
}

keyed! {
    /// What a rule speaks of; the `rule` of a ruled-out line.
    pub enum RuleTopic ("rule topic") {
        /// Land type.
        LandType = "land_type", "地类", "land type";
        /// Protection category.
        Protection = "protection", "耕地保护", "protection";
        /// Official soil class.
        SoilClass = "soil_class", "土壤类别", "soil class";
        /// Ordered measure.
        Measure = "measure", "管控措施", "measure";
        /// Pollution by samples.
        Pollution = "pollution", "土壤污染", "pollution";
        /// Soil-borne disease.
        Disease = "disease", "土传病害", "disease";
        /// Rotation and turnaround.
        Rotation = "rotation", "轮作", "rotation";
        /// Land suitability.
        Suitability = "suitability", "适宜性", "suitability";
        /// Season.
        Season = "season", "茬口", "season";
    }
}

/// When a rule applies: every list that is not empty must hold the plot's or the crop's value.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Land types.
    #[serde(default)]
    pub land_type: Vec<LandType>,
    /// Protection categories; one of the plot's is enough.
    #[serde(default)]
    pub protection: Vec<Protection>,
    /// Official soil classes.
    #[serde(default)]
    pub soil_class: Vec<SoilClass>,
    /// Measures in force.
    #[serde(default)]
    pub measure: Vec<Measure>,
    /// Measures that must not be in force.
    #[serde(default)]
    pub without_measure: Vec<Measure>,
    /// What the law counts the crop as.
    #[serde(default)]
    pub crop_class: Vec<CropClass>,
    /// Classes that are exempt.
    #[serde(default)]
    pub not_crop_class: Vec<CropClass>,
    /// Crops by key.
    #[serde(default)]
    pub crop: Vec<CropKey>,
    /// Crops that are exempt.
    #[serde(default)]
    pub not_crop: Vec<CropKey>,
    /// Rice, or everything but rice.
    #[serde(default)]
    pub is_rice: Option<bool>,
    /// Whether a part of it is eaten.
    #[serde(default)]
    pub edible: Option<bool>,
    /// Whether rice stood on the plot in the twelve months before planting, as with rape after rice.
    #[serde(default)]
    pub after_rice: Option<bool>,
}

/// A rule of `rules/*.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its key.
    pub key: String,
    /// What it does.
    pub effect: Effect,
    /// What it speaks of.
    pub topic: RuleTopic,
    /// When it applies.
    #[serde(default)]
    pub when: Condition,
    /// What people read: the reason in one sentence.
    pub text: Text,
    /// What would change it, where something would.
    #[serde(default)]
    pub would_change: Option<Text>,
    /// Statute, article, date; or `Plotwise` for advice of ours.
    pub source: String,
    /// Whether it is our own caution rather than law.
    #[serde(default)]
    pub is_ours: bool,
}

/// A rule file: one a place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// For which place, in words.
    pub place: Text,
    /// When its law was last checked, `YYYY-MM-DD`; pages show it.
    pub checked_on: String,
    /// Its rules.
    #[serde(rename = "rule")]
    pub rules: Vec<Rule>,
}
