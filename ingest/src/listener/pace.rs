//! Messages a second of one device, over all its connections.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use plotwise_config::id::DeviceId;

/// Devices that are remembered before those are forgotten that have not sent for a second.
const REMEMBERED_MIN: usize = 1024;

/// The buckets of all devices.
#[derive(Debug)]
pub(super) struct Paces {
    /// `None` for no limit.
    per_second: Option<f64>,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    buckets: HashMap<DeviceId, Bucket>,
    forget_at: usize,
}

/// Fills by the second up to one second's messages; what is taken beyond it has to be waited for.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Paces {
    /// Full buckets of one second's messages; 0 for no limit.
    pub(super) fn new(per_second: u32) -> Self {
        let known = Known { buckets: HashMap::new(), forget_at: REMEMBERED_MIN };
        let per_second = (per_second > 0).then(|| f64::from(per_second));
        Self { per_second, known: Mutex::new(known) }
    }

    /// Takes `messages` of a device; how long to wait before the next ones, where that is too many.
    pub(super) fn take(&self, device: &DeviceId, messages: u64, now: Instant) -> Option<Duration> {
        let per_second = self.per_second.filter(|_| messages > 0)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.forget(per_second, now);
        let full = Bucket { left: per_second, at: now };
        let bucket = known.buckets.entry(device.clone()).or_insert(full);
        bucket.left = bucket.filled(per_second, now) - messages as f64;
        bucket.at = now;
        (bucket.left < 0.0).then(|| Duration::from_secs_f64(-bucket.left / per_second))
    }
}

impl Known {
    /// A full bucket is what a new one would be: it need not be remembered.
    fn forget(&mut self, per_second: f64, now: Instant) {
        if self.buckets.len() >= self.forget_at {
            self.buckets.retain(|_, bucket| bucket.filled(per_second, now) < per_second);
            self.forget_at = REMEMBERED_MIN.max(self.buckets.len() * 2);
        }
    }
}

impl Bucket {
    fn filled(&self, per_second: f64, now: Instant) -> f64 {
        let filled = now.saturating_duration_since(self.at).as_secs_f64() * per_second;
        (self.left + filled).min(per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(n: usize) -> DeviceId {
        DeviceId::parse(&format!("d{n}")).unwrap()
    }

    #[test]
    fn who_sends_too_fast_waits_for_what_was_too_much() {
        let (start, paces) = (Instant::now(), Paces::new(10));
        assert_eq!(paces.take(&device(1), 10, start), None);
        assert_eq!(paces.take(&device(1), 5, start), Some(Duration::from_millis(500)));
        assert_eq!(paces.take(&device(2), 10, start), None, "each has its own");
        assert_eq!(paces.take(&device(1), 1, start + Duration::from_secs(1)), None);
        assert_eq!(Paces::new(0).take(&device(1), 1_000_000, start), None);
    }

    #[test]
    fn devices_that_fell_silent_are_forgotten_and_those_that_did_not_are_not() {
        let (start, paces) = (Instant::now(), Paces::new(10));
        for n in 0..REMEMBERED_MIN - 1 {
            paces.take(&device(n), 1, start);
        }
        let later = start + Duration::from_secs(1);
        paces.take(&device(5000), 25, later);
        paces.take(&device(5001), 1, later);
        assert_eq!(paces.known.lock().unwrap().buckets.len(), 2);
        assert_eq!(paces.take(&device(5000), 1, later), Some(Duration::from_millis(1600)));
    }
}
