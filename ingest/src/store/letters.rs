//! Dead letters: written in the transaction of what is acknowledged, read newest first or in groups,
//! kept within bounds, and taken away where they were replayed or purged.

mod bounds;
mod groups;

use jiff::Timestamp;
use plotwise_config::{
    id::DeviceId,
    reading::{DepthMm, Identity, Observation},
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use super::{StoreError, packed::Packed, reader::moment};
use crate::intake::{DeadLetter, DeadLetterReason, Sender};

pub(super) use bounds::let_go;
pub use bounds::{LetGo, LetterBounds, LetterLimits};
pub use groups::LetterGroup;

/// A dead letter as it stands in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDeadLetter {
    /// Ascending in the order of writing; also the cursor of lists.
    pub id: i64,
    /// The letter.
    pub letter: DeadLetter,
}

/// On whose word a letter came, what was let go to keep the bounds, and ways to find letters by group
/// and by age.
pub(super) const MORE: &str = "
alter table dead_letter add column sender text;
create index dead_letter_group on dead_letter (reason, device);
create index dead_letter_received on dead_letter (received_ms);
create table dead_letter_let_go (
    reason text primary key,
    letters integer not null
) strict, without rowid;
";

/// Which letters; every field that is not given lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LetterFilter {
    /// Of this reason.
    pub reason: Option<DeadLetterReason>,
    /// Of this device.
    pub device: Option<DeviceId>,
    /// That arrived before this moment.
    pub before: Option<Timestamp>,
}

impl LetterFilter {
    /// As parameters of a query.
    fn columns(&self) -> (Option<&'static str>, Option<&str>, Option<i64>) {
        (
            self.reason.map(DeadLetterReason::key),
            self.device.as_ref().map(DeviceId::as_str),
            self.before.map(Timestamp::as_millisecond),
        )
    }
}

/// What makes a conflict the same one when it comes again.
pub(super) fn fingerprint(device: i64, time_ms: i64, arrived: &Packed) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(device.to_le_bytes());
    hash.update(time_ms.to_le_bytes());
    hash.update(arrived.code.to_le_bytes());
    // No depth is no number.
    hash.update(arrived.depth.map_or([0xff; 4], |depth| u32::from(depth.0).to_le_bytes()));
    hash.update(arrived.value.to_bits().to_le_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}

/// A letter for one reading of an observation, its payload in the native form, so that it can be
/// replayed like any other. A value that is not finite becomes `null`.
pub(super) fn of_reading(
    reason: DeadLetterReason,
    observation: &Observation,
    key: &str,
    reading: &Packed,
    detail: String,
) -> DeadLetter {
    let payload = serde_json::json!({
        "time": observation.measured.as_millisecond(),
        "readings": { place(key, reading.depth): reading.value },
    });
    native(reason, observation, &payload, detail)
}

/// A letter for a whole observation, its payload in the native form.
pub(super) fn of_observation(
    reason: DeadLetterReason,
    observation: &Observation,
    keys: &[String],
    detail: String,
) -> DeadLetter {
    let mut readings = serde_json::Map::new();
    for reading in &observation.readings {
        let key = keys.get(usize::from(reading.quantity.0)).map_or("", String::as_str);
        readings.insert(place(key, reading.depth), reading.value.into());
    }
    let mut payload = serde_json::json!({ "readings": readings });
    // What had no time of its own is dated by its arrival again.
    if observation.identity == Identity::MeasuredTime {
        payload["time"] = observation.measured.as_millisecond().into();
    }
    if let Some(seq) = observation.seq {
        payload["seq"] = seq.into();
    }
    if observation.supersede {
        payload["supersede"] = true.into();
    }
    native(reason, observation, &payload, detail)
}

/// Where a reading stands in a native payload.
fn place(key: &str, depth: Option<DepthMm>) -> String {
    match depth {
        Some(depth) => format!("{key}@{}", depth.metres()),
        None => key.to_owned(),
    }
}

fn native(
    reason: DeadLetterReason,
    observation: &Observation,
    payload: &serde_json::Value,
    detail: String,
) -> DeadLetter {
    DeadLetter {
        reason,
        device: Some(observation.device.clone()),
        sender: None,
        topic: format!("plotwise/v1/{}/up", observation.device),
        received: observation.received,
        payload: payload.to_string().into_bytes(),
        detail,
    }
}

/// Writes a letter; `false` where one with its fingerprint is there already.
pub(super) fn write(
    connection: &Connection,
    letter: &DeadLetter,
    fingerprint: Option<&[u8; 16]>,
) -> Result<bool, StoreError> {
    let written = connection
        .prepare_cached(
            "insert into dead_letter \
             (reason, device, topic, received_ms, payload, detail, fingerprint, sender) \
             values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
        )?
        .execute(params![
            letter.reason.key(),
            letter.device.as_ref().map(DeviceId::as_str),
            letter.topic,
            letter.received.as_millisecond(),
            letter.payload,
            letter.detail,
            fingerprint.map(<[u8; 16]>::as_slice),
            letter.sender.as_ref().map(Sender::to_text),
        ])?;
    Ok(written > 0)
}

const COLUMNS: &str = "id, reason, device, topic, received_ms, payload, detail, sender";

/// At most `limit` letters older than `cursor`, newest first.
pub(super) fn list(
    connection: &Connection,
    limit: u32,
    cursor: Option<i64>,
    reason: Option<DeadLetterReason>,
    device: Option<&DeviceId>,
) -> Result<Vec<StoredDeadLetter>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "select {COLUMNS} from dead_letter where id < ?1 and (?2 is null or reason = ?2) \
         and (?3 is null or device = ?3) order by id desc limit ?4"
    ))?;
    let mut rows = statement.query(params![
        cursor.unwrap_or(i64::MAX),
        reason.map(DeadLetterReason::key),
        device.map(DeviceId::as_str),
        limit
    ])?;
    let mut letters = Vec::new();
    while let Some(row) = rows.next()? {
        letters.push(from_row(row)?);
    }
    Ok(letters)
}

/// The letter of one id.
pub(super) fn find(
    connection: &Connection,
    id: i64,
) -> Result<Option<StoredDeadLetter>, StoreError> {
    connection
        .prepare_cached(&format!("select {COLUMNS} from dead_letter where id = ?"))?
        .query_row([id], |row| Ok(from_row(row)))
        .optional()?
        .transpose()
}

/// How many letters there are of each reason that occurs.
pub(super) fn count(connection: &Connection) -> Result<Vec<(DeadLetterReason, u64)>, StoreError> {
    let sql = "select reason, count(*) from dead_letter group by reason order by reason";
    count_by_reason(connection, sql)
}

/// What a query counts by reason.
fn count_by_reason(
    connection: &Connection,
    sql: &str,
) -> Result<Vec<(DeadLetterReason, u64)>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        counts.push((reason(&row.get::<_, String>(0)?)?, row.get::<_, i64>(1)?.unsigned_abs()));
    }
    Ok(counts)
}

/// Ids of at most `limit` letters above `after`, oldest first.
pub(super) fn ids(
    connection: &Connection,
    filter: &LetterFilter,
    after: i64,
    limit: u32,
) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select id from dead_letter where id > ?1 and (?2 is null or reason = ?2) \
         and (?3 is null or device = ?3) and (?4 is null or received_ms < ?4) \
         order by id limit ?5",
    )?;
    let (reason, device, before_ms) = filter.columns();
    let rows = statement.query(params![after, reason, device, before_ms, limit])?;
    Ok(rows.mapped(|row| row.get(0)).collect::<Result<_, _>>()?)
}

/// Takes a letter away.
pub(super) fn delete(connection: &Connection, id: i64) -> Result<(), StoreError> {
    connection.prepare_cached("delete from dead_letter where id = ?")?.execute([id])?;
    Ok(())
}

/// Gives a letter another reason and detail.
pub(super) fn change(
    connection: &Connection,
    id: i64,
    reason: DeadLetterReason,
    detail: &str,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("update dead_letter set reason = ?, detail = ? where id = ?")?
        .execute(params![reason.key(), detail, id])?;
    Ok(())
}

/// Whether another letter than `id` says of the same message that it has this reason.
pub(super) fn has_other(
    connection: &Connection,
    id: i64,
    letter: &DeadLetter,
    reason: DeadLetterReason,
) -> Result<bool, StoreError> {
    Ok(connection
        .prepare_cached(
            "select exists (select 1 from dead_letter where received_ms = ?1 and reason = ?2 \
             and topic = ?3 and payload = ?4 and id <> ?5)",
        )?
        .query_row(
            params![
                letter.received.as_millisecond(),
                reason.key(),
                letter.topic,
                letter.payload,
                id
            ],
            |row| row.get(0),
        )?)
}

fn from_row(row: &Row<'_>) -> Result<StoredDeadLetter, StoreError> {
    let device: Option<String> = row.get(2)?;
    Ok(StoredDeadLetter {
        id: row.get(0)?,
        letter: DeadLetter {
            reason: reason(&row.get::<_, String>(1)?)?,
            device: device.as_deref().map(device_id).transpose()?,
            sender: row.get::<_, Option<String>>(7)?.as_deref().and_then(Sender::parse),
            topic: row.get(3)?,
            received: moment(row.get(4)?)?,
            payload: row.get(5)?,
            detail: row.get(6)?,
        },
    })
}

fn reason(key: &str) -> Result<DeadLetterReason, StoreError> {
    DeadLetterReason::parse(key)
        .ok_or_else(|| StoreError::Damaged { what: format!("a dead letter's reason {key:?}") })
}

/// A device's name as it stands in the file.
pub(super) fn device_id(name: &str) -> Result<DeviceId, StoreError> {
    DeviceId::parse(name).map_err(|error| StoreError::Damaged { what: error.to_string() })
}

/// The moment of a letter that the store itself writes, for its detail.
pub(super) fn shown(time_ms: i64) -> String {
    Timestamp::from_millisecond(time_ms)
        .map_or_else(|_| format!("{time_ms} ms"), |moment| moment.to_string())
}
