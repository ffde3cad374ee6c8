//! Bounds of the dead letters: how old, and how much of them.
//!
//! Above the size the oldest letters of whichever reason and device has most are let go, so that a
//! device that sends nonsense all day does not push out the letters of those that wait to be registered.
//! What was let go is counted by reason, on disk and in the transaction that lets go.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, TransactionBehavior, params};

use super::{count_by_reason, reason};
use crate::{
    intake::DeadLetterReason,
    store::{StoreError, schema, sealed::Turn},
    upkeep::Step,
};

/// Letters that one step lets go: some milliseconds.
const STEP_MAX: i64 = 1_000;

const MB: u64 = 1_000_000;

/// What a letter takes on disk: its texts, and its row, keys and indexes about.
const SIZE: &str = "length(payload) + octet_length(topic) + octet_length(detail) + 150";

/// What a user may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LetterLimits {
    /// Older ones are let go.
    pub retain_days: u32,
    /// Above this much some are let go.
    pub max_mb: u32,
}

/// Letters let go since the start, for metrics.
#[derive(Debug, Default)]
pub struct LetGo([AtomicU64; DeadLetterReason::ALL.len()]);

impl LetGo {
    /// Letters of one reason.
    pub fn of(&self, reason: DeadLetterReason) -> u64 {
        let place = DeadLetterReason::ALL.iter().position(|known| *known == reason);
        place.map_or(0, |place| self.0[place].load(Relaxed))
    }

    fn add(&self, reason: DeadLetterReason, letters: u64) {
        if let Some(place) = DeadLetterReason::ALL.iter().position(|known| *known == reason) {
            self.0[place].fetch_add(letters, Relaxed);
        }
    }
}

/// Keeps the dead letters within their limits.
#[derive(Debug)]
pub struct LetterBounds {
    connection: Connection,
    turn: Turn,
    limits: LetterLimits,
    /// Letters up to this id are in `bytes`.
    counted_to: i64,
    bytes: u64,
    /// The largest group, while it is being cut down, and how much of it is to go, bytes.
    cutting: Option<(Group, u64)>,
    let_go: Arc<LetGo>,
    /// Let go and not yet told in the log.
    untold: BTreeMap<DeadLetterReason, u64>,
}

/// A reason and a device, as they stand in the table.
type Group = (String, Option<String>);

impl LetterBounds {
    pub(in crate::store) fn open(
        path: &Path,
        turn: Turn,
        limits: LetterLimits,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            connection: schema::connect_writer(path)?,
            turn,
            limits,
            counted_to: 0,
            bytes: 0,
            cutting: None,
            let_go: Arc::default(),
            untold: BTreeMap::new(),
        })
    }

    /// What was let go since the start.
    pub fn counters(&self) -> Arc<LetGo> {
        Arc::clone(&self.let_go)
    }

    /// Lets go of a little of what is beyond the limits.
    ///
    /// # Errors
    ///
    /// Whatever `SQLite` reports; nothing is let go uncounted.
    pub fn keep(&mut self, now: Timestamp) -> Result<Step, StoreError> {
        let step =
            if self.let_old_go(now)? == Step::More { Step::More } else { self.let_much_go()? };
        if step == Step::Done && !self.untold.is_empty() {
            let reasons: Vec<String> = std::mem::take(&mut self.untold)
                .iter()
                .map(|(reason, letters)| format!("{letters} {}", reason.key()))
                .collect();
            let LetterLimits { retain_days, max_mb } = self.limits;
            let reasons = reasons.join(", ");
            tracing::warn!(
                reasons,
                "dead letters were let go to keep within {retain_days} days and {max_mb} MB \
                 ([deadletters] retain_days, max_mb): {reasons}"
            );
        }
        Ok(step)
    }

    fn let_old_go(&mut self, now: Timestamp) -> Result<Step, StoreError> {
        let days = SignedDuration::from_hours(24 * i64::from(self.limits.retain_days));
        let before_ms = now
            .as_millisecond()
            .saturating_sub(i64::try_from(days.as_millis()).unwrap_or(i64::MAX));
        let gone = self.delete(
            &format!(
                "delete from dead_letter where id in (select id from dead_letter \
                 where received_ms < ?1 limit {STEP_MAX}) returning reason, {SIZE}"
            ),
            params![before_ms],
        )?;
        Ok(if gone.letters < STEP_MAX.unsigned_abs() { Step::Done } else { Step::More })
    }

    fn let_much_go(&mut self) -> Result<Step, StoreError> {
        let limit = u64::from(self.limits.max_mb) * MB;
        if self.cutting.is_none() {
            self.count_new()?;
            if self.bytes <= limit {
                return Ok(Step::Done);
            }
            // Others may have taken letters away meanwhile.
            (self.counted_to, self.bytes) = (0, 0);
            self.count_new()?;
            if self.bytes <= limit {
                return Ok(Step::Done);
            }
            // A tenth below, so that not every letter from now on costs a look at all of them.
            let excess = self.bytes - limit / 10 * 9;
            let (group, bytes) = self.largest()?;
            // By halves: another one may be the largest then.
            self.cutting = Some((group, excess.min(bytes / 2 + 1)));
        }
        let Some(((reason, device), to_go)) = self.cutting.take() else { return Ok(Step::Done) };
        let gone = self.delete(
            &format!(
                "delete from dead_letter where id in (select id from \
                 (select id, sum({SIZE}) over (order by id) - ({SIZE}) as before from \
                 (select * from dead_letter where reason = ?1 and device is ?2 \
                 order by id limit {STEP_MAX})) where before < ?3) returning reason, {SIZE}"
            ),
            params![reason, device, to_go.cast_signed()],
        )?;
        self.bytes = self.bytes.saturating_sub(gone.bytes);
        if gone.letters > 0 && gone.bytes < to_go {
            self.cutting = Some(((reason, device), to_go - gone.bytes));
        }
        Ok(Step::More)
    }

    /// Adds what came since the last look.
    fn count_new(&mut self) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select coalesce(max(id), ?1), coalesce(sum({SIZE}), 0) from dead_letter where id > ?1"
        ))?;
        let (last, bytes): (i64, i64) =
            statement.query_row([self.counted_to], |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.counted_to = last;
        self.bytes += bytes.unsigned_abs();
        Ok(())
    }

    fn largest(&self) -> Result<(Group, u64), StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select reason, device, sum({SIZE}) as size from dead_letter \
             group by reason, device order by size desc limit 1"
        ))?;
        Ok(statement.query_row([], |row| {
            Ok(((row.get(0)?, row.get(1)?), row.get::<_, i64>(2)?.unsigned_abs()))
        })?)
    }

    /// Runs a statement that deletes and returns (reason, size), and counts what it did.
    fn delete(
        &mut self,
        sql: &str,
        parameters: &[&dyn rusqlite::ToSql],
    ) -> Result<Gone, StoreError> {
        let _turn = self.turn.take();
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        let mut gone = Gone::default();
        let mut by_reason: BTreeMap<DeadLetterReason, u64> = BTreeMap::new();
        {
            let mut statement = transaction.prepare_cached(sql)?;
            let mut rows = statement.query(parameters)?;
            while let Some(row) = rows.next()? {
                *by_reason.entry(reason(&row.get::<_, String>(0)?)?).or_default() += 1;
                gone.letters += 1;
                gone.bytes += row.get::<_, i64>(1)?.unsigned_abs();
            }
        }
        for (reason, letters) in &by_reason {
            transaction
                .prepare_cached(
                    "insert into dead_letter_let_go (reason, letters) values (?, ?) \
                     on conflict do update set letters = letters + excluded.letters",
                )?
                .execute(params![reason.key(), letters.cast_signed()])?;
        }
        transaction.commit()?;
        for (reason, letters) in by_reason {
            self.let_go.add(reason, letters);
            *self.untold.entry(reason).or_default() += letters;
        }
        Ok(gone)
    }
}

#[derive(Debug, Default)]
struct Gone {
    letters: u64,
    bytes: u64,
}

/// How many letters of each reason were let go since the file was made.
pub(in crate::store) fn let_go(
    connection: &Connection,
) -> Result<Vec<(DeadLetterReason, u64)>, StoreError> {
    count_by_reason(connection, "select reason, letters from dead_letter_let_go order by reason")
}
