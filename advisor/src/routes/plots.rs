//! Plots, as a list, as shapes, and with the advice for each.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use plotwise_config::{id::PlotId, records::Plot, settings::Datum, text::Text};
use plotwise_ingest::{facts::PlotFilter, import::from_wgs84};
use plotwise_model::advice::{Advice, Status, Suitability};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{asked::Asked, named::Named};
use crate::{app::App, problem::ApiError};

const LIMIT_DEFAULT: u64 = 100;
const LIMIT_MAX: u64 = 10_000;

/// Which plots.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PlotQuery {
    /// `west,south,east,north` in degrees.
    bbox: Option<String>,
    /// Part of key, name or village.
    q: Option<String>,
    /// At most so many; 100 unless told, 10000 at most.
    limit: Option<u64>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// For shapes: the datum of the map they are drawn on; WGS 84 unless told.
    datum: Option<Datum>,
}

impl PlotQuery {
    fn filter(&self) -> Result<PlotFilter, ApiError> {
        let bbox = self.bbox.as_deref().map(parse_bbox).transpose()?;
        let after = self.cursor.as_deref().map(parse_cursor).transpose()?;
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX);
        Ok(PlotFilter {
            bbox,
            text: self.q.clone(),
            after,
            limit: Some(limit),
            ..Default::default()
        })
    }
}

fn parse_bbox(text: &str) -> Result<[f64; 4], ApiError> {
    let bad = || ApiError::bad("bbox", text, "west,south,east,north in degrees");
    let sides: Vec<f64> = text
        .split(',')
        .map(|side| side.trim().parse())
        .collect::<Result<_, _>>()
        .map_err(|_| bad())?;
    let sides: [f64; 4] = sides.try_into().map_err(|_| bad())?;
    if sides.iter().all(|side| side.is_finite()) { Ok(sides) } else { Err(bad()) }
}

fn parse_cursor(text: &str) -> Result<PlotId, ApiError> {
    PlotId::parse(text).map_err(|_| ApiError::bad("cursor", text, "the next of the page before"))
}

/// A plot in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct PlotProperties {
    id: String,
    name: String,
    cooperative: String,
    village: Option<String>,
    household: Option<String>,
    land_type: Named,
    area_m2: f64,
    simulated: bool,
    /// State of the last advice; null where none was made yet.
    status: Option<Status>,
    /// Its first line.
    advised: Option<Advised>,
    /// `below_screening`, `between_screening_and_intervention`, `above_intervention`; null without a sample.
    pollution_class: Option<String>,
}

/// The first line of the last advice.
#[derive(Serialize, ToSchema)]
pub(super) struct Advised {
    crop: String,
    crop_name: Text,
    variety: Option<String>,
    variety_name: Option<Text>,
    suitability: Suitability,
}

/// A page of plots.
#[derive(Serialize, ToSchema)]
pub(super) struct PlotList {
    items: Vec<PlotProperties>,
    next: Option<String>,
}

/// The same as GeoJSON (RFC 7946).
#[derive(Serialize, ToSchema)]
pub(super) struct PlotCollection {
    #[serde(rename = "type")]
    kind: &'static str,
    features: Vec<PlotFeature>,
    next: Option<String>,
}

/// A plot as a shape.
#[derive(Serialize, ToSchema)]
pub(super) struct PlotFeature {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    geometry: Geometry,
    properties: PlotProperties,
}

/// A GeoJSON geometry: `MultiPolygon`, or `Point` where only the centre is known.
#[derive(Serialize, ToSchema)]
pub(super) struct Geometry {
    #[serde(rename = "type")]
    kind: &'static str,
    #[schema(value_type = Object)]
    coordinates: serde_json::Value,
}

/// Plots in order of key; `Accept: application/geo+json` gives shapes.
#[utoipa::path(
    get, path = "/plots", params(PlotQuery),
    responses(
        (status = 200, content(
            (PlotList = "application/json"),
            (PlotCollection = "application/geo+json"),
        )),
        (status = 400, body = crate::problem::Problem),
    )
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Asked(query): Asked<PlotQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let filter = query.filter()?;
    let datum = query.datum.unwrap_or(Datum::Wgs84);
    let limit = filter.limit.unwrap_or(LIMIT_DEFAULT);
    let plots = app.facts.plots(&filter).await.map_err(ApiError::internal)?;
    let is_full = u64::try_from(plots.len()).is_ok_and(|count| count == limit);
    let next = plots.last().filter(|_| is_full).map(|plot| plot.id.to_string());
    let advices = app.adviser.last_advices(&plots).await.map_err(ApiError::internal)?;
    let simulated = app.simulated_cooperatives().await.map_err(ApiError::internal)?;
    let properties = |plot: &Plot| {
        let is_simulated = simulated.contains(&plot.cooperative);
        properties_of(plot, is_simulated, advices.get(&plot.id))
    };
    let wants_shapes = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("application/geo+json"));
    if !wants_shapes {
        let items = plots.iter().map(properties).collect();
        return Ok(Json(PlotList { items, next }).into_response());
    }
    let features = plots
        .iter()
        .map(|plot| PlotFeature {
            kind: "Feature",
            id: plot.id.to_string(),
            geometry: geometry_of(plot, datum),
            properties: properties(plot),
        })
        .collect();
    let body = Json(PlotCollection { kind: "FeatureCollection", features, next });
    Ok(([(header::CONTENT_TYPE, "application/geo+json")], body).into_response())
}

fn properties_of(plot: &Plot, simulated: bool, advice: Option<&Arc<Advice>>) -> PlotProperties {
    let first = advice.and_then(|advice| advice.ranked.first());
    PlotProperties {
        id: plot.id.to_string(),
        name: plot.name.clone(),
        cooperative: plot.cooperative.to_string(),
        village: plot.village.clone(),
        household: plot.household.clone(),
        land_type: plot.land_type.into(),
        area_m2: plot.area_m2,
        simulated,
        status: advice.map(|advice| advice.status),
        advised: first.map(|line| Advised {
            crop: line.crop.clone(),
            crop_name: line.crop_name.clone(),
            variety: line.variety.clone(),
            variety_name: line.variety.is_some().then(|| line.name.clone()),
            suitability: line.suitability,
        }),
        pollution_class: advice
            .and_then(|advice| advice.site.get("pollution_class"))
            .and_then(|value| value.word.clone()),
    }
}

fn geometry_of(plot: &Plot, datum: Datum) -> Geometry {
    let shown = |position: [f64; 2]| from_wgs84(datum, position);
    if plot.polygons.is_empty() {
        let coordinates = serde_json::json!(shown([plot.centre.longitude, plot.centre.latitude]));
        return Geometry { kind: "Point", coordinates };
    }
    let ring = |ring: &Vec<[f64; 2]>| ring.iter().map(|at| shown(*at)).collect::<Vec<_>>();
    let polygons: Vec<Vec<_>> =
        plot.polygons.iter().map(|rings| rings.iter().map(ring).collect()).collect();
    Geometry { kind: "MultiPolygon", coordinates: serde_json::json!(polygons) }
}

/// A plot with what its page shows first.
#[derive(Serialize, ToSchema)]
pub(super) struct PlotDetail {
    id: String,
    name: String,
    cooperative: String,
    village: Option<String>,
    household: Option<String>,
    area_m2: f64,
    contract_area_mu: Option<f64>,
    land_type: Named,
    protection: Vec<Named>,
    soil_class: Option<Named>,
    measure: Option<Named>,
    water: Option<Named>,
    drainage: Option<Named>,
    soil_texture: Option<Named>,
    /// Soil-borne diseases seen in any season on record.
    disease: Vec<Named>,
    simulated: bool,
    /// Time of the newest observation of its devices; null where nothing arrived yet.
    last_reading: Option<String>,
    /// Quantities that its devices measured, in the catalogue's order.
    quantities: Vec<PlotQuantity>,
}

/// A quantity that was measured on a plot.
#[derive(Serialize, ToSchema)]
pub(super) struct PlotQuantity {
    key: String,
    name: Text,
    /// As people write it.
    unit: String,
    /// Outside it a value is rare in a field: worth a look, not flagged. Null where nobody knows.
    soft_range: Option<[f64; 2]>,
}

/// One plot.
#[utoipa::path(
    get, path = "/plots/{id}", params(("id" = String, Path)),
    responses((status = 200, body = PlotDetail), (status = 404, body = crate::problem::Problem))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<PlotDetail>, ApiError> {
    let plot = app.plot(&id).await?;
    let seasons = app.facts.seasons(&plot.id).await.map_err(ApiError::internal)?;
    let simulated = app.simulated_cooperatives().await.map_err(ApiError::internal)?;
    let seen = app.measured_on(&plot).await?;
    let diseases: BTreeMap<_, _> = seasons
        .iter()
        .filter_map(|season| season.disease.map(|(disease, _)| (disease.key(), disease)))
        .collect();
    Ok(Json(PlotDetail {
        id: plot.id.to_string(),
        name: plot.name,
        village: plot.village,
        household: plot.household,
        area_m2: plot.area_m2,
        contract_area_mu: plot.contract_area_mu,
        land_type: plot.land_type.into(),
        protection: plot.protection.into_iter().map(Named::from).collect(),
        soil_class: plot.soil_class.map(|class| class.value.into()),
        measure: plot.measure.map(|ordered| ordered.measure.into()),
        water: plot.water.map(Named::from),
        drainage: plot.drainage.map(Named::from),
        soil_texture: plot.soil_texture.map(Named::from),
        disease: diseases.into_values().map(Named::from).collect(),
        simulated: simulated.contains(&plot.cooperative),
        cooperative: plot.cooperative.to_string(),
        last_reading: seen.last.map(|time| time.to_string()),
        quantities: seen
            .quantities
            .into_iter()
            .map(|number| {
                let quantity = app.catalogue.quantity(number);
                PlotQuantity {
                    key: quantity.key.clone(),
                    name: quantity.name.clone(),
                    unit: quantity.unit_shown.clone(),
                    soft_range: quantity.soft,
                }
            })
            .collect(),
    }))
}

/// What to plant on a plot: the last advice while nothing changed since, else a new one.
#[utoipa::path(
    get, path = "/plots/{id}/advice", params(("id" = String, Path)),
    responses((status = 200, body = Advice), (status = 404, body = crate::problem::Problem))
)]
pub(super) async fn advice(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Advice>, ApiError> {
    let plot = app.plot(&id).await?;
    let advice = app.adviser.fresh(&plot.id).await.map_err(ApiError::internal)?;
    Ok(Json(Advice::clone(&advice)))
}

/// Makes the advice anew and keeps it.
#[utoipa::path(
    post, path = "/plots/{id}/advice", params(("id" = String, Path)),
    responses((status = 200, body = Advice), (status = 404, body = crate::problem::Problem))
)]
pub(super) async fn make_advice(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Advice>, ApiError> {
    let plot = app.plot(&id).await?;
    let advice = app.adviser.make(&plot.id).await.map_err(ApiError::internal)?;
    Ok(Json(Advice::clone(&advice)))
}

/// Advice that was given for a plot before.
#[derive(Serialize, ToSchema)]
pub(super) struct AdviceHistory {
    items: Vec<Advice>,
    next: Option<String>,
}

/// One advice can be some hundred KiB.
const HISTORY_LIMIT_DEFAULT: u64 = 5;
const HISTORY_LIMIT_MAX: u64 = 50;

/// Which part of the history.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryPage {
    /// At most so many; 5 unless told, 50 at most.
    limit: Option<u64>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Advice kept for a plot, newest first.
#[utoipa::path(
    get, path = "/plots/{id}/advice/history", params(("id" = String, Path), HistoryPage),
    responses((status = 200, body = AdviceHistory), (status = 404, body = crate::problem::Problem))
)]
pub(super) async fn advice_history(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Asked(page): Asked<HistoryPage>,
) -> Result<Json<AdviceHistory>, ApiError> {
    let plot = app.plot(&id).await?;
    let first = match page.cursor.as_deref() {
        Some(text) => text
            .parse()
            .map_err(|_| ApiError::bad("cursor", text, "the next of the page before"))?,
        None => 0_u64,
    };
    let limit = page.limit.unwrap_or(HISTORY_LIMIT_DEFAULT).clamp(1, HISTORY_LIMIT_MAX);
    let mut items =
        app.adviser.history(&plot.id, first, limit + 1).await.map_err(ApiError::internal)?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let next = (items.len() > shown).then(|| (first + limit).to_string());
    items.truncate(shown);
    Ok(Json(AdviceHistory { items, next }))
}
