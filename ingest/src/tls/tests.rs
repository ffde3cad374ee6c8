use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use plotwise_config::settings::{LinkTls, ListenerTls, TlsMode};
use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::{Certificate, ServerTls, TlsError, Validity, client_config, pem};

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

fn settings(mode: TlsMode) -> ListenerTls {
    let listen = "127.0.0.1:8883".parse().unwrap();
    ListenerTls { mode, listen, cert: None, key: None, names: Vec::new() }
}

/// Somebody else's certificate, until the end of a year.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        files.issue(2030);
        files
    }

    fn cert(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    fn issue(&self, until_year: i32) {
        let key = KeyPair::generate().unwrap();
        let names = ["farm.example".to_owned(), "10.0.0.5".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(until_year, 1, 1);
        fs::write(self.cert(), params.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(self.key(), key.serialize_pem()).unwrap();
    }

    fn open(&self) -> Result<ServerTls, TlsError> {
        let settings = ListenerTls {
            cert: Some(self.cert()),
            key: Some(self.key()),
            ..settings(TlsMode::Files)
        };
        ServerTls::open(&settings, Path::new("unused"), now()).map(Option::unwrap)
    }

    #[track_caller]
    fn refused(&self, words: &[&str]) {
        let said = self.open().unwrap_err().to_string();
        for word in words {
            assert!(said.contains(word), "wanted {word:?} in {said}");
        }
    }
}

#[test]
fn a_certificate_of_files_says_for_whom_and_until_when() {
    let tls = Files::new().open().unwrap();
    let certificate = tls.certificate();
    assert_eq!(certificate.to_string(), "for farm.example, 10.0.0.5, until 2030-01-01T00:00:00Z");
    assert_eq!(tls.authority(), None);
}

#[test]
fn files_that_do_not_fit_are_named_with_what_was_found_and_wanted() {
    let files = Files::new();
    let key = fs::read_to_string(files.key()).unwrap();
    let cert = fs::read_to_string(files.cert()).unwrap();
    let keep = |text: &str| fs::write(files.key(), text).unwrap();

    fs::remove_file(files.key()).unwrap();
    files.refused(&["key.pem", "cannot be read", "-----BEGIN PRIVATE KEY-----"]);
    keep(&cert);
    files.refused(&["key.pem", "found CERTIFICATE, wanted a PEM file", "PRIVATE KEY"]);
    keep(&key.replace("PRIVATE", "ENCRYPTED PRIVATE"));
    files.refused(&["key.pem", "found ENCRYPTED PRIVATE KEY", "without a password"]);
    keep("not PEM at all");
    files.refused(&["key.pem", "no PEM section"]);
    keep(&key.replace("-----END", "----"));
    files.refused(&["key.pem", "a section without its END line"]);
    keep(&KeyPair::generate().unwrap().serialize_pem());
    files.refused(&["key.pem", "does not belong to the certificate in", "cert.pem"]);
    keep(&key);
    fs::write(files.cert(), &key).unwrap();
    files.refused(&["cert.pem", "found PRIVATE KEY, wanted", "BEGIN CERTIFICATE"]);
    fs::write(files.cert(), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .unwrap();
    files.refused(&["cert.pem", "no certificate"]);
}

#[test]
fn a_new_certificate_is_taken_up_and_a_broken_one_is_not() {
    let files = Files::new();
    let tls = files.open().unwrap();
    assert!(!tls.refresh(now()).unwrap());
    files.issue(2031);
    assert!(tls.refresh(now()).unwrap());
    let renewed = tls.certificate();
    assert!(renewed.until.to_string().starts_with("2031"));
    fs::write(files.key(), "half of it").unwrap();
    assert!(matches!(tls.refresh(now()), Err(TlsError::Content { .. })));
    assert_eq!(tls.certificate(), renewed);
}

#[test]
fn a_certificate_that_ends_soon_or_has_ended_is_told_from_one_that_holds() {
    let certificate = Files::new().open().unwrap().certificate();
    let at = |text: &str| certificate.validity(text.parse().unwrap());
    assert_eq!(at("2025-12-31T00:00:00Z"), Validity::NotYet);
    assert_eq!(at("2029-12-01T00:00:00Z"), Validity::Holds);
    assert_eq!(at("2029-12-20T00:00:00Z"), Validity::EndsSoon);
    assert_eq!(at("2030-01-01T00:00:00Z"), Validity::Ended);
}

#[test]
fn an_authority_is_made_once_and_its_keys_are_for_their_owner_alone() {
    let data = tempfile::tempdir().unwrap();
    let settings =
        ListenerTls { names: vec!["farm.example".to_owned()], ..settings(TlsMode::Auto) };
    let tls = ServerTls::open(&settings, data.path(), now()).unwrap().unwrap();
    let ca = tls.authority().unwrap();
    assert_eq!(ca, data.path().join("tls/ca.pem"));
    let names = tls.certificate().names;
    for name in ["farm.example", "localhost", "127.0.0.1"] {
        assert!(names.iter().any(|known| known == name), "{names:?}");
    }
    let mode = |name: &str| {
        fs::metadata(data.path().join("tls").join(name)).unwrap().permissions().mode() & 0o777
    };
    assert_eq!([mode("ca-key.pem"), mode("server.pem"), mode("ca.pem")], [0o600, 0o600, 0o644]);
    assert!(tls.exposed_keys().is_empty());
    let key = data.path().join("tls/ca-key.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(tls.exposed_keys(), [key]);

    let peeked = ServerTls::peek(&settings, data.path()).unwrap().unwrap();
    assert_eq!(peeked.certificate(), tls.certificate());
    let elsewhere = tempfile::tempdir().unwrap();
    assert!(ServerTls::peek(&settings, elsewhere.path()).unwrap().is_none());
    assert!(!elsewhere.path().join("tls").exists(), "looking makes nothing");

    let before = fs::read(&ca).unwrap();
    let again = ServerTls::open(&settings, data.path(), now() + days(1)).unwrap().unwrap();
    assert_eq!(again.certificate(), tls.certificate());
    assert_eq!(fs::read(&ca).unwrap(), before);
}

#[test]
fn a_certificate_of_our_own_is_renewed_before_it_ends_and_when_a_name_is_added() {
    let data = tempfile::tempdir().unwrap();
    let mut settings = settings(TlsMode::Auto);
    let tls = ServerTls::open(&settings, data.path(), now()).unwrap().unwrap();
    let first = tls.certificate();
    let ca = fs::read(tls.authority().unwrap()).unwrap();
    assert!(!tls.refresh(now() + days(360)).unwrap());
    assert!(tls.refresh(now() + days(370)).unwrap());
    assert!(tls.certificate().until > first.until + days(365));
    assert_eq!(fs::read(tls.authority().unwrap()).unwrap(), ca, "sensors need no new one");

    settings.names = vec!["farm.example".to_owned()];
    let renamed = ServerTls::open(&settings, data.path(), now() + days(371)).unwrap().unwrap();
    assert!(renamed.certificate().names.contains(&"farm.example".to_owned()));

    // Some nineteen years later its own end is near: a new one of the same key.
    assert!(tls.refresh(now() + days(7000)).unwrap());
    assert_ne!(fs::read(tls.authority().unwrap()).unwrap(), ca);
}

#[test]
fn a_lost_key_of_the_authority_is_said_and_nothing_is_overwritten() {
    let data = tempfile::tempdir().unwrap();
    let settings = settings(TlsMode::Auto);
    let tls = ServerTls::open(&settings, data.path(), now()).unwrap().unwrap();
    let ca = fs::read(tls.authority().unwrap()).unwrap();
    fs::remove_file(data.path().join("tls/ca-key.pem")).unwrap();
    // Nothing is to be signed yet.
    assert!(ServerTls::open(&settings, data.path(), now()).is_ok());
    let error = tls.refresh(now() + days(380)).unwrap_err();
    assert!(matches!(error, TlsError::KeyLost { .. }), "{error}");
    assert!(error.to_string().contains("from a backup"), "{error}");
    assert_eq!(fs::read(tls.authority().unwrap()).unwrap(), ca);
    assert_eq!(tls.certificate().validity(now()), Validity::Holds);
}

#[test]
fn a_link_names_the_file_that_does_not_fit() {
    let files = Files::new();
    let (cert, key) = (Some(files.cert()), Some(files.key()));
    let good = LinkTls { ca: cert.clone(), cert: cert.clone(), key };
    assert!(client_config(&good).is_ok());
    let swapped = LinkTls { ca: Some(files.key()), ..LinkTls::default() };
    let said = client_config(&swapped).unwrap_err().to_string();
    assert!(said.contains("key.pem: found PRIVATE KEY, wanted a PEM file"), "{said}");
    fs::write(files.key(), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(matches!(client_config(&good), Err(TlsError::Mismatch { .. })));
}

proptest! {
    #[test]
    fn whatever_a_file_holds_it_is_read_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        heading in "(CERTIFICATE|PRIVATE KEY|X)",
        body in "[A-Za-z0-9+/=\n]{0,200}",
    ) {
        let file = Path::new("any.pem");
        let section = format!("-----BEGIN {heading}-----\n{body}\n-----END {heading}-----\n");
        for content in [&bytes[..], section.as_bytes(), &section.as_bytes()[..section.len() / 2]] {
            if let Ok(chain) = pem::certificates(file, content) {
                prop_assert!(!chain.is_empty());
                let _ = Certificate::parse(&chain[0]);
            }
            let _ = pem::key(file, content);
        }
        let _ = Certificate::parse(&bytes);
    }
}
