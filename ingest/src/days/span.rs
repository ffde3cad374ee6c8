//! Spans of four weeks of local days, which summaries are kept by, and runs of days.

use jiff::{ToSpan, civil::Date};

/// How many days a span has.
pub(super) const SPAN_DAYS: i64 = 28;

const EPOCH: Date = Date::constant(1970, 1, 1);

/// Four weeks of days, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Span(pub(super) i64);

impl Span {
    /// The span of a day.
    pub(super) fn of(day: Date) -> Self {
        Self::of_day(EPOCH.until(day).map_or(0, |span| i64::from(span.get_days())))
    }

    /// The span of a day counted from 1970-01-01.
    pub(super) const fn of_day(day: i64) -> Self {
        Self(day.div_euclid(SPAN_DAYS))
    }

    /// Its first day.
    pub(super) fn first(self) -> Date {
        self.day(0)
    }

    /// Its last day.
    pub(super) fn last(self) -> Date {
        self.day(SPAN_DAYS - 1)
    }

    /// Its day number `nth`, counted from 0; the next span's follow.
    pub(super) fn day(self, nth: i64) -> Date {
        EPOCH.saturating_add((self.0.saturating_mul(SPAN_DAYS).saturating_add(nth)).days())
    }
}

/// Days in runs, each from its first to its last, ascending and apart from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DayRuns(Vec<(Date, Date)>);

impl DayRuns {
    /// Puts runs in order and joins those that touch; those that end before they begin are none.
    pub(super) fn of(mut runs: Vec<(Date, Date)>) -> Self {
        runs.retain(|(first, last)| first <= last);
        runs.sort_unstable();
        let mut joined: Vec<(Date, Date)> = Vec::with_capacity(runs.len());
        for (first, last) in runs {
            match joined.last_mut() {
                Some((_, end)) if first <= end.tomorrow().unwrap_or(Date::MAX) => {
                    *end = last.max(*end);
                }
                _ => joined.push((first, last)),
            }
        }
        Self(joined)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Date, Date)> {
        self.0.iter().copied()
    }

    pub(super) fn has(&self, day: Date) -> bool {
        let before = self.0.partition_point(|(_, last)| *last < day);
        self.0.get(before).is_some_and(|(first, _)| *first <= day)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_have_28_days_before_1970_too() {
        assert_eq!(Span::of(date(1970, 1, 1)), Span(0));
        assert_eq!(Span::of(date(1969, 12, 31)), Span(-1));
        assert_eq!((Span(0).first(), Span(0).last()), (date(1970, 1, 1), date(1970, 1, 28)));
        assert_eq!(Span(-1).first(), date(1969, 12, 4));
        for span in [Span::of(Date::MIN), Span::of(Date::MAX), Span(0)] {
            assert_eq!((Span::of(span.last()), span.last() >= span.first()), (span, true));
        }
    }

    proptest! {
        #[test]
        fn runs_hold_the_days_that_went_in(runs in proptest::collection::vec((0..60_i64, -1..9_i64), 0..9)) {
            let day = |nth: i64| Span(720).day(nth);
            let found = DayRuns::of(runs.iter().map(|(first, more)| (day(*first), day(first + more))).collect());
            for nth in 0..70 {
                let is_in = runs.iter().any(|(first, more)| (*first..=first + more).contains(&nth));
                prop_assert_eq!(found.has(day(nth)), is_in);
            }
            let apart = found.0.windows(2).all(|pair| pair[0].1.tomorrow().unwrap() < pair[1].0);
            prop_assert!(apart);
        }
    }
}
