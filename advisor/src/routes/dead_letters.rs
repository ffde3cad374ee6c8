//! Dead letters: one by one or in groups, and replayed.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use plotwise_config::id::DeviceId;
use plotwise_ingest::{
    decode::Decoders,
    intake::DeadLetterReason,
    replay::{self, Again, Outcome},
    store::{LetterFilter, LetterGroup, StoredDeadLetter},
};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use utoipa::{IntoParams, ToSchema};

use super::asked::Asked;
use crate::{app::App, problem::ApiError};

const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 1_000;

/// Which dead letters.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LettersQuery {
    /// Of this reason, for example `unknown_device`.
    reason: Option<String>,
    /// Of this device.
    device: Option<String>,
    /// `true`: in groups of the same trouble instead of one by one, newest first.
    group: Option<bool>,
    /// One by one: at most so many; 100 unless told.
    limit: Option<u32>,
    /// One by one: the `next` of the page before.
    cursor: Option<String>,
}

/// A dead letter.
#[derive(Serialize, ToSchema)]
pub(super) struct LetterItem {
    id: i64,
    reason: &'static str,
    device: Option<String>,
    /// On whose word it came: `token NAME`, `link NAME`; null for what the store itself wrote.
    sender: Option<String>,
    topic: String,
    received: String,
    /// What was found and what was wanted.
    detail: String,
    /// As it came; for `too_large` its head. What is no text is shown with replacement characters.
    payload: String,
    /// The same in hexadecimal digits, where it is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_hex: Option<String>,
}

/// Letters that are the same trouble.
#[derive(Serialize, ToSchema)]
pub(super) struct LetterGroupItem {
    reason: &'static str,
    device: Option<String>,
    /// `{device}` stands for the device, `#` for a number.
    topic: String,
    /// `#` stands for a number, `{time}` for a time.
    detail: String,
    count: u64,
    /// Arrival of the first.
    first: String,
    /// Arrival of the last.
    last: String,
    /// Id of the newest.
    newest: i64,
}

/// How many letters of a reason.
#[derive(Serialize, ToSchema)]
pub(super) struct ReasonCount {
    reason: &'static str,
    letters: u64,
}

/// Dead letters in groups, all of them.
#[derive(Serialize, ToSchema)]
pub(super) struct LetterGroupList {
    items: Vec<LetterGroupItem>,
    next: Option<String>,
    /// Letters that were let go to keep the bounds, since the beginning.
    let_go: Vec<ReasonCount>,
}

/// A page of dead letters.
#[derive(Serialize, ToSchema)]
pub(super) struct LetterList {
    items: Vec<LetterItem>,
    next: Option<String>,
}

/// One by one, or with `group=true` in groups.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Letters {
    /// In groups.
    Groups(LetterGroupList),
    /// One by one.
    Each(LetterList),
}

/// Which letters to replay; all but those of reasons that have to be named where nothing is said.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayRequest {
    /// Of this reason; `not_allowed` and `conflict` are replayed only when named.
    reason: Option<String>,
    /// Of this device.
    device: Option<String>,
    /// This one alone.
    id: Option<i64>,
}

/// What a replay came to.
#[derive(Serialize, ToSchema)]
pub(super) struct ReplayOutcome {
    /// Letters that are gone: what they hold is stored.
    done: u64,
    /// Observations that are new, or gained or corrected readings.
    stored: u64,
    /// Letters that stay, by the reason that they have now.
    left: Vec<ReasonCount>,
    /// Letters that hold the head of a message alone.
    cut: u64,
    /// Letters passed over because their reason has to be named.
    unasked: u64,
}

/// Dead letters.
#[utoipa::path(
    get, path = "/deadletters", params(LettersQuery),
    responses((status = 200, body = Letters), (status = 400, body = crate::problem::Problem)),
)]
pub(super) async fn dead_letters(
    State(app): State<Arc<App>>,
    Asked(query): Asked<LettersQuery>,
) -> Result<Json<Letters>, ApiError> {
    let reason = reason(query.reason.as_deref())?;
    let device = device(query.device.as_deref())?;
    let cursor = match query.cursor.as_deref() {
        None => None,
        Some(text) => Some(
            text.parse()
                .map_err(|_| ApiError::bad("cursor", text, "the next of the page before"))?,
        ),
    };
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let (store, is_grouped) = (app.store.clone(), query.group.unwrap_or(false));
    let found = spawn_blocking(move || {
        let reader = store.reader()?;
        if is_grouped {
            let filter = LetterFilter { reason, device, before: None };
            let groups = reader.dead_letter_groups(&filter)?;
            let let_go = reader.dead_letters_let_go()?;
            return Ok(Letters::Groups(LetterGroupList {
                items: groups.into_iter().map(LetterGroupItem::from).collect(),
                next: None,
                let_go: counts(let_go),
            }));
        }
        let letters = reader.dead_letters(limit, cursor, reason, device.as_ref())?;
        let is_full = u32::try_from(letters.len()).is_ok_and(|count| count == limit);
        let next = letters.last().filter(|_| is_full).map(|last| last.id.to_string());
        let items = letters.into_iter().map(LetterItem::from).collect();
        Ok(Letters::Each(LetterList { items, next }))
    });
    let found: Result<Letters, plotwise_ingest::store::StoreError> =
        found.await.map_err(ApiError::internal)?;
    Ok(Json(found.map_err(ApiError::internal)?))
}

/// A dead letter.
#[utoipa::path(
    get, path = "/deadletters/{id}", params(("id" = i64, Path)),
    responses((status = 200, body = LetterItem), (status = 404, body = crate::problem::Problem)),
)]
pub(super) async fn dead_letter(
    State(app): State<Arc<App>>,
    Path(key): Path<String>,
) -> Result<Json<LetterItem>, ApiError> {
    let missing = || ApiError::NotFound { what: "dead letter", key: key.clone() };
    let id = key.parse().map_err(|_| missing())?;
    let store = app.store.clone();
    let found = spawn_blocking(move || store.reader()?.dead_letter(id))
        .await
        .map_err(ApiError::internal)?
        .map_err(ApiError::internal)?;
    Ok(Json(found.ok_or_else(missing)?.into()))
}

/// Decodes dead letters once more; what can be stored now is, and its letter goes.
#[utoipa::path(
    post, path = "/deadletters/replay", request_body = ReplayRequest,
    responses((status = 200, body = ReplayOutcome), (status = 400, body = crate::problem::Problem)),
)]
pub(super) async fn replay_dead_letters(
    State(app): State<Arc<App>>,
    body: Bytes,
) -> Result<Json<ReplayOutcome>, ApiError> {
    let request: ReplayRequest = if body.is_empty() {
        ReplayRequest::default()
    } else {
        serde_json::from_slice(&body).map_err(|error| {
            let found = String::from_utf8_lossy(&body).into_owned();
            ApiError::bad("body", found, format!("an object with reason, device or id: {error}"))
        })?
    };
    let asked = replay::Asked {
        reason: reason(request.reason.as_deref())?,
        device: device(request.device.as_deref())?,
        id: request.id,
    };
    let directory = app.facts.directory().await.map_err(ApiError::internal)?;
    let outcome = spawn_blocking(move || -> Result<Outcome, ApiError> {
        let decoders = Decoders::new(&app.catalogue);
        let again = Again::new(&directory, &decoders, &app.settings.mqtt);
        let again = again.map_err(ApiError::internal)?;
        replay::replay_letters(&app.store, &asked, &again, app.clock.now(), |_| {})
            .map_err(ApiError::internal)
    });
    let outcome = outcome.await.map_err(ApiError::internal)??;
    let committed = outcome.replayed.committed;
    Ok(Json(ReplayOutcome {
        done: outcome.replayed.done,
        stored: committed.stored + committed.merged + committed.superseded,
        left: counts(outcome.replayed.left),
        cut: outcome.cut,
        unasked: outcome.unasked,
    }))
}

fn reason(text: Option<&str>) -> Result<Option<DeadLetterReason>, ApiError> {
    let parse = |text: &str| {
        DeadLetterReason::parse(text).ok_or_else(|| {
            let known = DeadLetterReason::ALL.map(DeadLetterReason::key).join(", ");
            ApiError::bad("reason", text, format!("one of {known}"))
        })
    };
    text.map(parse).transpose()
}

fn device(text: Option<&str>) -> Result<Option<DeviceId>, ApiError> {
    let parse = |text: &str| {
        DeviceId::parse(text)
            .map_err(|_| ApiError::bad("device", text, "1-64 of A-Z a-z 0-9 - _ . :"))
    };
    text.map(parse).transpose()
}

fn counts(by_reason: impl IntoIterator<Item = (DeadLetterReason, u64)>) -> Vec<ReasonCount> {
    by_reason
        .into_iter()
        .map(|(reason, letters)| ReasonCount { reason: reason.key(), letters })
        .collect()
}

impl From<StoredDeadLetter> for LetterItem {
    fn from(stored: StoredDeadLetter) -> Self {
        let letter = stored.letter;
        let is_text = std::str::from_utf8(&letter.payload).is_ok();
        Self {
            id: stored.id,
            reason: letter.reason.key(),
            device: letter.device.as_ref().map(ToString::to_string),
            sender: letter.sender.as_ref().map(plotwise_ingest::intake::Sender::to_text),
            topic: letter.topic,
            received: letter.received.to_string(),
            detail: letter.detail,
            payload_hex: (!is_text).then(|| hexadecimal(&letter.payload)),
            payload: String::from_utf8_lossy(&letter.payload).into_owned(),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

impl From<LetterGroup> for LetterGroupItem {
    fn from(group: LetterGroup) -> Self {
        Self {
            reason: group.reason.key(),
            device: group.device.as_ref().map(ToString::to_string),
            topic: group.topic,
            detail: group.detail,
            count: group.count,
            first: group.first.to_string(),
            last: group.last.to_string(),
            newest: group.newest,
        }
    }
}
