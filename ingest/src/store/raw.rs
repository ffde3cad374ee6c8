//! Messages as they came, for some days, so that a profile can be corrected backwards.
//!
//! ```text
//! writer:  commit  -> observations, and the message with what it came to (`made`)
//! upkeep:  bounds  -> those too old, and the oldest beyond the size, are let go
//! retake:  message -> decoded once more; what it made goes, what it comes to now stands in its place
//! ```
//!
//! Only messages that needed a profile or an envelope are kept, and of redeliveries none. `made` says what
//! to take back, bit for bit: a reading that somebody corrected since is no longer the message's own.
//!
//! ```text
//! made         =  observation*
//! observation  =  varint kind (1 measured, 0 by its arrival)  zigzag varint (measured - received, ms)
//!                 varint length  packed readings
//! ```

mod bounds;
mod retake;

use std::collections::HashSet;

use jiff::Timestamp;
use plotwise_config::{
    id::DeviceId,
    reading::{Identity, Observation},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    StoreError,
    codes::{self, Codes},
    letters::device_id,
    packed::{self, Packed},
    reader::moment,
    writer::Memory,
};
use crate::{
    intake::{Intake, RawMessage, Sender},
    pipeline::Remark,
    varint,
};

pub use bounds::{RawBounds, RawLimits};
pub use retake::Retaken;

/// `raw_size` has one row, once something was kept: how much is, about.
pub(super) const TABLES: &str = "
create table raw_message (
    id integer primary key autoincrement,
    device integer not null,
    received_ms integer not null,
    sender text not null,
    topic text not null,
    payload blob not null,
    made blob not null
) strict;
create index raw_message_device on raw_message (device, id);
create table raw_size (
    id integer primary key check (id = 1),
    bytes integer not null
) strict;
";

/// What a message takes on disk: its parts, and its row, keys and index about.
const SIZE: &str =
    "length(payload) + octet_length(topic) + octet_length(sender) + length(made) + 40";

/// Which kept messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawFilter {
    /// Of this device.
    pub device: Option<DeviceId>,
    /// That arrived at this moment or later.
    pub from: Option<Timestamp>,
}

/// How much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RawSizes {
    /// Messages.
    pub messages: u64,
    /// What they take, about.
    pub bytes: u64,
    /// Arrival of the oldest.
    pub oldest: Option<Timestamp>,
}

/// What a message came to, in the store's own numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Made {
    is_measured: bool,
    measured_ms: i64,
    readings: Vec<Packed>,
}

impl Made {
    fn of(
        connection: &Connection,
        codes: &mut Codes,
        observation: &Observation,
    ) -> Result<Self, StoreError> {
        let mut readings = Vec::with_capacity(observation.readings.len());
        for reading in &observation.readings {
            let code = codes.quantity(connection, reading.quantity)?;
            let packed = code.map(|code| Packed::of(code, reading));
            readings.extend(packed.filter(|packed| packed.value.is_finite()));
        }
        readings.sort_by_key(Packed::key);
        readings.dedup_by_key(|reading| reading.key());
        Ok(Self {
            is_measured: observation.identity == Identity::MeasuredTime,
            measured_ms: observation.measured.as_millisecond(),
            readings,
        })
    }
}

fn encode(made: &[Made], received_ms: i64) -> Vec<u8> {
    let (mut bytes, mut blob) = (Vec::new(), Vec::new());
    for one in made {
        packed::encode(&one.readings, &mut blob);
        varint::push(&mut bytes, u64::from(one.is_measured));
        varint::push_signed(&mut bytes, one.measured_ms - received_ms);
        varint::push(&mut bytes, blob.len() as u64);
        bytes.extend_from_slice(&blob);
    }
    bytes
}

pub(super) fn decode(mut bytes: &[u8], received_ms: i64) -> Result<Vec<Made>, StoreError> {
    let damaged =
        || StoreError::Damaged { what: "what a kept message came to ends too early".to_owned() };
    let mut made = Vec::new();
    while !bytes.is_empty() {
        let is_measured = varint::take(&mut bytes).ok_or_else(damaged)? == 1;
        let delay_ms = varint::take_signed(&mut bytes).ok_or_else(damaged)?;
        let length = varint::take(&mut bytes).ok_or_else(damaged)?;
        let length = usize::try_from(length).map_err(|_| damaged())?;
        let (blob, rest) = bytes.split_at_checked(length).ok_or_else(damaged)?;
        bytes = rest;
        let mut readings = Vec::new();
        packed::decode(blob, &mut readings)?;
        let measured_ms = received_ms.checked_add(delay_ms).ok_or_else(damaged)?;
        made.push(Made { is_measured, measured_ms, readings });
    }
    Ok(made)
}

impl Memory {
    /// Keeps the messages of a batch whose observations were written just before.
    pub(super) fn keep_raw(
        &mut self,
        connection: &Connection,
        batch: &[Intake],
    ) -> Result<(), StoreError> {
        if !self.options.keeps_raw {
            return Ok(());
        }
        let mut known: Option<HashSet<usize>> = None;
        let mut bytes = 0;
        for (place, intake) in batch.iter().enumerate() {
            let Intake::Raw(raw) = intake else { continue };
            let known = known.get_or_insert_with(|| {
                let repeated = self.remarks.iter().filter(|(_, what)| *what == Remark::Duplicate);
                repeated.map(|(place, _)| *place).collect()
            });
            let first = place.saturating_sub(raw.observations);
            if (first..place).all(|place| known.contains(&place)) {
                continue;
            }
            let mut made = Vec::with_capacity(raw.observations);
            for intake in &batch[first..place] {
                if let Intake::Observation(observation) = intake {
                    made.push(Made::of(connection, &mut self.codes, observation)?);
                }
            }
            let device = self.codes.device(connection, &raw.device)?;
            bytes += write(connection, raw, device, &made)?;
        }
        if bytes > 0 { add_size(connection, bytes) } else { Ok(()) }
    }
}

fn write(
    connection: &Connection,
    raw: &RawMessage,
    device: i64,
    made: &[Made],
) -> Result<i64, StoreError> {
    let received_ms = raw.received.as_millisecond();
    let mut statement = connection.prepare_cached(&format!(
        "insert into raw_message (device, received_ms, sender, topic, payload, made) \
         values (?, ?, ?, ?, ?, ?) returning {SIZE}"
    ))?;
    Ok(statement.query_row(
        params![
            device,
            received_ms,
            raw.sender.to_text(),
            raw.topic,
            raw.payload,
            encode(made, received_ms)
        ],
        |row| row.get(0),
    )?)
}

fn add_size(connection: &Connection, bytes: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "insert into raw_size (id, bytes) values (1, ?) \
             on conflict do update set bytes = max(0, bytes + excluded.bytes)",
        )?
        .execute([bytes])?;
    Ok(())
}

/// Ids of at most `limit` kept messages above `after`, in the order of their arrival.
pub(super) fn ids(
    connection: &Connection,
    filter: &RawFilter,
    after: i64,
    limit: u32,
) -> Result<Vec<i64>, StoreError> {
    let from_ms = filter.from.map_or(i64::MIN, Timestamp::as_millisecond);
    let found = match &filter.device {
        None => connection
            .prepare_cached(
                "select id from raw_message where id > ? and received_ms >= ? order by id limit ?",
            )?
            .query_map(params![after, from_ms, limit], |row| row.get(0))?
            .collect::<Result<_, _>>()?,
        Some(device) => {
            let Some(device) = codes::device_number(connection, device)? else {
                return Ok(Vec::new());
            };
            connection
                .prepare_cached(
                    "select id from raw_message where device = ? and id > ? and received_ms >= ? \
                     order by id limit ?",
                )?
                .query_map(params![device, after, from_ms, limit], |row| row.get(0))?
                .collect::<Result<_, _>>()?
        }
    };
    Ok(found)
}

/// A kept message and what it came to; `None` where it was let go.
fn find(connection: &Connection, id: i64) -> Result<Option<(RawMessage, Vec<u8>)>, StoreError> {
    connection
        .prepare_cached(
            "select device.name, sender, topic, received_ms, payload, made from raw_message \
             join device on device.id = raw_message.device where raw_message.id = ?",
        )?
        .query_row([id], |row| {
            let (name, sender): (String, String) = (row.get(0)?, row.get(1)?);
            let (topic, payload, made) = (row.get(2)?, row.get(4)?, row.get(5)?);
            Ok((name, sender, topic, row.get::<_, i64>(3)?, payload, made))
        })
        .optional()?
        .map(|(name, sender, topic, received_ms, payload, made)| {
            let what = || format!("a kept message's sender {sender:?}");
            let sender =
                Sender::parse(&sender).ok_or_else(|| StoreError::Damaged { what: what() })?;
            let (device, received) = (device_id(&name)?, moment(received_ms)?);
            let raw = RawMessage { device, sender, topic, received, payload, observations: 0 };
            Ok((raw, made))
        })
        .transpose()
}

/// How much is kept.
pub(super) fn sizes(connection: &Connection) -> Result<RawSizes, StoreError> {
    let messages: i64 =
        connection.query_row("select count(*) from raw_message", [], |row| row.get(0))?;
    let bytes: Option<i64> =
        connection.query_row("select bytes from raw_size", [], |row| row.get(0)).optional()?;
    let oldest: Option<i64> = connection
        .query_row("select received_ms from raw_message order by id limit 1", [], |row| row.get(0))
        .optional()?;
    Ok(RawSizes {
        messages: messages.unsigned_abs(),
        bytes: bytes.unwrap_or(0).unsigned_abs(),
        oldest: oldest.map(moment).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use plotwise_config::reading::{DepthMm, Flags};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_a_message_came_to_comes_back_bit_for_bit(
            made in prop::collection::vec(
                (any::<bool>(), -1_000_000_000_000_i64..1_000_000_000_000,
                 prop::collection::btree_map((0_u32..40, prop::option::of(0_u16..3000)), -1e6..1e6, 0..6)),
                0..5,
            ),
            received_ms in 0_i64..2_000_000_000_000,
        ) {
            let made: Vec<Made> = made
                .into_iter()
                .map(|(is_measured, measured_ms, readings)| {
                    let readings = readings.into_iter().map(|((code, depth), value)| {
                        Packed { code, depth: depth.map(DepthMm), flags: Flags::NONE, value }
                    });
                    Made { is_measured, measured_ms, readings: readings.collect() }
                })
                .collect();
            prop_assert_eq!(decode(&encode(&made, received_ms), received_ms).unwrap(), made);
        }

        #[test]
        fn damaged_bytes_are_an_error_and_no_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            received_ms in any::<i64>(),
        ) {
            let _ = decode(&bytes, received_ms);
        }
    }
}
