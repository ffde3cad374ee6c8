//! Limits of soil pollution and the water that textures hold.

use serde::Deserialize;

use crate::{keyed::keyed, land::SoilTexture, text::Text};

keyed! {
    /// The land use that a screening value distinguishes (GB 15618-2018, table 1).
    pub enum ScreeningUse ("screening use") {
        /// Paddy; rotated paddy and dry crops take the stricter of paddy and other.
        Paddy = "paddy", "水田", "paddy";
        /// Orchards (copper alone).
        Orchard = "orchard", "果园", "orchard";
        /// All other.
        Other = "other", "其他", "other";
    }
}

/// A soil standard of `soil-*.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoilStandard {
    /// Its number, for example `GB 15618-2018`.
    pub number: String,
    /// Its title.
    pub title: Text,
    /// Upper edges of the pH bands, each belonging to the band below it; the last band is open.
    pub ph_upper: Vec<f64>,
    /// Values above which risk may exist.
    pub screening: Vec<ScreeningValues>,
    /// Values above which nothing edible should be grown.
    pub intervention: Vec<InterventionValues>,
    /// Where from.
    pub source: String,
}

/// A row of table 1.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScreeningValues {
    /// Quantity key.
    pub quantity: String,
    /// Land uses it holds for.
    pub uses: Vec<ScreeningUse>,
    /// mg/kg, one a pH band.
    pub mg_kg: Vec<f64>,
}

/// A row of table 3.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterventionValues {
    /// Quantity key.
    pub quantity: String,
    /// mg/kg, one a pH band.
    pub mg_kg: Vec<f64>,
}

/// Water that a texture holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextureWater {
    /// Which texture.
    pub texture: SoilTexture,
    /// Field capacity, least and most, m³/m³.
    pub field_capacity: [f64; 2],
    /// Wilting point, least and most, m³/m³.
    pub wilting_point: [f64; 2],
    /// Saturation, m³/m³, where the source gives it.
    #[serde(default)]
    pub saturation: Option<f64>,
    /// Where from.
    pub source: String,
}
