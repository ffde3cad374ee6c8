//! The file: what it is made as, and what happens when it is full, foreign or damaged.

use super::*;

#[test]
fn a_disk_without_room_leaves_nothing_and_the_writer_goes_on_later() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let batch: Vec<_> =
        (0..5_000).map(|n| Intake::Observation(observation("a", n, &[reading(PH, 5.0)]))).collect();
    let pages: i64 =
        writer.connection().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    writer.connection().pragma_update(None, "max_page_count", pages + 5).unwrap();
    assert!(matches!(writer.commit(&batch), Err(StoreError::Full(_))));
    assert_eq!(store.reader().unwrap().counts().unwrap(), Counts::default());
    writer.connection().pragma_update(None, "max_page_count", 1_000_000).unwrap();
    assert_eq!(writer.commit(&batch).unwrap().stored, 5_000);
    assert_eq!(all(&store).len(), 5_000);
}

#[test]
fn a_transaction_interrupted_before_its_commit_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let writer = store.writer().unwrap();
    let connection = writer.connection();
    connection.execute_batch("begin immediate").unwrap();
    connection.execute("insert into device (name) values ('a')", []).unwrap();
    connection
        .execute("insert into observation values (2922, 1, 0, 0, null, null, x'01', null)", [])
        .unwrap();
    drop(writer);
    assert_eq!(open(directory.path()).reader().unwrap().counts().unwrap(), Counts::default());
}

#[test]
fn two_writers_take_turns_and_agree_on_numbers() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let (mut one, mut other) = (store.writer().unwrap(), store.writer().unwrap());
    let reader = store.reader().unwrap();
    commit(&mut one, &[observation("a", 0, &[reading(PH, 5.0)])]);
    commit(&mut other, &[observation("b", 0, &[reading(LIGHT, 5.0)])]);
    commit(&mut one, &[observation("b", 1, &[reading(MOISTURE, 5.0)])]);
    // The reader was there before any quantity had a code.
    let mut quantities = Vec::new();
    let each = |one: &StoredObservation| {
        quantities.push((one.device.to_string(), one.readings[0].quantity));
        ControlFlow::Continue(())
    };
    reader.all_observations(None, None, each).unwrap();
    let wanted = [("a", PH), ("b", LIGHT), ("b", MOISTURE)];
    assert_eq!(quantities, wanted.map(|(device, quantity)| (device.to_owned(), quantity)));
}

#[test]
fn a_catalogue_in_another_order_reads_the_same_quantities() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    commit(&mut store.writer().unwrap(), &[observation("a", 0, &[reading(PH, 5.0)])]);
    let options = StoreOptions { redelivery_window_s: 600, keeps_raw: true };
    let moved = keys(&["soil_ec", "ppfd", "soil_moisture", "soil_ph"]);
    let store = Store::open_with_keys(directory.path(), moved, options).unwrap();
    assert_eq!(all(&store)[0].readings, [reading(QuantityNo(3), 5.0)]);
    let error = Store::open_with_keys(directory.path(), keys(&["ppfd"]), options).unwrap_err();
    assert!(matches!(error, StoreError::QuantityGone { key } if key == "soil_ph"));
}

#[test]
fn a_file_of_a_later_version_is_refused_and_untouched() {
    let directory = tempfile::tempdir().unwrap();
    let writer = open(directory.path()).writer().unwrap();
    writer.connection().pragma_update(None, "user_version", 7).unwrap();
    drop(writer);
    let path = directory.path().join(FILE_NAME);
    let before = std::fs::read(&path).unwrap();
    let options = StoreOptions { redelivery_window_s: 600, keeps_raw: true };
    let error = Store::open_with_keys(directory.path(), keys(&[]), options).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 7, known: schema::VERSION, .. }));
    assert!(error.to_string().contains("version 7, this program knows versions up to 2"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn another_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions { redelivery_window_s: 600, keeps_raw: true };
    let open = || Store::open_with_keys(directory.path(), keys(&[]), options);
    let path = directory.path().join(FILE_NAME);
    std::fs::write(&path, "not a database, but long enough to be looked at".repeat(40)).unwrap();
    assert!(matches!(open(), Err(StoreError::Damaged { .. })));
    std::fs::remove_file(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("create table t (x)").unwrap();
    assert!(matches!(open(), Err(StoreError::NotAStore { found: 0, .. })));
}

#[test]
fn a_damaged_row_is_an_error_and_no_panic() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    commit(&mut writer, &[observation("a", 0, &[reading(PH, 5.0)])]);
    writer.connection().execute("update observation set readings = x'0105'", []).unwrap();
    let each = |_: &StoredObservation| ControlFlow::Continue(());
    let error = store.reader().unwrap().all_observations(None, None, each).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }));
}

#[test]
fn page_size_vacuum_and_log_are_set_from_the_first_table() {
    let directory = tempfile::tempdir().unwrap();
    let writer = open(directory.path()).writer().unwrap();
    let number = |pragma| {
        writer.connection().pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap()
    };
    let found = ["page_size", "auto_vacuum", "synchronous", "user_version"].map(number);
    assert_eq!(found, [4096, 2, 2, schema::VERSION]);
    let mode: String =
        writer.connection().pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

/// A file as version 1 of the schema left it: 303 observations of two devices, one of them corrected,
/// one of them with a reading of every kind; a dead letter; two messages without a time.
#[test]
fn a_file_of_version_1_is_brought_up_to_date_and_keeps_everything() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE_NAME);
    std::fs::write(&path, include_bytes!("../../../fixtures/readings-v1.db")).unwrap();
    let store = open(directory.path());
    let stored = all(&store);
    assert_eq!(stored.len(), 303);
    assert_eq!(stored.iter().map(|one| one.readings.len()).sum::<usize>(), 605);
    let whole = stored.iter().find(|one| one.seq == Some(u64::MAX)).unwrap();
    assert_eq!((whole.measured, whole.claimed), (at(60), Some(at(-1_000_000_000))));
    assert!(
        whole.readings.contains(&Reading { flags: Flags::FAULT_CODE, ..reading(MOISTURE, 0.231) })
    );
    assert!(
        whole.readings.contains(&Reading { depth: Some(DepthMm(600)), ..reading(MOISTURE, 0.252) })
    );
    let corrected = stored.iter().find(|one| one.corrected).unwrap();
    assert_eq!((corrected.measured, corrected.readings[0].value), (at(0), 0.3));
    assert_eq!(letters(&store).len(), 1);
    // What came again under the old version comes again under the new one.
    let mut writer = store.writer().unwrap();
    let again = commit(&mut writer, &[untimed(Identity::Sequence(5), 30, 0.25)]);
    assert_eq!(again, Committed { duplicate: 1, ..Committed::default() });
    let again = commit(&mut writer, &[observation("b", 0, &[reading(MOISTURE, 0.2)])]);
    assert_eq!(again, Committed { duplicate: 1, ..Committed::default() });
    assert_eq!(schema::VERSION, 2);
    drop(writer);
    open(directory.path());
}

#[test]
fn the_log_is_copied_beside_a_writer_once_that_is_worth_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    writer.leave_log().unwrap();
    let mut checkpoints = store.checkpoints().unwrap();
    let file = directory.path().join(FILE_NAME);
    let length = || std::fs::metadata(&file).unwrap().len();
    let small = length();
    commit(&mut writer, &[observation("a", -1, &[reading(PH, 5.0)])]);
    assert!(!checkpoints.copy_if_worth().unwrap());
    for start in 0..20 {
        let batch: Vec<_> =
            (0..5_000).map(|n| observation("a", start * 5_000 + n, &[reading(PH, 5.0)])).collect();
        commit(&mut writer, &batch);
    }
    assert_eq!(length(), small);
    assert!(checkpoints.copy_if_worth().unwrap());
    assert!(length() > small + 1_000_000);
    assert!(!checkpoints.copy_if_worth().unwrap());
    assert_eq!(all(&store).len(), 100_001);
}
