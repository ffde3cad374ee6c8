//! Sensors of makers: the steps of README for one that nobody has seen, and frames that come through a
//! LoRaWAN network server.

use std::{fs, path::Path, time::Duration};

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::Value;

use crate::{
    mosquitto::Mosquitto,
    plotwise::{Plotwise, until},
    sensor::{Answer, Sensor, Version},
};

/// The code blocks of README's section, in their order: message, profile, check, its answer, settings,
/// registration, a try.
struct Steps(Vec<String>);

impl Steps {
    fn of_readme() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
        let text = fs::read_to_string(file).expect("README.md");
        let (_, section) =
            text.split_once("### A maker that Plotwise has never seen").expect("the section");
        let (section, _) = section.split_once("\n### ").expect("its end");
        let mut blocks: Vec<String> = Vec::new();
        let mut is_inside = false;
        for line in section.lines().map(|line| line.strip_prefix("   ").unwrap_or(line)) {
            match (line.starts_with("```"), is_inside) {
                (true, false) => blocks.push(String::new()),
                (false, true) => {
                    let block = blocks.last_mut().expect("one has begun");
                    block.push_str(line);
                    block.push('\n');
                }
                _ => {}
            }
            is_inside ^= line.starts_with("```");
        }
        assert_eq!(blocks.len(), 7, "the section has seven blocks: {blocks:#?}");
        Self(blocks)
    }

    /// The commands of a block, without the program's name and comments.
    fn commands(&self, block: usize) -> Vec<Vec<&str>> {
        let lines = self.0[block].lines().filter_map(|line| line.strip_prefix("plotwise "));
        lines.map(|line| line.split_whitespace().collect()).collect()
    }
}

/// A cooperative with one plot.
fn settled() -> Plotwise {
    let plotwise = Plotwise::new();
    plotwise.ok(&["cooperatives", "add", "ningxiang", "--name", "宁乡薯业合作社"]);
    let plots = "id,name,cooperative,land_type,latitude,longitude,area_mu\n\
                 nx-001,坡上,ningxiang,dry,28.25,112.55,3\n";
    plotwise.file("plots.csv", plots);
    plotwise.ok(&["import", "plots", "plots.csv"]);
    plotwise
}

/// Publishes at `QoS` 1 and waits until the broker has it.
async fn publish(address: &str, topic: &str, payload: &[u8]) {
    let (host, port) = address.split_once(':').expect("host and port");
    let mut options = MqttOptions::new("a-sensor", host, port.parse().expect("a port"));
    options.set_keep_alive(Duration::from_secs(20));
    let (client, mut events) = AsyncClient::new(options, 10);
    client.publish(topic, QoS::AtLeastOnce, false, payload).await.expect("room for one message");
    loop {
        if let Event::Incoming(Packet::PubAck(_)) = events.poll().await.expect("the broker answers")
        {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maker_that_plotwise_has_never_seen_needs_the_steps_of_readme_and_no_more() {
    let steps = Steps::of_readme();
    let plotwise = settled();
    let broker = Mosquitto::start().await;
    fs::create_dir(plotwise.path("profiles")).expect("a folder");
    plotwise.file("message.json", &steps.0[0]);
    plotwise.file("profiles/fieldmouse.toml", &steps.0[1]);

    let check = steps.commands(2);
    assert_eq!(plotwise.ok(&check[0]).trim(), steps.0[3].trim());

    assert!(steps.0[4].contains("127.0.0.1:1884"), "the broker's address stands in the settings");
    plotwise.file("plotwise.toml", &steps.0[4].replace("127.0.0.1:1884", &broker.address));
    let config = ["--config", "plotwise.toml"];
    plotwise.ok(&[&["config", "check"], &config[..]].concat());

    let register = steps.commands(5);
    plotwise.ok(&[&register[0][..], &config].concat());
    assert_eq!(register[1], ["serve"]);
    let serving = plotwise.serve_with(&config).await;
    broker.has_subscriber("fieldmouse/+/data").await;

    // As mosquitto_pub does.
    publish(&broker.address, "fieldmouse/fm3-0042/data", steps.0[0].trim().as_bytes()).await;
    until("the message is stored", async || plotwise.observations() == 1).await;
    let shown = &steps.commands(6)[0];
    let csv = plotwise.ok(&[&shown[..], &config].concat());
    for wanted in
        ["soil_moisture,0.2,0.231", "soil_temperature,0.2,18.4", "illuminance,", "battery,"]
    {
        assert!(csv.contains(wanted), "{wanted}: {csv}");
    }
    let profiles = serving.get("/api/v1/profiles").await;
    let keys: Vec<&str> = profiles["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|item| item["key"].as_str())
        .collect();
    assert!(keys.contains(&"fieldmouse_fm3") && keys.contains(&"dragino_lse01"), "{keys:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_brings_the_frames_of_a_network_server() {
    let plotwise = settled();
    let add = |id: &str, more: &[&str]| {
        let added =
            plotwise.json(&[&["devices", "add", id, "--cooperative", "ningxiang"], more].concat());
        added["token"].as_str().expect("a token").to_owned()
    };
    add("24e124126a148401", &["--plot", "nx-001", "--profile", "milesight_em500_smtc"]);
    let token = add("gw-1", &["--gateway"]);
    let serving = plotwise.serve().await;
    let mut gateway = Sensor::connect(&serving.mqtt, Version::V3, "gw-1", &token).expect("let in");

    let up = |device: &str, time: &str| {
        format!(
            r#"{{"deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d", "time": "{time}",
                "deviceInfo": {{"devEui": "{device}"}}, "devAddr": "00189440", "fPort": 85, "fCnt": 12,
                "data": "AXVkA2cZAQRocwV/8AA=", "rxInfo": [{{"rssi": -36, "snr": 10.5}}],
                "object": {{"battery": 100, "temperature": 28.1, "moisture": 57.5, "electricity": 240}}}}"#
        )
    };
    let topic = |device: &str, event: &str| format!("application/a/device/{device}/event/{event}");
    let (known, unknown) = ("24e124126a148401", "24e124126a148402");
    let frame = up("24E124126A148401", "2026-07-18T09:34:15.775023242+00:00");
    // Two brokers bring it, or one twice.
    for _ in 0..2 {
        let answer = gateway.publish_to(&topic(known, "up"), frame.as_bytes());
        assert_eq!(answer, Answer::Acknowledged(0));
    }
    let stranger = up(unknown, "2026-07-18T09:34:16Z");
    gateway.publish_to(&topic(unknown, "up"), stranger.as_bytes());
    let join = format!(r#"{{"deviceInfo": {{"devEui": "{known}"}}, "devAddr": "00189440"}}"#);
    for event in ["join", "status", "log"] {
        let answer = gateway.publish_to(&topic(known, event), join.as_bytes());
        assert_eq!(answer, Answer::Acknowledged(0));
    }

    assert_eq!(plotwise.observations(), 1);
    let csv = plotwise.ok(&["export", "readings"]);
    for wanted in ["soil_moisture,,0.575", "soil_ec,,0.24", "battery,,1", "rssi,,-36", "snr,,10.5"]
    {
        assert!(csv.contains(wanted), "{wanted}: {csv}");
    }
    assert!(csv.contains("2026-07-18T09:34:15.775Z"), "{csv}");
    let letters: Vec<Value> =
        serde_json::from_value(plotwise.json(&["deadletters", "list"])).expect("a list");
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(letters[0]["reason"], "unknown_device");
    let metrics = reqwest::get(serving.url("/metrics")).await.expect("metrics");
    let metrics = metrics.text().await.expect("text");
    assert!(metrics.contains("plotwise_messages_ignored_total 3"), "{metrics}");
}

#[test]
fn a_profile_that_is_not_there_is_refused_with_the_nearest() {
    let plotwise = settled();
    let add = ["devices", "add", "d1", "--cooperative", "ningxiang", "--profile"];
    let said = plotwise.refused(&[&add[..], &["LSE01"]].concat());
    assert!(said.contains("\"LSE01\"") && said.contains("did you mean dragino_lse01?"), "{said}");
    let devices = "device,cooperative,plot,profile\nd1,ningxiang,nx-001,milesight_em500\n";
    plotwise.file("devices.csv", devices);
    let said = plotwise.refused(&["import", "devices", "devices.csv"]);
    assert!(said.contains("profile") && said.contains("plotwise profiles list"), "{said}");
    let settings = "[[mqtt.link]]\nurl = \"mqtt://broker.example\"\nclient_id = \"p\"\n\
                    cooperatives = [\"ningxiang\"]\n[[mqtt.link.subscription]]\n\
                    filter = \"z/+\"\ndecoder = \"profile:zigbee2mqtt_sail\"\n";
    plotwise.file("plotwise.toml", settings);
    for command in [&["config", "check"][..], &["devices", "list"]] {
        let said = plotwise.refused(&[command, &["--config", "plotwise.toml"]].concat());
        assert!(said.contains("plotwise.toml:7") && said.contains("zigbee2mqtt_soil"), "{said}");
    }
    let broken = "[[profile]]\nkey = \"acme\"\nmaker = \"Acme\"\nname = { zh = \"甲\", en = \"Acme\" }\n\
                  source = \"manual\"\n[[profile.field]]\nquantity = \"soil_mositure\"\nfrom = [\"w\"]\n";
    plotwise.file("acme.toml", broken);
    let said = plotwise.refused(&["profiles", "check", "acme.toml"]);
    assert!(said.contains("acme.toml:7") && said.contains("did you mean soil_moisture?"), "{said}");
}
