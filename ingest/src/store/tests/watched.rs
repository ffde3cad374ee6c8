//! What is kept of a device beside its readings: gaps in its numbers, its interval.

use super::*;
use crate::sequence::SequenceTotals;

fn numbered(seq: u64, second: i64) -> Observation {
    Observation { seq: Some(seq), ..observation("a", second, &[reading(PH, 5.0)]) }
}

fn seen(store: &Store) -> LastSeen {
    store.reader().unwrap().last_seen().unwrap()[0].1
}

fn totals(missed: u64, filled: u64, repeated: u64, restarts: u64) -> SequenceTotals {
    SequenceTotals { missed, filled, repeated, restarts }
}

#[test]
fn gaps_are_counted_across_batches_writers_and_restarts_of_the_program() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let first = commit(&mut writer, &[numbered(3, 0), numbered(6, 60)]);
    assert_eq!((first.missed, first.filled), (2, 0));
    // Another connection, as `deadletters replay` is one.
    let second = commit(&mut store.writer().unwrap(), &[numbered(4, 20), numbered(8, 120)]);
    assert_eq!((second.missed, second.filled), (1, 1));
    // The first one must not write what it remembers over it.
    let third = commit(&mut writer, &[numbered(7, 90), numbered(9, 180)]);
    assert_eq!((third.missed, third.filled), (0, 1));
    assert_eq!(seen(&store).numbers, totals(3, 2, 0, 0));
    drop(writer);
    let store = open(directory.path());
    commit(&mut store.writer().unwrap(), &[numbered(11, 300)]);
    assert_eq!(seen(&store).numbers.lost(), 2);
}

#[test]
fn a_message_sent_twice_is_a_repetition_and_no_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    commit(&mut writer, &[numbered(1, 0), numbered(2, 60), numbered(3, 120), numbered(2, 60)]);
    commit(&mut writer, &[numbered(1, 0)]);
    assert_eq!(seen(&store).numbers, totals(0, 0, 2, 0));
}

#[test]
fn a_device_without_a_clock_that_counts_anew_makes_no_gap() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let message = |seq, second, value| {
        let observation = untimed(Identity::Sequence(seq), second, value);
        Observation { seq: Some(seq), ..observation }
    };
    commit(&mut writer, &[message(40, 0, 0.1), message(41, 60, 0.2), message(41, 62, 0.2)]);
    commit(&mut writer, &[message(0, 120, 0.3), message(1, 180, 0.4), message(3, 240, 0.5)]);
    assert_eq!(seen(&store).numbers, totals(1, 0, 1, 1));
}

#[test]
fn what_a_failed_batch_noted_does_not_count() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    commit(&mut writer, &[numbered(1, 0)]);
    let pages: i64 =
        writer.connection().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    writer.connection().pragma_update(None, "max_page_count", pages).unwrap();
    let batch: Vec<_> = (0..2_000)
        .map(|n| Intake::Observation(numbered(10 + 2 * n, 60 * n.cast_signed())))
        .collect();
    assert!(matches!(writer.commit(&batch), Err(StoreError::Full(_))));
    writer.connection().pragma_update(None, "max_page_count", 1_000_000).unwrap();
    commit(&mut writer, &[numbered(2, 60)]);
    assert_eq!(seen(&store).numbers, SequenceTotals::default());
}

#[test]
fn a_device_is_expected_by_the_interval_of_what_it_sent() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let quarter_s = 15 * 60;
    let sent: Vec<_> =
        (0..8).map(|n| observation("a", n * quarter_s, &[reading(PH, 5.0)])).collect();
    commit(&mut writer, &sent[..4]);
    commit(&mut writer, &sent[4..]);
    let heard = seen(&store).heard;
    assert_eq!(heard.interval, Some(SignedDuration::from_mins(15)));
    assert_eq!((heard.measured, heard.received), (at(7 * quarter_s), at(7 * quarter_s + 2)));
}

#[test]
fn what_is_kept_of_a_device_and_cannot_be_read_is_learned_anew() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    commit(&mut writer, &[numbered(1, 0), numbered(5, 60)]);
    writer.connection().execute("update last_seen set watch = x'ffffff'", []).unwrap();
    drop(writer);
    assert_eq!(seen(&store).numbers, SequenceTotals::default());
    commit(&mut store.writer().unwrap(), &[numbered(7, 120), numbered(9, 180)]);
    assert_eq!(seen(&store).numbers.lost(), 1);
}
