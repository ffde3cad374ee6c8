//! When something was measured, as makers write it.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    super::{json::Json, shown},
    compiled::Path,
    value::{self, Value},
};

/// Numbers above this are milliseconds since 1970, others seconds.
const SECONDS_MAX: f64 = 1e11;

/// A text that names no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoMoment;

/// The moment at the first of the paths that is there; `None` where none is, or where the number is
/// beyond the calendar.
///
/// # Errors
///
/// What was found and what was wanted.
pub(super) fn at_first(
    paths: &[Path],
    root: &Json<'_>,
    zone: &TimeZone,
) -> Result<Option<Timestamp>, String> {
    let found = paths.iter().find_map(|path| path.find(root).map(|found| (path, found)));
    let Some((path, found)) = found else { return Ok(None) };
    let wrong = |found: String| {
        let wanted = "RFC 3339, a number since 1970, or date and time of day";
        format!("{}: found {found}, wanted {wanted}", path.text())
    };
    match found {
        Json::Number(number) => Ok(of_number(*number)),
        Json::Text(text) => {
            of_text(text, zone).map_err(|NoMoment| wrong(format!("{:?}", shown(text))))
        }
        other => Err(wrong(other.shown())),
    }
}

/// The moment that a text names; `None` where it is one beyond the calendar.
///
/// # Errors
///
/// Where it names none.
pub(super) fn of_text(text: &str, zone: &TimeZone) -> Result<Option<Timestamp>, NoMoment> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(Some(time));
    }
    if let Value::Number(number, None) = value::of_text(text) {
        return Ok(of_number(number));
    }
    let civil: DateTime = text.parse().map_err(|_| NoMoment)?;
    // In the hour that clocks go through twice, the first: nothing in the text tells them apart.
    Ok(zone.to_ambiguous_zoned(civil).compatible().ok().map(|zoned| zoned.timestamp()))
}

fn of_number(number: f64) -> Option<Timestamp> {
    let microseconds = (number * if number > SECONDS_MAX { 1e3 } else { 1e6 }).round();
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and the ends are no time")]
    Timestamp::from_microsecond(microseconds as i64).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_moment_is_read_however_it_is_written() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        for text in [
            "2026-01-01T00:00:00Z",
            "2026-01-01T08:00:00+08:00",
            "2026-01-01 08:00:00",
            "2026-01-01T08:00:00",
            "1767225600",
            " 1767225600000 ",
        ] {
            let wanted = "2026-01-01T00:00:00Z".parse().unwrap();
            assert_eq!(of_text(text, &shanghai), Ok(Some(wanted)), "{text}");
        }
        assert_eq!(of_text("yesterday", &shanghai), Err(NoMoment));
        assert_eq!(of_text("1e300", &shanghai), Ok(None));
    }

    proptest! {
        #[test]
        fn any_text_is_a_moment_or_is_not(text in ".{0,40}") {
            let _ = of_text(&text, &TimeZone::UTC);
        }
    }
}
