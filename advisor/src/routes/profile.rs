//! `GET /plots/{id}/profile`: what is measured about a plot.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
};
use plotwise_config::{
    catalogue::Catalogue,
    land::SoilTexture,
    records::{Measured, Sample, SampleKind},
    text::Text,
};
use plotwise_model::advice::SiteValue;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{adviser::AdviserError, app::App, problem::ApiError};

/// A plot's site profile.
#[derive(Serialize, ToSchema)]
pub(super) struct Profile {
    plot: String,
    /// The days it rests on.
    window: Window,
    /// Key to value, as in advice.
    site: BTreeMap<String, SiteValue>,
    /// Water that the plot's texture holds; null where the texture is unknown.
    soil_water: Option<SoilWater>,
    /// Figures of laboratories, newest first.
    samples: Vec<SampleItem>,
}

/// First and last day.
#[derive(Serialize, ToSchema)]
pub(super) struct Window {
    from: String,
    to: String,
}

/// Marks of soil water, m3/m3: the middle of the texture's range.
#[derive(Serialize, ToSchema)]
pub(super) struct SoilWater {
    field_capacity: f64,
    wilting_point: f64,
    source: String,
}

/// One figure of a laboratory.
#[derive(Serialize, ToSchema)]
pub(super) struct SampleItem {
    quantity: String,
    name: Text,
    value: f64,
    /// Whether `value` is the limit of detection and the true one below it.
    below_detection: bool,
    unit: String,
    /// Day of sampling; for produce the first day of its season.
    date: String,
    /// For soil.
    depth_m: Option<f64>,
    /// For produce.
    organ: Option<&'static str>,
    laboratory: Option<String>,
}

/// The site profile of a plot, up to today.
#[utoipa::path(
    get, path = "/plots/{id}/profile", params(("id" = String, Path)),
    responses((status = 200, body = Profile), (status = 404, body = crate::problem::Problem))
)]
pub(super) async fn profile(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Profile>, ApiError> {
    let plot = app.plot(&id).await?;
    let (dossier, profile) = app.adviser.profile(&plot.id).await.map_err(|error| match error {
        AdviserError::NoPlot(_) => ApiError::NotFound { what: "plot", key: id },
        other => ApiError::internal(other),
    })?;
    let (from, to) = dossier.window;
    let mut samples: Vec<SampleItem> =
        dossier.samples.iter().map(|sample| SampleItem::of(sample, &app.catalogue)).collect();
    samples.sort_by(|a, b| b.date.cmp(&a.date).then_with(|| a.quantity.cmp(&b.quantity)));
    Ok(Json(Profile {
        plot: plot.id.to_string(),
        window: Window { from: from.to_string(), to: to.to_string() },
        site: profile.to_site(),
        soil_water: plot.soil_texture.and_then(|texture| soil_water(&app.catalogue, texture)),
        samples,
    }))
}

fn soil_water(catalogue: &Catalogue, texture: SoilTexture) -> Option<SoilWater> {
    let known = catalogue.textures().iter().find(|known| known.texture == texture)?;
    let middle = |[least, most]: [f64; 2]| f64::midpoint(least, most);
    Some(SoilWater {
        field_capacity: middle(known.field_capacity),
        wilting_point: middle(known.wilting_point),
        source: known.source.clone(),
    })
}

impl SampleItem {
    fn of(sample: &Sample, catalogue: &Catalogue) -> Self {
        let quantity = catalogue.quantity(sample.quantity);
        let (value, below_detection) = match sample.measured {
            Measured::Value(value) => (value, false),
            Measured::Below(limit) => (limit, true),
        };
        let (date, depth_m, organ) = match &sample.kind {
            SampleKind::Soil { sampled_on, depth_m } => (sampled_on, Some(*depth_m), None),
            SampleKind::Produce { season_start, organ } => (season_start, None, Some(organ.key())),
        };
        Self {
            quantity: quantity.key.clone(),
            name: quantity.name.clone(),
            value,
            below_detection,
            unit: quantity.unit.clone(),
            date: date.to_string(),
            depth_m,
            organ,
            laboratory: sample.laboratory.clone(),
        }
    }
}
