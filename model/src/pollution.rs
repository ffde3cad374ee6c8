//! Laboratory samples of a plot's soil, classed by the soil standard (GB 15618-2018).

use jiff::civil::Date;
use plotwise_config::{
    catalogue::{
        quantity::Quantity,
        soil::{ScreeningUse, SoilStandard},
    },
    land::SoilClass,
    reading::QuantityNo,
    records::Sample,
};

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

/// Classes the topsoil of one plot.
///
/// `uses`: see [`screening_uses`]. `plot_ph`: median pH of the plot, for samples without their own.
pub fn class_soil(
    standard: &SoilStandard,
    quantities: &[Quantity],
    samples: &[Sample],
    uses: &[ScreeningUse],
    plot_ph: Option<f64>,
) -> Pollution {
    let _ = (standard, quantities, samples, uses, plot_ph);
    Pollution {
        class: PollutionClass::Unknown,
        worst: None,
        judged: Vec::new(),
        nemerow: None,
        missing: Vec::new(),
    }
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
