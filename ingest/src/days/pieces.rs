//! The series of a plot with all their flags, a piece of some weeks at a time.
//!
//! ```text
//!   | 33 days: daily maxima of moisture | 54 h | ... 28 days: flagged, handed out ... | 54 h |
//!                                       '---- loaded, so that nothing is cut off -----------'
//! ```
//!
//! Flags look a little before and after a reading, so each piece is read with a margin and cut again:
//! where the pieces begin and end makes no difference. Weeks without any reading are stepped over.

use std::{collections::BTreeMap, iter, ops::ControlFlow};

use jiff::{SignedDuration, Timestamp};
use plotwise_config::{
    catalogue::Catalogue,
    day::DaySummary,
    reading::{DepthMm, Flags, QuantityNo},
};

use super::plot::Stand;
use crate::{
    flags::{
        self, Candidate, Companions, Context, DayPeaks, Extent, Land, Range, Roles, TimedReading,
    },
    store::{Reader, StoreError, StoredObservation},
};

/// Readings of a plot are held for so long at a time.
const PIECE: SignedDuration = SignedDuration::from_hours(28 * 24);

/// Which series are wanted; those that others are judged by are read besides.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    /// One quantity alone.
    pub(super) quantity: Option<QuantityNo>,
    /// One depth alone.
    pub(super) depth: Option<DepthMm>,
    /// One stand alone, by its place in the list.
    pub(super) stand: Option<usize>,
}

impl Wanted {
    fn has(&self, place: &SeriesPlace) -> bool {
        self.quantity.is_none_or(|quantity| quantity == place.quantity)
            && self.stand.is_none_or(|stand| stand == place.stand)
            && (self.depth.is_none() || self.depth == place.depth)
    }

    /// The same of a summary, which says nothing of its stand.
    pub(super) fn has_summary(&self, summary: &DaySummary) -> bool {
        self.quantity.is_none_or(|quantity| quantity == summary.quantity)
            && (self.depth.is_none() || self.depth == summary.depth)
    }
}

/// Where a series was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SeriesPlace {
    /// Place in the list of stands.
    pub(super) stand: usize,
    pub(super) quantity: QuantityNo,
    pub(super) depth: Option<DepthMm>,
}

/// One series of a piece.
#[derive(Debug)]
pub(super) struct PieceSeries {
    pub(super) place: SeriesPlace,
    readings: Vec<TimedReading>,
    /// As many as readings where the series is wanted, else none.
    flags: Vec<Flags>,
    peaks: DayPeaks,
    /// First and last but one of the readings that belong to the piece.
    cut: (usize, usize),
}

impl PieceSeries {
    /// The readings of the piece with all their flags.
    pub(super) fn readings(&self) -> impl Iterator<Item = TimedReading> + '_ {
        let (from, to) = self.cut;
        let flagged = self.readings[from..to].iter().zip(&self.flags[from..to]);
        flagged.map(|(reading, flags)| TimedReading { flags: *flags, ..*reading })
    }
}

/// What is gone through: stands as a whole, however short the span.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) reader: &'a Reader,
    pub(super) stands: &'a [Stand<'a>],
    pub(super) land: &'a Land,
    pub(super) catalogue: &'a Catalogue,
}

/// The pieces of a span, one after the other.
pub(super) struct Pieces<'a> {
    source: Source<'a>,
    wanted: Wanted,
    roles: Roles,
    /// Only then do companions matter, and what was before.
    is_moisture_wanted: bool,
    /// What must be read; everything where `None`.
    quantities: Option<Vec<QuantityNo>>,
    cursor: Timestamp,
    to: Timestamp,
    is_first: bool,
    /// Kept from piece to piece: their memory, and the peaks.
    series: BTreeMap<SeriesPlace, PieceSeries>,
    /// First moment of the piece and of the next.
    span: (Timestamp, Timestamp),
}

impl<'a> Pieces<'a> {
    pub(super) fn new(source: Source<'a>, wanted: Wanted, from: Timestamp, to: Timestamp) -> Self {
        let roles = Roles::of(source.catalogue);
        let is_moisture_wanted = wanted.quantity.is_none_or(|one| roles.is_moisture(one));
        let companions = || roles.companion_quantities().filter(|_| is_moisture_wanted);
        let quantities = wanted.quantity.map(|one| iter::once(one).chain(companions()).collect());
        Self {
            source,
            wanted,
            roles,
            is_moisture_wanted,
            quantities,
            cursor: from,
            to,
            is_first: true,
            series: BTreeMap::new(),
            span: (from, from),
        }
    }

    /// Reads and flags the next piece that holds anything; `false` after the last.
    ///
    /// # Errors
    ///
    /// Whatever [`Reader::observations`] reports.
    pub(super) fn advance(&mut self) -> Result<bool, StoreError> {
        let Some(start) = self.next_start()? else { return Ok(false) };
        let end = start.saturating_add(PIECE).unwrap_or(Timestamp::MAX).min(self.to);
        self.span = (start, end);
        self.load(start, end)?;
        self.flag();
        self.cursor = end;
        self.is_first = false;
        Ok(true)
    }

    /// First moment of the piece and of the next.
    pub(super) fn span(&self) -> (Timestamp, Timestamp) {
        self.span
    }

    /// The wanted series of the piece, by place.
    pub(super) fn series(&self) -> impl Iterator<Item = &PieceSeries> {
        self.series.values().filter(|series| self.wanted.has(&series.place))
    }

    /// The flags of the reading of a series at a moment; `from` is where to look, and moves along.
    pub(super) fn flags_at(
        &self,
        place: &SeriesPlace,
        time: Timestamp,
        from: &mut usize,
    ) -> Option<Flags> {
        let series = self.series.get(place)?;
        let rest = series.readings.get(*from..)?;
        *from += rest.iter().position(|reading| reading.time >= time)?;
        let is_there = series.readings.get(*from).is_some_and(|reading| reading.time == time);
        is_there.then(|| series.flags.get(*from).copied()).flatten()
    }

    /// The first reading of any wanted stand from the cursor on.
    fn next_start(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut first = self.to;
        for (nth, stand) in self.source.stands.iter().enumerate() {
            let (from, to) = (stand.from.max(self.cursor), stand.to.min(first));
            if self.wanted.stand.is_some_and(|wanted| wanted != nth) || from >= to {
                continue;
            }
            // Of the same quantities as those read next, so that a block is decoded once.
            let quantities = self.quantities.as_deref();
            let reader = self.source.reader;
            reader.observations_of(stand.device, quantities, (from, to), |observation| {
                first = observation.measured;
                ControlFlow::Break(())
            })?;
        }
        Ok((first < self.to).then_some(first))
    }

    fn load(&mut self, start: Timestamp, end: Timestamp) -> Result<(), StoreError> {
        let earliest = start.saturating_sub(flags::LOOK_BACK).unwrap_or(Timestamp::MIN);
        let latest = end.saturating_add(flags::LOOK_AHEAD).unwrap_or(Timestamp::MAX);
        let look_back = if self.is_first && self.is_moisture_wanted {
            flags::HIGHEST_LOOK_BACK
        } else {
            flags::LOOK_BACK
        };
        let from = start.saturating_sub(look_back).unwrap_or(Timestamp::MIN);
        for series in self.series.values_mut() {
            series.readings.clear();
        }
        for (nth, stand) in self.source.stands.iter().enumerate() {
            let (from, to) = (stand.from.max(from), stand.to.min(latest));
            if from < to {
                let (reader, quantities) = (self.source.reader, self.quantities.clone());
                let quantities = quantities.as_deref();
                reader.observations_of(stand.device, quantities, (from, to), |observation| {
                    self.take(nth, stand, observation, earliest);
                    ControlFlow::Continue(())
                })?;
            }
        }
        for series in self.series.values_mut() {
            let before = |time| series.readings.partition_point(|reading| reading.time < time);
            series.cut = (before(start), before(end));
        }
        Ok(())
    }

    fn take(
        &mut self,
        nth: usize,
        stand: &Stand<'_>,
        observation: &StoredObservation,
        earliest: Timestamp,
    ) {
        let time = observation.measured;
        for (reading, depth) in stand.placed(&observation.readings) {
            let place = SeriesPlace { stand: nth, quantity: reading.quantity, depth };
            let is_moisture = self.roles.is_moisture(place.quantity);
            let is_companion = self.is_moisture_wanted && self.roles.is_companion(place.quantity);
            if !(self.wanted.has(&place) || is_companion) || time < earliest && !is_moisture {
                continue;
            }
            let series = self.series.entry(place).or_insert_with(|| PieceSeries {
                place,
                readings: Vec::new(),
                flags: Vec::new(),
                peaks: DayPeaks::default(),
                cut: (0, 0),
            });
            // An absurd temperature is no frost. Moisture is judged with the land it lies in.
            let flags = if is_companion {
                let quantity = self.source.catalogue.quantity(place.quantity);
                Range::of(quantity).flag(reading.value, reading.flags)
            } else {
                reading.flags
            };
            let reading = TimedReading { time, value: reading.value, flags };
            if is_moisture {
                series.peaks.take(&reading);
            }
            if time >= earliest {
                series.readings.push(reading);
            }
        }
    }

    fn flag(&mut self) {
        let mut flagged = Vec::new();
        let wanted: Vec<SeriesPlace> =
            self.series.keys().filter(|place| self.wanted.has(place)).copied().collect();
        for place in wanted {
            let Some(series) = self.series.get(&place) else { continue };
            let context = Context {
                quantity: self.source.catalogue.quantity(place.quantity),
                depth: place.depth,
                land: self.source.land,
                companions: &self.companions(&place),
                extent: Extent::Piece(&series.peaks),
            };
            flags::flag(&series.readings, &context, &mut flagged);
            if let Some(series) = self.series.get_mut(&place) {
                std::mem::swap(&mut series.flags, &mut flagged);
            }
        }
    }

    /// What a series is judged by: of the same stand first, then of others in their order.
    fn companions(&self, of: &SeriesPlace) -> Companions<'_> {
        let candidates: Vec<_> = self
            .series
            .values()
            .map(|series| Candidate {
                quantity: series.place.quantity,
                depth: series.place.depth,
                rank: if series.place.stand == of.stand { 0 } else { series.place.stand + 1 },
                readings: &series.readings,
            })
            .collect();
        self.roles.companions((of.quantity, of.depth), &candidates)
    }
}
