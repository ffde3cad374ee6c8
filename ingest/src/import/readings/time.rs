//! Times as files carry them.

use jiff::{
    Timestamp,
    civil::{DateTime, Time},
    tz::TimeZone,
};

use crate::import::fields::{parse_day, parse_number};

/// Numbers above this are milliseconds since 1970, others seconds; as in messages.
const SECONDS_MAX: f64 = 1e11;

const WANTED: &str = "a time, as 2026-05-01T08:00:00+08:00, or seconds or milliseconds since 1970";
const ZONE_WANTED: &str = "a time with its zone, as 2026-05-01T08:00:00+08:00; or give --timezone";

/// A moment: RFC 3339, a number since 1970, or a local time or day where `zone` is given. A local
/// time that a clock change leaves out or repeats is taken as before the change.
pub(in crate::import) fn parse_time(
    text: &str,
    zone: Option<&TimeZone>,
) -> Result<Timestamp, &'static str> {
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return parse_number(text).and_then(since_1970).ok_or(WANTED);
    }
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let local = local_time(text).ok_or(WANTED)?;
    let zone = zone.ok_or(ZONE_WANTED)?;
    zone.to_timestamp(local).map_err(|_| WANTED)
}

fn since_1970(number: f64) -> Option<Timestamp> {
    let milliseconds = if number > SECONDS_MAX { number } else { number * 1000.0 };
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and jiff checks")]
    Timestamp::from_millisecond(milliseconds.round() as i64).ok()
}

/// A day, or a day and a time of it, as ISO or as a spreadsheet writes them (`2026/5/1 8:00`).
fn local_time(text: &str) -> Option<DateTime> {
    let (day, clock) = match text.split_once([' ', 'T', 't', '日']) {
        Some((day, clock)) => (day, clock.trim()),
        None => (text, ""),
    };
    let day = parse_day(day)?;
    let clock = if clock.is_empty() { Time::midnight() } else { time_of_day(clock)? };
    Some(day.to_datetime(clock))
}

/// `8:00`, `08:00:30`, `08:00:30.5`.
fn time_of_day(text: &str) -> Option<Time> {
    let mut parts = text.split(':');
    let (hour, minute) = (parts.next()?, parts.next()?);
    let second = parse_number(parts.next().unwrap_or("0"))?;
    if parts.next().is_some() || !(0.0..60.0).contains(&second) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "0 to 59,999 ms")]
    let milliseconds = (second * 1000.0).floor() as i32;
    let seconds = i8::try_from(milliseconds / 1000).ok()?;
    let nanoseconds = milliseconds % 1000 * 1_000_000;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, seconds, nanoseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        parse_time(text, Some(&zone)).map_or_else(str::to_owned, |time| time.to_string())
    }

    #[test]
    fn one_moment_is_written_in_many_ways() {
        for text in [
            "2026-05-01T00:00:00Z",
            "2026-05-01T08:00:00+08:00",
            "2026-05-01 08:00",
            "2026/5/1 8:00:00",
            "2026年5月1日 8:00",
            "1777593600",
            "1777593600000",
        ] {
            assert_eq!(parsed(text), "2026-05-01T00:00:00Z", "{text}");
        }
        assert_eq!(parsed("2026-05-01"), "2026-04-30T16:00:00Z");
        assert_eq!(parsed("2026-05-01 08:00:30.5"), "2026-05-01T00:00:30.5Z");
    }

    #[test]
    fn a_time_without_a_zone_asks_for_one() {
        assert_eq!(parse_time("2026-05-01 08:00", None), Err(ZONE_WANTED));
        assert_eq!(parse_time("2026-05-01", None), Err(ZONE_WANTED));
        assert!(parse_time("2026-05-01T08:00:00+08:00", None).is_ok());
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", ".", "yesterday", "2026-13-01", "2026-05-01 25:00", "01/05/2026", "1e999"]
        {
            assert_eq!(parsed(text), WANTED, "{text}");
        }
    }
}
