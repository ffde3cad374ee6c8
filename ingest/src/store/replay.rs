//! Dead letters decoded once more: what can be stored now is, and its letter goes in the same transaction.
//!
//! Killed in between, a letter and what it brings are either both as before or both done. What still
//! cannot be stored stays where it is, with its payload and its new reason.
//!
//! A message has a letter for each reason for which parts of it could not be read. Each is decoded as a
//! whole; what other letters, or the store, hold of it already is not written twice. A message without a
//! time of its own is known by the row that its first arrival made, even after the window in which a
//! redelivery is known.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, Savepoint, TransactionBehavior};

use super::{
    Committed, LetterFilter, StoreError, care,
    letters::{self, StoredDeadLetter},
    writer::{Memory, Writer},
};
use crate::intake::{DeadLetter, DeadLetterReason, Intake};

/// Two messages without a time that arrive in the same millisecond are stored a millisecond apart; so
/// many of them are looked through.
const SAME_ARRIVAL_MAX: i64 = 1_000;

/// What became of letters that were decoded once more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Letters that are gone: what they hold is stored.
    pub done: u64,
    /// Letters that stay, by the reason that they have now.
    pub left: BTreeMap<DeadLetterReason, u64>,
    /// What was written.
    pub committed: Committed,
}

impl Replayed {
    /// Adds what became of further letters.
    pub fn add(&mut self, more: &Self) {
        self.done += more.done;
        for (reason, letters) in &more.left {
            *self.left.entry(*reason).or_default() += letters;
        }
        self.committed.stored += more.committed.stored;
        self.committed.duplicate += more.committed.duplicate;
        self.committed.merged += more.committed.merged;
        self.committed.superseded += more.committed.superseded;
        self.committed.conflict += more.committed.conflict;
    }
}

impl Writer {
    /// Decodes these letters once more with `again`, in one transaction. Ids that are gone are passed
    /// over. `now` only says until when a message without a time is remembered.
    ///
    /// # Errors
    ///
    /// As for [`Writer::commit`]; all letters are as they were then.
    pub fn replay(
        &mut self,
        ids: &[i64],
        now: Timestamp,
        mut again: impl FnMut(&DeadLetter) -> Vec<Intake>,
    ) -> Result<Replayed, StoreError> {
        let _turn = self.turn.take();
        self.memory.replaying_ms = Some(now.as_millisecond());
        let result = replay(&mut self.connection, &mut self.memory, ids, &mut again);
        self.memory.replaying_ms = None;
        match &result {
            Ok(_) => self.log_growth.committed(ids.len()),
            Err(_) => self.memory.forget(),
        }
        result
    }

    /// Deletes at most `limit` letters; says how many it found.
    ///
    /// # Errors
    ///
    /// As for [`Writer::commit`].
    pub fn purge(&mut self, filter: &LetterFilter, limit: u32) -> Result<u64, StoreError> {
        let _turn = self.turn.take();
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        let ids = letters::ids(&transaction, filter, i64::MIN, limit)?;
        for id in &ids {
            letters::delete(&transaction, *id)?;
        }
        transaction.commit()?;
        Ok(ids.len() as u64)
    }
}

fn replay(
    connection: &mut Connection,
    memory: &mut Memory,
    ids: &[i64],
    again: &mut impl FnMut(&DeadLetter) -> Vec<Intake>,
) -> Result<Replayed, StoreError> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    memory.begin(&transaction)?;
    let mut replayed = Replayed::default();
    for id in ids {
        let Some(stored) = letters::find(&transaction, *id)? else { continue };
        let intakes = again(&stored.letter);
        let done = memory.done;
        let savepoint = transaction.savepoint()?;
        match take_again(savepoint, memory, &stored, intakes)? {
            Outcome::Done => replayed.done += 1,
            Outcome::Left(reason) => *replayed.left.entry(reason).or_default() += 1,
            Outcome::Refused(error) => {
                memory.done = done;
                memory.codes.forget();
                let reason = DeadLetterReason::RefusedByStore;
                letters::change(&transaction, *id, reason, &care::refusal(&error))?;
                *replayed.left.entry(reason).or_default() += 1;
            }
        }
    }
    memory.finish(&transaction)?;
    // Durability: letters and what they brought change hands here.
    transaction.commit()?;
    replayed.committed = memory.done;
    Ok(replayed)
}

enum Outcome {
    Done,
    Left(DeadLetterReason),
    Refused(StoreError),
}

fn take_again(
    savepoint: Savepoint<'_>,
    memory: &mut Memory,
    stored: &StoredDeadLetter,
    intakes: Vec<Intake>,
) -> Result<Outcome, StoreError> {
    let (mut rest, mut problems) = (Vec::new(), Vec::new());
    for intake in intakes {
        match intake {
            Intake::DeadLetter(letter) => problems.push(letter),
            Intake::Observation(_) | Intake::Raw(_) => rest.push(intake),
        }
    }
    // Of the letter before.
    memory.remarks.clear();
    let result = memory
        .write_part(&savepoint, &rest)
        .and_then(|()| memory.keep_raw(&savepoint, &rest))
        .and_then(|()| put_problems(&savepoint, memory, stored, &problems));
    match result {
        Ok(left) => {
            savepoint.commit()?;
            Ok(left.map_or(Outcome::Done, Outcome::Left))
        }
        Err(error) if error.is_about_data() => {
            // Dropped, it rolls back.
            drop(savepoint);
            Ok(Outcome::Refused(error))
        }
        Err(error) => Err(error),
    }
}

/// Leaves the letter standing for what still cannot be stored, or takes it away. Says for which reason
/// it stays.
fn put_problems(
    connection: &Connection,
    memory: &mut Memory,
    stored: &StoredDeadLetter,
    problems: &[DeadLetter],
) -> Result<Option<DeadLetterReason>, StoreError> {
    let StoredDeadLetter { id, letter } = stored;
    let mut unsaid = Vec::new();
    let mut own = None;
    for problem in problems {
        if problem.reason == letter.reason {
            own = Some(problem);
        } else if !letters::has_other(connection, *id, letter, problem.reason)? {
            unsaid.push(problem);
        }
    }
    let Some(own) = own.or_else(|| unsaid.pop()) else {
        letters::delete(connection, *id)?;
        return Ok(None);
    };
    letters::change(connection, *id, own.reason, &own.detail)?;
    for problem in unsaid {
        // With the payload of the letter, which the message itself may have lost.
        let further =
            DeadLetter { reason: problem.reason, detail: problem.detail.clone(), ..letter.clone() };
        memory.write_letter(connection, &further, None)?;
    }
    Ok(Some(own.reason))
}

impl Memory {
    /// The time under which the packed readings of a message without one were stored when it first arrived.
    pub(super) fn find_arrived(
        &mut self,
        connection: &Connection,
        first_ms: i64,
        device: i64,
    ) -> Result<Option<i64>, StoreError> {
        for time_ms in first_ms..first_ms.saturating_add(SAME_ARRIVAL_MAX) {
            if !self.load_row(connection, device, time_ms)? {
                break;
            }
            if self.row.is_same_message(&self.packed) {
                return Ok(Some(time_ms));
            }
        }
        Ok(None)
    }
}
