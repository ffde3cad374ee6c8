//! An observation as a SenML pack, in JSON or CBOR.
//!
//! Values stay as they are, in the canonical unit; the unit is written where SenML has it under the same
//! or another name, and left out where it has not. `seq` and `supersede` have no place in SenML.

use std::fmt::Write as _;

use cbor4ii::core::{enc::Encode, types, utils::BufWriter};
use plotwise_config::{
    catalogue::quantity::Quantity,
    reading::{Flags, Observation, Reading},
};
use serde_json::{Map, Value as Json};

use super::record::Label;

/// Canonical unit and what SenML's registry calls it; units of RFC 8798 would ask for another version.
const UNITS: [(&str, &str); 8] = [
    ("m3/m3", "/"),
    ("1", "/"),
    ("[pH]", "pH"),
    ("%", "%RH"),
    ("Cel", "Cel"),
    ("lx", "lx"),
    ("W/m2", "W/m2"),
    ("V", "V"),
];

/// A field of a record.
enum Field {
    Text(String),
    Number(f64),
}

/// The pack in JSON; `quantities` are the catalogue's.
pub fn json(observation: &Observation, quantities: &[Quantity]) -> String {
    let records = records(observation, quantities).map(|record| {
        let fields = record.into_iter().map(|(label, field)| {
            let value = match field {
                Field::Text(text) => Json::from(text),
                Field::Number(number) => Json::from(number),
            };
            (label.text().to_owned(), value)
        });
        Json::Object(fields.collect::<Map<_, _>>())
    });
    Json::Array(records.collect()).to_string()
}

/// The pack in CBOR.
pub fn cbor(observation: &Observation, quantities: &[Quantity]) -> Vec<u8> {
    let mut out = BufWriter::new(Vec::new());
    // Fails only where there is no memory left, and then other things fail first.
    let _ = write_cbor(observation, quantities, &mut out);
    out.into_inner()
}

fn write_cbor(
    observation: &Observation,
    quantities: &[Quantity],
    out: &mut BufWriter,
) -> Result<(), cbor4ii::core::enc::Error<std::collections::TryReserveError>> {
    types::Array::bounded(observation.readings.len(), out)?;
    for record in records(observation, quantities) {
        types::Map::bounded(record.len(), out)?;
        for (label, field) in record {
            label.number().encode(out)?;
            match field {
                Field::Text(text) => text.encode(out)?,
                Field::Number(number) => number.encode(out)?,
            }
        }
    }
    Ok(())
}

fn records(
    observation: &Observation,
    quantities: &[Quantity],
) -> impl Iterator<Item = Vec<(Label, Field)>> {
    observation.readings.iter().enumerate().map(|(place, reading)| {
        let mut record = if place == 0 { base(observation) } else { Vec::new() };
        let quantity = &quantities[usize::from(reading.quantity.0)];
        record.push((Label::Name, Field::Text(name(reading, quantity))));
        if let Some((_, unit)) = UNITS.iter().find(|(canonical, _)| *canonical == quantity.unit) {
            record.push((Label::Unit, Field::Text((*unit).to_owned())));
        }
        record.push((Label::Value, Field::Number(reading.value)));
        record
    })
}

/// What stands once, in the first record.
fn base(observation: &Observation) -> Vec<(Label, Field)> {
    let mut fields = Vec::new();
    let device = observation.device.as_str();
    // A name begins with a letter or digit (RFC 8428, 4.5.1); the topic names the device anyway.
    if device.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        fields.push((Label::BaseName, Field::Text(format!("{device}/"))));
    }
    let is_from_arrival =
        observation.readings.iter().any(|reading| reading.flags.has(Flags::TIME_FROM_ARRIVAL));
    if !is_from_arrival {
        let time_s = observation.measured.as_millisecond() as f64 / 1e3;
        fields.push((Label::BaseTime, Field::Number(time_s)));
    }
    fields
}

fn name(reading: &Reading, quantity: &Quantity) -> String {
    let mut name = quantity.key.clone();
    if let Some(depth) = reading.depth {
        // Writing to a String cannot fail.
        let _ = write!(name, "/{}", depth.metres());
    }
    name
}
