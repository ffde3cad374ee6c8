//! The listener's side: its certificate, and a new one without a restart.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jiff::Timestamp;
use plotwise_config::settings::{ListenerTls, TlsMode};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{Error, ServerConfig, crypto::ring::Ticketer},
};

use super::{Certificate, TlsError, Validity, authority::Authority, pem, provider, versions};
use crate::{clock::Clock, surroundings::stopped};

/// How often files and dates are looked at: whoever replaced a certificate waits to see it.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What the listener shows to those who connect over TLS.
#[derive(Debug)]
pub struct ServerTls {
    source: Source,
    current: RwLock<Current>,
}

#[derive(Debug)]
enum Source {
    Files { cert: PathBuf, key: PathBuf },
    Auto(Authority),
}

/// What holds until the files change.
#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    certificate: Certificate,
    /// Tells whether the files are still the same.
    digest: [u8; 32],
}

impl ServerTls {
    /// Reads what the settings name, or makes it below `data`; `None` where they want no TLS.
    ///
    /// # Errors
    ///
    /// [`TlsError`], which names the file, what was found there and what was wanted.
    pub fn open(
        settings: &ListenerTls,
        data: &Path,
        now: Timestamp,
    ) -> Result<Option<Self>, TlsError> {
        let Some(source) = Source::of(settings, data) else { return Ok(None) };
        source.ensure(now)?;
        let tls = Self::load(source)?;
        tls.warn(now);
        for key in tls.exposed_keys() {
            let key = key.display();
            tracing::warn!(%key, "others than its owner may read the key {key}: chmod 600 it");
        }
        Ok(Some(tls))
    }

    /// The same without making or renewing anything: what would be shown as it is. `None` also where it
    /// is still to be made.
    ///
    /// # Errors
    ///
    /// As [`ServerTls::open`].
    pub fn peek(settings: &ListenerTls, data: &Path) -> Result<Option<Self>, TlsError> {
        match Source::of(settings, data) {
            None => Ok(None),
            Some(Source::Auto(authority)) if !authority.server().exists() => Ok(None),
            Some(source) => Self::load(source).map(Some),
        }
    }

    fn load(source: Source) -> Result<Self, TlsError> {
        let current = source.load(None)?;
        let current = current.ok_or_else(|| Error::General("no certificate".to_owned()))?;
        Ok(Self { source, current: RwLock::new(current) })
    }

    /// The certificate that sensors need to trust this one; `None` where it is not of our making.
    pub fn authority(&self) -> Option<PathBuf> {
        match &self.source {
            Source::Files { .. } => None,
            Source::Auto(authority) => Some(authority.certificate()),
        }
    }

    /// Files of private keys that others than their owner may read.
    pub fn exposed_keys(&self) -> Vec<PathBuf> {
        let mut keys = match &self.source {
            Source::Files { key, .. } => vec![key.clone()],
            Source::Auto(authority) => vec![authority.key(), authority.server()],
        };
        keys.retain(|key| pem::is_exposed(key));
        keys
    }

    /// The certificate in use.
    pub fn certificate(&self) -> Certificate {
        self.current.read().unwrap_or_else(PoisonError::into_inner).certificate.clone()
    }

    /// Takes up what has changed; `true` where something has. What was in use stays where the new one
    /// cannot be.
    ///
    /// # Errors
    ///
    /// [`TlsError`] for files that are not there or do not fit.
    pub fn refresh(&self, now: Timestamp) -> Result<bool, TlsError> {
        let known = self.current.read().unwrap_or_else(PoisonError::into_inner).digest;
        self.source.ensure(now)?;
        let Some(new) = self.source.load(Some(known))? else { return Ok(false) };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(true)
    }

    /// Looks after the certificate until `shutdown` turns true.
    pub(crate) async fn keep_fresh(
        self: Arc<Self>,
        clock: Clock,
        mut shutdown: watch::Receiver<bool>,
    ) {
        let mut complaint: Option<String> = None;
        let mut validity = self.certificate().validity(clock.now());
        loop {
            tokio::select! {
                () = stopped(&mut shutdown) => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let tls = Arc::clone(&self);
            let looked = tokio::task::spawn_blocking(move || tls.refresh(clock.now())).await;
            let new_complaint = match looked {
                Ok(Ok(is_new)) => {
                    if is_new {
                        let certificate = self.certificate();
                        tracing::info!(%certificate, "took up a new certificate {certificate}");
                    }
                    None
                }
                Ok(Err(error)) => Some(error.to_string()),
                Err(error) => Some(error.to_string()),
            };
            if let Some(error) = new_complaint.as_ref().filter(|_| new_complaint != complaint) {
                tracing::warn!(error, "the former certificate stays in use: {error}");
            }
            complaint = new_complaint;
            let now_validity = self.certificate().validity(clock.now());
            if now_validity != validity {
                self.warn(clock.now());
            }
            validity = now_validity;
        }
    }

    /// What a connection that begins now is served with.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current.config))
    }

    fn warn(&self, now: Timestamp) {
        let certificate = self.certificate();
        match certificate.validity(now) {
            Validity::Holds => {}
            Validity::EndsSoon => {
                tracing::warn!(%certificate, "the certificate {certificate} ends soon; replace it");
            }
            Validity::NotYet => tracing::warn!(
                from = %certificate.from,
                "the certificate holds from {} only; is the clock right?",
                certificate.from
            ),
            Validity::Ended => tracing::warn!(
                %certificate,
                "the certificate {certificate} has ended and sensors refuse it; replace it"
            ),
        }
    }
}

impl Source {
    /// What the settings name; `None` where they want no TLS.
    fn of(settings: &ListenerTls, data: &Path) -> Option<Self> {
        // That both are named is checked where settings are loaded.
        let path = |path: &Option<PathBuf>| path.clone().unwrap_or_default();
        match settings.mode {
            TlsMode::Off => None,
            TlsMode::Files => {
                Some(Self::Files { cert: path(&settings.cert), key: path(&settings.key) })
            }
            TlsMode::Auto => {
                Some(Self::Auto(Authority::new(data, settings.listen, &settings.names)))
            }
        }
    }

    /// Makes and renews what is ours to make.
    fn ensure(&self, now: Timestamp) -> Result<(), TlsError> {
        match self {
            Self::Files { .. } => Ok(()),
            Self::Auto(authority) => authority.ensure(now),
        }
    }

    /// What the files hold; `None` where that is what is `known`.
    fn load(&self, known: Option<[u8; 32]>) -> Result<Option<Current>, TlsError> {
        let (cert, key) = match self {
            Self::Files { cert, key } => (cert.clone(), key.clone()),
            Self::Auto(authority) => (authority.server(), authority.server()),
        };
        let cert_content = pem::read_certificates(&cert)?;
        let key_content = pem::read_key(&key)?;
        let parts = [Sha256::digest(&cert_content), Sha256::digest(&key_content)];
        let digest = Sha256::digest(parts.concat()).into();
        if known == Some(digest) {
            return Ok(None);
        }
        let chain = pem::certificates(&cert, &cert_content)?;
        let wrong = |file: &Path, found: String, wanted| TlsError::Content {
            file: file.to_owned(),
            found,
            wanted,
        };
        let certificate = chain.first().and_then(|first| Certificate::parse(first));
        let certificate = certificate.ok_or_else(|| {
            let wanted = "an X.509 certificate in each section";
            wrong(&cert, "a section that is no certificate".to_owned(), wanted)
        })?;
        let private = pem::key(&key, &key_content)?;
        let builder = ServerConfig::builder_with_provider(provider());
        let builder = versions(builder)?.with_no_client_auth();
        let mut config = builder.with_single_cert(chain, private).map_err(|error| match error {
            Error::InconsistentKeys(_) => {
                TlsError::Mismatch { cert: cert.clone(), key: key.clone() }
            }
            error => {
                wrong(&key, error.to_string(), "a key of ECDSA (P-256, P-384), Ed25519 or RSA")
            }
        })?;
        // Sensors that come every few minutes resume their session, and none is kept for them here.
        config.ticketer = Ticketer::new()?;
        Ok(Some(Current { config: Arc::new(config), certificate, digest }))
    }
}
