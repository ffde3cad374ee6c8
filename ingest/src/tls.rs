//! TLS: the listener's certificate, and whom a link trusts.
//!
//! ```text
//! files: cert, key --+
//!                    +--> ServerTls --> a fresh configuration for each connection
//! auto: authority ---+        ^
//!                             +--- looks every few seconds whether files or time have changed it
//! ```
//!
//! rustls with one provider of cryptography, ring, for the whole program: TLS 1.2 and 1.3. PEM alone is
//! read, as every tool writes it.
//!
//! # What it leaves out
//!
//! Certificates of clients at the listener: a device proves itself by its token. Revocation lists.

mod authority;
mod certificate;
mod client;
mod pem;
mod server;

#[cfg(test)]
mod tests;

use std::{io, path::PathBuf, sync::Arc};

use tokio_rustls::rustls::{
    self, ConfigBuilder, ConfigSide, WantsVerifier, WantsVersions,
    crypto::{CryptoProvider, ring},
};

pub use certificate::{Certificate, Validity};
pub use server::ServerTls;

pub(crate) use client::{client_config, explain};

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file that is not there or may not be read.
    #[error("{} cannot be read: {source}; wanted {wanted}", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What should be there.
        wanted: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file that holds something else.
    #[error("{}: found {found}, wanted {wanted}", file.display())]
    Content {
        /// Which file.
        file: PathBuf,
        /// What was found.
        found: String,
        /// What should be there.
        wanted: &'static str,
    },
    /// Certificate and key of different pairs.
    #[error(
        "the key in {} does not belong to the certificate in {}; wanted the key with which that \
         certificate was asked for",
        key.display(), cert.display()
    )]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// A file of the authority that could not be kept.
    #[error("{} cannot be written: {source}", file.display())]
    Unwritable {
        /// Which file.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The authority's key is gone, and what it signed is not.
    #[error(
        "{} is missing; put it back from a backup, or remove the folder {} to begin anew: sensors \
         then need the new ca.pem", key.display(), folder.display()
    )]
    KeyLost {
        /// Where the key was.
        key: PathBuf,
        /// The folder of the authority.
        folder: PathBuf,
    },
    /// A certificate that could not be made.
    #[error("no certificate can be made for {names}: {source}", names = names.join(", "))]
    Make {
        /// For whom.
        names: Vec<String>,
        /// Why not.
        source: rcgen::Error,
    },
    /// The operating system trusts nobody.
    #[error(
        "this system knows no certificate authority ({found}); install its list (Debian: \
         apt-get install ca-certificates), or name the broker's in tls.ca"
    )]
    NoAuthorities {
        /// What was found.
        found: String,
    },
    /// Anything else that TLS has against it.
    #[error("TLS cannot be set up")]
    Setup(#[from] rustls::Error),
}

/// The one implementation of cryptography in the program.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// TLS 1.2 and 1.3.
fn versions<S: ConfigSide>(
    builder: ConfigBuilder<S, WantsVersions>,
) -> Result<ConfigBuilder<S, WantsVerifier>, TlsError> {
    Ok(builder.with_safe_default_protocol_versions()?)
}
