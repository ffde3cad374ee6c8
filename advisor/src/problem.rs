//! What the API answers instead of the thing asked for: `application/problem+json` (RFC 9457).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// There is no such thing, or not for this reader.
    #[error("there is no {what} {key:?}")]
    NotFound {
        /// For example `plot`.
        what: &'static str,
        /// What was asked for.
        key: String,
    },
    /// Something in the request cannot be read.
    #[error("{field}: found {found:?}, wanted {wanted}")]
    BadInput {
        /// Parameter or field.
        field: &'static str,
        /// What was found.
        found: String,
        /// What was wanted.
        wanted: String,
    },
    /// Who asks is not known, or may not.
    #[error(
        "this token is not for that; wanted the device's own, or that of a gateway of its cooperative"
    )]
    Unauthorized,
    /// The body is larger than is taken.
    #[error("the message is too large, wanted at most {bytes_max} bytes; send it in parts")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// Nothing of a message can be read; it is kept.
    #[error("{detail}; the message is kept as a dead letter")]
    Unreadable {
        /// What was found and what was wanted.
        detail: String,
    },
    /// Not now, or not here.
    #[error("{detail}")]
    Unavailable {
        /// Why, and how to mend it.
        detail: String,
        /// When to come again, seconds.
        retry_after_s: u32,
    },
    /// The route knows other methods.
    #[error("{method} is not for {route}")]
    NoMethod {
        /// As sent.
        method: String,
        /// Where to.
        route: String,
    },
    /// Ours. Logged once, and not told.
    #[error("an internal error; the log of the service names it")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ApiError {
    /// Wraps an error that the reader can do nothing about.
    pub fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }

    /// Something in the request that cannot be read.
    pub(crate) fn bad(
        field: &'static str,
        found: impl Into<String>,
        wanted: impl Into<String>,
    ) -> Self {
        Self::BadInput { field, found: found.into(), wanted: wanted.into() }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::BadInput { .. } | Self::Unreadable { .. } => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// The body of a refusal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`: the status says the kind.
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    /// Field by field, for bad input.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
}

/// What is wrong with one field.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    field: &'static str,
    found: String,
    wanted: String,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        if let Self::Internal(error) = &self {
            tracing::error!(%error, "a request failed: {error}");
        }
        let detail = self.to_string();
        let header = match &self {
            Self::Unauthorized => {
                Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
            }
            Self::Unavailable { retry_after_s, .. } => {
                Some((header::RETRY_AFTER, HeaderValue::from(*retry_after_s)))
            }
            _ => None,
        };
        let errors = match self {
            Self::BadInput { field, found, wanted } => vec![FieldProblem { field, found, wanted }],
            _ => Vec::new(),
        };
        let problem = Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail,
            errors,
        };
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, kind, Json(problem)).into_response();
        response.headers_mut().extend(header);
        response
    }
}
