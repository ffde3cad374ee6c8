//! The agronomic catalogue: quantities, crops, varieties, limits and rules.
//!
//! Shipped as TOML in `config/data/` and compiled in; a user's own folders add to every table or
//! replace an entry by its key. Each figure carries its source. [`Catalogue::load`] checks every
//! cross-reference and every range and names file and line of a mistake.

pub mod crop;
pub mod food;
pub mod quantity;
pub mod rule;
pub mod soil;
pub mod variety;

use crate::reading::QuantityNo;
use crop::Crop;
use food::FoodStandard;
use quantity::Quantity;
use rule::RuleFile;
use soil::{SoilStandard, TextureWater};
use variety::Variety;

/// Everything that is known beforehand, checked.
#[derive(Clone, Debug)]
pub struct Catalogue {
    quantities: Vec<Quantity>,
    crops: Vec<Crop>,
    varieties: Vec<Variety>,
    soil: SoilStandard,
    textures: Vec<TextureWater>,
    food: FoodStandard,
    rules: Vec<RuleFile>,
}

impl Catalogue {
    /// Every quantity, in the order of its number.
    pub fn quantities(&self) -> &[Quantity] {
        &self.quantities
    }

    /// The quantity of a number that this catalogue gave out.
    pub fn quantity(&self, number: QuantityNo) -> &Quantity {
        &self.quantities[usize::from(number.0)]
    }

    /// The number of the quantity with this key.
    pub fn quantity_no(&self, key: &str) -> Option<QuantityNo> {
        let place = self.quantities.iter().position(|quantity| quantity.key == key)?;
        u16::try_from(place).ok().map(QuantityNo)
    }

    /// Every crop.
    pub fn crops(&self) -> &[Crop] {
        &self.crops
    }

    /// The crop with this key.
    pub fn crop(&self, key: &str) -> Option<&Crop> {
        self.crops.iter().find(|crop| crop.key.as_str() == key)
    }

    /// Every variety.
    pub fn varieties(&self) -> &[Variety] {
        &self.varieties
    }

    /// The variety with this key.
    pub fn variety(&self, key: &str) -> Option<&Variety> {
        self.varieties.iter().find(|variety| variety.key.as_str() == key)
    }

    /// The varieties of a crop.
    pub fn varieties_of<'a>(&'a self, crop: &'a str) -> impl Iterator<Item = &'a Variety> {
        self.varieties.iter().filter(move |variety| variety.crop.as_str() == crop)
    }

    /// The soil standard that samples are classed by.
    pub fn soil_standard(&self) -> &SoilStandard {
        &self.soil
    }

    /// Water that each texture holds.
    pub fn textures(&self) -> &[TextureWater] {
        &self.textures
    }

    /// The food standard that produce is held against.
    pub fn food_standard(&self) -> &FoodStandard {
        &self.food
    }

    /// The rule files, in the order they were loaded.
    pub fn rule_files(&self) -> &[RuleFile] {
        &self.rules
    }
}
