//! Mode `auto`: an authority of this installation's own, and the server's certificate by it.
//!
//! ```text
//! DATA/tls/ca.pem      the authority's certificate: this one goes to the sensors
//! DATA/tls/ca-key.pem  its key, for its owner alone
//! DATA/tls/server.pem  the server's certificate and key, for their owner alone
//! ```
//!
//! Everything but the authority's key can be made anew from it. The server's certificate is renewed a month
//! before it ends, or when this machine is reached by another name; the authority's own, with the same
//! key, when it would end before the next one of the server. A sensor that has the former `ca.pem` goes on
//! trusting until that one ends.

use std::{
    fs,
    net::{IpAddr, SocketAddr, UdpSocket},
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _, date_time_ymd,
};
use sha2::{Digest as _, Sha256};

use super::{Certificate, TlsError, pem};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How long the server's certificate holds, days: what browsers and phones accept at most is 398.
const SERVER_DAYS: i32 = 397;

/// Renewed when it would end within so many days.
const RENEW_DAYS: i32 = 30;

/// How long the authority's certificate holds, days: some twenty years, as somebody has to carry it to
/// every sensor.
const AUTHORITY_DAYS: i32 = 7300;

/// Certificates begin so many days before they are made: clocks in the field are slow.
const SLOW_CLOCK_DAYS: i32 = 2;

/// The authority of one data directory.
#[derive(Debug)]
pub(super) struct Authority {
    folder: PathBuf,
    listen: SocketAddr,
    names: Vec<String>,
}

impl Authority {
    pub(super) fn new(data: &Path, listen: SocketAddr, names: &[String]) -> Self {
        Self { folder: data.join("tls"), listen, names: names.to_vec() }
    }

    /// The certificate for sensors.
    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Certificate and key of the server, in one file: both change at once.
    pub(super) fn server(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    /// The authority's key.
    pub(super) fn key(&self) -> PathBuf {
        self.folder.join("ca-key.pem")
    }

    /// Makes what is missing and renews what ends soon.
    pub(super) fn ensure(&self, now: Timestamp) -> Result<(), TlsError> {
        let names = self.all_names();
        let is_current = |file: &Path, days, names: &[String]| {
            read(file).is_some_and(|found| {
                found.until >= now + DAY * days
                    && found.from <= now
                    && names.iter().all(|name| found.names.contains(name))
            })
        };
        let (ca, server) = (self.certificate(), self.server());
        let is_ca_current = is_current(&ca, SERVER_DAYS, &[]);
        let is_server_current = is_current(&server, RENEW_DAYS, &names);
        if is_ca_current && is_server_current {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)
            .map_err(|source| TlsError::Unwritable { file: self.folder.clone(), source })?;
        let key = self.authority_key()?;
        let make = |source| TlsError::Make { names: names.clone(), source };
        let authority = authority_params(&key, now);
        if !is_ca_current {
            let certificate = authority.self_signed(&key).map_err(make)?;
            pem::write(&ca, &certificate.pem(), false)?;
            let file = ca.display();
            tracing::info!(%file, "made {file}: copy it to the sensors that connect over TLS");
        }
        let server_key = KeyPair::generate().map_err(make)?;
        let issuer = Issuer::new(authority, key);
        let params = server_params(&names, now).map_err(make)?;
        let certificate = params.signed_by(&server_key, &issuer).map_err(make)?;
        pem::write(&server, &(certificate.pem() + &server_key.serialize_pem()), true)?;
        let names = names.join(", ");
        tracing::info!(names, "made a certificate for {names}");
        Ok(())
    }

    fn authority_key(&self) -> Result<KeyPair, TlsError> {
        let file = self.key();
        if !file.exists() {
            if self.certificate().exists() {
                return Err(TlsError::KeyLost { key: file, folder: self.folder.clone() });
            }
            let key = KeyPair::generate()
                .map_err(|source| TlsError::Make { names: self.names.clone(), source })?;
            pem::write(&file, &key.serialize_pem(), true)?;
            return Ok(key);
        }
        let content = pem::read_key(&file)?;
        pem::key(&file, &content)?;
        let text = String::from_utf8_lossy(&content);
        KeyPair::from_pem(&text).map_err(|error| TlsError::Content {
            file,
            found: error.to_string(),
            wanted: "the key that Plotwise made; put it back from a backup",
        })
    }

    /// By what sensors may call this machine.
    fn all_names(&self) -> Vec<String> {
        let mut names = self.names.clone();
        names.extend(["localhost".to_owned(), "127.0.0.1".to_owned()]);
        names.extend(host_name());
        match self.listen.ip() {
            ip if ip.is_unspecified() => names.extend(own_address().map(|ip| ip.to_string())),
            ip => names.push(ip.to_string()),
        }
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }
}

/// The first certificate of a file, where there is one.
fn read(file: &Path) -> Option<Certificate> {
    let content = pem::read_certificates(file).ok()?;
    let certificates = pem::certificates(file, &content).ok()?;
    Certificate::parse(certificates.first()?)
}

/// The same for the same key at any time, but for its dates.
fn authority_params(key: &KeyPair, now: Timestamp) -> CertificateParams {
    let digest = Sha256::digest(key.der_bytes());
    let id = digest.iter().take(4).fold(String::new(), |id, byte| format!("{id}{byte:02x}"));
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("Plotwise authority {id}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let (year, month, day) = date(now, -SLOW_CLOCK_DAYS);
    params.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = date(now, AUTHORITY_DAYS);
    params.not_after = date_time_ymd(year, month, day);
    params
}

fn server_params(names: &[String], now: Timestamp) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Plotwise");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let (year, month, day) = date(now, -SLOW_CLOCK_DAYS);
    params.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = date(now, SERVER_DAYS);
    params.not_after = date_time_ymd(year, month, day);
    Ok(params)
}

/// Year, month and day so many days from now.
fn date(now: Timestamp, days: i32) -> (i32, u8, u8) {
    let day = (now + DAY * days).to_zoned(TimeZone::UTC).date();
    (day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs())
}

/// The name of this machine, where the system tells it as a file.
fn host_name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    (!name.is_empty() && name.chars().all(is_name)).then(|| name.to_owned())
}

/// The address by which this machine reaches others: where the system would send a datagram from. None
/// is sent. 192.0.2.1 is nobody's (RFC 5737).
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    socket.connect(("192.0.2.1", 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_unspecified())
}
