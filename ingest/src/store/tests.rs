//! The store on a real file, through its own writer and reader.

mod damage;
mod file;
mod identity;
mod letters;
mod refused;
mod retention;
mod sealing;
mod watched;

use std::{ops::ControlFlow, path::Path, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use plotwise_config::{
    id::DeviceId,
    reading::{DepthMm, Flags, Identity, Observation, QuantityNo, Reading},
};
use proptest::prelude::*;

use super::*;
use crate::{
    intake::{DeadLetter, DeadLetterReason, Intake, Sender},
    pipeline::Remark,
};

pub(super) const MOISTURE: QuantityNo = QuantityNo(0);
pub(super) const PH: QuantityNo = QuantityNo(1);
pub(super) const LIGHT: QuantityNo = QuantityNo(2);

fn keys(keys: &[&str]) -> Arc<[String]> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

pub(super) fn open(directory: &Path) -> Store {
    let options = StoreOptions { redelivery_window_s: 600, keeps_raw: true };
    Store::open_with_keys(directory, keys(&["soil_moisture", "soil_ph", "ppfd"]), options).unwrap()
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

pub(super) fn reading(quantity: QuantityNo, value: f64) -> Reading {
    Reading { quantity, depth: None, value, flags: Flags::NONE }
}

pub(super) fn observation(device: &str, second: i64, readings: &[Reading]) -> Observation {
    Observation {
        device: DeviceId::parse(device).unwrap(),
        measured: at(second),
        received: at(second + 2),
        claimed: None,
        identity: Identity::MeasuredTime,
        seq: None,
        supersede: false,
        readings: readings.to_vec(),
    }
}

fn untimed(identity: Identity, second: i64, value: f64) -> Observation {
    let readings = [Reading { flags: Flags::TIME_FROM_ARRIVAL, ..reading(MOISTURE, value) }];
    Observation { identity, received: at(second), ..observation("a", second, &readings) }
}

pub(super) fn commit(writer: &mut Writer, observations: &[Observation]) -> Committed {
    let batch: Vec<_> = observations.iter().cloned().map(Intake::Observation).collect();
    writer.commit(&batch).unwrap()
}

pub(super) fn all(store: &Store) -> Vec<StoredObservation> {
    let mut stored = Vec::new();
    let each = |observation: &StoredObservation| {
        stored.push(observation.clone());
        ControlFlow::Continue(())
    };
    let reader = store.reader().unwrap();
    reader.all_observations(None, None, each).unwrap();
    assert_eq!(reader.take_damages(), Damages::default());
    stored
}

fn letters(store: &Store) -> Vec<StoredDeadLetter> {
    store.reader().unwrap().dead_letters(100, None, None, None).unwrap()
}

#[test]
fn what_was_committed_is_read_back_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut sent = observation(
        "a",
        60,
        &[
            reading(PH, 5.4),
            Reading { depth: Some(DepthMm(600)), ..reading(MOISTURE, 0.252) },
            Reading { flags: Flags::FAULT_CODE, ..reading(MOISTURE, 0.231) },
        ],
    );
    sent.claimed = Some(at(-1_000_000_000));
    sent.seq = Some(u64::MAX);
    let committed = commit(&mut store.writer().unwrap(), std::slice::from_ref(&sent));
    assert_eq!(committed, Committed { stored: 1, ..Committed::default() });

    let stored = all(&open(directory.path()));
    assert_eq!(stored.len(), 1);
    assert_eq!((&stored[0].device, stored[0].measured), (&sent.device, sent.measured));
    assert_eq!((stored[0].received, stored[0].claimed), (sent.received, sent.claimed));
    assert_eq!((stored[0].seq, stored[0].corrected), (sent.seq, false));
    for reading in &sent.readings {
        assert!(stored[0].readings.contains(reading), "{reading:?}");
    }
}

#[test]
fn a_reading_sent_twice_is_stored_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let sent = observation("a", 0, &[reading(MOISTURE, 0.2)]);
    let later = Observation { received: at(500), ..sent.clone() };
    let committed = commit(&mut writer, &[sent.clone(), later.clone()]);
    assert_eq!((committed.stored, committed.duplicate), (1, 1));
    assert_eq!(commit(&mut writer, &[later]).duplicate, 1);
    assert_eq!(all(&store).len(), 1);
    assert_eq!(all(&store)[0].received, sent.received);
}

#[test]
fn a_pipeline_is_told_which_observations_changed_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path()).writer().unwrap();
    let sent = |device, second, value| {
        Intake::Observation(observation(device, second, &[reading(MOISTURE, value)]))
    };
    let batch = [sent("b", 0, 0.1), sent("a", 60, 0.1), sent("a", 60, 0.2), sent("b", 0, 0.1)];
    let mut written = writer.write(&batch).unwrap();
    written.remarks.sort_unstable_by_key(|(place, _)| *place);
    assert_eq!(written.remarks, [(2, Remark::Conflict), (3, Remark::Duplicate)]);
    assert_eq!(writer.write(&batch[..1]).unwrap().remarks, [(0, Remark::Duplicate)]);
    assert_eq!(writer.write(&[]).unwrap().remarks, []);
}

#[test]
fn a_device_was_last_heard_of_when_its_newest_reading_was_measured() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    commit(&mut writer, &[60, 0, 30].map(|s| observation("a", s, &[reading(MOISTURE, 0.2)])));
    let reader = store.reader().unwrap();
    let seen = reader.last_seen_of(&DeviceId::parse("a").unwrap()).unwrap().unwrap();
    assert_eq!((seen.heard.measured, seen.heard.received), (at(60), at(62)));
    assert_eq!(reader.last_seen_of(&DeviceId::parse("b").unwrap()).unwrap(), None);
}

#[test]
fn a_further_quantity_or_depth_is_added() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    commit(&mut writer, &[observation("a", 0, &[reading(MOISTURE, 0.2)])]);
    let deeper = Reading { depth: Some(DepthMm(600)), ..reading(MOISTURE, 0.3) };
    let committed = commit(&mut writer, &[observation("a", 0, &[deeper, reading(PH, 5.5)])]);
    assert_eq!((committed.merged, committed.dead_letters), (1, 0));
    assert_eq!(all(&store)[0].readings, [reading(MOISTURE, 0.2), deeper, reading(PH, 5.5)]);
}

#[test]
fn another_value_is_a_dead_letter_and_the_same_one_again_is_no_second() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    commit(&mut writer, &[observation("a", 0, &[reading(MOISTURE, 0.2)])]);
    let other = observation("a", 0, &[reading(MOISTURE, 0.3), reading(PH, 5.0)]);
    let committed = commit(&mut writer, std::slice::from_ref(&other));
    assert_eq!((committed.conflict, committed.dead_letters), (1, 1));
    let committed = commit(&mut writer, &[other]);
    assert_eq!((committed.conflict, committed.dead_letters), (1, 0));

    assert_eq!(all(&store)[0].readings, [reading(MOISTURE, 0.2), reading(PH, 5.0)]);
    let letters = letters(&store);
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].letter.reason, DeadLetterReason::Conflict);
    let payload: serde_json::Value = serde_json::from_slice(&letters[0].letter.payload).unwrap();
    let replayable =
        serde_json::json!({"time": 1_767_225_600_000_i64, "readings": {"soil_moisture": 0.3}});
    assert_eq!(payload, replayable);
}

#[test]
fn a_correction_replaces_and_the_original_coming_again_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let original = observation("a", 0, &[reading(MOISTURE, 0.2)]);
    let correction =
        Observation { supersede: true, ..observation("a", 0, &[reading(MOISTURE, 0.3)]) };
    commit(&mut writer, std::slice::from_ref(&original));
    assert_eq!(commit(&mut writer, std::slice::from_ref(&correction)).superseded, 1);
    let again = commit(&mut writer, &[original, correction]);
    assert_eq!(again, Committed { duplicate: 2, ..Committed::default() });
    let stored = all(&store);
    assert_eq!((stored[0].readings[0].value, stored[0].corrected), (0.3, true));
}

#[test]
fn minus_nought_is_nought() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let sent = [0.0, -0.0].map(|value| observation("a", 0, &[reading(LIGHT, value)]));
    let committed = commit(&mut store.writer().unwrap(), &sent);
    assert_eq!((committed.stored, committed.duplicate), (1, 1));
}

#[test]
fn a_quantity_twice_in_a_message_is_kept_once_and_another_value_told() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let readings = [reading(PH, 5.0), reading(MOISTURE, 0.2), reading(PH, 5.0), reading(PH, 6.0)];
    let committed = commit(&mut store.writer().unwrap(), &[observation("a", 0, &readings)]);
    assert_eq!((committed.stored, committed.dead_letters), (1, 1));
    assert_eq!(all(&store)[0].readings, [reading(PH, 5.0), reading(MOISTURE, 0.2)]);
}

#[test]
fn nan_becomes_a_dead_letter_and_its_neighbours_are_stored() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let readings = [reading(PH, f64::NAN), reading(MOISTURE, 0.2), reading(QuantityNo(99), 1.0)];
    commit(&mut store.writer().unwrap(), &[observation("a", 0, &readings)]);
    assert_eq!(all(&store)[0].readings, [reading(MOISTURE, 0.2)]);
    let reasons: Vec<_> = letters(&store).iter().map(|stored| stored.letter.reason).collect();
    assert_eq!(reasons, [DeadLetterReason::RefusedByStore, DeadLetterReason::NotFinite]);
}

#[test]
fn dead_letters_are_listed_newest_first_by_reason_and_page() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let letter = |reason, device: Option<&str>| {
        Intake::DeadLetter(DeadLetter {
            reason,
            device: device.map(|device| DeviceId::parse(device).unwrap()),
            sender: Some(Sender::Link("broker 1".to_owned())),
            topic: "plotwise/v1/a/up".to_owned(),
            received: at(0),
            payload: vec![0xff, 0],
            detail: "found that, wanted this".to_owned(),
        })
    };
    let batch = [
        letter(DeadLetterReason::NotJson, Some("a")),
        letter(DeadLetterReason::UnknownDevice, None),
        letter(DeadLetterReason::NotJson, Some("b")),
    ];
    assert_eq!(store.writer().unwrap().commit(&batch).unwrap().dead_letters, 3);

    let reader = store.reader().unwrap();
    let page = reader.dead_letters(1, None, Some(DeadLetterReason::NotJson), None).unwrap();
    assert_eq!(Intake::DeadLetter(page[0].letter.clone()), batch[2]);
    let next =
        reader.dead_letters(9, Some(page[0].id), Some(DeadLetterReason::NotJson), None).unwrap();
    assert_eq!(next.len(), 1);
    assert_eq!(reader.dead_letter(next[0].id).unwrap().as_ref(), Some(&next[0]));
    assert_eq!(reader.dead_letter(999).unwrap(), None);
    let device = DeviceId::parse("b").unwrap();
    assert_eq!(reader.dead_letters(9, None, None, Some(&device)).unwrap().len(), 1);
    let counts = reader.counts().unwrap();
    let wanted = [(DeadLetterReason::NotJson, 2), (DeadLetterReason::UnknownDevice, 1)];
    assert_eq!(counts.dead_letters, wanted);
}

#[test]
fn a_span_ends_before_its_end_and_crosses_weeks() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let day_s = 24 * 3600;
    let sent: Vec<_> =
        (0..30).map(|day| observation("a", day * day_s, &[reading(PH, 5.0)])).collect();
    let other = observation("b", 0, &[reading(PH, 5.0)]);
    let mut writer = store.writer().unwrap();
    commit(&mut writer, &sent);
    commit(&mut writer, &[other]);
    let mut found = Vec::new();
    let device = DeviceId::parse("a").unwrap();
    let each = |one: &StoredObservation| {
        found.push(one.measured.duration_since(at(0)).as_secs() / day_s);
        ControlFlow::Continue(())
    };
    let reader = store.reader().unwrap();
    let from = at(3 * day_s) - SignedDuration::from_nanos(1);
    reader.observations(&device, from, at(20 * day_s), each).unwrap();
    assert_eq!(found, (3..20).collect::<Vec<_>>());
    let seen = reader.last_seen().unwrap();
    assert_eq!((seen.len(), seen[0].1.heard.measured), (2, at(29 * day_s)));
    assert_eq!(reader.counts().unwrap().observations, 31);
}

#[test]
fn a_reader_stops_when_told() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let sent: Vec<_> = (0..9).map(|n| observation("a", n, &[reading(PH, 5.0)])).collect();
    commit(&mut store.writer().unwrap(), &sent);
    let mut count = 0;
    let each = |_: &StoredObservation| {
        count += 1;
        if count == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    store.reader().unwrap().all_observations(None, Some(at(100)), each).unwrap();
    assert_eq!(count, 4);
}

/// An observation whose value follows from its key, so that no two of them conflict.
fn agreeing() -> impl Strategy<Value = Observation> {
    let key = (0..3_u16, proptest::option::of((0..3_u16).prop_map(DepthMm)));
    let readings = proptest::collection::btree_set(key, 1..5);
    (0..3_u8, 0..4_i64, readings).prop_map(|(device, second, readings)| {
        let device = ["a", "b", "c"][usize::from(device)];
        let readings: Vec<_> = readings
            .into_iter()
            .map(|(quantity, depth)| {
                let depth_mm = depth.map_or(9, |depth| depth.0);
                let value = f64::from(quantity * 10 + depth_mm) + second as f64 / 8.0;
                Reading { quantity: QuantityNo(quantity), depth, value, flags: Flags::NONE }
            })
            .collect();
        // Weeks apart, so that several corners of the tree take part.
        Observation { received: at(0), ..observation(device, second * 500_000, &readings) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_order_and_repetition_of_a_set_is_stored_the_same(
        (set, shuffled) in proptest::collection::vec(agreeing(), 1..20).prop_flat_map(|set| {
            let twice: Vec<_> = set.iter().chain(&set).cloned().collect();
            (Just(set), Just(twice).prop_shuffle())
        }),
        cut in 1..8_usize,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (one, other) = (open(&directory.path().join("1")), open(&directory.path().join("2")));
        // Equal codes in both files, whatever comes first.
        let first = [MOISTURE, PH, LIGHT].map(|quantity| reading(quantity, 1.0));
        let first = observation("z", 0, &first);
        commit(&mut one.writer().unwrap(), std::slice::from_ref(&first));
        commit(&mut other.writer().unwrap(), &[first]);
        commit(&mut one.writer().unwrap(), &set);
        let mut writer = other.writer().unwrap();
        let mut total = 0;
        for batch in shuffled.chunks(cut) {
            let done = commit(&mut writer, batch);
            prop_assert_eq!((done.conflict, done.dead_letters), (0, 0));
            total += done.stored + done.merged + done.duplicate;
        }
        prop_assert_eq!(total, shuffled.len() as u64);
        prop_assert_eq!(all(&one), all(&other));
    }
}
