//! Writing: one batch, one transaction, one sync.

mod stored;

use std::{path::Path, sync::Arc};

use plotwise_config::reading::{Identity, Observation};
use rusqlite::{Connection, TransactionBehavior, params};

use super::{
    StoreError, StoreOptions, care,
    changes::Marks,
    checkpoints::{self, LogGrowth},
    codes::Codes,
    committed::Committed,
    letters,
    packed::{self, Packed},
    recent,
    reconcile::Reconciliation,
    schema,
    sealed::{BlockKey, Head, Lookup, Turn},
    watch::{GapLog, Outcome, Watches},
    week_of,
};
use crate::{
    intake::{DeadLetter, DeadLetterReason, Intake},
    pipeline::{Remark, Written},
};

/// A connection that writes. Its calls block.
#[derive(Debug)]
pub struct Writer {
    pub(super) connection: Connection,
    pub(super) memory: Memory,
    gap_log: GapLog,
    pub(super) log_growth: LogGrowth,
    pub(super) turn: Turn,
}

/// What a writer keeps between commits: numbers it knows, and buffers.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) options: StoreOptions,
    pub(super) codes: Codes,
    /// (week, device, time in ms, place in the batch) of observations with a measured time.
    timed: Vec<(i64, i64, i64, usize)>,
    /// (device, place in the batch) of those without.
    untimed: Vec<(i64, usize)>,
    pub(super) packed: Vec<Packed>,
    pub(super) blob: Vec<u8>,
    pub(super) replaced: Vec<u8>,
    pub(super) row: Reconciliation,
    pub(super) sealed: Lookup,
    /// Where `row` came from, unless it is a row.
    pub(super) row_block: Option<(BlockKey, Head)>,
    times: Vec<i64>,
    watches: Watches,
    pub(super) marks: Marks,
    /// Under which time the latest observation was stored, where anything of it was new.
    pub(super) new_at: Option<i64>,
    /// Places in the batch of observations that were not simply stored.
    pub(super) remarks: Vec<(usize, Remark)>,
    /// The present moment while dead letters are replayed.
    pub(super) replaying_ms: Option<i64>,
    pub(super) done: Committed,
}

impl Writer {
    pub(super) fn open(
        path: &Path,
        keys: Arc<[String]>,
        options: StoreOptions,
        log_growth: LogGrowth,
        turn: Turn,
    ) -> Result<Self, StoreError> {
        let memory = Memory {
            options,
            codes: Codes::new(keys),
            timed: Vec::new(),
            untimed: Vec::new(),
            packed: Vec::new(),
            blob: Vec::new(),
            replaced: Vec::new(),
            row: Reconciliation::default(),
            sealed: Lookup::new(),
            row_block: None,
            times: Vec::new(),
            watches: Watches::default(),
            marks: Marks::default(),
            new_at: None,
            remarks: Vec::new(),
            replaying_ms: None,
            done: Committed::default(),
        };
        Ok(Self {
            connection: schema::connect_writer(path)?,
            memory,
            gap_log: GapLog::default(),
            log_growth,
            turn,
        })
    }

    /// Writes a batch in one transaction. When it returns `Ok`, all of it is on disk.
    ///
    /// # Errors
    ///
    /// On any error nothing of the batch is written and the writer can be used again:
    /// [`StoreError::Full`], [`StoreError::Busy`], [`StoreError::ReadOnly`] are worth another try
    /// later. Bad data is no error: it becomes a dead letter.
    pub fn commit(&mut self, batch: &[Intake]) -> Result<Committed, StoreError> {
        if batch.is_empty() {
            self.memory.remarks.clear();
            return Ok(Committed::default());
        }
        let _turn = self.turn.take();
        let mut result = write_batch(&mut self.connection, &mut self.memory, batch);
        if result.as_ref().is_err_and(StoreError::is_about_data) {
            self.memory.forget();
            result = care::write_one_by_one(&mut self.connection, &mut self.memory, batch);
        }
        match &result {
            Ok(_) => {
                self.log_growth.committed(batch.len());
                self.gap_log.tell(&self.memory.watches.gaps);
            }
            Err(_) => self.memory.forget(),
        }
        result
    }

    /// From now on commits leave the log to [`super::Checkpoints`], unless it grows beyond 256 MiB.
    ///
    /// # Errors
    ///
    /// Whatever `SQLite` reports.
    pub fn leave_log(&self) -> Result<(), StoreError> {
        let pages = checkpoints::LOG_PAGES_MAX;
        Ok(self.connection.pragma_update(None, "wal_autocheckpoint", pages)?)
    }

    /// [`Writer::commit`] for a pipeline, which tells its senders what became of theirs.
    ///
    /// # Errors
    ///
    /// As for [`Writer::commit`].
    pub fn write(&mut self, batch: &[Intake]) -> Result<Written, StoreError> {
        let done = self.commit(batch)?;
        Ok(Written { remarks: self.memory.remarks.clone(), ..done.into() })
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}

fn write_batch(
    connection: &mut Connection,
    memory: &mut Memory,
    batch: &[Intake],
) -> Result<Committed, StoreError> {
    // Immediate: waits for another writer here, not in the middle. Dropped, it rolls back.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    memory.begin(&transaction)?;
    memory.write_part(&transaction, batch)?;
    memory.keep_raw(&transaction, batch)?;
    memory.finish(&transaction)?;
    // Durability: returns after the log is synced; only then may anything be acknowledged.
    transaction.commit()?;
    Ok(memory.done)
}

fn observation_at(batch: &[Intake], place: usize) -> Option<&Observation> {
    match batch.get(place) {
        Some(Intake::Observation(observation)) => Some(observation),
        _ => None,
    }
}

impl Memory {
    /// After a transaction that failed: nothing of it stands.
    pub(super) fn forget(&mut self) {
        self.codes.forget();
        self.watches.forget();
        self.marks.forget();
    }

    pub(super) fn begin(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.done = Committed::default();
        self.remarks.clear();
        self.sealed.begin(connection)?;
        self.watches.begin(connection)
    }

    /// Writes a batch, or a part of one.
    pub(super) fn write_part(
        &mut self,
        connection: &Connection,
        batch: &[Intake],
    ) -> Result<(), StoreError> {
        self.timed.clear();
        self.untimed.clear();
        self.sort_out(connection, batch)?;
        self.write_timed(connection, batch)?;
        self.write_untimed(connection, batch)
    }

    /// What is written once a batch, at its end.
    pub(super) fn finish(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.watches.write(connection)?;
        self.marks.write(connection)?;
        self.done.missed = self.watches.gaps.iter().map(|gap| gap.missed).sum();
        self.done.filled = self.watches.filled;
        Ok(())
    }

    /// Writes the dead letters and tells observations with a measured time from those without.
    fn sort_out(&mut self, connection: &Connection, batch: &[Intake]) -> Result<(), StoreError> {
        for (place, intake) in batch.iter().enumerate() {
            match intake {
                Intake::DeadLetter(letter) => self.write_letter(connection, letter, None)?,
                // Once it is known what became of its observations.
                Intake::Raw(_) => {}
                Intake::Observation(observation) => {
                    let device = self.codes.device(connection, &observation.device)?;
                    if observation.identity == Identity::MeasuredTime {
                        let time_ms = observation.measured.as_millisecond();
                        self.timed.push((week_of(time_ms), device, time_ms, place));
                    } else {
                        self.untimed.push((device, place));
                    }
                }
            }
        }
        // Neighbours in the tree one after the other; by place, so that the first arrival stays first.
        self.timed.sort_unstable();
        Ok(())
    }

    fn write_timed(&mut self, connection: &Connection, batch: &[Intake]) -> Result<(), StoreError> {
        let timed = std::mem::take(&mut self.timed);
        for &(_, device, time_ms, place) in &timed {
            let Some(observation) = observation_at(batch, place) else { continue };
            let before = self.done;
            let is_packed = self.pack(connection, observation)?;
            if is_packed {
                self.new_at = None;
                self.write_at(connection, observation, device, time_ms)?;
                self.watch(connection, observation, device, time_ms)?;
            }
            self.remark(place, before, is_packed);
        }
        self.timed = timed;
        Ok(())
    }

    fn write_untimed(
        &mut self,
        connection: &Connection,
        batch: &[Intake],
    ) -> Result<(), StoreError> {
        if self.untimed.is_empty() {
            return Ok(());
        }
        let untimed = std::mem::take(&mut self.untimed);
        let mut now_ms = i64::MIN;
        for &(device, place) in &untimed {
            let Some(observation) = observation_at(batch, place) else { continue };
            now_ms = now_ms.max(observation.received.as_millisecond());
            let before = self.done;
            let is_packed = self.pack(connection, observation)?;
            if is_packed {
                self.new_at = None;
                self.write_by_identity(connection, observation, device)?;
                let time_ms = observation.measured.as_millisecond();
                self.watch(connection, observation, device, time_ms)?;
            }
            self.remark(place, before, is_packed);
        }
        recent::prune(connection, now_ms, untimed.len())?;
        self.untimed = untimed;
        Ok(())
    }

    fn watch(
        &mut self,
        connection: &Connection,
        observation: &Observation,
        device: i64,
        time_ms: i64,
    ) -> Result<(), StoreError> {
        let outcome =
            Outcome { time_ms: self.new_at.unwrap_or(time_ms), is_new: self.new_at.is_some() };
        self.watches.note(connection, observation, device, outcome)
    }

    /// Notes what became of an observation, by what it counted under.
    fn remark(&mut self, place: usize, before: Committed, is_packed: bool) {
        if !is_packed {
            self.remarks.push((place, Remark::Refused));
        } else if self.done.duplicate > before.duplicate {
            self.remarks.push((place, Remark::Duplicate));
        } else if self.done.conflict > before.conflict {
            self.remarks.push((place, Remark::Conflict));
        }
    }

    /// Packs the readings, in order; `false` where none is left to store. What cannot be stored
    /// becomes a dead letter.
    pub(super) fn pack(
        &mut self,
        connection: &Connection,
        observation: &Observation,
    ) -> Result<bool, StoreError> {
        self.packed.clear();
        let mut refused = None;
        for reading in &observation.readings {
            let code = self.codes.quantity(connection, reading.quantity)?;
            let packed = Packed::of(code.unwrap_or(0), reading);
            if code.is_some() && packed.value.is_finite() {
                self.packed.push(packed);
            } else {
                refused = Some(packed);
                let (reason, wanted) = match code {
                    None => (DeadLetterReason::RefusedByStore, "a quantity of the catalogue"),
                    Some(_) => (DeadLetterReason::NotFinite, "a finite value"),
                };
                let detail = format!("found {reading:?}, wanted {wanted}");
                let key = self.codes.key(packed.code);
                let letter = letters::of_reading(reason, observation, key, &packed, detail);
                self.write_letter(connection, &letter, None)?;
            }
        }
        if self.packed.is_empty() && refused.is_none() {
            let detail = "found an observation without readings, wanted at least one".to_owned();
            let reason = DeadLetterReason::RefusedByStore;
            let letter = letters::of_observation(reason, observation, self.codes.keys(), detail);
            self.write_letter(connection, &letter, None)?;
        }
        if !self.packed.is_sorted_by(|a, b| a.key() < b.key()) {
            self.put_in_order(connection, observation)?;
        }
        packed::encode(&self.packed, &mut self.blob);
        Ok(!self.packed.is_empty())
    }

    /// Sorts the readings; of a pair that occurs twice the first stays, another value is a conflict.
    fn put_in_order(
        &mut self,
        connection: &Connection,
        observation: &Observation,
    ) -> Result<(), StoreError> {
        self.packed.sort_by_key(Packed::key);
        let mut repeated = Vec::new();
        self.packed.dedup_by(|later, first| {
            let is_repeated = later.key() == first.key();
            if is_repeated && !later.is_same_value(first) {
                repeated.push((*later, *first));
            }
            is_repeated
        });
        let device = self.codes.device(connection, &observation.device)?;
        let time_ms = observation.measured.as_millisecond();
        for (arrived, stored) in repeated {
            self.write_conflict(connection, observation, device, time_ms, &arrived, &stored)?;
        }
        Ok(())
    }

    /// Stores the packed readings under a key, or reconciles them with what stands there.
    pub(super) fn write_at(
        &mut self,
        connection: &Connection,
        observation: &Observation,
        device: i64,
        time_ms: i64,
    ) -> Result<(), StoreError> {
        if self.insert(connection, observation, device, time_ms)? {
            return Ok(());
        }
        self.load_row(connection, device, time_ms)?;
        self.row.take_in(&self.packed, observation.supersede);
        let conflicts = std::mem::take(&mut self.row.conflicts);
        for (arrived, stored) in &conflicts {
            self.write_conflict(connection, observation, device, time_ms, arrived, stored)?;
        }
        if self.row.added + self.row.corrected > 0 {
            packed::encode(&self.row.stored, &mut self.blob);
            packed::encode(&self.row.replaced, &mut self.replaced);
            self.write_row(connection, device, time_ms)?;
            self.new_at = Some(time_ms);
            self.marks.note(device, time_ms);
        }
        let counter = if self.row.corrected > 0 {
            &mut self.done.superseded
        } else if !conflicts.is_empty() {
            &mut self.done.conflict
        } else if self.row.added > 0 {
            &mut self.done.merged
        } else {
            &mut self.done.duplicate
        };
        *counter += 1;
        self.row.conflicts = conflicts;
        Ok(())
    }

    /// Makes a new row; `false` where one stands there, or something sealed.
    fn insert(
        &mut self,
        connection: &Connection,
        observation: &Observation,
        device: i64,
        time_ms: i64,
    ) -> Result<bool, StoreError> {
        if self.sealed.find(connection, device, time_ms)?.is_some() {
            return Ok(false);
        }
        let received_ms = observation.received.as_millisecond();
        packed::encode(&[], &mut self.replaced);
        let inserted = connection
            .prepare_cached(
                "insert into observation \
                 (week, device, time_ms, delay_ms, claimed_ms, seq, readings, replaced) \
                 values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
            )?
            .execute(params![
                week_of(time_ms),
                device,
                time_ms,
                received_ms - time_ms,
                observation.claimed.map(jiff::Timestamp::as_millisecond),
                observation.seq.map(u64::cast_signed),
                self.blob,
                observation.supersede.then_some(&self.replaced),
            ])?;
        if inserted > 0 {
            self.done.stored += 1;
            self.new_at = Some(time_ms);
            self.marks.note(device, time_ms);
        }
        Ok(inserted > 0)
    }

    /// Stores an observation that has no time of its own, or finds the one it repeats.
    pub(super) fn write_by_identity(
        &mut self,
        connection: &Connection,
        observation: &Observation,
        device: i64,
    ) -> Result<(), StoreError> {
        let window_s = self.options.redelivery_window_s;
        let Some((key, memory_ms)) = recent::key(observation.identity, window_s) else {
            return Ok(());
        };
        let received_ms = observation.received.as_millisecond();
        let mut times = std::mem::take(&mut self.times);
        recent::find(connection, device, &key, received_ms, memory_ms, &mut times)?;
        let mut earlier = None;
        for &time_ms in &times {
            // An id or a payload's hash says enough; a counter may have started anew.
            if !observation.identity.may_recur()
                || (self.load_row(connection, device, time_ms)?
                    && self.row.is_same_message(&self.packed))
            {
                earlier = Some(time_ms);
                break;
            }
        }
        // What a correction corrects differs from it: the latest message with its number.
        if earlier.is_none() && observation.supersede {
            earlier = times.last().copied();
        }
        self.times = times;
        if earlier.is_none() && self.replaying_ms.is_some() {
            let first_ms = observation.measured.as_millisecond();
            earlier = self.find_arrived(connection, first_ms, device)?;
        }
        if let Some(time_ms) = earlier {
            return self.write_at(connection, observation, device, time_ms);
        }
        let mut time_ms = observation.measured.as_millisecond();
        while !self.insert(connection, observation, device, time_ms)? {
            time_ms += 1;
        }
        // Of two letters of one message the second may be replayed a while later.
        let since_ms =
            self.replaying_ms.map_or(0, |now_ms| now_ms.saturating_sub(received_ms).max(0));
        let memory_ms = memory_ms.saturating_add(since_ms);
        recent::remember(connection, device, &key, time_ms, received_ms, memory_ms)
    }

    pub(super) fn write_letter(
        &mut self,
        connection: &Connection,
        letter: &DeadLetter,
        fingerprint: Option<&[u8; 16]>,
    ) -> Result<(), StoreError> {
        if letters::write(connection, letter, fingerprint)? {
            self.done.dead_letters += 1;
        }
        Ok(())
    }
}
