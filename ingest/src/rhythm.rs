//! How often a device sends, learned from what it sent, and whether it is late.
//!
//! The expected interval is the median of the device's last `RECENT` spacings: a lost message doubles
//! one of them, an outage makes one huge, neither moves the median. Two spacings are watched, and the
//! longer median counts: between measurements, and between deliveries, because a node may measure every
//! quarter of an hour and send four times a day. Messages of one delivery follow each other closely:
//! arrivals nearer than half the measuring interval are one delivery.
//!
//! # What the words mean
//!
//! | word | when |
//! |---|---|
//! | `on_time` | heard within [`LATE_AFTER`] intervals |
//! | `behind` | heard, but its newest measurement is older than [`SILENT_AFTER`] intervals: it delivers a backlog, or its clock is slow |
//! | `late` | not heard for more than [`LATE_AFTER`] intervals |
//! | `silent` | not heard for more than [`SILENT_AFTER`] intervals |
//! | `never` | never heard |
//!
//! Until three spacings are known the interval counts as [`UNKNOWN_INTERVAL`].

use jiff::{SignedDuration, Timestamp};

use crate::varint::{push, take};

/// Spacings that are remembered. Odd, so that one of them is the median.
const RECENT: usize = 9;

/// Fewer say nothing.
const ENOUGH: usize = 3;

/// A device is late after so many intervals. Our choice: a radio link that loses one message in five
/// loses three in a row once in 125.
pub const LATE_AFTER: i32 = 3;

/// And silent after so many. Our choice: half a day for a device that sends by the hour.
pub const SILENT_AFTER: i32 = 12;

/// No device is late before this: a message a second may be held up by a slow link.
const LATE_MIN: SignedDuration = SignedDuration::from_mins(1);

/// Nor silent before this.
const SILENT_MIN: SignedDuration = SignedDuration::from_mins(5);

/// The interval of a device that has sent too little to say: it is late after a day.
pub const UNKNOWN_INTERVAL: SignedDuration = SignedDuration::from_hours(8);

/// The last spacings of one kind, ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Spacings {
    recent: [u32; RECENT],
    /// How many of them are there.
    count: usize,
    /// Where the next one goes.
    next: usize,
}

/// How often a device measures and delivers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rhythm {
    measured: Spacings,
    delivered: Spacings,
}

/// When a device was last heard of, and how often that is to be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The latest measured time that is stored.
    pub measured: Timestamp,
    /// The latest arrival of something new.
    pub received: Timestamp,
    /// The learned interval; `None` where too little came to say.
    pub interval: Option<SignedDuration>,
}

/// Whether a device sends as it used to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Liveness {
    /// Heard as expected.
    OnTime,
    /// Heard as expected, but what it measures is old.
    Behind,
    /// Some messages are missing.
    Late,
    /// It has fallen silent.
    Silent,
    /// Never heard.
    Never,
}

impl Liveness {
    /// Every one, in order.
    pub const ALL: [Self; 5] = [Self::OnTime, Self::Behind, Self::Late, Self::Silent, Self::Never];

    /// The word in lists, API and metrics.
    pub const fn key(self) -> &'static str {
        match self {
            Self::OnTime => "on_time",
            Self::Behind => "behind",
            Self::Late => "late",
            Self::Silent => "silent",
            Self::Never => "never",
        }
    }

    /// How a device is at `now` that was `heard` like this.
    pub fn of(heard: Option<&Heard>, now: Timestamp) -> Self {
        let Some(heard) = heard else { return Self::Never };
        let interval = heard.interval.unwrap_or(UNKNOWN_INTERVAL);
        let late = interval.saturating_mul(LATE_AFTER).max(LATE_MIN);
        let silent = interval.saturating_mul(SILENT_AFTER).max(SILENT_MIN);
        let quiet = now.duration_since(heard.received);
        if quiet > silent {
            Self::Silent
        } else if quiet > late {
            Self::Late
        } else if now.duration_since(heard.measured) > silent {
            Self::Behind
        } else {
            Self::OnTime
        }
    }
}

impl Rhythm {
    /// A measurement so long after the latest before it.
    pub(crate) fn note_measured(&mut self, spacing_ms: i64) {
        self.measured.push(spacing_ms);
    }

    /// Something new arrived so long after the latest arrival before it.
    pub(crate) fn note_received(&mut self, spacing_ms: i64) {
        // Before the measuring interval is known, nobody can say what one delivery is.
        if let Some(measuring_ms) = self.measured.median()
            && spacing_ms.saturating_mul(2) >= measuring_ms
        {
            self.delivered.push(spacing_ms);
        }
    }

    /// The expected interval; `None` where too little came to say.
    pub(crate) fn interval(&self) -> Option<SignedDuration> {
        let measuring_ms = self.measured.median()?;
        let interval_ms = self.delivered.median().map_or(measuring_ms, |ms| ms.max(measuring_ms));
        Some(SignedDuration::from_millis(interval_ms))
    }

    /// Adds it to `bytes`.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        for spacings in [&self.measured, &self.delivered] {
            push(bytes, spacings.count as u64);
            for spacing in spacings.oldest_first() {
                push(bytes, u64::from(spacing));
            }
        }
    }

    /// Takes what [`Rhythm::write`] has written off the front; `None` where it is no such thing.
    pub(crate) fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self { measured: Spacings::read(bytes)?, delivered: Spacings::read(bytes)? })
    }
}

impl Spacings {
    /// Longer than 49 days is 49 days.
    fn push(&mut self, spacing_ms: i64) {
        if spacing_ms <= 0 {
            return;
        }
        self.recent[self.next] = u32::try_from(spacing_ms).unwrap_or(u32::MAX);
        self.next = (self.next + 1) % RECENT;
        self.count = (self.count + 1).min(RECENT);
    }

    fn median(&self) -> Option<i64> {
        if self.count < ENOUGH {
            return None;
        }
        let mut sorted = self.recent;
        let sorted = &mut sorted[..self.count];
        sorted.sort_unstable();
        // Of an even number the shorter middle one.
        Some(i64::from(sorted[(self.count - 1) / 2]))
    }

    fn oldest_first(&self) -> impl Iterator<Item = u32> {
        let start = self.next + RECENT - self.count;
        (start..start + self.count).map(|place| self.recent[place % RECENT])
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut spacings = Self::default();
        for _ in 0..usize::try_from(take(bytes)?).ok().filter(|count| *count <= RECENT)? {
            let spacing = take(bytes)?;
            if spacing == 0 || spacing > u64::from(u32::MAX) {
                return None;
            }
            spacings.push(spacing.cast_signed());
        }
        Some(spacings)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn rhythm(measured: &[i64], received: &[i64]) -> Rhythm {
        let mut rhythm = Rhythm::default();
        for ms in measured {
            rhythm.note_measured(*ms);
        }
        for ms in received {
            rhythm.note_received(*ms);
        }
        rhythm
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + 60 * minute).unwrap()
    }

    fn heard(measured: i64, received: i64, interval: Option<i64>) -> Heard {
        let interval = interval.map(SignedDuration::from_mins);
        Heard { measured: at(measured), received: at(received), interval }
    }

    #[test]
    fn an_outage_and_lost_messages_do_not_move_the_expected_interval() {
        let quarter = 15 * MINUTE_MS;
        let spacings = [quarter, 2 * quarter, quarter, 5_000 * MINUTE_MS, quarter, quarter];
        let interval = rhythm(&spacings, &spacings).interval();
        assert_eq!(interval, Some(SignedDuration::from_mins(15)));
    }

    #[test]
    fn a_node_that_sends_what_it_gathered_is_expected_by_its_deliveries() {
        let measured = [15 * MINUTE_MS; 9];
        // Twenty messages five seconds apart, four times a day.
        let delivery: Vec<i64> = std::iter::repeat_n(5_000, 20).chain([358 * MINUTE_MS]).collect();
        let interval = rhythm(&measured, &delivery.repeat(4)).interval();
        assert_eq!(interval, Some(SignedDuration::from_mins(358)));
    }

    #[test]
    fn too_few_messages_say_nothing() {
        assert_eq!(rhythm(&[MINUTE_MS; 2], &[MINUTE_MS; 2]).interval(), None);
    }

    #[test]
    fn a_device_is_late_and_then_silent_by_its_own_interval() {
        let heard = heard(0, 0, Some(15));
        let words = [0, 45, 46, 180, 181].map(|now| Liveness::of(Some(&heard), at(now)));
        assert_eq!(words.map(Liveness::key), ["on_time", "on_time", "late", "late", "silent"]);
        assert_eq!(Liveness::of(None, at(0)), Liveness::Never);
    }

    #[test]
    fn a_backlog_that_is_delivered_is_not_silence() {
        assert_eq!(Liveness::of(Some(&heard(0, 1_000, Some(15))), at(1_001)), Liveness::Behind);
        assert_eq!(Liveness::of(Some(&heard(999, 1_000, Some(15))), at(1_001)), Liveness::OnTime);
    }

    #[test]
    fn a_device_of_which_little_is_known_is_late_after_a_day() {
        let heard = heard(0, 0, None);
        assert_eq!(Liveness::of(Some(&heard), at(24 * 60)), Liveness::OnTime);
        assert_eq!(Liveness::of(Some(&heard), at(24 * 60 + 1)), Liveness::Late);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(
            measured in proptest::collection::vec(1_i64..1 << 40, 0..20),
            received in proptest::collection::vec(1_i64..1 << 40, 0..20),
        ) {
            let rhythm = rhythm(&measured, &received);
            let mut bytes = Vec::new();
            rhythm.write(&mut bytes);
            let mut rest = bytes.as_slice();
            let back = Rhythm::read(&mut rest).unwrap();
            prop_assert!(rest.is_empty());
            prop_assert_eq!(back.interval(), rhythm.interval());
        }

        #[test]
        fn any_bytes_are_a_rhythm_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Some(rhythm) = Rhythm::read(&mut bytes.as_slice()) {
                prop_assert!(rhythm.interval().is_none_or(|interval| interval.is_positive()));
            }
        }
    }
}
