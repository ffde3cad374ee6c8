//! What besides readings went into the summaries of a span: with another fingerprint they are others.
//!
//! It holds the borders of the days (the zone), the catalogue's ranges, the devices that stood on the
//! plot and how deep, the water regime, and the version of the rules. Only what can matter to the span
//! goes in, so that a device that is moved today or a season that begins leaves older spans alone.

use std::fmt::{self, Write};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{
    PlotContext, packed,
    plot::Stand,
    span::{SPAN_DAYS, Span},
};
use crate::{flags, local_day::day_span, store::Fingerprint};

/// Version of the rules by which readings are flagged and summarised. It grows with every change of
/// what comes out of the same readings.
pub(super) const RULES: u32 = 1;

/// Fingerprints of the spans of a plot.
pub(super) struct Fingerprints<'a> {
    context: &'a PlotContext<'a>,
    stands: &'a [Stand<'a>],
    /// What all spans share.
    shared: Sha256,
}

impl<'a> Fingerprints<'a> {
    pub(super) fn new(context: &'a PlotContext<'a>, stands: &'a [Stand<'a>]) -> Self {
        let mut text = Hashing(Sha256::new());
        text.add(format_args!("{RULES} {} {SPAN_DAYS}", packed::VERSION));
        for quantity in context.catalogue.quantities() {
            let (key, stuck) = (&quantity.key, &quantity.stuck);
            text.add(format_args!("{key} {:?} {:?} {stuck:?}", quantity.hard, quantity.flag_above));
        }
        Self { context, stands, shared: text.0 }
    }

    pub(super) fn of(&self, span: Span) -> Fingerprint {
        let mut text = Hashing(self.shared.clone());
        for nth in 0..=SPAN_DAYS {
            text.add(format_args!("{}", day_span(span.day(nth), self.context.zone).0));
        }
        let (from, to) = reach(span, self.context);
        text.add(format_args!("{:?}", self.context.land.within(from, to)));
        for stand in stands_within(self.stands, from, to) {
            let (device, depth) = (stand.device, stand.depth);
            let (since, until) = (stand.from.max(from), stand.to.min(to));
            text.add(format_args!("{device} {depth:?} {since} {until}"));
        }
        let mut fingerprint = Fingerprint::default();
        fingerprint.iter_mut().zip(text.0.finalize()).for_each(|(byte, hash)| *byte = hash);
        fingerprint
    }
}

/// The time whose readings can matter to the days of a span.
pub(super) fn reach(span: Span, context: &PlotContext<'_>) -> (Timestamp, Timestamp) {
    let (first, last) = (span.day(0), span.day(SPAN_DAYS));
    let from = day_span(first, context.zone).0.saturating_sub(flags::HIGHEST_LOOK_BACK);
    let to = day_span(last, context.zone).0.saturating_add(flags::LOOK_AHEAD);
    (from.unwrap_or(Timestamp::MIN), to.unwrap_or(Timestamp::MAX))
}

/// Those that stood on the plot at some moment of a time.
pub(super) fn stands_within<'a, 's>(
    stands: &'s [Stand<'a>],
    from: Timestamp,
    to: Timestamp,
) -> impl Iterator<Item = &'s Stand<'a>> {
    stands.iter().filter(move |stand| stand.from < to && from < stand.to)
}

/// Text that goes into a hash, each piece apart from the next.
struct Hashing(Sha256);

impl Hashing {
    fn add(&mut self, piece: fmt::Arguments<'_>) {
        self.write_fmt(piece).expect("a hash takes every text");
        self.0.update([0]);
    }
}

impl Write for Hashing {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text);
        Ok(())
    }
}
