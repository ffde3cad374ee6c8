//! Bad input: each with a clear error, and nothing changed.

use std::net::TcpListener;

use serde_json::Value;

use crate::{
    plotwise::{Plotwise, Serving, free_address, until},
    sensor::{Answer, Sensor, Version},
};

/// CONNACK "not authorized" in MQTT 3.1.1 and reason code in 5.
const NOT_AUTHORIZED: (u8, u8) = (5, 0x87);

/// DISCONNECT "packet too large" of MQTT 5.
const PACKET_TOO_LARGE: u8 = 0x95;

/// A good message.
const GOOD: &[u8] = br#"{"time": 1767225600000, "readings": {"soil_moisture": 0.231}}"#;

/// A cooperative of one plot with two probes and a gateway, running.
struct Farm {
    plotwise: Plotwise,
    serving: Serving,
    probe: String,
    gateway: String,
}

impl Farm {
    async fn start() -> Self {
        let plotwise = Plotwise::new();
        plotwise.ok(&["cooperatives", "add", "coop", "--name", "Co-op"]);
        let token = |name: &str, more: &[&str]| {
            let added =
                plotwise.json(&[&["devices", "add", name, "--cooperative", "coop"], more].concat());
            added["token"].as_str().expect("a token").to_owned()
        };
        let (probe, gateway) = (token("probe-1", &[]), token("gateway-1", &["--gateway"]));
        token("probe-2", &[]);
        let serving = plotwise.serve().await;
        Self { plotwise, serving, probe, gateway }
    }

    fn probe(&self, version: Version) -> Sensor {
        Sensor::connect(&self.serving.mqtt, version, "probe-1", &self.probe).expect("let in")
    }

    fn exported(&self) -> usize {
        self.plotwise.ok(&["export", "readings"]).lines().count() - 1
    }

    /// The newest dead letter.
    fn letter(&self) -> Value {
        let letters = self.plotwise.json(&["deadletters", "list"]);
        letters.get(0).unwrap_or_else(|| panic!("no dead letter: {letters}")).clone()
    }

    /// Publishes as the probe; it is acknowledged, not stored, and a dead letter says why.
    fn dead(&self, payload: &[u8], reason: &str) -> Value {
        let mut probe = self.probe(Version::V3);
        assert_eq!(probe.publish("probe-1", payload), Answer::Acknowledged(0));
        let letter = self.letter();
        assert_eq!(letter["reason"], reason, "{letter}");
        assert_eq!(letter["device"], "probe-1", "{letter}");
        assert_eq!(letter["payload"], String::from_utf8_lossy(payload).as_ref(), "kept as it came");
        assert_eq!(self.exported(), 0, "nothing is stored");
        letter
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_and_an_unknown_device_are_not_let_in() {
    let farm = Farm::start().await;
    let connect = |version, name, token: &str| {
        Sensor::connect(&farm.serving.mqtt, version, name, token).err()
    };
    assert_eq!(connect(Version::V3, "probe-1", "guessed"), Some(NOT_AUTHORIZED.0));
    assert_eq!(connect(Version::V5, "probe-1", "guessed"), Some(NOT_AUTHORIZED.1));
    assert_eq!(connect(Version::V3, "probe-1", &farm.gateway), Some(NOT_AUTHORIZED.0));
    assert_eq!(connect(Version::V3, "nobody", &farm.probe), Some(NOT_AUTHORIZED.0));
    assert_eq!(connect(Version::V3, "probe-1", &farm.probe), None, "the right one still is");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_an_unknown_device_waits_as_a_dead_letter() {
    let farm = Farm::start().await;
    let mut gateway = Sensor::connect(&farm.serving.mqtt, Version::V3, "gateway-1", &farm.gateway)
        .expect("let in");
    assert_eq!(gateway.publish("stranger", GOOD), Answer::Acknowledged(0));
    let letter = farm.letter();
    assert_eq!(letter["reason"], "unknown_device", "{letter}");
    assert_eq!(letter["device"], "stranger", "{letter}");
    assert_eq!(farm.exported(), 0);
    assert_eq!(gateway.publish("probe-2", GOOD), Answer::Acknowledged(0), "of its own: stored");
    assert_eq!(farm.exported(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_as_another_is_refused_by_the_protocols_own_means() {
    let farm = Farm::start().await;
    let mut old = farm.probe(Version::V3);
    assert_eq!(old.publish("probe-2", GOOD), Answer::Closed(None));
    let mut new = farm.probe(Version::V5);
    assert_eq!(new.publish("probe-2", GOOD), Answer::Acknowledged(NOT_AUTHORIZED.1));
    let letter = farm.letter();
    assert_eq!(letter["reason"], "not_allowed", "{letter}");
    assert!(letter["detail"].as_str().is_some_and(|text| text.contains("probe-1")), "{letter}");
    assert_eq!(farm.exported(), 0);
    assert_eq!(new.publish("probe-1", GOOD), Answer::Acknowledged(0), "as itself: stored");
    assert_eq!(farm.exported(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_json_waits_as_a_dead_letter() {
    let farm = Farm::start().await;
    farm.dead(b"soil_moisture=0.231", "not_json");
    farm.dead(br#"{"readings": 7}"#, "wrong_shape");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_is_no_number_waits_as_a_dead_letter() {
    let farm = Farm::start().await;
    let letter = farm.dead(br#"{"readings": {"soil_moisture": NaN}}"#, "not_finite");
    assert!(letter["detail"].as_str().is_some_and(|text| text.contains("soil_moisture")));
    farm.dead(br#"{"readings": {"ph": 5.4}}"#, "unknown_quantity");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_of_a_megabyte_ends_the_connection_and_leaves_its_head() {
    let farm = Farm::start().await;
    let mut payload = GOOD.to_vec();
    payload.resize(1 << 20, b' ');
    let closed = [Answer::Closed(None), Answer::Closed(Some(PACKET_TOO_LARGE))];
    for version in [Version::V3, Version::V5] {
        let answer = farm.probe(version).publish("probe-1", &payload);
        assert!(closed.contains(&answer), "{answer:?}");
    }
    // The last words of the connection may still be on their way to the disk.
    until("both are dead letters", async || {
        let letters = farm.plotwise.json(&["deadletters", "list", "--reason", "too_large"]);
        letters.as_array().is_some_and(|letters| letters.len() == 2)
    })
    .await;
    let letter = farm.letter();
    assert!(letter["detail"].as_str().is_some_and(|text| text.contains("SHA-256")), "{letter}");
    assert!(letter["payload"].as_str().is_some_and(|head| head.len() < 5000), "the head alone");
    assert_eq!(farm.exported(), 0);
}

#[test]
fn a_plot_whose_border_crosses_itself_is_refused_by_line_and_nothing_is_imported() {
    let plotwise = Plotwise::new();
    plotwise.ok(&["cooperatives", "add", "coop", "--name", "Co-op"]);
    let feature = |id: &str, ring: &str| {
        format!(
            r#"{{"type": "Feature", "properties": {{"id": "{id}", "name": "{id}", "cooperative": "coop",
            "land_type": "dry"}}, "geometry": {{"type": "Polygon", "coordinates": [[{ring}]]}}}}"#
        )
        .replace('\n', "")
    };
    let square =
        "[112.50, 28.20], [112.51, 28.20], [112.51, 28.21], [112.50, 28.21], [112.50, 28.20]";
    let bow = "[112.52, 28.20], [112.53, 28.21], [112.53, 28.20], [112.52, 28.21], [112.52, 28.20]";
    let file = format!(
        "{{\"type\": \"FeatureCollection\", \"features\": [\n{},\n{}\n]}}\n",
        feature("good", square),
        feature("bow", bow)
    );
    let file = plotwise.file("plots.geojson", &file);
    let said = plotwise.refused(&["import", "plots", file.to_str().unwrap()]);
    assert!(said.contains("line 3"), "{said}");
    assert!(said.contains("geometry"), "{said}");
    assert!(said.contains("cross"), "{said}");
    let plots = plotwise.json(&["plots", "list"]);
    assert_eq!(plots.as_array().map(Vec::len), Some(0), "{plots}");
}

#[test]
fn outcomes_of_a_plot_that_does_not_exist_are_refused_by_line_and_column() {
    let plotwise = Plotwise::new();
    plotwise.ok(&["cooperatives", "add", "coop", "--name", "Co-op"]);
    let plots = "id,name,cooperative,land_type,latitude,longitude,area_mu\n\
                 up-1,Up,coop,dry,28.2,112.5,3\n";
    let plots = plotwise.file("plots.csv", plots);
    plotwise.ok(&["import", "plots", plots.to_str().unwrap()]);
    let outcomes = plotwise.file(
        "outcomes.csv",
        "plot,season_start,season_end,crop,variety,yield_kg_ha\n\
         up-1,2025-05-01,2025-10-20,sweet_potato,shangshu_19,31000\n\
         up-2,2025-05-01,2025-10-20,sweet_potato,shangshu_19,30000\n",
    );
    let arguments = ["import", "outcomes", outcomes.to_str().unwrap()];
    let said = plotwise.refused(&arguments);
    for word in ["line 3", "plot", "up-2"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let output = plotwise.run(&[&arguments[..], &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report in JSON");
    let error = &report["errors"][0];
    assert_eq!((&error["line"], &error["column"]), (&3.into(), &"plot".into()), "{report}");
    assert_eq!(report["new"], 0, "{report}");
    let advice = plotwise.json(&["advise", "up-1"]);
    assert!(
        !advice.to_string().contains("local_outcomes"),
        "the good line was not imported either"
    );
}

#[test]
fn a_settings_file_with_a_typo_is_refused_by_key() {
    let plotwise = Plotwise::new();
    let file = plotwise.file("typo.toml", "[http]\nlisen = \"127.0.0.1:8080\"\n");
    let said = plotwise.refused(&["config", "check", "--config", file.to_str().unwrap()]);
    assert!(said.contains("typo.toml"), "{said}");
    assert!(said.contains("lisen"), "{said}");
    assert!(said.contains("listen"), "{said}");
    let said = plotwise.refused(&["serve", "--config", file.to_str().unwrap()]);
    assert!(said.contains("lisen"), "{said}");
    assert!(!plotwise.data().exists(), "nothing is made before the settings hold");
}

#[test]
fn an_address_beyond_loopback_is_refused_because_there_is_no_sign_in_yet() {
    let plotwise = Plotwise::new();
    let said = plotwise.refused(&["serve", "--http", "0.0.0.0:8080"]);
    assert!(said.contains("0.0.0.0:8080"), "{said}");
    assert!(said.contains("signing in"), "{said}");
}

#[test]
fn a_port_in_use_is_named_whichever_it_is() {
    let plotwise = Plotwise::new();
    let kept = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = kept.local_addr().expect("an address").to_string();
    for (http, mqtt) in [(taken.clone(), free_address()), (free_address(), taken.clone())] {
        let said = plotwise.refused(&["serve", "--http", &http, "--mqtt", &mqtt]);
        assert!(said.contains(&taken), "{said}");
        assert!(said.contains("in use"), "{said}");
    }
}

#[test]
fn readings_of_a_newer_version_are_left_alone() {
    let plotwise = Plotwise::new();
    plotwise.ok(&["cooperatives", "add", "coop", "--name", "Co-op"]);
    let file = plotwise.data().join("readings.db");
    let open = || rusqlite::Connection::open(&file).expect("the readings");
    open().pragma_update(None, "user_version", 99).expect("a version can be set");
    for arguments in [&["serve"][..], &["export", "readings"], &["cooperatives", "list"]] {
        let said = plotwise.refused(arguments);
        assert!(said.contains("99") && said.contains("newer"), "{said}");
        assert!(said.contains("readings.db"), "{said}");
    }
    let kept: i64 =
        open().pragma_query_value(None, "user_version", |row| row.get(0)).expect("a version");
    assert_eq!(kept, 99);
}

#[test]
fn facts_of_a_newer_version_are_left_alone() {
    let plotwise = Plotwise::new();
    plotwise.ok(&["cooperatives", "add", "coop", "--name", "Co-op"]);
    let file = plotwise.data().join("plotwise.db");
    let open = || rusqlite::Connection::open(&file).expect("the facts");
    open()
        .execute("insert into seaql_migrations (version, applied_at) values ('m9999_later', 0)", [])
        .expect("a migration can be noted");
    for arguments in [&["serve"][..], &["plots", "list"]] {
        let said = plotwise.refused(arguments);
        assert!(said.contains("m9999_later") && said.contains("newer"), "{said}");
        assert!(said.contains("plotwise.db"), "{said}");
    }
    let kept: i64 = open()
        .query_row("select count(*) from cooperative", [], |row| row.get(0))
        .expect("the table is still there");
    assert_eq!(kept, 1);
}

#[test]
fn wrong_use_is_told_from_failure() {
    let plotwise = Plotwise::new();
    assert_eq!(plotwise.run(&["advice"]).status.code(), Some(2));
    assert_eq!(plotwise.run(&["advise", "no such plot"]).status.code(), Some(2));
    let said = plotwise.refused(&["advise", "nx-999"]);
    assert!(said.contains("nx-999"), "{said}");
}
