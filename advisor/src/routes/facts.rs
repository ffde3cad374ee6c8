//! Lists of cooperatives and devices.

use std::sync::Arc;

use axum::{Json, extract::State};
use plotwise_ingest::facts::DeviceFilter;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{app::App, problem::ApiError};

/// A cooperative.
#[derive(Serialize, ToSchema)]
pub(super) struct CooperativeItem {
    id: String,
    name: String,
    timezone: String,
    simulated: bool,
}

/// A page of cooperatives.
#[derive(Serialize, ToSchema)]
pub(super) struct CooperativeList {
    items: Vec<CooperativeItem>,
    next: Option<String>,
}

/// Cooperatives.
#[utoipa::path(get, path = "/cooperatives", responses((status = 200, body = CooperativeList)))]
pub(super) async fn cooperatives(
    State(app): State<Arc<App>>,
) -> Result<Json<CooperativeList>, ApiError> {
    let known = app.facts.cooperatives().await.map_err(ApiError::internal)?;
    let items = known
        .into_iter()
        .map(|cooperative| CooperativeItem {
            id: cooperative.id.to_string(),
            name: cooperative.name,
            timezone: cooperative.timezone,
            simulated: cooperative.simulated,
        })
        .collect();
    Ok(Json(CooperativeList { items, next: None }))
}

/// A device and when it was last heard.
#[derive(Serialize, ToSchema)]
pub(super) struct DeviceItem {
    device: String,
    cooperative: String,
    name: Option<String>,
    profile: String,
    gateway: bool,
    /// Time of its newest observation; null where nothing arrived yet.
    last_measured: Option<String>,
    /// When that arrived.
    last_received: Option<String>,
}

/// A page of devices.
#[derive(Serialize, ToSchema)]
pub(super) struct DeviceList {
    items: Vec<DeviceItem>,
    next: Option<String>,
}

/// Devices, in order of name.
#[utoipa::path(get, path = "/devices", responses((status = 200, body = DeviceList)))]
pub(super) async fn devices(State(app): State<Arc<App>>) -> Result<Json<DeviceList>, ApiError> {
    let known = app.facts.devices(&DeviceFilter::default()).await.map_err(ApiError::internal)?;
    let seen = app.last_seen().await?;
    let items = known
        .into_iter()
        .map(|device| {
            let last = seen.get(&device.id);
            DeviceItem {
                last_measured: last.map(|last| last.heard.measured.to_string()),
                last_received: last.map(|last| last.heard.received.to_string()),
                device: device.id.to_string(),
                cooperative: device.cooperative.to_string(),
                name: device.name,
                profile: device.profile,
                gateway: device.is_gateway,
            }
        })
        .collect();
    Ok(Json(DeviceList { items, next: None }))
}
