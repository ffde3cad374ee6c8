//! What every request and job of a running service shares.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ops::ControlFlow,
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use plotwise_config::{
    catalogue::Catalogue,
    id::{CooperativeId, DeviceId, PlotId},
    reading::QuantityNo,
    records::{Device, Plot},
    settings::Settings,
};
use plotwise_ingest::{
    clock::Clock,
    disk::{DiskGuard, LowDisk},
    facts::{Facts, FactsError},
    pipeline::PipelineState,
    store::{LastSeen, Store, StoreError},
    surroundings::Surroundings,
};
use tokio::task::spawn_blocking;

use crate::{adviser::Adviser, problem::ApiError, telemetry::Telemetry};

/// Settings, catalogue, databases and the adviser over them. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// As started.
    pub settings: Arc<Settings>,
    /// As loaded.
    pub catalogue: Arc<Catalogue>,
    /// Plots, devices, harvests.
    pub facts: Facts,
    /// Readings.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// Makes and keeps advice.
    pub adviser: Adviser,
    /// What this process counts.
    pub telemetry: Telemetry,
    /// Whether the disk has room for readings.
    pub disk: Arc<DiskGuard>,
    /// The way in for readings; absent where this process does not ingest.
    pub ingest: Option<Surroundings>,
}

/// What the sensors of a plot have measured.
pub(crate) struct Measured {
    /// Time of the newest observation.
    pub(crate) last: Option<Timestamp>,
    /// In the catalogue's order.
    pub(crate) quantities: BTreeSet<QuantityNo>,
}

impl App {
    /// The plot with this key.
    ///
    /// # Errors
    ///
    /// "Not found" where there is none.
    pub async fn plot(&self, key: &str) -> Result<Plot, ApiError> {
        let missing = || ApiError::NotFound { what: "plot", key: key.to_owned() };
        let id = PlotId::parse(key).map_err(|_| missing())?;
        self.facts.plot(&id).await.map_err(ApiError::internal)?.ok_or_else(missing)
    }

    /// The device with this key.
    ///
    /// # Errors
    ///
    /// "Not found" where there is none.
    pub async fn device(&self, key: &str) -> Result<Device, ApiError> {
        let missing = || ApiError::NotFound { what: "device", key: key.to_owned() };
        let id = DeviceId::parse(key).map_err(|_| missing())?;
        self.facts.device(&id).await.map_err(ApiError::internal)?.ok_or_else(missing)
    }

    /// Cooperatives whose things are made up.
    ///
    /// # Errors
    ///
    /// Where the facts cannot be read.
    pub async fn simulated_cooperatives(&self) -> Result<HashSet<CooperativeId>, FactsError> {
        let known = self.facts.cooperatives().await?;
        Ok(known.into_iter().filter(|one| one.simulated).map(|one| one.id).collect())
    }

    /// When each device was last heard.
    ///
    /// # Errors
    ///
    /// Where the readings cannot be read.
    pub async fn last_seen(&self) -> Result<HashMap<DeviceId, LastSeen>, ApiError> {
        let store = self.store.clone();
        spawn_blocking(move || store.reader()?.last_seen())
            .await
            .map_err(ApiError::internal)?
            .map(|seen| seen.into_iter().collect())
            .map_err(ApiError::internal)
    }

    /// What the sensors of a plot measured in the last days before each fell silent.
    pub(crate) async fn measured_on(&self, plot: &Plot) -> Result<Measured, ApiError> {
        let placements =
            self.facts.placements_of_plot(&plot.id).await.map_err(ApiError::internal)?;
        let devices: BTreeSet<DeviceId> = placements
            .into_iter()
            .filter(|placement| placement.plot.as_ref() == Some(&plot.id))
            .map(|placement| placement.device)
            .collect();
        let store = self.store.clone();
        spawn_blocking(move || measured_by(&store, &devices))
            .await
            .map_err(ApiError::internal)?
            .map_err(ApiError::internal)
    }

    /// The room on the disk, where it is too little to take readings in here.
    pub(crate) fn low_disk(&self) -> Option<LowDisk> {
        self.telemetry.pipeline.as_ref()?;
        self.disk.check().err()
    }

    /// Whether readings can be written: fine too where another process writes them.
    pub(crate) fn ingest_state(&self) -> Result<(), String> {
        let pipeline = self.telemetry.pipeline.as_ref();
        match pipeline.map(|pipeline| pipeline.state().borrow().clone()) {
            None => Ok(()),
            // Nothing may have come since the disk filled up.
            Some(PipelineState::Running) => {
                self.low_disk().map_or(Ok(()), |low| Err(low.to_string()))
            }
            Some(PipelineState::Stalled { since, reason }) => {
                Err(format!("nothing can be written since {since}: {reason}"))
            }
            Some(PipelineState::Stopped) => Err("stopped".to_owned()),
        }
    }
}

/// How far before a device's newest observation to look for what it measures.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(7 * 24);

fn measured_by(store: &Store, devices: &BTreeSet<DeviceId>) -> Result<Measured, StoreError> {
    let reader = store.reader()?;
    let mut measured = Measured { last: None, quantities: BTreeSet::new() };
    for (device, seen) in reader.last_seen()? {
        if !devices.contains(&device) {
            continue;
        }
        measured.last = measured.last.max(Some(seen.heard.measured));
        let from = seen.heard.measured.saturating_sub(LOOK_BACK).unwrap_or(seen.heard.measured);
        let to = seen.heard.measured.saturating_add(SignedDuration::from_millis(1)).unwrap_or(from);
        reader.observations(&device, from, to, |observation| {
            let quantities = observation.readings.iter().map(|reading| reading.quantity);
            measured.quantities.extend(quantities);
            ControlFlow::Continue(())
        })?;
    }
    Ok(measured)
}
