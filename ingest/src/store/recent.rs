//! How a message without a usable time is known when it comes again.

use plotwise_config::reading::Identity;
use rusqlite::{Connection, params};

use super::StoreError;

/// How long a device's counter, or a network's id of a message, is remembered, ms.
///
/// A broker may hold a message back for days while we are down; a device that starts to count anew
/// meets its old numbers again. A week, our choice: between a long holiday's outage and the growth of
/// the table. A reset within it does no harm unless the readings are equal too.
const SEQUENCE_MEMORY_MS: i64 = 7 * 24 * 3600 * 1000;

/// The bytes that stand for an identity, and how many ms it is remembered; `None` for a measured
/// time, which is its own.
pub(super) fn key(identity: Identity, redelivery_window_s: u32) -> Option<(Key, i64)> {
    let window_ms = i64::from(redelivery_window_s) * 1000;
    let mut key = Key { bytes: [0; 17], length: 17 };
    match identity {
        Identity::MeasuredTime => None,
        Identity::Sequence(seq) => {
            key.bytes[0] = b's';
            key.bytes[1..9].copy_from_slice(&seq.to_be_bytes());
            key.length = 9;
            Some((key, window_ms.max(SEQUENCE_MEMORY_MS)))
        }
        Identity::Network(hash) => {
            key.bytes[0] = b'n';
            key.bytes[1..].copy_from_slice(&hash);
            Some((key, window_ms.max(SEQUENCE_MEMORY_MS)))
        }
        Identity::Session(hash) => {
            key.bytes[0] = b'f';
            key.bytes[1..].copy_from_slice(&hash);
            Some((key, window_ms.max(SEQUENCE_MEMORY_MS)))
        }
        Identity::Payload(hash) => {
            key.bytes[0] = b'p';
            key.bytes[1..].copy_from_slice(&hash);
            Some((key, window_ms))
        }
    }
}

/// An identity as bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    bytes: [u8; 17],
    length: usize,
}

impl Key {
    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The times under which messages with this identity were stored, earliest arrival first, as far as
/// they arrived within `memory_ms` of `received_ms`.
pub(super) fn find(
    connection: &Connection,
    device: i64,
    key: &Key,
    received_ms: i64,
    memory_ms: i64,
    times: &mut Vec<i64>,
) -> Result<(), StoreError> {
    times.clear();
    let mut statement = connection.prepare_cached(
        "select time_ms from recent where device = ? and identity = ? \
         and received_ms between ? and ? order by id",
    )?;
    let (from, to) = (received_ms.saturating_sub(memory_ms), received_ms.saturating_add(memory_ms));
    let mut rows = statement.query(params![device, key.as_bytes(), from, to])?;
    while let Some(row) = rows.next()? {
        times.push(row.get(0)?);
    }
    Ok(())
}

/// Remembers under which time a message was stored.
pub(super) fn remember(
    connection: &Connection,
    device: i64,
    key: &Key,
    time_ms: i64,
    received_ms: i64,
    memory_ms: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "insert into recent (device, identity, time_ms, received_ms, expires_ms) \
             values (?, ?, ?, ?, ?)",
        )?
        .execute(params![
            device,
            key.as_bytes(),
            time_ms,
            received_ms,
            received_ms.saturating_add(memory_ms)
        ])?;
    Ok(())
}

/// Drops what has expired: twice as many as came in at most, so that no commit pays for a long pause
/// alone and the table still shrinks.
pub(super) fn prune(
    connection: &Connection,
    now_ms: i64,
    came_in: usize,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "delete from recent where id in \
             (select id from recent where expires_ms < ? order by expires_ms limit ?)",
        )?
        .execute(params![now_ms, i64::try_from(came_in * 2 + 16).unwrap_or(i64::MAX)])?;
    Ok(())
}
