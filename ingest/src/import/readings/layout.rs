//! Which column of a file of readings holds what.

use csv::StringRecord;
use plotwise_config::{
    catalogue::Catalogue,
    reading::{DepthMm, QuantityNo},
};

use super::columns::{DEVICE, LONG, QUANTITY, TIME, quantity_column};
use crate::import::{
    Options,
    errors::Errors,
    table::{Column, find_columns},
};

/// Places of columns in a file.
pub(super) enum Layout {
    /// A column a quantity.
    Wide { device: usize, time: usize, columns: Vec<WideColumn> },
    /// A line a reading.
    Long(Long),
}

/// A quantity's column.
pub(super) struct WideColumn {
    pub(super) place: usize,
    pub(super) header: String,
    pub(super) quantity: QuantityNo,
    pub(super) depth: Option<DepthMm>,
}

/// Places of columns in a long file.
pub(super) struct Long {
    device: usize,
    time: usize,
    pub(super) quantity: usize,
    pub(super) value: usize,
    pub(super) unit: Option<usize>,
    pub(super) depth: Option<usize>,
    pub(super) received: Option<usize>,
    pub(super) flags: Option<usize>,
}

impl Default for Layout {
    fn default() -> Self {
        Self::Wide { device: 0, time: 1, columns: Vec::new() }
    }
}

fn is_named(column: &Column, name: &str) -> bool {
    column.key == name || column.zh.contains(&name)
}

impl Layout {
    /// The layout of a header. What is wrong with it is noted; the layout then means nothing.
    pub(super) fn of(
        header: &StringRecord,
        line: u64,
        options: &Options,
        catalogue: &Catalogue,
        errors: &mut Errors,
    ) -> Self {
        if header.iter().any(|name| is_named(&QUANTITY, name.trim())) {
            Self::long(header, line, options, errors)
        } else {
            Self::wide(header, line, options, catalogue, errors)
        }
    }

    /// Where device and time stand.
    pub(super) const fn places(&self) -> (usize, usize) {
        match self {
            Self::Wide { device, time, .. } => (*device, *time),
            Self::Long(long) => (long.device, long.time),
        }
    }

    fn long(header: &StringRecord, line: u64, options: &Options, errors: &mut Errors) -> Self {
        let places = find_columns(header, line, LONG, options, errors);
        let place = |column: usize| places.get(column).copied().flatten();
        Self::Long(Long {
            device: place(0).unwrap_or_default(),
            time: place(1).unwrap_or_default(),
            quantity: place(2).unwrap_or_default(),
            value: place(3).unwrap_or_default(),
            unit: place(4),
            depth: place(5),
            received: place(6),
            flags: place(7),
        })
    }

    fn wide(
        header: &StringRecord,
        line: u64,
        options: &Options,
        catalogue: &Catalogue,
        errors: &mut Errors,
    ) -> Self {
        let (mut device, mut time, mut columns) = (None, None, Vec::<WideColumn>::new());
        for (place, name) in header.iter().enumerate() {
            let name = name.trim();
            if is_named(&DEVICE, name) && device.is_none() {
                device = Some(place);
            } else if is_named(&TIME, name) && time.is_none() {
                time = Some(place);
            } else {
                match quantity_column(name, catalogue) {
                    Ok((quantity, depth)) => {
                        let is_twice = |c: &WideColumn| c.quantity == quantity && c.depth == depth;
                        if columns.iter().any(is_twice) {
                            errors.note(line, name, name, "each quantity and depth once");
                        }
                        let header = name.to_owned();
                        columns.push(WideColumn { place, header, quantity, depth });
                    }
                    Err(_) if options.ignore_unknown || name.is_empty() => {}
                    Err(wanted) => errors.note(line, name, name, wanted),
                }
            }
        }
        for (key, place) in [("device", device), ("time", time)] {
            if place.is_none() {
                errors.note(line, key, "", format!("a column {key}"));
            }
        }
        if columns.is_empty() {
            let wanted = "at least one quantity, or the columns quantity and value";
            errors.note(line, "quantity", "", wanted);
        }
        Self::Wide { device: device.unwrap_or_default(), time: time.unwrap_or_default(), columns }
    }
}
