//! A cooperative's days as moments.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// The first moment of a local day and of the next, also where clocks change at midnight.
pub(crate) fn day_span(date: Date, zone: &TimeZone) -> (Timestamp, Timestamp) {
    let start = |date: Date| date.to_zoned(zone.clone()).map(|midnight| midnight.timestamp());
    // Only the first and the last day that jiff knows have a border outside what it knows.
    (
        start(date).unwrap_or(Timestamp::MIN),
        date.tomorrow().and_then(start).unwrap_or(Timestamp::MAX),
    )
}
