//! Recorded readings as the messages of the sensors that made them.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context, bail};
use jiff::{Timestamp, tz::TimeZone};
use plotwise_config::{
    catalogue::Catalogue,
    id::{CooperativeId, DeviceId},
    reading::Observation,
};
use plotwise_ingest::{
    decode::senml,
    directory::{Directory, Entry},
    import::{Options, parse_readings},
};
use serde_json::{Map, Value, json};

use super::WrittenAs;

/// Reads a file of readings, wide or long.
pub(super) fn read(
    path: &Path,
    catalogue: &Catalogue,
    timezone: Option<TimeZone>,
    now: Timestamp,
) -> anyhow::Result<Vec<Observation>> {
    let bytes =
        std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let directory = everybody_in(&bytes)?;
    let options = Options { timezone, ..Options::new(now) };
    match parse_readings(&bytes, &options, catalogue, &directory) {
        Ok(readings) => Ok(readings.collect()),
        Err(errors) => bail!("{}: {errors}", path.display()),
    }
}

/// A directory of every device that the file names: whether they are registered is the receiver's
/// business.
fn everybody_in(bytes: &[u8]) -> anyhow::Result<Directory> {
    let owner = CooperativeId::parse("replay")?;
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut file = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let column = file.headers()?.iter().position(|head| ["device", "设备"].contains(&head.trim()));
    let Some(column) = column else { bail!("the file has no column device") };
    let mut names = BTreeSet::new();
    for record in file.records() {
        let record = record?;
        // A name that is none is refused with its line when the file is checked.
        if let Ok(device) = DeviceId::parse(record.get(column).unwrap_or_default().trim()) {
            names.insert(device);
        }
    }
    Ok(Directory::new(names.into_iter().map(|device| {
        let entry = Entry {
            cooperative: owner.clone(),
            profile: "native".to_owned(),
            is_gateway: false,
            token_sha256: None,
            own_depths: Vec::new(),
        };
        (device, entry)
    })))
}

/// An observation as its sensor would send it.
pub(super) fn payload(
    observation: &Observation,
    written_as: WrittenAs,
    catalogue: &Catalogue,
) -> Vec<u8> {
    match written_as {
        WrittenAs::Native => native(observation, catalogue).into_bytes(),
        WrittenAs::Senml => senml::to_json(observation, catalogue.quantities()).into_bytes(),
        WrittenAs::SenmlCbor => senml::to_cbor(observation, catalogue.quantities()),
    }
}

/// Native JSON; numbers are written so that they read back as the same double.
fn native(observation: &Observation, catalogue: &Catalogue) -> String {
    let readings: Map<String, Value> = observation
        .readings
        .iter()
        .map(|reading| {
            let key = &catalogue.quantity(reading.quantity).key;
            let key = match reading.depth {
                Some(depth) => format!("{key}@{}", depth.metres()),
                None => key.clone(),
            };
            (key, json!(reading.value))
        })
        .collect();
    json!({ "time": observation.measured.as_millisecond(), "readings": readings }).to_string()
}
