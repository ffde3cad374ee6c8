//! What went through the pipeline, for metrics.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use plotwise_config::reading::Flags;

use super::Written;
use crate::intake::{DeadLetterReason, Intake};

/// Totals since the start; all of what is on disk, nothing of what waits.
#[derive(Debug, Default)]
pub struct Counters {
    accepted: AtomicU64,
    stored: AtomicU64,
    duplicate: AtomicU64,
    fault_codes: AtomicU64,
    times_from_arrival: AtomicU64,
    commits: AtomicU64,
    commit_ns: AtomicU64,
    failed_commits: AtomicU64,
    lost_messages: AtomicU64,
    found_messages: AtomicU64,
    dead_letters: [AtomicU64; DeadLetterReason::ALL.len()],
}

impl Counters {
    /// Observations that were committed, new or not.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Relaxed)
    }

    /// Observations that were new, or added readings to one.
    pub fn stored(&self) -> u64 {
        self.stored.load(Relaxed)
    }

    /// Observations that were there already.
    pub fn duplicate(&self) -> u64 {
        self.duplicate.load(Relaxed)
    }

    /// Dead letters of one reason.
    pub fn dead_letters(&self, reason: DeadLetterReason) -> u64 {
        place(reason).map_or(0, |place| self.dead_letters[place].load(Relaxed))
    }

    /// Readings flagged `X`.
    pub fn fault_codes(&self) -> u64 {
        self.fault_codes.load(Relaxed)
    }

    /// Readings flagged `T`.
    pub fn times_from_arrival(&self) -> u64 {
        self.times_from_arrival.load(Relaxed)
    }

    /// Commits that went through.
    pub fn commits(&self) -> u64 {
        self.commits.load(Relaxed)
    }

    /// Time that they took.
    pub fn commit_time(&self) -> Duration {
        Duration::from_nanos(self.commit_ns.load(Relaxed))
    }

    /// Attempts that the store refused.
    pub fn failed_commits(&self) -> u64 {
        self.failed_commits.load(Relaxed)
    }

    /// Messages that were missing when a later one came, by their `seq`. Some may come after all: see
    /// [`Counters::found_messages`].
    pub fn lost_messages(&self) -> u64 {
        self.lost_messages.load(Relaxed)
    }

    /// Missing messages that came after all.
    pub fn found_messages(&self) -> u64 {
        self.found_messages.load(Relaxed)
    }

    pub(super) fn committed(&self, batch: &[Intake], written: Written, took: Duration) {
        let (mut accepted, mut faults, mut arrivals) = (0, 0, 0);
        for intake in batch {
            match intake {
                Intake::Observation(observation) => {
                    accepted += 1;
                    for reading in &observation.readings {
                        faults += u64::from(reading.flags.has(Flags::FAULT_CODE));
                        arrivals += u64::from(reading.flags.has(Flags::TIME_FROM_ARRIVAL));
                    }
                }
                Intake::DeadLetter(letter) => self.letters(letter.reason, 1),
            }
        }
        self.letters(DeadLetterReason::Conflict, written.conflict);
        self.letters(DeadLetterReason::RefusedByStore, written.refused);
        self.lost_messages.fetch_add(written.missed, Relaxed);
        self.found_messages.fetch_add(written.filled, Relaxed);
        self.accepted.fetch_add(accepted, Relaxed);
        self.fault_codes.fetch_add(faults, Relaxed);
        self.times_from_arrival.fetch_add(arrivals, Relaxed);
        self.stored.fetch_add(written.stored, Relaxed);
        self.duplicate.fetch_add(written.duplicate, Relaxed);
        self.commits.fetch_add(1, Relaxed);
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.commit_ns.fetch_add(nanoseconds, Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failed_commits.fetch_add(1, Relaxed);
    }

    fn letters(&self, reason: DeadLetterReason, count: u64) {
        if let Some(place) = place(reason) {
            self.dead_letters[place].fetch_add(count, Relaxed);
        }
    }
}

fn place(reason: DeadLetterReason) -> Option<usize> {
    DeadLetterReason::ALL.iter().position(|known| *known == reason)
}
