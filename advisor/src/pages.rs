//! The pages, built by npm and carried in the binary; nothing is loaded from another host.

use std::sync::Arc;

use axum::{
    Router,
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;

use crate::app::App;

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/web"]
struct Files;

/// No script, style or picture from elsewhere; tiles are pictures, and the one exception.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https: http:; \
     frame-ancestors 'none'";

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(|| async { file("index.html") }))
        .route("/{*path}", get(|Path(path): Path<String>| async move { file(&path) }))
}

fn file(path: &str) -> Response {
    let Some(found) = Files::get(path) else {
        return (StatusCode::NOT_FOUND, format!("there is no page {path:?}\n")).into_response();
    };
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    // Built files carry a hash in their name; the one entry page must be asked for every time.
    let caching =
        if path.starts_with("assets/") { "max-age=31536000, immutable" } else { "no-cache" };
    (
        [
            (header::CONTENT_TYPE, kind.as_ref()),
            (header::CACHE_CONTROL, caching),
            (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        ],
        found.data,
    )
        .into_response()
}
