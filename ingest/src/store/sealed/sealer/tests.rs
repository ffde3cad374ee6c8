//! What happens between the moments of a step.

use plotwise_config::reading::Observation;

use super::*;
use crate::store::{
    StoredObservation, Writer,
    tests::{LIGHT, MOISTURE, PH, all, at, commit, observation, open, reading},
};

const DAY_S: i64 = 24 * 3600;

/// A store with rows of a device every hour, as often as told.
fn filled(directory: &Path, count: i64) -> (Store, Writer) {
    let store = open(directory);
    let mut writer = store.writer().unwrap();
    let one = |n: i64| observation("a", n * 3600, &[reading(MOISTURE, (n % 9) as f64 / 100.0)]);
    commit(&mut writer, &(0..count).map(one).collect::<Vec<_>>());
    (store, writer)
}

/// What a step would do next.
fn plan(sealer: &mut Sealer) -> Plan {
    let until_ms = at(1000 * DAY_S).as_millisecond();
    let (_, device, first_ms) = sealer.find_next(until_ms).unwrap().unwrap();
    sealer.plan(device, first_ms, until_ms).unwrap().unwrap()
}

fn seal_all(store: &Store) -> Sealed {
    store.sealer().unwrap().seal_all(Timestamp::MAX, |_| {}).unwrap()
}

fn values(stored: &[StoredObservation]) -> Vec<f64> {
    stored.iter().flat_map(|one| &one.readings).map(|reading| reading.value).collect()
}

fn correction(second: i64) -> Observation {
    Observation { supersede: true, ..observation("a", second, &[reading(MOISTURE, 0.77)]) }
}

#[test]
fn what_arrives_between_reading_and_writing_is_not_lost() {
    for (arrival, wanted) in [
        (correction(3600), 100),
        (observation("a", 3600, &[reading(PH, 5.0)]), 101),
        (observation("a", 3601, &[reading(PH, 5.0)]), 101),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let (store, mut writer) = filled(directory.path(), 100);
        let mut sealer = store.sealer().unwrap();
        let made = plan(&mut sealer);
        commit(&mut writer, &[arrival]);
        let before = all(&store);
        assert!(!sealer.carry_out(&made).unwrap());
        assert_eq!(all(&store), before);
        assert_eq!(values(&before).len(), wanted);
        seal_all(&store);
        assert_eq!(all(&store), before);
    }
}

#[test]
fn what_arrives_elsewhere_does_not_keep_a_step_from_its_work() {
    let directory = tempfile::tempdir().unwrap();
    let (store, mut writer) = filled(directory.path(), 100);
    let mut sealer = store.sealer().unwrap();
    let made = plan(&mut sealer);
    commit(&mut writer, &[observation("b", 0, &[reading(PH, 5.0)])]);
    commit(&mut writer, &[observation("a", 100 * 3600, &[reading(PH, 5.0)])]);
    let before = all(&store);
    assert!(sealer.carry_out(&made).unwrap());
    assert_eq!(all(&store), before);
}

#[test]
fn a_row_in_place_of_a_sealed_observation_holds_up_a_step_that_knew_nothing_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let (store, mut writer) = filled(directory.path(), 100);
    seal_all(&store);
    // Joins the small block that is there.
    commit(&mut writer, &[observation("a", 100 * 3600, &[reading(PH, 5.0)])]);
    let mut sealer = store.sealer().unwrap();
    let made = plan(&mut sealer);
    assert_eq!(made.old.len(), 1);
    commit(&mut writer, &[correction(3600)]);
    let before = all(&store);
    assert!(!sealer.carry_out(&made).unwrap());
    seal_all(&store);
    assert_eq!(all(&store), before);
    assert_eq!(store.reader().unwrap().counts().unwrap().observations, 101);
}

#[test]
fn two_that_seal_the_same_rows_seal_them_once() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _writer) = filled(directory.path(), 100);
    let before = all(&store);
    // Another process: it does not share our turns.
    let other = open(directory.path());
    let (mut one, mut two) = (store.sealer().unwrap(), other.sealer().unwrap());
    let (first, second) = (plan(&mut one), plan(&mut two));
    assert!(one.carry_out(&first).unwrap());
    assert!(!two.carry_out(&second).unwrap());
    assert_eq!(all(&store), before);
    assert_eq!(store.reader().unwrap().counts().unwrap().observations, 100);
}

#[test]
fn a_step_cut_off_before_its_commit_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (store, writer) = filled(directory.path(), 100);
    let before = all(&store);
    let mut sealer = store.sealer().unwrap();
    let made = plan(&mut sealer);
    sealer.connection.execute_batch("begin immediate").unwrap();
    swap::exchange(&sealer.connection, &made).unwrap();
    let rows = "select count(*) from observation";
    let left: i64 = sealer.connection.query_row(rows, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
    // As a process that ends: no rollback, the connection is gone.
    drop((sealer, writer, store));
    let store = open(directory.path());
    assert_eq!(all(&store), before);
    assert_eq!(seal_all(&store).rows, 100);
    assert_eq!(all(&store), before);
}

#[test]
fn rows_that_vanished_are_nothing_to_seal() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _writer) = filled(directory.path(), 100);
    let mut sealer = store.sealer().unwrap();
    let until_ms = at(1000 * DAY_S).as_millisecond();
    let (_, device, first_ms) = sealer.find_next(until_ms).unwrap().unwrap();
    seal_all(&store);
    assert!(sealer.plan(device, first_ms, until_ms).unwrap().is_none());
}

#[test]
fn a_row_that_came_behind_a_pass_is_taken_with_the_block_that_it_stands_beside() {
    let directory = tempfile::tempdir().unwrap();
    let (store, mut writer) = filled(directory.path(), 1000);
    assert_eq!(seal_all(&store).blocks, 1);
    let late = 800 * 3600;
    commit(&mut writer, &[correction(3600), correction(late)]);
    let before = all(&store);
    let mut sealer = store.sealer().unwrap();
    sealer.next = (week_of(at(late).as_millisecond()), 1);
    assert_eq!(sealer.seal(i64::MAX).unwrap(), Step::More);
    assert_eq!(sealer.done.rows, 2);
    assert_eq!(all(&store), before);
    assert_eq!(store.reader().unwrap().counts().unwrap().observations, 1000);
}

#[test]
fn writers_and_a_sealer_at_once_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (store, mut writer) = filled(directory.path(), 3000);
    let other = open(directory.path());
    let sealing = std::thread::spawn(move || {
        let mut sealer = other.sealer().unwrap();
        (0..12).map(|_| sealer.seal_all(Timestamp::MAX, |_| {}).unwrap().rows).sum::<u64>()
    });
    for n in 0..300 {
        let light = observation("a", n * 7 * 3600, &[reading(LIGHT, n as f64)]);
        let late = observation("a", n * 7 * 3600 + 60, &[reading(LIGHT, n as f64)]);
        let done = commit(&mut writer, &[light, late]);
        assert_eq!((done.merged, done.stored), (1, 1));
    }
    assert!(sealing.join().unwrap() >= 3000);
    let stored = all(&store);
    assert_eq!(stored.len(), 3300);
    assert_eq!(values(&stored).len(), 3600);
    assert_eq!(store.reader().unwrap().counts().unwrap().observations, 3300);
    seal_all(&store);
    assert_eq!(all(&store), stored);
}
