//! Brings the files of the Cook Agronomy Farm into the forms that Plotwise imports.
//!
//! One device stands for each station and sends one message a day with all its depths; the data are
//! daily means without a time of day, for which noon UTC is ours. Every plot is dry farmland of silt
//! loam, moderately drained: ours too, after the names of its series (Latah, Naff, Palouse, Staley,
//! Thatuna).

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::plotwise::{Plotwise, shared};

/// The cooperative that it becomes.
pub(super) const COOPERATIVE: &str = "cookfarm";

/// Device, time, quantity, depth in mm: what a reading is, but for its value.
pub(super) type Key = (String, String, String, u32);

/// Every reading of a file; bits of the value, so that equal means equal.
pub(super) type Readings = BTreeMap<Key, u64>;

/// The converted farm.
pub(super) struct Farm {
    /// Folder of the real data.
    source: PathBuf,
    /// What every way in has to keep.
    pub(super) readings: Readings,
    /// By station, as the laboratory wrote it; one station has none.
    pub(super) topsoil_ph: BTreeMap<String, String>,
}

/// A column of `readings.csv`, and the quantity that it holds.
const QUANTITIES: [(&str, &str); 3] = [
    ("soil_moisture", "soil_moisture"),
    ("soil_temperature", "soil_temperature"),
    ("ec", "soil_ec"),
];

impl Farm {
    /// The farm; `None` with a word on stderr where the real data are not there.
    pub(super) fn read(test: &str) -> Option<Self> {
        let source = shared(test)?.join("data/cookfarm");
        let mut readings = Readings::new();
        for row in rows(&source.join("readings.csv")) {
            let depth_m: f64 = row["depth_m"].parse().expect("a depth");
            for (column, quantity) in QUANTITIES {
                if row[column].is_empty() {
                    continue;
                }
                let value: f64 = row[column].parse().expect("a number");
                let time = format!("{}T12:00:00Z", row["date"]);
                let key = (row["station"].clone(), time, quantity.to_owned(), millimetres(depth_m));
                let before = readings.insert(key, value.to_bits());
                assert!(before.is_none(), "the source has each reading once");
            }
        }
        let mut topsoil_ph = BTreeMap::new();
        for row in rows(&source.join("profiles.csv")) {
            if row["top_cm"] == "0" && !row["soil_ph"].is_empty() {
                topsoil_ph.insert(row["station"].clone(), row["soil_ph"].clone());
            }
        }
        Some(Self { source, readings, topsoil_ph })
    }

    /// Messages that carry the readings: one a device and day.
    pub(super) fn messages(&self) -> usize {
        let days = self.readings.keys().map(|(device, time, ..)| (device, time));
        days.collect::<BTreeSet<_>>().len()
    }

    /// Registers cooperative, plots, devices, samples and weather; the file of tokens.
    pub(super) fn settle(&self, plotwise: &Plotwise) -> PathBuf {
        let name = ["--name", "Cook Agronomy Farm", "--timezone", "America/Los_Angeles"];
        let place = ["--place", "46.78,-117.08"];
        plotwise.ok(&[&["cooperatives", "add", COOPERATIVE], &name[..], &place].concat());
        let tokens = plotwise.path("tokens.csv");
        let files = [
            ("plots", plotwise.file("plots.geojson", &self.plots()), vec![]),
            (
                "devices",
                plotwise.file("devices.csv", &self.devices()),
                vec!["--tokens", text(&tokens)],
            ),
            ("samples", plotwise.file("samples.csv", &self.samples()), vec![]),
            ("climate", plotwise.file("climate.csv", &self.climate()), vec![]),
        ];
        for (kind, file, more) in files {
            let report = plotwise.json(&[&["import", kind, text(&file)], &more[..]].concat());
            assert_eq!(report["rows"], report["new"], "import {kind}: {report}");
        }
        tokens
    }

    /// All readings as a wide file, in order of time.
    pub(super) fn readings_csv(&self) -> String {
        let columns: BTreeSet<(u32, &str)> = self
            .readings
            .keys()
            .map(|(_, _, quantity, depth)| (*depth, quantity.as_str()))
            .collect();
        let mut lines = BTreeMap::<_, BTreeMap<_, u64>>::new();
        for ((device, time, quantity, depth), bits) in &self.readings {
            let line = lines.entry((time, device)).or_default();
            line.insert((*depth, quantity.as_str()), *bits);
        }
        let mut file = "device,time".to_owned();
        for (depth, quantity) in &columns {
            let _ = write!(file, ",{quantity}@{}", f64::from(*depth) / 1000.0);
        }
        for ((time, device), values) in lines {
            let _ = write!(file, "\n{device},{time}");
            for column in &columns {
                let cell = values.get(column).map(|bits| f64::from_bits(*bits).to_string());
                let _ = write!(file, ",{}", cell.unwrap_or_default());
            }
        }
        file.push('\n');
        file
    }

    fn plots(&self) -> String {
        let source = std::fs::read_to_string(self.source.join("plots.geojson")).expect("the plots");
        let source: Value = serde_json::from_str(&source).expect("the plots are JSON");
        let features: Vec<Value> = source["features"]
            .as_array()
            .expect("features")
            .iter()
            .map(|feature| {
                let id = &feature["id"];
                let properties = json!({
                    "id": id, "name": id, "cooperative": COOPERATIVE, "land_type": "dry",
                    "soil_texture": "silt_loam", "drainage": "moderate",
                });
                json!({"type": "Feature", "properties": properties, "geometry": feature["geometry"]})
            })
            .collect();
        json!({"type": "FeatureCollection", "features": features}).to_string()
    }

    fn devices(&self) -> String {
        let stations: BTreeSet<&str> = self.readings.keys().map(|key| key.0.as_str()).collect();
        let mut file = "device,cooperative,plot,profile\n".to_owned();
        for station in stations {
            let _ = writeln!(file, "{station},{COOPERATIVE},{station},native");
        }
        file
    }

    /// The topsoil's pH, as of the day before the first reading.
    fn samples(&self) -> String {
        let mut file = "plot,sampled_on,depth_m,quantity,value,unit,laboratory,method\n".to_owned();
        for (station, ph) in &self.topsoil_ph {
            let _ = writeln!(file, "{station},2011-01-01,0.1,soil_ph,{ph},[pH],Cook,");
        }
        file
    }

    fn climate(&self) -> String {
        let mut file = "date,air_temperature_max,air_temperature_min,rain\n".to_owned();
        for row in rows(&self.source.join("weather.csv")) {
            let [high, low] = ["air_temperature_max_c", "air_temperature_min_c"];
            let (date, rain) = (&row["date"], &row["precipitation_mm"]);
            let _ = writeln!(file, "{date},{},{},{rain}", row[high], row[low]);
        }
        file
    }
}

/// What `export readings` wrote; fails where a reading is there twice.
pub(super) fn parse_export(text: &str) -> Readings {
    let (head, _) = text.split_once('\n').expect("a header");
    assert_eq!(head, "device,time,received,quantity,depth_m,value,flags,simulated");
    let mut readings = Readings::new();
    for row in csv::Reader::from_reader(text.as_bytes()).records() {
        let row = row.expect("a CSV file");
        assert_eq!((&row[6], &row[7]), ("", "false"), "flagged, or called simulated: {row:?}");
        let depth_m: f64 = row[4].parse().expect("a depth");
        let value: f64 = row[5].parse().expect("a number");
        let key = (row[0].to_owned(), row[1].to_owned(), row[3].to_owned(), millimetres(depth_m));
        let before = readings.insert(key, value.to_bits());
        assert!(before.is_none(), "exported twice: {row:?}");
    }
    readings
}

/// A path as an argument.
pub(super) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn rows(file: &Path) -> Vec<BTreeMap<String, String>> {
    let bytes = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut table = csv::Reader::from_reader(bytes.as_slice());
    table.deserialize().collect::<Result<_, _>>().expect("a CSV file")
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 60 m")]
fn millimetres(depth_m: f64) -> u32 {
    (depth_m * 1000.0).round() as u32
}
