//! Bad days: a disk that is read-only or full, a SIGTERM while messages are in flight, a power cut.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    plotwise::{Plotwise, Running, free_address, until},
    sensor::{Answer, Sensor, Version},
};

/// What supervisors wait before they kill.
const TERMINATION: Duration = Duration::from_secs(10);

/// A small disk of its own; unmounted when dropped.
struct Disk {
    folder: TempDir,
}

impl Disk {
    /// Mounts one of `size`; `None` with a word on stderr where this user may not.
    fn mount(test: &str, size: &str) -> Option<Self> {
        let disk = Self { folder: TempDir::new().expect("a temporary folder") };
        let options = format!("size={size}");
        if disk.run("mount", &["-t", "tmpfs", "-o", &options, "plotwise-test"]) {
            return Some(disk);
        }
        eprintln!("{test}: skipped, this user may not mount a disk");
        None
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn make_read_only(&self) {
        assert!(self.run("mount", &["-o", "remount,ro"]), "a mounted disk can be made read-only");
    }

    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = Command::new(program);
        command.args(arguments).arg(self.folder.path()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Fails where nothing was mounted.
        self.run("umount", &[]);
    }
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    // No user may make folders there, not even root.
    let plotwise = Plotwise::on("/sys/plotwise-data".into());
    let said = plotwise.refused(&["serve"]);
    assert!(said.contains("/sys/plotwise-data"), "{said}");
    assert!(said.contains("--data"), "says how to mend it: {said}");
}

#[test]
fn a_read_only_disk_is_refused_at_start() {
    let Some(disk) = Disk::mount("read-only disk", "8m") else { return };
    let plotwise = Plotwise::on(disk.data());
    plotwise.ok(&["cooperatives", "add", "coop", "--name", "Co-op"]);
    disk.make_read_only();
    for arguments in [&["serve"][..], &["cooperatives", "add", "other", "--name", "Other"]] {
        let said = plotwise.refused(arguments);
        assert!(said.contains("read-only"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_acknowledges_nothing_and_goes_on_once_there_is_room() {
    let Some(disk) = Disk::mount("full disk", "16m") else { return };
    let plotwise = Plotwise::on(disk.data());
    let token = a_probe(&plotwise);
    // Without the guard, which would stop before the disk is full.
    let settings = plotwise.file("plotwise.toml", "[store]\ndisk_free_min_mb = 0\n");
    let serving = plotwise.serve_with(&["--config", settings.to_str().expect("a path")]).await;
    let mut probe = Sensor::connect(&serving.mqtt, Version::V3, "probe-1", &token).expect("let in");
    assert_eq!(probe.publish("probe-1", &message(0)), Answer::Acknowledged(0));

    let ballast = disk.folder.path().join("ballast");
    // Ends with "no space left", which is what is wanted.
    let _ = std::fs::write(&ballast, vec![1; 32 << 20]);
    // The log has pages to spare; whatever is acknowledged still fits.
    let mut answers = probe.listener();
    let waiting = std::thread::spawn(move || answers.acknowledged(COUNT));
    for nth in 1..=COUNT {
        probe.send("probe-1", &message(nth)).expect("the connection lasts");
    }
    until("the service says that it cannot write", async || !serving.is_ready().await).await;
    std::fs::remove_file(&ballast).expect("the ballast");
    assert_eq!(waiting.join().expect("a listener"), COUNT, "everything is acknowledged in the end");
    until("the service is ready again", async || serving.is_ready().await).await;
    assert_eq!(plotwise.ok(&["export", "readings"]).lines().count() - 1, COUNT + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_limit_of_free_room_nothing_is_acknowledged_until_there_is_room_again() {
    let Some(disk) = Disk::mount("low disk", "64m") else { return };
    let plotwise = Plotwise::on(disk.data());
    let token = a_probe(&plotwise);
    let settings = plotwise.file("plotwise.toml", "[store]\ndisk_free_min_mb = 40\n");
    let serving = plotwise.serve_with(&["--config", settings.to_str().expect("a path")]).await;
    let mut probe = Sensor::connect(&serving.mqtt, Version::V3, "probe-1", &token).expect("let in");
    assert_eq!(probe.publish("probe-1", &message(0)), Answer::Acknowledged(0));

    let ballast = disk.folder.path().join("ballast");
    std::fs::write(&ballast, vec![1; 32 << 20]).expect("room for the ballast");
    // Although nothing was sent meanwhile.
    until("the service says that there is no room", async || !serving.is_ready().await).await;
    let answer = reqwest::get(serving.url("/readyz")).await.expect("an answer");
    let said: Value = answer.json().await.expect("JSON");
    assert_eq!(said["low_disk"]["wanted_mb"], 40, "{said}");
    let free_mb = said["low_disk"]["free_mb"].as_u64().expect("a figure");
    let reason = said["ingest"].as_str().expect("a reason");
    assert!(free_mb < 40 && reason.contains(&format!("{free_mb} MB free")), "{said}");
    assert!(reason.contains("disk_free_min_mb"), "{said}");

    let mut answers = probe.listener();
    let waiting = std::thread::spawn(move || answers.acknowledged(COUNT));
    for nth in 1..=COUNT {
        probe.send("probe-1", &message(nth)).expect("the connection lasts");
    }
    until("the writer says so too", async || {
        let answer = reqwest::get(serving.url("/readyz")).await.expect("an answer");
        let said: Value = answer.json().await.expect("JSON");
        said["ingest"].as_str().is_some_and(|reason| reason.contains("since"))
    })
    .await;
    assert_eq!(plotwise.observations(), 1, "nothing is written, although there is room");
    std::fs::remove_file(&ballast).expect("the ballast");
    assert_eq!(waiting.join().expect("a listener"), COUNT, "everything is acknowledged in the end");
    until("the service is ready again", async || serving.is_ready().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_stops_nothing() {
    let plotwise = Plotwise::new();
    let token = a_probe(&plotwise);
    let (http, mqtt) = (free_address(), free_address());
    // Every write there fails with "no space left".
    let full = std::fs::File::create("/dev/full").expect("Linux has it");
    let arguments = ["serve", "--http", &http, "--mqtt", &mqtt, "--log", "debug"];
    let mut running = Running::start(plotwise.command(&arguments).stderr(full));
    until("it listens", async || {
        assert_eq!(running.ended(), None, "it ended");
        tokio::net::TcpStream::connect(&mqtt).await.is_ok()
    })
    .await;
    let mut probe = Sensor::connect(&mqtt, Version::V3, "probe-1", &token).expect("let in");
    assert_eq!(probe.publish("probe-1", &message(0)), Answer::Acknowledged(0));
    assert_eq!(running.terminate().1.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_with_messages_in_flight_ends_in_time_and_loses_nothing_acknowledged() {
    let plotwise = Plotwise::new();
    let token = a_probe(&plotwise);
    let serving = plotwise.serve().await;
    let mut probe = Sensor::connect(&serving.mqtt, Version::V3, "probe-1", &token).expect("let in");
    let mut answers = probe.listener();
    assert_eq!(probe.publish("probe-1", &message(0)), Answer::Acknowledged(0));
    let sending = std::thread::spawn(move || {
        (1..=MANY).take_while(|nth| probe.send("probe-1", &message(*nth)).is_ok()).count()
    });
    let counting = std::thread::spawn(move || answers.acknowledged(MANY));
    until("messages are stored", async || plotwise.observations() > 1000).await;
    let (took, status) = serving.terminate();
    assert_eq!(status.code(), Some(0));
    assert!(took < TERMINATION, "{took:?}");
    let acknowledged = 1 + counting.join().expect("a listener");
    let sent = 1 + sending.join().expect("a sender");
    let kept = plotwise.observations();
    assert!(sent < MANY, "the service ended while messages came");
    assert!(acknowledged <= kept && kept <= sent, "{acknowledged} <= {kept} <= {sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_kill_9() {
    let plotwise = Plotwise::new();
    let token = a_probe(&plotwise);
    let mut serving = plotwise.serve().await;
    for nth in 0..5 {
        let mut probe =
            Sensor::connect(&serving.mqtt, Version::V5, "probe-1", &token).expect("let in");
        assert_eq!(probe.publish("probe-1", &message(nth)), Answer::Acknowledged(0));
        let (http, mqtt) = (serving.http.clone(), serving.mqtt.clone());
        serving.kill();
        serving = plotwise.serve_at(&http, &mqtt, &[]).await;
        assert_eq!(plotwise.ok(&["export", "readings"]).lines().count() - 1, nth + 1);
    }
}

/// More messages than the log of a small disk has spare room for.
const COUNT: usize = 200;

/// More messages than can be sent before the service ends: they would reach into 2020.
const MANY: usize = 10_000_000;

/// Registers a probe; its token.
fn a_probe(plotwise: &Plotwise) -> String {
    plotwise.ok(&["cooperatives", "add", "coop", "--name", "Co-op"]);
    let added = plotwise.json(&["devices", "add", "probe-1", "--cooperative", "coop"]);
    added["token"].as_str().expect("a token").to_owned()
}

/// The n-th minute since a September of 2001.
fn message(nth: usize) -> Vec<u8> {
    let time_s = 1_000_000_000 + 60 * nth;
    format!(r#"{{"time": {time_s}, "readings": {{"soil_moisture": 0.231}}}}"#).into_bytes()
}
