//! Sealed blocks that were changed on disk.

use rusqlite::params;

use super::*;

/// Two devices of 9000 observations each in several blocks, one of which something happens to.
fn damaged(
    directory: &Path,
    change: impl FnOnce(&rusqlite::Connection, i64),
) -> (Store, Vec<Observation>) {
    let store = open(directory);
    let mut writer = store.writer().unwrap();
    let one = |device| {
        move |n: i64| {
            let noise = (n.wrapping_mul(0x1e37_79b9_7f4a_7c15) >> 20).rem_euclid(1000) as f64;
            let readings = [reading(MOISTURE, noise / 1000.0), reading(PH, noise / 100.0)];
            observation(device, n * 900, &readings)
        }
    };
    let sent: Vec<_> = (0..9000).map(one("a")).chain((0..9000).map(one("b"))).collect();
    commit(&mut writer, &sent);
    store.sealer().unwrap().seal_all(Timestamp::MAX, |_| {}).unwrap();
    let second_of_a = "select block from sealed where device = 1 order by last_ms limit 1 offset 1";
    let block = writer.connection().query_row(second_of_a, [], |row| row.get(0)).unwrap();
    change(writer.connection(), block);
    (store, sent)
}

fn with_data(change: impl Fn(&mut Vec<u8>)) -> impl Fn(&rusqlite::Connection, i64) {
    move |connection, block| {
        let select = "select data from block where id = ?";
        let mut data: Vec<u8> = connection.query_row(select, [block], |row| row.get(0)).unwrap();
        change(&mut data);
        let update = "update block set data = ? where id = ?";
        assert_eq!(connection.execute(update, params![data, block]).unwrap(), 1);
    }
}

fn with_sql(sql: &str) -> impl Fn(&rusqlite::Connection, i64) {
    move |connection, block| assert_eq!(connection.execute(sql, [block]).unwrap(), 1)
}

fn read(store: &Store) -> (Vec<StoredObservation>, Vec<DamagedSpan>) {
    let mut stored = Vec::new();
    let reader = store.reader().unwrap();
    let each = |one: &StoredObservation| {
        stored.push(one.clone());
        ControlFlow::Continue(())
    };
    reader.all_observations(None, None, each).unwrap();
    let spans = reader.take_damages().spans().to_vec();
    (stored, spans)
}

#[test]
fn a_damaged_block_is_named_and_everything_else_is_served() {
    type Change = Box<dyn Fn(&rusqlite::Connection, i64)>;
    let changes: [(Change, BlockDamage); 7] = [
        (Box::new(with_data(|data| data[700] ^= 1)), BlockDamage::Checksum),
        (Box::new(with_data(|data| data.truncate(data.len() - 1))), BlockDamage::Checksum),
        (Box::new(with_data(|data| data[0] = 9)), BlockDamage::Version(Some(9))),
        (Box::new(with_data(Vec::clear)), BlockDamage::Version(None)),
        (Box::new(with_sql("delete from block where id = ?")), BlockDamage::Missing),
        (
            Box::new(with_sql("update sealed set readings = readings + 1 where block = ?")),
            BlockDamage::Count,
        ),
        (
            Box::new(with_sql("update sealed set first_ms = first_ms - 1 where block = ?")),
            BlockDamage::Checksum,
        ),
    ];
    for (change, wanted) in changes {
        let directory = tempfile::tempdir().unwrap();
        let (store, sent) = damaged(directory.path(), change);
        let (stored, spans) = read(&store);
        assert_eq!(spans.len(), 1);
        let span = &spans[0];
        assert_eq!((span.device.as_str(), span.damage), ("a", wanted));
        let is_missing = |one: &&Observation| {
            one.device == span.device && (span.first..=span.last).contains(&one.measured)
        };
        assert_eq!(stored.len() + sent.iter().filter(is_missing).count(), sent.len());
        assert!(stored.iter().all(|one| {
            one.device != span.device || !(span.first..=span.last).contains(&one.measured)
        }));
        let text = span.to_string();
        assert!(text.starts_with("the sealed block of device a from 2026-"), "{text}");
        let found = store.reader().unwrap().damaged_blocks().unwrap();
        assert_eq!(found.spans(), spans);
        // A part that the damage does not touch is read without a word.
        let reader = store.reader().unwrap();
        let (mut count, end) = (0, span.first);
        let each = |_: &StoredObservation| {
            count += 1;
            ControlFlow::Continue(())
        };
        reader.observations(&span.device, at(0), end, each).unwrap();
        assert!(count > 0);
        assert_eq!(reader.take_damages().spans(), []);
    }
}

#[test]
fn importing_again_brings_back_what_a_damaged_block_held() {
    let directory = tempfile::tempdir().unwrap();
    let (store, sent) = damaged(directory.path(), with_data(Vec::clear));
    let span = read(&store).1.remove(0);
    let mut writer = store.writer().unwrap();
    let done = commit(&mut writer, &sent);
    assert_eq!((done.stored, done.duplicate), (span.observations, 18_000 - span.observations));
    // All of it is there; the damage is still told of, and sealing leaves it alone.
    let mut sealer = store.sealer().unwrap();
    assert_eq!(sealer.seal_all(Timestamp::MAX, |_| {}).unwrap().rows, 0);
    let (stored, spans) = read(&store);
    assert_eq!((stored.len(), spans.len()), (18_000, 1));

    assert_eq!(sealer.drop_damaged().unwrap().spans(), spans);
    let (stored, spans) = read(&store);
    assert_eq!((stored.len(), spans.len()), (18_000, 0));
    assert_eq!(store.reader().unwrap().counts().unwrap().observations, 18_000);
    assert_eq!(sealer.seal_all(Timestamp::MAX, |_| {}).unwrap().rows, span.observations);
    assert_eq!(read(&store), (stored, Vec::new()));
}

#[test]
fn a_damaged_row_is_not_sealed_and_the_others_are() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let sent = ["a", "b"].map(|device| observation(device, 0, &[reading(PH, 5.0)]));
    commit(&mut writer, &sent);
    let change = "update observation set readings = x'0105' where device = 1";
    writer.connection().execute(change, []).unwrap();
    let sealed = store.sealer().unwrap().seal_all(Timestamp::MAX, |_| {}).unwrap();
    assert_eq!((sealed.rows, sealed.left), (1, 1));
}

#[test]
fn sizes_say_what_stands_where() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let sent: Vec<_> = (0..5000).map(|n| observation("a", n * 900, &[reading(PH, 5.0)])).collect();
    commit(&mut writer, &sent);
    let rows = store.reader().unwrap().sizes().unwrap();
    assert_eq!((rows.rows, rows.row_readings, rows.blocks), (5000, 5000, 0));
    store.sealer().unwrap().seal_all(at(4000 * 900), |_| {}).unwrap();
    commit(&mut writer, &[observation("a", 0, &[reading(LIGHT, 5.0)])]);
    let sizes = store.reader().unwrap().sizes().unwrap();
    assert_eq!((sizes.rows, sizes.row_readings), (1001, 1002));
    assert_eq!((sizes.sealed, sizes.sealed_readings), (3999, 4000));
    assert!(sizes.bytes_a_reading().unwrap() < rows.bytes_a_reading().unwrap());
}
