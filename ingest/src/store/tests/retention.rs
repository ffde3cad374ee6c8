//! Old observations go by whole weeks, and nothing else does.

use proptest::prelude::*;

use super::*;
use crate::store::retention;

/// Tests count from a Thursday at midnight, where weeks begin.
const WEEK_S: i64 = 7 * 24 * 3600;
const DAYS: u32 = 14;

fn let_go(store: &Store, now: Timestamp) {
    let mut retention = store.retention().unwrap();
    while retention.step(now, DAYS).unwrap() == crate::upkeep::Step::More {}
}

fn seal(store: &Store, until: Timestamp) {
    store.sealer().unwrap().seal_all(until, |_| {}).unwrap();
}

#[test]
fn what_is_said_to_go_goes_and_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    for device in ["a", "b"] {
        let of_all: Vec<_> = (0..5_000)
            .map(|nth| observation(device, nth * 900, &[reading(MOISTURE, 0.2)]))
            .collect();
        commit(&mut writer, &of_all);
    }
    commit(&mut writer, &[observation("young", 5 * WEEK_S, &[reading(MOISTURE, 0.2)])]);
    seal(&store, at(WEEK_S));
    let now = at(5 * WEEK_S + 3);
    let until = retention::kept_from(now, DAYS);
    assert_eq!(until, at(3 * WEEK_S));
    let announced = retention::to_go(&store.reader().unwrap(), until).unwrap();
    let names: Vec<_> = announced.iter().map(|(device, _)| device.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let weeks = u64::try_from(3 * WEEK_S / 900).unwrap();
    assert_eq!(announced[0].1.observations, weeks);
    assert_eq!(announced[0].1.last, Some(at(3 * WEEK_S - 900)));

    let_go(&store, now);
    assert!(all(&store).iter().all(|one| one.measured >= until));
    assert_eq!(all(&store).len(), usize::try_from(2 * (5_000 - weeks) + 1).unwrap());
    let gone = retention::gone(&store.reader().unwrap()).unwrap();
    assert_eq!((gone.observations, gone.first), (2 * weeks, Some(at(0))));
    assert_eq!(retention::to_go(&store.reader().unwrap(), until).unwrap(), []);
    // What comes late for that time is stored, and goes in its turn.
    commit(&mut writer, &[observation("a", 5, &[reading(MOISTURE, 0.3)])]);
    assert_eq!(all(&store)[0].measured, at(5));
    let_go(&store, now);
    assert!(all(&store).iter().all(|one| one.measured >= until));
}

#[test]
fn a_damaged_block_goes_with_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut writer = store.writer().unwrap();
    commit(&mut writer, &[observation("a", 5, &[reading(MOISTURE, 0.3)])]);
    seal(&store, at(WEEK_S));
    writer.connection().execute("update block set data = x'01'", []).unwrap();
    let_go(&store, at(5 * WEEK_S));
    assert_eq!(store.reader().unwrap().damaged_blocks().unwrap(), Damages::default());
    assert_eq!(store.reader().unwrap().sizes().unwrap().blocks, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn nothing_that_is_to_stay_changes(
        batches in prop::collection::vec(
            (prop::collection::vec((0_usize..2, 0_i64..400, 0_u8..4, any::<bool>()), 1..40),
             prop::option::of(0_i64..8)),
            1..6,
        ),
        now_week in 2_i64..10,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        let mut writer = store.writer().unwrap();
        for (messages, sealed_weeks) in &batches {
            let batch: Vec<_> = messages
                .iter()
                .map(|(device, tick, value, supersede)| Observation {
                    supersede: *supersede,
                    ..observation(["a", "b"][*device], tick * WEEK_S / 50,
                        &[reading(MOISTURE, f64::from(*value) / 10.0)])
                })
                .collect();
            commit(&mut writer, &batch);
            if let Some(weeks) = sealed_weeks {
                // In the middle of a week, so that blocks lie over borders.
                seal(&store, at(weeks * WEEK_S + WEEK_S / 2));
            }
        }
        let before = all(&store);
        let now = at(now_week * WEEK_S + 1);
        let until = retention::kept_from(now, DAYS);
        let announced = retention::to_go(&store.reader().unwrap(), until).unwrap();
        let announced: u64 = announced.iter().map(|(_, gone)| gone.observations).sum();
        let_go(&store, now);
        let after = all(&store);
        prop_assert_eq!(before.len() - after.len(), usize::try_from(announced).unwrap());
        let gone: Vec<_> = before.iter().filter(|one| !after.contains(one)).collect();
        prop_assert!(gone.iter().all(|one| one.measured < until));
        prop_assert_eq!(before.len() - gone.len(), after.len(), "what stays is as it was");
        seal(&store, at(20 * WEEK_S));
        prop_assert_eq!(all(&store), after);
    }
}
