//! Recorded readings, wide or long, as the observations that the pipeline takes.
//!
//! ```text
//! wide: device,time,<quantity>[@depth],...
//! long: device,time,quantity,value[,unit][,depth_m][,received][,flags][,simulated]
//! ```
//!
//! The file is gone through twice: first everything is checked, then observations are made one at a
//! time, so that a long record needs no more memory than its bytes. Lines of a long file that follow
//! each other with the same device and time are one observation.
//!
//! What our own export writes comes back as it was: a depth that is the device's own is left away
//! again, `X` and `T` are kept, other flags follow from the values and are not read; `simulated`
//! follows from the cooperative and is not read either.

pub(super) mod columns;
mod layout;
mod time;

use std::collections::HashMap;

use csv::StringRecord;
use jiff::{SignedDuration, Timestamp};
use plotwise_config::{
    catalogue::Catalogue,
    id::DeviceId,
    reading::{DepthMm, Flags, Identity, Observation, QuantityNo, Reading},
};

use super::{
    Options,
    errors::{Errors, FileErrors},
    fields::parse_number,
    references::{did_you_mean, find_quantity, unknown_quantity},
    table::{line_of, reader_of, text_of},
};
use crate::directory::{Directory, Entry};
use layout::{Layout, Long, WideColumn};
pub(super) use time::parse_time;

/// 2000-01-01T00:00:00Z: what is older is a clock that was never set.
const EARLIEST_S: i64 = 946_684_800;

/// Clocks run ahead a little; more than this and the time is none.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24);

/// What a file of readings holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadingsSummary {
    /// Lines below the header that are not blank.
    pub rows: u64,
    /// Messages that they make.
    pub observations: u64,
    /// Single values.
    pub readings: u64,
}

/// The observations of a file that was checked, in its order.
pub struct Readings<'a> {
    lines: Lines<'a>,
    summary: ReadingsSummary,
}

impl Readings<'_> {
    /// What the file holds.
    pub const fn summary(&self) -> ReadingsSummary {
        self.summary
    }
}

impl Iterator for Readings<'_> {
    type Item = Observation;

    fn next(&mut self) -> Option<Observation> {
        // The same lines were read without an error when the file was checked.
        self.lines.next_observation(&mut Errors::default())
    }
}

/// Checks a whole file of readings; its observations can then be taken one by one.
///
/// They are known by device and measured time, so that a file that is read again changes nothing.
///
/// # Errors
///
/// [`FileErrors`] with everything that is wrong.
pub fn parse_readings<'a>(
    bytes: &'a [u8],
    options: &'a Options,
    catalogue: &'a Catalogue,
    directory: &'a Directory,
) -> Result<Readings<'a>, FileErrors> {
    let text = text_of(bytes)?;
    let mut errors = Errors::default();
    let mut lines = Lines::open(text, options, catalogue, directory, &mut errors);
    if errors.count() > 0 {
        return errors.refuse();
    }
    let mut summary = ReadingsSummary::default();
    while let Some(observation) = lines.next_observation(&mut errors) {
        summary.observations += 1;
        summary.readings += observation.readings.len() as u64;
    }
    summary.rows = lines.rows;
    let again = Lines::open(text, options, catalogue, directory, &mut errors);
    errors.finish(Readings { lines: again, summary })
}

/// The state of going through a file.
struct Lines<'a> {
    text: &'a str,
    reader: csv::Reader<&'a [u8]>,
    record: StringRecord,
    header_len: usize,
    layout: Layout,
    options: &'a Options,
    catalogue: &'a Catalogue,
    directory: &'a Directory,
    rows: u64,
    line: u64,
    /// Neighbouring lines mostly name the same device and time: the last ones are kept.
    device: Option<(String, DeviceId, &'a Entry)>,
    measured: Option<(String, Timestamp)>,
    received: Option<(String, Timestamp)>,
    quantities: HashMap<String, QuantityNo>,
    /// The observation that the next line may still belong to.
    pending: Option<Observation>,
}

impl<'a> Lines<'a> {
    fn open(
        text: &'a str,
        options: &'a Options,
        catalogue: &'a Catalogue,
        directory: &'a Directory,
        errors: &mut Errors,
    ) -> Self {
        let mut reader = reader_of(text);
        let mut header = StringRecord::new();
        // Text that is UTF-8 cannot fail here; an empty file has an empty header, which is refused.
        let _ = reader.read_record(&mut header);
        let line = line_of(text, &header);
        let layout = Layout::of(&header, line, options, catalogue, errors);
        Self {
            text,
            reader,
            record: StringRecord::new(),
            header_len: header.len(),
            layout,
            options,
            catalogue,
            directory,
            rows: 0,
            line,
            device: None,
            measured: None,
            received: None,
            quantities: HashMap::new(),
            pending: None,
        }
    }

    /// The next observation; lines with errors are noted and left out.
    fn next_observation(&mut self, errors: &mut Errors) -> Option<Observation> {
        loop {
            let mut record = std::mem::take(&mut self.record);
            let is_there = self.reader.read_record(&mut record).unwrap_or(false);
            let found = if is_there { self.read_line(&record, errors) } else { None };
            self.record = record;
            if !is_there {
                return self.pending.take();
            }
            let Some(next) = found else { continue };
            match &mut self.pending {
                Some(pending) if is_one_message(pending, &next) => {
                    self.join(next, errors);
                }
                _ => {
                    if let Some(done) = self.pending.replace(next) {
                        return Some(done);
                    }
                }
            }
        }
    }

    /// Adds the readings of a line to the observation that the line before began.
    fn join(&mut self, next: Observation, errors: &mut Errors) {
        let Some(pending) = &mut self.pending else { return };
        for reading in next.readings {
            let is_same = |known: &&Reading| {
                known.quantity == reading.quantity && known.depth == reading.depth
            };
            match pending.readings.iter().find(is_same) {
                None => pending.readings.push(reading),
                Some(known) if known.value.to_bits() == reading.value.to_bits() => {}
                Some(_) => {
                    let wanted = "one value for each device, time, quantity and depth";
                    errors.note(self.line, "value", &reading.value.to_string(), wanted);
                }
            }
        }
    }

    fn read_line(&mut self, record: &StringRecord, errors: &mut Errors) -> Option<Observation> {
        if record.iter().all(|cell| cell.trim().is_empty()) {
            return None;
        }
        self.line = line_of(self.text, record);
        self.rows += 1;
        if record.len() != self.header_len {
            let wanted = format!("{} columns, as the header has", self.header_len);
            let found = format!("{} columns", record.len());
            errors.note(self.line, &record.len().to_string(), &found, wanted);
            return None;
        }
        let (device_place, time_place) = self.layout.places();
        let device = self.find_device(cell(record, device_place), errors);
        let measured = self.find_time(cell(record, time_place), errors);
        let layout = std::mem::take(&mut self.layout);
        let rest = match &layout {
            Layout::Wide { columns, .. } => self.wide(record, columns, errors),
            Layout::Long(long) => self.long(record, long, errors),
        };
        self.layout = layout;
        let (device, entry) = device?;
        let measured = measured?;
        let (mut readings, received) = rest?;
        let own = entry.own_depth_at(measured);
        for reading in &mut readings {
            if reading.depth == own {
                reading.depth = None;
            }
        }
        (!readings.is_empty()).then_some(Observation {
            device,
            measured,
            received,
            claimed: None,
            identity: Identity::MeasuredTime,
            seq: None,
            supersede: false,
            readings,
        })
    }

    fn find_device(&mut self, text: &str, errors: &mut Errors) -> Option<(DeviceId, &'a Entry)> {
        if let Some((known, id, entry)) = &self.device
            && known == text
        {
            return Some((id.clone(), entry));
        }
        if let (Some(id), Some(entry)) = (self.directory.id(text), self.directory.entry(text)) {
            self.device = Some((text.to_owned(), id.clone(), entry));
            return Some((id.clone(), entry));
        }
        let names = self.directory.entries().map(|(id, _)| id.as_str());
        let near = did_you_mean(text, names);
        errors.note(self.line, "device", text, format!("a known device{near}"));
        None
    }

    fn find_time(&mut self, text: &str, errors: &mut Errors) -> Option<Timestamp> {
        if let Some((known, time)) = &self.measured
            && known == text
        {
            return Some(*time);
        }
        let time = self.time(text, "time", errors)?;
        self.measured = Some((text.to_owned(), time));
        Some(time)
    }

    fn time(&self, text: &str, column: &str, errors: &mut Errors) -> Option<Timestamp> {
        match parse_time(text, self.options.timezone.as_ref()) {
            Ok(time) if time.as_second() < EARLIEST_S => {
                errors.note(self.line, column, text, "a time since 2000");
                None
            }
            Ok(time) if time.duration_since(self.options.now) > AHEAD_MAX => {
                errors.note(self.line, column, text, "a time that has been");
                None
            }
            Ok(time) => Some(time),
            Err(wanted) => {
                errors.note(self.line, column, text, wanted);
                None
            }
        }
    }

    fn wide(
        &mut self,
        record: &StringRecord,
        columns: &[WideColumn],
        errors: &mut Errors,
    ) -> Option<(Vec<Reading>, Timestamp)> {
        let before = errors.count();
        let mut readings = Vec::with_capacity(columns.len());
        for column in columns {
            let text = cell(record, column.place);
            if text.is_empty() {
                continue;
            }
            match parse_number(text) {
                Some(value) => readings.push(Reading {
                    quantity: column.quantity,
                    depth: column.depth,
                    value,
                    flags: Flags::NONE,
                }),
                None => errors.note(self.line, &column.header, text, "a number, or nothing"),
            }
        }
        (errors.count() == before).then_some((readings, self.options.now))
    }

    fn long(
        &mut self,
        record: &StringRecord,
        long: &Long,
        errors: &mut Errors,
    ) -> Option<(Vec<Reading>, Timestamp)> {
        let before = errors.count();
        let quantity = self.find_quantity(cell(record, long.quantity), errors);
        let text = cell(record, long.value);
        let mut value = parse_number(text);
        if value.is_none() {
            errors.note(self.line, "value", text, "a number");
        }
        let unit = optional_cell(record, long.unit);
        if let (Some(quantity), Some(written), false) = (quantity, value, unit.is_empty()) {
            match self.catalogue.convert(quantity, written, unit) {
                Ok(converted) => value = Some(converted),
                Err(error) => errors.note(self.line, "unit", unit, error.to_string()),
            }
        }
        let text = optional_cell(record, long.depth);
        let depth = parse_number(text).and_then(DepthMm::from_metres);
        if depth.is_none() && !text.is_empty() {
            errors.note(self.line, "depth_m", text, "a depth of 0-60 m");
        }
        let received = self.find_received(optional_cell(record, long.received), errors);
        let flags = kept_flags(optional_cell(record, long.flags));
        let reading = Reading { quantity: quantity?, depth, value: value?, flags };
        let received = received?;
        (errors.count() == before).then(|| (vec![reading], received))
    }

    fn find_quantity(&mut self, text: &str, errors: &mut Errors) -> Option<QuantityNo> {
        if let Some(known) = self.quantities.get(text) {
            return Some(*known);
        }
        let found = find_quantity(self.catalogue, text);
        if let Some(quantity) = found {
            self.quantities.insert(text.to_owned(), quantity);
        } else {
            errors.note(self.line, "quantity", text, unknown_quantity(self.catalogue, text));
        }
        found
    }

    fn find_received(&mut self, text: &str, errors: &mut Errors) -> Option<Timestamp> {
        if text.is_empty() {
            return Some(self.options.now);
        }
        if let Some((known, time)) = &self.received
            && known == text
        {
            return Some(*time);
        }
        let time = self.time(text, "received", errors)?;
        self.received = Some((text.to_owned(), time));
        Some(time)
    }
}

fn is_one_message(pending: &Observation, next: &Observation) -> bool {
    pending.device == next.device
        && pending.measured == next.measured
        && pending.received == next.received
}

fn cell(record: &StringRecord, place: usize) -> &str {
    record.get(place).map_or("", str::trim)
}

fn optional_cell(record: &StringRecord, place: Option<usize>) -> &str {
    place.map_or("", |place| cell(record, place))
}

/// `X` and `T`: what only the arrival knew. Other flags follow from the values.
pub(super) fn kept_flags(text: &str) -> Flags {
    let stored = Flags::FAULT_CODE.with(Flags::TIME_FROM_ARRIVAL);
    text.split(';')
        .filter_map(|code| Flags::parse_code(code.trim()))
        .filter(|flag| stored.has(*flag))
        .fold(Flags::NONE, Flags::with)
}
