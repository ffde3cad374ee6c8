//! Blocks that a reader has opened: a chart reads the same ones piece after piece.
//!
//! For one state of the store, so that whoever reads later holds the checksum against the disk again. Two
//! are kept beside the one at hand: a piece reads a little into its neighbours.

use rusqlite::Connection;

use super::{BlockDamage, BlockReader, Entry, Rows, WantedCodes};
use crate::store::StoreError;

const KEPT: usize = 2;

/// The block at hand, and those opened before it.
#[derive(Debug)]
pub(in crate::store) struct Opened {
    reader: BlockReader,
    /// What `rows` are of; `None` where they are nothing.
    block: Option<i64>,
    rows: Rows,
    /// Others, with their numbers; the one opened last is last.
    kept: Vec<(i64, Rows)>,
}

impl Opened {
    pub(in crate::store) fn new() -> Self {
        Self {
            reader: BlockReader::new(),
            block: None,
            rows: Rows::default(),
            kept: Vec::with_capacity(KEPT),
        }
    }

    /// What the block at hand holds.
    pub(in crate::store) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// To be called where another state of the store begins.
    pub(in crate::store) fn forget(&mut self) {
        self.block = None;
        self.rows.clear();
        self.kept.clear();
    }

    /// Of blocks opened from now on, only the readings of these quantities are there.
    pub(in crate::store) fn want(&mut self, wanted: &WantedCodes) {
        if self.reader.wanted() != wanted {
            self.forget();
            self.reader.want(wanted.clone());
        }
    }

    /// Takes this block in hand.
    ///
    /// # Errors
    ///
    /// As for [`Entry::load`]; what is at hand is empty then.
    pub(in crate::store) fn open(
        &mut self,
        connection: &Connection,
        entry: &Entry,
    ) -> Result<Result<(), BlockDamage>, StoreError> {
        if self.block == Some(entry.block) {
            return Ok(Ok(()));
        }
        let known = self.kept.iter().position(|(block, _)| *block == entry.block);
        let is_full = self.kept.len() == KEPT;
        // The memory of the oldest serves again.
        let place = known.or(is_full.then_some(0));
        let mut rows = place.map(|place| self.kept.remove(place).1).unwrap_or_default();
        std::mem::swap(&mut rows, &mut self.rows);
        if let Some(block) = self.block.take() {
            self.kept.push((block, rows));
        }
        if known.is_none() {
            let loaded = entry.load(connection, &mut self.reader, &mut self.rows)?;
            if loaded.is_err() {
                return Ok(loaded);
            }
        }
        self.block = Some(entry.block);
        Ok(Ok(()))
    }
}
