//! What the readings mean for planting: site profiles, land evaluation and advice.
//!
//! What the land is:
//!
//! - [`dossier`]: everything known about a plot and its surroundings, as values.
//! - [`profile`]: a plot's features over a window, each with its coverage.
//! - [`evapotranspiration`], [`water_balance`]: FAO-56.
//! - [`pollution`]: laboratory samples classed by the soil standard.
//! - [`growing_season`]: when a crop can stand, and how warm it is then.
//! - [`suitability`]: the FAO class of a crop on a plot.
//!
//! What to do with it:
//!
//! - [`advice`]: the ranked varieties of a plot, each with reasons, and those ruled out.
//!
//! Invariant: no clock, no network, no store, no async here. The same values in give the same bytes
//! out, and time is an argument.

pub mod advice;
pub mod dossier;
pub mod evapotranspiration;
pub mod growing_season;
pub mod pollution;
pub mod profile;
pub mod suitability;
pub mod water_balance;
