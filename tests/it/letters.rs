//! What could not be stored waits for a mend; what was stored wrongly is corrected backwards.

use std::{collections::BTreeSet, fmt::Write as _, fs};

use serde_json::Value;

use crate::{
    plotwise::{Plotwise, Serving, until},
    sensor::{Sensor, Version},
};

/// A cooperative with a plot and a gateway, whose token comes with it.
fn settled() -> (Plotwise, String) {
    let plotwise = Plotwise::new();
    plotwise.ok(&["cooperatives", "add", "ningxiang", "--name", "宁乡薯业合作社"]);
    let plots = "id,name,cooperative,land_type,latitude,longitude,area_mu\n\
                 nx-001,坡上,ningxiang,dry,28.25,112.55,3\n";
    plotwise.file("plots.csv", plots);
    plotwise.ok(&["import", "plots", "plots.csv"]);
    let added = ["devices", "add", "gw-1", "--cooperative", "ningxiang", "--gateway"];
    let token = plotwise.json(&added)["token"].as_str().expect("a token").to_owned();
    (plotwise, token)
}

fn add(plotwise: &Plotwise, device: &str, more: &[&str]) {
    let add = ["devices", "add", device, "--cooperative", "ningxiang", "--plot", "nx-001"];
    plotwise.ok(&[&add[..], more].concat());
}

/// (measured, received) of what is stored, past the program.
fn stored(plotwise: &Plotwise) -> BTreeSet<(i64, i64)> {
    let file = plotwise.data().join("readings.db");
    let connection = rusqlite::Connection::open(file).expect("the readings");
    let sql = "select time_ms, time_ms + delay_ms from observation";
    let mut rows = connection.prepare(sql).expect("the table");
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    rows.collect::<Result<_, _>>().expect("numbers")
}

async fn post(serving: &Serving, path: &str, body: &str) -> (u16, Value) {
    let answer = reqwest::Client::new().post(serving.url(path)).body(body.to_owned()).send().await;
    let answer = answer.expect("an answer");
    let (status, text) = (answer.status().as_u16(), answer.text().await.expect("text"));
    (status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_its_device_was_registered_is_stored_by_a_replay() {
    let (plotwise, token) = settled();
    let serving = plotwise.serve().await;
    let mut gateway = Sensor::connect(&serving.mqtt, Version::V5, "gw-1", &token).expect("let in");
    for minute in 0..20 {
        let payload = format!(
            r#"{{"time": {}, "seq": {minute}, "readings": {{"soil_ph": 5.{minute}}}}}"#,
            1_767_225_600 + 60 * minute
        );
        gateway.publish_to("plotwise/v1/late-1/up", payload.as_bytes());
    }
    gateway.publish_to("plotwise/v1/gw-1/up", b"no JSON");

    let groups = serving.get("/api/v1/deadletters?group=true").await;
    let groups = groups["items"].as_array().expect("groups");
    let shown: Vec<_> =
        groups.iter().map(|one| (one["reason"].clone(), one["count"].clone())).collect();
    assert_eq!(shown, [("not_json".into(), 1.into()), ("unknown_device".into(), 20.into())]);
    let each = serving.get("/api/v1/deadletters?reason=unknown_device&limit=7").await;
    assert_eq!(each["items"].as_array().map(Vec::len), Some(7));
    let id = each["items"][0]["id"].to_string();
    let one = serving.get(&format!("/api/v1/deadletters/{id}")).await;
    assert!(one["payload"].as_str().is_some_and(|payload| payload.contains("soil_ph")), "{one}");
    assert!(plotwise.ok(&["deadletters", "show", &id]).contains("gw-1"), "on whose word it came");

    // Nothing was mended: nothing changes.
    let (status, outcome) = post(&serving, "/api/v1/deadletters/replay", "{}").await;
    assert_eq!((status, &outcome["done"]), (200, &0.into()), "{outcome}");
    add(&plotwise, "late-1", &[]);
    until("the service knows the device", async || {
        let (_, outcome) = post(&serving, "/api/v1/deadletters/replay", "").await;
        outcome["done"] == 20
    })
    .await;
    assert_eq!(plotwise.observations(), 20);
    let device = serving.get("/api/v1/devices/late-1").await;
    assert_eq!(device["last_measured"], "2026-01-01T00:19:00Z", "{device}");
    let left = plotwise.json(&["deadletters", "list"]);
    assert_eq!(left.as_array().map(Vec::len), Some(1), "{left}");

    let (status, problem) =
        post(&serving, "/api/v1/deadletters/replay", r#"{"reason": "x"}"#).await;
    assert_eq!(status, 400, "{problem}");
    let said = plotwise.refused(&["deadletters", "purge", "--reason", "not_json"]);
    assert!(said.contains("--yes"), "{said}");
    plotwise.ok(&["deadletters", "purge", "--reason", "not_json", "--yes"]);
    let left = plotwise.json(&["deadletters", "list"]);
    assert_eq!(left.as_array().map(Vec::len), Some(0), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_is_killed_neither_loses_nor_doubles() {
    const LETTERS: usize = 3_000;
    let (plotwise, token) = settled();
    let serving = plotwise.serve().await;
    let mut gateway = Sensor::connect(&serving.mqtt, Version::V5, "gw-1", &token).expect("let in");
    // As arrays: a letter a message, and letters enough for many transactions.
    for nth in 0..LETTERS {
        let time = 1_767_225_600 + 60 * nth;
        let payload = format!(r#"{{"time": {time}, "readings": {{"soil_ph": 5}}}}"#);
        gateway.publish_to("plotwise/v1/late-1/up", payload.as_bytes());
    }
    drop(gateway);
    serving.terminate();
    add(&plotwise, "late-1", &[]);
    let letters = || {
        let file = plotwise.data().join("readings.db");
        let connection = rusqlite::Connection::open(file).expect("the letters");
        let sql = "select count(*) from dead_letter";
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a count")
    };
    let mut kills = 0;
    while letters() > 0 {
        let before = letters();
        let mut replay = plotwise.start(&["deadletters", "replay"]);
        until("it has replayed some, or ended", async || {
            letters() < before || replay.ended().is_some()
        })
        .await;
        replay.kill();
        kills += 1;
        let left = usize::try_from(letters()).expect("a count");
        assert_eq!(plotwise.observations() + left, LETTERS, "after kill {kills}");
    }
    assert!(kills > 1, "it was done before it was killed");
    assert_eq!(plotwise.observations(), LETTERS);
}

/// A profile of the tests' own, in which moisture is called a percentage or a share.
fn profile(unit: &str) -> String {
    format!(
        "[[profile]]\nkey = \"mole\"\nmaker = \"Mole\"\nmodels = [\"m1\"]\n\
         name = {{ zh = \"鼹鼠\", en = \"Mole\" }}\nsource = \"made up for this test\"\nlinks = []\n\
         time = [\"ts\"]\n[[profile.field]]\nquantity = \"soil_moisture\"\nfrom = [\"vwc\"]\nunit = \"{unit}\"\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_profile_is_corrected_backwards_from_messages_kept_as_they_came() {
    let (plotwise, token) = settled();
    fs::create_dir(plotwise.path("profiles")).expect("a folder");
    let settings = format!(
        "[catalogue]\nfolders = [{:?}]\n",
        plotwise.path("profiles").to_str().expect("a path")
    );
    plotwise.file("plotwise.toml", &settings);
    let config = ["--config", "plotwise.toml"];
    plotwise.file("profiles/mole.toml", &profile("m3/m3"));
    add(&plotwise, "mole-1", &["--profile", "mole", "--config", "plotwise.toml"]);
    let serving = plotwise.serve_with(&config).await;
    let mut gateway = Sensor::connect(&serving.mqtt, Version::V3, "gw-1", &token).expect("let in");
    for nth in 0..300 {
        let payload =
            format!(r#"{{"ts": {}, "vwc": {}.5}}"#, 1_767_225_600 + 900 * nth, 10 + nth % 30);
        gateway.publish_to("plotwise/v1/mole-1/up", payload.as_bytes());
    }
    serving.terminate();
    // Long over: in blocks.
    plotwise.ok(&[&["store", "seal"], &config[..]].concat());
    let wrong = plotwise.ok(&[&["export", "readings"], &config[..]].concat());
    assert!(wrong.contains("soil_moisture,,10.5,C02"), "{}", &wrong[..300]);
    let times = stored(&plotwise);
    assert!(times.is_empty(), "all of it is sealed");

    plotwise.file("profiles/mole.toml", &profile("%"));
    let replay = ["deadletters", "replay", "--raw", "--device", "mole-1"];
    // A replay that is killed is done to its end by the next one.
    let mut killed = plotwise.start(&[&replay[..], &config].concat());
    until("it has begun, or ended", async || {
        !stored(&plotwise).is_empty() || killed.ended().is_some()
    })
    .await;
    killed.kill();
    let outcome = plotwise.json(&[&replay[..], &config].concat());
    let read = |key: &str| outcome[key].as_u64().expect("a count");
    assert_eq!(read("changed") + read("unchanged"), 300, "{outcome}");
    assert_eq!(read("unreadable") + read("conflicts") + read("corrected"), 0, "{outcome}");
    let right = plotwise.ok(&[&["export", "readings"], &config[..]].concat());
    let values: Vec<&str> = right.lines().skip(1).collect();
    assert_eq!(values.len(), 300);
    for (nth, line) in values.iter().enumerate() {
        let mut wanted = String::new();
        write!(wanted, "soil_moisture,,0.{}5", 10 + nth % 30).expect("memory");
        assert!(line.contains(&wanted), "{line}, wanted {wanted}");
    }
    let shown = plotwise.json(&[&["store", "show"], &config[..]].concat());
    assert_eq!(shown["kept_messages"], 300, "{shown}");
    let serving = plotwise.serve_with(&config).await;
    let path = "/api/v1/plots/nx-001/readings?quantity=soil_moisture&step=day\
                &from=2026-01-01T00:00:00Z&to=2026-01-06T00:00:00Z";
    let days = serving.get(path).await;
    assert!(!days.to_string().contains("10.5"), "{days}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_dead_letters_stays_within_its_bound_and_is_counted() {
    let (plotwise, token) = settled();
    plotwise.file("plotwise.toml", "[deadletters]\nmax_mb = 1\n");
    let serving = plotwise.serve_with(&["--config", "plotwise.toml"]).await;
    let mut gateway = Sensor::connect(&serving.mqtt, Version::V5, "gw-1", &token).expect("let in");
    gateway.publish_to("plotwise/v1/waits/up", br#"{"readings": {"soil_ph": 5}}"#);
    let nonsense = "x".repeat(20_000);
    for _ in 0..100 {
        gateway.publish_to("plotwise/v1/gw-1/up", nonsense.as_bytes());
    }
    let mut let_go = 0;
    until("half of it is let go", async || {
        let metrics = reqwest::get(serving.url("/metrics")).await.expect("metrics");
        let metrics = metrics.text().await.expect("text");
        let of_reason = "plotwise_dead_letters_let_go_total{reason=\"not_json\"} ";
        let found = metrics.lines().find_map(|line| line.strip_prefix(of_reason));
        let_go = found.map_or(0, |count| count.parse().expect("a count"));
        let_go >= 50
    })
    .await;
    let letters = plotwise.json(&["deadletters", "list", "--limit", "1000"]);
    let letters = letters.as_array().expect("letters");
    assert!(letters.iter().any(|letter| letter["reason"] == "unknown_device"), "it still waits");
    let counted = serving.get("/api/v1/deadletters?group=true").await["let_go"][0].clone();
    assert_eq!((&counted["reason"], &counted["letters"]), (&"not_json".into(), &let_go.into()));
    assert_eq!(letters.len(), 101 - usize::try_from(let_go).expect("a count"));
    assert!(let_go < 90, "{let_go} of 100: no more than had to");
}
