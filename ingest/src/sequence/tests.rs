use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Numbers of a device whose clock stands at `seq` minutes.
fn timed(seq: u64) -> Numbered {
    timed_at(seq, i64::try_from(seq).unwrap())
}

fn timed_at(seq: u64, time_ms: i64) -> Numbered {
    Numbered { seq, time_ms, has_own_time: true, is_new: true }
}

fn untimed(seq: u64, is_new: bool) -> Numbered {
    Numbered { seq, time_ms: 0, has_own_time: false, is_new }
}

fn after(messages: impl IntoIterator<Item = Numbered>) -> SequenceTotals {
    let mut sequence = Sequence::default();
    for message in messages {
        sequence.note(message);
    }
    sequence.totals
}

fn totals(missed: u64, filled: u64, repeated: u64, restarts: u64) -> SequenceTotals {
    SequenceTotals { missed, filled, repeated, restarts }
}

#[test]
fn numbers_in_order_leave_no_gap_wherever_they_begin() {
    assert_eq!(after((17..40).map(timed)), totals(0, 0, 0, 0));
}

#[test]
fn what_is_skipped_is_missed_and_told_once() {
    let mut sequence = Sequence::default();
    let told: Vec<u64> = [5, 6, 9, 10].map(|seq| sequence.note(timed(seq))).into();
    assert_eq!(told, [0, 0, 2, 0]);
    assert_eq!(sequence.totals.lost(), 2);
}

#[test]
fn a_gap_that_a_late_message_fills_is_no_loss() {
    let filled = after([5, 9, 8, 6, 7].map(timed));
    assert_eq!(filled, totals(3, 3, 0, 0));
    assert_eq!(filled.lost(), 0);
}

#[test]
fn a_device_that_counts_anew_makes_no_gap() {
    let messages = [(40, 0), (41, 1), (0, 2), (1, 3), (3, 4)];
    assert_eq!(after(messages.map(|(seq, time)| timed_at(seq, time))), totals(1, 0, 0, 1));
    // Without a clock only other readings under a known number tell.
    let messages = [(0, true), (1, true), (2, true), (0, true), (1, true), (3, true)];
    assert_eq!(after(messages.map(|(seq, new)| untimed(seq, new))), totals(1, 0, 0, 1));
}

#[test]
fn a_straggler_from_before_a_restart_fills_the_gap_of_its_own_count() {
    let messages = [(40, 0), (43, 3), (0, 10), (1, 11), (41, 1), (44, 4)];
    assert_eq!(after(messages.map(|(seq, time)| timed_at(seq, time))), totals(2, 1, 0, 1));
}

#[test]
fn a_counter_that_was_set_far_ahead_lost_nothing() {
    assert_eq!(after([timed(5), timed(5 + JUMP_MAX + 1)]), totals(0, 0, 0, 1));
    assert_eq!(after([timed(5), timed(5 + JUMP_MAX)]).missed, JUMP_MAX - 1);
}

#[test]
fn a_message_that_comes_again_is_a_repetition() {
    assert_eq!(after([5, 6, 6, 5].map(timed)), totals(0, 0, 2, 0));
    let again = [untimed(5, true), untimed(6, true), untimed(5, false), untimed(6, false)];
    assert_eq!(after(again), totals(0, 0, 2, 0));
}

#[test]
fn a_device_that_always_sends_the_same_number_loses_nothing() {
    assert_eq!(after((0..50).map(|time| timed_at(0, time))), totals(0, 0, 49, 0));
}

#[test]
fn a_clock_that_was_set_back_goes_on_counting() {
    let messages = [(5, 1_000), (6, 1_001), (7, 0), (9, 2)];
    assert_eq!(after(messages.map(|(seq, time)| timed_at(seq, time))), totals(1, 0, 0, 0));
}

#[test]
fn more_gaps_than_are_remembered_stay_counted() {
    let gaps = OPEN_MAX as u64 + 10;
    let mut sequence = Sequence::default();
    for nth in 0..=gaps {
        sequence.note(timed(2 * nth));
    }
    assert_eq!(sequence.totals.missed, gaps);
    // The first gap is closed: what comes now comes too late.
    sequence.note(timed(1));
    sequence.note(timed(2 * gaps - 1));
    assert_eq!(sequence.totals.lost(), gaps - 1);
}

/// One count of a device, as it was delivered.
#[derive(Clone, Debug)]
struct Delivery {
    /// Places in the order of delivery; some occur twice, some not at all.
    order: Vec<u64>,
}

/// At most 60 numbers, so that no more gaps open than are remembered.
fn delivery() -> impl Strategy<Value = Delivery> {
    let numbers = proptest::collection::btree_set(0_u64..60, 2..60);
    let again = proptest::collection::vec(any::<prop::sample::Index>(), 0..8);
    (numbers, again)
        .prop_flat_map(|(numbers, again)| {
            let numbers: Vec<u64> = numbers.into_iter().collect();
            let mut order = numbers.clone();
            order.extend(again.iter().map(|place| numbers[place.index(numbers.len())]));
            Just(order).prop_shuffle()
        })
        .prop_map(|order| Delivery { order })
}

/// What a model that remembers every number says: those between the first heard and the highest that
/// never came.
fn lost_of(order: &[u64]) -> u64 {
    let seen: BTreeSet<u64> = order.iter().copied().filter(|seq| *seq >= order[0]).collect();
    let highest = seen.last().copied().unwrap_or(order[0]);
    highest - order[0] + 1 - seen.len() as u64
}

proptest! {
    #[test]
    fn what_is_lost_is_what_a_model_that_remembers_everything_says(
        deliveries in proptest::collection::vec(delivery(), 1..4)
    ) {
        let mut sequence = Sequence::default();
        let (mut lost, mut restarts, mut start) = (0, 0, 0);
        for (nth, Delivery { order }) in deliveries.iter().enumerate() {
            // A restart shows where the new count begins at or below the end of the one before.
            let highest = if nth == 0 { 0 } else { *deliveries[nth - 1].order.iter().max().unwrap() };
            if nth > 0 && order[0] >= highest {
                break;
            }
            restarts += u64::from(nth > 0);
            for &place in order {
                sequence.note(timed_at(place, start + i64::try_from(place).unwrap()));
            }
            lost += lost_of(order);
            start += 100;
        }
        prop_assert_eq!((sequence.totals.lost(), sequence.totals.restarts), (lost, restarts));
    }

    #[test]
    fn without_a_clock_the_order_does_not_matter_either(Delivery { order } in delivery()) {
        let mut sequence = Sequence::default();
        let mut seen = BTreeSet::new();
        let order: Vec<u64> = order.into_iter().map(|seq| seq / 2).collect();
        for &seq in &order {
            sequence.note(untimed(seq, seen.insert(seq)));
        }
        prop_assert_eq!((sequence.totals.lost(), sequence.totals.restarts), (lost_of(&order), 0));
    }

    #[test]
    fn a_straggler_of_the_count_before_changes_nothing_in_the_current_one(
        late in 1_u64..20, beyond in 0_u64..5
    ) {
        // 0..20 with one missing, a restart, then the missing one and some after the last.
        let first = (0..=20).filter(|seq| *seq != late);
        let mut messages: Vec<_> = first.map(|seq| timed_at(seq, i64::try_from(seq).unwrap())).collect();
        messages.extend((0..5).map(|seq| timed_at(seq, 100 + i64::try_from(seq).unwrap())));
        messages.push(timed_at(late, i64::try_from(late).unwrap()));
        messages.extend((0..beyond).map(|n| timed_at(21 + n, 21 + i64::try_from(n).unwrap())));
        messages.extend((5..9).map(|seq| timed_at(seq, 100 + i64::try_from(seq).unwrap())));
        prop_assert_eq!(after(messages), totals(1, 1, 0, 1));
    }

    #[test]
    fn what_was_written_is_read_back(numbers in proptest::collection::vec((0_u64..100, -50_i64..50), 0..80)) {
        let mut sequence = Sequence::default();
        for (seq, time_ms) in numbers {
            sequence.note(timed_at(seq, time_ms));
        }
        let mut bytes = Vec::new();
        sequence.write(&mut bytes);
        let mut rest = bytes.as_slice();
        prop_assert_eq!(Sequence::read(&mut rest), Some(sequence));
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn any_bytes_are_a_sequence_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let mut rest = bytes.as_slice();
        if let Some(mut sequence) = Sequence::read(&mut rest) {
            let mut again = Vec::new();
            sequence.write(&mut again);
            let back = Sequence::read(&mut again.as_slice());
            prop_assert_eq!(back.as_ref(), Some(&sequence));
            sequence.totals = SequenceTotals::default();
            sequence.note(timed(3));
        }
    }
}
