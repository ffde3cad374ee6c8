//! Moving what the log holds into the file, off the writer's path.
//!
//! `SQLite` would do it within the commit that fills the log, and whoever waits for that commit would
//! wait for tens of megabytes more. Here a connection of its own copies the log while commits go on.
//! It waits for nobody: what a reader still needs stays in the log for the next time. Only where the log
//! grows all the same does the writer do it itself, at [`LOG_PAGES_MAX`].

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use rusqlite::Connection;

use super::{StoreError, schema};

/// Pages in the log at which a commit waits for their copying (4 KiB each: 256 MiB).
pub(super) const LOG_PAGES_MAX: i64 = 65_536;

/// Pages that are worth a copying: 16 MiB. Each costs two syncs, and a page that is written a hundred
/// times meanwhile is copied once.
const PAGES_WORTH: u64 = 4_096;

/// What a commit adds to the log at the least: leaf, index, last-seen and their parents.
const PAGES_A_COMMIT: u64 = 6;

/// Observations on one leaf of the log, about, when many devices share a commit. Measured with 200
/// devices in batches of 1,350.
const OBSERVATIONS_A_PAGE: u64 = 13;

/// Estimated pages that went into the log since it was last copied; shared by a store's writers.
#[derive(Clone, Debug, Default)]
pub(super) struct LogGrowth(Arc<AtomicU64>);

impl LogGrowth {
    pub(super) fn committed(&self, intakes: usize) {
        let pages = PAGES_A_COMMIT + intakes as u64 / OBSERVATIONS_A_PAGE;
        self.0.fetch_add(pages, Relaxed);
    }
}

/// Copies the log into the file when enough has gathered.
#[derive(Debug)]
pub struct Checkpoints {
    connection: Connection,
    growth: LogGrowth,
}

impl Checkpoints {
    pub(super) fn open(path: &Path, growth: LogGrowth) -> Result<Self, StoreError> {
        Ok(Self { connection: schema::connect_writer(path)?, growth })
    }

    /// Copies the log where it is worth it; says whether it did.
    ///
    /// # Errors
    ///
    /// Whatever `SQLite` reports; the log keeps what was not copied.
    pub fn copy_if_worth(&mut self) -> Result<bool, StoreError> {
        let grown = self.growth.0.load(Relaxed);
        if grown < PAGES_WORTH {
            return Ok(false);
        }
        // Passive: neither waits for readers and the writer nor makes them wait.
        self.connection.query_row("pragma wal_checkpoint(passive)", [], |_| Ok(()))?;
        // What was committed meanwhile is still to be copied.
        self.growth.0.fetch_sub(grown, Relaxed);
        Ok(true)
    }
}
