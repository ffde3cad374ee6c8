//! The only place that asks what time it is.
//!
//! Everything else takes time as an argument. Parts that must stamp arrivals (listener, link,
//! commands) are handed a [`Clock`]; tests hand them one that stands still.

use jiff::Timestamp;

/// A source of the present moment.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Source);

#[derive(Clone, Copy, Debug)]
enum Source {
    System,
    Fixed(Timestamp),
}

impl Clock {
    /// The machine's own clock.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still, for tests.
    pub const fn fixed(moment: Timestamp) -> Self {
        Self(Source::Fixed(moment))
    }

    /// The present moment.
    pub fn now(self) -> Timestamp {
        match self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that may ask")]
            Source::System => Timestamp::now(),
            Source::Fixed(moment) => moment,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_stands_still() {
        let moment = Timestamp::UNIX_EPOCH;
        assert_eq!(Clock::fixed(moment).now(), moment);
        assert!(Clock::system().now() > moment);
    }
}
