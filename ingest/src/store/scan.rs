//! Rows and sealed observations of a device in one order of time.

use std::{ops::ControlFlow, vec};

use jiff::Timestamp;
use plotwise_config::{
    id::DeviceId,
    reading::{QuantityNo, Reading},
};
use rusqlite::{Row, params};

use super::{
    StoreError, StoredObservation,
    packed::{self, Packed},
    reader::{Reader, moment},
    sealed::{self, DamagedSpan, Damages, Entry, Head, Opened, WantedCodes},
};

/// Which observations of which device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) device: &'a DeviceId,
    /// The store's number of it.
    pub(super) number: i64,
    /// From a time to before another, ms.
    pub(super) span: (i64, i64),
    /// Those of the span in which any device has rows.
    pub(super) weeks: &'a [i64],
}

/// Hands out observations within one state of the store, each with the wanted readings alone; keeps its buffers from device to device.
pub(super) struct Scan<'r> {
    reader: &'r Reader,
    codes: WantedCodes,
    /// Blocks still to come.
    blocks: vec::IntoIter<Entry>,
    /// The reader's, until it is done; most scans meet no block.
    opened: Option<Box<Opened>>,
    /// Which of the block at hand is next; `None` before the first of a device.
    next: Option<usize>,
    packed: Vec<Packed>,
    observation: StoredObservation,
    /// By code, so that not every reading is looked up.
    quantities: Vec<Option<QuantityNo>>,
    damages: Damages,
}

impl<'r> Scan<'r> {
    pub(super) fn new(reader: &'r Reader, codes: WantedCodes, device: DeviceId) -> Self {
        Self {
            reader,
            codes,
            blocks: Vec::new().into_iter(),
            opened: None,
            next: None,
            packed: Vec::new(),
            observation: StoredObservation {
                device,
                measured: Timestamp::UNIX_EPOCH,
                received: Timestamp::UNIX_EPOCH,
                claimed: None,
                seq: None,
                corrected: false,
                readings: Vec::new(),
            },
            quantities: Vec::new(),
            damages: Damages::default(),
        }
    }

    /// Blocks that could not be read so far.
    pub(super) fn finish(&mut self) -> Damages {
        std::mem::take(&mut self.damages)
    }

    /// Hands `each` what is wanted in order of time, until it breaks.
    pub(super) fn hand_out(
        &mut self,
        wanted: &Wanted<'_>,
        each: &mut impl FnMut(&StoredObservation) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let &Wanted { device, number, span: (from, to), weeks } = wanted;
        self.observation.device.clone_from(device);
        self.next = None;
        let blocks = sealed::overlapping(&self.reader.connection, number, (from, to - 1))?;
        self.blocks = blocks.into_iter();
        let mut statement = self.reader.connection.prepare_cached(
            "select time_ms, delay_ms, claimed_ms, seq, readings, replaced is not null \
             from observation where week = ? and device = ? and time_ms >= ? and time_ms < ? \
             order by time_ms",
        )?;
        for week in weeks {
            let mut rows = statement.query(params![week, number, from, to])?;
            while let Some(row) = rows.next()? {
                let time_ms = row.get(0)?;
                if self.hand_out_sealed(from, time_ms, each)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                self.leave_out(time_ms);
                self.read_row(row)?;
                if each(&self.observation).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        self.hand_out_sealed(from, to, each)
    }

    /// Sealed observations before a time; decodes the block that holds that time, where one does.
    fn hand_out_sealed(
        &mut self,
        from: i64,
        before: i64,
        each: &mut impl FnMut(&StoredObservation) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, StoreError> {
        loop {
            while let Some((place, head)) = self.next_sealed() {
                if head.time_ms >= before {
                    return Ok(ControlFlow::Continue(()));
                }
                self.read_sealed(place, head)?;
                self.next = Some(place + 1);
                if each(&self.observation).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            let reaches = self.blocks.as_slice().first();
            if reaches.is_none_or(|block| block.key.first_ms > before) {
                return Ok(ControlFlow::Continue(()));
            }
            self.open_block(from)?;
        }
    }

    /// A row stands in place of the sealed observation of its time.
    fn leave_out(&mut self, time_ms: i64) {
        if let Some((place, head)) = self.next_sealed()
            && head.time_ms == time_ms
        {
            self.next = Some(place + 1);
        }
    }

    /// The next sealed observation of the block at hand, and its place.
    fn next_sealed(&self) -> Option<(usize, Head)> {
        let (place, opened) = (self.next?, self.opened.as_ref()?);
        opened.rows().heads().get(place).map(|head| (place, *head))
    }

    fn open_block(&mut self, from: i64) -> Result<(), StoreError> {
        let Some(block) = self.blocks.next() else { return Ok(()) };
        let opened = self.opened.get_or_insert_with(|| {
            let mut opened = self.reader.take_opened();
            opened.want(&self.codes);
            opened
        });
        let loaded = opened.open(&self.reader.connection, &block)?;
        self.next = Some(opened.rows().first_from(from));
        if let Err(damage) = loaded {
            self.damages.push(DamagedSpan::of(self.observation.device.clone(), &block, damage));
        }
        Ok(())
    }

    fn read_row(&mut self, row: &Row<'_>) -> Result<(), StoreError> {
        let blob = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
        packed::decode(blob, &mut self.packed)?;
        let head = Head {
            time_ms: row.get(0)?,
            delay_ms: row.get(1)?,
            claimed_ms: row.get(2)?,
            seq: row.get(3)?,
            is_corrected: row.get(5)?,
        };
        if let Some(codes) = &self.codes {
            self.packed.retain(|reading| codes.contains(&reading.code));
        }
        let packed = std::mem::take(&mut self.packed);
        let filled = self.fill(head, packed.iter().copied());
        self.packed = packed;
        filled
    }

    fn read_sealed(&mut self, place: usize, head: Head) -> Result<(), StoreError> {
        let Some(opened) = self.opened.take() else { return Ok(()) };
        let filled = self.fill(head, opened.rows().readings(place).iter().copied());
        self.opened = Some(opened);
        filled
    }

    fn fill(
        &mut self,
        head: Head,
        readings: impl Iterator<Item = Packed>,
    ) -> Result<(), StoreError> {
        let observation = &mut self.observation;
        observation.measured = moment(head.time_ms)?;
        observation.received = moment(head.time_ms.saturating_add(head.delay_ms))?;
        observation.claimed = head.claimed_ms.map(moment).transpose()?;
        observation.seq = head.seq.map(i64::cast_unsigned);
        observation.corrected = head.is_corrected;
        observation.readings.clear();
        for Packed { code, depth, flags, value } in readings {
            let place = code as usize;
            let quantity = if let Some(Some(quantity)) = self.quantities.get(place) {
                *quantity
            } else {
                let quantity = self.reader.quantity(code)?;
                // Codes are given out one by one; a large one is not worth the memory.
                if place < CODES_KEPT {
                    self.quantities.resize(self.quantities.len().max(place + 1), None);
                    self.quantities[place] = Some(quantity);
                }
                quantity
            };
            observation.readings.push(Reading { quantity, depth, value, flags });
        }
        Ok(())
    }
}

impl Drop for Scan<'_> {
    fn drop(&mut self) {
        if let Some(opened) = self.opened.take() {
            self.reader.give_back_opened(opened);
        }
    }
}

const CODES_KEPT: usize = 4096;
