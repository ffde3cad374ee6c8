//! A link's side: whom it trusts, and why it did not.

use std::{path::Path, sync::Arc};

use plotwise_config::settings::LinkTls;
use tokio_rustls::rustls::{
    AlertDescription, CertificateError, ClientConfig, Error, RootCertStore,
};

use super::{TlsError, pem, provider, versions};

/// What a link connects with. Files are read each time, so that new ones are taken up.
pub(crate) fn client_config(settings: &LinkTls) -> Result<Arc<ClientConfig>, TlsError> {
    let roots = match &settings.ca {
        Some(file) => named_roots(file)?,
        None => system_roots()?,
    };
    let builder = ClientConfig::builder_with_provider(provider());
    let builder = versions(builder)?.with_root_certificates(roots);
    let (Some(cert), Some(key)) = (&settings.cert, &settings.key) else {
        return Ok(Arc::new(builder.with_no_client_auth()));
    };
    let chain = pem::certificates(cert, &pem::read_certificates(cert)?)?;
    let private = pem::key(key, &pem::read_key(key)?)?;
    let config = builder.with_client_auth_cert(chain, private).map_err(|error| match error {
        Error::InconsistentKeys(_) => TlsError::Mismatch { cert: cert.clone(), key: key.clone() },
        error => TlsError::Content {
            file: key.clone(),
            found: error.to_string(),
            wanted: "a key of ECDSA (P-256, P-384), Ed25519 or RSA",
        },
    })?;
    Ok(Arc::new(config))
}

fn named_roots(file: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in pem::certificates(file, &pem::read_certificates(file)?)? {
        roots.add(certificate).map_err(|error| TlsError::Content {
            file: file.to_owned(),
            found: error.to_string(),
            wanted: "certificates of authorities",
        })?;
    }
    Ok(roots)
}

/// Whom the operating system trusts: an organisation puts its own authority there.
fn system_roots() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Lists of operating systems hold a few that no library reads.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let found = found.errors.first().map_or("an empty list".to_owned(), ToString::to_string);
        return Err(TlsError::NoAuthorities { found });
    }
    Ok(roots)
}

/// What an operator can do about a handshake that failed.
pub(crate) fn explain(error: &Error, settings: &LinkTls) -> String {
    let trusted = match &settings.ca {
        Some(file) => format!("the authorities in {}", file.display()),
        None => "the authorities of this system".to_owned(),
    };
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => format!(
            "none of {trusted} vouched for the broker's certificate; put the one that did into tls.ca"
        ),
        Error::InvalidCertificate(CertificateError::BadSignature) => format!(
            "the broker's certificate is signed by another key than that of {trusted}; put the \
             authority that did into tls.ca"
        ),
        Error::InvalidCertificate(
            error @ (CertificateError::NotValidForName
            | CertificateError::NotValidForNameContext { .. }),
        ) => format!("the broker's certificate is not for the host in url ({error})"),
        Error::InvalidCertificate(
            error @ (CertificateError::Expired | CertificateError::ExpiredContext { .. }),
        ) => format!("the broker's certificate has ended, or this clock is wrong ({error})"),
        Error::InvalidCertificate(
            error @ (CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }),
        ) => {
            format!("the broker's certificate does not hold yet, or this clock is wrong ({error})")
        }
        Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::HandshakeFailure
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied,
        ) => format!("{error}: the broker wants a certificate of us; see tls.cert and tls.key"),
        Error::InvalidMessage(_) => {
            format!("no TLS speaks at that port ({error}); mqtt:// is the address without TLS")
        }
        error => error.to_string(),
    }
}
