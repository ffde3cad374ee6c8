//! From decoded messages to disk: one writer, group commit, acknowledgement after it.
//!
//! ```text
//! session --submit--> room (bytes) --> queue --> writer thread --commit--> fsync
//!    ^                                                |
//!    +----------------- receipts (counted) <----------+
//! ```
//!
//! The writer takes whatever has gathered, up to a cap, and commits it in one transaction: a lone
//! message waits for one fsync and no timer, under load a batch grows by itself. Only then are the
//! [`Receipts`] of its senders counted up, in the order of submission, so a sender that keeps its
//! packet ids in a queue knows which of them it may acknowledge.
//!
//! Where the store does not take a batch (disk full, read-only, locked) nothing is acknowledged and
//! nothing dropped: the same batch is tried again with back-off, the room fills up, senders wait and
//! the sockets push back. [`PipelineState`] says so meanwhile.
//!
//! # Invariants
//!
//! - Durability: a receipt is counted after the commit that holds its message, never before.
//! - What waits is bounded by [`PipelineOptions::room_bytes`], estimated from above.

mod counters;
mod receipts;
mod writer;

#[cfg(test)]
mod tests;

use std::{io, mem::size_of, sync::Arc, time::Duration};

use jiff::Timestamp;
use plotwise_config::reading::Reading;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use crate::{clock::Clock, intake::Intake, live::Live};

pub use counters::Counters;
pub use receipts::Receipts;
use writer::{Stop, WriterThread};

/// Bytes of room that one permit of the semaphore stands for.
const ROOM_UNIT: usize = 256;

/// How the pipeline works; the defaults suit a small machine.
#[derive(Clone, Copy, Debug)]
pub struct PipelineOptions {
    /// Observations and dead letters of one transaction, at most (one submission may exceed it).
    pub batch_max: usize,
    /// Memory for what waits to be committed, bytes.
    pub room_bytes: usize,
    /// First pause after a failed commit; doubles up to `retry_max`.
    pub retry_min: Duration,
    /// Longest pause between two attempts.
    pub retry_max: Duration,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        Self {
            batch_max: 5_000,
            room_bytes: 32 << 20,
            retry_min: Duration::from_millis(50),
            retry_max: Duration::from_secs(5),
        }
    }
}

/// What a commit wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Observations that were new, or added readings to one.
    pub stored: u64,
    /// Observations that were there already.
    pub duplicate: u64,
    /// Dead letters `conflict` that the store made.
    pub conflict: u64,
    /// Dead letters `refused_by_store` that the store made.
    pub refused: u64,
    /// Numbers (`seq`) that devices skipped.
    pub missed: u64,
    /// Numbers skipped before that came after all.
    pub filled: u64,
    /// Places in the batch of observations that were not simply stored, in no order.
    pub remarks: Vec<(usize, Remark)>,
}

/// What became of an observation that was not simply stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// It was there already.
    Duplicate,
    /// It contradicts what is stored, in part or as a whole.
    Conflict,
    /// The store could not take it.
    Refused,
}

/// What became of one submission. All of it is on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Observations that were there already.
    pub duplicates: usize,
    /// Observations that contradict what is stored or could not be taken; each is a dead letter.
    pub dead_letters: usize,
}

/// How the pipeline is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PipelineState {
    /// The last commit went through.
    Running,
    /// The store takes nothing; senders are held.
    Stalled {
        /// Since when.
        since: Timestamp,
        /// What the store said.
        reason: String,
    },
    /// It ended; nothing is taken any more.
    Stopped,
}

/// The pipeline has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pipeline has ended")]
pub struct Closed;

/// The way in; cheap to clone.
#[derive(Clone, Debug)]
pub struct Pipeline {
    queue: mpsc::UnboundedSender<Job>,
    room: Arc<Semaphore>,
    room_units: u32,
    counters: Arc<Counters>,
    live: Live,
    state: watch::Receiver<PipelineState>,
}

/// The writer thread, to be ended by [`Running::finish`].
#[derive(Debug)]
pub struct Running {
    queue: mpsc::UnboundedSender<Job>,
    stop: Arc<Stop>,
    ended: oneshot::Receiver<()>,
}

enum Job {
    Submission(Submission),
    /// Everything before this is to be written, nothing after it.
    End,
}

struct Submission {
    intakes: Vec<Intake>,
    notice: Notice,
    _room: OwnedSemaphorePermit,
}

/// Who is told that a submission is on disk.
enum Notice {
    Nobody,
    Receipts(Receipts, u32),
    Sender(oneshot::Sender<Outcome>),
}

impl Pipeline {
    /// Starts the writer thread. `commit` writes a batch in one fsynced transaction or not at all.
    ///
    /// # Errors
    ///
    /// Where the operating system gives no thread.
    pub fn start<C, E>(
        commit: C,
        options: PipelineOptions,
        clock: Clock,
    ) -> io::Result<(Self, Running)>
    where
        C: FnMut(&[Intake]) -> Result<Written, E> + Send + 'static,
        E: std::error::Error,
    {
        let (queue, jobs) = mpsc::unbounded_channel();
        let (state_sender, state) = watch::channel(PipelineState::Running);
        let (ended_sender, ended) = oneshot::channel();
        let counters = Arc::new(Counters::default());
        let live = Live::default();
        let stop = Arc::new(Stop::default());
        let room_units = u32::try_from(options.room_bytes / ROOM_UNIT).unwrap_or(u32::MAX).max(1);
        let writer = WriterThread {
            commit,
            jobs,
            options,
            clock,
            counters: Arc::clone(&counters),
            live: live.clone(),
            state: state_sender,
            stop: Arc::clone(&stop),
        };
        std::thread::Builder::new().name("readings-writer".to_owned()).spawn(move || {
            // Dropped however the thread ends, even by a panic.
            let _ended = ended_sender;
            writer.run();
        })?;
        let room = Arc::new(Semaphore::new(room_units as usize));
        let pipeline = Self { queue: queue.clone(), room, room_units, counters, live, state };
        Ok((pipeline, Running { queue, stop, ended }))
    }

    /// Hands in what one or several messages came to, waiting for room. `receipts` is counted up by
    /// `messages` once it is on disk, even where `intakes` is empty.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has handed in nothing.
    ///
    /// # Errors
    ///
    /// [`Closed`] where the pipeline has ended; nothing of it will be written.
    pub async fn submit(
        self,
        intakes: Vec<Intake>,
        receipts: Option<(Receipts, u32)>,
    ) -> Result<(), Closed> {
        let notice = receipts
            .map_or(Notice::Nobody, |(receipts, messages)| Notice::Receipts(receipts, messages));
        self.hand_in(intakes, notice).await
    }

    /// The same, and waits until it is on disk.
    ///
    /// # Cancel safety
    ///
    /// Of a future that is dropped while it waits nothing or everything is written.
    ///
    /// # Errors
    ///
    /// [`Closed`] where the pipeline has ended before.
    pub async fn store(self, intakes: Vec<Intake>) -> Result<Outcome, Closed> {
        let (sender, outcome) = oneshot::channel();
        self.hand_in(intakes, Notice::Sender(sender)).await?;
        outcome.await.map_err(|_| Closed)
    }

    async fn hand_in(self, intakes: Vec<Intake>, notice: Notice) -> Result<(), Closed> {
        let units = self.units(&intakes);
        let room = Arc::clone(&self.room).acquire_many_owned(units).await.map_err(|_| Closed)?;
        // Before the writer can have it: what waits is never less than nothing.
        self.counters.submitted(intakes.len());
        self.queue
            .send(Job::Submission(Submission { intakes, notice, _room: room }))
            .map_err(|_| Closed)
    }

    /// What is committed, for whoever wants to hear of it.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// What went through so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How it is, and a way to hear when that changes.
    pub fn state(&self) -> watch::Receiver<PipelineState> {
        self.state.clone()
    }

    /// Memory that is taken by what waits, and the most that may be, bytes.
    pub fn room_bytes(&self) -> (usize, usize) {
        let units = self.room_units as usize;
        ((units - self.room.available_permits()) * ROOM_UNIT, units * ROOM_UNIT)
    }

    fn units(&self, intakes: &[Intake]) -> u32 {
        let bytes: usize = intakes.iter().map(size_of_intake).sum();
        u32::try_from(bytes / ROOM_UNIT + 1).unwrap_or(u32::MAX).min(self.room_units)
    }
}

impl Running {
    /// Writes what was handed in before this call, then ends the thread. Says whether all of it was
    /// written within `patience`; what was not, was not acknowledged either.
    pub async fn finish(self, patience: Duration) -> bool {
        self.stop.within(patience);
        // Fails where the thread has ended already.
        let _ = self.queue.send(Job::End);
        tokio::time::timeout(patience, self.ended).await.is_ok() && self.stop.is_clean()
    }
}

fn size_of_intake(intake: &Intake) -> usize {
    size_of::<Intake>()
        + match intake {
            Intake::Observation(observation) => {
                observation.readings.capacity() * size_of::<Reading>()
            }
            Intake::DeadLetter(letter) => {
                letter.payload.capacity() + letter.topic.capacity() + letter.detail.capacity()
            }
            Intake::Raw(raw) => raw.payload.capacity() + raw.topic.capacity(),
        }
}
