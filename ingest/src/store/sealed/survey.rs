//! How much is stored how, and whether every block can be read.

use rusqlite::{Connection, TransactionBehavior};

use super::{
    BlockReader, DamagedSpan, Damages, Sealer,
    directory::{self, Entry},
    rows::Rows,
};
use crate::store::{Reader, StoreError, letters, packed};

/// How much stands where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Observations in rows.
    pub rows: u64,
    /// Readings of those.
    pub row_readings: u64,
    /// Sealed observations, without those that rows stand in place of.
    pub sealed: u64,
    /// Readings in blocks, with those that rows stand in place of.
    pub sealed_readings: u64,
    /// Sealed blocks.
    pub blocks: u64,
    /// Bytes of the blocks, without the pages around them.
    pub block_bytes: u64,
    /// Bytes of the file, without its log.
    pub file_bytes: u64,
    /// Bytes of it that hold nothing and are used next.
    pub free_bytes: u64,
}

impl Sizes {
    /// Bytes of the file that hold something, a reading; `None` where there are no readings.
    pub fn bytes_a_reading(&self) -> Option<f64> {
        let readings = self.row_readings + self.sealed_readings;
        let bytes = self.file_bytes - self.free_bytes.min(self.file_bytes);
        (readings > 0).then(|| bytes as f64 / readings as f64)
    }
}

impl Reader {
    /// How much stands where. Reads all rows, and no block.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub fn sizes(&self) -> Result<Sizes, StoreError> {
        let _snapshot = self.snapshot()?;
        let pragma = |name| {
            let number = self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            number.map(i64::unsigned_abs)
        };
        let mut sizes = self.connection.query_row(
            "select coalesce(sum(observations - beside), 0), coalesce(sum(readings), 0), count(*), \
             coalesce(sum(bytes), 0) from sealed",
            [],
            |row| {
                let number = |place| row.get::<_, i64>(place).map(i64::unsigned_abs);
                Ok(Sizes {
                    sealed: number(0)?,
                    sealed_readings: number(1)?,
                    blocks: number(2)?,
                    block_bytes: number(3)?,
                    ..Sizes::default()
                })
            },
        )?;
        let page = pragma("page_size")?;
        sizes.file_bytes = page * pragma("page_count")?;
        sizes.free_bytes = page * pragma("freelist_count")?;
        let mut statement = self.connection.prepare_cached("select readings from observation")?;
        let (mut rows, mut readings) = (statement.query([])?, Vec::new());
        while let Some(row) = rows.next()? {
            packed::decode(
                row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?,
                &mut readings,
            )?;
            sizes.rows += 1;
            sizes.row_readings += readings.len() as u64;
        }
        Ok(sizes)
    }

    /// Reads every sealed block; names those that cannot be read.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub fn damaged_blocks(&self) -> Result<Damages, StoreError> {
        let _snapshot = self.snapshot()?;
        let mut damages = Damages::default();
        damaged(&self.connection)?.into_iter().for_each(|(_, span)| damages.push(span));
        Ok(damages)
    }
}

impl Sealer {
    /// Takes out every block that cannot be read; names what is gone.
    ///
    /// # Errors
    ///
    /// As for [`super::super::Writer::commit`].
    pub fn drop_damaged(&mut self) -> Result<Damages, StoreError> {
        let found = damaged(&*self.connection.transaction()?)?;
        let mut damages = Damages::default();
        for (entry, span) in found {
            let _turn = self.turn.take();
            let transaction =
                self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // A block never changes: what was damaged is so still, unless it is gone.
            directory::delete(&transaction, &entry)?;
            transaction.commit()?;
            damages.push(span);
        }
        Ok(damages)
    }
}

/// Every block that cannot be read, by device and time.
fn damaged(connection: &Connection) -> Result<Vec<(Entry, DamagedSpan)>, StoreError> {
    let mut devices = connection.prepare_cached("select id, name from device order by name")?;
    let mut devices = devices.query([])?;
    let (mut reader, mut rows) = (BlockReader::new(), Rows::default());
    let mut found = Vec::new();
    while let Some(row) = devices.next()? {
        let device = letters::device_id(&row.get::<_, String>(1)?)?;
        for entry in directory::overlapping(connection, row.get(0)?, (i64::MIN, i64::MAX))? {
            if let Err(damage) = entry.load(connection, &mut reader, &mut rows)? {
                found.push((entry, DamagedSpan::of(device.clone(), &entry, damage)));
            }
        }
    }
    Ok(found)
}
