//! Real sockets and real clients against a pipeline that writes into memory.

mod admission;
mod limits;
mod protocol;
mod stored;
mod tls;
mod version_5;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use plotwise_config::id::{CooperativeId, DeviceId};
use rumqttc::v5::{self, mqttbytes::v5::PubAckReason};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

use proptest::prelude::*;

use super::{
    BindError, Listener, ListenerCounters, ListenerOptions,
    endpoint::{Context, Endpoint},
};
use crate::{
    clock::Clock,
    credential,
    decode::Decoders,
    directory::{Directory, Entry},
    intake::{DeadLetterReason, Intake},
    pipeline::{Pipeline, PipelineOptions, Running, Written},
    surroundings::Surroundings,
};

const PATIENCE: Duration = Duration::from_secs(10);
const UP: &str = "plotwise/v1/node/up";

#[derive(Debug, thiserror::Error)]
#[error("no room on the disk")]
struct Full;

/// A listener in this process, and what it wrote.
struct Rig {
    address: SocketAddr,
    counters: Arc<ListenerCounters>,
    written: Arc<Mutex<Vec<Intake>>>,
    is_full: Arc<AtomicBool>,
    directory: watch::Sender<Arc<Directory>>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    running: Running,
}

fn entry(cooperative: &str, is_gateway: bool, token: &str) -> Entry {
    Entry {
        cooperative: CooperativeId::parse(cooperative).unwrap(),
        profile: "native".to_owned(),
        is_gateway,
        token_sha256: Some(credential::hash(token.as_bytes())),
        own_depths: Vec::new(),
    }
}

fn reason(intake: &Intake) -> DeadLetterReason {
    match intake {
        Intake::DeadLetter(letter) => letter.reason,
        Intake::Observation(_) | Intake::Raw(_) => panic!("no quantities are known here"),
    }
}

impl Rig {
    async fn spawn(options: ListenerOptions) -> Self {
        Self::serve(Listener::bind("127.0.0.1:0".parse().unwrap(), options).await.unwrap())
    }

    fn serve(listener: Listener) -> Self {
        let written = Arc::new(Mutex::new(Vec::new()));
        let is_full = Arc::new(AtomicBool::new(false));
        let (memory, full) = (Arc::clone(&written), Arc::clone(&is_full));
        let commit = move |batch: &[Intake]| {
            if full.load(Ordering::SeqCst) {
                return Err(Full);
            }
            memory.lock().unwrap().extend_from_slice(batch);
            Ok(Written::default())
        };
        let pipeline_options =
            PipelineOptions { retry_min: Duration::from_millis(5), ..PipelineOptions::default() };
        let clock = Clock::fixed(Timestamp::from_second(1_767_225_700).unwrap());
        let (pipeline, running) = Pipeline::start(commit, pipeline_options, clock).unwrap();
        let id = |name| DeviceId::parse(name).unwrap();
        let entries = [
            (id("node"), entry("a", false, "secret")),
            (id("gate"), entry("a", true, "keys")),
            (id("other"), entry("b", false, "mine")),
        ];
        let (directory, directory_receiver) = watch::channel(Arc::new(Directory::new(entries)));
        let (stop, shutdown) = watch::channel(false);
        let address = listener.local_addr().unwrap();
        let counters = listener.counters();
        let serving = tokio::spawn(listener.run(Surroundings {
            pipeline,
            directory: directory_receiver,
            decoders: Arc::new(Decoders::of_quantities(&[])),
            clock,
            shutdown,
        }));
        Self { address, counters, written, is_full, directory, stop, serving, running }
    }

    /// The same once everything that came in is written.
    async fn last_reasons(self) -> Vec<DeadLetterReason> {
        let written = Arc::clone(&self.written);
        self.finish().await;
        let written = written.lock().unwrap();
        written.iter().map(reason).collect()
    }

    fn reasons(&self) -> Vec<DeadLetterReason> {
        self.written.lock().unwrap().iter().map(reason).collect()
    }

    async fn connect(&self, user: &str, password: &str) -> Wire {
        let mut wire = Wire::open(self.address).await;
        wire.write(&connect(user, password, 0)).await;
        assert_eq!(wire.read(4).await, [0x20, 2, 0, 0]);
        wire
    }

    async fn finish(self) -> (bool, Vec<Intake>) {
        self.stop.send_replace(true);
        timeout(PATIENCE, self.serving).await.unwrap().unwrap();
        let is_clean = self.running.finish(PATIENCE).await;
        let written = self.written.lock().unwrap().clone();
        (is_clean, written)
    }

    fn v4(&self, client_id: &str) -> rumqttc::MqttOptions {
        let mut options = rumqttc::MqttOptions::new(client_id, "127.0.0.1", self.address.port());
        options.set_credentials("node", "secret").set_keep_alive(Duration::from_secs(30));
        options
    }

    fn v5(&self, client_id: &str) -> v5::MqttOptions {
        let mut options = v5::MqttOptions::new(client_id, "127.0.0.1", self.address.port());
        options.set_credentials("node", "secret").set_keep_alive(Duration::from_secs(30));
        options
    }
}

/// A client that writes what no library would.
struct Wire(TcpStream);

impl Wire {
    async fn open(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    async fn read(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        timeout(PATIENCE, self.0.read_exact(&mut bytes)).await.unwrap().unwrap();
        bytes
    }

    /// Everything until the listener hangs up.
    async fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await.unwrap() {
            Ok(_) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => bytes,
            Err(error) => panic!("{error}"),
        }
    }
}

impl Wire {
    /// Hung up on, without another word.
    async fn closed(&mut self) {
        assert_eq!(self.rest().await, Vec::<u8>::new());
    }
}

fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    [&length[..], text.as_bytes()].concat()
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut length = body.len();
    loop {
        let low = u8::try_from(length & 0x7F).unwrap();
        length >>= 7;
        bytes.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    [&bytes[..], body].concat()
}

/// CONNECT of MQTT 3.1.1 with a clean session and the client id `wire`.
fn connect(user: &str, password: &str, keep_alive_s: u8) -> Vec<u8> {
    let head = [&text("MQTT")[..], &[4, 0xC2, 0, keep_alive_s]].concat();
    packet(0x10, &[head, text("wire"), text(user), text(password)].concat())
}

fn publish(first: u8, topic: &str, id: u16, payload: &[u8]) -> Vec<u8> {
    let id = if first & 0x06 == 0 { vec![] } else { id.to_be_bytes().to_vec() };
    packet(first, &[&text(topic)[..], &id, payload].concat())
}

#[tokio::test]
async fn what_is_acknowledged_is_written() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let (client, mut events) = rumqttc::AsyncClient::new(rig.v4("one"), 100);
    for n in 0..50 {
        client.publish(UP, rumqttc::QoS::AtLeastOnce, false, format!("x{n}")).await.unwrap();
    }
    let mut acknowledged = 0;
    while acknowledged < 50 {
        let event = timeout(PATIENCE, events.poll()).await.unwrap().unwrap();
        if matches!(event, rumqttc::Event::Incoming(rumqttc::Packet::PubAck(_))) {
            acknowledged += 1;
            assert!(rig.written.lock().unwrap().len() >= acknowledged);
        }
    }
    let (is_clean, written) = rig.finish().await;
    assert!(is_clean);
    let payloads: Vec<&[u8]> = written
        .iter()
        .map(|intake| match intake {
            Intake::DeadLetter(letter) => letter.payload.as_slice(),
            Intake::Observation(_) | Intake::Raw(_) => panic!("not JSON"),
        })
        .collect();
    let wanted: Vec<String> = (0..50).map(|n| format!("x{n}")).collect();
    assert_eq!(payloads, wanted.iter().map(String::as_bytes).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_client_of_version_5_is_told_the_limits_and_acknowledged() {
    let rig = Rig::spawn(ListenerOptions { in_flight_max: 7, ..Default::default() }).await;
    let (client, mut events) = v5::AsyncClient::new(rig.v5("five"), 100);
    for n in 0..20 {
        client.publish(UP, v5::mqttbytes::QoS::AtLeastOnce, false, format!("x{n}")).await.unwrap();
    }
    let mut acknowledged = 0;
    while acknowledged < 20 {
        match timeout(PATIENCE, events.poll()).await.unwrap().unwrap() {
            v5::Event::Incoming(v5::mqttbytes::v5::Packet::ConnAck(connack)) => {
                let properties = connack.properties.unwrap();
                assert_eq!(properties.max_qos, Some(1));
                assert_eq!(properties.receive_max, Some(7));
                assert_eq!(properties.max_packet_size, Some(64 << 10));
                assert!(!connack.session_present);
            }
            v5::Event::Incoming(v5::mqttbytes::v5::Packet::PubAck(_)) => acknowledged += 1,
            _ => {}
        }
    }
    assert_eq!(rig.written.lock().unwrap().len(), 20);
}

#[tokio::test]
async fn a_full_disk_acknowledges_nothing_and_pings_are_answered() {
    let rig = Rig::spawn(ListenerOptions { in_flight_max: 10, ..Default::default() }).await;
    let mut wire = rig.connect("node", "secret").await;
    rig.is_full.store(true, Ordering::SeqCst);
    for id in 1..=5 {
        wire.write(&publish(0x32, UP, id, b"x")).await;
    }
    wire.write(&[0xC0, 0]).await;
    assert_eq!(wire.read(2).await, [0xD0, 0]);
    for id in 6..=40 {
        wire.write(&publish(0x32, UP, id, b"x")).await;
    }
    rig.is_full.store(false, Ordering::SeqCst);
    let acks = wire.read(40 * 4).await;
    let ids: Vec<u8> = acks.chunks(4).map(|ack| ack[3]).collect();
    assert_eq!(ids, (1..=40).collect::<Vec<u8>>());
    assert_eq!(rig.written.lock().unwrap().len(), 40);
}

#[tokio::test]
async fn the_end_waits_for_what_has_come_in() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let mut wire = rig.connect("node", "secret").await;
    for id in 1..=5 {
        wire.write(&publish(0x32, UP, id, b"x")).await;
    }
    // The first acknowledgement shows that the rest has been read as well: it came in one segment
    // or is still unread, and then it is not acknowledged either.
    wire.read(4).await;
    let (is_clean, written) = rig.finish().await;
    assert!(is_clean);
    let acknowledged = 1 + wire.rest().await.len() / 4;
    assert!(written.len() >= acknowledged);
}

#[tokio::test]
async fn a_last_message_at_qos_0_is_written_although_the_client_is_gone() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let mut wire = rig.connect("node", "secret").await;
    wire.write(&[publish(0x30, UP, 0, b"x"), vec![0xE0, 0]].concat()).await;
    wire.closed().await;
    assert_eq!(rig.last_reasons().await.len(), 1);
}

#[tokio::test]
async fn a_port_in_use_is_named_with_the_way_to_mend_it() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let error = Listener::bind(rig.address, ListenerOptions::default()).await.unwrap_err();
    assert!(matches!(error, BindError::InUse { address, .. } if address == rig.address));
    assert!(error.to_string().contains("[mqtt.listener] listen"));
}

proptest! {
    #[test]
    fn whatever_a_known_client_sends_the_endpoint_goes_on_or_ends(
        version in 4_u8..=5,
        first in any::<u8>(),
        body in proptest::collection::vec(any::<u8>(), 0..60),
        rest in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let node = (DeviceId::parse("node").unwrap(), entry("a", false, "secret"));
        let directory = Directory::new([node]);
        let decoders = Decoders::of_quantities(&[]);
        let received = Timestamp::UNIX_EPOCH;
        let context = Context { directory: &directory, decoders: &decoders, received };
        let counters = Arc::default();
        let mut endpoint = Endpoint::new(ListenerOptions::default(), counters, false);
        let properties: &[u8] = if version == 5 { &[0] } else { &[] };
        let head = [&text("MQTT")[..], &[version, 0xC2, 0, 0], properties].concat();
        let hello = [head, text("w"), text("node"), text("secret")].concat();
        endpoint.receive(&packet(0x10, &hello), &context);
        prop_assert!(endpoint.client().is_some());
        endpoint.receive(&packet(first, &body), &context);
        endpoint.receive(&rest, &context);
        endpoint.acknowledge(3);
    }
}
