//! A batch with something in it that the store cannot take: everything else is stored.
//!
//! A row that was damaged on disk, or a value that breaks a constraint, would make every batch fail that
//! touches it, today and tomorrow, and with it the device that sends the message again and again. So the
//! batch is written once more, each part of it under a savepoint of its own; what fails alone becomes a
//! dead letter `refused_by_store` with what `SQLite` said. All of it is still one transaction.
//!
//! Where the disk is at fault (full, read-only, failing) nothing here helps: the batch waits.

use plotwise_config::reading::Observation;
use rusqlite::{Connection, TransactionBehavior};

use super::{Committed, StoreError, letters, writer::Memory};
use crate::{
    intake::{DeadLetterReason, Intake},
    pipeline::Remark,
};

/// Writes a batch that failed as a whole because of what is in it.
pub(super) fn write_one_by_one(
    connection: &mut Connection,
    memory: &mut Memory,
    batch: &[Intake],
) -> Result<Committed, StoreError> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    memory.begin(&transaction)?;
    for (place, intake) in batch.iter().enumerate() {
        let (done, remarks) = (memory.done, memory.remarks.len());
        let mut savepoint = transaction.savepoint()?;
        let Err(error) = memory.write_part(&savepoint, std::slice::from_ref(intake)) else {
            savepoint.commit()?;
            // Alone it stood in the first place.
            memory.remarks[remarks..].iter_mut().for_each(|(alone, _)| *alone = place);
            continue;
        };
        let Intake::Observation(observation) = intake else { return Err(error) };
        if !error.is_about_data() {
            return Err(error);
        }
        savepoint.rollback()?;
        savepoint.commit()?;
        memory.done = done;
        memory.remarks.truncate(remarks);
        memory.remarks.push((place, Remark::Refused));
        // A number that was given out under the savepoint does not stand.
        memory.codes.forget();
        refuse(&transaction, memory, observation, &error)?;
    }
    memory.keep_raw(&transaction, batch)?;
    memory.finish(&transaction)?;
    // Durability: as for every other batch.
    transaction.commit()?;
    Ok(memory.done)
}

fn refuse(
    connection: &Connection,
    memory: &mut Memory,
    observation: &Observation,
    error: &StoreError,
) -> Result<(), StoreError> {
    let detail = refusal(error);
    let device = &observation.device;
    tracing::error!(%device, detail, "a message of {device} became a dead letter: {detail}");
    let reason = DeadLetterReason::RefusedByStore;
    let letter = letters::of_observation(reason, observation, memory.codes.keys(), detail);
    memory.write_letter(connection, &letter, None)?;
    memory.done.refused += 1;
    Ok(())
}

/// What a letter says of an error, with what `SQLite` said.
pub(super) fn refusal(error: &StoreError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("the store cannot take this: {error}: {cause}"),
        None => format!("the store cannot take this: {error}"),
    }
}
