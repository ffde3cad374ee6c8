//! Real sockets and real clients against a pipeline that writes into memory.

mod stored;

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
    decode::Quantities,
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
        Intake::Observation(_) => panic!("no quantities are known here"),
    }
}

impl Rig {
    async fn spawn(options: ListenerOptions) -> Self {
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
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), options).await.unwrap();
        let address = listener.local_addr().unwrap();
        let counters = listener.counters();
        let serving = tokio::spawn(listener.run(Surroundings {
            pipeline,
            directory: directory_receiver,
            quantities: Arc::new(Quantities::of(&[])),
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
            Intake::Observation(_) => panic!("not JSON"),
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
async fn wrong_and_unknown_get_the_same_answer_ever_later() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let started = std::time::Instant::now();
    for (user, password) in [("node", "guess"), ("nobody", "secret")] {
        let mut wire = Wire::open(rig.address).await;
        wire.write(&connect(user, password, 0)).await;
        assert_eq!(wire.rest().await, [0x20, 2, 0, 5], "{user}");
    }
    assert!(started.elapsed() >= Duration::from_millis(750));
    assert_eq!(rig.counters.not_authorized(), 2);
    rig.connect("node", "secret").await;
}

#[tokio::test]
async fn version_5_says_not_authorized_by_code() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let mut options = rig.v5("five");
    options.set_credentials("node", "guess");
    let (_client, mut events) = v5::AsyncClient::new(options, 10);
    let error = timeout(PATIENCE, events.poll()).await.unwrap().unwrap_err();
    assert!(format!("{error:?}").contains("NotAuthorized"), "{error:?}");
}

#[tokio::test]
async fn publishing_as_another_closes_the_connection() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let mut wire = rig.connect("node", "secret").await;
    wire.write(&publish(0x32, "plotwise/v1/other/up", 1, b"{}")).await;
    wire.closed().await;
    assert_eq!(rig.counters.not_allowed(), 1);
    assert_eq!(rig.last_reasons().await, [DeadLetterReason::NotAllowed]);
}

#[tokio::test]
async fn version_5_gets_a_code_for_publishing_as_another_and_goes_on() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let (client, mut events) = v5::AsyncClient::new(rig.v5("five"), 100);
    for topic in ["plotwise/v1/other/up", UP] {
        client.publish(topic, v5::mqttbytes::QoS::AtLeastOnce, false, "x").await.unwrap();
    }
    let mut codes = Vec::new();
    while codes.len() < 2 {
        let event = timeout(PATIENCE, events.poll()).await.unwrap();
        if let Ok(v5::Event::Incoming(v5::mqttbytes::v5::Packet::PubAck(puback))) = event {
            codes.push(puback.reason);
        }
    }
    assert_eq!(codes, [PubAckReason::NotAuthorized, PubAckReason::Success]);
    assert_eq!(rig.reasons(), [DeadLetterReason::NotAllowed, DeadLetterReason::NotJson]);
}

#[tokio::test]
async fn a_gateway_brings_the_readings_of_its_cooperative() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let mut wire = rig.connect("gate", "keys").await;
    for (id, device) in [(1, "node"), (2, "new")] {
        let topic = format!("plotwise/v1/{device}/up");
        wire.write(&publish(0x32, &topic, id, b"x")).await;
        assert_eq!(wire.read(4).await, [0x40, 2, 0, u8::try_from(id).unwrap()]);
    }
    assert_eq!(rig.reasons(), [DeadLetterReason::NotJson, DeadLetterReason::UnknownDevice]);
    wire.write(&publish(0x32, "plotwise/v1/other/up", 3, b"x")).await;
    wire.closed().await;
}

#[tokio::test]
async fn subscribing_is_refused_by_code() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let mut wire = rig.connect("node", "secret").await;
    let body = [&[0, 9][..], &text("a/#"), &[1], &text("b"), &[0]].concat();
    wire.write(&packet(0x82, &body)).await;
    assert_eq!(wire.read(6).await, [0x90, 4, 0, 9, 0x80, 0x80]);
    wire.write(&packet(0xA2, &[&[0, 10][..], &text("b")].concat())).await;
    assert_eq!(wire.read(4).await, [0xB0, 2, 0, 10]);
    wire.write(&[0xC0, 0]).await;
    assert_eq!(wire.read(2).await, [0xD0, 0]);
}

#[tokio::test]
async fn qos_2_closes_the_connection() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let mut wire = rig.connect("node", "secret").await;
    wire.write(&publish(0x34, UP, 1, b"x")).await;
    wire.closed().await;
}

#[tokio::test]
async fn version_5_is_told_why_qos_2_and_large_packets_are_refused() {
    let rig = Rig::spawn(ListenerOptions { packet_bytes_max: 500, ..Default::default() }).await;
    let head = [&text("MQTT")[..], &[5, 0xC2, 0, 0, 0]].concat();
    let hello = packet(0x10, &[head, text("w"), text("node"), text("secret")].concat());
    let large = packet(0x32, &[&text(UP)[..], &[0, 1, 0], &[b'x'; 1000]].concat());
    let exactly_once = packet(0x34, &[&text(UP)[..], &[0, 1, 0, b'x']].concat());
    for (refused, code) in [(exactly_once, 0x9B), (large, 0x95)] {
        let mut wire = Wire::open(rig.address).await;
        wire.write(&hello).await;
        let connack = wire.read(2).await;
        wire.read(connack[1].into()).await;
        wire.write(&refused).await;
        let rest = wire.rest().await;
        assert_eq!((rest[0], rest[2]), (0xE0, code), "{rest:x?}");
    }
}

#[tokio::test]
async fn a_large_packet_leaves_its_head_length_and_hash() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let mut wire = rig.connect("node", "secret").await;
    wire.write(&publish(0x32, UP, 1, &vec![b'x'; 1 << 20])).await;
    wire.closed().await;
    assert_eq!(rig.counters.too_large(), 1);
    let (_, written) = rig.finish().await;
    let [Intake::DeadLetter(letter)] = written.as_slice() else { panic!("{written:?}") };
    assert_eq!((letter.reason, letter.topic.as_str()), (DeadLetterReason::TooLarge, UP));
    assert_eq!(letter.payload.len(), 1024);
    assert!(letter.detail.starts_with("packet of 1048599 bytes, wanted at most 65536; SHA-256"));
}

#[tokio::test]
async fn garbage_is_hung_up_on_and_others_do_not_notice() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let mut good = rig.connect("node", "secret").await;
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xFF; 64], &[0x30, 3, 0, 1, 0], &[0x10, 0]] {
        let mut wire = Wire::open(rig.address).await;
        wire.write(garbage).await;
        wire.rest().await;
    }
    // A known client that begins to write nonsense.
    let mut wire = rig.connect("gate", "keys").await;
    wire.write(&[0xF0, 0]).await;
    wire.closed().await;
    good.write(&publish(0x32, UP, 1, b"x")).await;
    assert_eq!(good.read(4).await, [0x40, 2, 0, 1]);
}

#[tokio::test]
async fn an_older_version_is_told_so() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let mut wire = Wire::open(rig.address).await;
    let body = [&text("MQTT")[..], &[9, 2, 0, 0], &text("wire")].concat();
    wire.write(&packet(0x10, &body)).await;
    assert_eq!(wire.rest().await, [0x20, 2, 0, 1]);
}

#[tokio::test]
async fn a_client_that_says_nothing_is_hung_up_on() {
    let rig = Rig::spawn(ListenerOptions { connect_within_s: 1, ..Default::default() }).await;
    let mut silent = Wire::open(rig.address).await;
    let mut slow = Wire::open(rig.address).await;
    slow.write(&connect("node", "secret", 0)[..5]).await;
    silent.closed().await;
    slow.closed().await;
    let mut half_open = Wire::open(rig.address).await;
    half_open.write(&connect("node", "secret", 1)).await;
    half_open.read(4).await;
    half_open.closed().await;
}

#[tokio::test]
async fn a_newer_connection_takes_the_client_id_over() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let mut older = rig.connect("node", "secret").await;
    // The same client id under another device's name takes nothing.
    let _other = rig.connect("other", "mine").await;
    older.write(&[0xC0, 0]).await;
    older.read(2).await;
    let mut newer = rig.connect("node", "secret").await;
    older.closed().await;
    newer.write(&[0xC0, 0]).await;
    newer.read(2).await;
}

#[tokio::test]
async fn a_device_whose_token_was_changed_is_let_go() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let mut wire = rig.connect("node", "secret").await;
    let node = (DeviceId::parse("node").unwrap(), entry("a", false, "another"));
    rig.directory.send_replace(Arc::new(Directory::new([node])));
    wire.write(&publish(0x32, UP, 1, b"x")).await;
    wire.closed().await;
    assert!(rig.last_reasons().await.is_empty());
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let rig = Rig::spawn(ListenerOptions { connections_max: 1, ..Default::default() }).await;
    let _first = rig.connect("node", "secret").await;
    let mut second = Wire::open(rig.address).await;
    second.write(&connect("gate", "keys", 0)).await;
    assert_eq!(second.rest().await, [0x20, 2, 0, 3]);
}

#[tokio::test]
async fn a_device_that_sends_too_fast_is_slowed_down_and_loses_nothing() {
    let rig = Rig::spawn(ListenerOptions { messages_per_s: 20, ..Default::default() }).await;
    let mut wire = rig.connect("node", "secret").await;
    let started = std::time::Instant::now();
    for id in 1..=30 {
        wire.write(&publish(0x32, UP, id, b"x")).await;
    }
    wire.read(30 * 4).await;
    // Thirty at once are ten too many: half a second at most until all are read.
    wire.write(&publish(0x32, UP, 31, b"x")).await;
    wire.read(4).await;
    assert!(started.elapsed() >= Duration::from_millis(300), "{:?}", started.elapsed());
    assert!(rig.counters.over_rate() > 0);
    assert_eq!(rig.written.lock().unwrap().len(), 31);
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
    assert!(matches!(error, BindError::InUse { address } if address == rig.address));
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
        let quantities = Quantities::of(&[]);
        let received = Timestamp::UNIX_EPOCH;
        let context = Context { directory: &directory, quantities: &quantities, received };
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
