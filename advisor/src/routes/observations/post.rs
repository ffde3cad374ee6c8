//! `POST /devices/{id}/observations`: a sensor's message over HTTP, the same way as over MQTT.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::{Body, Bytes, to_bytes},
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
};
use plotwise_config::id::DeviceId;
use plotwise_ingest::{
    directory::Directory,
    intake::{DeadLetter, DeadLetterReason, Intake, Sender},
    pipeline::{Outcome, PipelineState},
    resolve::{Message, Publisher, resolve},
    surroundings::Surroundings,
    topic::own_route,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{app::App, problem::ApiError, routes::bearer::Bearer};

/// How long a sender waits for the disk at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// When to come again while the store takes nothing.
const RETRY_AFTER_S: u32 = 10;

/// When to come again to a process that receives no readings: it has to be started anew.
const RETRY_ELSEWHERE_S: u32 = 60;

/// A device or token that nobody knows may have been added a moment ago.
const NEWS_WITHIN: Duration = Duration::from_secs(1);

/// What a message came to. All of it is on disk.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::routes) struct Taken {
    /// Observations in it, new or not.
    observations: usize,
    /// Of them, those that were there already.
    duplicates: usize,
    /// Parts of it that could not be stored, each kept with its reason.
    dead_letters: usize,
}

/// Takes a message of a device: native JSON, or SenML (`application/senml+json`, `application/senml+cbor`).
///
/// A token of the device, or of a gateway of its cooperative, may be given and then must be right.
#[utoipa::path(
    post, path = "/devices/{id}/observations",
    params(("id" = String, Path), ("authorization" = Option<String>, Header, description = "`Bearer TOKEN`")),
    request_body(content(
        (Object = "application/json"), (Object = "application/senml+json"), (Object = "application/senml+cbor"),
    )),
    responses(
        (status = 202, description = "On disk", body = Taken),
        (status = 400, description = "Nothing of it can be read; kept as a dead letter", body = crate::problem::Problem),
        (status = 401, body = crate::problem::Problem),
        (status = 404, description = "Nobody registered the device; kept as a dead letter", body = crate::problem::Problem),
        (status = 413, body = crate::problem::Problem),
        (status = 503, description = "Nothing can be stored now; `Retry-After` says when to come again", body = crate::problem::Problem),
    )
)]
pub(in crate::routes) async fn take_observations(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    bearer: Bearer,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Taken>), ApiError> {
    let ingest = app.ingest.as_ref().ok_or_else(elsewhere)?;
    can_store(&ingest.pipeline.state().borrow())?;
    // Before the first commit has failed for it.
    app.low_disk().map_or(Ok(()), |low| Err(unavailable(&low.to_string())))?;
    let missing = || ApiError::NotFound { what: "device", key: id.clone() };
    let device = DeviceId::parse(&id).map_err(|_| missing())?;
    let (directory, holder) = let_in(ingest, &device, &bearer).await?;
    let payload = read(&headers, body, app.settings.mqtt.listener.limits.packet_bytes_max).await?;
    let topic = format!("plotwise/v1/{device}/{}", last_level(&headers));
    let message = Message { topic: &topic, payload: &payload, received: app.clock.now() };
    let mut intakes = Vec::new();
    if holder.is_none() && directory.entry(device.as_str()).is_none() {
        intakes.push(nobodys(&device, message));
    } else {
        let publisher = Publisher::Token(holder.as_ref().unwrap_or(&device).as_str());
        let decoders = &ingest.decoders;
        resolve(message, own_route(&topic), publisher, &directory, decoders, &mut intakes);
    }
    let letters = letters_of(&intakes);
    let is_observation = |intake: &&Intake| matches!(intake, Intake::Observation(_));
    let observations = intakes.iter().filter(is_observation).count();
    let outcome = store(ingest, intakes).await?;
    if let Some((_, detail)) = letters.first().filter(|_| observations == 0) {
        let is_unknown =
            letters.iter().any(|(reason, _)| *reason == DeadLetterReason::UnknownDevice);
        let unreadable = || ApiError::Unreadable { detail: detail.clone() };
        return Err(if is_unknown { missing() } else { unreadable() });
    }
    let taken = Taken {
        observations,
        duplicates: outcome.duplicates,
        dead_letters: letters.len() + outcome.dead_letters,
    };
    Ok((StatusCode::ACCEPTED, Json(taken)))
}

/// Who there is, and whose token was given. A directory is half a second old at most, and what it does
/// not know is looked for once more when it has changed.
async fn let_in(
    ingest: &Surroundings,
    device: &DeviceId,
    bearer: &Bearer,
) -> Result<(Arc<Directory>, Option<DeviceId>), ApiError> {
    let mut news = ingest.directory.clone();
    let mut is_last = false;
    loop {
        let directory = Arc::clone(&news.borrow_and_update());
        let holder = bearer.holder(device.as_str(), &directory).map(Option::<&_>::cloned);
        let is_known = directory.entry(device.as_str()).is_some();
        if is_last || (is_known && holder.is_ok()) {
            return holder.map(|holder| (directory, holder));
        }
        // Changed, not changed in time, or at an end: asked once more in either case.
        let _ = tokio::time::timeout(NEWS_WITHIN, news.changed()).await;
        is_last = true;
    }
}

async fn read(headers: &HeaderMap, body: Body, limit: u32) -> Result<Bytes, ApiError> {
    let told =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let bytes_max = usize::try_from(limit).unwrap_or(usize::MAX);
    if told.is_some_and(|length: u64| length > u64::from(limit)) {
        return Err(ApiError::TooLarge { bytes_max });
    }
    // A body that breaks off has nobody left to answer to.
    to_bytes(body, bytes_max).await.map_err(|_| ApiError::TooLarge { bytes_max })
}

/// The topic on which the same message would come over MQTT.
fn last_level(headers: &HeaderMap) -> &'static str {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().trim().to_ascii_lowercase();
    if kind.starts_with("application/senml+") { "senml" } else { "up" }
}

/// A message of a device that nobody registered: it waits until somebody does.
fn nobodys(device: &DeviceId, message: Message<'_>) -> Intake {
    Intake::DeadLetter(DeadLetter {
        reason: DeadLetterReason::UnknownDevice,
        device: Some(device.clone()),
        // Once it is registered it may speak for itself.
        sender: Some(Sender::Token(device.to_string())),
        topic: message.topic.to_owned(),
        received: message.received,
        payload: message.payload.to_vec(),
        detail: format!("nobody registered {device}; add it with devices add"),
    })
}

fn letters_of(intakes: &[Intake]) -> Vec<(DeadLetterReason, String)> {
    let letters = intakes.iter().filter_map(|intake| match intake {
        Intake::DeadLetter(letter) => Some((letter.reason, letter.detail.clone())),
        Intake::Observation(_) | Intake::Raw(_) => None,
    });
    letters.collect()
}

/// Waits until it is on disk, or the store says that it takes nothing.
async fn store(ingest: &Surroundings, intakes: Vec<Intake>) -> Result<Outcome, ApiError> {
    let mut state = ingest.pipeline.state();
    let stored = ingest.pipeline.clone().store(intakes);
    let stalled = async {
        match state.wait_for(|state| *state != PipelineState::Running).await {
            Ok(state) => can_store(&state),
            Err(_) => can_store(&PipelineState::Stopped),
        }
    };
    tokio::select! {
        biased;
        outcome = stored => outcome.map_err(|closed| unavailable(&closed.to_string())),
        refused = stalled => Err(refused.err().unwrap_or_else(|| unavailable("no answer"))),
        () = tokio::time::sleep(PATIENCE) => {
            Err(unavailable(&format!("the disk did not answer within {} s", PATIENCE.as_secs())))
        }
    }
}

fn can_store(state: &PipelineState) -> Result<(), ApiError> {
    match state {
        PipelineState::Running => Ok(()),
        PipelineState::Stalled { since, reason } => {
            Err(unavailable(&format!("nothing can be written since {since}: {reason}")))
        }
        PipelineState::Stopped => Err(unavailable("the service is ending")),
    }
}

fn unavailable(reason: &str) -> ApiError {
    let detail = format!("{reason}; send it again later: what is stored already changes nothing");
    ApiError::Unavailable { detail, retry_after_s: RETRY_AFTER_S }
}

fn elsewhere() -> ApiError {
    let detail =
        "this process receives no readings; send them to one with the role ingest".to_owned();
    ApiError::Unavailable { detail, retry_after_s: RETRY_ELSEWHERE_S }
}
