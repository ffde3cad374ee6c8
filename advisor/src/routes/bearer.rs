//! `Authorization: Bearer TOKEN` of a device or gateway.
//!
//! Nobody has to give one as long as the service listens on loopback alone; whoever does is held to it.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use plotwise_config::id::DeviceId;
use plotwise_ingest::directory::Directory;

use crate::problem::ApiError;

/// What the header says.
pub(super) enum Bearer {
    /// Nothing: there is none.
    None,
    /// A token.
    Token(String),
    /// Something that is no bearer's token.
    Other,
}

impl<S: Send + Sync> FromRequestParts<S> for Bearer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let Some(header) = parts.headers.get(header::AUTHORIZATION) else {
            return Ok(Self::None);
        };
        let token = header.to_str().ok().and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
        });
        Ok(token.map_or(Self::Other, Self::Token))
    }
}

impl Bearer {
    /// Whose token it is, where that may speak for `device`; `None` without a header.
    ///
    /// # Errors
    ///
    /// [`ApiError::Unauthorized`] for every other token.
    pub(super) fn holder<'d>(
        &self,
        device: &str,
        directory: &'d Directory,
    ) -> Result<Option<&'d DeviceId>, ApiError> {
        match self {
            Self::None => Ok(None),
            Self::Token(token) => {
                let holder = directory.speaker(token.as_bytes(), device);
                holder.map(Some).ok_or(ApiError::Unauthorized)
            }
            Self::Other => Err(ApiError::Unauthorized),
        }
    }
}
