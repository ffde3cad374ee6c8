//! Charts by the day and profiles rest on summaries that are kept; what is new shows in them at once.

use serde_json::{Value, json};

use crate::{
    plotwise::{Plotwise, Serving, until},
    sensor::{Answer, Sensor, Version},
};

const HOUR_MS: i64 = 3_600_000;
/// 2026-03-01 in China.
const START_MS: i64 = 1_772_294_400_000;
const DAYS: i64 = 40;

/// A plot with a probe that measured every hour of 40 days; its token.
fn plot_with_a_record(plotwise: &Plotwise) -> String {
    plotwise.ok(&["cooperatives", "add", "coop", "--name", "Co-op"]);
    let plots = "id,name,cooperative,land_type,latitude,longitude,area_mu\n\
                 p-1,One,coop,dry,28.2,112.5,3\n";
    let plots = plotwise.file("plots.csv", plots);
    plotwise.ok(&["import", "plots", plots.to_str().expect("a path")]);
    let place = ["--plot", "p-1", "--depth", "0.2", "--cooperative", "coop"];
    let added = plotwise.json(&[&["devices", "add", "probe-1"], &place[..]].concat());
    let lines = (0..DAYS * 24).map(|hour| {
        let moisture = 2000 + hour % 24;
        format!("probe-1,{},0.{moisture},5.{}\n", START_MS + hour * HOUR_MS, 5 + hour % 2)
    });
    let file = std::iter::once("device,time,soil_moisture,soil_ph\n".to_owned()).chain(lines);
    let file = plotwise.file("readings.csv", &file.collect::<String>());
    let report = plotwise.json(&["import", "readings", file.to_str().expect("a path")]);
    assert_eq!(report["new"], DAYS * 24, "{report}");
    added["token"].as_str().expect("a token").to_owned()
}

/// Rows of summaries, and marks that no round has cleared.
fn kept(plotwise: &Plotwise) -> (i64, i64) {
    let file = plotwise.data().join("readings.db");
    let connection = rusqlite::Connection::open(file).expect("the readings");
    let count = |table| {
        let sql = format!("select count(*) from {table}");
        connection.query_row(&sql, [], |row| row.get(0)).expect("a count")
    };
    (count("day_summary"), count("changed_day"))
}

async fn days(serving: &Serving, quantity: &str) -> Vec<Value> {
    let window = "from=2026-03-01T00:00:00%2B08:00&to=2026-04-10T00:00:00%2B08:00";
    let path = format!("/api/v1/plots/p-1/readings?quantity={quantity}&step=day&{window}");
    let series = serving.get(&path).await;
    series["items"].as_array().expect("points").clone()
}

#[tokio::test]
async fn a_chart_by_the_day_shows_a_late_reading_and_a_correction_at_once() {
    let plotwise = Plotwise::new();
    let token = plot_with_a_record(&plotwise);
    let serving = plotwise.serve().await;
    until("every day is kept", async || {
        let (rows, marks) = kept(&plotwise);
        rows >= 2 && marks == 0
    })
    .await;
    let before = days(&serving, "soil_moisture").await;
    assert_eq!(before.len(), 40);
    let day = &before[7];
    assert_eq!((&day["time"], &day["depth_m"]), (&json!("2026-03-07T16:00:00Z"), &json!(0.2)));
    assert_eq!((&day["min"], &day["max"]), (&json!(0.2), &json!(0.2023)));
    assert_eq!((&day["count"], &day["flagged"]), (&json!(24), &json!(0)));

    let mut probe = Sensor::connect(&serving.mqtt, Version::V3, "probe-1", &token).expect("let in");
    let late = START_MS + 7 * 24 * HOUR_MS + HOUR_MS / 2;
    let message = format!(r#"{{"time":{late},"readings":{{"soil_moisture":0.2}}}}"#);
    assert_eq!(probe.publish("probe-1", message.as_bytes()), Answer::Acknowledged(0));
    let after = days(&serving, "soil_moisture").await;
    assert_eq!((&after[7]["count"], &after[7]["max"]), (&json!(25), &json!(0.2023)));
    assert_eq!((&after[..7], &after[8..]), (&before[..7], &before[8..]));

    let corrected = START_MS + 7 * 24 * HOUR_MS;
    let message =
        format!(r#"{{"time":{corrected},"supersede":true,"readings":{{"soil_moisture":0.198}}}}"#);
    assert_eq!(probe.publish("probe-1", message.as_bytes()), Answer::Acknowledged(0));
    let after = days(&serving, "soil_moisture").await;
    assert_eq!((&after[7]["count"], &after[7]["min"]), (&json!(25), &json!(0.198)));

    // Without the two the mean would be 0.20115.
    let profile = serving.get("/api/v1/plots/p-1/profile").await;
    let mean = profile["site"]["soil_moisture_mean"]["value"].as_f64().expect("a mean");
    assert!((0.2011..0.201_149).contains(&mean), "{profile}");
}

#[tokio::test]
async fn a_chart_is_as_fine_as_its_points_allow_whether_days_are_kept_or_not() {
    let plotwise = Plotwise::new();
    plot_with_a_record(&plotwise);
    let serving = plotwise.serve().await;
    let step = async |points: usize| {
        let window = "from=2026-03-01T00:00:00%2B08:00&to=2026-04-10T00:00:00%2B08:00";
        let path = format!("/api/v1/plots/p-1/readings?quantity=soil_ph&points={points}&{window}");
        let series = serving.get(&path).await;
        let count = series["items"].as_array().expect("points").len();
        (series["step"].as_str().expect("a step").to_owned(), count)
    };
    for _ in 0..2 {
        assert_eq!(step(960).await, ("raw".to_owned(), 960));
        assert_eq!(step(959).await, ("day".to_owned(), 40));
        until("every day is kept", async || kept(&plotwise).1 == 0).await;
    }
}
