//! What an operator watches: every count is told, and the dashboard asks for nothing that is not.

use std::collections::BTreeMap;

use crate::{
    mosquitto::Mosquitto,
    plotwise::{Plotwise, Serving},
    sensor::{Answer, Sensor, Version},
};

const GOOD: &[u8] = br#"{"time": 1767225600000, "readings": {"soil_moisture": 0.231}}"#;

/// The samples of a scrape: name with its labels, and value.
async fn scrape(serving: &Serving) -> BTreeMap<String, f64> {
    let answer = reqwest::get(serving.url("/metrics")).await.expect("an answer");
    let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = answer.text().await.expect("text");
    assert!(text.ends_with("# EOF\n"), "{text}");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name.to_owned(), value.parse().expect("a number"))
        })
        .collect()
}

#[tokio::test]
async fn what_came_in_is_counted_by_what_became_of_it() {
    let plotwise = Plotwise::new();
    plotwise.ok(&["cooperatives", "add", "coop", "--name", "Co-op"]);
    let added = plotwise.json(&["devices", "add", "probe-1", "--cooperative", "coop"]);
    let token = added["token"].as_str().expect("a token");
    let serving = plotwise.serve().await;
    let mut probe = Sensor::connect(&serving.mqtt, Version::V5, "probe-1", token).expect("let in");
    let other_value = br#"{"time": 1767225600000, "readings": {"soil_moisture": 0.5}}"#;
    let no_time = br#"{"readings": {"soil_moisture": 0.3}}"#;
    for payload in [GOOD, GOOD, other_value, no_time, b"no JSON"] {
        assert_eq!(probe.publish("probe-1", payload), Answer::Acknowledged(0));
    }
    assert_eq!(probe.publish("probe-2", GOOD), Answer::Acknowledged(0x87));
    let counts = scrape(&serving).await;
    for (name, wanted) in [
        ("plotwise_observations_accepted_total", 4.0),
        ("plotwise_observations_stored_total", 2.0),
        ("plotwise_observations_duplicate_total", 1.0),
        (r#"plotwise_dead_letters_total{reason="conflict"}"#, 1.0),
        (r#"plotwise_dead_letters_total{reason="not_json"}"#, 1.0),
        (r#"plotwise_dead_letters_total{reason="not_allowed"}"#, 1.0),
        (r#"plotwise_dead_letters_total{reason="too_large"}"#, 0.0),
        (r#"plotwise_readings_flagged_total{flag="T"}"#, 1.0),
        (r#"plotwise_readings_flagged_total{flag="X"}"#, 0.0),
        (r#"plotwise_listener_events_total{event="not_allowed"}"#, 1.0),
        (r#"plotwise_devices{state="on_time"}"#, 1.0),
        (r#"plotwise_devices{state="never"}"#, 0.0),
        ("plotwise_connections", 1.0),
        ("plotwise_queue_depth", 0.0),
        ("plotwise_stalled", 0.0),
    ] {
        assert_eq!(counts.get(name), Some(&wanted), "{name} in {counts:#?}");
    }
    // Each was acknowledged before the next was sent: a commit each.
    assert_eq!(counts.get("plotwise_commit_seconds_count"), Some(&6.0));
    assert!(counts["plotwise_commit_seconds_sum"] > 0.0);
}

#[tokio::test]
async fn the_dashboard_asks_for_metrics_that_there_are() {
    let plotwise = Plotwise::new();
    let broker = Mosquitto::start().await;
    let settings = format!(
        "[[mqtt.link]]\nurl = \"mqtt://{}\"\nclient_id = \"p\"\ncooperatives = [\"coop\"]\n\
         [[mqtt.link.subscription]]\nfilter = \"plotwise/v1/+/up\"\ndecoder = \"native\"\n",
        broker.address,
    );
    let file = plotwise.file("plotwise.toml", &settings);
    plotwise.ok(&["cooperatives", "add", "coop", "--name", "Co-op"]);
    let file = file.to_str().expect("UTF-8");
    let serving = plotwise.serve_with(&["--config", file]).await;
    let counts = scrape(&serving).await;
    let dashboard = plotwise.ok(&["config", "grafana"]);
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).expect("JSON");
    let panels = dashboard["dashboard"]["panels"].as_array().expect("panels");
    let mut asked = 0;
    for target in panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets")) {
        let expression = target["expr"].as_str().expect("an expression");
        let is_name = |byte: char| byte.is_ascii_alphanumeric() || byte == '_';
        for word in expression.split(|byte| !is_name(byte)) {
            if word.starts_with("plotwise_") {
                asked += 1;
                let is_there = counts.keys().any(|name| name.split('{').next() == Some(word));
                assert!(is_there, "{word} in {counts:#?}");
            }
        }
    }
    assert!(asked > 10, "{asked}");
}
