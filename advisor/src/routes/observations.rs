//! `GET /devices/{id}/observations`: what a device said, newest first. `POST`: see `post`.

pub(super) mod post;

use std::{
    collections::{BTreeSet, VecDeque},
    ops::ControlFlow,
    sync::Arc,
};

use axum::{
    Json,
    extract::{Path, State},
};
use jiff::{SignedDuration, Timestamp};
use plotwise_config::{
    catalogue::Catalogue,
    id::{DeviceId, PlotId},
    reading::{DepthMm, Flags},
    records::Placement,
};
use plotwise_ingest::{
    days::{Ground, flagged_observations},
    store::{Reader, Store, StoreError, StoredObservation},
};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use utoipa::{IntoParams, ToSchema};

use super::{
    asked::Asked,
    observation::{ObservationItem, Showing},
};
use crate::{app::App, problem::ApiError};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 10_000;

/// How far back to look first; four times as far each time that it was not enough.
const WINDOW_FIRST: SignedDuration = SignedDuration::from_hours(1);

/// Which part of what a device said.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ObservationPage {
    /// At most so many; 100 unless told, 10000 at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// A page of observations.
#[derive(Serialize, ToSchema)]
pub(super) struct ObservationList {
    items: Vec<ObservationItem>,
    next: Option<String>,
}

/// What a device said, newest first.
#[utoipa::path(
    get, path = "/devices/{id}/observations", params(("id" = String, Path), ObservationPage),
    responses(
        (status = 200, body = ObservationList),
        (status = 400, body = crate::problem::Problem),
        (status = 404, body = crate::problem::Problem),
    )
)]
pub(super) async fn observations(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Asked(page): Asked<ObservationPage>,
) -> Result<Json<ObservationList>, ApiError> {
    let device = app.device(&id).await?.id;
    let placements = app.facts.placements_of_device(&device).await.map_err(ApiError::internal)?;
    let limit = page.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let before = page.cursor.as_deref().map(parse_cursor).transpose()?;
    let plots = plots_of(&app, &placements).await?;
    let (store, catalogue) = (app.store.clone(), Arc::clone(&app.catalogue));
    let own = placements.clone();
    let (found, is_more) = spawn_blocking(move || {
        let mut found = newest(&store, &device, before, limit + 1)?;
        let is_more = found.len() > limit;
        found.truncate(limit);
        Ok::<_, StoreError>((flagged(&store, &catalogue, &own, &plots, &found)?, is_more))
    })
    .await
    .map_err(ApiError::internal)?
    .map_err(ApiError::internal)?;
    let next = found.last().filter(|_| is_more);
    let showing =
        Showing { catalogue: &app.catalogue, own_depth: |time| own_depth_at(&placements, time) };
    Ok(Json(ObservationList {
        items: found
            .iter()
            .map(|(observation, flags)| showing.stored(observation, flags))
            .collect(),
        next: next.map(|(last, _)| last.measured.to_string()),
    }))
}

/// The device's own depth at a moment; before its first placement, that of the first.
fn own_depth_at(placements: &[Placement], time: Timestamp) -> Option<DepthMm> {
    let after = placements.partition_point(|placement| placement.from <= time);
    placements.get(after.saturating_sub(1)).and_then(|placement| placement.depth)
}

/// Every plot on which a device stood.
async fn plots_of(app: &App, placements: &[Placement]) -> Result<Vec<Ground>, ApiError> {
    let ids: BTreeSet<&PlotId> = placements.iter().filter_map(|one| one.plot.as_ref()).collect();
    let mut known = Vec::with_capacity(ids.len());
    for id in ids {
        known.extend(Ground::of(&app.facts, id).await.map_err(ApiError::internal)?);
    }
    Ok(known)
}

/// The same observations, newest first, each with all flags of its readings.
fn flagged(
    store: &Store,
    catalogue: &Catalogue,
    own: &[Placement],
    plots: &[Ground],
    found: &[StoredObservation],
) -> Result<Vec<(StoredObservation, Vec<Flags>)>, StoreError> {
    let (Some(last), Some(first)) = (found.first(), found.last()) else { return Ok(Vec::new()) };
    let after = last.measured.saturating_add(SignedDuration::from_millis(1));
    let span = (first.measured, after.unwrap_or(Timestamp::MAX));
    let of_plot = |id: &PlotId| {
        let known = plots.iter().find(|ground| ground.plot == *id)?;
        Some(known.context(catalogue))
    };
    let mut flagged = Vec::with_capacity(found.len());
    let each = |observation: &StoredObservation, flags: &[Flags]| {
        flagged.push((observation.clone(), flags.to_vec()));
        ControlFlow::Continue(())
    };
    let who = (&last.device, own);
    flagged_observations(&store.reader()?, catalogue, who, of_plot, span, each)?;
    flagged.reverse();
    // Something may have come in between.
    flagged.truncate(found.len());
    Ok(flagged)
}

fn parse_cursor(text: &str) -> Result<Timestamp, ApiError> {
    text.parse().map_err(|_| ApiError::bad("cursor", text, "the next of the page before"))
}

/// At most `limit` observations measured before a moment, or the newest of all; newest first.
///
/// The store reads forwards, so this looks at ever longer spans from the end: no more is read than a few
/// times what is wanted, however long the device has been silent.
fn newest(
    store: &Store,
    device: &DeviceId,
    before: Option<Timestamp>,
    limit: usize,
) -> Result<Vec<StoredObservation>, StoreError> {
    let reader = store.reader()?;
    let Some(seen) = reader.last_seen_of(device)? else { return Ok(Vec::new()) };
    let after_all = seen.heard.measured.saturating_add(SignedDuration::from_millis(1));
    let mut to = before.into_iter().chain(after_all.ok()).min().unwrap_or(Timestamp::MAX);
    let (mut found, mut window) = (Vec::new(), WINDOW_FIRST);
    while found.len() < limit && to > Timestamp::MIN {
        let from = to.checked_sub(window).unwrap_or(Timestamp::MIN);
        let last = last_of_span(&reader, device, [from, to], limit - found.len())?;
        found.extend(last.into_iter().rev());
        to = from;
        window = window.saturating_mul(4);
    }
    Ok(found)
}

/// The last `limit` observations of a span, in order of time.
fn last_of_span(
    reader: &Reader,
    device: &DeviceId,
    [from, to]: [Timestamp; 2],
    limit: usize,
) -> Result<VecDeque<StoredObservation>, StoreError> {
    let mut last = VecDeque::new();
    reader.observations(device, from, to, |observation| {
        if last.len() == limit {
            last.pop_front();
        }
        last.push_back(observation.clone());
        ControlFlow::Continue(())
    })?;
    Ok(last)
}

#[cfg(test)]
mod tests {
    use plotwise_config::reading::{Identity, Observation, QuantityNo, Reading};
    use plotwise_ingest::{intake::Intake, store::StoreOptions};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + second).unwrap()
    }

    #[test]
    fn the_newest_are_found_however_long_the_pauses() {
        let directory = tempfile::tempdir().unwrap();
        let catalogue = Arc::new(Catalogue::load(&[]).unwrap());
        let options = StoreOptions { redelivery_window_s: 600, keeps_raw: true };
        let store = Store::open(directory.path(), catalogue, options).unwrap();
        let device = DeviceId::parse("n-07").unwrap();
        assert_eq!(newest(&store, &device, None, 10).unwrap(), []);
        // A burst, a day, years.
        let seconds = [0, 1, 2, 86_400, 86_401, 200_000_000, 200_000_001];
        let batch = seconds.map(|second| {
            let reading =
                Reading { quantity: QuantityNo(0), depth: None, value: 0.2, flags: Flags::NONE };
            Intake::Observation(Observation {
                device: device.clone(),
                measured: at(second),
                received: at(second),
                claimed: None,
                identity: Identity::MeasuredTime,
                seq: None,
                supersede: false,
                readings: vec![reading],
            })
        });
        store.writer().unwrap().commit(&batch).unwrap();
        let times = |before, limit| {
            let found = newest(&store, &device, before, limit).unwrap();
            found.iter().map(|one| one.measured.duration_since(at(0)).as_secs()).collect::<Vec<_>>()
        };
        let mut wanted = seconds.to_vec();
        wanted.reverse();
        assert_eq!(times(None, 100), wanted);
        for limit in 1..=7 {
            assert_eq!(times(None, limit), wanted[..limit]);
            assert_eq!(times(Some(at(86_401)), limit), wanted[3..(3 + limit).min(7)]);
        }
        assert_eq!(times(Some(at(0)), 5), [] as [i64; 0]);
    }
}
