//! What went through the pipeline, for metrics.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use plotwise_config::reading::Flags;

use super::Written;
use crate::intake::{DeadLetterReason, Intake};

/// Upper borders of the classes of commit times, seconds. One fsync of a good disk is below the first
/// few, a disk that struggles above the last.
const COMMIT_SECONDS: [f64; 12] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Totals since the start; all of what is on disk, nothing of what waits.
#[derive(Debug, Default)]
pub struct Counters {
    submitted: AtomicU64,
    written: AtomicU64,
    accepted: AtomicU64,
    stored: AtomicU64,
    duplicate: AtomicU64,
    fault_codes: AtomicU64,
    times_from_arrival: AtomicU64,
    commits: AtomicU64,
    commit_ns: AtomicU64,
    /// Commits by time, those above the last border at the end.
    commits_by_time: [AtomicU64; COMMIT_SECONDS.len() + 1],
    failed_commits: AtomicU64,
    lost_messages: AtomicU64,
    found_messages: AtomicU64,
    ignored: AtomicU64,
    dead_letters: [AtomicU64; DeadLetterReason::ALL.len()],
}

impl Counters {
    /// Observations and dead letters that wait for their commit.
    pub fn waiting(&self) -> u64 {
        let written = self.written.load(Relaxed);
        self.submitted.load(Relaxed).saturating_sub(written)
    }

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

    /// How many commits took so long: the upper border in seconds, infinite for the last class.
    pub fn commits_by_time(&self) -> impl Iterator<Item = (f64, u64)> {
        let borders = COMMIT_SECONDS.into_iter().chain([f64::INFINITY]);
        borders.zip(self.commits_by_time.iter().map(|count| count.load(Relaxed)))
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

    /// Messages that were no telemetry: joining, status, device information.
    pub fn ignored(&self) -> u64 {
        self.ignored.load(Relaxed)
    }

    pub(crate) fn ignore(&self, messages: u64) {
        if messages > 0 {
            self.ignored.fetch_add(messages, Relaxed);
        }
    }

    pub(super) fn submitted(&self, intakes: usize) {
        self.submitted.fetch_add(intakes as u64, Relaxed);
    }

    pub(super) fn committed(&self, batch: &[Intake], written: &Written, took: Duration) {
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
                Intake::Raw(_) => {}
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
        self.written.fetch_add(batch.len() as u64, Relaxed);
        self.commits.fetch_add(1, Relaxed);
        let class = COMMIT_SECONDS.partition_point(|border| *border < took.as_secs_f64());
        self.commits_by_time[class].fetch_add(1, Relaxed);
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
