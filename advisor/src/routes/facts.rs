//! The list of cooperatives.

use std::sync::Arc;

use axum::{Json, extract::State};
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
