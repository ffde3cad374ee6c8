//! What the store cannot take, among what it can.

use super::*;

fn damage_row(writer: &Writer, second: i64) {
    let damaged = writer
        .connection()
        .execute(
            "update observation set readings = x'09' where time_ms = ?",
            [at(second).as_millisecond()],
        )
        .unwrap();
    assert_eq!(damaged, 1);
}

#[test]
fn a_damaged_row_costs_its_own_message_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    commit(&mut writer, &[observation("a", 5, &[reading(PH, 5.0)])]);
    damage_row(&writer, 5);

    let mut culprit = observation("a", 5, &[reading(PH, 5.5), reading(MOISTURE, 0.2)]);
    culprit.seq = Some(7);
    let mut batch: Vec<_> = (0..10)
        .filter(|second| *second != 5)
        .map(|second| observation("a", second, &[reading(PH, 5.0)]))
        .collect();
    batch.insert(4, culprit);
    // Its device and quantity get their numbers in the same batch.
    batch.push(observation("new", 0, &[reading(LIGHT, 800.0)]));
    let committed = commit(&mut writer, &batch);
    assert_eq!((committed.stored, committed.refused, committed.dead_letters), (10, 1, 1));

    let kept = letters(&store);
    assert_eq!(kept.len(), 1);
    let letter = &kept[0].letter;
    assert_eq!(letter.reason, DeadLetterReason::RefusedByStore);
    assert!(letter.detail.contains("damaged"), "{}", letter.detail);
    let payload: serde_json::Value = serde_json::from_slice(&letter.payload).unwrap();
    let wanted = serde_json::json!({
        "time": at(5).as_millisecond(),
        "seq": 7,
        "readings": { "soil_ph": 5.5, "soil_moisture": 0.2 },
    });
    assert_eq!(payload, wanted);
    // And the next batch does not stall either.
    assert_eq!(commit(&mut writer, &batch[..3]).duplicate, 3);
}

#[test]
fn a_dead_letter_that_cannot_be_written_is_not_lost() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    commit(&mut writer, &[observation("a", 5, &[reading(PH, 5.0)])]);
    damage_row(&writer, 5);
    writer
        .connection()
        .execute_batch(
            "create trigger no_letters before insert on dead_letter \
             begin select raise(abort, 'no'); end",
        )
        .unwrap();
    let batch = [Intake::Observation(observation("a", 5, &[reading(PH, 5.5)]))];
    assert!(writer.commit(&batch).is_err(), "the batch waits, unacknowledged");
    writer.connection().execute_batch("drop trigger no_letters").unwrap();
    assert_eq!(writer.commit(&batch).unwrap().refused, 1);
}
