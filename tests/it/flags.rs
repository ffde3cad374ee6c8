//! Quality flags as people get them: of a file, of an export, of the API.

use std::{collections::BTreeSet, fmt::Write, path::Path};

use serde_json::Value;

use crate::plotwise::{Plotwise, shared};

/// 2026-05-01T00:00:00Z.
const START_S: i64 = 1_777_593_600;

/// Hourly moisture: a spike, a rise without rain, then frozen at mid-range for 140 hours.
fn moisture(hour: i64) -> f64 {
    let calm = 0.2 + ((hour * 7919) % 23) as f64 / 10_000.0;
    match hour {
        30 => 0.31,
        60..66 => calm + (hour - 59) as f64 / 100.0,
        66..100 => 0.26 + calm / 100.0,
        100..240 => 0.231,
        _ => calm,
    }
}

fn readings(header: &str, row: impl Fn(i64) -> String) -> String {
    let mut text = format!("{header}\n");
    for hour in 0..240 {
        writeln!(text, "{}", row(hour)).expect("a text grows");
    }
    text
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

/// Hours whose row ends with flags that hold this code.
fn hours_with(csv: &str, code: &str) -> Vec<usize> {
    let rows = csv.lines().skip(1).enumerate();
    let has =
        |row: &str| row.rsplit(',').next().is_some_and(|it| it.split(';').any(|one| one == code));
    rows.filter(|(_, row)| has(row)).map(|(hour, _)| hour).collect()
}

#[test]
fn a_file_gets_a_column_of_flags_and_keeps_every_byte_before_it() {
    let plotwise = Plotwise::new();
    let file = readings("time,soil_moisture,rain,note", |hour| {
        format!("{},{:.4},0,\"a, b\"", START_S + hour * 3600, moisture(hour))
    });
    let path = plotwise.file("logger.csv", &file);
    let flagged = plotwise.ok(&["flag", text(&path), "--depth", "0.05"]);
    for (line, before) in flagged.lines().zip(file.lines()) {
        assert_eq!(line.rsplit_once(',').map(|(kept, _)| kept), Some(before));
    }
    assert_eq!(flagged.lines().count(), file.lines().count());
    assert_eq!(hours_with(&flagged, "D06"), [30]);
    assert_eq!(hours_with(&flagged, "S"), (100..240).collect::<Vec<_>>());
    assert!(hours_with(&flagged, "D04").contains(&61));
    for water in ["irrigated", "flooded"] {
        let flagged = plotwise.ok(&["flag", text(&path), "--depth", "0.05", "--water", water]);
        assert!(hours_with(&flagged, "D04").is_empty(), "{water}");
    }
    let full = plotwise.ok(&["flag", text(&path), "--saturation", "25%"]);
    assert!(hours_with(&full, "C03").contains(&30));
    assert!(!plotwise.data().exists(), "no data directory is needed or made");
}

#[test]
fn a_file_that_cannot_be_flagged_says_where_and_why() {
    let plotwise = Plotwise::new();
    let file = plotwise.file("bad.csv", "time,soil_moisture\n2026-05-01T00:00:00Z,wet\n");
    let error = plotwise.refused(&["flag", text(&file)]);
    assert!(error.contains("line 2, soil_moisture: found \"wet\""), "{error}");
    let error = plotwise.refused(&["flag", "nowhere.csv"]);
    assert!(error.contains("nowhere.csv"), "{error}");
    for wrong in [["--saturation", "45"], ["--water", "damp"], ["--depth", "-1"]] {
        let output = plotwise.run(&["flag", text(&file), wrong[0], wrong[1]]);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn hourly_flags_of_a_file_are_those_of_the_ismn() {
    let Some(folder) = shared("the reference answer of the ISMN's code") else { return };
    let plotwise = Plotwise::new();
    let path = folder.join("agronomy/reference/flagit-reference.csv");
    let mut reference = csv::Reader::from_path(path).expect("the reference answer");
    let (mut file, mut wanted) =
        ("time,soil_moisture,soil_temperature,air_temperature,rain\n".to_owned(), vec![]);
    for row in reference.records() {
        let row = row.expect("a row");
        let share =
            row[1].parse::<f64>().map_or_else(|_| String::new(), |it| (it / 100.0).to_string());
        writeln!(file, "{},{share},{},{},{}", &row[0], &row[2], &row[3], &row[4]).expect("a text");
        let codes = row[7].split(';').filter(|code| !["G", "D03", "D05", ""].contains(code));
        wanted.push(codes.map(str::to_owned).collect::<BTreeSet<_>>());
    }
    let path = plotwise.file("reference.csv", &file);
    let arguments = ["flag", text(&path), "--saturation", "0.427", "--depth", "0.09"];
    let flagged = plotwise.ok(&arguments);
    assert_eq!(flagged.lines().count(), wanted.len() + 1);
    for (nth, (line, wanted)) in flagged.lines().skip(1).zip(&wanted).enumerate() {
        let codes = line.rsplit(',').next().expect("a cell").split(';');
        let found: BTreeSet<_> = codes.filter(|code| !code.is_empty()).map(str::to_owned).collect();
        assert_eq!(found, *wanted, "row {nth}: {line}");
    }
}

/// Codes of each hour by the API, raw.
fn codes_of(series: &Value) -> Vec<Vec<&str>> {
    let items = series["items"].as_array().expect("items");
    let codes = items.iter().map(|item| item["flags"].as_array().expect("flags"));
    codes.map(|codes| codes.iter().filter_map(Value::as_str).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_days_and_exports_agree_on_what_is_flagged() {
    let plotwise = Plotwise::new();
    plotwise.ok(&["cooperatives", "add", "coop", "--name", "Co-op", "--timezone", "UTC"]);
    let plots = "id,name,cooperative,land_type,water,latitude,longitude,area_mu\n\
                 rain,Rain-fed,coop,dry,rain_fed,28.2,112.5,3\n\
                 pump,Irrigated,coop,irrigated,irrigated,28.2,112.6,3\n";
    let devices = "device,cooperative,plot,profile,depth_m\n\
                   rain-1,coop,rain,native,0.05\npump-1,coop,pump,native,0.05\n\
                   gauge-1,coop,rain,native,\ngauge-2,coop,pump,native,\n";
    plotwise.ok(&["import", "plots", text(&plotwise.file("plots.csv", plots))]);
    plotwise.ok(&["import", "devices", text(&plotwise.file("devices.csv", devices))]);
    let rows = readings("device,time,quantity,value", |hour| {
        let time = START_S + hour * 3600;
        let value = moisture(hour);
        format!(
            "rain-1,{time},soil_moisture,{value:.4}\npump-1,{time},soil_moisture,{value:.4}\n\
             gauge-1,{time},rain,0\ngauge-2,{time},rain,0"
        )
    });
    plotwise.ok(&["import", "readings", text(&plotwise.file("readings.csv", &rows))]);

    let serving = plotwise.serve().await;
    let window = "quantity=soil_moisture&from=2026-05-01T00:00:00Z&to=2026-05-11T00:00:00Z";
    for (plot, is_rain_fed) in [("rain", true), ("pump", false)] {
        let path = format!("/api/v1/plots/{plot}/readings?{window}");
        let raw = serving.get(&format!("{path}&step=raw")).await;
        let codes = codes_of(&raw);
        assert_eq!(codes.len(), 240);
        assert!(codes[30].contains(&"D06"), "{plot}");
        assert!(codes[100..].iter().all(|codes| codes.contains(&"S")), "{plot}");
        assert_eq!(codes[61].contains(&"D04"), is_rain_fed, "{plot}");

        let flagged = codes.iter().filter(|codes| !codes.is_empty()).count();
        assert_eq!(raw["flagged"], flagged);
        for step in ["hour", "day"] {
            let series = serving.get(&format!("{path}&step={step}")).await;
            assert_eq!(series["flagged"], flagged, "{plot} by the {step}");
        }
        let exported = plotwise.ok(&["export", "readings", "--plot", plot]);
        let of_moisture = exported.lines().filter(|line| line.contains(",soil_moisture,"));
        let exported: Vec<Vec<&str>> = of_moisture
            .map(|line| {
                let flags = line.split(',').nth(6).expect("a column of flags");
                flags.split(';').filter(|code| !code.is_empty()).collect()
            })
            .collect();
        assert_eq!(exported, codes, "{plot}");
    }
}
