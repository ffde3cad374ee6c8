//! Messages without a time of their own.

use super::*;

#[test]
fn without_a_time_the_same_payload_is_a_redelivery_within_the_window_only() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let payload = Identity::Payload([7; 16]);
    assert_eq!(commit(&mut writer, &[untimed(payload, 0, 0.2)]).stored, 1);
    assert_eq!(commit(&mut writer, &[untimed(payload, 599, 0.2)]).duplicate, 1);
    // The window counts from the arrival that was stored, not from its redelivery.
    assert_eq!(commit(&mut writer, &[untimed(payload, 601, 0.2)]).stored, 1);
    assert_eq!(all(&store).len(), 2);
}

#[test]
fn without_a_time_the_same_counter_and_reading_is_a_redelivery_for_days() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let day_s = 24 * 3600;
    assert_eq!(commit(&mut writer, &[untimed(Identity::Sequence(5), 0, 0.2)]).stored, 1);
    assert_eq!(commit(&mut writer, &[untimed(Identity::Sequence(5), day_s, 0.2)]).duplicate, 1);
    assert_eq!(commit(&mut writer, &[untimed(Identity::Sequence(6), day_s, 0.2)]).stored, 1);
    assert_eq!(commit(&mut writer, &[untimed(Identity::Sequence(5), 8 * day_s, 0.2)]).stored, 1);
}

#[test]
fn a_networks_id_makes_it_the_same_message_whatever_it_says() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let id = |n| Identity::Network([n; 16]);
    let day_s = 24 * 3600;
    assert_eq!(commit(&mut writer, &[untimed(id(1), 0, 0.2)]).stored, 1);
    // The broker was down for a day.
    assert_eq!(commit(&mut writer, &[untimed(id(1), day_s, 0.2)]).duplicate, 1);
    assert_eq!(commit(&mut writer, &[untimed(id(1), day_s, 0.3)]).conflict, 1);
    assert_eq!(commit(&mut writer, &[untimed(id(2), day_s, 0.2)]).stored, 1);
}

#[test]
fn a_frame_counter_that_started_anew_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let frame = Identity::Session([7; 16]);
    let (before, after) = (untimed(frame, 0, 0.2), untimed(frame, 60, 0.3));
    assert_eq!(commit(&mut writer, &[before.clone(), after.clone()]).stored, 2);
    assert_eq!(commit(&mut writer, &[after, before]).duplicate, 2);
    // The same bytes of another kind of identity are another message.
    let payload = untimed(Identity::Payload([7; 16]), 120, 0.2);
    assert_eq!(commit(&mut writer, &[payload]).stored, 1);
}

#[test]
fn a_counter_that_started_anew_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let (before, after) =
        (untimed(Identity::Sequence(5), 0, 0.2), untimed(Identity::Sequence(5), 60, 0.3));
    assert_eq!(commit(&mut writer, &[before.clone(), after.clone()]).stored, 2);
    assert_eq!(commit(&mut writer, &[after, before]).duplicate, 2);
}

#[test]
fn a_known_message_without_a_time_that_says_more_adds_to_its_row() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let mut sent = untimed(Identity::Sequence(5), 0, 0.2);
    commit(&mut writer, std::slice::from_ref(&sent));
    sent.readings.push(reading(PH, 5.0));
    sent.received = at(100);
    sent.measured = at(100);
    assert_eq!(commit(&mut writer, &[sent]).merged, 1);
    assert_eq!(all(&store).len(), 1);
}

#[test]
fn two_messages_without_a_time_in_one_millisecond_are_both_stored() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let sent = [1, 2, 3].map(|n| untimed(Identity::Payload([n; 16]), 0, f64::from(n)));
    assert_eq!(commit(&mut writer, &sent).stored, 3);
    assert_eq!(commit(&mut writer, &sent).duplicate, 3);
    let stored = all(&store);
    let offsets = stored.iter().map(|one| one.measured.duration_since(at(0)).as_millis());
    assert_eq!(offsets.collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn identities_that_have_expired_are_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    for n in 0..100 {
        let mut hash = [0; 16];
        hash[0] = n;
        commit(&mut writer, &[untimed(Identity::Payload(hash), i64::from(n) * 700, 0.1)]);
    }
    let count = "select count(*) from recent";
    let left: i64 = writer.connection().query_row(count, [], |row| row.get(0)).unwrap();
    assert!(left <= 2, "{left}");
}

#[test]
fn a_correction_without_a_time_corrects_the_message_with_its_number() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let sent = untimed(Identity::Sequence(5), 0, 0.2);
    let right = Observation { supersede: true, ..untimed(Identity::Sequence(5), 60, 0.3) };
    assert_eq!(commit(&mut writer, std::slice::from_ref(&sent)).stored, 1);
    assert_eq!(commit(&mut writer, std::slice::from_ref(&right)).superseded, 1);
    // Either comes again.
    assert_eq!(commit(&mut writer, &[sent, right]).duplicate, 2);
    let stored = all(&store);
    assert_eq!((stored.len(), stored[0].readings[0].value), (1, 0.3));
    assert!(letters(&store).is_empty());
}
