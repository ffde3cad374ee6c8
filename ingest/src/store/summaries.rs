//! Day summaries at rest: one blob a plot and span of days, made by upkeep, read with what is marked.
//!
//! The store keeps and hands out bytes; what they say, which span is which and when they hold is the
//! business of [`crate::days`]. Everything here follows from readings and facts: it can be dropped and
//! made anew.
//!
//! - `day_summary`: (plot, span) to the round that made it, the fingerprint of what besides readings went
//!   in, and the days.
//! - `day_source`: the devices whose readings went in, so that a mark leads to the rows that rest on
//!   it, also where facts say something else by now. By name: a device may not have sent anything yet.

use std::path::Path;

use jiff::Timestamp;
use plotwise_config::id::{DeviceId, PlotId};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{
    Reader, StoreError, Turn, WEEK_MS, changes, codes, letters, reader::moment, schema, sealed,
};

pub(super) const TABLES: &str = "
create table day_summary (
    plot text not null,
    span integer not null,
    round integer not null,
    fingerprint blob not null,
    days blob not null,
    primary key (plot, span)
) strict;
create table day_source (
    device text not null,
    plot text not null,
    primary key (device, plot)
) strict, without rowid;
create index day_source_plot on day_source (plot);
";

/// What besides readings went into a row.
pub(crate) type Fingerprint = [u8; 16];

/// A row of summaries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SummaryRow {
    pub(crate) span: i64,
    /// `None` where it has another length than ours.
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) days: Vec<u8>,
}

/// A row without its days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SummaryHead {
    pub(crate) span: i64,
    /// The round that made it.
    pub(crate) round: i64,
    /// As in [`SummaryRow`].
    pub(crate) fingerprint: Option<Fingerprint>,
}

impl Reader {
    /// What rows a plot has, in order.
    pub(crate) fn summary_heads(&self, plot: &PlotId) -> Result<Vec<SummaryHead>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select span, round, fingerprint from day_summary where plot = ? order by span",
        )?;
        let mut rows = statement.query([plot.as_str()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let fingerprint = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
            let (span, round) = (row.get(0)?, row.get(1)?);
            found.push(SummaryHead { span, round, fingerprint: fingerprint.try_into().ok() });
        }
        Ok(found)
    }

    /// The rows of a plot with `from <= span <= to`, in order.
    pub(crate) fn summary_rows(
        &self,
        plot: &PlotId,
        (from, to): (i64, i64),
    ) -> Result<Vec<SummaryRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select span, fingerprint, days from day_summary \
             where plot = ? and span between ? and ? order by span",
        )?;
        let mut rows = statement.query(params![plot.as_str(), from, to])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let fingerprint = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            let (fingerprint, days) = (fingerprint.try_into().ok(), row.get(2)?);
            found.push(SummaryRow { span: row.get(0)?, fingerprint, days });
        }
        Ok(found)
    }

    /// The marked days of a device (of UTC, from 1970-01-01) from one to another, both included.
    pub(crate) fn changed_days(
        &self,
        device: &DeviceId,
        (from, to): (i64, i64),
    ) -> Result<Vec<i64>, StoreError> {
        let Some(number) = codes::device_number(&self.connection, device)? else {
            return Ok(Vec::new());
        };
        let mut statement = self.connection.prepare_cached(
            "select day from changed_day where device = ? and day between ? and ? order by day",
        )?;
        let days = statement.query_map(params![number, from, to], |row| row.get(0))?;
        Ok(days.collect::<Result<_, _>>()?)
    }

    /// The first device after one (the first of all after `None`) with marks of rounds before this
    /// one, and its marked days.
    pub(crate) fn next_changed(
        &self,
        round: i64,
        after: Option<&ChangedDevice>,
    ) -> Result<Option<ChangedDevice>, StoreError> {
        let _snapshot = self.snapshot()?;
        let after = after.map_or(0, |after| after.number);
        let mut next = self.connection.prepare_cached(
            "select device, name from changed_day join device on id = device \
             where device > ? and round < ? order by device limit 1",
        )?;
        let found = next
            .query_row(params![after, round], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
            .optional()?;
        let Some((number, name)) = found else { return Ok(None) };
        let mut statement = self.connection.prepare_cached(
            "select day from changed_day where device = ? and round < ? order by day",
        )?;
        let days = statement.query_map(params![number, round], |row| row.get(0))?;
        let days = days.collect::<Result<_, _>>()?;
        Ok(Some(ChangedDevice { number, device: letters::device_id(&name)?, days }))
    }

    /// Times within which a device measured something, from one moment until before another: weeks, and
    /// what blocks hold. Each from its first moment until before its end.
    pub(crate) fn busy_times(
        &self,
        device: &DeviceId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Timestamp, Timestamp)>, StoreError> {
        let _snapshot = self.snapshot()?;
        let Some(number) = codes::device_number(&self.connection, device)? else {
            return Ok(Vec::new());
        };
        let span = (from.as_millisecond(), to.as_millisecond());
        let mut times = Vec::new();
        let mut statement = self.connection.prepare_cached(
            "select exists (select 1 from observation where week = ? and device = ?)",
        )?;
        for week in self.weeks(span)? {
            if statement.query_row([week, number], |row| row.get(0))? {
                let start = |week: i64| moment(week.saturating_mul(WEEK_MS));
                times.push((start(week)?, start(week + 1)?));
            }
        }
        for block in sealed::overlapping(&self.connection, number, span)? {
            times.push((moment(block.key.first_ms)?, moment(block.key.last_ms + 1)?));
        }
        Ok(times)
    }

    /// The plots whose rows rest on a device's readings.
    pub(crate) fn plots_resting_on(&self, device: &DeviceId) -> Result<Vec<PlotId>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("select plot from day_source where device = ?")?;
        let mut rows = statement.query([device.as_str()])?;
        let mut plots = Vec::new();
        while let Some(row) = rows.next()? {
            plots.push(plot_id(&row.get::<_, String>(0)?)?);
        }
        Ok(plots)
    }

    /// The first plot after one that has rows.
    pub(crate) fn next_summarised(
        &self,
        after: Option<&PlotId>,
    ) -> Result<Option<PlotId>, StoreError> {
        let name: Option<String> = self
            .connection
            .prepare_cached("select min(plot) from day_summary where plot > ?")?
            .query_row([after.map_or("", PlotId::as_str)], |row| row.get(0))?;
        name.as_deref().map(plot_id).transpose()
    }
}

/// A device with marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChangedDevice {
    number: i64,
    pub(crate) device: DeviceId,
    /// Of UTC, from 1970-01-01, ascending.
    pub(crate) days: Vec<i64>,
}

/// A connection that writes summaries.
#[derive(Debug)]
pub(crate) struct SummaryWriter {
    connection: Connection,
    turn: Turn,
}

/// Whether a round is still the last one that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Outcome {
    /// It is; what was asked is done.
    Done,
    /// Another process has begun one; nothing was done.
    Overtaken,
}

impl SummaryWriter {
    pub(super) fn open(path: &Path, turn: Turn) -> Result<Self, StoreError> {
        let connection = schema::connect_writer(path)?;
        // Durability: a summary may be lost with the machine's power, as may the clearing of its mark,
        // never the one without the other: the log keeps its order.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(Self { connection, turn })
    }

    /// Begins a round: what is committed from now on is marked with its number.
    pub(crate) fn begin_round(&mut self) -> Result<i64, StoreError> {
        let _turn = self.turn.take();
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute("update summary_round set number = number + 1", [])?;
        let round = changes::round(&transaction)?;
        transaction.commit()?;
        Ok(round)
    }

    /// Puts a row in place of the one that was there; removes it where `row` is `None`.
    pub(crate) fn put(
        &mut self,
        round: i64,
        (plot, span): (&PlotId, i64),
        row: Option<NewRow<'_>>,
    ) -> Result<Outcome, StoreError> {
        let _turn = self.turn.take();
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if changes::round(&transaction)? != round {
            return Ok(Outcome::Overtaken);
        }
        if let Some(row) = row {
            row.write(&transaction, round, plot, span)?;
        } else {
            transaction
                .prepare_cached("delete from day_summary where plot = ? and span = ?")?
                .execute(params![plot.as_str(), span])?;
            transaction
                .prepare_cached(
                    "delete from day_source where plot = ?1 \
                     and not exists (select 1 from day_summary where plot = ?1)",
                )?
                .execute([plot.as_str()])?;
        }
        transaction.commit()?;
        Ok(Outcome::Done)
    }

    /// Clears a device's marks of earlier rounds: every row that rests on it was made in this one.
    pub(crate) fn clear(
        &mut self,
        round: i64,
        device: &ChangedDevice,
    ) -> Result<Outcome, StoreError> {
        let _turn = self.turn.take();
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if changes::round(&transaction)? != round {
            return Ok(Outcome::Overtaken);
        }
        transaction
            .prepare_cached("delete from changed_day where device = ? and round < ?")?
            .execute(params![device.number, round])?;
        transaction.commit()?;
        Ok(Outcome::Done)
    }
}

/// What a row is to hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewRow<'a> {
    pub(crate) fingerprint: &'a Fingerprint,
    pub(crate) days: &'a [u8],
    /// Whose readings went in, or would have.
    pub(crate) devices: &'a [&'a DeviceId],
}

impl NewRow<'_> {
    fn write(
        &self,
        connection: &Connection,
        round: i64,
        plot: &PlotId,
        span: i64,
    ) -> Result<(), StoreError> {
        connection
            .prepare_cached(
                "insert into day_summary (plot, span, round, fingerprint, days) \
                 values (?, ?, ?, ?, ?) on conflict do update set round = excluded.round, \
                 fingerprint = excluded.fingerprint, days = excluded.days",
            )?
            .execute(params![plot.as_str(), span, round, self.fingerprint, self.days])?;
        let mut statement = connection.prepare_cached(
            "insert into day_source (device, plot) values (?, ?) on conflict do nothing",
        )?;
        for device in self.devices {
            statement.execute(params![device.as_str(), plot.as_str()])?;
        }
        Ok(())
    }
}

fn plot_id(name: &str) -> Result<PlotId, StoreError> {
    PlotId::parse(name).map_err(|_| StoreError::Damaged { what: format!("a plot named {name:?}") })
}
