//! Settings: what an operator may choose, read once at start.
//!
//! ```text
//! shipped defaults  <  --config file  <  PLOTWISE__SECTION__KEY  <  flags
//! ```
//!
//! figment lays the four over each other and remembers where each value came from. One struct a
//! section; a value that got here is valid, and sections do not contradict each other. Everything
//! wrong is told together: file and line (or variable, or flag), key, what was found and wanted.
//!
//! # Invariants
//!
//! Every key is read by some part of Plotwise. Nothing else reads the environment. The environment
//! is an argument, so that tests own it.

mod advice;
mod check;
mod decoder;
mod error;
mod http;
mod layer;
mod log;
mod map;
mod mqtt;
mod read;
mod secret;
mod show;
mod store;
mod tls;

use std::path::Path;

use serde::Serialize;

pub use advice::AdviceSettings;
pub use decoder::{Decoder, UnknownDecoder};
pub use error::{Problem, SettingsError};
pub use http::HttpSettings;
pub use layer::Overrides;
pub use log::{LogFormat, LogSettings};
pub use map::{Datum, MapSettings};
pub use mqtt::{LinkSettings, ListenerLimits, ListenerSettings, MqttSettings, Subscription};
pub use secret::Secret;
pub use store::{CatalogueSettings, DeadLetterSettings, FactsSettings, StoreSettings};
pub use tls::{LinkTls, ListenerTls, TlsMode};

use crate::catalogue::Catalogue;
use layer::Layers;
use read::Reader;

/// The shipped, commented settings file, as `plotwise config default` prints it.
pub const DEFAULT: &str = include_str!("../data/settings.toml");

/// All sections, valid.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// Pages and API.
    pub http: HttpSettings,
    /// Where messages come from.
    pub mqtt: MqttSettings,
    /// The store of readings.
    pub store: StoreSettings,
    /// What could not be stored.
    #[serde(rename = "deadletters")]
    pub dead_letters: DeadLetterSettings,
    /// The database of facts.
    pub facts: FactsSettings,
    /// The agronomic catalogue.
    pub catalogue: CatalogueSettings,
    /// The map of the pages.
    pub map: MapSettings,
    /// What advice is made of.
    pub advice: AdviceSettings,
    /// What is logged and how.
    pub log: LogSettings,
    #[serde(skip)]
    layers: Layers,
}

impl Settings {
    /// Reads the settings: the shipped defaults, `file`, variables of `env` that start with
    /// `PLOTWISE__`, and `flags`; later wins.
    ///
    /// Folders of the catalogue and files of certificates that `file` names are relative to it.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] with every unknown key, wrong type, value out of range and contradiction.
    pub fn load(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        flags: &Overrides,
    ) -> Result<Self, SettingsError> {
        let layers = Layers::new(file, env, flags)?;
        let mut reader = Reader::new(&layers);
        reader.check_sections(&[
            "http",
            "mqtt",
            "store",
            "deadletters",
            "facts",
            "catalogue",
            "map",
            "advice",
            "log",
        ]);
        let http = reader.section("http");
        let mqtt = reader.section::<MqttSettings>("mqtt");
        let store = reader.section("store");
        let dead_letters = reader.section("deadletters");
        let facts = reader.section("facts");
        let catalogue = reader.section::<CatalogueSettings>("catalogue");
        let map = reader.section("map");
        let advice = reader.section("advice");
        let log = reader.section("log");
        let mut problems = reader.into_problems();

        let (
            Some(http),
            Some(mut mqtt),
            Some(store),
            Some(dead_letters),
            Some(facts),
            Some(mut catalogue),
            Some(map),
            Some(advice),
            Some(log),
        ) = (http, mqtt, store, dead_letters, facts, catalogue, map, advice, log)
        else {
            return Err(SettingsError { problems });
        };
        if let Some(folder) = file.and_then(Path::parent)
            && layers.is_from_file("catalogue.folders")
        {
            catalogue.folders.iter_mut().for_each(|own| *own = folder.join(&*own));
        }
        if let Some(folder) = file.and_then(Path::parent) {
            for (key, path) in mqtt.paths() {
                if layers.is_from_file(&key) {
                    *path = folder.join(&*path);
                }
            }
        }
        let settings =
            Self { http, mqtt, store, dead_letters, facts, catalogue, map, advice, log, layers };
        // A mistaken key leaves a gap that would look like a contradiction.
        if problems.is_empty() {
            check::check(&settings, &settings.layers, &mut problems);
        }
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError { problems }) }
    }

    /// Whether every profile that a subscription names is in the catalogue.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] with each that is not, and the nearest one that is.
    pub fn check_profiles(&self, catalogue: &Catalogue) -> Result<(), SettingsError> {
        let mut problems = Vec::new();
        check::check_profiles(self, &self.layers, catalogue, &mut problems);
        if problems.is_empty() { Ok(()) } else { Err(SettingsError { problems }) }
    }

    /// What holds, as TOML: secrets hidden, behind each value where it came from.
    pub fn show(&self) -> String {
        show::show(self, &self.layers)
    }
}

#[cfg(test)]
mod tests;
