//! `[http]`: pages and API.

use std::net::SocketAddr;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// Pages and API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// Address and port; loopback only until signing in exists. Port 0: any free one.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
}

/// An address and port; names are not resolved, because which address they mean may change.
pub(super) fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        D::Error::custom(format!(
            "found {text:?}, wanted an address and port such as 127.0.0.1:8080"
        ))
    })
}
