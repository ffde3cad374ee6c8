//! Kept messages decoded once more: what they made goes, what they come to now stands in its place, in one
//! transaction.
//!
//! A reading that somebody corrected since is no longer the message's own: it stays, and what the message
//! says there now is left out. A message that comes to nothing now changes nothing: a profile that reads
//! nothing is more likely wrong than what it read before.

use jiff::Timestamp;
use plotwise_config::reading::{Identity, Observation};
use rusqlite::{Connection, Savepoint, TransactionBehavior, params};

use super::{Made, decode, encode, find};
use crate::{
    intake::{Intake, RawMessage},
    store::{
        Committed, StoreError,
        packed::{self, Packed},
        sealed, week_of,
        writer::{Memory, Writer},
    },
};

/// What became of kept messages that were decoded once more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retaken {
    /// Messages that come to the same as before.
    pub unchanged: u64,
    /// Messages that come to something else, which stands now.
    pub changed: u64,
    /// Messages that cannot be read any more; what they made before stays.
    pub unreadable: u64,
    /// What is wrong with one of those.
    pub example: Option<String>,
    /// Readings left as they are because somebody corrected them since.
    pub corrected: u64,
    /// What was written.
    pub committed: Committed,
}

impl Retaken {
    /// Adds what became of further messages.
    pub fn add(&mut self, more: Self) {
        self.unchanged += more.unchanged;
        self.changed += more.changed;
        self.unreadable += more.unreadable;
        self.corrected += more.corrected;
        self.example = self.example.take().or(more.example);
        self.committed.stored += more.committed.stored;
        self.committed.merged += more.committed.merged;
        self.committed.duplicate += more.committed.duplicate;
        self.committed.conflict += more.committed.conflict;
    }
}

impl Writer {
    /// Decodes these kept messages once more with `again`, in one transaction. Ids that are gone are
    /// passed over. `now` only says until when a message without a time is remembered.
    ///
    /// # Errors
    ///
    /// As for [`Writer::commit`]; everything is as it was then.
    pub fn retake(
        &mut self,
        ids: &[i64],
        now: Timestamp,
        mut again: impl FnMut(&RawMessage) -> Vec<Intake>,
    ) -> Result<Retaken, StoreError> {
        let _turn = self.turn.take();
        self.memory.replaying_ms = Some(now.as_millisecond());
        let result = retake(&mut self.connection, &mut self.memory, ids, &mut again);
        self.memory.replaying_ms = None;
        match &result {
            Ok(_) => self.log_growth.committed(ids.len()),
            Err(_) => self.memory.forget(),
        }
        result
    }
}

fn retake(
    connection: &mut Connection,
    memory: &mut Memory,
    ids: &[i64],
    again: &mut impl FnMut(&RawMessage) -> Vec<Intake>,
) -> Result<Retaken, StoreError> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    memory.begin(&transaction)?;
    let mut retaken = Retaken::default();
    for id in ids {
        let Some((raw, made)) = find(&transaction, *id)? else { continue };
        let (mut observations, mut problem) = (Vec::new(), None);
        for intake in again(&raw) {
            match intake {
                Intake::Observation(observation) => observations.push(observation),
                Intake::DeadLetter(letter) => problem = problem.or(Some(letter.detail)),
                Intake::Raw(_) => {}
            }
        }
        if observations.is_empty() {
            retaken.unreadable += 1;
            retaken.example = retaken.example.or(problem);
            continue;
        }
        let savepoint = transaction.savepoint()?;
        let done = memory.done;
        match memory.retake_one(savepoint, *id, &raw, &made, &observations) {
            Ok(None) => retaken.unchanged += 1,
            Ok(Some(corrected)) => {
                retaken.changed += 1;
                retaken.corrected += corrected;
            }
            Err(error) if error.is_about_data() => {
                memory.done = done;
                memory.codes.forget();
                retaken.unreadable += 1;
                retaken.example.get_or_insert_with(|| error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    memory.finish(&transaction)?;
    // Durability: what was and what is change hands here.
    transaction.commit()?;
    retaken.committed = memory.done;
    Ok(retaken)
}

impl Memory {
    /// Readings that were left because somebody corrected them; `None` where nothing changes at all.
    fn retake_one(
        &mut self,
        savepoint: Savepoint<'_>,
        id: i64,
        raw: &RawMessage,
        made: &[u8],
        observations: &[Observation],
    ) -> Result<Option<u64>, StoreError> {
        let received_ms = raw.received.as_millisecond();
        let mut now = Vec::with_capacity(observations.len());
        for observation in observations {
            now.push(Made::of(&savepoint, &mut self.codes, observation)?);
        }
        let encoded = encode(&now, received_ms);
        if encoded == made {
            return Ok(None);
        }
        let device = self.codes.device(&savepoint, &raw.device)?;
        let mut corrected = Vec::new();
        for one in &decode(made, received_ms)? {
            self.take_back(&savepoint, device, one, &mut corrected)?;
        }
        for observation in observations {
            self.put_instead(&savepoint, device, observation, &corrected)?;
        }
        savepoint
            .prepare_cached("update raw_message set made = ? where id = ?")?
            .execute(params![encoded, id])?;
        savepoint.commit()?;
        Ok(Some(corrected.len() as u64))
    }

    /// Takes away what stands of an observation as the message made it; the readings that do not, because
    /// they were corrected, are added to `corrected`.
    fn take_back(
        &mut self,
        connection: &Connection,
        device: i64,
        made: &Made,
        corrected: &mut Vec<Packed>,
    ) -> Result<(), StoreError> {
        let mut time_ms = made.measured_ms;
        if made.is_measured {
            if !self.load_row(connection, device, time_ms)? {
                return Ok(());
            }
        } else {
            self.packed.clone_from(&made.readings);
            let Some(found) = self.find_arrived(connection, time_ms, device)? else {
                return Ok(());
            };
            time_ms = found;
        }
        if self.row_block.is_some() {
            sealed::unseal(connection, device, time_ms)?;
            self.sealed.forget_where();
            self.load_row(connection, device, time_ms)?;
        }
        let before = self.row.stored.len();
        for reading in &made.readings {
            let place = self.row.stored.binary_search_by_key(&reading.key(), Packed::key);
            match place {
                Ok(place) if self.row.stored[place].is_same_value(reading) => {
                    self.row.stored.remove(place);
                }
                Ok(_) => corrected.push(*reading),
                Err(_) => {}
            }
        }
        if self.row.stored.len() == before {
            return Ok(());
        }
        self.marks.note(device, time_ms);
        if self.row.stored.is_empty() {
            connection
                .prepare_cached(
                    "delete from observation where week = ? and device = ? and time_ms = ?",
                )?
                .execute(params![week_of(time_ms), device, time_ms])?;
            return Ok(());
        }
        packed::encode(&self.row.stored, &mut self.blob);
        packed::encode(&self.row.replaced, &mut self.replaced);
        self.row.corrected = 0;
        self.write_row(connection, device, time_ms)
    }

    /// Writes what the message says now, but for the readings that somebody corrected.
    fn put_instead(
        &mut self,
        connection: &Connection,
        device: i64,
        observation: &Observation,
        corrected: &[Packed],
    ) -> Result<(), StoreError> {
        if !self.pack(connection, observation)? {
            return Ok(());
        }
        self.packed.retain(|reading| corrected.iter().all(|left| left.key() != reading.key()));
        if self.packed.is_empty() {
            return Ok(());
        }
        packed::encode(&self.packed, &mut self.blob);
        self.new_at = None;
        if observation.identity == Identity::MeasuredTime {
            let time_ms = observation.measured.as_millisecond();
            self.write_at(connection, observation, device, time_ms)
        } else {
            self.write_by_identity(connection, observation, device)
        }
    }
}
