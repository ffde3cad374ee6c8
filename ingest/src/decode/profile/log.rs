//! Readings from earlier in one text, as Dragino's decoders write them.
//!
//! ```text
//! [PH:5.9,Temperature:24.9,DS18B20_Temperature:0,s_flag:0,time :2024-01-12 23:50:20],[...],
//! [24.59,19.57,28.2,2024-01-12 23:50:20],
//! ```
//!
//! An entry is values with labels, or values in a fixed order. One of 1970-01-01 is an empty place of the
//! node's memory, sent where it was asked for a span without readings: it is passed over.

use jiff::{Timestamp, civil::date, tz::TimeZone};
use plotwise_config::catalogue::profile::{self, Place};

use super::{
    super::{Quantities, shown},
    compiled::{Field, Path, fields},
    moment,
};

/// Where such a text stands and what its values are.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) at: Vec<Path>,
    time: Column,
    pub(super) fields: Vec<Field<Column>>,
}

/// Which value of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Label(String),
    /// From 0.
    Place(usize),
}

/// One entry, without its brackets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'t>(&'t str);

/// The entries of a text.
pub(super) fn entries(text: &str) -> impl Iterator<Item = Entry<'_>> {
    text.split('[').skip(1).filter_map(|rest| rest.split(']').next()).map(Entry)
}

impl Log {
    pub(super) fn compile(log: &profile::Log, depths: &[f64], quantities: &Quantities) -> Self {
        Self {
            at: log.at.iter().map(|path| Path::compile(path, None)).collect(),
            time: Column::compile(&log.time),
            fields: fields(&log.fields, depths, quantities, |place, _| Column::compile(place)),
        }
    }

    /// When an entry was measured; `None` for an empty one.
    pub(super) fn time_of(
        &self,
        entry: &Entry<'_>,
        zone: &TimeZone,
    ) -> Option<Result<Option<Timestamp>, String>> {
        let Some(text) = entry.find(&self.time) else { return Some(Ok(None)) };
        let Ok(time) = moment::of_text(text, zone) else {
            let found = shown(text);
            return Some(Err(format!("time: found {found:?}, wanted date and time of day")));
        };
        let is_empty = time.is_some_and(|time| {
            let day = zone.to_datetime(time).date();
            // West of Greenwich the beginning of 1970 was the evening before.
            day == date(1970, 1, 1) || day == date(1969, 12, 31)
        });
        (!is_empty).then_some(Ok(time))
    }
}

impl Column {
    fn compile(place: &Place) -> Self {
        match place {
            // The catalogue has refused numbers below 1.
            Place::Number(number) => Self::Place(usize::try_from(number - 1).unwrap_or(usize::MAX)),
            Place::Path(path) => Self::Label(path.to_string()),
        }
    }
}

impl<'t> Entry<'t> {
    /// The text of one value.
    pub(super) fn find(&self, column: &Column) -> Option<&'t str> {
        let mut values = self.0.split(',');
        match column {
            Column::Place(place) => values.nth(*place).map(str::trim),
            Column::Label(label) => values.find_map(|value| {
                let (found, value) = value.split_once(':')?;
                (found.trim() == label).then(|| value.trim())
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries_are_read_by_label_or_by_column() {
        let text = "[PH:5.9,time :2024-01-12 23:50:20],[6.1,2024-01-13 00:10:20],";
        let all: Vec<Entry<'_>> = entries(text).collect();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].find(&Column::Label("PH".to_owned())), Some("5.9"));
        assert_eq!(all[0].find(&Column::Label("time".to_owned())), Some("2024-01-12 23:50:20"));
        assert_eq!(all[0].find(&Column::Label("EC".to_owned())), None);
        assert_eq!(all[1].find(&Column::Place(1)), Some("2024-01-13 00:10:20"));
        assert_eq!(all[1].find(&Column::Place(2)), None);
        assert_eq!(entries("no brackets").count(), 0);
    }

    proptest! {
        #[test]
        fn any_text_has_entries_or_none(text in "[\\[\\],:a 0-9-]{0,60}", place in 0_usize..4) {
            for entry in entries(&text) {
                entry.find(&Column::Place(place));
                entry.find(&Column::Label("a".to_owned()));
            }
        }
    }
}
