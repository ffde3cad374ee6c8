//! Other people's broker on its bad days: a real Mosquitto that is killed, forgets, refuses.

mod tls;

use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf, process::Command};

use crate::{
    mosquitto::{self, Mosquitto},
    plotwise::{Plotwise, Running, Serving, free_address, until},
    sensor::{Answer, Sensor, Version},
};

const FILTER: &str = "plotwise/v1/+/up";

/// The user `plotwise` with the password `swordfish`, as `mosquitto_passwd` writes it.
const PASSWORDS: &str = "plotwise:$7$101$pmmt4PN5vlhUBpml$CXbqbib/CeDSFn99T0VJa243Z7X6jE6Wm0NUM9jedX\
                         kgCE3mtAK5b1u65ld3WCIpTSEsO825yu73EvwP/OOSow==\n";

/// The time of the first message; each has the next second.
const FIRST_S: usize = 1_767_225_600;

/// A Plotwise with a probe that speaks through a broker.
struct Linked {
    plotwise: Plotwise,
    settings: PathBuf,
}

impl Linked {
    /// `more` are further lines of the link.
    fn new(url: &str, client_id: &str, more: &str) -> Self {
        let plotwise = Plotwise::new();
        plotwise.ok(&["cooperatives", "add", "coop", "--name", "Co-op"]);
        plotwise.ok(&["devices", "add", "probe-1", "--cooperative", "coop"]);
        let settings = format!(
            "[[mqtt.link]]\nurl = \"{url}\"\nclient_id = \"{client_id}\"\ncooperatives = [\"coop\"]\n\
             {more}\n[[mqtt.link.subscription]]\nfilter = \"{FILTER}\"\ndecoder = \"native\"\n"
        );
        let settings = plotwise.file("plotwise.toml", &settings);
        Self { plotwise, settings }
    }

    fn of(broker: &Mosquitto) -> Self {
        Self::new(&format!("mqtt://{}", broker.address), "plotwise-1", "")
    }

    async fn serve(&self) -> Serving {
        let settings = self.settings.to_str().expect("UTF-8");
        self.plotwise.serve_with(&["--config", settings]).await
    }

    /// Starts it with its log in a file, without waiting for it.
    fn start_logged(&self) -> (Running, PathBuf) {
        let log = self.plotwise.path("log");
        let (http, mqtt) = (free_address(), free_address());
        let settings = self.settings.to_str().expect("UTF-8");
        let arguments = ["serve", "--http", &http, "--mqtt", &mqtt, "--config", settings];
        (self.plotwise.start_logged(&arguments, &log), log)
    }

    /// Starts it and waits until its log says all of `words`.
    async fn says(&self, words: &[&str]) {
        let (_running, log) = self.start_logged();
        let log = || std::fs::read_to_string(&log).unwrap_or_default();
        let says = async || words.iter().all(|word| log().contains(word));
        until(&format!("the log says {words:?}"), says).await;
    }

    async fn has_at_least(&self, observations: usize) {
        until(&format!("{observations} observations are stored"), async || {
            self.plotwise.observations() >= observations
        })
        .await;
    }

    async fn has(&self, observations: usize) {
        self.has_at_least(observations).await;
        assert_eq!(self.plotwise.observations(), observations, "nothing is stored twice");
    }
}

/// Whether the link says that it is subscribed.
async fn is_up(serving: &Serving) -> bool {
    let metrics = reqwest::get(serving.url("/metrics")).await.expect("an answer");
    let metrics = metrics.text().await.expect("text");
    let line = metrics.lines().find(|line| line.starts_with("plotwise_link_up{"));
    line.expect("the link").ends_with(" 1")
}

/// Publishes messages of these numbers through a broker; those that it acknowledged.
fn publish(address: &str, numbers: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
    let mut acknowledged = BTreeSet::new();
    let mut sensor =
        Sensor::connect(address, Version::V3, "probe-1", "").expect("the broker lets it in");
    for number in numbers {
        let time = FIRST_S + number;
        let payload = format!(r#"{{"time": {time}, "readings": {{"soil_ph": 5.4}}}}"#);
        if sensor.publish("probe-1", payload.as_bytes()) != Answer::Acknowledged(0) {
            break;
        }
        acknowledged.insert(number);
    }
    acknowledged
}

/// The same with TLS by Mosquitto's own client, `count` messages.
fn publish_over_tls(linked: &Linked, broker: &Mosquitto, count: usize) {
    let port = broker.address.rsplit_once(':').expect("a port").1;
    for number in 0..count {
        let time = FIRST_S + number;
        let payload = format!(r#"{{"time": {time}, "readings": {{"soil_ph": 5.4}}}}"#);
        let status = Command::new("mosquitto_pub")
            .args(["-h", "localhost", "-p", port, "-q", "1", "-m", &payload])
            .args(["-t", "plotwise/v1/probe-1/up", "--cafile"])
            .arg(linked.plotwise.path("ca.pem"))
            .status();
        assert!(status.expect("mosquitto_pub (Debian: mosquitto-clients)").success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_while_plotwise_is_down_comes_when_it_is_back() {
    let broker = Mosquitto::start().await;
    let linked = Linked::of(&broker);
    let serving = linked.serve().await;
    broker.has_subscriber(FILTER).await;
    publish(&broker.address, 0..10);
    linked.has(10).await;
    let (_, status) = serving.terminate();
    assert!(status.success());
    publish(&broker.address, 10..300);
    let serving = linked.serve().await;
    linked.has(300).await;
    // Not even kill -9 loses anything, and what comes again is stored once.
    serving.kill();
    publish(&broker.address, 290..600);
    let _serving = linked.serve().await;
    linked.has(600).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broker_acknowledged_before_it_was_restarted_under_load_is_stored_once() {
    let mut broker = Mosquitto::start().await;
    let linked = Linked::of(&broker);
    let _serving = linked.serve().await;
    broker.has_subscriber(FILTER).await;
    let address = broker.address.clone();
    let load = tokio::task::spawn_blocking(move || publish(&address, 0..200_000));
    linked.has_at_least(500).await;
    broker.stop();
    let acknowledged = load.await.expect("the load ends with the broker");
    assert!(acknowledged.len() < 200_000, "it was stopped under load");
    broker.begin().await;
    publish(&broker.address, [1_000_000]);
    until("all that was acknowledged is stored", async || {
        linked.plotwise.observations() > acknowledged.len()
    })
    .await;
    // One more may have reached Plotwise without the word of it reaching the sensor.
    assert!(linked.plotwise.observations() <= acknowledged.len() + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_was_killed_under_load_is_linked_to_again_and_nothing_is_stored_twice() {
    let mut broker = Mosquitto::start().await;
    let linked = Linked::of(&broker);
    let serving = linked.serve().await;
    broker.has_subscriber(FILTER).await;
    let address = broker.address.clone();
    let load = tokio::task::spawn_blocking(move || publish(&address, 0..200_000));
    linked.has_at_least(500).await;
    broker.kill();
    let sent = load.await.expect("the load ends with the broker").len();
    until("the link is down", async || !is_up(&serving).await).await;
    broker.begin().await;
    until("the link is up", async || is_up(&serving).await).await;
    // What a broker loses when it is killed only the sensor can send again.
    publish(&broker.address, 0..sent + 10);
    linked.has(sent + 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_forgot_its_sessions_is_subscribed_to_again() {
    let mut broker = Mosquitto::start().await;
    let linked = Linked::of(&broker);
    let _serving = linked.serve().await;
    broker.has_subscriber(FILTER).await;
    publish(&broker.address, 0..10);
    linked.has(10).await;
    broker.stop();
    broker.forget();
    broker.begin().await;
    broker.has_subscribers(FILTER, 2).await;
    publish(&broker.address, 5..20);
    linked.has(20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_a_subscription_and_each_message_is_stored_by_one() {
    let broker = Mosquitto::start().await;
    let url = format!("mqtt://{}", broker.address);
    let share = "share = \"plotwise\"";
    let (one, other) = (Linked::new(&url, "p-1", share), Linked::new(&url, "p-2", share));
    let _serving = (one.serve().await, other.serve().await);
    broker.has_subscribers(&format!("$share/plotwise/{FILTER}"), 2).await;
    publish(&broker.address, 0..400);
    let count = || [one.plotwise.observations(), other.plotwise.observations()];
    until("all is stored", async || count().iter().sum::<usize>() >= 400).await;
    let [by_one, by_other] = count();
    assert_eq!(by_one + by_other, 400);
    assert!(by_one > 0 && by_other > 0, "{by_one} and {by_other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_takes_from_several_brokers() {
    let (here, there) = (Mosquitto::start().await, Mosquitto::start().await);
    let linked = Linked::of(&here);
    let mut settings = std::fs::read_to_string(&linked.settings).expect("its settings");
    let second = settings.replace(&here.address, &there.address).replace("plotwise-1", "there");
    write!(settings, "{second}").expect("a text");
    std::fs::write(&linked.settings, settings).expect("its settings");
    let _serving = linked.serve().await;
    here.has_subscriber(FILTER).await;
    there.has_subscriber(FILTER).await;
    publish(&here.address, 0..10);
    publish(&there.address, 5..15);
    linked.has(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_the_broker_refuses_is_said() {
    // With an acl_file Mosquitto accepts a subscription and delivers nothing; its plugin refuses.
    let access = format!(
        "allow_anonymous true\nplugin {}\nplugin_opt_config_file FOLDER/rules.json\n",
        mosquitto::dynamic_security().display()
    );
    let rules = r#"{"defaultACLAccess": {"publishClientSend": true, "publishClientReceive": true,
        "subscribe": false, "unsubscribe": true}, "clients": [], "groups": [], "roles": []}"#;
    let broker = Mosquitto::start_with(&access, &[("rules.json", rules)]).await;
    let said = format!("the broker refused the subscription to {FILTER}");
    Linked::of(&broker).says(&[&said, "next attempt in"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_and_the_right_one_lets_in() {
    let access = "allow_anonymous false\npassword_file FOLDER/passwords\n";
    let broker = Mosquitto::start_with(access, &[("passwords", PASSWORDS)]).await;
    let url = format!("mqtt://{}", broker.address);
    let login = |password| format!("username = \"plotwise\"\npassword = \"{password}\"");
    let wrong = Linked::new(&url, "plotwise-1", &login("guessed"));
    wrong.says(&["the broker refuses username or password"]).await;
    let right = Linked::new(&url, "plotwise-1", &login("swordfish"));
    let _serving = right.serve().await;
    broker.has_subscriber(FILTER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_megabytes_is_a_dead_letter_and_what_follows_is_stored() {
    let broker = Mosquitto::start().await;
    let linked = Linked::of(&broker);
    let _serving = linked.serve().await;
    broker.has_subscriber(FILTER).await;
    let mut sensor = Sensor::connect(&broker.address, Version::V3, "probe-1", "").expect("let in");
    assert_eq!(sensor.publish("probe-1", &vec![b' '; 3 << 20]), Answer::Acknowledged(0));
    publish(&broker.address, 0..10);
    linked.has(10).await;
    let letters = linked.plotwise.json(&["deadletters", "list"]);
    assert_eq!(letters.as_array().map(Vec::len), Some(1), "{letters}");
    assert_eq!(letters[0]["reason"], "too_large", "{letters}");
}
