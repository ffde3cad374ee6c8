//! Every route on one page.
//!
//! JSON under `/api/v1`, described by `/api/openapi.json` and readable at `/api/docs`; the pages at
//! `/`. Sign-in does not exist yet, so the service listens on loopback alone.

mod asked;
mod bearer;
mod catalogue;
mod dead_letters;
mod devices;
mod events;
mod facts;
mod health;
mod metrics;
mod named;
mod observation;
mod observations;
mod plots;
mod profile;
mod readings;

use std::sync::Arc;

use axum::{
    Router,
    http::{Method, Uri},
    routing::any,
};
use tower_http::{compression::CompressionLayer, trace::TraceLayer};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::SwaggerUi;

use crate::{app::App, problem::ApiError};

/// The document at `/api/openapi.json`; paths and schemas are collected from the routes.
#[derive(OpenApi)]
#[openapi(info(
    title = "Plotwise",
    description = "What to plant, plot by plot. Times are RFC 3339 UTC, units UCUM; refusals are application/problem+json (RFC 9457).",
    license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
))]
struct Document;

fn api() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(plots::list))
        .routes(routes!(plots::show))
        .routes(routes!(readings::series))
        .routes(routes!(profile::profile))
        .routes(routes!(plots::advice, plots::make_advice))
        .routes(routes!(plots::advice_history))
        .routes(routes!(facts::cooperatives))
        .routes(routes!(observations::observations, observations::post::take_observations))
        .routes(routes!(events::events))
        .routes(routes!(devices::devices))
        .routes(routes!(devices::device))
        .routes(routes!(dead_letters::dead_letters))
        .routes(routes!(dead_letters::dead_letter))
        .routes(routes!(dead_letters::replay_dead_letters))
        .routes(routes!(catalogue::quantities))
        .routes(routes!(catalogue::crops))
        .routes(routes!(catalogue::varieties))
        .routes(routes!(catalogue::profiles))
        .routes(routes!(catalogue::map_settings))
}

/// The API's own description.
pub fn openapi() -> utoipa::openapi::OpenApi {
    OpenApiRouter::<Arc<App>>::new().nest("/api/v1", api()).into_openapi()
}

/// Under `/api` nothing else is there; pages must not answer for it.
async fn no_route(uri: Uri) -> ApiError {
    ApiError::NotFound { what: "route", key: uri.path().to_owned() }
}

/// The route is there, for other methods.
async fn no_method(method: Method, uri: Uri) -> ApiError {
    ApiError::NoMethod { method: method.to_string(), route: uri.path().to_owned() }
}

/// All of it, ready to serve.
pub fn router(app: Arc<App>) -> Router {
    let (api, document) = OpenApiRouter::<Arc<App>>::new().nest("/api/v1", api()).split_for_parts();
    let router = api
        .route("/api/{*path}", any(no_route))
        .merge(health::routes())
        .merge(metrics::routes())
        .merge(SwaggerUi::new("/api/docs").url("/api/openapi.json", document));
    #[cfg(feature = "pages")]
    let router = router.merge(crate::pages::routes());
    let router = router.method_not_allowed_fallback(no_method);
    router.layer(CompressionLayer::new()).layer(TraceLayer::new_for_http()).with_state(app)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_called_a_part_of_the_path_is_one() {
        let described = serde_json::to_value(super::openapi()).unwrap();
        for (path, methods) in described["paths"].as_object().unwrap() {
            let operations = methods.as_object().unwrap().values();
            for parameter in operations.filter_map(|one| one["parameters"].as_array()).flatten() {
                let name = parameter["name"].as_str().unwrap();
                let is_in_path = path.contains(&format!("{{{name}}}"));
                assert_eq!(parameter["in"] == "path", is_in_path, "{path}: {name}");
            }
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let described = serde_json::to_value(super::openapi()).unwrap();
        let mut names = std::collections::BTreeSet::new();
        for methods in described["paths"].as_object().unwrap().values() {
            for operation in methods.as_object().unwrap().values() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name), "{name} a second time: the pages' types need one each");
            }
        }
    }

    #[test]
    fn the_pages_are_built_against_this_very_api() {
        let described = serde_json::to_value(super::openapi()).unwrap();
        let built_against = include_str!("../web/openapi.json");
        let built_against: serde_json::Value = serde_json::from_str(built_against).unwrap();
        assert!(
            described == built_against,
            "the API changed: plotwise config openapi > advisor/web/openapi.json"
        );
    }
}
