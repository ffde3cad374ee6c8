//! What stands under a key already, in a row or sealed: how it is read, written anew, and what is told where
//! an arrival differs from it.

use plotwise_config::reading::Observation;
use rusqlite::{Connection, params};

use super::Memory;
use crate::{
    intake::DeadLetterReason,
    store::{
        StoreError, letters,
        packed::{self, Packed},
        sealed, week_of,
    },
};

impl Memory {
    /// Reads what stands under a key into `row`; `false` and an empty row where there is nothing.
    pub(in crate::store) fn load_row(
        &mut self,
        connection: &Connection,
        device: i64,
        time_ms: i64,
    ) -> Result<bool, StoreError> {
        self.row.stored.clear();
        self.row.replaced.clear();
        self.row_block = None;
        let mut statement = connection.prepare_cached(
            "select readings, replaced from observation \
             where week = ? and device = ? and time_ms = ?",
        )?;
        let mut rows = statement.query(params![week_of(time_ms), device, time_ms])?;
        let Some(row) = rows.next()? else {
            let Some(found) = self.sealed.find(connection, device, time_ms)? else {
                return Ok(false);
            };
            self.row.stored.extend_from_slice(found.readings);
            self.row.replaced.extend_from_slice(found.replaced);
            self.row_block = Some((found.key, found.head));
            return Ok(true);
        };
        let blob = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        packed::decode(blob, &mut self.row.stored)?;
        if let Some(blob) = row.get_ref(1)?.as_blob_or_null().map_err(rusqlite::Error::from)? {
            packed::decode(blob, &mut self.row.replaced)?;
        }
        Ok(true)
    }

    /// Writes what `row` is to hold; where it came from a block, as a row in its place.
    pub(in crate::store) fn write_row(
        &self,
        connection: &Connection,
        device: i64,
        time_ms: i64,
    ) -> Result<(), StoreError> {
        // The marker of a correction is that `replaced` is there, be it empty.
        let is_correction = self.row.corrected > 0;
        if let Some((block, head)) = self.row_block {
            let replaced = (is_correction || head.is_corrected).then_some(&self.replaced[..]);
            return sealed::insert_beside(connection, block, head, &self.blob, replaced);
        }
        connection
            .prepare_cached(
                "update observation set readings = ?1, \
                 replaced = case when ?3 or replaced is not null then ?2 end \
                 where week = ?4 and device = ?5 and time_ms = ?6",
            )?
            .execute(params![
                self.blob,
                self.replaced,
                is_correction,
                week_of(time_ms),
                device,
                time_ms
            ])?;
        Ok(())
    }

    /// Keeps a reading that differs from the stored one, which stays.
    pub(super) fn write_conflict(
        &mut self,
        connection: &Connection,
        observation: &Observation,
        device: i64,
        time_ms: i64,
        arrived: &Packed,
        stored: &Packed,
    ) -> Result<(), StoreError> {
        let key = self.codes.key(arrived.code);
        let detail = format!(
            "{key} at {} is stored as {}, another message says {}; a correction says \"supersede\"",
            letters::shown(time_ms),
            stored.value,
            arrived.value
        );
        let reason = DeadLetterReason::Conflict;
        let letter = letters::of_reading(reason, observation, key, arrived, detail);
        let fingerprint = letters::fingerprint(device, time_ms, arrived);
        self.write_letter(connection, &letter, Some(&fingerprint))
    }
}
