//! A column of numbers in few bytes, bit for bit.

use crate::days::span::SPAN_DAYS;

/// The form of raw bits.
const RAW: u8 = 255;

/// Powers of ten of the decimal forms; each is exact.
const POWERS: [f64; 13] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12];

/// Larger whole numbers are not exact.
const WHOLE_MAX: f64 = (1_i64 << 53) as f64;

/// Appends a column. Where `counts` are given, the values are means of so many.
pub(super) fn push_numbers(bytes: &mut Vec<u8>, values: &[f64], counts: Option<&[f64]>) {
    let count = |nth: usize| counts.and_then(|counts| counts.get(nth)).copied().unwrap_or(1.0);
    let mut best: Option<(u8, Vec<u8>)> = None;
    for (form, power) in (0..).zip(POWERS) {
        let Some(column) = decimal(values, power, count) else { break };
        if best.as_ref().is_none_or(|(_, shortest)| column.len() < shortest.len()) {
            best = Some((form, column));
        }
    }
    match best {
        Some((form, column)) if column.len() < values.len() * 8 => {
            bytes.push(form);
            bytes.extend_from_slice(&column);
        }
        _ => {
            bytes.push(RAW);
            bytes.extend(values.iter().flat_map(|value| value.to_bits().to_le_bytes()));
        }
    }
}

/// The column as whole numbers and steps; `None` where a whole number would be too large.
fn decimal(values: &[f64], power: f64, count: impl Fn(usize) -> f64) -> Option<Vec<u8>> {
    let (mut wholes, mut steps) = (Vec::new(), Vec::new());
    let mut last = 0;
    for (nth, value) in values.iter().enumerate() {
        let scaled = (value * count(nth) * power).round();
        if scaled.is_nan() || scaled.abs() >= WHOLE_MAX {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        let whole = scaled as i64;
        push_varint(&mut wholes, zigzag(whole.wrapping_sub(last)));
        let step = ordinal(*value).wrapping_sub(ordinal(value_of(whole, power, count(nth))));
        push_varint(&mut steps, zigzag(step));
        last = whole;
    }
    wholes.append(&mut steps);
    Some(wholes)
}

/// Takes a column of so many values back; `counts` as when it was appended.
pub(super) fn take_numbers(
    bytes: &mut Bytes<'_>,
    length: usize,
    counts: Option<&[f64]>,
) -> Option<Vec<f64>> {
    let count = |nth: usize| counts.and_then(|counts| counts.get(nth)).copied().unwrap_or(1.0);
    let form = bytes.byte()?;
    if form == RAW {
        return (0..length).map(|_| bytes.eight().map(f64::from_bits)).collect();
    }
    let power = *POWERS.get(usize::from(form))?;
    let mut whole = 0_i64;
    let mut values = Vec::with_capacity(length);
    for nth in 0..length {
        whole = whole.wrapping_add(unzigzag(bytes.varint()?));
        values.push(value_of(whole, power, count(nth)));
    }
    for value in &mut values {
        let step = unzigzag(bytes.varint()?);
        *value = from_ordinal(ordinal(*value).wrapping_add(step));
    }
    Some(values)
}

fn value_of(whole: i64, power: f64, count: f64) -> f64 {
    whole as f64 / power / count
}

/// The place of a number among all f64, in their order: neighbours differ by one.
fn ordinal(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ (bits >> 63) & i64::MAX
}

fn from_ordinal(ordinal: i64) -> f64 {
    f64::from_bits((ordinal ^ (ordinal >> 63) & i64::MAX).cast_unsigned())
}

fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

pub(super) fn push_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// What is left to read; `None` from its methods where that is too little.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl Bytes<'_> {
    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// One bit a day.
    pub(super) fn mask(&mut self) -> Option<u32> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        let mask = u32::from_le_bytes(*bytes);
        (i64::from(u32::BITS - mask.leading_zeros()) <= SPAN_DAYS).then_some(mask)
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn eight(&mut self) -> Option<u64> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*bytes))
    }
}
