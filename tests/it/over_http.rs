//! Readings over HTTP and as SenML, and what is seen of them while they come in.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    sync::mpsc::{Receiver, channel},
};

use reqwest::{Client, StatusCode, header};
use serde_json::{Value, json};

use crate::plotwise::{Plotwise, Running, Serving, until};

/// A cooperative with a plot, two probes, a gateway and somebody else's gateway, running.
struct Farm {
    plotwise: Plotwise,
    serving: Serving,
    probe: String,
    gateway: String,
    stranger: String,
}

impl Farm {
    async fn start() -> Self {
        let plotwise = Plotwise::new();
        for name in ["coop", "other"] {
            plotwise.ok(&["cooperatives", "add", name, "--name", name]);
        }
        let plots = "id,name,cooperative,land_type,latitude,longitude,area_mu\n\
                     up-1,Up,coop,dry,28.2,112.5,3\n";
        let plots = plotwise.file("plots.csv", plots);
        plotwise.ok(&["import", "plots", plots.to_str().expect("a path")]);
        let token = |name: &str, cooperative: &str, more: &[&str]| {
            let arguments = ["devices", "add", name, "--cooperative", cooperative];
            let added = plotwise.json(&[&arguments, more].concat());
            added["token"].as_str().expect("a token").to_owned()
        };
        let probe = token("probe-1", "coop", &["--plot", "up-1", "--depth", "0.3"]);
        token("probe-2", "coop", &[]);
        token("soil-1", "coop", &["--profile", "zigbee2mqtt_soil"]);
        let gateway = token("gateway-1", "coop", &["--gateway"]);
        let stranger = token("gateway-2", "other", &["--gateway"]);
        let serving = plotwise.serve().await;
        Self { plotwise, serving, probe, gateway, stranger }
    }

    /// Posts; what is answered.
    async fn post(
        &self,
        device: &str,
        token: Option<&str>,
        kind: &str,
        body: impl Into<reqwest::Body>,
    ) -> (StatusCode, Value) {
        let url = self.serving.url(&format!("/api/v1/devices/{device}/observations"));
        let mut request = Client::new().post(url).header(header::CONTENT_TYPE, kind).body(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        (status, answer.json().await.expect("JSON"))
    }

    /// Posts a pH measured so many seconds after the start of 2026, which must be taken.
    async fn ph(&self, device: &str, second: i64, value: f64) -> Value {
        let body = json!({ "time": 1_767_225_600 + second, "readings": { "soil_ph": value } });
        let (status, answer) = self.post(device, None, "application/json", body.to_string()).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        answer
    }

    fn letters(&self) -> usize {
        let letters = self.plotwise.json(&["deadletters", "list"]);
        letters.as_array().expect("an array").len()
    }
}

/// A tap that prints to us.
struct Tap {
    _running: Running,
    lines: Receiver<String>,
}

impl Tap {
    fn start(farm: &Farm, more: &[&str]) -> Self {
        let arguments = [&["tap", "--http", farm.serving.http.as_str()], more].concat();
        let mut command = farm.plotwise.command(&arguments);
        let mut running = Running::start(command.stdout(Stdio::piped()));
        let out = BufReader::new(running.stdout());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { _running: running, lines }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_over_http_survives_a_kill() {
    let farm = Farm::start().await;
    let accepted = farm.ph("probe-1", 0, 5.4).await;
    assert_eq!(accepted, json!({ "observations": 1, "duplicates": 0, "dead_letters": 0 }));
    let Farm { plotwise, serving, .. } = farm;
    serving.kill();
    assert_eq!(plotwise.observations(), 1);
    let serving = plotwise.serve().await;
    let found = serving.get("/api/v1/devices/probe-1/observations").await;
    let reading = &found["items"][0]["readings"][0];
    assert_eq!(found["items"][0]["time"], "2026-01-01T00:00:00Z", "{found}");
    assert_eq!((&reading["value"], &reading["depth_m"]), (&json!(5.4), &json!(0.3)), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_message_is_answered_with_what_it_came_to() {
    let farm = Farm::start().await;
    farm.ph("probe-1", 0, 5.4).await;
    let again = farm.ph("probe-1", 0, 5.4).await;
    assert_eq!(again, json!({ "observations": 1, "duplicates": 1, "dead_letters": 0 }));
    let other = farm.ph("probe-1", 0, 5.9).await;
    assert_eq!(other, json!({ "observations": 1, "duplicates": 0, "dead_letters": 1 }));
    let body = r#"[{"time": 1767225700, "readings": {"soil_ph": 5.5, "mud": 1}},
                   {"time": 1767225800, "readings": {"soil_ph": 5.6}}]"#;
    let (status, mixed) = farm.post("probe-1", None, "application/json", body).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(mixed, json!({ "observations": 2, "duplicates": 0, "dead_letters": 1 }));
    // As its profile reads it; that it is kept as it came is no further observation.
    let body = r#"{"soil_moisture": 31, "battery": 97}"#;
    let (_, by_profile) = farm.post("soil-1", None, "application/json", body).await;
    assert_eq!(by_profile, json!({ "observations": 1, "duplicates": 0, "dead_letters": 0 }));
    assert_eq!(farm.letters(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn senml_is_told_by_its_media_type() {
    let farm = Farm::start().await;
    let pack =
        r#"[{"bt": 1767225600, "n": "soil_ph", "v": 5.4}, {"n": "soil_ph", "t": 60, "v": 5.5}]"#;
    let (_, answer) = farm.post("probe-1", None, "application/senml+json", pack).await;
    assert_eq!(answer["observations"], 2, "{answer}");
    // [{-3: 1767225600, 0: "soil_ph", 2: 5.5}]
    let pack = b"\x81\xa3\x22\x1a\x69\x55\xb9\x00\x00\x67soil_ph\x02\xf9\x45\x80".to_vec();
    let (_, answer) = farm.post("probe-2", None, "application/senml+cbor", pack).await;
    assert_eq!(answer["observations"], 1, "{answer}");
    let found = farm.serving.get("/api/v1/devices/probe-2/observations").await;
    assert_eq!(found["items"][0]["time"], "2026-01-01T00:00:00Z", "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_messages_are_refused_by_code_and_kept_where_they_may_be_of_use() {
    let farm = Farm::start().await;
    let good = r#"{"readings": {"soil_ph": 5.4}}"#;
    let native = "application/json";
    for token in [Some(farm.stranger.as_str()), Some("guessed"), Some("")] {
        let (status, problem) = farm.post("probe-1", token, native, good).await;
        assert_eq!((status, &problem["status"]), (StatusCode::UNAUTHORIZED, &json!(401)));
    }
    let (status, _) = farm.post("probe-2", Some(&farm.probe), native, good).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "another device's token");
    assert_eq!(farm.letters(), 0, "who may not speak is not listened to");

    let (status, problem) = farm.post("probe-1", None, native, r#"{"readings": 7}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains("readings: found a number, wanted an object"), "{detail}");
    assert_eq!(farm.letters(), 1);

    let (status, problem) = farm.post("nobody", Some(&farm.gateway), native, good).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{problem}");
    assert_eq!(farm.letters(), 2);

    let (status, problem) = farm.post("probe-1", None, native, vec![b' '; 1 << 17]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{problem}");
    assert_eq!(farm.plotwise.observations(), 0);

    for (device, token) in [("probe-1", &farm.probe), ("probe-2", &farm.gateway)] {
        let (status, _) = farm.post(device, Some(token), native, good).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{device}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn observations_are_paged_from_the_newest() {
    let farm = Farm::start().await;
    for minute in 0..5 {
        farm.ph("probe-1", minute * 60, 5.0).await;
    }
    let (mut path, mut times) =
        ("/api/v1/devices/probe-1/observations?limit=2".to_owned(), Vec::new());
    loop {
        let page = farm.serving.get(&path).await;
        let items = page["items"].as_array().expect("items");
        times.extend(items.iter().map(|item| item["time"].as_str().expect("a time").to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/devices/probe-1/observations?limit=2&cursor={next}");
    }
    let wanted: Vec<_> =
        (0..5).rev().map(|minute| format!("2026-01-01T00:0{minute}:00Z")).collect();
    assert_eq!(times, wanted);
    let nobody = reqwest::get(farm.serving.url("/api/v1/devices/nobody/observations")).await;
    assert_eq!(nobody.expect("an answer").status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_receives_nothing_says_where_to_go() {
    let plotwise = Plotwise::new();
    plotwise.ok(&["cooperatives", "add", "coop", "--name", "Co-op"]);
    plotwise.ok(&["devices", "add", "probe-1", "--cooperative", "coop"]);
    let serving = plotwise.serve_with(&["--roles", "web"]).await;
    let url = serving.url("/api/v1/devices/probe-1/observations");
    let answer = Client::new().post(url).body("{}").send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
    let events = reqwest::get(serving.url("/api/v1/events")).await.expect("an answer");
    assert_eq!(events.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_accepted_while_nothing_can_be_stored() {
    let plotwise = Plotwise::new();
    plotwise.ok(&["cooperatives", "add", "coop", "--name", "Co-op"]);
    plotwise.ok(&["devices", "add", "probe-1", "--cooperative", "coop"]);
    let http = crate::plotwise::free_address();
    let arguments = ["serve", "--http", &http, "--mqtt", &crate::plotwise::free_address()];
    let mut command = plotwise.command(&arguments);
    // 100 TB, more room than there is.
    let _serving = Running::start(command.env("PLOTWISE__STORE__DISK_FREE_MIN_MB", "100000000"));
    until("it answers", async || {
        reqwest::get(format!("http://{http}/healthz"))
            .await
            .is_ok_and(|answer| answer.status().is_success())
    })
    .await;
    let url = format!("http://{http}/api/v1/devices/probe-1/observations");
    let body = r#"{"time": 1767225600, "readings": {"soil_ph": 5.4}}"#;
    let answer = Client::new().post(url).body(body).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
    let problem: Value = answer.json().await.expect("a problem");
    assert!(problem["detail"].as_str().expect("a detail").contains("send it again"), "{problem}");
    assert_eq!(plotwise.observations(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn tap_prints_what_comes_in_with_its_flags() {
    let farm = Farm::start().await;
    let (all, one) =
        (Tap::start(&farm, &[]), Tap::start(&farm, &["--device", "probe-2", "--format", "json"]));
    // Until both listen.
    let (mut second, mut lines) = (0, Vec::new());
    until("both taps print", async || {
        second += 1;
        farm.ph("probe-1", second, 15.0).await;
        farm.ph("probe-2", second, 5.4).await;
        lines.extend(all.lines.try_iter());
        !lines.is_empty() && one.lines.try_recv().is_ok()
    })
    .await;
    let of_the_first = lines.iter().find(|line| line.contains("probe-1")).expect("a line of it");
    assert!(of_the_first.ends_with("soil_ph@0.3 15 pH [C02]"), "{of_the_first}");
    farm.ph("probe-2", second + 1, 5.5).await;
    let line = one.lines.recv().expect("another line");
    let told: Value = serde_json::from_str(&line).expect("an object a line");
    assert_eq!(told["device"], "probe-2", "{told}");
    let ended = farm.serving.terminate();
    assert!(ended.1.success(), "a tap does not keep the service from ending");
    assert!(one.lines.into_iter().all(|line| line.contains("probe-2")), "and it ends with it");
}

#[test]
fn tap_says_what_to_do_where_nothing_answers() {
    let plotwise = Plotwise::new();
    let nowhere = crate::plotwise::free_address();
    let said = plotwise.refused(&["tap", "--http", &nowhere]);
    assert!(said.contains(&nowhere) && said.contains("plotwise serve"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_replayed_as_senml_is_stored_as_it_was() {
    let recording = "device,time,soil_moisture,soil_moisture@0.6,soil_temperature,battery_v\n\
        probe-1,2026-01-01T00:00:00Z,0.231,0.252,18.4,3.3\n\
        probe-1,2026-01-01T00:15:00.250Z,0.1,,-3.75,\n\
        probe-2,2026-01-01T00:00:00Z,,0.3,20.1,3.1\n";
    let mut exported = Vec::new();
    for written_as in ["native", "senml", "senml-cbor"] {
        let farm = Farm::start().await;
        let file = farm.plotwise.file("recording.csv", recording);
        let target = format!("mqtt://{}", farm.serving.mqtt);
        let arguments = ["replay", file.to_str().expect("a path"), "--to", &target];
        let who = ["--username", "gateway-1", "--password", &farm.gateway, "--as", written_as];
        farm.plotwise.ok(&[&arguments[..], &who].concat());
        assert_eq!(farm.letters(), 0, "{written_as}");
        // All but when it arrived.
        let text = farm.plotwise.ok(&["export", "readings"]);
        let columns = |line: &str| {
            let cells: Vec<&str> = line.split(',').collect();
            [&cells[..2], &cells[3..]].concat().join(",")
        };
        let mut lines: Vec<_> = text.lines().skip(1).map(columns).collect();
        lines.sort_unstable();
        exported.push(lines);
    }
    assert_eq!(exported[0].len(), 9, "{:?}", exported[0]);
    assert_eq!(exported[1], exported[0]);
    assert_eq!(exported[2], exported[0]);
}
