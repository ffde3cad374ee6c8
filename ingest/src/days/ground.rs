//! What must be known of a plot to read its series, taken from the facts.

use std::collections::{BTreeSet, HashMap};

use jiff::tz::TimeZone;
use plotwise_config::{
    catalogue::Catalogue,
    id::{DeviceId, PlotId},
    records::{Placement, Plot, Season},
};
use tokio::runtime::Handle;

use super::PlotContext;
use crate::{
    facts::{Facts, FactsError, PlotFilter},
    flags::Land,
};

/// A plot as its series are read: [`PlotContext`] with what that borrows.
#[derive(Clone, Debug, PartialEq)]
pub struct Ground {
    /// Which plot.
    pub plot: PlotId,
    /// As in [`PlotContext`].
    pub placements: Vec<Placement>,
    /// As in [`PlotContext`].
    pub land: Land,
    /// As in [`PlotContext`].
    pub zone: TimeZone,
}

impl Ground {
    /// To read with.
    pub fn context<'a>(&'a self, catalogue: &'a Catalogue) -> PlotContext<'a> {
        let Self { plot, placements, land, zone } = self;
        PlotContext { plot, placements, land, zone, catalogue }
    }

    /// The ground of a plot; `None` where there is no such plot, or its cooperative's zone is none.
    ///
    /// # Errors
    ///
    /// Where the facts cannot be read.
    pub async fn of(facts: &Facts, plot: &PlotId) -> Result<Option<Self>, FactsError> {
        let Some(record) = facts.plot(plot).await? else { return Ok(None) };
        Self::of_record(facts, record).await
    }

    /// The same of a plot that is known; `None` where its cooperative's zone is none.
    ///
    /// # Errors
    ///
    /// Where the facts cannot be read.
    pub async fn of_record(facts: &Facts, record: Plot) -> Result<Option<Self>, FactsError> {
        let (owner, placements, seasons) = tokio::try_join!(
            facts.cooperative(&record.cooperative),
            facts.placements_of_plot(&record.id),
            facts.seasons(&record.id),
        )?;
        let Some(zone) = owner.and_then(|owner| owner.zone().ok()) else { return Ok(None) };
        let land = Land::of(&record, &seasons, &zone, facts.catalogue());
        Ok(Some(Self { plot: record.id, placements, land, zone }))
    }

    /// The ground of every plot, in the order of keys: what [`Ground::of`] gives for each, in four
    /// questions to the facts rather than four a plot.
    ///
    /// # Errors
    ///
    /// Where the facts cannot be read.
    pub async fn of_all(facts: &Facts) -> Result<Vec<Self>, FactsError> {
        let zones: HashMap<_, _> = facts
            .cooperatives()
            .await?
            .into_iter()
            .filter_map(|owner| Some((owner.id.clone(), owner.zone().ok()?)))
            .collect();
        let mut seasons: HashMap<PlotId, Vec<Season>> = HashMap::new();
        for season in facts.all_seasons().await? {
            seasons.entry(season.plot.clone()).or_default().push(season);
        }
        let mut placements = by_plot(&facts.all_placements().await?);
        let plots = facts.plots(&PlotFilter::default()).await?;
        let ground = |record: Plot| {
            let zone = zones.get(&record.cooperative)?.clone();
            let of_plot = seasons.get(&record.id).map_or(&[][..], Vec::as_slice);
            let land = Land::of(&record, of_plot, &zone, facts.catalogue());
            let placements = placements.remove(&record.id).unwrap_or_default();
            Some(Self { plot: record.id, placements, land, zone })
        };
        Ok(plots.into_iter().filter_map(ground).collect())
    }
}

/// Deals placements, in order of device, out to the plots: each gets all of a device that ever stood
/// there.
fn by_plot(placements: &[Placement]) -> HashMap<PlotId, Vec<Placement>> {
    let mut dealt: HashMap<PlotId, Vec<Placement>> = HashMap::new();
    for of_device in placements.chunk_by(|one, next| one.device == next.device) {
        let plots: BTreeSet<_> = of_device.iter().filter_map(|one| one.plot.as_ref()).collect();
        for plot in plots {
            dealt.entry(plot.clone()).or_default().extend_from_slice(of_device);
        }
    }
    dealt
}

/// What upkeep asks of the facts.
pub(super) trait Grounds {
    /// Grows with every change.
    fn revision(&self) -> Result<i64, FactsError>;
    fn ground(&self, plot: &PlotId) -> Result<Option<Ground>, FactsError>;
    /// Where a device stands or stood.
    fn plots_of(&self, device: &DeviceId) -> Result<Vec<PlotId>, FactsError>;
    /// The first plot after one in the order of keys.
    fn next_plot(&self, after: Option<&PlotId>) -> Result<Option<PlotId>, FactsError>;
}

/// The facts, for a thread of its own.
#[derive(Debug)]
pub(super) struct FactsOfThread {
    pub(super) facts: Facts,
    pub(super) runtime: Handle,
}

impl Grounds for FactsOfThread {
    fn revision(&self) -> Result<i64, FactsError> {
        self.runtime.block_on(self.facts.revision())
    }

    fn ground(&self, plot: &PlotId) -> Result<Option<Ground>, FactsError> {
        self.runtime.block_on(Ground::of(&self.facts, plot))
    }

    fn plots_of(&self, device: &DeviceId) -> Result<Vec<PlotId>, FactsError> {
        let placements = self.runtime.block_on(self.facts.placements_of_device(device))?;
        Ok(placements.into_iter().filter_map(|placement| placement.plot).collect())
    }

    fn next_plot(&self, after: Option<&PlotId>) -> Result<Option<PlotId>, FactsError> {
        let filter = PlotFilter { after: after.cloned(), limit: Some(1), ..PlotFilter::default() };
        let found = self.runtime.block_on(self.facts.plots(&filter))?;
        Ok(found.into_iter().next().map(|plot| plot.id))
    }
}
