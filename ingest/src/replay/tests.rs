//! Replays on a real store.

mod raw;

use std::ops::ControlFlow;

use plotwise_config::catalogue::Catalogue;

use super::*;
use crate::{
    directory::Entry,
    store::{StoreOptions, StoredObservation},
};

struct Farm {
    _folder: tempfile::TempDir,
    store: Store,
    decoders: Decoders,
    settings: MqttSettings,
    devices: Vec<(DeviceId, Entry)>,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

fn id(name: &str) -> DeviceId {
    DeviceId::parse(name).unwrap()
}

fn entry(cooperative: &str, is_gateway: bool) -> Entry {
    Entry {
        cooperative: CooperativeId::parse(cooperative).unwrap(),
        profile: "native".to_owned(),
        is_gateway,
        token_sha256: None,
        own_depths: Vec::new(),
    }
}

const LINK: &str = r#"
[[mqtt.link]]
url = "mqtt://broker.example"
client_id = "broker-1"
cooperatives = ["ours"]
[[mqtt.link.subscription]]
filter = "farm/+/soil"
decoder = "native"
"#;

impl Farm {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let catalogue = std::sync::Arc::new(Catalogue::load(&[]).unwrap());
        let decoders = Decoders::new(&catalogue);
        let options = StoreOptions { redelivery_window_s: 600, keeps_raw: true };
        let store = Store::open(folder.path(), catalogue, options).unwrap();
        let file = folder.path().join("plotwise.toml");
        std::fs::write(&file, LINK).unwrap();
        let flags = plotwise_config::settings::Overrides::default();
        let settings =
            plotwise_config::settings::Settings::load(Some(&file), std::iter::empty(), &flags);
        let devices = vec![(id("gate"), entry("ours", true))];
        Self { _folder: folder, store, decoders, settings: settings.unwrap().mqtt, devices }
    }

    fn register(&mut self, device: &str, cooperative: &str) {
        self.devices.push((id(device), entry(cooperative, false)));
    }

    /// A message comes in; what it comes to is committed.
    fn receive(&self, sender: &Sender, topic: &str, payload: &str, second: i64) {
        let directory = Directory::new(self.devices.clone());
        let again = Again::new(&directory, &self.decoders, &self.settings).unwrap();
        let payload = payload.as_bytes();
        let intakes =
            again.message(Some(sender), None, Message { topic, payload, received: at(second) });
        self.store.writer().unwrap().commit(&intakes).unwrap();
    }

    fn replay(&self, asked: &Asked) -> Outcome {
        let directory = Directory::new(self.devices.clone());
        let again = Again::new(&directory, &self.decoders, &self.settings).unwrap();
        // Long after every window in which a redelivery is known.
        let now = at(30 * 24 * 3600);
        replay_letters(&self.store, asked, &again, now, |_| {}).unwrap()
    }

    fn all(&self) -> Vec<StoredObservation> {
        let mut stored = Vec::new();
        let each = |one: &StoredObservation| {
            stored.push(one.clone());
            ControlFlow::Continue(())
        };
        self.store.reader().unwrap().all_observations(None, None, each).unwrap();
        stored
    }

    fn reasons(&self) -> Vec<DeadLetterReason> {
        let letters = self.store.reader().unwrap().dead_letters(100, None, None, None).unwrap();
        letters.iter().map(|stored| stored.letter.reason).collect()
    }
}

fn gate() -> Sender {
    Sender::Token("gate".to_owned())
}

fn named(reason: DeadLetterReason) -> Asked {
    Asked { reason: Some(reason), ..Asked::default() }
}

const UP: &str = "plotwise/v1/node/up";

#[test]
fn what_came_before_its_device_was_registered_is_stored_at_its_own_time() {
    let mut farm = Farm::new();
    farm.receive(&gate(), UP, r#"{"time": 1767225600, "readings": {"soil_ph": 5.1}}"#, 5);
    farm.receive(&gate(), UP, r#"{"readings": {"soil_ph": 5.2}}"#, 65);
    let asked = Asked::default();
    let first = farm.replay(&asked);
    assert_eq!(first.replayed.left[&DeadLetterReason::UnknownDevice], 2, "nothing was mended");
    assert_eq!((farm.all().len(), farm.reasons().len()), (0, 2));

    farm.register("node", "ours");
    let second = farm.replay(&asked);
    assert_eq!((second.replayed.done, second.replayed.committed.stored), (2, 2));
    let stored = farm.all();
    assert_eq!((stored[0].measured, stored[0].received), (at(0), at(5)));
    assert_eq!((stored[1].measured, stored[1].received), (at(65), at(65)), "its first arrival");
    assert_eq!(farm.reasons(), []);
    // Sent again by a broker, and replayed again: nothing changes.
    farm.receive(&gate(), UP, r#"{"time": 1767225600, "readings": {"soil_ph": 5.1}}"#, 900);
    assert_eq!(farm.replay(&asked), Outcome::default());
    assert_eq!(farm.all().len(), 2);
}

#[test]
fn a_message_that_was_partly_stored_is_not_stored_twice() {
    let mut farm = Farm::new();
    farm.register("node", "ours");
    // Neither time nor counter: known by its payload, but only for ten minutes.
    let payload =
        r#"{"readings": {"soil_ph": 5.1, "soil_moisture": {"value": 9, "unit": "furlong"}}}"#;
    farm.receive(&gate(), UP, payload, 0);
    assert_eq!((farm.all().len(), farm.reasons()), (1, vec![DeadLetterReason::UnknownUnit]));
    let outcome = farm.replay(&Asked::default());
    assert_eq!(outcome.replayed.left[&DeadLetterReason::UnknownUnit], 1);
    assert_eq!((farm.all().len(), farm.reasons().len()), (1, 1));
}

#[test]
fn a_message_that_was_delivered_twice_is_replayed_once() {
    let mut farm = Farm::new();
    let payload = r#"{"readings": {"soil_ph": 5.1}}"#;
    farm.receive(&gate(), UP, payload, 0);
    farm.receive(&gate(), UP, payload, 30);
    farm.register("node", "ours");
    // Each in a transaction of its own.
    for id in [1, 2] {
        farm.replay(&Asked { id: Some(id), ..Asked::default() });
    }
    assert_eq!((farm.all().len(), farm.reasons().len()), (1, 0));
}

#[test]
fn nobody_speaks_for_another_cooperative_after_the_fact() {
    let mut farm = Farm::new();
    let payload = r#"{"readings": {"soil_ph": 5.1}}"#;
    farm.receive(&gate(), UP, payload, 0);
    farm.receive(&Sender::Link("broker-1".to_owned()), "farm/node/soil", payload, 1);
    farm.receive(&Sender::Link("gone".to_owned()), UP, payload, 2);
    farm.register("node", "theirs");
    let outcome = farm.replay(&Asked::default());
    assert_eq!(outcome.replayed.left[&DeadLetterReason::NotAllowed], 3);
    assert_eq!(farm.all().len(), 0);
    // Now their reason has to be asked for by name.
    assert_eq!(farm.replay(&Asked::default()).unasked, 3);

    farm.devices.pop();
    farm.register("node", "ours");
    let outcome = farm.replay(&named(DeadLetterReason::NotAllowed));
    assert_eq!((outcome.replayed.done, farm.all().len()), (2, 1));
    assert_eq!(farm.reasons(), [DeadLetterReason::NotAllowed], "of the link that is no more");
}

#[test]
fn what_was_cut_off_is_not_replayed() {
    let mut farm = Farm::new();
    let payload = format!(r#"{{"readings": {{"soil_ph": 5.1}}, "pad": "{}"}}"#, "x".repeat(2_000));
    farm.register("node", "theirs");
    farm.receive(&gate(), UP, &payload, 0);
    let outcome = farm.replay(&named(DeadLetterReason::NotAllowed));
    assert_eq!((outcome.cut, farm.reasons()), (1, vec![DeadLetterReason::NotAllowed]));
}

#[test]
fn a_conflict_that_is_asked_for_by_name_corrects() {
    let mut farm = Farm::new();
    farm.register("node", "ours");
    for (value, second) in [(5.1, 0), (5.3, 1)] {
        let payload = format!(r#"{{"time": 1767225600, "readings": {{"soil_ph": {value}}}}}"#);
        farm.receive(&gate(), UP, &payload, second);
    }
    assert_eq!(farm.reasons(), [DeadLetterReason::Conflict]);
    assert_eq!(farm.replay(&Asked::default()).unasked, 1);
    assert!((farm.all()[0].readings[0].value - 5.1).abs() < 1e-9);
    farm.replay(&named(DeadLetterReason::Conflict));
    let stored = farm.all();
    assert!((stored[0].readings[0].value - 5.3).abs() < 1e-9);
    assert!(stored[0].corrected);
    assert_eq!(farm.reasons(), []);
}

#[test]
fn what_still_fails_stays_with_its_payload_and_its_new_reason() {
    let mut farm = Farm::new();
    let payload = r#"{"time": 1767225600, "readings": {"no_such_thing": 1, "soil_ph": {"value": 1, "unit": "furlong"}, "soil_moisture": 0.2}}"#;
    farm.receive(&gate(), UP, payload, 0);
    farm.register("node", "ours");
    let outcome = farm.replay(&Asked::default());
    // The message now has two things wrong with it, and a letter for each.
    assert_eq!((outcome.replayed.done, outcome.replayed.committed.stored), (0, 1));
    let mut reasons = farm.reasons();
    reasons.sort_unstable();
    assert_eq!(reasons, [DeadLetterReason::UnknownQuantity, DeadLetterReason::UnknownUnit]);
    for stored in farm.store.reader().unwrap().dead_letters(9, None, None, None).unwrap() {
        assert_eq!(stored.letter.payload, payload.as_bytes());
        assert_eq!(stored.letter.received, at(0));
    }
    // And as many however often it is replayed.
    farm.replay(&Asked::default());
    assert_eq!((farm.all().len(), farm.reasons().len()), (1, 2));
}

#[test]
fn a_message_from_before_senders_were_kept_is_its_devices_own() {
    let mut farm = Farm::new();
    let letter = DeadLetter {
        reason: DeadLetterReason::UnknownDevice,
        device: Some(id("node")),
        sender: None,
        topic: UP.to_owned(),
        received: at(0),
        payload: br#"{"readings": {"soil_ph": 5.1}}"#.to_vec(),
        detail: String::new(),
    };
    farm.store.writer().unwrap().commit(&[Intake::DeadLetter(letter)]).unwrap();
    farm.register("node", "ours");
    assert_eq!(farm.replay(&Asked::default()).replayed.done, 1);
}

#[test]
fn a_replay_fills_the_gaps_that_its_letters_left() {
    let mut farm = Farm::new();
    farm.register("node", "ours");
    for seq in [1, 2, 4] {
        let payload = format!(
            r#"{{"time": {}, "seq": {seq}, "readings": {{"soil_ph": 5.1}}}}"#,
            1_767_225_600 + 60 * seq
        );
        farm.receive(&gate(), UP, &payload, 60 * seq);
    }
    let lost = |farm: &Farm| farm.store.reader().unwrap().last_seen().unwrap()[0].1.numbers.lost();
    assert_eq!(lost(&farm), 1);
    let letter = DeadLetter {
        reason: DeadLetterReason::UnknownQuantity,
        device: Some(id("node")),
        sender: Some(gate()),
        topic: UP.to_owned(),
        received: at(180),
        payload: br#"{"time": 1767225780, "seq": 3, "readings": {"soil_ph": 5.1}}"#.to_vec(),
        detail: String::new(),
    };
    farm.store.writer().unwrap().commit(&[Intake::DeadLetter(letter)]).unwrap();
    farm.replay(&Asked::default());
    assert_eq!(lost(&farm), 0);
}
