//! Fetches what is known about a plot, asks the model, and keeps what it answered.
//!
//! An answer stays fresh for ten minutes while the facts and the day are the same: readings go on
//! arriving. Every answer that says something new is kept with the facts, to be compared with the
//! harvest later.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{ToSpan, civil::Date, tz::TimeZone};
use plotwise_config::{
    catalogue::Catalogue,
    id::{CooperativeId, PlotId},
    records::{Cooperative, Plot},
};
use plotwise_ingest::{
    clock::Clock,
    days::{PlotContext, day_summaries},
    facts::{Facts, FactsError, KeptAdvice, PlotFilter},
    flags::Land,
    store::{Store, StoreError},
};
use plotwise_model::{
    advice::{Advice, RankedLine},
    advise::advise,
    dossier::{Dossier, Harvest, Question, Surroundings},
    profile::{SiteProfile, site_profile},
    yields::LocalMeans,
};
use tokio::task::spawn_blocking;

/// Why no advice could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdviserError {
    /// There is no such plot.
    #[error("there is no plot {0}")]
    NoPlot(PlotId),
    /// A plot's owner is gone, or its zone is none.
    #[error("cooperative {id}: {problem}")]
    Cooperative {
        /// Which.
        id: CooperativeId,
        /// What is wrong with it.
        problem: String,
    },
    /// The facts cannot be read or written.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// The readings cannot be read.
    #[error(transparent)]
    Readings(#[from] StoreError),
    /// Kept advice that cannot be read back.
    #[error("the advice kept for plot {plot} cannot be read")]
    Kept {
        /// Of which plot.
        plot: PlotId,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The computation was cancelled or failed.
    #[error("the computation did not end")]
    Computation(#[from] tokio::task::JoinError),
}

/// Makes and keeps advice.
#[derive(Clone)]
pub struct Adviser {
    catalogue: Arc<Catalogue>,
    facts: Facts,
    store: Store,
    clock: Clock,
    window_days: u16,
    memory: Arc<Mutex<Memory>>,
}

/// Bounded by the number of plots and cooperatives.
#[derive(Default)]
struct Memory {
    advice: HashMap<PlotId, Remembered<Advice>>,
    around: HashMap<CooperativeId, Remembered<Around>>,
}

struct Remembered<T> {
    moment: Moment,
    value: Arc<T>,
}

/// What an answer was made of: as long as it stays the same, so does the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Moment {
    revision: i64,
    on: Date,
    /// Ten minutes since 1970.
    slot: i64,
}

/// Readings that arrived since show after so long at the latest, seconds.
const FRESH_S: i64 = 600;

impl<T> Remembered<T> {
    fn at(&self, moment: Moment) -> Option<Arc<T>> {
        (self.moment == moment).then(|| Arc::clone(&self.value))
    }
}

/// What all plots of a cooperative share.
struct Around {
    surroundings: Surroundings,
    yields: LocalMeans,
    zone: TimeZone,
}

impl Adviser {
    /// Over these databases, looking back `window_days`.
    pub fn new(
        catalogue: Arc<Catalogue>,
        facts: Facts,
        store: Store,
        clock: Clock,
        window_days: u16,
    ) -> Self {
        Self { catalogue, facts, store, clock, window_days, memory: Arc::default() }
    }

    /// Advice for a plot: the remembered one while nothing changed, else a new one.
    ///
    /// # Errors
    ///
    /// [`AdviserError::NoPlot`], or where databases cannot be read.
    pub async fn fresh(&self, plot: &PlotId) -> Result<Arc<Advice>, AdviserError> {
        let (record, around, moment) = self.ask(plot, None).await?;
        let remembered =
            self.remembering(|memory| memory.advice.get(plot).and_then(|advice| advice.at(moment)));
        match remembered {
            Some(advice) => Ok(advice),
            None => self.answer_and_keep(record, around, moment).await,
        }
    }

    /// New advice for a plot, made today, and kept.
    ///
    /// # Errors
    ///
    /// As [`Self::fresh`].
    pub async fn make(&self, plot: &PlotId) -> Result<Arc<Advice>, AdviserError> {
        let (record, around, moment) = self.ask(plot, None).await?;
        self.answer_and_keep(record, around, moment).await
    }

    /// Advice for a plot as if asked on a day. Nobody was given it, so it is not kept.
    ///
    /// # Errors
    ///
    /// As [`Self::fresh`].
    pub async fn imagine(&self, plot: &PlotId, on: Date) -> Result<Arc<Advice>, AdviserError> {
        let (record, around, moment) = self.ask(plot, Some(on)).await?;
        self.answer(record, &around, moment.on).await
    }

    /// What is measured about a plot, up to today.
    ///
    /// # Errors
    ///
    /// As [`Self::fresh`].
    pub async fn profile(&self, plot: &PlotId) -> Result<(Dossier, SiteProfile), AdviserError> {
        let (record, around, moment) = self.ask(plot, None).await?;
        let dossier = self.dossier(record, &around, moment.on).await?;
        let catalogue = Arc::clone(&self.catalogue);
        let computed = spawn_blocking(move || {
            let profile = site_profile(&catalogue, &dossier, &around.surroundings.climate);
            (dossier, profile)
        });
        Ok(computed.await?)
    }

    /// The newest advice for each of the plots that has any: remembered, else as kept.
    ///
    /// # Errors
    ///
    /// Where the facts cannot be read, or hold something that is no advice.
    pub async fn last_advices(
        &self,
        plots: &[Plot],
    ) -> Result<HashMap<PlotId, Arc<Advice>>, AdviserError> {
        let mut newest = HashMap::with_capacity(plots.len());
        for plot in plots {
            let remembered = self.remembering(|memory| {
                memory.advice.get(&plot.id).map(|advice| Arc::clone(&advice.value))
            });
            let advice = match remembered {
                Some(advice) => Some(advice),
                None => self
                    .facts
                    .last_advice(&plot.id)
                    .await?
                    .map(|kept| read(&plot.id, &kept))
                    .transpose()?
                    .map(Arc::new),
            };
            newest.extend(advice.map(|advice| (plot.id.clone(), advice)));
        }
        Ok(newest)
    }

    /// Advice kept for a plot, newest first: at most `limit` after the first `skipped`.
    ///
    /// # Errors
    ///
    /// Where the facts cannot be read, or hold something that is no advice.
    pub async fn history(
        &self,
        plot: &PlotId,
        skipped: u64,
        limit: u64,
    ) -> Result<Vec<Advice>, AdviserError> {
        let kept = self.facts.advice_history(plot, skipped, limit).await?;
        kept.iter().map(|kept| read(plot, kept)).collect()
    }

    /// Makes advice for every plot whose answer is no longer fresh; returns how many plots there are.
    ///
    /// # Errors
    ///
    /// Where databases cannot be read. A plot that cannot be advised is logged and left out.
    pub async fn refresh_all(&self) -> Result<usize, AdviserError> {
        let plots = self.facts.plots(&PlotFilter::default()).await?;
        for plot in &plots {
            if let Err(error) = self.fresh(&plot.id).await {
                tracing::error!(plot = %plot.id, %error, "no advice for plot {}: {error}", plot.id);
            }
        }
        let known: std::collections::HashSet<_> = plots.iter().map(|plot| &plot.id).collect();
        self.remembering(|memory| memory.advice.retain(|plot, _| known.contains(plot)));
        Ok(plots.len())
    }

    async fn ask(
        &self,
        plot: &PlotId,
        on: Option<Date>,
    ) -> Result<(Plot, Arc<Around>, Moment), AdviserError> {
        let record =
            self.facts.plot(plot).await?.ok_or_else(|| AdviserError::NoPlot(plot.clone()))?;
        // Read before the facts themselves: a change in between makes the answer stale, not wrong.
        let revision = self.facts.revision().await?;
        let around = self.around(&record.cooperative, revision, on).await?;
        let now = self.clock.now();
        let on = on.unwrap_or_else(|| now.to_zoned(around.zone.clone()).date());
        Ok((record, around, Moment { revision, on, slot: now.as_second() / FRESH_S }))
    }

    async fn around(
        &self,
        id: &CooperativeId,
        revision: i64,
        on: Option<Date>,
    ) -> Result<Arc<Around>, AdviserError> {
        let problem = |problem: String| AdviserError::Cooperative { id: id.clone(), problem };
        let cooperative = self
            .facts
            .cooperative(id)
            .await?
            .ok_or_else(|| problem("not registered; plotwise cooperatives add".to_owned()))?;
        let zone = cooperative.zone().map_err(|error| problem(error.to_string()))?;
        let on = on.unwrap_or_else(|| self.clock.now().to_zoned(zone.clone()).date());
        // Nothing of it comes from readings: it holds until facts or day change.
        let moment = Moment { revision, on, slot: 0 };
        let remembered =
            self.remembering(|memory| memory.around.get(id).and_then(|around| around.at(moment)));
        if let Some(around) = remembered {
            return Ok(around);
        }
        let surroundings = self.surroundings(cooperative).await?;
        let catalogue = Arc::clone(&self.catalogue);
        let around = spawn_blocking(move || {
            let yields = LocalMeans::fit(&catalogue, &surroundings.harvests, on);
            Arc::new(Around { surroundings, yields, zone })
        })
        .await?;
        let kept = Remembered { moment, value: Arc::clone(&around) };
        self.remembering(|memory| memory.around.insert(id.clone(), kept));
        Ok(around)
    }

    async fn surroundings(&self, cooperative: Cooperative) -> Result<Surroundings, AdviserError> {
        let id = cooperative.id.clone();
        let filter = PlotFilter { cooperative: Some(id.clone()), ..PlotFilter::default() };
        let plots: HashMap<PlotId, Plot> = self
            .facts
            .plots(&filter)
            .await?
            .into_iter()
            .map(|plot| (plot.id.clone(), plot))
            .collect();
        let harvests = self
            .facts
            .outcomes(&id)
            .await?
            .into_iter()
            .map(|outcome| {
                let plot = plots.get(&outcome.plot);
                Harvest {
                    village: plot.and_then(|plot| plot.village.clone()),
                    household: plot.and_then(|plot| plot.household.clone()),
                    drainage: plot.and_then(|plot| plot.drainage),
                    outcome,
                }
            })
            .collect();
        let prices = self.facts.prices(&id).await?;
        let climate = self.facts.climate(&id).await?;
        Ok(Surroundings { cooperative, harvests, prices, climate })
    }

    async fn dossier(
        &self,
        plot: Plot,
        around: &Arc<Around>,
        on: Date,
    ) -> Result<Dossier, AdviserError> {
        let placements = self.facts.placements_of_plot(&plot.id).await?;
        let samples = self.facts.samples(&plot.id).await?;
        let seasons = self.facts.seasons(&plot.id).await?;
        let first = on.saturating_sub(i64::from(self.window_days).days());
        let window = (first, on);
        let (store, catalogue) = (self.store.clone(), Arc::clone(&self.catalogue));
        let (id, zone) = (plot.id.clone(), around.zone.clone());
        let land = Land::of(&plot, &seasons, &zone, &catalogue);
        let days = spawn_blocking(move || {
            let context = PlotContext {
                plot: &id,
                placements: &placements,
                land: &land,
                zone: &zone,
                catalogue: &catalogue,
            };
            day_summaries(&store.reader()?, &context, window)
        })
        .await??;
        Ok(Dossier { plot, days, window, samples, seasons })
    }

    async fn answer_and_keep(
        &self,
        plot: Plot,
        around: Arc<Around>,
        moment: Moment,
    ) -> Result<Arc<Advice>, AdviserError> {
        let id = plot.id.clone();
        let advice = self.answer(plot, &around, moment.on).await?;
        self.keep(&id, &advice).await?;
        let kept = Remembered { moment, value: Arc::clone(&advice) };
        self.remembering(|memory| memory.advice.insert(id, kept));
        Ok(advice)
    }

    async fn answer(
        &self,
        plot: Plot,
        around: &Arc<Around>,
        on: Date,
    ) -> Result<Arc<Advice>, AdviserError> {
        let dossier = self.dossier(plot, around, on).await?;
        let made_at = self.clock.now();
        let (catalogue, around) = (Arc::clone(&self.catalogue), Arc::clone(around));
        let advice = spawn_blocking(move || {
            let question = Question { made_at, on };
            advise(&catalogue, &around.surroundings, &around.yields, &dossier, question)
        });
        Ok(Arc::new(advice.await?))
    }

    /// Keeps the advice, unless the last one kept says the same.
    async fn keep(&self, plot: &PlotId, advice: &Advice) -> Result<(), AdviserError> {
        let unreadable = |source| AdviserError::Kept { plot: plot.clone(), source };
        if let Some(last) = self.facts.last_advice(plot).await?
            && says_the_same(&read(plot, &last)?, advice)
        {
            return Ok(());
        }
        let document = serde_json::to_string(advice).map_err(unreadable)?;
        let made_at = self.clock.now();
        self.facts.keep_advice(plot, made_at, Some(&advice.model.id), &document).await?;
        Ok(())
    }

    fn remembering<T>(&self, with: impl FnOnce(&mut Memory) -> T) -> T {
        // A panic elsewhere leaves at worst a missing entry, which is made anew.
        with(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a grower would read the same in both: figures that move with every reading do not count.
fn says_the_same(a: &Advice, b: &Advice) -> bool {
    let lines = |advice: &Advice| -> Vec<_> {
        let lines = advice.ranked.iter();
        let line = |line: &RankedLine| {
            let codes: Vec<_> = line.conditions.iter().map(|one| one.code.clone()).collect();
            let rules: Vec<_> = line.warnings.iter().map(|one| one.rule).collect();
            (line.crop.clone(), line.variety.clone(), line.suitability, codes, rules)
        };
        lines.map(line).collect()
    };
    let out = |advice: &Advice| -> Vec<_> {
        let out = advice.ruled_out.iter();
        out.map(|line| (line.crop.clone(), line.variety.clone(), line.rule)).collect()
    };
    let missing = |advice: &Advice| -> Vec<_> {
        advice.measure_first.iter().map(|missing| missing.quantity.clone()).collect()
    };
    a.status == b.status
        && a.model == b.model
        && a.land == b.land
        && lines(a) == lines(b)
        && out(a) == out(b)
        && missing(a) == missing(b)
}

fn read(plot: &PlotId, kept: &KeptAdvice) -> Result<Advice, AdviserError> {
    serde_json::from_str(&kept.document)
        .map_err(|source| AdviserError::Kept { plot: plot.clone(), source })
}
