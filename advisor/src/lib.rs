//! API, pages and the `plotwise` command: the only crate that fetches, shows and is started.
//!
//! - [`commands`]: what people type.
//! - [`service`]: what runs until it is stopped; [`app`], [`routes`]: what answers requests;
//!   [`telemetry`]: what it counts.
//! - [`adviser`]: fetches what is known about a plot, asks the model, keeps the answer.
//! - [`world`]: the made-up world behind `plotwise demo`.
//!
//! What is absent: agronomy. Every judgement about land and crops is the model's.

pub mod adviser;
pub mod app;
pub mod commands;
#[cfg(feature = "pages")]
mod pages;
mod problem;
pub mod routes;
pub mod service;
pub mod telemetry;
pub mod world;
