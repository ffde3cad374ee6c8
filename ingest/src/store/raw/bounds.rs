//! Bounds of the kept messages: how old, and how much of them.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{SIZE, add_size};
use crate::{
    store::{StoreError, reader::moment, schema, sealed::Turn},
    upkeep::Step,
};

/// Messages that one step lets go: some milliseconds.
const STEP_MAX: u32 = 500;

const MB: i64 = 1_000_000;

/// What a user may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawLimits {
    /// Older ones are let go; 0 keeps none.
    pub keep_days: u32,
    /// Above this much the oldest are let go.
    pub max_mb: u32,
}

/// Keeps the messages within their limits.
#[derive(Debug)]
pub struct RawBounds {
    connection: Connection,
    turn: Turn,
    limits: RawLimits,
    /// Let go because of their size since that was last told.
    untold: u64,
}

impl RawBounds {
    pub(in crate::store) fn open(
        path: &Path,
        turn: Turn,
        limits: RawLimits,
    ) -> Result<Self, StoreError> {
        Ok(Self { connection: schema::connect_writer(path)?, turn, limits, untold: 0 })
    }

    /// Lets go of a little of what is beyond the limits.
    ///
    /// # Errors
    ///
    /// Whatever `SQLite` reports; nothing is let go then.
    pub fn keep(&mut self, now: Timestamp) -> Result<Step, StoreError> {
        let age = SignedDuration::from_hours(24 * i64::from(self.limits.keep_days));
        let oldest = now.saturating_sub(age).unwrap_or(Timestamp::MIN);
        let of_age = self.let_go(Some(oldest.as_millisecond()))?;
        if of_age >= u64::from(STEP_MAX) {
            return Ok(Step::More);
        }
        let of_size = if self.is_too_much()? { self.let_go(None)? } else { 0 };
        self.untold += of_size;
        if of_size > 0 {
            return Ok(Step::More);
        }
        self.tell()?;
        Ok(Step::Done)
    }

    fn is_too_much(&self) -> Result<bool, StoreError> {
        let bytes: Option<i64> = self
            .connection
            .prepare_cached("select bytes from raw_size")?
            .query_row([], |row| row.get(0))
            .optional()?;
        Ok(bytes.unwrap_or(0) > i64::from(self.limits.max_mb) * MB)
    }

    /// Lets the oldest go, at most those that arrived before a time.
    fn let_go(&mut self, before_ms: Option<i64>) -> Result<u64, StoreError> {
        let _turn = self.turn.take();
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        let (mut messages, mut bytes) = (0, 0);
        {
            // From the front, as far as they are old: no look at all of them.
            let mut statement = transaction.prepare_cached(&format!(
                "delete from raw_message where id in (select id from \
                 (select id, received_ms from raw_message order by id limit ?1) \
                 where ?2 is null or received_ms < ?2) returning {SIZE}"
            ))?;
            let mut rows = statement.query(params![STEP_MAX, before_ms])?;
            while let Some(row) = rows.next()? {
                messages += 1;
                bytes += row.get::<_, i64>(0)?;
            }
        }
        if messages > 0 {
            add_size(&transaction, -bytes)?;
        }
        transaction.commit()?;
        Ok(messages)
    }

    fn tell(&mut self) -> Result<(), StoreError> {
        let messages = std::mem::take(&mut self.untold);
        if messages == 0 {
            return Ok(());
        }
        let sql = "select received_ms from raw_message order by id limit 1";
        let oldest: Option<i64> =
            self.connection.query_row(sql, [], |row| row.get(0)).optional()?;
        let since = oldest.map(moment).transpose()?;
        let since = since.map_or_else(|| "now".to_owned(), |since| since.to_string());
        let max_mb = self.limits.max_mb;
        tracing::warn!(
            messages,
            since,
            "{messages} kept messages were let go to keep within {max_mb} MB ([store] \
             keep_raw_max_mb): replaying them reaches back to {since}"
        );
        Ok(())
    }
}
