//! Which block of a device holds a time.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    BlockDamage,
    format::{Block, BlockKey, BlockReader},
    rows::{Head, Rows},
};
use crate::store::{StoreError, packed, week_of};

/// A block, and what is known of it without reading it: a row of `sealed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Entry {
    pub(in crate::store) key: BlockKey,
    pub(in crate::store) block: i64,
    pub(in crate::store) observations: i64,
    pub(in crate::store) readings: i64,
    pub(in crate::store) bytes: i64,
    /// How many of its observations rows stand in place of.
    pub(in crate::store) beside: i64,
}

impl Entry {
    fn of(device: i64, row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            key: BlockKey { device, first_ms: row.get(0)?, last_ms: row.get(1)? },
            block: row.get(2)?,
            observations: row.get(3)?,
            readings: row.get(4)?,
            bytes: row.get(5)?,
            beside: row.get(6)?,
        })
    }

    /// Replaces `rows` by what the block holds; they are empty where it is damaged.
    ///
    /// # Errors
    ///
    /// The outer one where `SQLite` fails, the inner one where the block is damaged.
    pub(in crate::store) fn load(
        &self,
        connection: &Connection,
        reader: &mut BlockReader,
        rows: &mut Rows,
    ) -> Result<Result<(), BlockDamage>, StoreError> {
        rows.clear();
        let mut statement = connection.prepare_cached("select data from block where id = ?")?;
        let mut found = statement.query([self.block])?;
        let Some(row) = found.next()? else { return Ok(Err(BlockDamage::Missing)) };
        let Ok(data) = row.get_ref(0)?.as_blob() else { return Ok(Err(BlockDamage::Shape)) };
        let readings = match reader.read(self.key, data, rows) {
            Ok(readings) => readings,
            Err(damage) => return Ok(Err(damage)),
        };
        let counts = (i64::try_from(rows.len()), i64::try_from(readings));
        if counts != (Ok(self.observations), Ok(self.readings)) {
            rows.clear();
            return Ok(Err(BlockDamage::Count));
        }
        Ok(Ok(()))
    }
}

/// From when to when something is sealed, at most; `None` where nothing is.
pub(in crate::store) fn extent(connection: &Connection) -> Result<Option<(i64, i64)>, StoreError> {
    Ok(connection
        .prepare_cached("select from_ms, until_ms from sealing")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// The first block of a device that ends at or after a time; it may begin after it.
pub(in crate::store) fn first_ending_from(
    connection: &Connection,
    device: i64,
    time_ms: i64,
) -> Result<Option<Entry>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select first_ms, last_ms, block, observations, readings, bytes, beside from sealed \
         where device = ? and last_ms >= ? order by last_ms limit 1",
    )?;
    Ok(statement.query_row(params![device, time_ms], |row| Entry::of(device, row)).optional()?)
}

/// The last block of a device that ends before a time.
pub(super) fn last_ending_before(
    connection: &Connection,
    device: i64,
    time_ms: i64,
) -> Result<Option<Entry>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select first_ms, last_ms, block, observations, readings, bytes, beside from sealed \
         where device = ? and last_ms < ? order by last_ms desc limit 1",
    )?;
    Ok(statement.query_row(params![device, time_ms], |row| Entry::of(device, row)).optional()?)
}

/// The blocks of a device that reach into `first_ms..=last_ms`, in order of time.
pub(in crate::store) fn overlapping(
    connection: &Connection,
    device: i64,
    (first_ms, last_ms): (i64, i64),
) -> Result<Vec<Entry>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select first_ms, last_ms, block, observations, readings, bytes, beside from sealed \
         where device = ? and last_ms >= ? order by last_ms",
    )?;
    let mut rows = statement.query(params![device, first_ms])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let entry = Entry::of(device, row)?;
        // They do not overlap each other, so those behind it begin later still.
        if entry.key.first_ms > last_ms {
            break;
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Makes a row in place of one of a block's observations, where none stands yet.
pub(in crate::store) fn insert_beside(
    connection: &Connection,
    block: BlockKey,
    head: Head,
    readings: &[u8],
    replaced: Option<&[u8]>,
) -> Result<(), StoreError> {
    insert_row(connection, block.device, head, readings, replaced)?;
    connection
        .prepare_cached("update sealed set beside = beside + 1 where device = ? and last_ms = ?")?
        .execute(params![block.device, block.last_ms])?;
    Ok(())
}

/// Makes a row of an observation, where none stands yet.
fn insert_row(
    connection: &Connection,
    device: i64,
    head: Head,
    readings: &[u8],
    replaced: Option<&[u8]>,
) -> Result<(), StoreError> {
    let Head { time_ms, delay_ms, claimed_ms, seq, .. } = head;
    connection
        .prepare_cached(
            "insert into observation \
             (week, device, time_ms, delay_ms, claimed_ms, seq, readings, replaced) \
             values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
        )?
        .execute(params![
            week_of(time_ms),
            device,
            time_ms,
            delay_ms,
            claimed_ms,
            seq,
            readings,
            replaced
        ])?;
    Ok(())
}

/// Writes a block and what is known of it.
pub(super) fn insert(
    connection: &Connection,
    block: &Block,
    beside: i64,
) -> Result<(), StoreError> {
    let number: i64 = connection
        .prepare_cached("insert into block (data) values (?) returning id")?
        .query_row([&block.data], |row| row.get(0))?;
    let BlockKey { device, first_ms, last_ms } = block.key;
    let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "insert into sealed \
             (device, last_ms, first_ms, block, observations, readings, bytes, beside) \
             values (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            device,
            last_ms,
            first_ms,
            number,
            whole(block.observations),
            whole(block.readings),
            whole(block.data.len()),
            beside
        ])?;
    connection
        .prepare_cached(
            "insert into sealing (id, from_ms, until_ms) values (1, ?, ?) \
             on conflict do update set from_ms = min(from_ms, excluded.from_ms), \
             until_ms = max(until_ms, excluded.until_ms)",
        )?
        .execute([first_ms, last_ms])?;
    Ok(())
}

/// Makes rows of the block that holds a time again, for what must take some of it away; a row that stands
/// in place of one of its observations stays. The next sealing takes them in.
pub(in crate::store) fn unseal(
    connection: &Connection,
    device: i64,
    time_ms: i64,
) -> Result<(), StoreError> {
    let entry = first_ending_from(connection, device, time_ms)?;
    let Some(entry) = entry.filter(|entry| entry.key.first_ms <= time_ms) else { return Ok(()) };
    let mut rows = Rows::default();
    if entry.load(connection, &mut BlockReader::new(), &mut rows)?.is_err() {
        // Whoever asks found nothing in a damaged block either.
        return Ok(());
    }
    let (mut readings, mut replaced) = (Vec::new(), Vec::new());
    for (place, head) in rows.heads().iter().enumerate() {
        packed::encode(rows.readings(place), &mut readings);
        packed::encode(rows.replaced(place), &mut replaced);
        let replaced = head.is_corrected.then_some(&replaced[..]);
        insert_row(connection, device, *head, &readings, replaced)?;
    }
    delete(connection, &entry)
}

/// Takes a block away.
pub(in crate::store) fn delete(connection: &Connection, entry: &Entry) -> Result<(), StoreError> {
    connection
        .prepare_cached("delete from sealed where device = ? and last_ms = ? and block = ?")?
        .execute(params![entry.key.device, entry.key.last_ms, entry.block])?;
    connection.prepare_cached("delete from block where id = ?")?.execute([entry.block])?;
    Ok(())
}
