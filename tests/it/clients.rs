//! Other people's clients speak to the listener: Mosquitto's, Paho for Python and MQTT.js; each over MQTT
//! 3.1.1 and 5, with TLS and without, at `QoS` 0 and 1. What they publish is stored.
//!
//! `tests/check.sh` installs them, pinned, below the target directory and `tests/clients`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::plotwise::{Plotwise, Serving, free_address, target, until};

/// Versions x with and without TLS x `QoS`.
const MESSAGES: usize = 8;

/// The time of the first message; each has the next second.
const FIRST_S: usize = 1_767_225_600;

/// A probe, and a service with a certificate of its own making.
struct Field {
    plotwise: Plotwise,
    serving: Serving,
    tls: String,
    token: String,
    settings: String,
}

impl Field {
    async fn start() -> Self {
        let plotwise = Plotwise::new();
        plotwise.ok(&["cooperatives", "add", "coop", "--name", "Co-op"]);
        let added = plotwise.json(&["devices", "add", "probe-1", "--cooperative", "coop"]);
        let token = added["token"].as_str().expect("a token").to_owned();
        let tls = free_address();
        let settings = format!("[mqtt.listener.tls]\nmode = \"auto\"\nlisten = \"{tls}\"\n");
        let settings = plotwise.file("plotwise.toml", &settings);
        let settings = settings.to_str().expect("UTF-8").to_owned();
        let serving = plotwise.serve_with(&["--config", &settings]).await;
        Self { plotwise, serving, tls, token, settings }
    }

    fn ca(&self) -> PathBuf {
        self.plotwise.data().join("tls/ca.pem")
    }

    /// Lets a client publish everything; it is stored, what was sent at `QoS` 0 a moment later.
    async fn let_publish(&self, client: &mut Command) {
        let client = client.args([port(&self.serving.mqtt), port(&self.tls)]).arg(self.ca());
        let client = client.args(["probe-1", &self.token, &FIRST_S.to_string()]);
        let output = client.output().unwrap_or_else(|error| panic!("{client:?}: {error}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{client:?}: {said}");
        self.has_all().await;
    }

    async fn has_all(&self) {
        until("all is stored", async || self.plotwise.observations() == MESSAGES).await;
    }
}

fn port(address: &str) -> &str {
    address.rsplit_once(':').expect("an address and a port").1
}

/// A file that `tests/check.sh` installs.
fn installed(path: PathBuf) -> PathBuf {
    assert!(path.exists(), "{} is missing: run tests/check.sh", path.display());
    path
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquittos_own_client_publishes() {
    let field = Field::start().await;
    let (topic, mut sent) = ("plotwise/v1/probe-1/up", 0);
    for version in ["mqttv311", "mqttv5"] {
        for (address, is_tls) in [(&field.serving.mqtt, false), (&field.tls, true)] {
            for qos in ["0", "1"] {
                let payload =
                    format!(r#"{{"time": {}, "readings": {{"soil_ph": 5.4}}}}"#, FIRST_S + sent);
                let mut client = Command::new("mosquitto_pub");
                client.args(["-V", version, "-h", "localhost", "-p", port(address), "-q", qos]);
                client.args(["-i", "probe-1", "-u", "probe-1", "-P", &field.token, "-t", topic]);
                client.args(["-m", &payload]);
                if is_tls {
                    client.arg("--cafile").arg(field.ca());
                }
                let output = client.output().expect("mosquitto_pub (Debian: mosquitto-clients)");
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{version} {address} {qos}: {said}");
                sent += 1;
            }
        }
    }
    assert_eq!(sent, MESSAGES);
    field.has_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paho_for_python_publishes() {
    let field = Field::start().await;
    let python = installed(target().join("clients/bin/python"));
    field.let_publish(Command::new(python).arg(clients().join("publish.py"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mqtt_js_publishes() {
    let field = Field::start().await;
    installed(clients().join("node_modules/mqtt"));
    field.let_publish(Command::new("node").arg(clients().join("publish.mjs"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_trusts_another_authority_does_not_send_its_token() {
    let (field, stranger) = (Field::start().await, Field::start().await);
    let output = Command::new("mosquitto_pub")
        .args(["-h", "localhost", "-p", port(&field.tls), "-q", "1", "-u", "probe-1"])
        .args(["-P", &field.token, "-t", "plotwise/v1/probe-1/up", "-m", "{}"])
        .arg("--cafile")
        .arg(stranger.ca())
        .output()
        .expect("mosquitto_pub (Debian: mosquitto-clients)");
    assert!(!output.status.success());
    until("it is counted", async || {
        let metrics = reqwest::get(field.serving.url("/metrics")).await.expect("an answer");
        let metrics = metrics.text().await.expect("text");
        metrics.contains(r#"plotwise_listener_events_total{event="tls_failures"} 1"#)
    })
    .await;
    let said = field.plotwise.ok(&["doctor", "--config", &field.settings]);
    assert!(said.contains("ca.pem"), "doctor says what sensors need: {said}");
}
