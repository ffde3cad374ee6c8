//! Limits of contaminants in food.

use serde::Deserialize;

use crate::text::Text;

/// A food standard of `food-*.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoodStandard {
    /// Its number, for example `GB 2762-2025`.
    pub number: String,
    /// Its title.
    pub title: Text,
    /// Day it came into force, `YYYY-MM-DD`.
    pub in_force: String,
    /// Groups of food.
    pub foods: Vec<Food>,
    /// Where from.
    pub source: String,
}

/// A group of food and its limits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Food {
    /// Key that crops refer to, for example `tubers`.
    pub key: String,
    /// The name that people read.
    pub name: Text,
    /// Limits; a quantity that is not named has none in the standard.
    pub limits: Vec<FoodLimit>,
}

/// The most that may be in a food.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoodLimit {
    /// Quantity key.
    pub quantity: String,
    /// mg/kg of the edible part as sold.
    pub mg_kg: f64,
    /// What exactly is limited, where it is not the total (`inorganic`).
    #[serde(default)]
    pub form: Option<String>,
    /// Table of the standard.
    pub table: String,
}
