//! Sealing: what is read and what arrivals meet is the same with it and without.

use super::*;

const DAY_S: i64 = 24 * 3600;
const WEEK_S: i64 = 7 * DAY_S;

fn seal(store: &Store, until: Timestamp) -> Sealed {
    store.sealer().unwrap().seal_all(until, |_| {}).unwrap()
}

fn count(store: &Store, sql: &str) -> i64 {
    store.reader().unwrap().connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// A probe's message every quarter of an hour.
fn probe(device: &str, from_s: i64, count: i64) -> Vec<Observation> {
    let one = |n: i64| {
        let (second, wave) = (from_s + n * 900, (n % 96) as f64 / 1000.0);
        let noise = (n * 7919 % 13) as f64 / 1000.0;
        let readings = [
            reading(MOISTURE, (200.0 + (wave + noise) * 1000.0).round() / 1000.0),
            reading(PH, 5.5),
            reading(LIGHT, (wave * 9000.0).round() / 10.0),
        ];
        let received = at(second) + SignedDuration::from_millis(300 + n * 104_729 % 1000);
        Observation {
            received,
            seq: u64::try_from(n).ok(),
            ..observation(device, second, &readings)
        }
    };
    (0..count).map(one).collect()
}

/// What happens to a store.
#[derive(Clone, Debug)]
enum Event {
    Arrive(Vec<Observation>),
    /// Everything before so many weeks.
    Seal(i64),
    /// So many steps of what runs in the background, so many weeks later.
    Steps(usize, i64),
    Reopen,
}

fn any_reading() -> impl Strategy<Value = Reading> {
    let depth = proptest::option::weighted(0.3, (0..3_u16).prop_map(|n| DepthMm(n * 600)));
    let odd = any::<f64>().prop_filter("finite", |value| value.is_finite());
    let value = prop_oneof![
        8 => (0..3_i32).prop_map(|whole| f64::from(whole) / 1000.0),
        1 => odd,
        1 => Just(-0.0),
    ];
    let flags = prop_oneof![4 => Just(Flags::NONE), 1 => Just(Flags::FAULT_CODE)];
    (0..3_u16, depth, value, flags).prop_map(|(quantity, depth, value, flags)| Reading {
        quantity: QuantityNo(quantity),
        depth,
        value,
        flags,
    })
}

fn arrival() -> impl Strategy<Value = Observation> {
    let identity = prop_oneof![
        12 => Just(Identity::MeasuredTime),
        1 => (0..3_u64).prop_map(Identity::Sequence),
        1 => (0..3_u8).prop_map(|n| Identity::Payload([n; 16])),
    ];
    let seq = proptest::option::weighted(0.3, prop_oneof![0..9_u64, any::<u64>()]);
    let claimed = proptest::option::weighted(0.1, 0..1000_i64);
    let readings = proptest::collection::vec(any_reading(), 1..4);
    let when = (0..6_i64, 0..4_i64, 0..100_i64);
    (0..2_usize, when, identity, (seq, claimed), any::<bool>(), readings).prop_map(
        |(device, (week, second, delay), identity, (seq, claimed), supersede, readings)| {
            let second = week * WEEK_S + second;
            Observation {
                received: at(second + delay),
                claimed: claimed.map(at),
                identity,
                seq,
                supersede,
                ..observation(["a", "b"][device], second, &readings)
            }
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        5 => proptest::collection::vec(arrival(), 1..8).prop_map(Event::Arrive),
        2 => (0..8_i64).prop_map(Event::Seal),
        2 => (1..4_usize, 0..9_i64).prop_map(|(steps, weeks)| Event::Steps(steps, weeks)),
        1 => Just(Event::Reopen),
    ]
}

/// Rows and sealed observations counted, and the same read.
fn assert_same(plain: &Store, sealed: &Store) {
    let found = all(sealed);
    assert_eq!(all(plain), found);
    let bits = |stored: &[StoredObservation]| -> Vec<u64> {
        let readings = stored.iter().flat_map(|one| &one.readings);
        readings.map(|reading| reading.value.to_bits()).collect()
    };
    assert_eq!(bits(&all(plain)), bits(&found));
    let (plain, sealed) = (plain.reader().unwrap(), sealed.reader().unwrap());
    assert_eq!(plain.counts().unwrap(), sealed.counts().unwrap());
    assert_eq!(plain.last_seen().unwrap(), sealed.last_seen().unwrap());
    assert_eq!(found.len() as u64, sealed.counts().unwrap().observations);
    for quantities in [&[][..], &[MOISTURE], &[LIGHT, PH]] {
        let mut some = Vec::new();
        for device in ["a", "b"].map(|name| DeviceId::parse(name).unwrap()) {
            let window = (Timestamp::MIN, Timestamp::MAX);
            let each = |observation: &StoredObservation| {
                some.push(observation.clone());
                ControlFlow::Continue(())
            };
            sealed.observations_of(&device, Some(quantities), window, each).unwrap();
        }
        let mut wanted = found.clone();
        for one in &mut wanted {
            one.readings.retain(|reading| quantities.contains(&reading.quantity));
        }
        assert_eq!(some, wanted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_store_that_seals_at_any_moment_is_as_one_that_never_does(
        events in proptest::collection::vec(event(), 1..16),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (plain, store) = (open(&directory.path().join("1")), open(&directory.path().join("2")));
        let (mut plain_writer, mut writer) = (plain.writer().unwrap(), store.writer().unwrap());
        let mut sealer = store.sealer().unwrap();
        for event in events {
            match event {
                Event::Arrive(arrivals) => {
                    let done = commit(&mut plain_writer, &arrivals);
                    prop_assert_eq!(commit(&mut writer, &arrivals), done);
                }
                Event::Seal(weeks) => {
                    sealer.seal_all(at(weeks * WEEK_S + 2), |_| {}).unwrap();
                }
                Event::Steps(steps, weeks) => {
                    for _ in 0..steps {
                        sealer.step(at(weeks * WEEK_S)).unwrap();
                    }
                }
                Event::Reopen => {
                    writer = store.writer().unwrap();
                    sealer = store.sealer().unwrap();
                }
            }
            assert_same(&plain, &store);
        }
        let text = |store: &Store| format!("{:?}", letters(store));
        prop_assert_eq!(text(&plain), text(&store));
        let integrity: String = writer
            .connection()
            .query_row("pragma integrity_check", [], |row| row.get(0))
            .unwrap();
        prop_assert_eq!(integrity, "ok");
    }
}

#[test]
fn weeks_that_ended_two_days_ago_are_sealed_and_later_ones_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    // 2026-01-01, a Thursday: with it a week of ours begins.
    commit(&mut store.writer().unwrap(), &probe("a", 0, 3 * 672));
    let before = all(&store);
    let mut sealer = store.sealer().unwrap();
    let mut step_all = |now| while sealer.step(now).unwrap() == crate::upkeep::Step::More {};
    let rows = |store: &Store| count(store, "select count(*) from observation");
    step_all(at(WEEK_S + 2 * DAY_S - 1));
    assert_eq!(rows(&store), 3 * 672);
    step_all(at(WEEK_S + 2 * DAY_S));
    assert_eq!(rows(&store), 2 * 672);
    step_all(at(9 * WEEK_S));
    assert_eq!(rows(&store), 0);
    assert_eq!(all(&store), before);
}

#[test]
fn small_blocks_grow_week_by_week_until_they_are_a_block() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let mut sealer = store.sealer().unwrap();
    for week in 0..40 {
        commit(&mut writer, &probe("a", week * WEEK_S, 672));
        while sealer.step(at((week + 2) * WEEK_S)).unwrap() == crate::upkeep::Step::More {}
    }
    assert_eq!(count(&store, "select sum(observations) from sealed"), 40 * 672);
    assert!(count(&store, "select min(bytes) from sealed") > 4 * 1024);
    assert!(count(&store, "select max(bytes) from sealed") < 24 * 1024);
    assert!(count(&store, "select max(last_ms - first_ms) from sealed") < 26 * WEEK_S * 1000);
    assert_eq!(
        count(&store, "select count(*) from sealed"),
        count(&store, "select count(*) from block")
    );
    assert_eq!(all(&store).len(), 40 * 672);
}

#[test]
fn a_device_that_measures_every_second_is_sealed_in_blocks_of_a_common_size() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let sparse: Vec<_> = (0..10).map(|n| observation("a", n * 5000, &[reading(PH, 5.0)])).collect();
    commit(&mut writer, &sparse);
    assert_eq!(seal(&store, at(WEEK_S)).blocks, 1);
    // A backlog of every second in the span of that block, ten corrections of what it holds among it.
    let fast: Vec<_> = (0..40_000)
        .map(|n| {
            let value = (n % 77) as f64 / 10.0;
            let one = observation("a", n, &[reading(PH, value), reading(LIGHT, value * 3.0)]);
            Observation { supersede: true, ..one }
        })
        .collect();
    let committed = commit(&mut writer, &fast);
    assert_eq!((committed.stored, committed.superseded), (40_000 - 8, 8));
    assert_eq!(count(&store, "select sum(beside) from sealed"), 8);
    let before = all(&store);
    assert_eq!(before.len(), 40_002);
    // After each step the same.
    let mut sealer = store.sealer().unwrap();
    while sealer.step(at(3 * WEEK_S)).unwrap() == crate::upkeep::Step::More {
        assert_eq!(store.reader().unwrap().counts().unwrap().observations, 40_002);
    }
    assert_eq!(all(&store), before);
    assert_eq!(count(&store, "select count(*) from observation"), 0);
    assert!(count(&store, "select count(*) from sealed") > 5);
    assert!(count(&store, "select max(bytes) from sealed") < 24 * 1024);
}

#[test]
fn a_file_imported_again_finds_everything_sealed_and_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    let file = [probe("a", 0, 3000), probe("b", 0, 3000)].concat();
    commit(&mut writer, &file);
    seal(&store, Timestamp::MAX);
    for batch in file.chunks(500) {
        assert_eq!(commit(&mut writer, batch).duplicate, batch.len() as u64);
    }
    assert_eq!(count(&store, "select count(*) from observation"), 0);
}

#[test]
fn the_file_shrinks_when_rows_become_blocks() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    commit(&mut store.writer().unwrap(), &probe("a", 0, 20_000));
    let size = || std::fs::metadata(store.path()).unwrap().len();
    seal(&store, Timestamp::MIN);
    let before = size();
    let sealed = seal(&store, Timestamp::MAX);
    assert_eq!(sealed.rows, 20_000);
    assert!(size() * 4 < before, "{before} became {}", size());
    assert_eq!(
        count(&store, "select count(*) from pragma_freelist_count where freelist_count > 0"),
        0
    );
}

#[test]
fn a_file_of_version_1_is_sealed_and_reads_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE_NAME);
    std::fs::write(&path, include_bytes!("../../../fixtures/readings-v1.db")).unwrap();
    let store = open(directory.path());
    let before = all(&store);
    assert_eq!(seal(&store, Timestamp::MAX).rows, 303);
    assert_eq!(count(&store, "select count(*) from observation"), 0);
    assert_eq!(all(&store), before);
    let mut writer = store.writer().unwrap();
    let again = commit(&mut writer, &[untimed(Identity::Sequence(5), 30, 0.25)]);
    assert_eq!(again, Committed { duplicate: 1, ..Committed::default() });
}
