//! A CSV file as rows of named cells.

use csv::{ReaderBuilder, StringRecord};
use plotwise_config::closest::closest;

use super::{
    Options,
    errors::{Errors, FileErrors, refuse},
};

/// A column that a file may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// Its key, the English header.
    pub(super) key: &'static str,
    /// Chinese headers that mean the same; the first is the one that we write.
    pub(super) zh: &'static [&'static str],
    /// Whether a file without it is refused.
    pub(super) is_required: bool,
}

/// A column that a file must have.
pub(super) const fn required(key: &'static str, zh: &'static [&'static str]) -> Column {
    Column { key, zh, is_required: true }
}

/// A column that a file may have.
pub(super) const fn optional(key: &'static str, zh: &'static [&'static str]) -> Column {
    Column { key, zh, is_required: false }
}

/// One record of a file: its cells in the order of the columns that the parser named.
#[derive(Clone, Debug)]
pub(super) struct TableRow {
    pub(super) line: u64,
    pub(super) cells: Vec<Option<String>>,
}

/// Whole files are read at once: those of facts are small.
pub(super) struct Table {
    /// The header as it is written, per column; the key where the file lacks it.
    pub(super) headers: Vec<String>,
    pub(super) rows: Vec<TableRow>,
}

/// The text of a file without its byte-order mark.
pub(super) fn text_of(bytes: &[u8]) -> Result<&str, FileErrors> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count() as u64;
        let found = String::from_utf8_lossy(&bytes[error.valid_up_to()..]);
        let found: String = found.chars().take(8).collect();
        refuse(line, "1", &found, "UTF-8; save the sheet as `CSV UTF-8`")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// A reader that forgives lines of another length: they are named, not refused by the first.
pub(super) fn reader_of(text: &str) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes())
}

/// The line on which a record starts. `csv` counts from where it began to look, blank lines before
/// the record included.
pub(super) fn line_of(text: &str, record: &StringRecord) -> u64 {
    let Some(position) = record.position() else { return 1 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let blank = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
    position.line() + blank.filter(|byte| **byte == b'\n').count() as u64
}

/// Where each of `columns` stands in a header; errors are noted.
pub(super) fn find_columns(
    header: &StringRecord,
    line: u64,
    columns: &[Column],
    options: &Options,
    errors: &mut Errors,
) -> Vec<Option<usize>> {
    let mut places = vec![None; columns.len()];
    for (place, name) in header.iter().enumerate() {
        let name = name.trim();
        let is_this = |column: &Column| column.key == name || column.zh.contains(&name);
        match columns.iter().position(is_this) {
            Some(known) if places[known].is_none() => places[known] = Some(place),
            Some(_) => errors.note(line, name, name, "each column once"),
            None if options.ignore_unknown || name.is_empty() => {}
            None => errors.note(line, name, name, unknown_column(name, columns)),
        }
    }
    for (column, place) in columns.iter().zip(&places) {
        if column.is_required && place.is_none() {
            let zh = column.zh.first().map_or_else(String::new, |zh| format!(" ({zh})"));
            errors.note(line, column.key, "", format!("a column {}{zh}", column.key));
        }
    }
    places
}

pub(super) fn unknown_column(name: &str, columns: &[Column]) -> String {
    let names = columns.iter().flat_map(|column| std::iter::once(&column.key).chain(column.zh));
    if let Some(near) = closest(name, names.copied()) {
        return format!("a known column; did you mean {near}? (--ignore-unknown leaves it out)");
    }
    let keys: Vec<&str> = columns.iter().map(|column| column.key).collect();
    format!("one of {} (--ignore-unknown leaves it out)", keys.join(", "))
}

impl Table {
    /// Reads a file that has these columns.
    pub(super) fn read(
        bytes: &[u8],
        columns: &[Column],
        options: &Options,
        errors: &mut Errors,
    ) -> Result<Self, FileErrors> {
        let text = text_of(bytes)?;
        let mut reader = reader_of(text);
        let mut record = StringRecord::new();
        if !read_record(&mut reader, &mut record, errors) {
            return Err(refuse(1, "1", "", "a header line"));
        }
        let header_line = line_of(text, &record);
        let header = record.clone();
        let places = find_columns(&header, header_line, columns, options, errors);
        let headers = columns.iter().zip(&places).map(|(column, place)| {
            let written = place.and_then(|place| header.get(place)).map(str::trim);
            written.unwrap_or(column.key).to_owned()
        });
        let headers = headers.collect();
        let mut rows = Vec::new();
        while read_record(&mut reader, &mut record, errors) {
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let line = line_of(text, &record);
            if record.len() != header.len() {
                let wanted = format!("{} columns, as the header has", header.len());
                let found = format!("{} columns", record.len());
                errors.note(line, &record.len().to_string(), &found, wanted);
                continue;
            }
            let cells = places.iter().map(|place| {
                let cell = place.and_then(|place| record.get(place)).map(str::trim)?;
                (!cell.is_empty()).then(|| cell.to_owned())
            });
            rows.push(TableRow { line, cells: cells.collect() });
        }
        Ok(Self { headers, rows })
    }
}

/// Whether there was another record. Text that is UTF-8 and forgiving about lengths cannot fail; if
/// it does, the error ends the file and is noted.
fn read_record(
    reader: &mut csv::Reader<&[u8]>,
    record: &mut StringRecord,
    errors: &mut Errors,
) -> bool {
    match reader.read_record(record) {
        Ok(is_there) => is_there,
        Err(error) => {
            let line = error.position().map_or(0, csv::Position::line);
            errors.note(line, "1", &error.to_string(), "CSV");
            false
        }
    }
}
