//! A column of values, bit for bit.
//!
//! ```text
//! values     =  scale(1)  column  [varint count of exceptions  exception*]
//! scale      =  0..=15:  a value is the column's number / 10^scale; exceptions follow
//!               16..=79: a value's bits are the column's number << (scale - 16); none follow
//! exception  =  varint how many values stand between the one before and this  its 8 bytes
//! ```
//!
//! Sensors send few decimals. The lowest power of ten that gives nearly all values of the column back bit
//! for bit makes them small whole numbers; the others are exceptions (in the column they repeat the number
//! before). Where there are too many of those, as where a unit was converted, the bits themselves are
//! the numbers, without the zeros that all of them end in (values that were once `f32` end in 29).

use super::{
    BlockDamage,
    bits::{push_varint, take_bytes, take_count, take_word},
    column::{ColumnReader, ColumnWriter},
};

/// Powers of ten up to 22 are exact in `f64`; sensors do not send more than 15 digits.
const POWERS: [f64; 16] =
    [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Whole numbers up to here are exact in `f64`.
const WHOLE_MAX: f64 = (1_i64 << 53) as f64;

/// One value in so many may be an exception. Our choice: one takes some nine bytes, raw bits seven
/// bytes for every value.
const EXCEPTION_EVERY: usize = 16;

/// Scale of raw bits without their last zeros: this and how many zeros.
const RAW: u8 = 16;
const RAW_SHIFT_MAX: u8 = 63;

/// Writes columns of values; keeps its buffers.
pub(super) struct ValuesWriter {
    numbers: Vec<i64>,
    /// (place, value).
    exceptions: Vec<(usize, f64)>,
}

impl ValuesWriter {
    pub(super) fn new() -> Self {
        Self { numbers: Vec::new(), exceptions: Vec::new() }
    }

    /// Appends `values` to `out`.
    pub(super) fn write(&mut self, values: &[f64], columns: &mut ColumnWriter, out: &mut Vec<u8>) {
        let powers = (0..).zip(POWERS);
        for (scale, power) in powers {
            if self.scale(values, power) {
                out.push(scale);
                columns.write(&self.numbers, out);
                self.write_exceptions(out);
                return;
            }
        }
        let zeros = values.iter().map(|value| value.to_bits().trailing_zeros()).min();
        let shift = zeros.map_or(0, |zeros| zeros.to_le_bytes()[0]).min(RAW_SHIFT_MAX);
        self.numbers.clear();
        self.numbers.extend(values.iter().map(|value| (value.to_bits() >> shift).cast_signed()));
        out.push(RAW + shift);
        columns.write(&self.numbers, out);
    }

    /// Fills numbers and exceptions; `false` where there are too many of those.
    fn scale(&mut self, values: &[f64], power: f64) -> bool {
        self.numbers.clear();
        self.exceptions.clear();
        let exceptions_max = values.len() / EXCEPTION_EVERY;
        let mut before = 0;
        for (place, value) in values.iter().enumerate() {
            if let Some(whole) = whole(*value, power) {
                before = whole;
            } else {
                if self.exceptions.len() == exceptions_max {
                    return false;
                }
                self.exceptions.push((place, *value));
            }
            self.numbers.push(before);
        }
        true
    }

    fn write_exceptions(&self, out: &mut Vec<u8>) {
        push_varint(out, self.exceptions.len() as u64);
        let mut next = 0;
        for (place, value) in &self.exceptions {
            push_varint(out, (place - next) as u64);
            out.extend_from_slice(&value.to_bits().to_le_bytes());
            next = place + 1;
        }
    }
}

/// The whole number that divided by `power` is `value` bit for bit.
fn whole(value: f64, power: f64) -> Option<i64> {
    let scaled = value * power;
    if scaled.abs() >= WHOLE_MAX {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "truncation of less than 2^53 + 1")]
    let whole = (scaled + 0.5_f64.copysign(scaled)) as i64;
    // The bits, not the number: -0 has no whole number.
    ((whole as f64 / power).to_bits() == value.to_bits()).then_some(whole)
}

/// Replaces `values` by the next `count` ones of `bytes`; `numbers` is a buffer.
pub(super) fn read(
    bytes: &mut &[u8],
    count: usize,
    columns: &mut ColumnReader,
    numbers: &mut Vec<i64>,
    values: &mut Vec<f64>,
) -> Result<(), BlockDamage> {
    let scale = take_bytes(bytes, 1)?[0];
    columns.read(bytes, count, numbers)?;
    values.clear();
    if let Some(power) = POWERS.get(usize::from(scale)) {
        values.extend(numbers.iter().map(|number| *number as f64 / power));
        let exceptions = take_count(bytes, count)?;
        let mut place = 0;
        for _ in 0..exceptions {
            place += take_count(bytes, count)?;
            let value = values.get_mut(place).ok_or(BlockDamage::Shape)?;
            *value = f64::from_bits(take_word(bytes)?);
            place += 1;
        }
    } else {
        let shift = scale.checked_sub(RAW).filter(|shift| *shift <= RAW_SHIFT_MAX);
        let shift = shift.ok_or(BlockDamage::Shape)?;
        let bits = numbers.iter().map(|number| number.cast_unsigned() << shift);
        values.extend(bits.map(f64::from_bits));
    }
    if values.iter().all(|value| value.is_finite()) { Ok(()) } else { Err(BlockDamage::NotFinite) }
}

/// Steps over the next `count` values of `bytes`, whatever they are.
pub(super) fn skip(
    bytes: &mut &[u8],
    count: usize,
    columns: &mut ColumnReader,
) -> Result<(), BlockDamage> {
    let scale = take_bytes(bytes, 1)?[0];
    columns.skip(bytes, count)?;
    if usize::from(scale) < POWERS.len() {
        for _ in 0..take_count(bytes, count)? {
            take_count(bytes, count)?;
            take_word(bytes)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn there_and_back(values: &[f64]) -> (u8, usize) {
        let mut out = Vec::new();
        ValuesWriter::new().write(values, &mut ColumnWriter::new(), &mut out);
        let (mut rest, mut numbers, mut back) = (&out[..], Vec::new(), Vec::new());
        read(&mut rest, values.len(), &mut ColumnReader::new(), &mut numbers, &mut back).unwrap();
        assert!(rest.is_empty());
        let mut rest = &out[..];
        skip(&mut rest, values.len(), &mut ColumnReader::new()).unwrap();
        assert!(rest.is_empty());
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(values));
        (out[0], out.len())
    }

    fn value() -> impl Strategy<Value = f64> {
        let decimal = (any::<i32>(), 0..12_i32)
            .prop_map(|(whole, places)| format!("{whole}e-{places}").parse().unwrap());
        let whole = any::<f64>().prop_filter("finite", |value| value.is_finite());
        let single = any::<f32>().prop_filter("finite", |value| value.is_finite());
        prop_oneof![8 => decimal, 1 => whole, 1 => single.prop_map(f64::from), 1 => Just(-0.0)]
    }

    proptest! {
        #[test]
        fn every_value_comes_back_bit_for_bit(values in proptest::collection::vec(value(), 0..80)) {
            there_and_back(&values);
        }

        #[test]
        fn any_bytes_are_values_or_damage(
            bytes in proptest::collection::vec(any::<u8>(), 0..64), count in 0..100_usize,
        ) {
            let (mut numbers, mut back) = (Vec::new(), Vec::new());
            let _ = read(&mut &bytes[..], count, &mut ColumnReader::new(), &mut numbers, &mut back);
            let _ = skip(&mut &bytes[..], count, &mut ColumnReader::new());
        }
    }

    #[test]
    fn a_few_odd_values_do_not_cost_the_others_their_scale() {
        let mut values: Vec<_> = (0..640).map(|n| f64::from(230 + n % 7) / 1000.0).collect();
        let (scale, length) = there_and_back(&values);
        assert_eq!(scale, 3);
        values[100] = -0.0;
        values[639] = 0.1 + 0.2;
        let (scale, longer) = there_and_back(&values);
        assert_eq!(scale, 3);
        assert!(longer < length + 60, "{length} {longer}");
    }

    #[test]
    fn values_that_were_single_precision_keep_no_zeros() {
        let values: Vec<_> = (1..200_u16).map(|n| f64::from(f32::from(n) / 7.0)).collect();
        let (scale, length) = there_and_back(&values);
        assert_eq!(scale, RAW + 29);
        assert!(length < 200 * 4, "{length}");
    }
}
