//! Dead letters in the store: groups, bounds, replays that are cut short.

use super::*;
use crate::upkeep::Step;

fn letter(reason: DeadLetterReason, device: &str, second: i64, bytes: usize) -> DeadLetter {
    DeadLetter {
        reason,
        device: Some(DeviceId::parse(device).unwrap()),
        sender: None,
        topic: format!("plotwise/v1/{device}/up"),
        received: at(second),
        payload: vec![b'x'; bytes],
        detail: format!("element {second}: found {second}.5, wanted a number"),
    }
}

fn put(store: &Store, letters: impl IntoIterator<Item = DeadLetter>) {
    let batch: Vec<_> = letters.into_iter().map(Intake::DeadLetter).collect();
    store.writer().unwrap().commit(&batch).unwrap();
}

fn count(store: &Store, filter: &LetterFilter) -> usize {
    store.reader().unwrap().dead_letter_ids(filter, i64::MIN, u32::MAX).unwrap().len()
}

fn keep(bounds: &mut LetterBounds, now: Timestamp) {
    while bounds.keep(now).unwrap() == Step::More {}
}

const LIMITS: LetterLimits = LetterLimits { retain_days: 30, max_mb: 1 };
const NOT_JSON: DeadLetterReason = DeadLetterReason::NotJson;

#[test]
fn letters_of_one_trouble_are_one_group() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    put(&store, (0..5).map(|second| letter(NOT_JSON, "a", second, 10)));
    put(&store, [letter(NOT_JSON, "b", 9, 10)]);
    put(&store, [letter(DeadLetterReason::WrongShape, "a", 3, 10)]);
    let groups = store.reader().unwrap().dead_letter_groups(&LetterFilter::default()).unwrap();
    let shown: Vec<_> = groups.iter().map(|one| (one.reason, one.count, one.newest)).collect();
    assert_eq!(shown, [(DeadLetterReason::WrongShape, 1, 7), (NOT_JSON, 1, 6), (NOT_JSON, 5, 5)]);
    let group = &groups[2];
    assert_eq!((group.first, group.last), (at(0), at(4)));
    assert_eq!(group.topic, "plotwise/v1/{device}/up");
    assert_eq!(group.detail, "element #: found #, wanted a number");
    let of_b = LetterFilter { device: groups[1].device.clone(), ..LetterFilter::default() };
    assert_eq!(store.reader().unwrap().dead_letter_groups(&of_b).unwrap().len(), 1);
}

#[test]
fn letters_that_are_too_old_are_let_go_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let day_s = 24 * 3600;
    put(&store, (0..40).map(|day| letter(NOT_JSON, "a", day * day_s, 10)));
    let mut bounds = store.letter_bounds(LIMITS).unwrap();
    keep(&mut bounds, at(40 * day_s));
    assert_eq!(count(&store, &LetterFilter::default()), 30);
    assert_eq!(store.reader().unwrap().dead_letters_let_go().unwrap(), [(NOT_JSON, 10)]);
    assert_eq!(bounds.counters().of(NOT_JSON), 10);
    // The count outlives the process.
    let again = open(directory.path());
    assert_eq!(again.reader().unwrap().dead_letters_let_go().unwrap(), [(NOT_JSON, 10)]);
}

#[test]
fn a_flood_is_kept_within_its_bound_and_pushes_nobody_else_out() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let unknown = DeadLetterReason::UnknownDevice;
    put(&store, (0..20).map(|second| letter(unknown, "waits", second, 200)));
    let mut bounds = store.letter_bounds(LIMITS).unwrap();
    for wave in 0..6 {
        put(&store, (0..3_000).map(|n| letter(NOT_JSON, "mad", wave * 3_000 + n, 300)));
        keep(&mut bounds, at(20_000));
        let bytes: i64 = store
            .reader()
            .unwrap()
            .connection
            .query_row("select sum(length(payload)) from dead_letter", [], |row| row.get(0))
            .unwrap();
        assert!(bytes < 1_000_000, "{bytes} after wave {wave}");
    }
    let waiting = LetterFilter { reason: Some(unknown), ..LetterFilter::default() };
    assert_eq!(count(&store, &waiting), 20);
    let kept = count(&store, &LetterFilter::default()) as u64;
    let gone = store.reader().unwrap().dead_letters_let_go().unwrap();
    assert_eq!(gone, [(NOT_JSON, 18_020 - kept)], "every letter is there or counted");
    // The newest are those that are kept.
    let newest = &letters(&store)[0].letter;
    assert_eq!(newest.received, at(17_999));
}

#[test]
fn letters_taken_away_by_others_are_not_counted_against_the_bound() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut bounds = store.letter_bounds(LIMITS).unwrap();
    let filter = LetterFilter::default();
    for wave in 0..4 {
        put(&store, (0..1_000).map(|n| letter(NOT_JSON, "a", wave * 1_000 + n, 400)));
        keep(&mut bounds, at(20_000));
        assert_eq!(store.writer().unwrap().purge(&filter, 10_000).unwrap(), 1_000);
    }
    assert_eq!(store.reader().unwrap().dead_letters_let_go().unwrap(), []);
}

#[test]
fn a_purge_takes_only_what_was_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    put(&store, (0..10).map(|second| letter(NOT_JSON, "a", second, 10)));
    put(&store, (0..10).map(|second| letter(NOT_JSON, "b", second, 10)));
    let filter = LetterFilter {
        reason: Some(NOT_JSON),
        device: Some(DeviceId::parse("a").unwrap()),
        before: Some(at(4)),
    };
    let mut writer = store.writer().unwrap();
    assert_eq!(writer.purge(&filter, 3).unwrap(), 3);
    assert_eq!(writer.purge(&filter, 3).unwrap(), 1);
    assert_eq!(writer.purge(&filter, 3).unwrap(), 0);
    assert_eq!(count(&store, &LetterFilter::default()), 16);
}

#[test]
fn a_replay_that_is_cut_short_has_neither_lost_nor_stored_anything() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    put(&store, (0..3).map(|second| letter(NOT_JSON, "a", second, 10)));
    let now = at(100);
    let read = |letter: &DeadLetter| {
        let second = letter.received.duration_since(at(0)).as_secs();
        vec![Intake::Observation(observation("a", second, &[reading(PH, 5.0)]))]
    };
    let cut_short = std::panic::catch_unwind(|| {
        let mut writer = store.writer().unwrap();
        let mut letters = 0;
        writer.replay(&[1, 2, 3], now, |letter| {
            letters += 1;
            assert!(letters < 3, "the third letter: as if the process were killed here");
            read(letter)
        })
    });
    assert!(cut_short.is_err());
    assert_eq!((all(&store).len(), count(&store, &LetterFilter::default())), (0, 3));
    let mut writer = store.writer().unwrap();
    let replayed = writer.replay(&[1, 2, 3], now, read).unwrap();
    assert_eq!((replayed.done, replayed.committed.stored), (3, 3));
    assert_eq!((all(&store).len(), count(&store, &LetterFilter::default())), (3, 0));
    assert_eq!(writer.replay(&[1, 2, 3], now, read).unwrap(), Replayed::default());
}

#[test]
fn what_the_store_refuses_in_a_replay_stays_and_the_others_come_in() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    commit(&mut writer, &[observation("a", 1, &[reading(PH, 5.0)])]);
    writer.connection().execute("update observation set readings = x'09'", []).unwrap();
    put(&store, (0..3).map(|second| letter(NOT_JSON, "a", second, 10)));
    let read = |letter: &DeadLetter| {
        let second = letter.received.duration_since(at(0)).as_secs();
        vec![Intake::Observation(observation("a", second, &[reading(PH, 6.0)]))]
    };
    let replayed = writer.replay(&[1, 2, 3], at(9), read).unwrap();
    assert_eq!((replayed.done, replayed.committed.stored), (2, 2));
    assert_eq!(replayed.left[&DeadLetterReason::RefusedByStore], 1);
    let left = letters(&store);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].letter.payload, vec![b'x'; 10], "the payload as it came");
    assert!(left[0].letter.detail.contains("damaged"), "{}", left[0].letter.detail);
}
