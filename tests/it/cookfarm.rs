//! The real readings of the Cook Agronomy Farm: 326,476 values of 42 stations, by every way in, each
//! kept once and equal, whatever is killed on the way.

mod farm;

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;

use crate::{
    mosquitto::Mosquitto,
    plotwise::{Plotwise, Serving, free_address, until},
};
use farm::{COOPERATIVE, Farm, parse_export, text};

/// Two years of readings in some eight seconds: time enough to kill things on the way.
const SPEED: &str = "8000000";

/// Where messages are published to, and as whom.
struct Target<'t> {
    url: String,
    tokens: Option<&'t Path>,
}

impl Target<'_> {
    fn replay<'a>(&'a self, file: &'a Path, speed: &'a str) -> Vec<&'a str> {
        let mut arguments = vec!["replay", text(file), "--to", &self.url, "--speed", speed];
        // A connection for every station, as sensors have.
        arguments.extend(["--connections", "42"]);
        if let Some(tokens) = self.tokens {
            arguments.extend(["--tokens", text(tokens)]);
        }
        arguments
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn real_readings_through_the_listener_are_stored_once_whatever_is_killed() {
    let Some(farm) = Farm::read("listener") else { return };
    let plotwise = Plotwise::new();
    let tokens = farm.settle(&plotwise);
    let serving = plotwise.serve().await;
    let url = format!("mqtt://{}", serving.mqtt);
    let target = Target { url, tokens: Some(&tokens) };
    ordeal(&farm, &plotwise, serving, &target, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn real_readings_through_a_broker_and_the_link_are_stored_once_whatever_is_killed() {
    let Some(farm) = Farm::read("link") else { return };
    let plotwise = Plotwise::new();
    farm.settle(&plotwise);
    let broker = Mosquitto::start().await;
    let settings = plotwise.file("plotwise.toml", &link(&broker.address));
    let arguments = ["--config", text(&settings)];
    let serving = plotwise.serve_at(&free_address(), &free_address(), &arguments).await;
    broker.has_subscriber("plotwise/v1/+/up").await;
    let target = Target { url: format!("mqtt://{}", broker.address), tokens: None };
    ordeal(&farm, &plotwise, serving, &target, &arguments).await;
}

#[test]
fn real_readings_of_a_file_give_each_plot_its_own_profile_and_advice() {
    let Some(farm) = Farm::read("import") else { return };
    let plotwise = Plotwise::new();
    farm.settle(&plotwise);
    let file = plotwise.file("readings.csv", &farm.readings_csv());
    let report = plotwise.json(&["import", "readings", text(&file)]);
    assert_eq!(report["rows"], farm.messages(), "{report}");
    assert_eq!(report["rows"], report["new"], "{report}");
    compare(&farm, &plotwise);

    let advice = plotwise.json(&["advise", "--on", "2012-12-30", "--top", "100"]);
    let advice = advice.as_array().expect("an array of advice");
    assert_eq!(advice.len(), 42);
    let distinct = |field: &str| {
        advice.iter().map(|advice| advice[field].to_string()).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(distinct("site"), 42, "every plot has a profile of its own");
    assert!(distinct("ranked") > 10, "the advice differs from plot to plot");
    for advice in advice {
        let plot = advice["plot"].as_str().expect("a key");
        assert!(advice["site"]["soil_moisture_mean"]["value"].is_number(), "{plot}");
        assert_eq!(advice["simulated"], false, "{plot}");
        if let Some(ph) = farm.topsoil_ph.get(plot) {
            check_soil_ph(advice, plot, ph);
        }
    }
}

/// The profile holds the laboratory's pH, and reasons for, against or exclusions name it.
fn check_soil_ph(advice: &Value, plot: &str, ph: &str) {
    let wanted: f64 = ph.parse().expect("a pH");
    let found = advice["site"]["soil_ph_median"]["value"].as_f64();
    assert_eq!(found, Some(wanted), "{plot}: {}", advice["site"]);
    let lines = advice["ranked"].as_array().expect("ranked lines");
    let reasons = lines.iter().flat_map(|line| line["reasons"].as_array().expect("reasons"));
    let mut texts: Vec<&Value> = reasons
        .filter(|reason| reason["factor"] == "soil_ph")
        .map(|reason| &reason["text"])
        .collect();
    let ruled_out = advice["ruled_out"].as_array().expect("exclusions");
    texts.extend(ruled_out.iter().map(|excluded| &excluded["text"]));
    // To a tenth, and no zero behind the point.
    let figure = ((wanted * 10.0).round() / 10.0).to_string();
    let names = |text: &&Value| {
        text["en"].as_str().is_some_and(|text| text.contains("pH") && text.contains(&figure))
    };
    assert!(texts.iter().any(names), "{plot}: no reason names pH {figure}: {texts:?}");
}

/// Sends everything while Plotwise gets kill -9 five times and `replay` once; then sends everything
/// again, and imports it too. What is kept are the readings, each once and equal.
async fn ordeal(
    farm: &Farm,
    plotwise: &Plotwise,
    mut serving: Serving,
    target: &Target<'_>,
    arguments: &[&str],
) {
    let file = plotwise.file("readings.csv", &farm.readings_csv());
    let messages = farm.messages();
    let replay = plotwise.start(&target.replay(&file, SPEED));
    for sixth in 1..=2 {
        stored(plotwise, messages * sixth / 6).await;
        serving = restarted(plotwise, serving, arguments).await;
    }
    stored(plotwise, messages / 2).await;
    replay.kill();

    let again = plotwise.start(&target.replay(&file, SPEED));
    for twelfth in [7, 9, 11] {
        stored(plotwise, messages * twelfth / 12).await;
        serving = restarted(plotwise, serving, arguments).await;
    }
    again.succeeds("the second replay").await;
    stored(plotwise, messages).await;
    compare(farm, plotwise);

    plotwise.ok(&target.replay(&file, "max"));
    let report = plotwise.json(&["import", "readings", text(&file)]);
    assert_eq!(report["rows"], messages, "{report}");
    assert_eq!(report["rows"], report["same"], "nothing is new or changed: {report}");
    let (_, status) = serving.terminate();
    assert!(status.success(), "SIGTERM: {status}");
    compare(farm, plotwise);
    let letters = plotwise.json(&["deadletters", "list"]);
    assert_eq!(letters.as_array().map(Vec::len), Some(0), "{letters}");
}

/// kill -9, and a new start on the same addresses.
async fn restarted(plotwise: &Plotwise, serving: Serving, arguments: &[&str]) -> Serving {
    let (http, mqtt) = (serving.http.clone(), serving.mqtt.clone());
    serving.kill();
    plotwise.serve_at(&http, &mqtt, arguments).await
}

/// Waits until so many observations are on disk.
async fn stored(plotwise: &Plotwise, observations: usize) {
    let what = format!("{observations} observations are stored");
    until(&what, async || plotwise.observations() >= observations).await;
}

/// All of them, value by value.
fn compare(farm: &Farm, plotwise: &Plotwise) {
    let found = parse_export(&plotwise.ok(&["export", "readings"]));
    let missing = farm.readings.iter().find(|(key, value)| found.get(*key) != Some(value));
    assert_eq!(missing, None, "missing or different in the export");
    assert_eq!(found.len(), farm.readings.len(), "more is exported than was sent");
}

fn link(address: &str) -> String {
    format!(
        "[[mqtt.link]]\nurl = \"mqtt://{address}\"\nclient_id = \"plotwise-cookfarm\"\n\
         cooperatives = [\"{COOPERATIVE}\"]\n\n\
         [[mqtt.link.subscription]]\nfilter = \"plotwise/v1/+/up\"\ndecoder = \"native\"\n"
    )
}
