//! `GET /events`: what happens, as server-sent events.
//!
//! Told so far: `observation`, each once it is on disk, and `lagged` with how many passed while this
//! client was too slow. Nothing is told again: whoever connects anew reads what it missed from the lists.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::stream::{Stream, unfold};
use plotwise_config::id::DeviceId;
use plotwise_ingest::live::{Heard, Listening};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;
use utoipa::IntoParams;

use super::{
    asked::Asked,
    observation::{ObservationItem, Showing},
};
use crate::{app::App, problem::ApiError};

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EventQuery {
    /// Observations of one device alone.
    device: Option<String>,
}

/// Observations as they come in (`observation`); `lagged` says how many this client missed.
#[utoipa::path(
    get, path = "/events", params(EventQuery),
    responses(
        (status = 200, content((ObservationItem = "text/event-stream"))),
        (status = 404, body = crate::problem::Problem),
        (status = 503, body = crate::problem::Problem),
    )
)]
pub(super) async fn events(
    State(app): State<Arc<App>>,
    Asked(query): Asked<EventQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let device = match &query.device {
        Some(key) => Some(app.device(key).await?.id),
        None => None,
    };
    let refused =
        |detail: &str| ApiError::Unavailable { detail: detail.to_owned(), retry_after_s: 60 };
    let ingest = app.ingest.as_ref();
    let ingest = ingest.ok_or_else(|| {
        refused("this process receives no readings; ask one with the role ingest")
    })?;
    let listening = ingest.pipeline.live().listen();
    let listening = listening.ok_or_else(|| refused("as many listen as may; wanted one less"))?;
    let shutdown = ingest.shutdown.clone();
    let feed = Feed { app, device, listening, shutdown };
    let events = unfold(feed, |mut feed| async move {
        let event = feed.next().await?;
        Some((Ok(event), feed))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// What one client is told.
struct Feed {
    app: Arc<App>,
    device: Option<DeviceId>,
    listening: Listening,
    shutdown: watch::Receiver<bool>,
}

impl Feed {
    /// The next event; `None` when the service ends, which would otherwise wait for the client.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let heard = tokio::select! {
                biased;
                _ = self.shutdown.wait_for(|stop| *stop) => return None,
                heard = self.listening.next() => heard?,
            };
            let observation = match heard {
                Heard::Missed(missed) => {
                    return Some(
                        Event::default()
                            .event("lagged")
                            .data(json!({ "missed": missed }).to_string()),
                    );
                }
                Heard::Observation(observation) => observation,
            };
            if self.device.as_ref().is_some_and(|device| *device != observation.device) {
                continue;
            }
            let directory = self.app.ingest.as_ref()?.directory.borrow().clone();
            let entry = directory.entry(observation.device.as_str());
            let showing = Showing {
                device: &observation.device,
                catalogue: &self.app.catalogue,
                own_depth: |time| entry.and_then(|entry| entry.own_depth_at(time)),
            };
            let item = showing.announced(&observation);
            // Only a map with keys that are no texts would fail.
            return Event::default().event("observation").json_data(item).ok();
        }
    }
}
