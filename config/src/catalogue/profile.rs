//! Device profiles: how one maker's payload becomes quantities, depths and units.
//!
//! A profile is data, so that a maker nobody has seen yet needs a file and no program. It says where
//! in a JSON payload each value stands (under several names, nested, in an array keyed by an id, in a
//! text that is a log), in which unit, which values are fault codes, which frames are unusable or no
//! telemetry at all, and where the times of buffered readings stand.
//!
//! # What it leaves out
//!
//! Bytes: network servers decode them, by the maker's own codec; a condition may still look at one
//! bit of the raw frame, because some codecs leave out the bit that says what the values mean.
//!
//! # Invariants
//!
//! Nothing here looks at a payload; `plotwise-ingest` compiles a checked profile once and reads with
//! that.

mod place;

use serde::{Deserialize, Serialize};

use crate::{closest::closest, text::Text};
pub use place::{Path, Place, Scalar};

/// The profile of devices that speak Plotwise's own JSON: no file, and no file may take its name.
pub const NATIVE: &str = "native";

/// A device family of one maker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What devices and subscriptions name, for example `dragino_lse01`.
    pub key: String,
    /// Who makes them.
    pub maker: String,
    /// The models that it reads, as they are sold; searched when a name is mistyped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// The name that people read.
    pub name: Text,
    /// Where names, units and fault codes come from.
    pub source: String,
    /// Pages to read on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// Where the device's own time stands: RFC 3339, seconds or milliseconds since 1970, or date and
    /// time of day in [`Self::timezone`]. The first that is there counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub time: Vec<Path>,
    /// The zone of times that carry none, an IANA name.
    #[serde(default = "utc")]
    pub timezone: String,
    /// Where the device's own counter of messages stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seq: Vec<Path>,
    /// Depth of each probe in metres, the first probe first; `{n}` in a path is the probe's number
    /// from 1, `{i}` from 0, and makes one field a probe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probe_depths_m: Vec<f64>,
    /// Frames that are no telemetry: counted, not an error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<Condition>,
    /// Frames of which no value means what its name says: dead letters `probe_fault`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unusable: Vec<Condition>,
    /// What a frame without readings speaks of when that is in order (serial number, versions,
    /// settings): one of these and none of the fields, and it is ignored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub information: Vec<Path>,
    /// What stands at paths of the payload.
    #[serde(default, rename = "field", skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// What stands in arrays of objects that are told apart by an id.
    #[serde(default, rename = "list", skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<List>,
    /// Readings from earlier, as an array of objects with the same fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
    /// Readings from earlier, as one text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Log>,
}

/// One value of a payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Key of the quantity that it is.
    pub quantity: String,
    /// Where it stands: paths; in a list ids; in a log labels, or numbers of columns from 1. Several
    /// where versions of a decoder differ; the first that is there counts.
    pub from: Vec<Place>,
    /// Its unit, where the value itself does not say; without either the canonical one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Where the unit stands beside the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_from: Option<Path>,
    /// Depth in metres where it is not the device's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth_m: Option<f64>,
    /// When the value is a fault code: stored with flag `X`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Condition>,
    /// When the value only says that there is no probe: dropped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<Condition>,
    /// What stands in its place when measuring failed: a dead letter `probe_fault` of this reading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Path>,
}

/// Something that may hold of a frame, or of a value in it. All that it names must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Where to look; in a field's own condition, without it, at the field's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Path>,
    /// What may stand there; without it, anything but null. Numbers are compared as numbers, also
    /// where they come as text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<Scalar>,
    /// Of the text that stands there, the character of the field's probe alone is compared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub character_of_probe: bool,
    /// The LoRaWAN port is one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub port: Vec<u8>,
    /// A byte of the raw frame, counted from 0, has one of the bits of `mask`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byte: Option<u8>,
    /// The bits of `byte`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<u8>,
    /// A further condition that holds as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<Box<Condition>>,
    /// What it means, for whoever finds the message later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// An array of objects, each a value and the id of what it is; arrays in the array are gone through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Where the array stands.
    pub at: Vec<Path>,
    /// In an element: its id.
    pub id: Path,
    /// In an element: its value.
    pub value: Path,
    /// Elements that are no telemetry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<Condition>,
    /// The ids and what they are.
    #[serde(rename = "field")]
    pub fields: Vec<Field>,
}

/// Readings from earlier: an array of objects that have the profile's fields, each with its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Where the array stands.
    pub at: Vec<Path>,
    /// In an element: its time.
    pub time: Vec<Path>,
}

/// Readings from earlier as one text of entries in brackets, `[PH:5.9,time:2026-01-02 03:04:05],...`:
/// values with labels, or in a fixed order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Where the text stands.
    pub at: Vec<Path>,
    /// Label, or number of the column from 1, of the time.
    pub time: Place,
    /// What the values are.
    #[serde(rename = "field")]
    pub fields: Vec<Field>,
}

/// A profile that nobody wrote. Callers print it as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no device profile{hint}; plotwise profiles list shows all")]
pub struct UnknownProfile {
    /// What was found.
    pub found: String,
    /// " (did you mean", where something is near.
    hint: String,
}

/// What to say of a name that no profile has.
pub(super) fn unknown(found: &str, profiles: &[Profile]) -> UnknownProfile {
    let is_model = |model: &String| model.eq_ignore_ascii_case(found);
    let of_model = profiles.iter().find(|profile| profile.models.iter().any(is_model));
    let keys = || profiles.iter().map(|profile| profile.key.as_str()).chain([NATIVE]);
    let near = of_model.map(|profile| profile.key.as_str()).or_else(|| closest(found, keys()));
    let hint = near.map_or_else(String::new, |near| format!(" (did you mean {near}?)"));
    UnknownProfile { found: found.chars().take(80).collect(), hint }
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Field {
    /// Whether it stands for one field a probe.
    pub fn is_of_probe(&self) -> bool {
        self.from.iter().any(|place| matches!(place, Place::Path(path) if path.is_of_probe()))
    }
}

impl Profile {
    /// A file with this profile alone.
    ///
    /// # Errors
    ///
    /// Where TOML cannot say it; one that was read from TOML it can.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        #[derive(Serialize)]
        struct File<'p> {
            profile: [&'p Profile; 1],
        }
        toml::to_string(&File { profile: [self] })
    }

    /// Every field, wherever it stands.
    pub fn all_fields(&self) -> impl Iterator<Item = &Field> {
        let lists = self.lists.iter().flat_map(|list| &list.fields);
        let log = self.log.iter().flat_map(|log| &log.fields);
        self.fields.iter().chain(lists).chain(log)
    }
}
