//! Letting old observations go, by whole weeks; only where somebody set how long they are kept.
//!
//! Rows go when their week ended before the border, blocks when all that they hold did. A block over the
//! border stays until it is over as a whole, and with it the rows in its span: some of them stand in
//! place of what it holds. What comes late for a time that was let go is stored, and goes in the next
//! pass.
//!
//! Each step is one transaction that also marks the days, so that their summaries are made anew, and
//! counts what went. Killed in between, what is left goes the next time.

use std::{ops::AddAssign, path::Path};

use jiff::{SignedDuration, Timestamp};
use plotwise_config::id::DeviceId;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::{
    Reader, StoreError, Turn, WEEK_MS, changes::Marks, letters::device_id, reader::moment, schema,
    sealed, week_of,
};
use crate::upkeep::Step;

/// `retention` has one row, once something was let go.
pub(super) const TABLES: &str = "
create table retention (
    id integer primary key check (id = 1),
    observations integer not null,
    first_ms integer not null,
    last_ms integer not null
) strict;
";

/// Rows, or observations in blocks, that one step lets go: some milliseconds.
const STEP_MAX: i64 = 2_000;

/// Observations that are to go, or are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    /// How many.
    pub observations: u64,
    /// The first measured time.
    pub first: Option<Timestamp>,
    /// The last one.
    pub last: Option<Timestamp>,
}

impl Gone {
    fn of(observations: i64, first_ms: i64, last_ms: i64) -> Result<Self, StoreError> {
        Ok(Self {
            observations: observations.max(0).unsigned_abs(),
            first: Some(moment(first_ms)?),
            last: Some(moment(last_ms)?),
        })
    }
}

impl AddAssign for Gone {
    fn add_assign(&mut self, more: Self) {
        self.observations += more.observations;
        self.first = self.first.into_iter().chain(more.first).min();
        self.last = self.last.max(more.last);
    }
}

/// From when on observations are kept: the beginning of the week that is `days` old.
pub fn kept_from(now: Timestamp, days: u32) -> Timestamp {
    let age = SignedDuration::from_hours(24 * i64::from(days));
    let border = now.saturating_sub(age).unwrap_or(Timestamp::MIN);
    let week_ms = week_of(border.as_millisecond()).saturating_mul(WEEK_MS);
    Timestamp::from_millisecond(week_ms).unwrap_or(Timestamp::MIN)
}

/// A connection that lets old observations go. Its calls block.
#[derive(Debug)]
pub struct Retention {
    connection: Connection,
    turn: Turn,
    /// The device to look at next, by number.
    next: i64,
    /// Gone in this pass.
    gone: Gone,
}

impl Retention {
    pub(super) fn open(path: &Path, turn: Turn) -> Result<Self, StoreError> {
        let connection = schema::connect_writer(path)?;
        Ok(Self { connection, turn, next: 0, gone: Gone::default() })
    }

    /// A step of letting go what is older than so many days; a pass is told in the log.
    ///
    /// # Errors
    ///
    /// As for [`super::Writer::commit`]; what a step did is counted or undone.
    pub fn step(&mut self, now: Timestamp, days: u32) -> Result<Step, StoreError> {
        let until = kept_from(now, days);
        if self.let_go(until)? == Step::More {
            return Ok(Step::More);
        }
        let gone = std::mem::take(&mut self.gone);
        if let Gone { observations, first: Some(first), last: Some(last) } = gone {
            tracing::info!(
                observations, %first, %last,
                "let {observations} observations go, measured from {first} to {last}: kept is what \
                 was measured from {until} on ([store] retain_days = {days})"
            );
        }
        Ok(Step::Done)
    }

    /// Lets all go that was measured before the week of `until`; `each` is told after every step what
    /// is gone so far.
    ///
    /// # Errors
    ///
    /// As for [`Retention::step`].
    pub fn let_all_go(
        &mut self,
        until: Timestamp,
        mut each: impl FnMut(&Gone),
    ) -> Result<Gone, StoreError> {
        self.next = 0;
        while self.let_go(until)? == Step::More {
            each(&self.gone);
        }
        Ok(std::mem::take(&mut self.gone))
    }

    /// One transaction at most; `Done` where a pass ends.
    fn let_go(&mut self, until: Timestamp) -> Result<Step, StoreError> {
        let until_ms = until.as_millisecond();
        loop {
            let Some(device) = next_device(&self.connection, self.next)? else {
                self.next = 0;
                return Ok(Step::Done);
            };
            self.next = device;
            if is_anything(&self.connection, device, until_ms)? {
                let _turn = self.turn.take();
                let gone = delete(&mut self.connection, device, until_ms)?;
                if gone != Gone::default() {
                    self.gone += gone;
                    return Ok(Step::More);
                }
            }
            self.next = device + 1;
        }
    }
}

/// What is to go of each device, without those of which nothing is.
///
/// # Errors
///
/// As for [`Reader::observations`].
pub fn to_go(reader: &Reader, until: Timestamp) -> Result<Vec<(DeviceId, Gone)>, StoreError> {
    let _snapshot = reader.snapshot()?;
    let (connection, until_ms) = (&reader.connection, until.as_millisecond());
    let (mut found, mut next) = (Vec::new(), 0);
    while let Some(device) = next_device(connection, next)? {
        next = device + 1;
        let border_ms = border(connection, device, until_ms)?;
        let mut gone = connection
            .prepare_cached(
                "select coalesce(sum(observations - beside), 0), min(first_ms), max(last_ms) \
                 from sealed where device = ? and last_ms < ?",
            )?
            .query_row(params![device, border_ms], span)??;
        for week in weeks(connection, border_ms)? {
            gone += connection
                .prepare_cached(
                    "select count(*), min(time_ms), max(time_ms) from observation \
                     where week = ? and device = ? and time_ms < ?",
                )?
                .query_row(params![week, device, border_ms], span)??;
        }
        if gone.first.is_some() {
            let name: String = connection
                .prepare_cached("select name from device where id = ?")?
                .query_row([device], |row| row.get(0))?;
            found.push((device_id(&name)?, gone));
        }
    }
    Ok(found)
}

/// What was let go since the file was made.
///
/// # Errors
///
/// As for [`Reader::observations`].
pub fn gone(reader: &Reader) -> Result<Gone, StoreError> {
    let sql = "select observations, first_ms, last_ms from retention";
    let found = reader.connection.query_row(sql, [], span).optional()?;
    found.unwrap_or_else(|| Ok(Gone::default()))
}

/// A count with its first and last time, which are null where it is nothing.
fn span(row: &Row<'_>) -> Result<Result<Gone, StoreError>, rusqlite::Error> {
    let (count, first, last): (i64, Option<i64>, Option<i64>) =
        (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(match first.zip(last) {
        Some((first_ms, last_ms)) => Gone::of(count, first_ms, last_ms),
        None => Ok(Gone::default()),
    })
}

fn next_device(connection: &Connection, from: i64) -> Result<Option<i64>, StoreError> {
    Ok(connection
        .prepare_cached("select id from device where id >= ? order by id limit 1")?
        .query_row([from], |row| row.get(0))
        .optional()?)
}

/// Where what is kept of a device begins: where a block lies over the border, at its beginning.
fn border(connection: &Connection, device: i64, until_ms: i64) -> Result<i64, StoreError> {
    let over = sealed::overlapping(connection, device, (until_ms, until_ms))?;
    let first_ms = over.first().map(|entry| entry.key.first_ms);
    Ok(first_ms.map_or(until_ms, |first_ms| first_ms.min(until_ms)))
}

/// Weeks before a time in which anything stands as rows, one seek each.
fn weeks(connection: &Connection, until_ms: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select week from observation where week > ? and week <= ? order by week limit 1",
    )?;
    let (mut found, mut after) = (Vec::new(), i64::MIN);
    let last = week_of(until_ms - 1);
    while let Some(week) = statement.query_row([after, last], |row| row.get(0)).optional()? {
        found.push(week);
        after = week;
    }
    Ok(found)
}

/// A look without a transaction, as mostly nothing is to go.
fn is_anything(connection: &Connection, device: i64, until_ms: i64) -> Result<bool, StoreError> {
    let is_block = connection
        .prepare_cached("select exists (select 1 from sealed where device = ? and last_ms < ?)")?
        .query_row(params![device, until_ms], |row| row.get(0))?;
    if is_block {
        return Ok(true);
    }
    let mut statement = connection.prepare_cached(
        "select exists (select 1 from observation where week = ? and device = ? and time_ms < ?)",
    )?;
    for week in weeks(connection, until_ms)? {
        if statement.query_row(params![week, device, until_ms], |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Lets a little of a device go; nothing where nothing is left.
fn delete(connection: &mut Connection, device: i64, until_ms: i64) -> Result<Gone, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let border_ms = border(&transaction, device, until_ms)?;
    let mut marks = Marks::default();
    // Blocks first: a row may stand in place of what one holds.
    let mut gone = delete_blocks(&transaction, device, border_ms, &mut marks)?;
    if gone == Gone::default() {
        gone = delete_rows(&transaction, device, border_ms, &mut marks)?;
    }
    if let Gone { observations, first: Some(first), last: Some(last) } = gone {
        marks.write(&transaction)?;
        transaction
            .prepare_cached(
                "insert into retention (id, observations, first_ms, last_ms) values (1, ?, ?, ?) \
                 on conflict do update set observations = observations + excluded.observations, \
                 first_ms = min(first_ms, excluded.first_ms), \
                 last_ms = max(last_ms, excluded.last_ms)",
            )?
            .execute(params![
                observations.cast_signed(),
                first.as_millisecond(),
                last.as_millisecond()
            ])?;
    }
    transaction.commit()?;
    Ok(gone)
}

fn delete_blocks(
    connection: &Connection,
    device: i64,
    border_ms: i64,
    marks: &mut Marks,
) -> Result<Gone, StoreError> {
    let mut gone = Gone::default();
    for entry in sealed::overlapping(connection, device, (i64::MIN, border_ms - 1))? {
        if entry.key.last_ms >= border_ms || gone.observations >= STEP_MAX.unsigned_abs() {
            break;
        }
        sealed::delete(connection, &entry)?;
        let (first_ms, last_ms) = (entry.key.first_ms, entry.key.last_ms);
        for day in super::day_of(first_ms)..=super::day_of(last_ms) {
            marks.note(device, day * super::DAY_MS);
        }
        gone += Gone::of(entry.observations - entry.beside, first_ms, last_ms)?;
    }
    Ok(gone)
}

fn delete_rows(
    connection: &Connection,
    device: i64,
    border_ms: i64,
    marks: &mut Marks,
) -> Result<Gone, StoreError> {
    let mut statement = connection.prepare_cached(
        "delete from observation where week = ?1 and device = ?2 and time_ms in \
         (select time_ms from observation where week = ?1 and device = ?2 and time_ms < ?3 \
         order by time_ms limit ?4) returning time_ms",
    )?;
    let mut gone = Gone::default();
    for week in weeks(connection, border_ms)? {
        let mut rows = statement.query(params![week, device, border_ms, STEP_MAX])?;
        while let Some(row) = rows.next()? {
            let time_ms = row.get(0)?;
            marks.note(device, time_ms);
            gone += Gone::of(1, time_ms, time_ms)?;
        }
        if gone != Gone::default() {
            break;
        }
    }
    Ok(gone)
}
