//! Laboratory samples of a plot's soil, classed by the soil standard (GB 15618-2018).
//!
//! Each value is held against the limits of the pH band that the same sample's own pH chooses; the
//! worst single factor gives the class. Where the pH is not sure the stricter band counts: near an
//! edge ([`PH_EDGE`]), and where the sample has no pH of its own ([`PLOT_PH_SPREAD`]). Lime that eases
//! cadmium's limit tightens arsenic's, so each pollutant looks for its own strictest band.
//!
//! What it leaves out: a sensor's reading of a pollutant (it can only ask for a sample), subsoil, and
//! the pollutants of table 2, which no laboratory row of ours carries yet.
//!
//! # Source
//!
//! GB 15618-2018, tables 1 and 3; Soil Pollution Law, art. 49 for the three official classes.

use jiff::civil::Date;
use plotwise_config::{
    catalogue::{
        quantity::Quantity,
        soil::{ScreeningUse, SoilStandard},
    },
    land::{LandType, SoilClass},
    reading::QuantityNo,
    records::{Measured, Sample, SampleKind},
};

/// Deeper samples do not class: the standard speaks of the plough layer, 0-20 cm; our choice leaves
/// 5 cm for how depths are written down.
pub const TOPSOIL_DEPTH_M: f64 = 0.25;

/// A pH this near to a band's edge takes the stricter band. Our choice, about what two laboratories
/// differ by.
pub const PH_EDGE: f64 = 0.1;

/// A sample without its own pH may lie this far from the plot's median. Our choice.
pub const PLOT_PH_SPREAD: f64 = 0.5;

/// What samples say about a plot's soil, by the worst single factor. From best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PollutionClass {
    /// No topsoil sample of any pollutant that the standard limits.
    Unknown,
    /// No value above its screening value: soil risk low, which is not "clean".
    BelowScreening,
    /// Some value above screening, none above intervention: risk may exist.
    BetweenScreeningAndIntervention,
    /// Some value above intervention: nothing that is eaten or fed.
    AboveIntervention,
}

impl PollutionClass {
    /// The word of the site profile.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::BelowScreening => "below_screening",
            Self::BetweenScreeningAndIntervention => "between_screening_and_intervention",
            Self::AboveIntervention => "above_intervention",
        }
    }
}

/// One sampled value beside the limits that hold for it.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedSample {
    /// Which pollutant.
    pub quantity: QuantityNo,
    /// mg/kg; the limit of detection where `is_below_detection`.
    pub value_mg_kg: f64,
    /// Whether the laboratory found less than it can detect.
    pub is_below_detection: bool,
    /// The pH that chose the band.
    pub ph: Option<f64>,
    /// Whether that is the pH of the same sample; else the strictest band the plot's pH allows.
    pub is_own_ph: bool,
    /// Whether the pH lies so near a band's edge that the stricter band was taken.
    pub is_near_edge: bool,
    /// Screening value, mg/kg.
    pub screening_mg_kg: f64,
    /// Intervention value, mg/kg; copper, nickel and zinc have none.
    pub intervention_mg_kg: Option<f64>,
    /// Day of sampling.
    pub sampled_on: Date,
    /// Class by this value alone.
    pub class: PollutionClass,
}

/// Nemerow's index; shown as an extra, classes nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nemerow {
    /// `sqrt((max² + mean²) / 2)` of value / screening.
    pub index: f64,
    /// Over how many pollutants.
    pub count: usize,
}

/// The soil class by samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Pollution {
    /// Class of the worst single factor.
    pub class: PollutionClass,
    /// That factor: highest class first, then highest value / screening. `None` without samples.
    pub worst: Option<JudgedSample>,
    /// Every pollutant that was judged, newest value each.
    pub judged: Vec<JudgedSample>,
    /// Index over what was measured.
    pub nemerow: Option<Nemerow>,
    /// Pollutants that the standard limits and no topsoil sample gives.
    pub missing: Vec<QuantityNo>,
}

/// Whose screening values hold on a plot: the strictest of them counts.
///
/// Paddies that also carry dry crops take the stricter of paddy and other land: the standard's rule
/// for rotated land as we know it, and our caution.
pub fn screening_uses(land_type: LandType, is_rotated: bool) -> Vec<ScreeningUse> {
    match land_type {
        LandType::Paddy if is_rotated => vec![ScreeningUse::Paddy, ScreeningUse::Other],
        LandType::Paddy => vec![ScreeningUse::Paddy],
        LandType::Orchard => vec![ScreeningUse::Orchard],
        _ => vec![ScreeningUse::Other],
    }
}

/// Classes the topsoil of one plot.
///
/// `uses`: see [`screening_uses`]. `plot_ph`: median pH of the plot, for samples without their own.
/// Of several samples of one day the worst counts; an older day never does.
pub fn class_soil(
    standard: &SoilStandard,
    quantities: &[Quantity],
    samples: &[Sample],
    uses: &[ScreeningUse],
    plot_ph: Option<f64>,
) -> Pollution {
    let topsoil: Vec<Topsoil> = samples.iter().filter_map(Topsoil::of).collect();
    let mut judged = Vec::new();
    let mut missing = Vec::new();
    for key in limited_quantities(standard) {
        let Some(number) = quantity_no(quantities, key) else { continue };
        let Some(newest) = newest_day(&topsoil, number) else {
            missing.push(number);
            continue;
        };
        let worst = topsoil
            .iter()
            .filter(|sample| sample.quantity == number && sample.sampled_on == newest)
            .filter_map(|sample| {
                let ph = own_ph(&topsoil, quantities, sample);
                judge(standard, key, sample, uses, &PhRange::of(&ph, plot_ph))
            })
            .max_by(JudgedSample::compare);
        judged.extend(worst);
    }
    let worst = judged.iter().max_by(|a, b| a.compare(b)).cloned();
    Pollution {
        class: worst.as_ref().map_or(PollutionClass::Unknown, |sample| sample.class),
        worst,
        nemerow: nemerow(judged.iter().map(JudgedSample::share_of_screening)),
        judged,
        missing,
    }
}

/// Nemerow's index of single indices (value / screening); `None` of none.
pub fn nemerow(single: impl Iterator<Item = f64>) -> Option<Nemerow> {
    let single: Vec<f64> = single.collect();
    if single.is_empty() {
        return None;
    }
    let mean = single.iter().sum::<f64>() / single.len() as f64;
    let max = single.iter().copied().fold(f64::MIN, f64::max);
    let index = f64::midpoint(max * max, mean * mean).sqrt();
    Some(Nemerow { index, count: single.len() })
}

impl JudgedSample {
    /// The single index `P`: value / screening value.
    pub fn share_of_screening(&self) -> f64 {
        self.value_mg_kg / self.screening_mg_kg
    }

    /// Worse is greater: by class, then by the single index.
    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        self.class
            .cmp(&other.class)
            .then(self.share_of_screening().total_cmp(&other.share_of_screening()))
    }
}

/// A figure of a topsoil sample.
struct Topsoil {
    quantity: QuantityNo,
    sampled_on: Date,
    depth_m: f64,
    value: f64,
    is_below_detection: bool,
}

impl Topsoil {
    fn of(sample: &Sample) -> Option<Self> {
        let SampleKind::Soil { sampled_on, depth_m } = sample.kind else { return None };
        let (value, is_below_detection) = match sample.measured {
            Measured::Value(value) => (value, false),
            Measured::Below(limit) => (limit, true),
        };
        let is_topsoil = depth_m <= TOPSOIL_DEPTH_M && value.is_finite();
        is_topsoil.then_some(Self {
            quantity: sample.quantity,
            sampled_on,
            depth_m,
            value,
            is_below_detection,
        })
    }
}

/// The span in which the pH lies that chooses the band.
struct PhRange {
    low: f64,
    high: f64,
    shown: Option<f64>,
    is_own: bool,
}

impl PhRange {
    fn of(own: &[f64], plot_ph: Option<f64>) -> Self {
        if let (Some(low), Some(high)) =
            (own.iter().copied().reduce(f64::min), own.iter().copied().reduce(f64::max))
        {
            let shown = Some(f64::midpoint(low, high));
            return Self { low: low - PH_EDGE, high: high + PH_EDGE, shown, is_own: true };
        }
        plot_ph.map_or(
            Self { low: f64::NEG_INFINITY, high: f64::INFINITY, shown: None, is_own: false },
            |ph| Self {
                low: ph - PLOT_PH_SPREAD,
                high: ph + PLOT_PH_SPREAD,
                shown: Some(ph),
                is_own: false,
            },
        )
    }
}

/// One value against the strictest limits of its bands and uses; `None` where the standard has none.
fn judge(
    standard: &SoilStandard,
    key: &str,
    sample: &Topsoil,
    uses: &[ScreeningUse],
    ph: &PhRange,
) -> Option<JudgedSample> {
    let bands = band(standard, ph.low)..=band(standard, ph.high);
    let is_near_edge = ph.is_own && bands.start() != bands.end();
    let strictest = |row: &[f64]| row.get(bands.clone())?.iter().copied().reduce(f64::min);
    let screening = uses
        .iter()
        .filter_map(|&of_use| strictest(screening_row(standard, key, of_use)?))
        .reduce(f64::min)?;
    let intervention = standard
        .intervention
        .iter()
        .find(|row| row.quantity == key)
        .and_then(|row| strictest(&row.mg_kg));
    // "Less than the laboratory can see" may hide a value above screening, but shows none above
    // intervention.
    let is_above = !sample.is_below_detection && intervention.is_some_and(|it| sample.value > it);
    let class = if is_above {
        PollutionClass::AboveIntervention
    } else if sample.value > screening {
        PollutionClass::BetweenScreeningAndIntervention
    } else {
        PollutionClass::BelowScreening
    };
    Some(JudgedSample {
        quantity: sample.quantity,
        value_mg_kg: sample.value,
        is_below_detection: sample.is_below_detection,
        ph: ph.shown,
        is_own_ph: ph.is_own,
        is_near_edge,
        screening_mg_kg: screening,
        intervention_mg_kg: intervention,
        sampled_on: sample.sampled_on,
        class,
    })
}

/// Place of the pH band; an edge belongs to the band below it.
fn band(standard: &SoilStandard, ph: f64) -> usize {
    // Tolerance: 5.6 - 0.1 must be the 5.5 that a person reads.
    standard.ph_upper.iter().filter(|&&edge| ph > edge + 1e-9).count()
}

/// The row of a land use; uses without a row of their own take that of other land.
fn screening_row<'a>(
    standard: &'a SoilStandard,
    key: &str,
    of_use: ScreeningUse,
) -> Option<&'a [f64]> {
    let row = |wanted| {
        standard
            .screening
            .iter()
            .find(|row| row.quantity == key && row.uses.contains(&wanted))
            .map(|row| row.mg_kg.as_slice())
    };
    row(of_use).or_else(|| row(ScreeningUse::Other))
}

/// Every pollutant of the standard once, in its order.
fn limited_quantities(standard: &SoilStandard) -> Vec<&str> {
    let mut keys: Vec<&str> = Vec::new();
    for row in &standard.screening {
        if !keys.contains(&row.quantity.as_str()) {
            keys.push(&row.quantity);
        }
    }
    keys
}

fn quantity_no(quantities: &[Quantity], key: &str) -> Option<QuantityNo> {
    let place = quantities.iter().position(|quantity| quantity.key == key)?;
    u16::try_from(place).ok().map(QuantityNo)
}

fn newest_day(topsoil: &[Topsoil], quantity: QuantityNo) -> Option<Date> {
    topsoil.iter().filter(|it| it.quantity == quantity).map(|it| it.sampled_on).max()
}

/// pH figures of the same sampling: same day, same depth.
fn own_ph(topsoil: &[Topsoil], quantities: &[Quantity], sample: &Topsoil) -> Vec<f64> {
    let Some(soil_ph) = quantity_no(quantities, "soil_ph") else { return Vec::new() };
    topsoil
        .iter()
        .filter(|it| it.quantity == soil_ph && it.sampled_on == sample.sampled_on)
        .filter(|it| (it.depth_m - sample.depth_m).abs() < 1e-6)
        .map(|it| it.value)
        .collect()
}

/// The class that binds: the official one, tightened by samples, never loosened.
pub fn effective_class(measured: PollutionClass, official: Option<SoilClass>) -> Option<SoilClass> {
    let measured = match measured {
        PollutionClass::Unknown => None,
        PollutionClass::BelowScreening => Some(SoilClass::Priority),
        PollutionClass::BetweenScreeningAndIntervention => Some(SoilClass::SafeUse),
        PollutionClass::AboveIntervention => Some(SoilClass::StrictControl),
    };
    measured.max(official)
}

#[cfg(test)]
mod tests;
