//! What is known before the first reading arrives: settings, the agronomic catalogue, and the types
//! that every part of Plotwise shares.
//!
//! ```text
//! config  ->  ingest  ->  model  ->  advisor
//! ```
//!
//! - [`catalogue`]: quantities, crops, varieties, limits and rules, read from TOML; each figure
//!   carries its source, and a mistake is reported with file and line.
//! - [`closest`]: "did you mean".
//! - [`conversion`]: from one quantity to another, each with its source and a worked value.
//! - [`settings`]: one struct a section; shipped defaults, file, environment, flags.
//! - [`land`], [`records`], [`reading`], [`day`]: the words of the glossary as types.
//!
//! Invariant: no clock, no network, no database here. Files are read only by
//! [`catalogue::Catalogue::load`] and [`settings::Settings::load`].

pub mod closest;
mod keyed;
mod lines;

pub mod catalogue;
pub mod conversion;
pub mod day;
pub mod id;
pub mod land;
pub mod reading;
pub mod records;
pub mod settings;
pub mod text;
