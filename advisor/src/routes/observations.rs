//! `GET /devices/{id}/observations`: what a device said, newest first. `POST`: see `post`.

pub(super) mod post;

use std::{collections::BTreeSet, ops::ControlFlow, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
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
    store::{Reader, StoreError, StoredObservation},
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
pub(super) struct ObservationList<'a> {
    items: Vec<ObservationItem<'a>>,
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
) -> Result<Response, ApiError> {
    let device = app.device(&id).await?.id;
    let placements = app.facts.placements_of_device(&device).await.map_err(ApiError::internal)?;
    let asked = PageAsked {
        limit: page.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX),
        before: page.cursor.as_deref().map(parse_cursor).transpose()?,
        plots: plots_of(&app, &placements).await?,
        device,
        placements,
    };
    let (store, catalogue) = (app.store.clone(), Arc::clone(&app.catalogue));
    // Put in words there, too: a page may be some megabytes.
    spawn_blocking(move || Ok(Json(asked.answer(&store.reader()?, &catalogue)?).into_response()))
        .await
        .map_err(ApiError::internal)?
        .map_err(|error: StoreError| ApiError::internal(error))
}

/// A page that somebody wants, and what must be known for it.
struct PageAsked {
    device: DeviceId,
    /// Of the device.
    placements: Vec<Placement>,
    /// Every plot on which it stood.
    plots: Vec<Ground>,
    before: Option<Timestamp>,
    limit: usize,
}

impl PageAsked {
    fn answer<'a>(
        &'a self,
        reader: &Reader,
        catalogue: &'a Catalogue,
    ) -> Result<ObservationList<'a>, StoreError> {
        let Self { device, placements, plots, before, limit } = self;
        let mut times = newest(reader, device, *before, limit + 1)?;
        let is_more = times.len() > *limit;
        times.truncate(*limit);
        let (Some(last), Some(first)) = (times.first(), times.last()) else {
            return Ok(ObservationList { items: Vec::new(), next: None });
        };
        let own_depth = |time| own_depth_at(placements, time);
        let showing = Showing { device, catalogue, own_depth };
        let of_plot = |id: &PlotId| {
            let known = plots.iter().find(|ground| ground.plot == *id)?;
            Some(known.context(catalogue))
        };
        let mut items = Vec::with_capacity(times.len());
        let each = |observation: &StoredObservation, flags: &[Flags]| {
            items.push(showing.stored(observation, flags));
            ControlFlow::Continue(())
        };
        let after = last.saturating_add(SignedDuration::from_millis(1));
        let span = (*first, after.unwrap_or(Timestamp::MAX));
        flagged_observations(reader, catalogue, (device, placements), of_plot, span, each)?;
        items.reverse();
        // Something may have come in between.
        items.truncate(times.len());
        Ok(ObservationList { items, next: is_more.then(|| first.to_string()) })
    }
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

fn parse_cursor(text: &str) -> Result<Timestamp, ApiError> {
    text.parse().map_err(|_| ApiError::bad("cursor", text, "the next of the page before"))
}

/// When at most `limit` observations before a moment, or the newest of all, were measured; newest first.
///
/// The store reads forwards, so this looks at ever longer spans from the end: no more is read than a few
/// times what is wanted, however long the device has been silent.
fn newest(
    reader: &Reader,
    device: &DeviceId,
    before: Option<Timestamp>,
    limit: usize,
) -> Result<Vec<Timestamp>, StoreError> {
    let Some(seen) = reader.last_seen_of(device)? else { return Ok(Vec::new()) };
    let after_all = seen.heard.measured.saturating_add(SignedDuration::from_millis(1));
    let mut to = before.into_iter().chain(after_all.ok()).min().unwrap_or(Timestamp::MAX);
    let (mut found, mut window) = (Vec::new(), WINDOW_FIRST);
    while found.len() < limit && to > Timestamp::MIN {
        let from = to.checked_sub(window).unwrap_or(Timestamp::MIN);
        let last = reader.last_measured_times(device, from, to, limit - found.len())?;
        found.extend(last.into_iter().rev());
        to = from;
        window = window.saturating_mul(4);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use plotwise_config::reading::{Identity, Observation, QuantityNo, Reading};
    use plotwise_ingest::{
        intake::Intake,
        store::{Store, StoreOptions},
    };

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
        let reader = store.reader().unwrap();
        assert_eq!(newest(&reader, &device, None, 10).unwrap(), []);
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
            let found = newest(&reader, &device, before, limit).unwrap();
            found.iter().map(|one| one.duration_since(at(0)).as_secs()).collect::<Vec<_>>()
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
