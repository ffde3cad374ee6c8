//! Messages a second of one connection.

use std::time::{Duration, Instant};

/// A bucket that fills by the second; what is taken beyond it has to be waited for.
#[derive(Debug)]
pub(super) struct Pace {
    per_second: f64,
    left: f64,
    at: Instant,
}

impl Pace {
    /// A full bucket of one second's messages; `None` for no limit.
    pub(super) fn new(per_second: u32, now: Instant) -> Option<Self> {
        let per_second = f64::from(per_second);
        (per_second > 0.0).then_some(Self { per_second, left: per_second, at: now })
    }

    /// Takes `messages`; how long to wait before the next ones, where that is too many.
    pub(super) fn take(&mut self, messages: u32, now: Instant) -> Option<Duration> {
        let filled = now.saturating_duration_since(self.at).as_secs_f64() * self.per_second;
        self.at = now;
        self.left = (self.left + filled).min(self.per_second) - f64::from(messages);
        (self.left < 0.0).then(|| Duration::from_secs_f64(-self.left / self.per_second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sends_too_fast_waits_for_what_was_too_much() {
        let start = Instant::now();
        let mut pace = Pace::new(10, start).unwrap();
        assert_eq!(pace.take(10, start), None);
        assert_eq!(pace.take(5, start), Some(Duration::from_millis(500)));
        assert_eq!(pace.take(1, start + Duration::from_secs(1)), None);
        assert!(Pace::new(0, start).is_none());
    }
}
