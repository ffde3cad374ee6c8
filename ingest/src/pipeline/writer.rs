//! The thread that writes.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{
    mpsc::{self, error::TryRecvError},
    watch,
};

use super::{
    Counters, Job, Notice, Outcome, PipelineOptions, PipelineState, Remark, Submission, Written,
};
use crate::{clock::Clock, intake::Intake, live::Live};

pub(super) struct WriterThread<C> {
    pub(super) commit: C,
    pub(super) jobs: mpsc::UnboundedReceiver<Job>,
    pub(super) options: PipelineOptions,
    pub(super) clock: Clock,
    pub(super) counters: Arc<Counters>,
    pub(super) live: Live,
    pub(super) state: watch::Sender<PipelineState>,
    pub(super) stop: Arc<Stop>,
}

/// When the thread has to give up on a store that takes nothing.
#[derive(Debug, Default)]
pub(super) struct Stop {
    by: Mutex<Option<Instant>>,
    is_set: Condvar,
    gave_up: std::sync::atomic::AtomicBool,
}

impl Stop {
    pub(super) fn within(&self, patience: Duration) {
        *self.by.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + patience);
        self.is_set.notify_all();
    }

    pub(super) fn is_clean(&self) -> bool {
        !self.gave_up.load(std::sync::atomic::Ordering::Acquire)
    }

    /// Waits; `false` where there is no more time for another attempt.
    fn pause(&self, pause: Duration) -> bool {
        let by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = by.map_or(pause, |by| pause.min(by.saturating_duration_since(Instant::now())));
        let (by, _) = self.is_set.wait_timeout(by, pause).unwrap_or_else(PoisonError::into_inner);
        by.is_none_or(|by| Instant::now() < by)
    }

    fn give_up(&self) {
        self.gave_up.store(true, std::sync::atomic::Ordering::Release);
    }
}

/// Says `Stopped` however the thread ends, even by a panic.
struct Farewell(watch::Sender<PipelineState>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.send_replace(PipelineState::Stopped);
    }
}

/// What is committed at once.
#[derive(Default)]
struct Batch {
    intakes: Vec<Intake>,
    /// Of every submission, with the place of its first intake.
    notices: Vec<(usize, Notice)>,
    rooms: Vec<tokio::sync::OwnedSemaphorePermit>,
    is_last: bool,
}

impl Batch {
    fn add(&mut self, job: Job) {
        match job {
            Job::Submission(Submission { mut intakes, notice, _room: room }) => {
                self.notices.push((self.intakes.len(), notice));
                self.intakes.append(&mut intakes);
                self.rooms.push(room);
            }
            Job::End => self.is_last = true,
        }
    }

    /// Tells every sender that what it handed in is on disk; `remarks` in order of place.
    fn notify(&mut self, remarks: &[(usize, Remark)]) {
        let mut end = self.intakes.len();
        // From the last one: where one begins the one before ends.
        for (start, notice) in self.notices.iter_mut().rev() {
            if let Notice::Sender(_) = notice {
                let place = |border| remarks.partition_point(|(place, _)| *place < border);
                let own = &remarks[place(*start)..place(end)];
                let is_known = |(_, remark): &&(usize, Remark)| *remark == Remark::Duplicate;
                let duplicates = own.iter().filter(is_known).count();
                let outcome = Outcome { duplicates, dead_letters: own.len() - duplicates };
                if let Notice::Sender(sender) = std::mem::replace(notice, Notice::Nobody) {
                    // Who asked may have stopped waiting.
                    let _ = sender.send(outcome);
                }
            }
            end = *start;
        }
        for (_, notice) in self.notices.drain(..) {
            if let Notice::Receipts(receipts, messages) = notice {
                receipts.count(messages);
            }
        }
    }
}

impl<C, E> WriterThread<C>
where
    C: FnMut(&[Intake]) -> Result<Written, E>,
    E: std::error::Error,
{
    pub(super) fn run(mut self) {
        let _farewell = Farewell(self.state.clone());
        let mut batch = Batch::default();
        while let Some(first) = self.jobs.blocking_recv() {
            batch.add(first);
            self.gather(&mut batch);
            let written = if batch.intakes.is_empty() {
                Some(Written::default())
            } else {
                self.write(&batch.intakes)
            };
            let Some(mut written) = written else {
                self.stop.give_up();
                let waiting = batch.intakes.len();
                tracing::error!(
                    waiting,
                    "ended with {waiting} observations unwritten and unacknowledged"
                );
                return;
            };
            written.remarks.sort_unstable_by_key(|(place, _)| *place);
            batch.notify(&written.remarks);
            self.live.announce(&mut batch.intakes, &written.remarks);
            batch.intakes.clear();
            batch.rooms.clear();
            if batch.is_last {
                return;
            }
        }
    }

    /// Takes what has gathered meanwhile; waits for nothing.
    fn gather(&mut self, batch: &mut Batch) {
        while batch.intakes.len() < self.options.batch_max && !batch.is_last {
            match self.jobs.try_recv() {
                Ok(job) => batch.add(job),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    /// Writes a batch, trying until it is written; `None` where time ran out.
    fn write(&mut self, intakes: &[Intake]) -> Option<Written> {
        let mut pause = self.options.retry_min;
        loop {
            let started = Instant::now();
            match (self.commit)(intakes) {
                Ok(written) => {
                    self.counters.committed(intakes, &written, started.elapsed());
                    self.running();
                    return Some(written);
                }
                Err(error) => self.stalled(&error),
            }
            if !self.stop.pause(pause) {
                return None;
            }
            pause = (pause * 2).min(self.options.retry_max);
        }
    }

    fn running(&self) {
        let changed = self.state.send_if_modified(|state| {
            let was_stalled = *state != PipelineState::Running;
            *state = PipelineState::Running;
            was_stalled
        });
        if changed {
            tracing::info!("the store takes readings again");
        }
    }

    fn stalled(&self, error: &E) {
        self.counters.failed();
        let reason = describe(error);
        let now = self.clock.now();
        self.state.send_if_modified(|state| match state {
            PipelineState::Stalled { reason: known, .. } if *known == reason => false,
            PipelineState::Stalled { reason: known, .. } => {
                known.clone_from(&reason);
                true
            }
            _ => {
                tracing::error!(reason, "readings cannot be written and are held back: {reason}");
                *state = PipelineState::Stalled { since: now, reason };
                true
            }
        });
    }
}

/// An error with its causes in one line.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
