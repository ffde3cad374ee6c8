//! What a crop needs, when it stands, and what the law calls it.

use serde::Deserialize;

use crate::{
    id::CropKey,
    keyed::keyed,
    land::{Disease, Drainage, SoilTexture},
    records::{Organ, SoldAs},
    text::Text,
};

keyed! {
    /// What a crop counts as when planting rules are read.
    pub enum CropClass ("crop class") {
        /// Grain (粮): Food Security Law, art. 73; sweet potato and potato among them.
        Grain = "grain", "粮食", "grain";
        /// Oil crops (油).
        Oil = "oil", "油料", "oil crop";
        /// Cotton (棉).
        Cotton = "cotton", "棉花", "cotton";
        /// Sugar crops (糖).
        Sugar = "sugar", "糖料", "sugar crop";
        /// Vegetables (菜), melons grown in fields among them.
        Vegetable = "vegetable", "蔬菜瓜果", "vegetable";
        /// Forage, feed and green manure.
        Forage = "forage", "饲草绿肥", "forage or green manure";
        /// Fibre other than cotton, and other field crops.
        Industrial = "industrial", "其他经济作物", "other field crop";
        /// Fruit and other perennial woody crops (林果).
        Fruit = "fruit", "林果", "orchard or woody crop";
        /// Saplings for planting out (苗木).
        Sapling = "sapling", "苗木", "saplings";
        /// Turf (草皮).
        Turf = "turf", "草皮", "turf";
    }
}

keyed! {
    /// A factor of land that a crop's requirements speak of.
    pub enum Factor ("factor") {
        /// How fast surplus water leaves.
        Drainage = "drainage", "排水", "drainage";
        /// How long water stands.
        Flooding = "flooding", "淹水", "flooding";
        /// Reaction of the soil in water.
        SoilPh = "soil_ph", "土壤酸碱度", "soil pH";
        /// Texture class of the topsoil.
        SoilTexture = "soil_texture", "土壤质地", "soil texture";
        /// Mean air temperature of the growing cycle.
        Temperature = "temperature", "生长期气温", "temperature of the growing cycle";
        /// Salinity of the saturated paste.
        Salinity = "salinity", "土壤盐分", "salinity";
        /// Rootable depth.
        SoilDepth = "soil_depth", "土层厚度", "soil depth";
        /// Slope.
        Slope = "slope", "坡度", "slope";
        /// Whether the warm or frost-free season is long enough.
        CycleLength = "cycle_length", "生育期天数", "length of the growing cycle";
        /// Daily light.
        Light = "light", "光照", "light";
        /// Too dry too often.
        Drought = "drought", "干旱", "drought";
    }
}

/// Borders of the classes on one numeric factor.
///
/// `lower = [S3, S2, S1]` rises: below the first is N. `upper = [S1, S2, S3]` rises: above the last
/// is N. An absent side has no border.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Borders {
    /// Lower borders of S3, S2, S1.
    #[serde(default)]
    pub lower: Option<[f64; 3]>,
    /// Upper borders of S1, S2, S3.
    #[serde(default)]
    pub upper: Option<[f64; 3]>,
    /// Where they come from; the crop's `source` where absent.
    #[serde(default)]
    pub source: Option<String>,
}

/// Classes of words: each word stands in at most one; words in none are N.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordClasses<T> {
    /// Highly suitable.
    pub s1: Vec<T>,
    /// Moderately suitable.
    #[serde(default = "Vec::new")]
    pub s2: Vec<T>,
    /// Marginally suitable.
    #[serde(default = "Vec::new")]
    pub s3: Vec<T>,
    /// Where they come from; the crop's `source` where absent.
    #[serde(default)]
    pub source: Option<String>,
}

/// How a crop bears standing water.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaterHabit {
    /// Stands in water (paddy rice, lotus): wants `poor` drainage or flooding.
    Aquatic,
    /// Dry-land crop: waterlogging costs yield.
    Upland,
    /// Dry-land crop whose harvested part lies in the soil: waterlogging while it swells is a veto.
    UplandTuber,
}

/// S1/S2/S3 borders. An absent factor has no figure with a source and rates nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirements {
    /// Drainage classes.
    #[serde(default)]
    pub drainage: Option<WordClasses<Drainage>>,
    /// pH in water.
    #[serde(default)]
    pub soil_ph: Option<Borders>,
    /// Texture classes.
    #[serde(default)]
    pub soil_texture: Option<WordClasses<SoilTexture>>,
    /// Mean air temperature of the growing cycle, °C.
    #[serde(default)]
    pub temperature_c: Option<Borders>,
    /// Electrical conductivity of the saturated paste (`ECe`), dS/m; upper borders only.
    #[serde(default)]
    pub salinity_ds_m: Option<Borders>,
    /// Rootable depth, cm; lower borders only.
    #[serde(default)]
    pub soil_depth_cm: Option<Borders>,
    /// Slope, percent, work by hand; upper borders only.
    #[serde(default)]
    pub slope_percent: Option<Borders>,
    /// Days of the growing cycle that the season must offer; lower borders only.
    #[serde(default)]
    pub cycle_days: Option<Borders>,
}

/// A span in which a crop is planted and harvested.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Short name, for example `summer`.
    pub key: String,
    /// The name that people read (夏薯, summer crop).
    pub name: Text,
    /// First and last day of planting or transplanting, `MM-DD`.
    pub plant: [String; 2],
    /// First and last day of harvest, `MM-DD`; may lie in the next year.
    pub harvest: [String; 2],
    /// Shortest and longest time on the field, days.
    pub days: [u16; 2],
    /// Weeks before planting by which seed or seedlings are to be ordered.
    #[serde(default)]
    pub order_weeks: Option<u8>,
    /// Where from.
    pub source: String,
}

/// How long the same crop or family stays away.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Full years between two crops of the family on a plot.
    pub gap_years: u8,
    /// The same where one of the diseases below was seen.
    #[serde(default)]
    pub gap_years_after_disease: Option<u8>,
    /// Diseases that stay in the soil.
    #[serde(default)]
    pub diseases: Vec<Disease>,
    /// Where from.
    pub source: String,
}

/// A part of the crop that is used, and the food group whose limits hold for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CropUse {
    /// Which part.
    pub organ: Organ,
    /// What it is sold as.
    pub sold_as: Vec<SoldAs>,
    /// Food group of `food-limits.toml`; absent for what is not eaten.
    #[serde(default)]
    pub food: Option<String>,
    /// Whether it is eaten by people or animals.
    pub edible: bool,
    /// How strongly the organ takes up cadmium where a source says so.
    #[serde(default)]
    pub cadmium_uptake: Option<Uptake>,
}

/// Uptake of a pollutant by an organ: mean ratio of produce to soil.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uptake {
    /// Mean bioconcentration factor, produce / soil, dimensionless.
    pub mean_ratio: f64,
    /// Where from.
    pub source: String,
}

/// FAO-56 coefficients of a crop.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaterUse {
    /// Kc at start, middle, end.
    pub kc: [f64; 3],
    /// Rooting depth, least and most, m.
    pub root_depth_m: [f64; 2],
    /// Share `p` of the available water that is taken without stress.
    pub free_fraction: f64,
    /// Where from.
    pub source: String,
}

/// A crop of `crops/*.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crop {
    /// Its key.
    pub key: CropKey,
    /// The name that people read.
    pub name: Text,
    /// Scientific name.
    pub scientific: String,
    /// Botanical family, for rotation.
    pub family: String,
    /// What the law counts it as.
    pub class: CropClass,
    /// Whether it is one of the rices that the law and the structure adjustment speak of.
    #[serde(default)]
    pub is_rice: bool,
    /// How it bears standing water.
    pub water_habit: WaterHabit,
    /// Whether it stands for years.
    #[serde(default)]
    pub is_perennial: bool,
    /// Mean temperature below which growth ends, °C, where a source says so.
    #[serde(default)]
    pub growth_ends_below_c: Option<f64>,
    /// Parts and uses.
    pub uses: Vec<CropUse>,
    /// When it stands in the field.
    #[serde(default)]
    pub calendar: Vec<Calendar>,
    /// How long it stays away.
    #[serde(default)]
    pub rotation: Option<Rotation>,
    /// Class borders.
    #[serde(default)]
    pub requirements: Requirements,
    /// FAO-56 coefficients.
    #[serde(default)]
    pub water_use: Option<WaterUse>,
    /// A regional mean yield with its source, for an expectation where nobody harvested nearby.
    #[serde(default)]
    pub usual_yield: Option<UsualYield>,
    /// Where the borders come from, unless one says otherwise.
    pub source: String,
}

/// A range of yields that pages of the region report.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsualYield {
    /// Typical, kg/ha as harvested.
    pub kg_ha: f64,
    /// From ... to, kg/ha.
    pub range_kg_ha: [f64; 2],
    /// Where from.
    pub source: String,
}
