//! `/healthz`, `/readyz`: for supervisors, outside the API, no sign-in.

use std::sync::Arc;

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use serde::Serialize;
use tokio::task::spawn_blocking;

use crate::app::App;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready))
}

/// Whether the databases answer and readings can be written.
#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    facts: String,
    readings: String,
    ingest: String,
    /// Where there is too little room on the disk: how much, and how much is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    low_disk: Option<Room>,
}

/// Free room on the disk, MB.
#[derive(Debug, Serialize)]
struct Room {
    free_mb: u64,
    wanted_mb: u64,
}

async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Readiness>) {
    let facts = app.facts.revision().await.map(|_| ()).map_err(|error| error.to_string());
    let store = app.store.clone();
    let opened =
        spawn_blocking(move || store.reader().map(|_| ()).map_err(|error| error.to_string()));
    let readings = opened.await.unwrap_or_else(|error| Err(error.to_string()));
    let ingest = app.ingest_state();
    let is_ready = facts.is_ok() && readings.is_ok() && ingest.is_ok();
    let word = |state: Result<(), String>| state.map_or_else(|error| error, |()| "ok".to_owned());
    let body = Readiness {
        ready: is_ready,
        facts: word(facts),
        readings: word(readings),
        ingest: word(ingest),
        low_disk: app.low_disk().map(|low| Room { free_mb: low.free_mb, wanted_mb: low.wanted_mb }),
    };
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body))
}
