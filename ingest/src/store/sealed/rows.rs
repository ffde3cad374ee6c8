//! Observations of one device in memory, in order of time: what rows and blocks have in common.

use std::{cmp::Ordering, ops::Range};

use crate::store::packed::Packed;

/// Observations of one device, in ascending order of time, each time once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::store) struct Rows {
    heads: Vec<Head>,
    /// Where the readings of each end, and those that it replaced.
    ends: Vec<(usize, usize)>,
    readings: Vec<Packed>,
    replaced: Vec<Packed>,
}

/// An observation without its readings; the columns of the same names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::store) struct Head {
    pub(in crate::store) time_ms: i64,
    pub(in crate::store) delay_ms: i64,
    pub(in crate::store) claimed_ms: Option<i64>,
    pub(in crate::store) seq: Option<i64>,
    /// Whether `replaced` is there, be it empty.
    pub(in crate::store) is_corrected: bool,
}

impl Rows {
    pub(in crate::store) fn clear(&mut self) {
        self.heads.clear();
        self.ends.clear();
        self.readings.clear();
        self.replaced.clear();
    }

    pub(in crate::store) fn len(&self) -> usize {
        self.heads.len()
    }

    /// How many readings all of them have, without those that were replaced.
    pub(in crate::store) fn count_readings(&self) -> usize {
        self.readings.len()
    }

    pub(in crate::store) fn heads(&self) -> &[Head] {
        &self.heads
    }

    pub(in crate::store) fn last_ms(&self) -> Option<i64> {
        self.heads.last().map(|head| head.time_ms)
    }

    /// The place of an observation.
    pub(in crate::store) fn find(&self, time_ms: i64) -> Option<usize> {
        self.heads.binary_search_by_key(&time_ms, |head| head.time_ms).ok()
    }

    /// The first place at or after a time.
    pub(in crate::store) fn first_from(&self, time_ms: i64) -> usize {
        self.heads.partition_point(|head| head.time_ms < time_ms)
    }

    /// Its readings, in order.
    pub(in crate::store) fn readings(&self, place: usize) -> &[Packed] {
        let from = place.checked_sub(1).map_or(0, |before| self.ends[before].0);
        &self.readings[from..self.ends[place].0]
    }

    /// What corrections replaced of it, in order.
    pub(in crate::store) fn replaced(&self, place: usize) -> &[Packed] {
        let from = place.checked_sub(1).map_or(0, |before| self.ends[before].1);
        &self.replaced[from..self.ends[place].1]
    }

    /// Appends a later observation.
    pub(in crate::store) fn push(&mut self, head: Head, readings: &[Packed], replaced: &[Packed]) {
        debug_assert!(self.last_ms().is_none_or(|last| last < head.time_ms), "ascending");
        self.readings.extend_from_slice(readings);
        self.replaced.extend_from_slice(replaced);
        self.heads.push(head);
        self.ends.push((self.readings.len(), self.replaced.len()));
    }

    /// Makes room for readings that come series by series: `counts` says how many each observation has.
    pub(super) fn set(&mut self, heads: &[Head], counts: &[usize], filler: Packed) {
        self.clear();
        self.heads.extend_from_slice(heads);
        let mut end = 0;
        self.ends.extend(counts.iter().map(|count| {
            end += count;
            (end, 0)
        }));
        self.readings.resize(end, filler);
    }

    /// For those who fill what [`Rows::set`] made room for.
    pub(super) fn parts(&mut self) -> (&mut [(usize, usize)], &mut [Packed], &mut Vec<Packed>) {
        (&mut self.ends, &mut self.readings, &mut self.replaced)
    }

    /// Replaces what it holds by the observations of both; where both have a time, `over` wins.
    pub(in crate::store) fn merge(&mut self, under: &Self, over: &Self) {
        self.clear();
        let (mut low, mut high) = (0, 0);
        loop {
            let (below, above) = (under.heads.get(low), over.heads.get(high));
            let order = match (below, above) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(below), Some(above)) => below.time_ms.cmp(&above.time_ms),
            };
            if order == Ordering::Less {
                self.push_from(under, low);
            } else {
                self.push_from(over, high);
                high += 1;
            }
            low += usize::from(order != Ordering::Greater);
        }
    }

    /// Appends some of another's observations, all of them later.
    pub(super) fn append(&mut self, other: &Self, places: Range<usize>) {
        for place in places {
            self.push_from(other, place);
        }
    }

    fn push_from(&mut self, other: &Self, place: usize) {
        self.push(other.heads[place], other.readings(place), other.replaced(place));
    }
}
