//! The FAO class of a crop on a plot: the class of its worst factor.
//!
//! Each factor of the land is held against the crop's borders and gets a class and, inside it, points.
//! The class of the plot is the worst of them (FAO Soils Bulletin 32, 1976: simple limitation); an index
//! ranks only within a class. Wetness comes first: where roots swell in the ground, standing water is a
//! veto whatever the rest says.
//!
//! # What it leaves out
//!
//! Organic carbon, base saturation and the like, on purpose: the borders of the tables would condemn
//! most red soil of the south, where crops grow all the same. Annual rain: the plot's own moisture
//! measures the real supply.

mod rating;

use plotwise_config::{
    catalogue::crop::{Crop, Factor},
    land::{Drainage, LandType, SoilTexture, Water},
    records::Plot,
    text::Text,
};

use crate::{advice::Suitability, growing_season::Window, profile::SiteProfile};
use rating::Verdict;

/// What a crop is held against. Cheap to clone, so that a "what if" is one `with_...` away.
#[derive(Clone, Debug)]
pub struct LandInput<'a> {
    /// Where the figures come from.
    pub profile: &'a SiteProfile,
    /// As surveyed.
    pub land_type: LandType,
    /// The water regime.
    pub water: Option<Water>,
    /// The drainage class that counts.
    pub drainage: Option<Drainage>,
    /// Longest waterlogged spell outside flooded spans, days.
    pub wet_spell_days: Option<f64>,
    /// pH in water.
    pub soil_ph: Option<f64>,
    /// Topsoil.
    pub soil_texture: Option<SoilTexture>,
    /// ECe, dS/m.
    pub ece_ds_m: Option<f64>,
    /// Rootable depth, cm.
    pub soil_depth_cm: Option<f64>,
    /// Slope, percent.
    pub slope_percent: Option<f64>,
    /// The span the crop would stand in; `None` rates neither temperature nor cycle.
    pub window: Option<Window>,
}

impl<'a> LandInput<'a> {
    /// The plot as it is.
    pub fn new(profile: &'a SiteProfile, plot: &Plot, window: Option<Window>) -> Self {
        Self {
            profile,
            land_type: plot.land_type,
            water: profile.current_water,
            drainage: profile.wetness.drainage,
            wet_spell_days: profile.longest_wet_spell.map(|figure| figure.value),
            soil_ph: profile.soil_ph_median.map(|figure| figure.value),
            soil_texture: plot.soil_texture,
            ece_ds_m: profile.ece_ds_m.map(|figure| figure.value),
            soil_depth_cm: plot.soil_depth_cm,
            slope_percent: plot.slope_percent,
            window,
        }
    }

    /// The same land once it drains like `drainage`: measured wet spells no longer speak of it.
    #[must_use]
    pub fn with_drainage(mut self, drainage: Drainage) -> Self {
        self.drainage = Some(drainage);
        self.wet_spell_days = None;
        self
    }

    /// The same land with another pH, for example limed.
    #[must_use]
    pub fn with_ph(mut self, ph: f64) -> Self {
        self.soil_ph = Some(ph);
        self
    }

    /// The same land under another water regime, for example irrigated.
    #[must_use]
    pub fn with_water(mut self, water: Water) -> Self {
        self.water = Some(water);
        self
    }

    /// The same land for another planting span.
    #[must_use]
    pub fn with_window(mut self, window: Option<Window>) -> Self {
        self.window = window;
        self
    }
}

/// How one factor of the land meets the crop's borders.
#[derive(Clone, Debug, PartialEq)]
pub struct Rating {
    /// Which factor.
    pub factor: Factor,
    /// Its class.
    pub class: Suitability,
    /// 0-100 inside the class's share of Sys' scale; feeds the index.
    pub points: f64,
    /// The figure, where the factor is a number.
    pub value: Option<f64>,
    /// The value in words, with its unit.
    pub shown: Text,
    /// UCUM unit; empty for words.
    pub unit: &'static str,
    /// What the crop wants for S1, in words.
    pub wanted: Text,
    /// Whether it excludes the crop whatever the rest says.
    pub is_veto: bool,
    /// Where the borders come from.
    pub source: String,
}

/// A crop on a plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Class of the worst factor; S1 where nothing could be rated, see `ratings`.
    pub class: Suitability,
    /// That factor; `None` where every factor is S1.
    pub limiting: Option<Factor>,
    /// Every factor that was rated, worst first.
    pub ratings: Vec<Rating>,
    /// 0-100 by the square root method; ranks only within a class.
    pub index: f64,
    /// Factors that the crop has a border for and the plot no figure.
    pub unknown: Vec<Factor>,
    /// Factors without a sourced border for this crop.
    pub without_border: Vec<Factor>,
}

/// Factors that every crop of the field has an opinion on. Where the catalogue has no border for one,
/// or the plot no figure, the index takes it at the edge of S1, so that little knowledge does not rank
/// a crop above one that is known to fit.
const CORE: [Factor; 3] = [Factor::Drainage, Factor::SoilPh, Factor::Temperature];

/// Points at the lower edge of S1 (Sys et al. 1991: S1 100-85, S2 85-60, S3 60-40, N below 40).
const S1_EDGE: f64 = 85.0;

/// Rates every factor of the land for the crop.
///
/// The class is that of the worst factor: no average outvotes a veto. The index is the square root
/// method (Khiddir 1986), `worst * sqrt(product of the others / 100)`.
pub fn rate(crop: &Crop, land: &LandInput<'_>) -> Evaluation {
    let verdicts = rating::verdicts(crop, land);
    let mut evaluation = Evaluation {
        class: Suitability::S1,
        limiting: None,
        ratings: Vec::new(),
        index: 100.0,
        unknown: Vec::new(),
        without_border: Vec::new(),
    };
    for (factor, verdict) in verdicts {
        match verdict {
            Verdict::Rated(rating) => evaluation.ratings.push(*rating),
            Verdict::Unknown => evaluation.unknown.push(factor),
            Verdict::WithoutBorder => evaluation.without_border.push(factor),
        }
    }
    // Stable: of two equally bad factors the one named first, wetness before all, limits.
    evaluation.ratings.sort_by(|a, b| b.class.cmp(&a.class).then(a.points.total_cmp(&b.points)));
    if let Some(worst) = evaluation.ratings.first() {
        evaluation.class = worst.class;
        evaluation.limiting = (worst.class != Suitability::S1).then_some(worst.factor);
    }
    let rated = evaluation.ratings.iter().map(|rating| rating.points);
    let open = CORE.iter().filter(|factor| {
        evaluation.unknown.contains(factor) || evaluation.without_border.contains(factor)
    });
    let points: Vec<f64> = rated.chain(open.map(|_| S1_EDGE)).collect();
    evaluation.index = square_root_index(&points);
    evaluation
}

/// Khiddir's index of ratings 0-100; 100 of none.
fn square_root_index(points: &[f64]) -> f64 {
    let Some(worst) = points.iter().copied().min_by(f64::total_cmp) else { return 100.0 };
    if worst <= 0.0 {
        return 0.0;
    }
    let product: f64 = points.iter().map(|points| points / 100.0).product();
    worst * (product / (worst / 100.0)).sqrt()
}

#[cfg(test)]
mod tests;
