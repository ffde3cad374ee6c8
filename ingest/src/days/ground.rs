//! What must be known of a plot to read its series, taken from the facts.

use jiff::tz::TimeZone;
use plotwise_config::{
    catalogue::Catalogue,
    id::{DeviceId, PlotId},
    records::Placement,
};
use tokio::runtime::Handle;

use super::PlotContext;
use crate::{
    facts::{Facts, FactsError, PlotFilter},
    flags::Land,
};

/// A plot as its series are read: [`PlotContext`] with what that borrows.
#[derive(Clone, Debug)]
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
        let owner = facts.cooperative(&record.cooperative).await?;
        let Some(zone) = owner.and_then(|owner| owner.zone().ok()) else { return Ok(None) };
        let placements = facts.placements_of_plot(plot).await?;
        let seasons = facts.seasons(plot).await?;
        let land = Land::of(&record, &seasons, &zone, facts.catalogue());
        Ok(Some(Self { plot: record.id, placements, land, zone }))
    }
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
