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
//! - [`yields`]: what harvests, strips and trials let expect of each variety.
//! - [`advise`]: the six steps: allowed, safe, known, suitable, ranked, explained.
//! - [`advice`]: what comes out, as the API shows it.
//!
//! Invariant: no clock, no network, no store, no async here. The same values in give the same bytes
//! out, and time is an argument.

pub mod advice;
pub mod advise;
pub mod dossier;
pub mod evapotranspiration;
pub mod growing_season;
pub mod pollution;
pub mod profile;
pub mod soil_water;
pub mod suitability;
pub mod water_balance;
pub mod yields;

mod allowed;
#[cfg(test)]
mod example;
mod explained;
mod judged;
mod known;
mod margin;
mod ranked;
mod rotation;
mod safe;
mod what_if;
mod words;
