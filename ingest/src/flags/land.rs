//! What the checks must know of the land: its water regime over time, and where its soil is full.

use jiff::{Timestamp, tz::TimeZone};
use plotwise_config::{
    catalogue::{Catalogue, crop::WaterHabit},
    land::{LandType, Water},
    records::{Plot, Season},
};

use crate::local_day::day_span;

/// How far a reading must lie above a texture's tabled saturation to be doubted, m³/m³.
///
/// The table is a mean of other soils and probes err by some 0.03: a border right at the mean would
/// take the wettest readings from the very plots where wetness decides. Our choice.
const TEXTURE_MARGIN: f64 = 0.05;

/// What the checks must know of the land under a series. The default is rain-fed land of which nothing
/// else is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Land {
    /// First moment, first moment after, regime; where two cover a moment the earlier entry holds.
    seasons: Vec<(Timestamp, Timestamp, Water)>,
    /// Outside seasons.
    usual: Water,
    /// Soil moisture above it is doubted (`C03`), m³/m³.
    doubted_above: Option<f64>,
    /// Soil moisture at which the soil is full, m³/m³.
    saturation: Option<f64>,
}

impl Default for Land {
    fn default() -> Self {
        Self { seasons: Vec::new(), usual: Water::RainFed, doubted_above: None, saturation: None }
    }
}

impl Land {
    /// Land whose regime never changes, with its measured saturation in m³/m³ where that is known.
    pub fn under(water: Water, saturation: Option<f64>) -> Self {
        Self { seasons: Vec::new(), usual: water, doubted_above: saturation, saturation: None }
    }

    /// The land of a plot.
    ///
    /// The regime is that of the season which stands, as said or as its crop needs it (rice stands in
    /// water unless the plot is said to be something else than flooded); outside seasons, or where
    /// the season says nothing, the plot's usual one; where nobody said anything, paddies and
    /// irrigated land count as irrigated, other land as rain-fed. Saturation is that of the texture.
    pub fn of(plot: &Plot, seasons: &[Season], zone: &TimeZone, catalogue: &Catalogue) -> Self {
        let usual = plot.water.unwrap_or(match plot.land_type {
            LandType::Paddy | LandType::Irrigated => Water::Irrigated,
            _ => Water::RainFed,
        });
        let spell = |season: &Season| {
            let to = season.end.map_or(Timestamp::MAX, |end| day_span(end, zone).1);
            Some((day_span(season.start, zone).0, to, water_of(season, plot, catalogue)?))
        };
        let texture = plot.soil_texture.and_then(|texture| {
            catalogue.textures().iter().find(|row| row.texture == texture)?.saturation
        });
        Self {
            seasons: seasons.iter().filter_map(spell).collect(),
            usual,
            doubted_above: texture.map(|full| full + TEXTURE_MARGIN),
            saturation: texture,
        }
    }

    /// What of it matters between two moments.
    pub(crate) fn within(&self, from: Timestamp, to: Timestamp) -> Self {
        let cut = |(start, end, water): &(Timestamp, Timestamp, Water)| {
            ((*start).max(from), (*end).min(to), *water)
        };
        let mut seasons: Vec<_> = self.seasons.iter().map(cut).collect();
        seasons.retain(|(start, end, _)| start < end);
        Self { seasons, ..*self }
    }

    /// The regime at a moment.
    pub fn water_at(&self, time: Timestamp) -> Water {
        let covers = |(from, to, _): &&(Timestamp, Timestamp, Water)| (*from..*to).contains(&time);
        self.seasons.iter().find(covers).map_or(self.usual, |(_, _, water)| *water)
    }

    /// Whether the checks stand back that take irrigation or standing water for a fault.
    pub(super) fn is_watered_at(&self, time: Timestamp) -> bool {
        matches!(self.water_at(time), Water::Irrigated | Water::Flooded)
    }

    /// Whether water stands at a moment.
    pub(super) fn is_flooded_at(&self, time: Timestamp) -> bool {
        self.water_at(time) == Water::Flooded
    }

    /// Soil moisture above this is doubted (`C03`), m³/m³.
    pub(super) fn doubted_above(&self) -> Option<f64> {
        self.doubted_above
    }

    /// Soil moisture of the full soil by its texture, m³/m³.
    pub(super) fn saturation(&self) -> Option<f64> {
        self.saturation
    }
}

fn water_of(season: &Season, plot: &Plot, catalogue: &Catalogue) -> Option<Water> {
    season.water.or_else(|| {
        let crop = catalogue.crop(season.crop.as_str())?;
        let is_flooded = crop.water_habit == WaterHabit::Aquatic
            && plot.water.is_none_or(|usual| usual == Water::Flooded);
        is_flooded.then_some(Water::Flooded)
    })
}
