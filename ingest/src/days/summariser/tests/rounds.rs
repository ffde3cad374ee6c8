//! What a round does when something comes in between.

use super::*;
use crate::days::fingerprint;

/// A world in which device `a` measured moisture every hour of two months.
fn world() -> World {
    let mut world = World::new();
    let observations = world.observations(0, 0, 60 * 24, Shape::Wave, false);
    world.commit(0, observations);
    world
}

fn is_all_kept(world: &World) -> bool {
    let reader = world.store.reader().unwrap();
    reader.next_changed(i64::MAX, None).unwrap().is_none()
}

fn corrected(world: &World, at: i64) -> Vec<Observation> {
    world.observations(0, at, 1, Shape::Constant(2), true)
}

const WHOLE: (Date, Date) = (date(2026, 2, 1), date(2026, 5, 15));

#[test]
fn upkeep_makes_every_span_and_then_rests() {
    let mut world = world();
    let heads = |world: &World| {
        let reader = world.store.reader().unwrap();
        reader.summary_heads(&plot_id(0)).unwrap().len()
    };
    assert!(!is_all_kept(&world));
    assert!(world.steps(0, 100));
    assert!(is_all_kept(&world));
    assert_eq!(heads(&world), 4);
    let [found, wanted] = world.read(&plot_id(0), WHOLE);
    assert_eq!(found, wanted);
    assert_eq!(found.len(), 61);
    // One step finds out that there is nothing to do, one that there is no more.
    assert!(world.steps(0, 2));
}

#[test]
fn what_was_stored_before_there_were_marks_is_summarised_too() {
    let mut world = World::new();
    // Two readings five years apart: nothing is kept of the time between.
    let observations = world.observations(0, 0, 1, Shape::Wave, false);
    world.commit(0, observations);
    let observations = world.observations(0, 5 * 365 * 24, 1, Shape::Wave, false);
    world.commit(0, observations);
    let raw = rusqlite::Connection::open(world.store.path()).unwrap();
    raw.execute("delete from changed_day", []).unwrap();
    assert!(world.steps(0, 100));
    let heads = world.store.reader().unwrap().summary_heads(&plot_id(0)).unwrap();
    assert!((2..=4).contains(&heads.len()), "{heads:?}");
    let [kept, anew] = world.read(&plot_id(0), (date(2026, 1, 1), date(2032, 1, 1)));
    assert_eq!(kept, anew);
    assert_eq!(kept.len(), 2);
}

#[test]
fn what_is_kept_is_read_and_not_made_anew() {
    let mut world = world();
    assert!(world.steps(0, 100));
    // Behind everybody's back, so that only reading everything would see it.
    let observations = corrected(&world, 100);
    world.commit(0, observations);
    let raw = rusqlite::Connection::open(world.store.path()).unwrap();
    raw.execute("delete from changed_day", []).unwrap();
    let [kept, anew] = world.read(&plot_id(0), WHOLE);
    assert_ne!(kept, anew);
}

#[test]
fn a_late_reading_shows_at_once_and_after_the_next_round() {
    let mut world = world();
    assert!(world.steps(0, 100));
    let before = world.read(&plot_id(0), WHOLE)[0].clone();
    let observations = corrected(&world, 100);
    world.commit(1, observations);
    let [found, wanted] = world.read(&plot_id(0), WHOLE);
    assert_ne!(found, before);
    assert_eq!(found, wanted);
    assert!(world.steps(1, 100));
    assert!(is_all_kept(&world));
    assert_eq!(world.read(&plot_id(0), WHOLE)[0], wanted);
}

#[test]
fn what_comes_later_is_said_of_the_days_before_too() {
    let mut world = World::new();
    let still =
        |world: &World, from, count| world.observations(0, from, count, Shape::Constant(0), false);
    let observations = still(&world, 4, 20);
    world.commit(0, observations);
    assert!(world.steps(0, 100));
    let flagged = |days: &[DaySummary]| days[0].flagged;
    assert_eq!(flagged(&world.read(&plot_id(0), WHOLE)[0]), 0);
    // The next days: only now it is too long for soil.
    let observations = still(&world, 24, 40);
    world.commit(0, observations);
    let [found, wanted] = world.read(&plot_id(0), WHOLE);
    assert_eq!(found, wanted);
    assert!(flagged(&found) > 0);
    assert!(world.steps(0, 100));
    assert_eq!(world.read(&plot_id(0), WHOLE)[0], wanted);
}

#[test]
fn a_season_under_water_is_said_of_what_was_measured_in_it() {
    let mut world = World::new();
    let observations = world.observations(0, 0, 30 * 24, Shape::Constant(5), false);
    world.commit(0, observations);
    assert!(world.steps(0, 100));
    let before = world.read(&plot_id(0), WHOLE)[0].clone();
    assert_eq!((before[9].count, before[9].flagged), (0, 24));
    world.live(Event::Season { plot: 0, from: 5, days: 9, water: Water::Flooded });
    let [found, wanted] = world.read(&plot_id(0), WHOLE);
    assert_eq!(found, wanted);
    assert_eq!((found[9].count, found[25].count), (24, 0));
    assert!(world.steps(0, 100));
    assert_eq!(world.read(&plot_id(0), WHOLE)[0], wanted);
}

#[test]
fn facts_that_come_back_find_no_summary_of_before_what_was_measured_meanwhile() {
    let mut world = world();
    assert!(world.steps(0, 100));
    let before = world.told.0.borrow().placements.clone();
    world.tell(|told| told.placements.retain(|placement| placement.device != device_id(0)));
    let observations = corrected(&world, 100);
    world.commit(0, observations);
    // Nobody has looked through the plots since the facts changed but for the marks.
    world.works[0].looked_through = Some(world.told.0.borrow().revision);
    assert!(world.steps(0, 100));
    assert!(is_all_kept(&world));
    world.tell(|told| told.placements = before);
    let [found, wanted] = world.read(&plot_id(0), WHOLE);
    assert_eq!(found, wanted);
}

#[test]
fn what_is_committed_while_a_span_is_made_stays_marked() {
    let mut world = world();
    assert!(world.steps(0, 100));
    let observations = corrected(&world, 100);
    world.commit(0, observations);
    let mut writer = world.store.summary_writer().unwrap();
    let round = writer.begin_round().unwrap();
    let reader = world.store.reader().unwrap();
    let device = reader.next_changed(round, None).unwrap().unwrap();
    // Between what was read and what is stored of it.
    let observations = corrected(&world, 101);
    world.commit(0, observations);
    assert_eq!(writer.clear(round, &device).unwrap(), Outcome::Done);
    assert!(!is_all_kept(&world));
    let [found, wanted] = world.read(&plot_id(0), WHOLE);
    assert_eq!(found, wanted);
}

#[test]
fn a_round_that_another_process_has_overtaken_stores_and_clears_nothing() {
    let world = world();
    let mut one = world.store.summary_writer().unwrap();
    let mut other = world.store.summary_writer().unwrap();
    let round = one.begin_round().unwrap();
    let device = world.store.reader().unwrap().next_changed(round, None).unwrap().unwrap();
    other.begin_round().unwrap();
    let row = NewRow { fingerprint: &[0; 16], days: &[], devices: &[] };
    let plot = plot_id(0);
    assert_eq!(one.put(round, (&plot, 0), Some(row)).unwrap(), Outcome::Overtaken);
    assert_eq!(one.clear(round, &device).unwrap(), Outcome::Overtaken);
    let reader = world.store.reader().unwrap();
    assert_eq!(reader.summary_heads(&plot).unwrap(), []);
    assert!(!is_all_kept(&world));
}

#[test]
fn what_cannot_be_read_or_is_of_another_version_is_made_anew() {
    let mut world = world();
    assert!(world.steps(0, 100));
    let raw = rusqlite::Connection::open(world.store.path()).unwrap();
    let first = "select days from day_summary where plot = 'north' limit 1";
    let whole: Vec<u8> = raw.query_row(first, [], |row| row.get(0)).unwrap();
    let other_version = [&[9], &whole[1..]].concat();
    for damage in [Vec::new(), other_version, whole[..40].to_vec(), vec![0; 100]] {
        raw.execute("update day_summary set days = ?", [&damage]).unwrap();
        let [found, wanted] = world.read(&plot_id(0), WHOLE);
        assert_eq!(found, wanted, "{damage:?}");
    }
}

#[test]
fn nothing_is_kept_of_days_whose_block_is_damaged() {
    let mut world = world();
    world.live(Event::Seal { from: HOURS });
    assert!(world.steps(0, 100));
    let spans = |world: &World| world.store.reader().unwrap().summary_heads(&plot_id(0)).unwrap();
    let before = spans(&world);
    let raw = rusqlite::Connection::open(world.store.path()).unwrap();
    let damaged = raw.execute("update block set data = zeroblob(100)", []).unwrap();
    assert!(damaged > 0);
    // What was kept before stays, and so what is damaged shows only where it is read.
    assert_eq!(spans(&world), before);
    let observations = corrected(&world, 100);
    world.commit(0, observations);
    assert!(world.steps(0, 100));
    let after = spans(&world);
    assert!(after.len() < before.len());
    let [found, wanted] = world.read(&plot_id(0), WHOLE);
    assert!(found.len() >= wanted.len());
}

#[test]
fn what_is_kept_outlives_sealing() {
    let mut world = world();
    assert!(world.steps(0, 100));
    let before = world.read(&plot_id(0), WHOLE)[0].clone();
    world.live(Event::Seal { from: HOURS });
    assert!(is_all_kept(&world));
    let [found, wanted] = world.read(&plot_id(0), WHOLE);
    assert_eq!((&found, &found), (&before, &wanted));
    // A file that was sealed before there were summaries.
    let raw = rusqlite::Connection::open(world.store.path()).unwrap();
    raw.execute("delete from day_summary", []).unwrap();
    world.works[0].looked_through = None;
    assert!(world.steps(0, 100));
    assert_eq!(world.store.reader().unwrap().summary_heads(&plot_id(0)).unwrap().len(), 4);
    assert_eq!(world.read(&plot_id(0), WHOLE)[0], wanted);
}

#[test]
fn rows_of_a_plot_that_is_gone_are_removed() {
    let mut world = world();
    assert!(world.steps(0, 100));
    world.tell(|told| _ = told.plots.remove(&plot_id(0)));
    assert!(world.steps(0, 100));
    let reader = world.store.reader().unwrap();
    assert_eq!(reader.summary_heads(&plot_id(0)).unwrap(), []);
    assert_eq!(reader.plots_resting_on(&device_id(0)).unwrap(), []);
}

#[test]
fn a_device_moved_today_leaves_older_spans_as_they_are() {
    let mut world = world();
    assert!(world.steps(0, 100));
    let rounds = |world: &World| {
        let heads = world.store.reader().unwrap().summary_heads(&plot_id(0)).unwrap();
        heads.iter().map(|head| head.round).collect::<Vec<_>>()
    };
    let before = rounds(&world);
    world.tell(|told| {
        let (device, plot) = (device_id(0), Some(plot_id(1)));
        told.placements.push(Placement { device, plot, depth: None, from: hour(59 * 24) });
    });
    assert!(world.steps(0, 100));
    let after = rounds(&world);
    assert_eq!((after[0], after[1]), (before[0], before[1]));
    assert!(after[2] > before[2]);
}

#[test]
fn a_day_is_marked_once_a_round() {
    let mut world = world();
    let raw = rusqlite::Connection::open(world.store.path()).unwrap();
    let marks = || -> i64 {
        raw.query_row("select count(*) from changed_day", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(marks(), 60);
    // Known to be marked: not written again ...
    raw.execute("delete from changed_day", []).unwrap();
    let observations = corrected(&world, 100);
    world.commit(0, observations);
    assert_eq!(marks(), 0);
    // ... until a round begins, whoever began it.
    world.store.summary_writer().unwrap().begin_round().unwrap();
    let observations = corrected(&world, 101);
    world.commit(0, observations);
    assert_eq!(marks(), 1);
    // A message that says nothing new marks nothing.
    world.store.summary_writer().unwrap().begin_round().unwrap();
    raw.execute("delete from changed_day", []).unwrap();
    let observations = corrected(&world, 101);
    world.commit(0, observations);
    assert_eq!(marks(), 0);
}

/// Kept summaries hold as long as the rules are of one version, so that a change of what the same readings
/// give must come with another version.
#[test]
fn what_comes_of_the_same_readings_changes_with_the_version_of_the_rules_alone() {
    use sha2::{Digest, Sha256};
    let mut world = World::new();
    let shapes = [
        Shape::Wave,
        Shape::Spike,
        Shape::Plateau,
        Shape::Constant(1),
        Shape::Constant(5),
        Shape::Cold,
        Shape::Rain,
    ];
    for (from, shape) in (0..).step_by(80).zip(shapes) {
        for device in 0..DEVICES.len() {
            let observations = world.observations(device, from, 100, shape, true);
            world.commit(0, observations);
        }
    }
    let days = format!("{:?}", world.read(&plot_id(0), WHOLE)[1]);
    let digest = Sha256::digest(days);
    assert_eq!(
        (fingerprint::RULES, &digest[..4]),
        (1, &[32, 167, 244, 96][..]),
        "other days come of the same readings: raise RULES and put both here"
    );
}
