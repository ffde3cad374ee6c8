//! Reading what is stored.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    ops::ControlFlow,
    path::Path,
    sync::Arc,
};

use jiff::Timestamp;
use plotwise_config::{id::DeviceId, reading::QuantityNo};
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use super::{
    Damages, LetterFilter, RawFilter, RawSizes, StoreError, StoredDeadLetter, StoredObservation,
    codes, letters, raw,
    scan::{Scan, Wanted},
    schema,
    sealed::Opened,
    watch, week_of,
};
use crate::{intake::DeadLetterReason, rhythm::Heard, sequence::SequenceTotals};

/// A connection that only reads. Its calls block; each sees one state of the store throughout.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: Connection,
    keys: Arc<[String]>,
    /// Grows when a writer gives out a new code.
    quantities: RefCell<HashMap<u32, QuantityNo>>,
    damages: RefCell<Damages>,
    /// Blocks decoded last; `None` while a scan has them, and before the first.
    opened: RefCell<Option<Box<Opened>>>,
}

/// How a device was last heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastSeen {
    /// When, and how often that is to be expected.
    pub heard: Heard,
    /// What its own counter says of missing messages.
    pub numbers: SequenceTotals,
}

/// How much is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// In rows, which are counted one by one, and sealed.
    pub observations: u64,
    /// Devices that have sent something.
    pub devices: u64,
    /// By reason; reasons that do not occur are left out.
    pub dead_letters: Vec<(DeadLetterReason, u64)>,
}

impl Reader {
    pub(super) fn open(path: &Path, keys: Arc<[String]>) -> Result<Self, StoreError> {
        let connection = schema::connect_reader(path)?;
        let quantities = RefCell::new(codes::known_quantities(&connection, &keys)?);
        let (damages, opened) = (RefCell::default(), RefCell::default());
        Ok(Self { connection, keys, quantities, damages, opened })
    }

    pub(super) fn take_opened(&self) -> Box<Opened> {
        self.opened.take().unwrap_or_else(|| Box::new(Opened::new()))
    }

    pub(super) fn give_back_opened(&self, opened: Box<Opened>) {
        self.opened.replace(Some(opened));
    }

    /// While it is held, every call sees the state that the first of them saw; `None` where another
    /// snapshot is held already.
    pub(crate) fn snapshot(&self) -> Result<Option<Transaction<'_>>, StoreError> {
        if !self.connection.is_autocommit() {
            return Ok(None);
        }
        if let Some(opened) = self.opened.borrow_mut().as_mut() {
            opened.forget();
        }
        Ok(Some(self.connection.unchecked_transaction()?))
    }

    /// Hands `each` the observations of one device with `from <= measured < to`, in order of time,
    /// until it breaks. Nothing for a device that never sent.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] for a row that cannot be read, and whatever `SQLite` reports. What
    /// was handed out before was right.
    ///
    /// A sealed block that cannot be read is no error: the rest is handed out, the block is logged and
    /// named in [`Reader::take_damages`].
    pub fn observations(
        &self,
        device: &DeviceId,
        from: Timestamp,
        to: Timestamp,
        each: impl FnMut(&StoredObservation) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.observations_of(device, None, (from, to), each)
    }

    /// The same, each observation with its readings of some quantities alone, which is faster; also
    /// those that have none of them.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub(crate) fn observations_of(
        &self,
        device: &DeviceId,
        quantities: Option<&[QuantityNo]>,
        (from, to): (Timestamp, Timestamp),
        mut each: impl FnMut(&StoredObservation) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let _snapshot = self.snapshot()?;
        let Some(number) = codes::device_number(&self.connection, device)? else { return Ok(()) };
        let span = (milliseconds_up(from), milliseconds_up(to));
        let weeks = &self.weeks(span)?;
        let codes = quantities.map(|quantities| self.codes(quantities)).transpose()?;
        let mut hand = Scan::new(self, codes, device.clone());
        // Broken off or not, nothing follows.
        let _ = hand.hand_out(&Wanted { device, number, span, weeks }, &mut each)?;
        self.note(hand.finish());
        Ok(())
    }

    /// When the last observations of a device with `from <= measured < to`, at most `limit`, were
    /// measured; in that order.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub fn last_measured_times(
        &self,
        device: &DeviceId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<VecDeque<Timestamp>, StoreError> {
        let mut times = VecDeque::new();
        self.observations_of(device, Some(&[]), (from, to), |observation| {
            if times.len() == limit {
                times.pop_front();
            }
            times.push_back(observation.measured);
            ControlFlow::Continue(())
        })?;
        Ok(times)
    }

    /// Hands `each` every observation with `from <= measured < to` (no bound where `None`), by the
    /// device's name and then in order of time, until it breaks. Memory does not grow with the store.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub fn all_observations(
        &self,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        mut each: impl FnMut(&StoredObservation) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let _snapshot = self.snapshot()?;
        let span = (from.map_or(i64::MIN, milliseconds_up), to.map_or(i64::MAX, milliseconds_up));
        let weeks = &self.weeks(span)?;
        let devices = self.devices()?;
        let Some((_, first)) = devices.first() else { return Ok(()) };
        let mut hand = Scan::new(self, None, first.clone());
        for (number, device) in &devices {
            let wanted = Wanted { device, number: *number, span, weeks };
            if hand.hand_out(&wanted, &mut each)?.is_break() {
                break;
            }
        }
        self.note(hand.finish());
        Ok(())
    }

    /// The sealed spans that could not be read since the last call: what was handed out meanwhile is not
    /// all there is. Each was logged, too.
    pub fn take_damages(&self) -> Damages {
        self.damages.take()
    }

    fn note(&self, damages: Damages) {
        damages.log();
        self.damages.borrow_mut().add(damages);
    }

    /// When each device was last heard of, by its name.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub fn last_seen(&self) -> Result<Vec<(DeviceId, LastSeen)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select time_ms, received_ms, watch, name \
             from last_seen join device on id = device order by name",
        )?;
        let mut rows = statement.query([])?;
        let mut seen = Vec::new();
        while let Some(row) = rows.next()? {
            seen.push((letters::device_id(&row.get::<_, String>(3)?)?, last_seen(row)?));
        }
        Ok(seen)
    }

    /// When a device was last heard of; `None` where it never was.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub fn last_seen_of(&self, device: &DeviceId) -> Result<Option<LastSeen>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select time_ms, received_ms, watch \
             from last_seen join device on id = device where name = ?",
        )?;
        statement.query([device.as_str()])?.next()?.map(last_seen).transpose()
    }

    /// At most `limit` dead letters, newest first; `cursor` is the id of the last one that the caller
    /// has seen. Only those of a reason or a device where one is given.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub fn dead_letters(
        &self,
        limit: u32,
        cursor: Option<i64>,
        reason: Option<DeadLetterReason>,
        device: Option<&DeviceId>,
    ) -> Result<Vec<StoredDeadLetter>, StoreError> {
        letters::list(&self.connection, limit, cursor, reason, device)
    }

    /// The dead letter of this id.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub fn dead_letter(&self, id: i64) -> Result<Option<StoredDeadLetter>, StoreError> {
        letters::find(&self.connection, id)
    }

    /// Ids of at most `limit` dead letters above `after`, oldest first.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub fn dead_letter_ids(
        &self,
        filter: &LetterFilter,
        after: i64,
        limit: u32,
    ) -> Result<Vec<i64>, StoreError> {
        letters::ids(&self.connection, filter, after, limit)
    }

    /// How many dead letters there are of each reason that occurs.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub fn dead_letter_counts(&self) -> Result<Vec<(DeadLetterReason, u64)>, StoreError> {
        letters::count(&self.connection)
    }

    /// The id of the newest dead letter.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub fn newest_dead_letter(&self) -> Result<Option<i64>, StoreError> {
        let sql = "select max(id) from dead_letter";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// How many dead letters of each reason were let go to keep their bounds; reasons of which none
    /// was are left out.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub fn dead_letters_let_go(&self) -> Result<Vec<(DeadLetterReason, u64)>, StoreError> {
        letters::let_go(&self.connection)
    }

    /// Ids of at most `limit` messages kept as they came, above `after`, in the order of their arrival.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub fn raw_ids(
        &self,
        filter: &RawFilter,
        after: i64,
        limit: u32,
    ) -> Result<Vec<i64>, StoreError> {
        raw::ids(&self.connection, filter, after, limit)
    }

    /// How many messages are kept as they came.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub fn raw_sizes(&self) -> Result<RawSizes, StoreError> {
        raw::sizes(&self.connection)
    }

    /// How much is stored.
    ///
    /// # Errors
    ///
    /// As for [`Reader::observations`].
    pub fn counts(&self) -> Result<Counts, StoreError> {
        let _snapshot = self.snapshot()?;
        let count = |sql| {
            self.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
        };
        Ok(Counts {
            observations: count(
                "select (select count(*) from observation) \
                 + (select coalesce(sum(observations - beside), 0) from sealed)",
            )?,
            devices: count("select count(*) from device")?,
            dead_letters: letters::count(&self.connection)?,
        })
    }

    fn devices(&self) -> Result<Vec<(i64, DeviceId)>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("select id, name from device order by name")?;
        let mut rows = statement.query([])?;
        let mut devices = Vec::new();
        while let Some(row) = rows.next()? {
            devices.push((row.get(0)?, letters::device_id(&row.get::<_, String>(1)?)?));
        }
        Ok(devices)
    }

    /// The weeks of a span that hold anything, one seek each.
    pub(super) fn weeks(&self, (from, to): (i64, i64)) -> Result<Vec<i64>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("select week from observation where week > ? order by week limit 1")?;
        let mut weeks = Vec::new();
        let mut after = week_of(from) - 1;
        while let Some(week) = statement.query_row([after], |row| row.get(0)).optional()? {
            if week > week_of(to) {
                break;
            }
            weeks.push(week);
            after = week;
        }
        Ok(weeks)
    }

    /// The code of a quantity that readings are stored of.
    pub(crate) fn code(&self, quantity: QuantityNo) -> Option<u32> {
        let known = self.quantities.borrow();
        known.iter().find(|(_, known)| **known == quantity).map(|(code, _)| *code)
    }

    /// The codes of those quantities that readings are stored of, in the order of codes.
    fn codes(&self, quantities: &[QuantityNo]) -> Result<Vec<u32>, StoreError> {
        if quantities.iter().any(|quantity| self.code(*quantity).is_none()) {
            *self.quantities.borrow_mut() = codes::known_quantities(&self.connection, &self.keys)?;
        }
        let mut codes: Vec<u32> =
            quantities.iter().filter_map(|quantity| self.code(*quantity)).collect();
        codes.sort_unstable();
        Ok(codes)
    }

    /// The quantity of a code in the file.
    pub(crate) fn quantity(&self, code: u32) -> Result<QuantityNo, StoreError> {
        if let Some(quantity) = self.quantities.borrow().get(&code) {
            return Ok(*quantity);
        }
        let known = codes::known_quantities(&self.connection, &self.keys)?;
        let quantity = known.get(&code).copied();
        *self.quantities.borrow_mut() = known;
        quantity.ok_or_else(|| StoreError::Damaged { what: format!("quantity code {code}") })
    }
}

/// Out of the columns `time_ms`, `received_ms`, `watch`.
fn last_seen(row: &Row<'_>) -> Result<LastSeen, StoreError> {
    let watch = row.get_ref(2)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
    let (rhythm, sequence) = watch::decode(watch).unwrap_or_default();
    let (measured, received) = (moment(row.get(0)?)?, moment(row.get(1)?)?);
    let heard = Heard { measured, received, interval: rhythm.interval() };
    Ok(LastSeen { heard, numbers: sequence.totals })
}

/// A stored time.
pub(super) fn moment(time_ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(time_ms)
        .map_err(|_| StoreError::Damaged { what: format!("a time of {time_ms} ms") })
}

/// The first whole millisecond that is not before `time`: stored times are whole.
fn milliseconds_up(time: Timestamp) -> i64 {
    let whole = time.as_millisecond();
    let is_cut = time.as_nanosecond() > i128::from(whole) * 1_000_000;
    if is_cut { whole + 1 } else { whole }
}
