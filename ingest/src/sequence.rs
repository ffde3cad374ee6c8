//! Whether messages of a device are missing, by the counter `seq` that it sends along.
//!
//! ```text
//! 5 6 _ _ 9 10        7 and 8 are missing: a gap, two messages missed
//! 5 6 _ 8 9 10        8 came late: one filled, one still lost
//! ```
//!
//! A number above the last one leaves what lies between as an open gap; a number in an open gap fills
//! it; one that was there already is a repetition. The numbers may come in any order as long as no more
//! than `OPEN_MAX` gaps of a device are open at once; beyond that the oldest gap is closed as lost.
//!
//! A device that counts anew (after a reset, a re-join, or because its counter is full) makes no gap.
//! It is known by a number that is not above the last one although it was measured later; where the
//! device has no clock, by one that was there already with other readings. A jump of more than
//! `JUMP_MAX` is a new count too. What comes late from the count before is still told apart by its
//! time and fills that count's gaps.
//!
//! What was sent before the first number that we heard is unknown and not counted.
//!
//! # What it leaves out
//!
//! A message that came and could not be stored at all has no number here: it is a dead letter, and its
//! number a gap until it is replayed.

use crate::varint::{push, push_signed, take, take_signed};

/// Gaps of one count that are remembered as open. Our choice: a gap takes one or two bytes on disk, and
/// links that lose every second message deliver late ones within a few dozen.
const OPEN_MAX: usize = 32;

/// A longer jump is a counter that was set, not that many messages lost. Our choice: a 16-bit counter
/// gone round; at a message a minute it is 45 days.
const JUMP_MAX: u64 = 1 << 16;

/// How far below the first number that was heard another one may come without being a new count: the
/// first messages of a device may come in any order.
const NEAR: u64 = 32;

/// What is known of one device's counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sequence {
    current: Option<Count>,
    /// The count before the last restart: its stragglers may still come.
    previous: Option<Count>,
    pub(crate) totals: SequenceTotals,
}

/// How many of a device's numbers were missed, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SequenceTotals {
    /// Numbers that were skipped when a later one came.
    pub missed: u64,
    /// Of these, how many came late after all.
    pub filled: u64,
    /// Numbers that came more than once.
    pub repeated: u64,
    /// How often the device began to count anew.
    pub restarts: u64,
}

impl SequenceTotals {
    /// Messages that were sent and never came.
    pub const fn lost(self) -> u64 {
        self.missed.saturating_sub(self.filled)
    }
}

/// One number as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbered {
    pub(crate) seq: u64,
    /// When it was measured, ms since 1970; when it arrived, where the device has no clock.
    pub(crate) time_ms: i64,
    /// Whether that time is the device's own.
    pub(crate) has_own_time: bool,
    /// Whether its readings were stored as new.
    pub(crate) is_new: bool,
}

/// A run of numbers that belong to one count.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Count {
    first: u64,
    last: u64,
    first_ms: i64,
    last_ms: i64,
    /// First and last number of each gap, ascending, all between `first` and `last`.
    open: Vec<(u64, u64)>,
}

impl Sequence {
    /// Takes a number in; says how many were skipped just before it.
    pub(crate) fn note(&mut self, message: Numbered) -> u64 {
        let Some(current) = &mut self.current else {
            self.current = Some(Count::begin(message));
            return 0;
        };
        if let Some(previous) = &mut self.previous
            && message.has_own_time
            && message.time_ms < current.first_ms
            && (message.time_ms <= previous.last_ms || message.seq > previous.last)
        {
            if message.seq <= previous.last {
                previous.note_known(message.seq, &mut self.totals);
            } else if message.seq - previous.last <= JUMP_MAX {
                return previous.advance(message, &mut self.totals);
            }
            return 0;
        }
        if message.seq > current.last && message.seq - current.last <= JUMP_MAX {
            return current.advance(message, &mut self.totals);
        }
        if current.is_anew(message) {
            self.totals.restarts += 1;
            self.previous = self.current.replace(Count::begin(message));
        } else {
            current.note_known(message.seq, &mut self.totals);
        }
        0
    }

    /// Adds it to `bytes`.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        let SequenceTotals { missed, filled, repeated, restarts } = self.totals;
        for total in [missed, filled, repeated, restarts] {
            push(bytes, total);
        }
        for count in [&self.current, &self.previous] {
            match count {
                None => push(bytes, 0),
                Some(count) => count.write(bytes),
            }
        }
    }

    /// Takes what [`Sequence::write`] has written off the front; `None` where it is no such thing.
    pub(crate) fn read(bytes: &mut &[u8]) -> Option<Self> {
        let totals = SequenceTotals {
            missed: take(bytes)?,
            filled: take(bytes)?,
            repeated: take(bytes)?,
            restarts: take(bytes)?,
        };
        let (mut current, mut previous) = (None, None);
        for count in [&mut current, &mut previous] {
            if let Some(gaps) = take(bytes)?.checked_sub(1) {
                *count = Some(Count::read(gaps, bytes)?);
            }
        }
        Some(Self { current, previous, totals })
    }
}

impl Count {
    fn begin(message: Numbered) -> Self {
        Self {
            first: message.seq,
            last: message.seq,
            first_ms: message.time_ms,
            last_ms: message.time_ms,
            open: Vec::new(),
        }
    }

    /// Whether a number that is not the next one begins a new count.
    fn is_anew(&self, message: Numbered) -> bool {
        if message.seq > self.last {
            return true;
        }
        if message.seq == self.last {
            return false;
        }
        if message.has_own_time {
            return message.time_ms > self.last_ms;
        }
        let is_out_of_order = message.seq < self.first && self.first - message.seq <= NEAR;
        message.is_new && !is_out_of_order && self.gap_of(message.seq).is_none()
    }

    fn advance(&mut self, message: Numbered, totals: &mut SequenceTotals) -> u64 {
        let skipped = message.seq - self.last - 1;
        if skipped > 0 {
            self.open.push((self.last + 1, message.seq - 1));
            self.keep_bound();
            totals.missed += skipped;
        }
        (self.last, self.last_ms) = (message.seq, message.time_ms);
        skipped
    }

    /// A number that is not above the last one.
    fn note_known(&mut self, seq: u64, totals: &mut SequenceTotals) {
        let Some(place) = self.gap_of(seq) else {
            totals.repeated += u64::from(seq >= self.first);
            return;
        };
        let (from, to) = self.open.remove(place);
        if seq < to {
            self.open.insert(place, (seq + 1, to));
        }
        if from < seq {
            self.open.insert(place, (from, seq - 1));
        }
        totals.filled += 1;
        self.keep_bound();
    }

    fn gap_of(&self, seq: u64) -> Option<usize> {
        let place = self.open.partition_point(|(_, to)| *to < seq);
        self.open.get(place).is_some_and(|(from, _)| *from <= seq).then_some(place)
    }

    fn keep_bound(&mut self) {
        if self.open.len() > OPEN_MAX {
            self.open.remove(0);
        }
    }

    /// Gaps as distances from the number before: mostly a byte each.
    fn write(&self, bytes: &mut Vec<u8>) {
        push(bytes, 1 + self.open.len() as u64);
        push(bytes, self.first);
        push(bytes, self.last - self.first);
        push_signed(bytes, self.first_ms);
        push_signed(bytes, self.last_ms.wrapping_sub(self.first_ms));
        let mut before = self.first;
        for (from, to) in &self.open {
            push(bytes, from - before);
            push(bytes, to - from);
            before = *to;
        }
    }

    fn read(gaps: u64, bytes: &mut &[u8]) -> Option<Self> {
        let first = take(bytes)?;
        let last = first.checked_add(take(bytes)?)?;
        let first_ms = take_signed(bytes)?;
        let last_ms = first_ms.wrapping_add(take_signed(bytes)?);
        let mut open = Vec::new();
        let mut before = first;
        for _ in 0..usize::try_from(gaps).ok().filter(|gaps| *gaps <= OPEN_MAX)? {
            let from = before.checked_add(take(bytes)?)?;
            let to = from.checked_add(take(bytes)?)?;
            if from <= before || to >= last {
                return None;
            }
            open.push((from, to));
            before = to;
        }
        Some(Self { first, last, first_ms, last_ms, open })
    }
}

#[cfg(test)]
mod tests;
