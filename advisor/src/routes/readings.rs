//! `GET /plots/{id}/readings`: one quantity of a plot over a window, raw or by the hour or day.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use jiff::{SignedDuration, Timestamp};
use plotwise_config::reading::DepthMm;
use plotwise_ingest::days::{self, Bucket, Ground, Points, RawPoint, Step};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use utoipa::{IntoParams, ToSchema};

use super::asked::Asked;
use crate::{app::App, problem::ApiError};

const POINTS_DEFAULT: usize = 1_500;
const POINTS_MAX: usize = 100_000;
const WINDOW_DEFAULT_H: i64 = 30 * 24;

/// Which readings.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SeriesQuery {
    /// Quantity key, for example `soil_moisture`.
    quantity: String,
    /// Depth in metres; all depths unless told.
    depth: Option<f64>,
    /// First moment, RFC 3339; 30 days before `to` unless told.
    from: Option<String>,
    /// Up to this moment and without it, RFC 3339; now unless told.
    to: Option<String>,
    /// `raw`, `hour`, `day` or `auto`; `auto` unless told.
    step: Option<String>,
    /// The `next` of the page before, with the same other parameters and its `step`.
    cursor: Option<String>,
    /// For `auto`: the finest step that gives at most so many points; 1500 unless told.
    points: Option<usize>,
}

/// A window of one quantity.
#[derive(Serialize, ToSchema)]
pub(super) struct Series {
    quantity: String,
    /// UCUM.
    unit: String,
    /// First moment asked for.
    from: String,
    /// Last moment asked for.
    to: String,
    /// The step of `items`.
    step: StepWord,
    /// How many readings in the window are flagged and so left out of statistics.
    flagged: u64,
    items: Vec<SeriesPoint>,
    next: Option<String>,
}

/// The step of a series.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StepWord {
    /// Every reading.
    Raw,
    /// By the hour.
    Hour,
    /// By the cooperative's day.
    Day,
}

/// A reading (`value`, `flags`), or statistics of the unflagged readings of an hour or a day.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct SeriesPoint {
    /// RFC 3339; the start of the hour or day.
    time: String,
    depth_m: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flagged: Option<u32>,
}

impl SeriesQuery {
    fn step(&self) -> Result<Step, ApiError> {
        match self.step.as_deref() {
            None | Some("auto") => Ok(Step::Auto),
            Some("raw") => Ok(Step::Raw),
            Some("hour") => Ok(Step::Hour),
            Some("day") => Ok(Step::Day),
            Some(other) => Err(ApiError::bad("step", other, "raw, hour, day or auto")),
        }
    }

    fn depth(&self) -> Result<Option<DepthMm>, ApiError> {
        let wanted = "metres below the surface, 0-60";
        self.depth
            .map(|metres| {
                let depth = DepthMm::from_metres(metres);
                depth.ok_or_else(|| ApiError::bad("depth", metres.to_string(), wanted))
            })
            .transpose()
    }

    /// First and last moment.
    fn window(&self, now: Timestamp) -> Result<(Timestamp, Timestamp), ApiError> {
        let to = moment("to", self.to.as_deref())?.unwrap_or(now);
        let from = match moment("cursor", self.cursor.as_deref())? {
            Some(cursor) => Some(cursor),
            None => moment("from", self.from.as_deref())?,
        };
        let from = match from {
            Some(from) => from,
            None => to.saturating_sub(SignedDuration::from_hours(WINDOW_DEFAULT_H)).unwrap_or(to),
        };
        if from >= to {
            return Err(ApiError::bad("from", from.to_string(), format!("a moment before {to}")));
        }
        Ok((from, to))
    }
}

fn moment(field: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    let wanted = "RFC 3339, for example 2026-03-01T00:00:00Z";
    let parse = |text: &str| text.parse().map_err(|_| ApiError::bad(field, text, wanted));
    text.map(parse).transpose()
}

/// Readings of one quantity over a window.
#[utoipa::path(
    get, path = "/plots/{id}/readings", params(("id" = String, Path), SeriesQuery),
    responses(
        (status = 200, body = Series),
        (status = 400, body = crate::problem::Problem),
        (status = 404, body = crate::problem::Problem),
    )
)]
pub(super) async fn series(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Asked(query): Asked<SeriesQuery>,
) -> Result<Json<Series>, ApiError> {
    let plot = app.plot(&id).await?;
    let quantity = app.catalogue.quantity_no(&query.quantity).ok_or_else(|| {
        let wanted = match app.catalogue.closest_quantity(&query.quantity) {
            Some(closest) => format!("a quantity of the catalogue; did you mean {closest}?"),
            None => "a quantity of the catalogue; GET /api/v1/quantities lists them".to_owned(),
        };
        ApiError::bad("quantity", query.quantity.as_str(), wanted)
    })?;
    let (from, to) = query.window(app.clock.now())?;
    let (step, depth) = (query.step()?, query.depth()?);
    let points_max = query.points.unwrap_or(POINTS_DEFAULT).clamp(1, POINTS_MAX);
    let ground = Ground::of_record(&app.facts, plot).await.map_err(ApiError::internal)?;
    let ground =
        ground.ok_or_else(|| ApiError::internal(format!("plot {id} is of no cooperative")))?;
    let (store, catalogue) = (app.store.clone(), Arc::clone(&app.catalogue));
    let found = spawn_blocking(move || {
        let context = ground.context(&catalogue);
        let asked = days::SeriesQuery { quantity, depth, from, to, step, points_max };
        days::series(&store.reader()?, &context, &asked)
    })
    .await
    .map_err(ApiError::internal)?
    .map_err(ApiError::internal)?;
    let unit = app.catalogue.quantity(quantity).unit.clone();
    Ok(Json(Series::of(query.quantity, unit, (from, to), found)))
}

impl Series {
    fn of(
        quantity: String,
        unit: String,
        (from, to): (Timestamp, Timestamp),
        found: days::Series,
    ) -> Self {
        let mut items: Vec<SeriesPoint> = match found.points {
            Points::Raw(points) => points.into_iter().map(SeriesPoint::from).collect(),
            Points::Buckets(buckets) => buckets.into_iter().map(SeriesPoint::from).collect(),
        };
        let next = if found.is_cut { leave_for_next_page(&mut items) } else { None };
        Self {
            quantity,
            unit,
            from: from.to_string(),
            to: to.to_string(),
            step: match found.step {
                Step::Raw => StepWord::Raw,
                Step::Hour => StepWord::Hour,
                Step::Day | Step::Auto => StepWord::Day,
            },
            flagged: items.iter().map(SeriesPoint::count_flagged).sum(),
            items,
            next,
        }
    }
}

/// Takes the last moment off a page that was cut, because depths of it may be missing, and says where
/// the next page starts. A page of one moment stays: it would never get on otherwise.
fn leave_for_next_page(items: &mut Vec<SeriesPoint>) -> Option<String> {
    let last = items.last()?.time.clone();
    let whole = items.iter().position(|point| point.time == last)?;
    if whole > 0 {
        items.truncate(whole);
        return Some(last);
    }
    let after = last.parse::<Timestamp>().ok()?.checked_add(SignedDuration::from_millis(1)).ok()?;
    Some(after.to_string())
}

impl SeriesPoint {
    fn count_flagged(&self) -> u64 {
        let is_excluded = self.flags.iter().flatten().any(|code| *code != "T");
        u64::from(is_excluded) + u64::from(self.flagged.unwrap_or(0))
    }
}

impl From<RawPoint> for SeriesPoint {
    fn from(point: RawPoint) -> Self {
        Self {
            time: point.time.to_string(),
            depth_m: point.depth.map(DepthMm::metres),
            value: Some(point.value),
            flags: Some(point.flags.codes().collect()),
            ..Self::default()
        }
    }
}

impl From<Bucket> for SeriesPoint {
    fn from(bucket: Bucket) -> Self {
        Self {
            time: bucket.time.to_string(),
            depth_m: bucket.depth.map(DepthMm::metres),
            mean: bucket.statistics.map(|statistics| statistics.mean),
            min: bucket.statistics.map(|statistics| statistics.min),
            max: bucket.statistics.map(|statistics| statistics.max),
            count: Some(bucket.count),
            flagged: Some(bucket.flagged),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(times: &[&str]) -> Vec<SeriesPoint> {
        let point = |time: &&str| SeriesPoint { time: (*time).to_owned(), ..Default::default() };
        times.iter().map(point).collect()
    }

    #[test]
    fn a_page_that_was_cut_ends_between_moments() {
        let (one, two) = ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z");
        let mut items = points(&[one, one, two]);
        assert_eq!(leave_for_next_page(&mut items).as_deref(), Some(two));
        assert_eq!(items.len(), 2);
    }

    #[test]
    fn a_page_of_one_moment_gets_on() {
        let mut items = points(&["2026-01-01T00:00:00Z"; 2]);
        assert_eq!(leave_for_next_page(&mut items).as_deref(), Some("2026-01-01T00:00:00.001Z"));
        assert_eq!(items.len(), 2);
    }
}
