//! A number as makers write it: as one, as text, as text with its unit.

use super::super::json::Json;

/// What stands where a number should.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// A number, and the unit where it is written behind.
    Number(f64, Option<&'a str>),
    /// A word for no number: NaN, Infinity.
    NotFinite,
    /// Nothing that could be one.
    Wrong,
}

/// What stands there.
pub(super) fn of<'a>(json: &'a Json<'_>) -> Value<'a> {
    match json {
        Json::Number(number) => Value::Number(*number, None),
        Json::Text(text) => of_text(text),
        _ => Value::Wrong,
    }
}

/// A number and its unit: `3.363 V`, `0.00 °C`, `19.57`.
pub(super) fn of_text(text: &str) -> Value<'_> {
    let text = text.trim();
    let end = end_of_number(text.as_bytes());
    let (number, unit) = text.split_at(end);
    match number.parse::<f64>() {
        Ok(number) if number.is_finite() => {
            let unit = unit.trim();
            Value::Number(number, (!unit.is_empty()).then_some(unit))
        }
        Ok(_) => Value::NotFinite,
        Err(_) => match text.parse::<f64>() {
            // `NaN`, `inf` and the like have no digits.
            Ok(_) => Value::NotFinite,
            Err(_) => Value::Wrong,
        },
    }
}

/// The number alone, whatever its unit.
pub(super) fn number(json: &Json<'_>) -> Option<f64> {
    match of(json) {
        Value::Number(number, _) => Some(number),
        _ => None,
    }
}

/// Where a decimal number at the start of a text ends; an exponent counts if it has digits.
fn end_of_number(text: &[u8]) -> usize {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let sign = |from: usize| usize::from(matches!(text.get(from), Some(b'+' | b'-')));
    let mut end = sign(0);
    end += digits(end);
    if text.get(end) == Some(&b'.') {
        end += 1;
        end += digits(end);
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let start = end + 1 + sign(end + 1);
        let count = digits(start.min(text.len()));
        if count > 0 {
            end = start + count;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_read_with_and_without_its_unit() {
        for (text, wanted) in [
            ("3.363 V", Value::Number(3.363, Some("V"))),
            ("0.00 °C", Value::Number(0.0, Some("°C"))),
            (" 19.57 ", Value::Number(19.57, None)),
            ("-1.29", Value::Number(-1.29, None)),
            ("2.1e3", Value::Number(2100.0, None)),
            ("5 e", Value::Number(5.0, Some("e"))),
            ("5eV", Value::Number(5.0, Some("eV"))),
            ("45%", Value::Number(45.0, Some("%"))),
            ("NaN", Value::NotFinite),
            ("-inf", Value::NotFinite),
            ("1e999", Value::NotFinite),
            ("", Value::Wrong),
            ("-", Value::Wrong),
            ("NULL", Value::Wrong),
            ("V 3.3", Value::Wrong),
        ] {
            assert_eq!(of_text(text), wanted, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_number_or_is_not(text in ".{0,40}") {
            of_text(&text);
        }

        #[test]
        fn a_number_that_was_written_is_read_to_the_last_bit(number in proptest::num::f64::NORMAL) {
            let text = format!("{number:?} °C");
            prop_assert_eq!(of_text(&text), Value::Number(number, Some("°C")));
        }
    }
}
