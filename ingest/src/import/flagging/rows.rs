//! The rows of a file of readings: where each stands in the text, and the series that they make.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Write},
};

use csv::StringRecord;
use jiff::Timestamp;
use plotwise_config::{
    catalogue::Catalogue,
    reading::{DepthMm, Flags, QuantityNo},
};

use super::FlagOptions;
use crate::{
    flags::TimedReading,
    import::{
        errors::{Errors, FileErrors},
        fields::parse_number,
        readings::{
            columns::{self, quantity_column},
            kept_flags, parse_time,
        },
        references::{find_quantity, unknown_quantity},
        table::{Column, line_of, reader_of},
    },
};

/// Where a series was measured. Devices are numbered as they come; without a column there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SeriesKey {
    pub(super) device: u32,
    pub(super) quantity: QuantityNo,
    pub(super) depth: Option<DepthMm>,
}

/// Readings, and the row and column of each.
#[derive(Debug, Default)]
pub(super) struct Series {
    pub(super) readings: Vec<TimedReading>,
    pub(super) cells: Vec<(u32, u16)>,
}

impl Series {
    /// In order of time; of one time in that of the file.
    pub(super) fn sort(&mut self) {
        if self.readings.is_sorted_by_key(|reading| reading.time) {
            return;
        }
        let mut order: Vec<usize> = (0..self.readings.len()).collect();
        order.sort_by_key(|place| self.readings[*place].time);
        self.readings = order.iter().map(|place| self.readings[*place]).collect();
        self.cells = order.iter().map(|place| self.cells[*place]).collect();
    }
}

/// The text of a file, row by row.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    pub(super) text: &'a str,
    /// Where each row ends, the header among them.
    ends: Vec<usize>,
    /// Rows of blanks, which stay as they are.
    blank: Vec<u32>,
    /// The column of flags that the file has already.
    flags: Option<usize>,
    /// Names of the columns that hold readings; that of the first is not written.
    names: Vec<String>,
    /// Names of those that hold nothing we know.
    pub(super) others: Vec<String>,
}

impl<'a> Rows<'a> {
    /// Reads a file whole.
    pub(super) fn read(
        text: &'a str,
        options: &FlagOptions,
        catalogue: &Catalogue,
    ) -> Result<(Self, BTreeMap<SeriesKey, Series>), FileErrors> {
        let mut errors = Errors::default();
        let mut reader = reader_of(text);
        let mut record = StringRecord::new();
        // Text that is UTF-8 cannot fail here; an empty file has an empty header, which is refused.
        let _ = reader.read_record(&mut record);
        let line = line_of(text, &record);
        let layout = Layout::of(&record, line, catalogue, &mut errors);
        if errors.count() > 0 {
            return errors.refuse();
        }
        let mut rows = Self {
            text,
            ends: vec![position(&reader)],
            blank: Vec::new(),
            flags: layout.flags,
            names: layout.names(),
            others: layout.others.clone(),
        };
        let header_len = record.len();
        let mut reading = Reading::new(options, catalogue, &layout);
        while reader.read_record(&mut record).unwrap_or(false) {
            let nth = u32::try_from(rows.ends.len()).unwrap_or(u32::MAX);
            rows.ends.push(position(&reader));
            if record.iter().all(|cell| cell.trim().is_empty()) {
                rows.blank.push(nth);
                continue;
            }
            reading.line = line_of(text, &record);
            if record.len() == header_len {
                reading.row(nth, &record, &mut errors);
            } else {
                let wanted = format!("{header_len} columns, as the header has");
                let found = format!("{} columns", record.len());
                errors.note(reading.line, &record.len().to_string(), &found, wanted);
            }
        }
        errors.finish((rows, reading.series.into_iter().collect()))
    }

    /// The text of each row, with the line break of the row before and most of its own.
    pub(super) fn raw(&self) -> impl Iterator<Item = &'a str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let text = self.text;
        starts.zip(&self.ends).map(move |(start, end)| &text[start..*end])
    }

    /// What follows the last row.
    pub(super) fn tail(&self) -> &'a str {
        &self.text[self.ends.last().copied().unwrap_or(0)..]
    }

    /// Adds the flags of a column to those of its row.
    pub(super) fn join(&self, codes: &mut String, column: u16, flags: Flags) {
        for code in flags.codes() {
            if !codes.is_empty() {
                codes.push(';');
            }
            if column > 0 {
                codes.push_str(self.names.get(usize::from(column)).map_or("", String::as_str));
                codes.push(':');
            }
            codes.push_str(code);
        }
    }

    /// Writes a row with its flags. Only a row whose flags stood there before is written anew.
    pub(super) fn write(
        &self,
        nth: u32,
        raw: &str,
        codes: &str,
        out: &mut impl Write,
    ) -> io::Result<()> {
        if self.blank.binary_search(&nth).is_ok() {
            return out.write_all(raw.as_bytes());
        }
        let is_break = |c: char| matches!(c, '\n' | '\r');
        let before = raw.len() - raw.trim_start_matches(is_break).len();
        let after = raw.trim_end_matches(is_break).len().max(before);
        let (breaks, cells) = raw[..after].split_at(before);
        out.write_all(breaks.as_bytes())?;
        match self.flags {
            Some(_) if nth == 0 => out.write_all(cells.as_bytes())?,
            Some(place) => write_replaced(cells, place, codes, out)?,
            None => {
                out.write_all(cells.as_bytes())?;
                out.write_all(b",")?;
                out.write_all(if nth == 0 { b"flags" } else { codes.as_bytes() })?;
            }
        }
        out.write_all(&raw.as_bytes()[after..])
    }
}

fn position(reader: &csv::Reader<&[u8]>) -> usize {
    usize::try_from(reader.position().byte()).unwrap_or(usize::MAX)
}

/// A row with another cell at a place.
fn write_replaced(cells: &str, place: usize, cell: &str, out: &mut impl Write) -> io::Result<()> {
    let mut record = StringRecord::new();
    reader_of(cells).read_record(&mut record)?;
    let mut written = csv::Writer::from_writer(Vec::new());
    let cells = record.iter().enumerate();
    written.write_record(cells.map(|(nth, old)| if nth == place { cell } else { old }))?;
    let written = written.into_inner().map_err(csv::IntoInnerError::into_error)?;
    out.write_all(written.trim_ascii_end())
}

/// Which column holds what.
struct Layout {
    device: Option<usize>,
    time: usize,
    flags: Option<usize>,
    kind: Kind,
    others: Vec<String>,
}

enum Kind {
    /// Place, header, quantity, depth; the first one's codes stand bare.
    Wide(Vec<(usize, String, QuantityNo, Option<DepthMm>)>),
    Long {
        quantity: usize,
        value: usize,
        unit: Option<usize>,
        depth: Option<usize>,
    },
}

impl Layout {
    fn of(header: &StringRecord, line: u64, catalogue: &Catalogue, errors: &mut Errors) -> Self {
        let place = |column: &Column| {
            let is_this = |name: &str| column.key == name || column.zh.contains(&name);
            header.iter().position(|name| is_this(name.trim()))
        };
        let time = place(&columns::TIME).or_else(|| place(&columns::UTC));
        if time.is_none() {
            errors.note(line, "time", "", "a column time");
        }
        let (device, flags) = (place(&columns::DEVICE), place(&columns::FLAGS));
        let known = [device, time, flags];
        let mut others = Vec::new();
        let kind = if let Some(quantity) = place(&columns::QUANTITY) {
            let value = place(&columns::VALUE);
            if value.is_none() {
                errors.note(line, "value", "", "a column value");
            }
            let (unit, depth) = (place(&columns::UNIT), place(&columns::DEPTH));
            Kind::Long { quantity, value: value.unwrap_or_default(), unit, depth }
        } else {
            let mut found = Vec::new();
            for (place, name) in header.iter().enumerate() {
                let name = name.trim();
                match quantity_column(name, catalogue) {
                    _ if known.contains(&Some(place)) => {}
                    Ok((quantity, depth)) => found.push((place, name.to_owned(), quantity, depth)),
                    Err(_) => others.push(name.to_owned()),
                }
            }
            if found.is_empty() {
                let wanted = "at least one quantity, or the columns quantity and value";
                errors.note(line, "quantity", "", wanted);
            }
            let moisture = catalogue.quantity_no("soil_moisture");
            if let Some(first) = found.iter().position(|column| Some(column.2) == moisture) {
                found[..=first].rotate_right(1);
            }
            Kind::Wide(found)
        };
        Self { device, time: time.unwrap_or_default(), flags, kind, others }
    }

    fn names(&self) -> Vec<String> {
        match &self.kind {
            Kind::Wide(columns) => columns.iter().map(|column| column.1.clone()).collect(),
            Kind::Long { .. } => Vec::new(),
        }
    }
}

/// The state of going through a file.
struct Reading<'a> {
    options: &'a FlagOptions,
    catalogue: &'a Catalogue,
    layout: &'a Layout,
    line: u64,
    devices: HashMap<String, u32>,
    quantities: HashMap<String, QuantityNo>,
    /// Neighbouring rows mostly have the same device, and in a long file the same time.
    last_device: (String, u32),
    last_time: (String, Timestamp),
    series: Vec<(SeriesKey, Series)>,
    places: BTreeMap<SeriesKey, usize>,
    /// By column, where its last reading went.
    last_place: Vec<usize>,
}

impl<'a> Reading<'a> {
    fn new(options: &'a FlagOptions, catalogue: &'a Catalogue, layout: &'a Layout) -> Self {
        Self {
            options,
            catalogue,
            layout,
            line: 1,
            devices: HashMap::new(),
            quantities: HashMap::new(),
            last_device: (String::new(), 0),
            last_time: (String::new(), Timestamp::UNIX_EPOCH),
            series: Vec::new(),
            places: BTreeMap::new(),
            last_place: Vec::new(),
        }
    }

    fn row(&mut self, nth: u32, record: &StringRecord, errors: &mut Errors) {
        let cell = |place: usize| record.get(place).map_or("", str::trim);
        let layout = self.layout;
        let device = layout.device.map_or(0, |place| self.device(cell(place)));
        let Some(time) = self.time(cell(layout.time), errors) else { return };
        let flags = layout.flags.map_or(Flags::NONE, |place| kept_flags(cell(place)));
        match &layout.kind {
            Kind::Wide(columns) => {
                for (column, (place, header, quantity, depth)) in (0..).zip(columns) {
                    let text = cell(*place);
                    let is_first = column == 0;
                    let flags = if is_first { flags } else { Flags::NONE };
                    match parse_number(text) {
                        Some(value) => {
                            let reading = TimedReading { time, value, flags };
                            self.add(device, *quantity, *depth, reading, (nth, column));
                        }
                        None if text.is_empty() => {}
                        None => errors.note(self.line, header, text, "a number, or nothing"),
                    }
                }
            }
            Kind::Long { quantity, value, unit, depth } => {
                let number = self.quantity(cell(*quantity), errors);
                let mut found = parse_number(cell(*value));
                if found.is_none() {
                    errors.note(self.line, "value", cell(*value), "a number");
                }
                let unit = unit.map_or("", cell);
                if let (Some(number), Some(written), false) = (number, found, unit.is_empty()) {
                    match self.catalogue.convert(number, written, unit) {
                        Ok(converted) => found = Some(converted),
                        Err(error) => errors.note(self.line, "unit", unit, error.to_string()),
                    }
                }
                let text = depth.map_or("", cell);
                let depth = parse_number(text).and_then(DepthMm::from_metres);
                if depth.is_none() && !text.is_empty() {
                    errors.note(self.line, "depth_m", text, "a depth of 0-60 m");
                }
                let (Some(quantity), Some(value)) = (number, found) else { return };
                self.add(device, quantity, depth, TimedReading { time, value, flags }, (nth, 0));
            }
        }
    }

    fn add(
        &mut self,
        device: u32,
        quantity: QuantityNo,
        depth: Option<DepthMm>,
        reading: TimedReading,
        cell: (u32, u16),
    ) {
        let is_in_soil = self.catalogue.quantity(quantity).in_soil;
        let depth = depth.or(self.options.depth.filter(|_| is_in_soil));
        let key = SeriesKey { device, quantity, depth };
        let column = usize::from(cell.1);
        let last = self.last_place.get(column).and_then(|place| self.series.get(*place));
        let place = match last {
            Some((known, _)) if *known == key => self.last_place[column],
            _ => {
                let place = *self.places.entry(key).or_insert_with(|| {
                    self.series.push((key, Series::default()));
                    self.series.len() - 1
                });
                self.last_place.resize(self.last_place.len().max(column + 1), place);
                self.last_place[column] = place;
                place
            }
        };
        let (_, series) = &mut self.series[place];
        series.readings.push(reading);
        series.cells.push(cell);
    }

    fn device(&mut self, name: &str) -> u32 {
        if self.last_device.0 != name {
            let next = u32::try_from(self.devices.len() + 1).unwrap_or(u32::MAX);
            let number = *self.devices.entry(name.to_owned()).or_insert(next);
            self.last_device = (name.to_owned(), number);
        }
        self.last_device.1
    }

    fn time(&mut self, text: &str, errors: &mut Errors) -> Option<Timestamp> {
        let is_long = matches!(self.layout.kind, Kind::Long { .. });
        if is_long && !text.is_empty() && self.last_time.0 == text {
            return Some(self.last_time.1);
        }
        match parse_time(text, Some(&self.options.timezone)) {
            Ok(time) => {
                if is_long {
                    self.last_time = (text.to_owned(), time);
                }
                Some(time)
            }
            Err(wanted) => {
                errors.note(self.line, "time", text, wanted);
                None
            }
        }
    }

    fn quantity(&mut self, text: &str, errors: &mut Errors) -> Option<QuantityNo> {
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
}
