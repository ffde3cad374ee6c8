//! Room: pages that sealing has emptied go back to the disk, and the log into the file.

use std::time::Duration;

use rusqlite::Connection;

use super::Turn;
use crate::{
    store::{StoreError, schema},
    upkeep::Step,
};

/// Pages in one step. Our choice: a few ms, each page being moved from the end of the file.
const PAGES_A_STEP: i64 = 64;

/// How many empty pages stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// One in eight, and 4 MB: the rows of the coming week take them. Our choice.
    Share,
    /// None.
    Nothing,
}

/// Cuts some empty pages off the file; `Done` once there are few enough.
pub(super) fn give_back(
    connection: &Connection,
    turn: &Turn,
    keep: Keep,
) -> Result<Step, StoreError> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let kept = match keep {
        Keep::Nothing => 0,
        Keep::Share => (number("page_count")? / 8).max(1024),
    };
    let excess = number("freelist_count")? - kept;
    if excess <= 0 {
        return Ok(Step::Done);
    }
    let _turn = turn.take();
    let mut statement =
        connection.prepare(&format!("pragma incremental_vacuum({})", excess.min(PAGES_A_STEP)))?;
    // It moves one page whenever it is asked for a row.
    let mut pages = statement.query([])?;
    while pages.next()?.is_some() {}
    Ok(Step::More)
}

/// Writes the log into the file as far as nobody reads from it, so that no commit has to.
pub(super) fn checkpoint(connection: &Connection) -> Result<(), StoreError> {
    Ok(connection.query_row("pragma wal_checkpoint(passive)", [], |_| Ok(()))?)
}

/// The same, and cuts the log off where nobody else is at it: the end of a command.
pub(super) fn shorten(connection: &Connection) -> Result<(), StoreError> {
    // Who is at it will cut it off some time; not worth the wait.
    connection.busy_timeout(Duration::ZERO)?;
    let done = connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()));
    connection.busy_timeout(schema::BUSY_WAIT)?;
    Ok(done?)
}
