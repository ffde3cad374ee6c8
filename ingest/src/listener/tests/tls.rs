//! The same over TLS.

use std::path::PathBuf;

use plotwise_config::settings::{ListenerTls, TlsMode};
use tempfile::TempDir;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
        version::{TLS12, TLS13},
    },
};

use super::*;
use crate::tls::{ServerTls, provider};

/// A listener with a certificate of its own making.
struct Encrypted {
    rig: Rig,
    address: SocketAddr,
    ca: PathBuf,
    _data: TempDir,
}

impl Encrypted {
    async fn spawn(options: ListenerOptions) -> Self {
        let data = tempfile::tempdir().unwrap();
        let free = "127.0.0.1:0".parse().unwrap();
        let mode = TlsMode::Auto;
        let settings = ListenerTls { mode, listen: free, cert: None, key: None, names: vec![] };
        let now = Clock::system().now();
        let tls = ServerTls::open(&settings, data.path(), now).unwrap().unwrap();
        let ca = tls.authority().unwrap();
        let listener = Listener::bind(free, options).await.unwrap();
        let listener = listener.with_tls(free, Arc::new(tls)).await.unwrap();
        let address = listener.tls_addr().unwrap();
        Self { rig: Rig::serve(listener), address, ca, _data: data }
    }

    async fn open(&self, version: &'static SupportedProtocolVersion) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.ca).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(provider());
        let builder = builder.with_protocol_versions(&[version]).unwrap();
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        timeout(PATIENCE, connecting).await.unwrap().unwrap()
    }

    async fn connect(&self, version: &'static SupportedProtocolVersion) -> TlsStream<TcpStream> {
        let mut stream = self.open(version).await;
        write(&mut stream, &connect("node", "secret", 0)).await;
        assert_eq!(read(&mut stream, 4).await, [0x20, 2, 0, 0]);
        stream
    }
}

async fn write(stream: &mut TlsStream<TcpStream>, bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
}

async fn read(stream: &mut TlsStream<TcpStream>, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    timeout(PATIENCE, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    bytes
}

#[tokio::test]
async fn both_versions_of_tls_carry_messages_and_acknowledgements() {
    let encrypted = Encrypted::spawn(ListenerOptions::default()).await;
    let both = [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)];
    for (version, spoken) in both {
        let mut stream = encrypted.connect(version).await;
        assert_eq!(stream.get_ref().1.protocol_version(), Some(spoken));
        write(&mut stream, &publish(0x32, UP, 1, b"x")).await;
        assert_eq!(read(&mut stream, 4).await, [0x40, 2, 0, 1]);
    }
    assert_eq!(encrypted.rig.reasons().len(), 2);
    // The address without TLS is still there.
    encrypted.rig.connect("node", "secret").await;
}

#[tokio::test]
async fn many_messages_in_few_records_are_all_acknowledged() {
    let encrypted = Encrypted::spawn(ListenerOptions::default()).await;
    let mut stream = encrypted.connect(&TLS13).await;
    let payload = vec![b'x'; 700];
    let messages: Vec<u8> = (1..=300).flat_map(|id| publish(0x32, UP, id, &payload)).collect();
    write(&mut stream, &messages).await;
    let acks = read(&mut stream, 300 * 4).await;
    let ids = acks.chunks(4).map(|ack| u16::from_be_bytes([ack[2], ack[3]]));
    assert_eq!(ids.collect::<Vec<_>>(), (1..=300).collect::<Vec<u16>>());
    // Asked after the fact: nothing that came in is still unread.
    write(&mut stream, &[0xC0, 0]).await;
    assert_eq!(read(&mut stream, 2).await, [0xD0, 0]);
}

#[tokio::test]
async fn a_client_told_to_go_reads_why_before_the_end() {
    let encrypted = Encrypted::spawn(ListenerOptions::default()).await;
    let mut stream = encrypted.open(&TLS13).await;
    write(&mut stream, &connect("node", "guess", 0)).await;
    let mut said = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut said)).await.unwrap().unwrap();
    assert_eq!(said, [0x20, 2, 0, 5]);
}

#[tokio::test]
async fn who_does_not_finish_the_handshake_holds_up_nobody_and_is_counted() {
    let options = ListenerOptions { connect_within_s: 1, ..Default::default() };
    let encrypted = Encrypted::spawn(options).await;
    let mut idle = Wire::open(encrypted.address).await;
    let mut plain = Wire::open(encrypted.address).await;
    plain.write(&connect("node", "secret", 0)).await;
    encrypted.connect(&TLS13).await;
    idle.closed().await;
    plain.rest().await;
    assert_eq!(encrypted.rig.counters.tls_failures(), 2);
}

#[tokio::test]
async fn a_client_that_hangs_up_without_a_word_is_no_failure() {
    let encrypted = Encrypted::spawn(ListenerOptions::default()).await;
    let mut stream = encrypted.connect(&TLS13).await;
    write(&mut stream, &publish(0x30, UP, 0, b"x")).await;
    drop(stream);
    let counters = Arc::clone(&encrypted.rig.counters);
    let ended = async {
        while counters.open() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, ended).await.unwrap();
    assert_eq!(encrypted.rig.last_reasons().await.len(), 1);
    assert_eq!((counters.tls_failures(), counters.protocol_errors()), (0, 0));
}
