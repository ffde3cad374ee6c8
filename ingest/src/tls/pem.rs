//! PEM files: certificates and keys in, the authority's own out.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use tokio_rustls::rustls::pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject as _},
};

use super::TlsError;

/// A chain of certificates is a few kilobytes; what is a hundred times that is something else.
const FILE_BYTES_MAX: u64 = 1 << 20;

const CERTIFICATES: &str = "a PEM file with -----BEGIN CERTIFICATE-----";
const KEY: &str = "a PEM file with -----BEGIN PRIVATE KEY-----, without a password";

/// The content of a file that holds certificates.
pub(super) fn read_certificates(file: &Path) -> Result<Vec<u8>, TlsError> {
    read(file, CERTIFICATES)
}

/// The content of a file that holds a private key.
pub(super) fn read_key(file: &Path) -> Result<Vec<u8>, TlsError> {
    read(file, KEY)
}

fn read(file: &Path, wanted: &'static str) -> Result<Vec<u8>, TlsError> {
    let unreadable = |source| TlsError::Unreadable { file: file.to_owned(), wanted, source };
    let length = fs::metadata(file).map_err(unreadable)?.len();
    if length > FILE_BYTES_MAX {
        let found = format!("{length} bytes");
        return Err(TlsError::Content { file: file.to_owned(), found, wanted });
    }
    fs::read(file).map_err(unreadable)
}

/// Every certificate in `content`, at least one.
pub(super) fn certificates(
    file: &Path,
    content: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(content).collect();
    let wrong = |found| TlsError::Content { file: file.to_owned(), found, wanted: CERTIFICATES };
    match found {
        Ok(found) if found.is_empty() => Err(wrong(sections(content))),
        Ok(found) => Ok(found),
        Err(error) => Err(wrong(broken(&error))),
    }
}

/// The first private key in `content`.
pub(super) fn key(file: &Path, content: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(content).map_err(|error| {
        let found = match error {
            pem::Error::NoItemsFound => sections(content),
            error => broken(&error),
        };
        TlsError::Content { file: file.to_owned(), found, wanted: KEY }
    })
}

/// What a file holds instead, by the headings of its sections: `CERTIFICATE`, `ENCRYPTED PRIVATE KEY`.
fn sections(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    let headings: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----"))
        .filter(|heading| heading.len() <= 40)
        .take(4)
        .collect();
    if headings.is_empty() { "no PEM section".to_owned() } else { headings.join(", ") }
}

/// What is wrong with a section, without quoting any of it: it may be a key.
fn broken(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section without its END line".to_owned(),
        pem::Error::Base64Decode(_) => "a section that is not base64".to_owned(),
        _ => "a broken section".to_owned(),
    }
}

/// Whether others than its owner may read a file; a file that is not there exposes nothing.
pub(super) fn is_exposed(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

/// Writes a file that only its owner may read, or everybody, whole or not at all.
pub(super) fn write(file: &Path, content: &str, is_secret: bool) -> Result<(), TlsError> {
    let mode = if is_secret { 0o600 } else { 0o644 };
    let draft = file.with_extension("new");
    let keep = || -> io::Result<()> {
        // A draft of an earlier attempt may have another mode.
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut open = OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft)?;
        open.set_permissions(Permissions::from_mode(mode))?;
        open.write_all(content.as_bytes())?;
        open.sync_all()?;
        fs::rename(&draft, file)
    };
    keep().map_err(|source| TlsError::Unwritable { file: file.to_owned(), source })
}
