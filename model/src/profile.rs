//! A plot's features over a window: what the land is, by its own readings and samples.
//!
//! Readings come as days ([`plotwise_config::day::DaySummary`]); flagged ones are already left out of
//! a day's statistics. The topsoil ([`TOPSOIL_M`]) stands for the root zone. Days are too dry or too
//! wet by the plot's own marks ([`crate::soil_water`]), and only days that speak of drained soil are
//! judged: a field under rice, or just let down, says nothing about the same field with ditches.
//!
//! Each figure carries its unit, the last day it rests on and the share of days behind it, and
//! [`SiteProfile::gaps`] says what is too thin to advise on.
//!
//! # What it leaves out
//!
//! Bulk EC is shown and rates nothing: what a crop feels is ECe, which only a sample gives. A
//! sensor's reading of a pollutant never enters; see [`crate::pollution`].
//!
//! # Invariants
//!
//! No clock: the window is the caller's. What cannot be known is absent, never a stand-in number.

mod gaps;
mod light;
mod record;
mod wetness;

use std::collections::BTreeMap;

use jiff::civil::Date;
use plotwise_config::{
    catalogue::{
        Catalogue,
        crop::Crop,
        quantity::Quantity,
        soil::{ScreeningUse, SoilStandard, TextureWater},
    },
    land::{LandType, Measure, Water},
    reading::QuantityNo,
    records::{Climate, Measured, SampleKind},
    text::Text,
};

use crate::{
    advice::SiteValue,
    dossier::Dossier,
    pollution::{self, Pollution},
    soil_water::{MoistureDay, SoilMarks, quantile, soil_marks},
};

pub use gaps::{COVERAGE_MIN, FLAGGED_SHARE_MAX, JUDGED_DAYS_MIN, SILENT_DAYS_MAX};
pub use wetness::{
    SPELL_GOOD_DAYS_MAX, SPELL_MODERATE_DAYS_MAX, TESTED_DAYS_MIN, WETNESS_DAYS_MIN, Wetness,
    WetnessBasis,
};

/// Down to here probes speak of the root zone's upper part, m.
///
/// Where a plot has none, its shallowest depth stands in. Our choice: most roots of annual crops, and
/// the depth that ditches and lime change.
pub const TOPSOIL_M: f64 = 0.4;

/// Share of the available water that is gone when a day counts as too dry. Our choice, FAO-56's
/// middling `p`; a crop's own share judges it in [`crate::suitability`].
pub const DRY_DEPLETION: f64 = 0.5;

/// Below this moisture a pH probe lacks contact water and is left out, m³/m³.
pub const PH_MOISTURE_MIN: f64 = 0.15;

/// What a figure rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureBasis {
    /// Readings of the quantity itself.
    Readings,
    /// A laboratory's samples.
    Samples,
    /// Readings of another quantity, converted.
    Converted,
}

/// One number of a profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// In `unit`.
    pub value: f64,
    /// UCUM; empty for shares.
    pub unit: &'static str,
    /// Last day it rests on.
    pub as_of: Date,
    /// Share of the window's days with data, 0-1; 1 for samples, which have no days.
    pub coverage: f64,
    /// What it rests on.
    pub basis: FigureBasis,
}

/// Something that is too thin to advise on, or merely missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Quantity key, or `soil_texture`, `drainage` and the like.
    pub quantity: &'static str,
    /// Why it should be measured.
    pub why: Text,
    /// Whether nothing can be ranked without it.
    pub is_blocking: bool,
    /// Whether dry-land crops cannot be ranked without it; crops that stand in water can.
    pub is_blocking_upland: bool,
}

/// A plot's features over a window.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteProfile {
    /// First and last day, both included.
    pub window: (Date, Date),
    /// m³/m³.
    pub soil_moisture_mean: Option<Figure>,
    /// m³/m³.
    pub soil_moisture_p10: Option<Figure>,
    /// m³/m³.
    pub soil_moisture_p90: Option<Figure>,
    /// Days among `days_judged`.
    pub days_too_dry: Option<Figure>,
    /// Days among `days_judged`.
    pub days_too_wet: Option<Figure>,
    /// Days with moisture that speak of drained soil.
    pub days_judged: u32,
    /// Days with moisture under water, or just after.
    pub days_flooded: u32,
    /// The days behind `days_judged`, in order.
    pub judged: Vec<MoistureDay>,
    /// What they were judged by.
    pub marks: Option<SoilMarks>,
    /// Longest run of days with too little air in the soil, outside flooded spans.
    pub longest_wet_spell: Option<Figure>,
    /// Median pH in water.
    pub soil_ph_median: Option<Figure>,
    /// mol m⁻² d⁻¹.
    pub daily_light_integral: Option<Figure>,
    /// °C.
    pub soil_temperature_mean: Option<Figure>,
    /// Bulk EC, dS/m: says nothing about ECe.
    pub soil_ec_p90: Option<Figure>,
    /// ECe or pore-water EC from samples, dS/m.
    pub ece_ds_m: Option<Figure>,
    /// By samples.
    pub pollution: Pollution,
    /// Land uses whose screening values hold for them.
    pub screening_uses: Vec<ScreeningUse>,
    /// Drainage class.
    pub wetness: Wetness,
    /// The water regime now.
    pub current_water: Option<Water>,
    /// Share of the window's days with soil moisture, 0-1.
    pub coverage: f64,
    /// Share of the window's readings that a flag excludes, 0-1.
    pub flagged_share: f64,
    /// The same of soil moisture alone.
    pub moisture_flagged_share: f64,
}

/// The tables of the catalogue that a profile needs.
#[derive(Clone, Copy, Debug)]
struct Tables<'a> {
    quantities: &'a [Quantity],
    textures: &'a [TextureWater],
    standard: &'a SoilStandard,
    crops: &'a [Crop],
}

impl Tables<'_> {
    fn quantity(&self, key: &str) -> Option<QuantityNo> {
        let place = self.quantities.iter().position(|quantity| quantity.key == key)?;
        u16::try_from(place).ok().map(QuantityNo)
    }
}

/// The features of one plot over the dossier's window.
///
/// `climate`: its daily rain tells whether drainage was put to the test; may be empty.
pub fn site_profile(catalogue: &Catalogue, dossier: &Dossier, climate: &Climate) -> SiteProfile {
    let tables = Tables {
        quantities: catalogue.quantities(),
        textures: catalogue.textures(),
        standard: catalogue.soil_standard(),
        crops: catalogue.crops(),
    };
    profile_of(&tables, dossier, climate)
}

fn profile_of(tables: &Tables<'_>, dossier: &Dossier, climate: &Climate) -> SiteProfile {
    let window = Window::of(dossier);
    let moisture = record::topsoil_days(tables, dossier, "soil_moisture");
    let record = record::split(tables, dossier, &moisture);
    let marks =
        soil_marks(tables.textures, dossier.plot.soil_texture, &record.judged, &record.flooded);
    let spell = marks
        .and_then(|marks| wetness::longest_spell(&record.judged, &marks))
        .or_else(|| wetness::dry_on_any(&record.judged, tables.textures));
    let wetness = wetness::wetness(dossier, climate, &record.judged, marks.as_ref(), spell);
    let judged = |value: f64| window.figure(&record.judged, value, "d");
    let count = |is: &dyn Fn(f64) -> Option<bool>| {
        let days = record.judged.iter().map(|&(_, moisture)| is(moisture));
        let known: Option<Vec<bool>> = days.collect();
        known.filter(|days| !days.is_empty()).map(|days| days.iter().filter(|is| **is).count())
    };
    let wet = marks.and_then(|marks| count(&|moisture| marks.is_too_wet(moisture)));
    let dry = marks.and_then(|marks| {
        let border =
            marks.field_capacity - DRY_DEPLETION * (marks.field_capacity - marks.wilting_point);
        count(&|moisture| Some(moisture < border))
    });
    let all: Vec<MoistureDay> = moisture.into_iter().collect();
    let soil_ph_median = soil_ph(tables, dossier, &window, &all);
    let plot_ph = soil_ph_median.map(|figure| figure.value);
    let uses = pollution::screening_uses(dossier.plot.land_type, is_rotated(tables, dossier));
    let (flagged_share, moisture_flagged_share) = record::flagged_shares(tables, dossier);
    let readings = |key: &str, share: Option<f64>, unit: &'static str| {
        let days: Vec<_> = record::topsoil_days(tables, dossier, key).into_iter().collect();
        statistic(&days, share).and_then(|value| window.figure(&days, value, unit))
    };
    SiteProfile {
        window: dossier.window,
        soil_moisture_mean: readings("soil_moisture", None, "m3/m3"),
        soil_moisture_p10: readings("soil_moisture", Some(0.1), "m3/m3"),
        soil_moisture_p90: readings("soil_moisture", Some(0.9), "m3/m3"),
        days_too_dry: dry.and_then(|days| judged(days as f64)),
        days_too_wet: wet.and_then(|days| judged(days as f64)),
        days_judged: small(record.judged.len()),
        days_flooded: small(record.flooded.len()),
        longest_wet_spell: spell.and_then(|days| judged(f64::from(days))),
        soil_ph_median,
        daily_light_integral: light::daily_light(tables, dossier, &window),
        soil_temperature_mean: readings("soil_temperature", None, "Cel"),
        soil_ec_p90: readings("soil_ec", Some(0.9), "dS/m"),
        ece_ds_m: newest_sample(tables, dossier, "soil_pore_ec", "dS/m"),
        pollution: pollution::class_soil(
            tables.standard,
            tables.quantities,
            &dossier.samples,
            &uses,
            plot_ph,
        ),
        screening_uses: uses,
        wetness,
        current_water: record::current_water(dossier),
        coverage: window.share(all.len()),
        flagged_share,
        moisture_flagged_share,
        judged: record.judged,
        marks,
    }
}

/// The window as a count of days.
struct Window {
    days: usize,
}

impl Window {
    fn of(dossier: &Dossier) -> Self {
        let (first, last) = dossier.window;
        let days = usize::try_from((last - first).get_days()).unwrap_or(0) + 1;
        Self { days }
    }

    fn share(&self, days: usize) -> f64 {
        (days as f64 / self.days as f64).min(1.0)
    }

    /// A figure of readings that rests on `days`; `None` of none.
    fn figure(&self, days: &[MoistureDay], value: f64, unit: &'static str) -> Option<Figure> {
        let as_of = days.iter().map(|&(date, _)| date).max()?;
        let coverage = self.share(days.len());
        Some(Figure { value, unit, as_of, coverage, basis: FigureBasis::Readings })
    }
}

/// The mean, or the quantile `share`, of days' values.
fn statistic(days: &[MoistureDay], share: Option<f64>) -> Option<f64> {
    if days.is_empty() {
        return None;
    }
    let mut values: Vec<f64> = days.iter().map(|&(_, value)| value).collect();
    let Some(share) = share else {
        return Some(values.iter().sum::<f64>() / values.len() as f64);
    };
    values.sort_by(f64::total_cmp);
    quantile(&values, share)
}

/// Laboratory before probe: a probe drifts and needs contact water.
fn soil_ph(
    tables: &Tables<'_>,
    dossier: &Dossier,
    window: &Window,
    moisture: &[MoistureDay],
) -> Option<Figure> {
    newest_sample(tables, dossier, "soil_ph", "[pH]").or_else(|| {
        let moist: BTreeMap<Date, f64> = moisture.iter().copied().collect();
        let days: Vec<MoistureDay> = record::topsoil_days(tables, dossier, "soil_ph")
            .into_iter()
            .filter(|(date, _)| moist.get(date).is_some_and(|&it| it >= PH_MOISTURE_MIN))
            .collect();
        window.figure(&days, statistic(&days, Some(0.5))?, "[pH]")
    })
}

/// Median of the topsoil's samples of the newest day; of the shallowest where none is topsoil.
fn newest_sample(
    tables: &Tables<'_>,
    dossier: &Dossier,
    key: &str,
    unit: &'static str,
) -> Option<Figure> {
    let quantity = tables.quantity(key)?;
    let samples: Vec<(Date, f64, f64)> = dossier
        .samples
        .iter()
        .filter(|sample| sample.quantity == quantity)
        .filter_map(|sample| match (&sample.kind, sample.measured) {
            (&SampleKind::Soil { sampled_on, depth_m }, Measured::Value(value)) => {
                (value.is_finite() && sampled_on <= dossier.window.1)
                    .then_some((sampled_on, depth_m, value))
            }
            _ => None,
        })
        .collect();
    let shallowest = samples.iter().map(|it| it.1).fold(f64::INFINITY, f64::min);
    let reach = pollution::TOPSOIL_DEPTH_M.max(shallowest);
    let as_of = samples.iter().filter(|it| it.1 <= reach).map(|it| it.0).max()?;
    let days: Vec<MoistureDay> = samples
        .iter()
        .filter(|it| it.0 == as_of && it.1 <= reach)
        .map(|&(date, _, value)| (date, value))
        .collect();
    let value = statistic(&days, Some(0.5))?;
    Some(Figure { value, unit, as_of, coverage: 1.0, basis: FigureBasis::Samples })
}

/// Whether dry crops take turns with rice on a paddy, or are about to.
fn is_rotated(tables: &Tables<'_>, dossier: &Dossier) -> bool {
    let plot = &dossier.plot;
    plot.land_type == LandType::Paddy
        && (plot.water.is_some_and(|water| water != Water::Flooded)
            || plot
                .measure
                .as_ref()
                .is_some_and(|ordered| ordered.measure == Measure::StructureAdjustment)
            || dossier
                .seasons
                .iter()
                .any(|season| !record::is_under_water(tables, dossier, season)))
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl SiteProfile {
    /// The profile under the keys of the API; a figure that is unknown has no key.
    pub fn to_site(&self) -> BTreeMap<String, SiteValue> {
        let figures = [
            ("soil_moisture_mean", self.soil_moisture_mean),
            ("soil_moisture_p10", self.soil_moisture_p10),
            ("soil_moisture_p90", self.soil_moisture_p90),
            ("days_too_dry", self.days_too_dry),
            ("days_too_wet", self.days_too_wet),
            ("longest_wet_spell", self.longest_wet_spell),
            ("soil_ph_median", self.soil_ph_median),
            ("daily_light_integral", self.daily_light_integral),
            ("soil_temperature_mean", self.soil_temperature_mean),
            ("soil_ec_p90", self.soil_ec_p90),
        ];
        let mut site: BTreeMap<String, SiteValue> = figures
            .into_iter()
            .filter_map(|(key, figure)| {
                let figure = figure?;
                let as_of = Some(figure.as_of);
                Some((key.to_owned(), site_value(Some(figure.value), figure.unit, as_of)))
            })
            .collect();
        let sampled_on = self.pollution.judged.iter().map(|sample| sample.sampled_on).max();
        let class = SiteValue {
            word: Some(self.pollution.class.key().to_owned()),
            ..site_value(None, "", sampled_on)
        };
        site.insert("pollution_class".to_owned(), class);
        if let Some(nemerow) = self.pollution.nemerow {
            let value = site_value(Some(nemerow.index), "", sampled_on);
            site.insert("pollution_index".to_owned(), value);
        }
        let as_of = self.soil_moisture_mean.map(|figure| figure.as_of);
        site.insert("coverage".to_owned(), site_value(Some(self.coverage), "", as_of));
        site
    }
}

fn site_value(value: Option<f64>, unit: &str, as_of: Option<Date>) -> SiteValue {
    SiteValue {
        value,
        word: None,
        unit: unit.to_owned(),
        as_of: as_of.map(|date| date.to_string()),
    }
}

#[cfg(test)]
mod tests;
