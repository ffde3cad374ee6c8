//! Keeps day summaries fresh in the background.
//!
//! ```text
//! begin a round
//!   each device with marks     -> the spans that rest on them, one a step -> clear its marks
//!   each plot, where facts     -> the spans that are missing, or that other facts than
//!   changed or at first           today's went into, one a step
//! until the next round
//! ```
//!
//! A step reads one span of one plot from one snapshot and stores it in a short transaction. It makes
//! only days that are touched or missing: the others it takes over. A round a minute at the most is also
//! how often a day that is not over is made anew; until then readers make it themselves.
//!
//! # Why nothing is lost
//!
//! - A mark is cleared only by the round after it, when every row that rests on the device was made or
//!   removed in that round: by today's facts, and by those that rows remember (`day_source`). A row of
//!   other facts cannot come to hold again.
//! - Where another process begins a round, this one's ends: what it read may be older than what the
//!   other has stored.
//! - An interrupted step leaves mark and row as they were.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use plotwise_config::{
    catalogue::Catalogue,
    id::{DeviceId, PlotId},
};
use tokio::runtime::Handle;

use super::{
    fingerprint::{Fingerprints, reach, stands_within},
    ground::{FactsOfThread, Grounds},
    packed,
    plot::stands,
    span::Span,
    summaries::{Reached, day_summaries, spans_near},
};
use crate::{
    facts::{Facts, FactsError},
    store::{ChangedDevice, NewRow, Outcome, Reader, Store, StoreError, SummaryWriter},
    upkeep::Step,
};

#[cfg(test)]
mod tests;

/// A pause is at least so many times as long as its round took, so that summarising takes a twentieth
/// of a core however many plots there are.
const PAUSE_FACTOR: i32 = 19;

/// The longest pause.
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(10);

/// Why summaries could not be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SummariserError {
    /// The readings cannot be read, or the summaries written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The facts cannot be read.
    #[error(transparent)]
    Facts(#[from] FactsError),
}

/// Makes summaries anew, a little at a time.
pub struct Summariser {
    work: Work<FactsOfThread>,
}

impl Summariser {
    /// Over these databases; `runtime` runs what the facts ask for.
    ///
    /// # Errors
    ///
    /// As for [`Store::open`].
    pub fn new(
        store: &Store,
        facts: Facts,
        catalogue: Arc<Catalogue>,
        runtime: Handle,
    ) -> Result<Self, StoreError> {
        Ok(Self { work: Work::new(store, FactsOfThread { facts, runtime }, catalogue)? })
    }

    /// Does a little. Called from a thread that runs no async.
    ///
    /// # Errors
    ///
    /// Where a database cannot be read or written; the round begins again with the next step.
    pub fn step(&mut self, now: Timestamp) -> Result<Step, SummariserError> {
        self.work.step(now)
    }
}

struct Work<G> {
    reader: Reader,
    writer: SummaryWriter,
    grounds: G,
    catalogue: Arc<Catalogue>,
    round: Option<Round>,
    /// No round begins before.
    rests_until: Timestamp,
    /// The facts that every plot was looked through with.
    looked_through: Option<i64>,
}

/// A round that is on.
struct Round {
    number: i64,
    began: Timestamp,
    spans: VecDeque<(PlotId, Span)>,
    stage: Stage,
}

enum Stage {
    /// Devices with marks; the last one, whose spans are being made.
    Marks(Option<ChangedDevice>),
    /// Plots of the facts, of this revision; the last one.
    Plots(i64, Option<PlotId>),
    /// Plots that rows speak of, which the facts may not know any more.
    Rows(i64, Option<PlotId>),
}

impl<G: Grounds> Work<G> {
    fn new(store: &Store, grounds: G, catalogue: Arc<Catalogue>) -> Result<Self, StoreError> {
        Ok(Self {
            reader: store.reader()?,
            writer: store.summary_writer()?,
            grounds,
            catalogue,
            round: None,
            rests_until: Timestamp::MIN,
            looked_through: None,
        })
    }

    fn step(&mut self, now: Timestamp) -> Result<Step, SummariserError> {
        // A round that fails is not taken up again: its marks stand.
        let mut round = match self.round.take() {
            Some(round) => round,
            None if now < self.rests_until => return Ok(Step::Done),
            None => Round {
                number: self.writer.begin_round()?,
                began: now,
                spans: VecDeque::new(),
                stage: Stage::Marks(None),
            },
        };
        let goes_on = match round.spans.pop_front() {
            Some((plot, span)) => self.make(round.number, &plot, span)? == Outcome::Done,
            None => self.find_more(&mut round)?,
        };
        if goes_on {
            self.round = Some(round);
            return Ok(Step::More);
        }
        let took = now.duration_since(round.began);
        let pause = took.saturating_mul(PAUSE_FACTOR).min(PAUSE_MAX);
        self.rests_until = now.saturating_add(pause).unwrap_or(Timestamp::MAX);
        Ok(Step::Done)
    }

    /// Looks for spans to make; `false` at the end of the round.
    fn find_more(&mut self, round: &mut Round) -> Result<bool, SummariserError> {
        match std::mem::replace(&mut round.stage, Stage::Marks(None)) {
            Stage::Marks(last) => return self.next_marks(last.as_ref(), round),
            Stage::Plots(revision, last) => {
                round.stage = match self.grounds.next_plot(last.as_ref())? {
                    Some(plot) => {
                        self.look_through(&plot, round)?;
                        Stage::Plots(revision, Some(plot))
                    }
                    None => Stage::Rows(revision, None),
                };
            }
            Stage::Rows(revision, last) => {
                let Some(plot) = self.reader.next_summarised(last.as_ref())? else {
                    self.looked_through = Some(revision);
                    return Ok(false);
                };
                if self.grounds.ground(&plot)?.is_none() {
                    let heads = self.reader.summary_heads(&plot)?;
                    round.spans.extend(heads.iter().map(|head| (plot.clone(), Span(head.span))));
                }
                round.stage = Stage::Rows(revision, Some(plot));
            }
        }
        Ok(true)
    }

    /// Clears the marks of a device whose spans are made, and goes on to the next device.
    fn next_marks(
        &mut self,
        last: Option<&ChangedDevice>,
        round: &mut Round,
    ) -> Result<bool, SummariserError> {
        if let Some(device) = last
            && self.writer.clear(round.number, device)? == Outcome::Overtaken
        {
            return Ok(false);
        }
        if let Some(device) = self.reader.next_changed(round.number, last)? {
            round.spans.extend(resting_on(self, &device, round.number)?);
            round.stage = Stage::Marks(Some(device));
            return Ok(true);
        }
        let revision = self.grounds.revision()?;
        round.stage = Stage::Plots(revision, None);
        Ok(self.looked_through != Some(revision))
    }

    /// Finds the spans of a plot that are missing, where its devices measured, or of other facts.
    fn look_through(&self, plot: &PlotId, round: &mut Round) -> Result<(), SummariserError> {
        let Some(ground) = self.grounds.ground(plot)? else { return Ok(()) };
        let context = ground.context(&self.catalogue);
        let _snapshot = self.reader.snapshot()?;
        let stands = stands(context.placements, plot);
        let fingerprints = Fingerprints::new(&context, &stands);
        let mut wanted = BTreeSet::new();
        let span_at = |time: Timestamp| Span::of(context.zone.to_datetime(time).date());
        for stand in &stands {
            for (start, end) in self.reader.busy_times(stand.device, stand.from, stand.to)? {
                let (from, to) = (stand.from.max(start), stand.to.min(end));
                wanted.extend((span_at(from).0..=span_at(to).0).map(Span));
            }
        }
        for head in self.reader.summary_heads(plot)? {
            let span = Span(head.span);
            if head.fingerprint == Some(fingerprints.of(span)) {
                wanted.remove(&span);
            } else {
                wanted.insert(span);
            }
        }
        round.spans.extend(wanted.into_iter().map(|span| (plot.clone(), span)));
        Ok(())
    }

    /// Makes a span of a plot, or removes it where there is no such plot.
    fn make(&mut self, round: i64, plot: &PlotId, span: Span) -> Result<Outcome, SummariserError> {
        let key = (plot, span.0);
        let Some(ground) = self.grounds.ground(plot)? else {
            return Ok(self.writer.put(round, key, None)?);
        };
        let context = ground.context(&self.catalogue);
        let stands = stands(context.placements, plot);
        let fingerprint = Fingerprints::new(&context, &stands).of(span);
        let (from, to) = reach(span, &context);
        let devices: BTreeSet<&DeviceId> =
            stands_within(&stands, from, to).map(|stand| stand.device).collect();
        let devices: Vec<_> = devices.into_iter().collect();
        let window = (span.first(), span.last());
        // Of an earlier reading.
        let _ = self.reader.take_damages();
        let packed = match day_summaries(&self.reader, &context, window) {
            // Readings of this one are left out: whoever reads the plot is told.
            Ok(_) if !self.reader.take_damages().spans().is_empty() => None,
            Ok(days) => packed::pack(span.first(), &days, |quantity| self.reader.code(quantity)),
            // The other plots go on.
            Err(StoreError::Damaged { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let row = packed.as_ref().map(|days| NewRow {
            fingerprint: &fingerprint,
            days,
            devices: &devices,
        });
        Ok(self.writer.put(round, key, row)?)
    }
}

/// The spans that rest on a device's marked days and were not made in this round: those whose row is of
/// other facts, and what its readings can matter to where it stands by today's.
fn resting_on<G: Grounds>(
    work: &Work<G>,
    device: &ChangedDevice,
    round: i64,
) -> Result<Vec<(PlotId, Span)>, SummariserError> {
    let known = work.reader.plots_resting_on(&device.device)?;
    let plots: BTreeSet<PlotId> =
        known.into_iter().chain(work.grounds.plots_of(&device.device)?).collect();
    let mut spans = Vec::new();
    for plot in plots {
        let heads = work.reader.summary_heads(&plot)?;
        let mut touched = BTreeSet::new();
        match work.grounds.ground(&plot)? {
            None => touched.extend(heads.iter().map(|head| Span(head.span))),
            Some(ground) => {
                let context = ground.context(&work.catalogue);
                let stands = stands(context.placements, &plot);
                let fingerprints = Fingerprints::new(&context, &stands);
                let near: BTreeSet<Span> =
                    device.days.iter().flat_map(|day| spans_near(*day)).collect();
                let own = stands.iter().filter(|stand| *stand.device == device.device);
                let reached = Reached::of(&device.days, own, context.zone);
                for head in &heads {
                    let span = Span(head.span);
                    let is_other = || head.fingerprint != Some(fingerprints.of(span));
                    if near.contains(&span) && (reached.all.contains(&span) || is_other()) {
                        touched.insert(span);
                    }
                }
                touched.extend(reached.own);
            }
        }
        for head in heads.iter().filter(|head| head.round >= round) {
            touched.remove(&Span(head.span));
        }
        spans.extend(touched.into_iter().map(|span| (plot.clone(), span)));
    }
    Ok(spans)
}
