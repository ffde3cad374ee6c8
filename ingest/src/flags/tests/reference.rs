//! The answer of the ISMN's own code, row for row.

use std::path::PathBuf;

use jiff::civil::DateTime;
use plotwise_config::{catalogue::Catalogue, land::Water};

use crate::flags::*;

/// Flags that need a weather model, which Plotwise does not have.
const NOT_OURS: [&str; 2] = ["D03", "D05"];

/// 696 hourly rows with the flags that flagit 0.3 gives them, saturation 42.7 %, depth 0.09 m; `None`
/// with a word on stderr where they are not at hand.
fn reference() -> Option<PathBuf> {
    let folder = std::env::var_os("PLOTWISE_SHARED").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("the reference answer: skipped, PLOTWISE_SHARED does not name its folder");
    }
    folder.map(|folder| folder.join("agronomy/reference/flagit-reference.csv"))
}

#[test]
fn hourly_flags_are_those_of_the_ismn_row_for_row() {
    let Some(path) = reference() else { return };
    let mut rows = csv::Reader::from_path(path).unwrap();
    let header = rows.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|column| column == name).unwrap();
    let columns = ["soil_moisture", "soil_temperature", "air_temperature", "precipitation"];
    let mut series: [Vec<TimedReading>; 4] = Default::default();
    let mut wanted = Vec::new();
    for row in rows.records() {
        let row = row.unwrap();
        let time: DateTime = row[place("utc")].parse().unwrap();
        let time = time.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
        for (nth, column) in columns.iter().enumerate() {
            let Ok(value) = row[place(column)].parse::<f64>() else { continue };
            let value = if nth == 0 { value / 100.0 } else { value };
            series[nth].push(TimedReading { time, value, flags: Flags::NONE });
        }
        // The row without a value has no flags there, and is no reading here.
        if !row[place("soil_moisture")].is_empty() {
            let codes = row[place("qflag")].split(';').map(str::to_owned);
            let ours = codes.filter(|code| code != "G" && !NOT_OURS.contains(&code.as_str()));
            wanted.push(ours.collect::<Vec<_>>());
        }
    }
    let catalogue = Catalogue::shipped().unwrap();
    let quantity = catalogue.quantity(catalogue.quantity_no("soil_moisture").unwrap());
    let [moisture, soil, air, rain] = &series;
    let companions =
        Companions { soil_temperature: vec![soil], air_temperature: vec![air], rain: vec![rain] };
    let context = Context {
        quantity,
        depth: DepthMm::from_metres(0.09),
        land: &Land::under(Water::RainFed, Some(0.427)),
        companions: &companions,
        extent: Extent::Whole,
    };
    let mut flags = Vec::new();
    flag(moisture, &context, &mut flags);
    let found: Vec<Vec<String>> =
        flags.iter().map(|flags| flags.codes().map(str::to_owned).collect()).collect();
    assert_eq!((found.len(), wanted.len()), (695, 695));
    let mut differ = Vec::new();
    for (row, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
        if found != wanted {
            differ.push(format!("{row}: {found:?}, wanted {wanted:?}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}
