//! Sealing: rows of time that is over become blocks.
//!
//! One step takes the oldest rows of one device, and the block that they lie in or follow, and makes
//! one block of both. Reading and packing see one state of the file and hold up nobody; then, in one
//! short transaction: is everything still as it was read, old blocks and rows out, new blocks in.
//!
//! ```text
//! rows    ....rrrrrrrrrrr  rrr           rows within a block's span are merged into it
//! blocks      [====]                     rows in a gap make a block of their own, or join a small
//!                     [==]  [=======]    neighbour, which so grows week by week
//! ```
//!
//! # Invariants
//!
//! - Killed at any moment the file is as before a step or as after it: an observation stands in a row,
//!   in a block, or in both where a row was made of the block's.
//! - Rows or blocks that changed since they were read stay as they are; a later pass takes them.
//! - A damaged block stays where it is, and so do the rows in its span.
//! - A writer of this process waits for one transaction at most: both take [`Turn`] first.
//!
//! # What it leaves out
//!
//! `synchronous=FULL`: a step that a power cut undoes is taken again. What a writer commits is synced
//! by the writer, with all steps before it.

mod plan;
mod room;
mod swap;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use self::plan::{Plan, Planner};
use crate::{
    store::{Store, StoreError, WEEK_MS, schema, week_of},
    upkeep::{Chore, Step},
};

/// How long after its end a week is left in rows. Our choice: what a gateway without a network held back
/// mostly comes within two days, and a row takes it in for less than a block does.
const REST: SignedDuration = SignedDuration::from_hours(48);

/// Between two passes. Our choice: a device whose readings all come late has a block rewritten a pass.
const PAUSE: Duration = Duration::from_hours(1);

/// Steps between two checkpoints. Our choice: some 8 MB of log, so that no commit has to write them.
const STEPS_A_CHECKPOINT: u32 = 64;

/// Whose turn it is to write: a writer that waits here wakes at once, one that waits for `SQLite`'s own
/// lock sleeps milliseconds at a time.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Turn(Arc<Mutex<()>>);

impl Turn {
    pub(in crate::store) fn take(&self) -> MutexGuard<'_, ()> {
        // Nothing is guarded that a panic could leave half done: the transaction is undone.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Rows that became part of blocks.
    pub rows: u64,
    /// Blocks written.
    pub blocks: u64,
    /// Bytes of those blocks.
    pub bytes: u64,
    /// Steps not taken because rows or blocks changed meanwhile or are damaged.
    pub left: u64,
}

/// A connection that seals. Its calls block.
pub struct Sealer {
    pub(super) connection: Connection,
    pub(super) turn: Turn,
    planner: Planner,
    /// The week and device to look at next, and those behind.
    next: (i64, i64),
    steps: u32,
    done: Sealed,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").field("next", &self.next).finish_non_exhaustive()
    }
}

/// Seals weeks that are over, again and again, and gives room back to the disk.
///
/// # Errors
///
/// As for [`Store::open`].
pub fn sealing(store: &Store) -> Result<Chore, StoreError> {
    let mut sealer = store.sealer()?;
    Ok(Chore::new("sealing", PAUSE, move |now| sealer.step(now)))
}

impl Sealer {
    pub(in crate::store) fn open(path: &Path, turn: Turn) -> Result<Self, StoreError> {
        Ok(Self {
            connection: schema::connect_sealer(path)?,
            turn,
            planner: Planner::new(),
            next: START,
            steps: 0,
            done: Sealed::default(),
        })
    }

    /// One step of sealing the weeks that are over at `now`, or else of giving room back.
    ///
    /// # Errors
    ///
    /// As for [`super::super::Writer::commit`]. What is damaged is logged and left.
    pub fn step(&mut self, now: Timestamp) -> Result<Step, StoreError> {
        let over = now.saturating_sub(REST).unwrap_or(Timestamp::MIN);
        let until_ms = week_of(over.as_millisecond()) * WEEK_MS;
        if self.seal(until_ms)? == Step::More {
            return Ok(Step::More);
        }
        let Sealed { rows, blocks, bytes, left } = std::mem::take(&mut self.done);
        if blocks > 0 {
            tracing::info!(
                rows,
                blocks,
                bytes,
                left,
                "sealed {rows} observations in {blocks} blocks of {bytes} bytes together"
            );
        }
        self.give_back(room::Keep::Share)
    }

    /// Seals everything measured before `until`, with the same steps, and gives all room back. `each` is
    /// told after every step what was sealed so far.
    ///
    /// # Errors
    ///
    /// As for [`Sealer::step`].
    pub fn seal_all(
        &mut self,
        until: Timestamp,
        mut each: impl FnMut(&Sealed),
    ) -> Result<Sealed, StoreError> {
        self.next = START;
        while self.seal(until.as_millisecond())? == Step::More {
            each(&self.done);
        }
        self.give_all_back()?;
        Ok(std::mem::take(&mut self.done))
    }

    /// Gives all room that holds nothing back to the disk.
    ///
    /// # Errors
    ///
    /// As for [`Sealer::step`].
    pub fn give_all_back(&mut self) -> Result<(), StoreError> {
        while self.give_back(room::Keep::Nothing)? == Step::More {}
        room::shorten(&self.connection)
    }

    /// Seals what is next and was measured before a time; `Done` where a pass ends.
    fn seal(&mut self, until_ms: i64) -> Result<Step, StoreError> {
        let Some((week, device, first_ms)) = self.find_next(until_ms)? else {
            self.next = START;
            return Ok(Step::Done);
        };
        let is_sealed = match self.plan(device, first_ms, until_ms) {
            Ok(Some(plan)) => self.carry_out(&plan)?,
            Ok(None) => false,
            Err(StoreError::Damaged { what }) => {
                tracing::error!(device, week, "rows of week {week} cannot be sealed: {what}");
                false
            }
            Err(error) => return Err(error),
        };
        if !is_sealed {
            self.done.left += 1;
            self.next = (week, device + 1);
        }
        self.count_step()?;
        Ok(Step::More)
    }

    fn give_back(&mut self, keep: room::Keep) -> Result<Step, StoreError> {
        let left = room::give_back(&self.connection, &self.turn, keep)?;
        self.count_step()?;
        Ok(left)
    }

    /// Keeps the log short.
    fn count_step(&mut self) -> Result<(), StoreError> {
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(STEPS_A_CHECKPOINT) {
            room::checkpoint(&self.connection)?;
        }
        Ok(())
    }

    fn plan(
        &mut self,
        device: i64,
        first_ms: i64,
        until_ms: i64,
    ) -> Result<Option<Plan>, StoreError> {
        let snapshot = self.connection.transaction()?;
        self.planner.plan(&snapshot, device, first_ms, until_ms)
    }

    fn carry_out(&mut self, plan: &Plan) -> Result<bool, StoreError> {
        let _turn = self.turn.take();
        let is_sealed = swap::swap(&mut self.connection, plan)?;
        if is_sealed {
            plan.count_in(&mut self.done);
        }
        Ok(is_sealed)
    }

    /// The first row from `next` on: week, device and time.
    fn find_next(&mut self, until_ms: i64) -> Result<Option<(i64, i64, i64)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select week, device, time_ms from observation where (week, device) >= (?, ?) \
             order by week, device, time_ms limit 1",
        )?;
        loop {
            let (week, device) = self.next;
            let found: Option<(i64, i64, i64)> = statement
                .query_row(params![week, device], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            match found {
                Some((week, ..)) if week > week_of(until_ms.saturating_sub(1)) => return Ok(None),
                Some((week, device, time_ms)) if time_ms >= until_ms => {
                    self.next = (week, device + 1);
                }
                found => return Ok(found),
            }
        }
    }
}

const START: (i64, i64) = (i64::MIN, i64::MIN);

#[cfg(test)]
mod tests;
