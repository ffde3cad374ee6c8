//! Which days got new or changed readings, so that their summaries are made anew.
//!
//! ```text
//! writer:  commit      -> changed_day (device, day, the round that is on)
//! upkeep:  begin round -> the round's number grows by one
//!          summarise   -> reads marks and readings in one snapshot
//!          store       -> only while no later round has begun; marks of earlier rounds are cleared
//! ```
//!
//! A mark stands in the same transaction as what it tells of. Whoever clears it has begun a round
//! first: whatever is committed after that is marked with the new round, and what came before is in
//! every snapshot that follows. So a mark of an earlier round can go once its day was summarised, and
//! a writer need not mark a day a second time within a round.
//!
//! Days are of UTC here: a device does not know whose days it is measured for.
//!
//! # Invariants
//!
//! No row changes in a transaction that does not mark its device and day. Several processes may write,
//! and several may summarise: of these, the one that began last goes on.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::StoreError;

pub(super) const TABLES: &str = "
create table changed_day (
    device integer not null,
    day integer not null,
    round integer not null,
    primary key (device, day)
) strict, without rowid;
create table summary_round (number integer not null) strict;
insert into summary_round values (0);
";

/// A day of UTC.
pub(crate) const DAY_MS: i64 = 24 * 3600 * 1000;

/// The day of UTC, counted from 1970-01-01.
pub(crate) const fn day_of(time_ms: i64) -> i64 {
    time_ms.div_euclid(DAY_MS)
}

/// More marks than this are not remembered: marking a day again is harmless.
const REMEMBERED_MAX: usize = 1 << 16;

/// What a writer marks, and what it knows to be marked.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// (device, day) of what the transaction has changed; neighbours differ.
    changed: Vec<(i64, i64)>,
    /// What is marked with `round`.
    known: HashSet<(i64, i64)>,
    round: i64,
}

impl Marks {
    /// A row was made or changed.
    pub(super) fn note(&mut self, device: i64, time_ms: i64) {
        let changed = (device, day_of(time_ms));
        // Observations come sorted by device and time mostly.
        if self.changed.last() != Some(&changed) {
            self.changed.push(changed);
        }
    }

    /// Marks what was noted. Stands in the transaction of the rows.
    pub(super) fn write(&mut self, connection: &Connection) -> Result<(), StoreError> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let round = round(connection)?;
        if round != self.round || self.known.len() > REMEMBERED_MAX {
            self.known.clear();
            self.round = round;
        }
        let mut statement = connection.prepare_cached(
            "insert into changed_day (device, day, round) values (?, ?, ?) \
             on conflict do update set round = excluded.round",
        )?;
        for (device, day) in self.changed.drain(..) {
            if self.known.insert((device, day)) {
                statement.execute(params![device, day, round])?;
            }
        }
        Ok(())
    }

    /// After a transaction that failed: its marks do not stand.
    pub(super) fn forget(&mut self) {
        self.changed.clear();
        self.known.clear();
    }
}

/// The number of the round that is on.
pub(super) fn round(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection
        .prepare_cached("select number from summary_round")?
        .query_row([], |row| row.get(0))?)
}
