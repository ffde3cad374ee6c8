//! Numbers as bytes and as bits.
//!
//! A varint is LEB128: seven bits a byte, the lowest first, the eighth bit set where more follow. A
//! number with a sign is zigzagged before: 0, -1, 1, -2 ... become 0, 1, 2, 3 ... Bits fill bytes from
//! the lowest bit up.

use super::BlockDamage;

pub(super) fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

pub(super) fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

pub(super) fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

pub(super) fn take_varint(bytes: &mut &[u8]) -> Result<u64, BlockDamage> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(BlockDamage::Cut)?;
        *bytes = rest;
        let part = u64::from(byte & 0x7f);
        if part << shift >> shift != part {
            break;
        }
        number |= part << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(BlockDamage::TooLarge)
}

/// A varint that is a length or a count, at most `max`.
pub(super) fn take_count(bytes: &mut &[u8], max: usize) -> Result<usize, BlockDamage> {
    let count = take_varint(bytes)?;
    usize::try_from(count).ok().filter(|count| *count <= max).ok_or(BlockDamage::TooLarge)
}

pub(super) fn take_bytes<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], BlockDamage> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or(BlockDamage::Cut)?;
    *bytes = rest;
    Ok(taken)
}

/// Eight bytes, the lowest first.
pub(super) fn take_word(bytes: &mut &[u8]) -> Result<u64, BlockDamage> {
    let (word, rest) = bytes.split_first_chunk().ok_or(BlockDamage::Cut)?;
    *bytes = rest;
    Ok(u64::from_le_bytes(*word))
}

/// Appends bits to bytes; [`BitWriter::finish`] fills the last byte up with zeros.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    held: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, held: 0, count: 0 }
    }

    /// The lowest `count` bits of `bits`, the others of which are 0.
    pub(super) fn push(&mut self, bits: u64, count: u32) {
        if count > HALF {
            self.push_half(bits & HALF_MASK, HALF);
            self.push_half(bits >> HALF, count - HALF);
        } else {
            self.push_half(bits, count);
        }
    }

    fn push_half(&mut self, bits: u64, count: u32) {
        self.held |= bits << self.count;
        self.count += count;
        while self.count >= 8 {
            self.out.push(self.held.to_le_bytes()[0]);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    pub(super) fn finish(self) {
        if self.count > 0 {
            self.out.push(self.held.to_le_bytes()[0]);
        }
    }
}

/// Bits are taken in halves of a word, so that what is held and what comes fit one.
const HALF: u32 = 32;
const HALF_MASK: u64 = (1 << HALF) - 1;

/// Takes bits from bytes; behind their end all bits are 0.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    held: u64,
    count: u32,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, held: 0, count: 0 }
    }

    /// The next `count` bits, at most 64.
    pub(super) fn take(&mut self, count: u32) -> u64 {
        if count > HALF {
            self.take_half(HALF) | self.take_half(count - HALF) << HALF
        } else {
            self.take_half(count)
        }
    }

    fn take_half(&mut self, count: u32) -> u64 {
        while self.count < count {
            let (byte, rest) = self.bytes.split_first().unwrap_or((&0, &[]));
            self.held |= u64::from(*byte) << self.count;
            self.bytes = rest;
            self.count += 8;
        }
        let bits = self.held & ((1 << count) - 1);
        self.held >>= count;
        self.count -= count;
        bits
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(number: u64) {
            let mut out = Vec::new();
            push_varint(&mut out, number);
            prop_assert_eq!(take_varint(&mut &out[..]), Ok(number));
            prop_assert_eq!(zigzag(unzigzag(number)), number);
        }

        #[test]
        fn bits_come_back(numbers in proptest::collection::vec((any::<u64>(), 0..=64_u32), 0..40)) {
            let cut = |(bits, count): (u64, u32)| {
                let bits = bits.checked_shl(64 - count).unwrap_or(0);
                (bits.checked_shr(64 - count).unwrap_or(0), count)
            };
            let numbers: Vec<_> = numbers.into_iter().map(cut).collect();
            let mut out = Vec::new();
            let mut writer = BitWriter::new(&mut out);
            for (bits, count) in &numbers {
                writer.push(*bits, *count);
            }
            writer.finish();
            let total: u32 = numbers.iter().map(|(_, count)| count).sum();
            prop_assert_eq!(out.len(), total.div_ceil(8) as usize);
            let mut reader = BitReader::new(&out);
            for (bits, count) in numbers {
                prop_assert_eq!(reader.take(count), bits);
            }
        }

        #[test]
        fn any_bytes_are_a_number_or_damage(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            let _ = take_varint(&mut &bytes[..]);
        }
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_damage() {
        let mut bytes = [0xff; 10];
        bytes[9] = 2;
        assert_eq!(take_varint(&mut &bytes[..]), Err(BlockDamage::TooLarge));
        bytes[9] = 1;
        assert_eq!(take_varint(&mut &bytes[..]), Ok(u64::MAX));
    }
}
