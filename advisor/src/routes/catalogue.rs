//! What is known beforehand, and what the pages need to draw.

use std::sync::Arc;

use axum::{Json, extract::State};
use plotwise_config::{settings::Datum, text::Text};
use serde::Serialize;
use utoipa::ToSchema;

use super::named::Named;
use crate::app::App;

/// A page of a list.
macro_rules! list_of {
    ($name:ident, $item:ty) => {
        /// A page of a list.
        #[derive(Serialize, ToSchema)]
        pub(super) struct $name {
            /// The items.
            items: Vec<$item>,
            /// Where the next page starts; null on the last.
            next: Option<String>,
        }
    };
}

/// A quantity of the catalogue.
#[derive(Serialize, ToSchema)]
pub(super) struct QuantityItem {
    key: String,
    name: Text,
    /// UCUM.
    unit: String,
    /// As people write it.
    unit_shown: String,
    hard_range: [f64; 2],
    soft_range: Option<[f64; 2]>,
    source: String,
}

/// A crop of the catalogue.
#[derive(Serialize, ToSchema)]
pub(super) struct CropItem {
    key: String,
    name: Text,
    scientific: String,
    class: Named,
    source: String,
}

/// A variety of the catalogue.
#[derive(Serialize, ToSchema)]
pub(super) struct VarietyItem {
    key: String,
    crop: String,
    name: Text,
    /// Registration numbers; empty where none was found.
    registrations: Vec<String>,
    source: String,
}

/// A device profile of the catalogue.
#[derive(Serialize, ToSchema)]
pub(super) struct ProfileItem {
    /// What devices and subscriptions name.
    key: String,
    maker: String,
    models: Vec<String>,
    name: Text,
    source: String,
    links: Vec<String>,
    fields: Vec<ProfileField>,
}

/// What a profile reads.
#[derive(Serialize, ToSchema)]
pub(super) struct ProfileField {
    quantity: String,
    /// Paths, ids or labels of the payload; the first that is there counts.
    from: Vec<String>,
    /// The maker's unit; null for the quantity's own.
    unit: Option<String>,
    /// Null for the device's own depth, and where each probe has one.
    depth_m: Option<f64>,
}

list_of!(QuantityList, QuantityItem);
list_of!(CropList, CropItem);
list_of!(VarietyList, VarietyItem);
list_of!(ProfileList, ProfileItem);

/// Quantities with units and ranges.
#[utoipa::path(get, path = "/quantities", responses((status = 200, body = QuantityList)))]
pub(super) async fn quantities(State(app): State<Arc<App>>) -> Json<QuantityList> {
    let items = app
        .catalogue
        .quantities()
        .iter()
        .map(|quantity| QuantityItem {
            key: quantity.key.clone(),
            name: quantity.name.clone(),
            unit: quantity.unit.clone(),
            unit_shown: quantity.unit_shown.clone(),
            hard_range: quantity.hard,
            soft_range: quantity.soft,
            source: quantity.source.clone(),
        })
        .collect();
    Json(QuantityList { items, next: None })
}

/// Crops.
#[utoipa::path(get, path = "/crops", responses((status = 200, body = CropList)))]
pub(super) async fn crops(State(app): State<Arc<App>>) -> Json<CropList> {
    let items = app
        .catalogue
        .crops()
        .iter()
        .map(|crop| CropItem {
            key: crop.key.to_string(),
            name: crop.name.clone(),
            scientific: crop.scientific.clone(),
            class: crop.class.into(),
            source: crop.source.clone(),
        })
        .collect();
    Json(CropList { items, next: None })
}

/// Varieties.
#[utoipa::path(get, path = "/varieties", responses((status = 200, body = VarietyList)))]
pub(super) async fn varieties(State(app): State<Arc<App>>) -> Json<VarietyList> {
    let items = app
        .catalogue
        .varieties()
        .iter()
        .map(|variety| VarietyItem {
            key: variety.key.to_string(),
            crop: variety.crop.to_string(),
            name: variety.name.clone(),
            registrations: variety.registrations.iter().map(|known| known.number.clone()).collect(),
            source: variety.source.clone(),
        })
        .collect();
    Json(VarietyList { items, next: None })
}

/// Device profiles.
#[utoipa::path(get, path = "/profiles", responses((status = 200, body = ProfileList)))]
pub(super) async fn profiles(State(app): State<Arc<App>>) -> Json<ProfileList> {
    let items = app
        .catalogue
        .profiles()
        .iter()
        .map(|profile| ProfileItem {
            key: profile.key.clone(),
            maker: profile.maker.clone(),
            models: profile.models.clone(),
            name: profile.name.clone(),
            source: profile.source.clone(),
            links: profile.links.clone(),
            fields: profile
                .all_fields()
                .map(|field| ProfileField {
                    quantity: field.quantity.clone(),
                    from: field.from.iter().map(ToString::to_string).collect(),
                    unit: field.unit.clone(),
                    depth_m: field.depth_m,
                })
                .collect(),
        })
        .collect();
    Json(ProfileList { items, next: None })
}

/// What the map needs beside the plots.
#[derive(Serialize, ToSchema)]
pub(super) struct MapSettings {
    /// Template of tile addresses; null draws plots on a plain ground.
    tiles: Option<String>,
    /// The datum of the tiles: ask for plots in the same one.
    tiles_datum: Datum,
}

/// Settings of the map.
#[utoipa::path(get, path = "/map", responses((status = 200, body = MapSettings)))]
pub(super) async fn map_settings(State(app): State<Arc<App>>) -> Json<MapSettings> {
    let map = &app.settings.map;
    Json(MapSettings { tiles: map.tiles.clone(), tiles_datum: map.tiles_datum })
}
