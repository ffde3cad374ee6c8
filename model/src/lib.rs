//! What the readings mean for planting: site profiles, land evaluation and advice.
//!
//! - [`dossier`]: everything known about a plot and its surroundings, as values.
//! - [`advice`]: the ranked varieties of a plot, each with reasons, and those ruled out.
//!
//! Invariant: no clock, no network, no store, no async here. The same values in give the same bytes
//! out, and time is an argument.

pub mod advice;
pub mod dossier;
