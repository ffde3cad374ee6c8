//! Records out of CBOR (RFC 8428, section 6; RFC 8949).
//!
//! Labels are whole numbers; texts are for extensions, and for encoders that write `"n"` all the same.
//! Numbers are integers, floats of any width, or decimal fractions (tag 4). Lengths may be indefinite.

use std::{borrow::Cow, fmt};

use cbor4ii::core::{
    dec::{self, Decode, IgnoredAny, Read, if_major, is_break},
    major, marker, types,
    utils::SliceReader,
};

use super::{
    Sink,
    record::{Element, Label, Record},
};
use crate::decode::field::Field;

/// The tag that says no more than "this is CBOR" (RFC 8949, 3.4.6).
const SELF_DESCRIBED: [u8; 3] = [0xd9, 0xd9, 0xf7];

/// Tag 4: a decimal fraction, exponent of ten and mantissa (RFC 8949, 3.4.4).
const DECIMAL_FRACTION: u8 = 0xc4;

/// CBOR that breaks off or breaks its rules.
#[derive(Debug)]
pub(super) struct Malformed {
    at: usize,
    what: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CBOR at byte {}: {}", self.at, self.what)
    }
}

type Error = dec::Error<std::convert::Infallible>;

/// Whether a payload is CBOR: an array, or an array behind the tag for CBOR. No JSON begins like that.
pub(super) fn is_cbor(payload: &[u8]) -> bool {
    let first = payload.strip_prefix(&SELF_DESCRIBED).unwrap_or(payload).first();
    payload.starts_with(&SELF_DESCRIBED)
        || first.is_some_and(|first| if_major(*first) == major::ARRAY)
}

/// Hands each element of a pack to `sink`; says what was found where it is no array.
///
/// # Errors
///
/// Where it is not CBOR; `sink` has been given what came before.
pub(super) fn read(payload: &[u8], sink: Sink<'_>) -> Result<Option<&'static str>, Malformed> {
    let body = payload.strip_prefix(&SELF_DESCRIBED).unwrap_or(payload);
    let mut reader = SliceReader::new(body);
    let read = pack(&mut reader, sink);
    let left = reader.fill(usize::MAX).map_or(0, |rest| rest.as_ref().len());
    let at = payload.len() - left;
    match read {
        Err(error) => Err(Malformed { at, what: error.to_string() }),
        Ok(_) if left > 0 => {
            Err(Malformed { at, what: format!("{left} bytes after the end of the pack") })
        }
        Ok(found) => Ok(found),
    }
}

fn pack(reader: &mut SliceReader<'_>, sink: Sink<'_>) -> Result<Option<&'static str>, Error> {
    if peek(reader).is_none_or(|first| if_major(first) != major::ARRAY) {
        return other(reader).map(Some);
    }
    let mut count = Count(types::Array::len(reader)?);
    while count.goes_on(reader)? {
        sink(element(reader)?);
    }
    Ok(None)
}

fn element<'a>(reader: &mut SliceReader<'a>) -> Result<Element<'a>, Error> {
    if peek(reader).is_none_or(|first| if_major(first) != major::MAP) {
        return other(reader).map(Element::Other);
    }
    let mut record = Record::default();
    let mut count = Count(types::Map::len(reader)?);
    while count.goes_on(reader)? {
        match key(reader)? {
            Key::Label(label) => record.take(label, field(reader)?),
            Key::Unknown(text) => {
                record.take_unknown(&text);
                IgnoredAny::decode(reader)?;
            }
        }
    }
    Ok(Element::Record(Box::new(record)))
}

/// Elements that are still to come; without a number, until the break.
struct Count(Option<usize>);

impl Count {
    fn goes_on(&mut self, reader: &mut SliceReader<'_>) -> Result<bool, Error> {
        match &mut self.0 {
            None => is_break(reader).map(|is_over| !is_over),
            Some(left) => {
                let more = left.checked_sub(1);
                *left = more.unwrap_or(0);
                Ok(more.is_some())
            }
        }
    }
}

enum Key<'a> {
    Label(Label),
    Unknown(Cow<'a, str>),
}

/// A number that RFC 8428 does not name, or a key that is neither number nor text, says nothing to us.
fn key<'a>(reader: &mut SliceReader<'a>) -> Result<Key<'a>, Error> {
    let first = peek(reader).unwrap_or_default();
    let label = match if_major(first) {
        major::UNSIGNED | major::NEGATIVE => {
            i64::try_from(i128::decode(reader)?).ok().and_then(Label::of_number)
        }
        major::STRING => {
            let text = Cow::<str>::decode(reader)?;
            return Ok(Label::of_text(&text).map_or(Key::Unknown(text), Key::Label));
        }
        _ => {
            other(reader)?;
            None
        }
    };
    Ok(label.map_or(Key::Unknown(Cow::Borrowed("")), Key::Label))
}

fn field<'a>(reader: &mut SliceReader<'a>) -> Result<Field<'a>, Error> {
    let first = peek(reader).unwrap_or_default();
    Ok(match if_major(first) {
        major::UNSIGNED | major::NEGATIVE => {
            let whole = i128::decode(reader)?;
            i64::try_from(whole).map_or(Field::Number(whole as f64), Field::Whole)
        }
        major::STRING => Field::Text(Cow::decode(reader)?),
        major::TAG if first == DECIMAL_FRACTION => decimal_fraction(reader)?,
        major::SIMPLE => match first {
            marker::F16 => {
                let types::F16(bits) = types::F16::decode(reader)?;
                Field::Number(half(bits))
            }
            marker::F32 => Field::Number(f32::decode(reader)?.into()),
            marker::F64 => Field::Number(f64::decode(reader)?),
            marker::FALSE | marker::TRUE => Field::Flag(bool::decode(reader)?),
            _ => {
                IgnoredAny::decode(reader)?;
                Field::Absent
            }
        },
        _ => Field::Other(other(reader)?),
    })
}

/// A decimal fraction, rounded once; anything else behind its tag is no number.
fn decimal_fraction<'a>(reader: &mut SliceReader<'a>) -> Result<Field<'a>, Error> {
    types::Tag::tag(reader)?;
    if peek(reader).is_none_or(|first| if_major(first) != major::ARRAY) {
        return other(reader).map(Field::Other);
    }
    let mut count = Count(types::Array::len(reader)?);
    let mut parts = [None; 2];
    let mut place = 0;
    while count.goes_on(reader)? {
        let part = integer(reader)?;
        if let Some(known) = parts.get_mut(place) {
            *known = part;
        }
        place += 1;
    }
    let ([Some(exponent), Some(mantissa)], 2) = (parts, place) else {
        return Ok(Field::Other("a broken decimal fraction"));
    };
    let number = format!("{mantissa}e{exponent}").parse();
    Ok(number.map_or(Field::Other("a broken decimal fraction"), Field::Number))
}

fn integer(reader: &mut SliceReader<'_>) -> Result<Option<i128>, Error> {
    match peek(reader).map(if_major) {
        Some(major::UNSIGNED | major::NEGATIVE) => i128::decode(reader).map(Some),
        _ => other(reader).map(|_| None),
    }
}

/// Skips whatever comes and says what it was.
fn other(reader: &mut SliceReader<'_>) -> Result<&'static str, Error> {
    let first = peek(reader);
    IgnoredAny::decode(reader)?;
    Ok(match (first.map(if_major), first) {
        (Some(major::UNSIGNED | major::NEGATIVE), _)
        | (_, Some(marker::F16 | marker::F32 | marker::F64)) => "a number",
        (Some(major::BYTES), _) => "bytes",
        (Some(major::STRING), _) => "a text",
        (Some(major::ARRAY), _) => "an array",
        (Some(major::MAP), _) => "an object",
        (Some(major::TAG), _) => "a tagged value",
        (_, Some(marker::FALSE | marker::TRUE)) => "true or false",
        _ => "null",
    })
}

fn peek(reader: &mut SliceReader<'_>) -> Option<u8> {
    reader.fill(1).ok().and_then(|bytes| bytes.as_ref().first().copied())
}

/// A float of 16 bits (IEEE 754, binary16).
fn half(bits: u16) -> f64 {
    let mantissa = f64::from(bits & 0x3ff);
    let size = match (bits >> 10) & 0x1f {
        0 => mantissa * (-24_f64).exp2(),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1024.0 + mantissa) * f64::from(i32::from(exponent) - 25).exp2(),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}
