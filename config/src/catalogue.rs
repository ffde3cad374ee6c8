//! The agronomic catalogue: quantities, crops, varieties, limits and rules, and device profiles.
//!
//! Shipped as TOML in `config/data/` and compiled in; a user's own folders add to every table or
//! replace an entry by its key. Each figure carries its source. [`Catalogue::load`] checks every
//! cross-reference and every range and names file and line of a mistake.

pub mod crop;
pub mod food;
pub mod profile;
pub mod quantity;
pub mod rule;
pub mod soil;
pub mod variety;

mod check;
mod entry;
mod error;
mod load;
mod unit;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use crate::{closest::closest, reading::QuantityNo};
pub use error::{CatalogueError, Mistake};
pub use unit::ConvertError;

use crop::Crop;
use food::FoodStandard;
use profile::{NATIVE, Profile, UnknownProfile};
use quantity::Quantity;
use rule::RuleFile;
use soil::{SoilStandard, TextureWater};
use variety::Variety;

use self::{entry::Entry, load::Draft};

/// Name and text of each shipped file, listed by `build.rs`.
const SHIPPED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

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
    profiles: Vec<Profile>,
    quantity_places: HashMap<String, u16>,
    crop_places: HashMap<String, usize>,
    variety_places: HashMap<String, usize>,
    profile_places: HashMap<String, usize>,
}

impl Catalogue {
    /// The catalogue as it is shipped.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] if a shipped file has a mistake; a test of this crate excludes that.
    pub fn shipped() -> Result<Self, CatalogueError> {
        Self::load(&[])
    }

    /// The shipped catalogue with a user's folders: every `*.toml` in them, any of the tables. What
    /// a later folder says of a key replaces what was known of it.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] with every mistake of every file, each with file and line.
    pub fn load(folders: &[PathBuf]) -> Result<Self, CatalogueError> {
        Self::build(Draft::of(folders))
    }

    /// The same with one more file on top of the folders, to try it before it is put there; and the
    /// keys of the device profiles in it.
    ///
    /// # Errors
    ///
    /// As [`Catalogue::load`].
    pub fn load_with(
        folders: &[PathBuf],
        file: &Path,
    ) -> Result<(Self, Vec<String>), CatalogueError> {
        let mut draft = Draft::of(folders);
        let layer = folders.len() + 1;
        draft.read_file(layer, file);
        let of_file = draft.profiles.iter().filter(|entry| entry.at.layer == layer);
        let keys = of_file.map(|entry| entry.value.key.clone()).collect();
        Ok((Self::build(draft)?, keys))
    }
    /// A catalogue from texts alone, without the shipped files: for tests that want a small one.
    ///
    /// Each is the name of a file, for messages, and its text.
    ///
    /// # Errors
    ///
    /// As [`Catalogue::load`].
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, CatalogueError> {
        let mut draft = Draft::default();
        for (file, text) in files {
            draft.read(0, file, text);
        }
        Self::build(draft)
    }

    fn build(mut draft: Draft) -> Result<Self, CatalogueError> {
        let mut mistakes = std::mem::take(&mut draft.mistakes);
        mistakes.extend(check::check(&draft));
        for (table, is_there) in
            [("soil_standard", draft.soil.is_some()), ("food_standard", draft.food.is_some())]
        {
            if !is_there && !draft.lacks_file && !draft.broken.contains(table) {
                mistakes.push(Mistake {
                    file: "the catalogue".to_owned(),
                    line: None,
                    key: table.to_owned(),
                    what: format!("found none, wanted one table [{table}]"),
                });
            }
        }
        let (Some(soil), Some(food), true) = (draft.soil, draft.food, mistakes.is_empty()) else {
            return Err(CatalogueError { mistakes });
        };

        let quantities: Vec<Quantity> = values(draft.quantities);
        let crops: Vec<Crop> = values(draft.crops);
        let varieties: Vec<Variety> = values(draft.varieties);
        let profiles: Vec<Profile> = values(draft.profiles);
        let rules = draft.rule_files.into_iter().map(|file| RuleFile {
            place: file.head.value.place,
            checked_on: file.head.value.checked_on,
            rules: values(file.rules),
        });
        Ok(Self {
            quantity_places: (0..)
                .zip(&quantities)
                .map(|(place, quantity)| (quantity.key.clone(), place))
                .collect(),
            crop_places: places(crops.iter().map(|crop| crop.key.as_str())),
            variety_places: places(varieties.iter().map(|variety| variety.key.as_str())),
            profile_places: places(profiles.iter().map(|profile| profile.key.as_str())),
            quantities,
            crops,
            varieties,
            soil: soil.value,
            textures: values(draft.textures),
            food: food.value,
            rules: rules.collect(),
            profiles,
        })
    }

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
        self.quantity_places.get(key).copied().map(QuantityNo)
    }

    /// `value` in the canonical unit of a quantity; `unit` is that unit or any accepted spelling.
    ///
    /// # Errors
    ///
    /// [`ConvertError::UnknownUnit`], and [`ConvertError::NotFinite`] for NaN and infinities.
    pub fn convert(
        &self,
        quantity: QuantityNo,
        value: f64,
        unit: &str,
    ) -> Result<f64, ConvertError> {
        self.quantity(quantity).convert(value, unit)
    }

    /// The key of the quantity that a mistyped one is nearest to: "did you mean".
    pub fn closest_quantity(&self, key: &str) -> Option<&str> {
        closest(key, self.quantities.iter().map(|quantity| quantity.key.as_str()))
    }

    /// Every crop.
    pub fn crops(&self) -> &[Crop] {
        &self.crops
    }

    /// The crop with this key.
    pub fn crop(&self, key: &str) -> Option<&Crop> {
        self.crop_places.get(key).map(|place| &self.crops[*place])
    }

    /// Every variety.
    pub fn varieties(&self) -> &[Variety] {
        &self.varieties
    }

    /// The variety with this key.
    pub fn variety(&self, key: &str) -> Option<&Variety> {
        self.variety_places.get(key).map(|place| &self.varieties[*place])
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

    /// Every device profile but `native`, which needs none.
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// The device profile with this key; `None` for `native`.
    pub fn profile(&self, key: &str) -> Option<&Profile> {
        self.profile_places.get(key).map(|place| &self.profiles[*place])
    }

    /// Whether a device may name this profile.
    ///
    /// # Errors
    ///
    /// [`UnknownProfile`] with the nearest one, by key or by model.
    pub fn check_profile(&self, key: &str) -> Result<(), UnknownProfile> {
        if key == NATIVE || self.profile_places.contains_key(key) {
            return Ok(());
        }
        Err(profile::unknown(key, &self.profiles))
    }

    /// The rule files, in the order they were loaded.
    pub fn rule_files(&self) -> &[RuleFile] {
        &self.rules
    }
}

fn values<T>(entries: Vec<Entry<T>>) -> Vec<T> {
    entries.into_iter().map(|entry| entry.value).collect()
}

fn places<'a>(keys: impl Iterator<Item = &'a str>) -> HashMap<String, usize> {
    keys.enumerate().map(|(place, key)| (key.to_owned(), place)).collect()
}

#[cfg(test)]
mod tests;
