//! The same over TLS: who vouches for whom.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::{FILTER, Linked, publish_over_tls};
use crate::mosquitto::Mosquitto;

/// A broker with TLS, and the authority that vouches for it and for its clients.
struct Encrypted {
    broker: Mosquitto,
    ca: String,
    client: (String, String),
}

fn issue(issuer: &Issuer<'_, KeyPair>, names: &[&str]) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let params = CertificateParams::new(names).expect("names");
    (params.signed_by(&key, issuer).expect("a certificate").pem(), key.serialize_pem())
}

fn authority() -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    // Named otherwise than what it signs, or OpenSSL takes that for signed by itself.
    params.distinguished_name.push(DnType::CommonName, "An authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let pem = params.self_signed(&key).expect("a certificate").pem();
    (pem, Issuer::new(params, key))
}

impl Encrypted {
    /// `access` says who may come in, beside a certificate for `localhost`.
    async fn start(access: &str) -> Self {
        let (ca, issuer) = authority();
        let (cert, key) = issue(&issuer, &["localhost"]);
        let tls = "cafile FOLDER/ca.pem\ncertfile FOLDER/cert.pem\nkeyfile FOLDER/key.pem\n";
        let files = [("ca.pem", ca.as_str()), ("cert.pem", &cert), ("key.pem", &key)];
        let broker = Mosquitto::start_with(&format!("{tls}{access}"), &files).await;
        let client = issue(&issuer, &["plotwise"]);
        Self { broker, ca, client }
    }

    fn linked(&self, ca: &str, with_certificate: bool) -> Linked {
        let port = self.broker.address.rsplit_once(':').expect("a port").1;
        let mut tls = "tls.ca = \"ca.pem\"\n".to_owned();
        if with_certificate {
            tls += "tls.cert = \"client.pem\"\ntls.key = \"client.key\"\n";
        }
        let linked = Linked::new(&format!("mqtts://localhost:{port}"), "plotwise-1", &tls);
        // Relative to the settings.
        linked.plotwise.file("ca.pem", ca);
        linked.plotwise.file("client.pem", &self.client.0);
        linked.plotwise.file("client.key", &self.client.1);
        linked
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_come_through_a_broker_with_tls() {
    let encrypted = Encrypted::start("allow_anonymous true\n").await;
    let linked = encrypted.linked(&encrypted.ca, false);
    let _serving = linked.serve().await;
    encrypted.broker.has_subscriber(FILTER).await;
    publish_over_tls(&linked, &encrypted.broker, 3);
    linked.has(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_authority_than_the_one_that_vouched_is_said() {
    let encrypted = Encrypted::start("allow_anonymous true\n").await;
    let linked = encrypted.linked(&authority().0, false);
    linked.says(&["TLS: ", "the broker's certificate", "ca.pem", "put the "]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_wants_a_certificate_of_us_gets_it_and_says_so_without() {
    let access = "require_certificate true\nuse_identity_as_username true\n";
    let encrypted = Encrypted::start(access).await;
    let without = encrypted.linked(&encrypted.ca, false);
    without.says(&["see tls.cert and tls.key"]).await;
    let with = encrypted.linked(&encrypted.ca, true);
    let _serving = with.serve().await;
    encrypted.broker.has_subscriber(FILTER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_no_certificate_is_refused_before_anything_starts() {
    let encrypted = Encrypted::start("allow_anonymous true\n").await;
    let linked = encrypted.linked(&encrypted.client.1, false);
    let settings = linked.settings.to_str().expect("UTF-8");
    let said = linked.plotwise.refused(&["serve", "--config", settings]);
    assert!(said.contains("ca.pem: found PRIVATE KEY, wanted a PEM file"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_without_tls_is_said() {
    let broker = Mosquitto::start().await;
    let url = format!("mqtts://{}", broker.address);
    Linked::new(&url, "plotwise-1", "").says(&["TLS: ", "does that port speak TLS?"]).await;
}
