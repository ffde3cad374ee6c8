//! Devices: when each was last heard, whether it is late by its own interval, what of it is missing.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use jiff::Timestamp;
use plotwise_config::{
    id::DeviceId,
    reading::DepthMm,
    records::{Device, Placement},
};
use plotwise_ingest::{facts::DeviceFilter, rhythm::Liveness, store::LastSeen};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{app::App, problem::ApiError};

/// Whether a device sends as it used to.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DeviceState {
    /// Heard within three of its intervals.
    OnTime,
    /// Heard, but its newest measurement is older than twelve intervals: it delivers a backlog.
    Behind,
    /// Not heard for more than three intervals.
    Late,
    /// Not heard for more than twelve intervals.
    Silent,
    /// Never heard.
    Never,
}

/// A device and how it was last heard.
#[derive(Serialize, ToSchema)]
pub(super) struct DeviceItem {
    device: String,
    cooperative: String,
    name: Option<String>,
    profile: String,
    gateway: bool,
    /// Null for a gateway, which is not heard itself.
    state: Option<DeviceState>,
    /// Time of its newest observation; null where nothing arrived yet.
    last_measured: Option<String>,
    /// When the last new one arrived.
    last_received: Option<String>,
    /// How often it is expected, seconds, learned from what it sent; null where that is too little.
    interval_s: Option<f64>,
    /// Messages missing by its own counter (`seq`) that did not come late either.
    lost: u64,
}

/// A page of devices.
#[derive(Serialize, ToSchema)]
pub(super) struct DeviceList {
    items: Vec<DeviceItem>,
    next: Option<String>,
}

/// What a device's own counter says.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct Numbers {
    /// Numbers that were skipped when a later one came.
    missed: u64,
    /// Of these, how many came late after all.
    filled: u64,
    /// Numbers that came more than once.
    repeated: u64,
    /// How often it began to count anew.
    restarts: u64,
}

/// Where a device stands from a moment on.
#[derive(Serialize, ToSchema)]
pub(super) struct PlacementItem {
    plot: Option<String>,
    depth_m: Option<f64>,
    from: String,
}

/// A device with its placements.
#[derive(Serialize, ToSchema)]
pub(super) struct DeviceDetail {
    #[serde(flatten)]
    device: DeviceItem,
    numbers: Numbers,
    placements: Vec<PlacementItem>,
}

/// Devices, in order of name.
#[utoipa::path(get, path = "/devices", responses((status = 200, body = DeviceList)))]
pub(super) async fn devices(State(app): State<Arc<App>>) -> Result<Json<DeviceList>, ApiError> {
    let known = app.facts.devices(&DeviceFilter::default()).await.map_err(ApiError::internal)?;
    let (seen, now) = (app.last_seen().await?, app.clock.now());
    let items = known.into_iter().map(|device| {
        let last = seen.get(&device.id);
        DeviceItem::of(device, last, now)
    });
    Ok(Json(DeviceList { items: items.collect(), next: None }))
}

/// A device.
#[utoipa::path(
    get, path = "/devices/{id}", params(("id" = String, Path)),
    responses((status = 200, body = DeviceDetail), (status = 404, body = crate::problem::Problem)),
)]
pub(super) async fn device(
    State(app): State<Arc<App>>,
    Path(key): Path<String>,
) -> Result<Json<DeviceDetail>, ApiError> {
    let missing = || ApiError::NotFound { what: "device", key: key.clone() };
    let id = DeviceId::parse(&key).map_err(|_| missing())?;
    let device = app.facts.device(&id).await.map_err(ApiError::internal)?.ok_or_else(missing)?;
    let placements = app.facts.placements_of_device(&id).await.map_err(ApiError::internal)?;
    let seen = app.last_seen().await?;
    let last = seen.get(&id);
    let numbers = last.map(|last| Numbers {
        missed: last.numbers.missed,
        filled: last.numbers.filled,
        repeated: last.numbers.repeated,
        restarts: last.numbers.restarts,
    });
    Ok(Json(DeviceDetail {
        device: DeviceItem::of(device, last, app.clock.now()),
        numbers: numbers.unwrap_or_default(),
        placements: placements.into_iter().map(PlacementItem::from).collect(),
    }))
}

impl DeviceItem {
    fn of(device: Device, last: Option<&LastSeen>, now: Timestamp) -> Self {
        let heard = last.map(|last| &last.heard);
        Self {
            state: (!device.is_gateway).then(|| Liveness::of(heard, now).into()),
            last_measured: heard.map(|heard| heard.measured.to_string()),
            last_received: heard.map(|heard| heard.received.to_string()),
            interval_s: heard.and_then(|heard| heard.interval).map(|one| one.as_secs_f64()),
            lost: last.map_or(0, |last| last.numbers.lost()),
            device: device.id.to_string(),
            cooperative: device.cooperative.to_string(),
            name: device.name,
            profile: device.profile,
            gateway: device.is_gateway,
        }
    }
}

impl From<Liveness> for DeviceState {
    fn from(liveness: Liveness) -> Self {
        match liveness {
            Liveness::OnTime => Self::OnTime,
            Liveness::Behind => Self::Behind,
            Liveness::Late => Self::Late,
            Liveness::Silent => Self::Silent,
            Liveness::Never => Self::Never,
        }
    }
}

impl From<Placement> for PlacementItem {
    fn from(placement: Placement) -> Self {
        Self {
            plot: placement.plot.map(|plot| plot.to_string()),
            depth_m: placement.depth.map(DepthMm::metres),
            from: placement.from.to_string(),
        }
    }
}
