//! Times to acknowledgement, kept in buckets so that ten million of them take no more room than ten.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Buckets of each doubling: a percentile is right to 1/32.
const STEPS: u64 = 32;

/// From a microsecond to about nine hours.
const BUCKETS: usize = 32 * 32;

/// A histogram of durations.
#[derive(Debug)]
pub(super) struct Latencies(Vec<AtomicU64>);

impl Default for Latencies {
    fn default() -> Self {
        Self((0..BUCKETS).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Latencies {
    /// Notes that so many messages took so long.
    pub(super) fn note(&self, took: Duration, messages: u64) {
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.0[bucket(microseconds)].fetch_add(messages, Relaxed);
    }

    /// The duration that `share` of all do not exceed, milliseconds; 0 where there are none.
    pub(super) fn percentile_ms(&self, share: f64) -> f64 {
        let counts: Vec<u64> = self.0.iter().map(|count| count.load(Relaxed)).collect();
        let total: u64 = counts.iter().sum();
        let wanted = share * total as f64;
        let mut seen = 0;
        for (place, count) in counts.iter().enumerate() {
            seen += count;
            if *count > 0 && seen as f64 >= wanted {
                return middle(place as u64) / 1000.0;
            }
        }
        0.0
    }
}

/// Values below [`STEPS`] have a bucket each; above, each doubling has [`STEPS`] of them.
fn bucket(value: u64) -> usize {
    let place = if value < STEPS {
        value
    } else {
        let doubling = u64::from(value.ilog2() - STEPS.ilog2());
        (doubling + 1) * STEPS + (value >> doubling) - STEPS
    };
    usize::try_from(place).unwrap_or(usize::MAX).min(BUCKETS - 1)
}

fn middle(place: u64) -> f64 {
    if place < STEPS {
        return place as f64;
    }
    let doubling = place / STEPS - 1;
    let low = (STEPS + place % STEPS) << doubling;
    low as f64 + (1_u64 << doubling) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_a_few_percent() {
        let latencies = Latencies::default();
        for n in 1..=10_000 {
            latencies.note(Duration::from_micros(n * 10), 1);
        }
        assert!((latencies.percentile_ms(0.5) - 50.0).abs() < 2.0);
        assert!((latencies.percentile_ms(0.99) - 99.0).abs() < 4.0);
        latencies.note(Duration::MAX, 1);
    }

    #[test]
    fn without_messages_there_is_no_latency() {
        assert!(Latencies::default().percentile_ms(0.5).abs() < 1e-12);
    }
}
