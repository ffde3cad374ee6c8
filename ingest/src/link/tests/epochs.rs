//! Connections to a broker that says exactly what a test wants said.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use plotwise_config::settings::LinkSettings;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

use super::super::{Link, LinkState};
use crate::{
    clock::Clock,
    decode::Decoders,
    directory::Directory,
    intake::{DeadLetterReason, Intake},
    pipeline::{Pipeline, PipelineOptions, Running, Written},
    surroundings::Surroundings,
};

const PATIENCE: Duration = Duration::from_secs(20);
const UP: &str = "plotwise/v1/node/up";

#[derive(Debug, thiserror::Error)]
#[error("no room on the disk")]
struct Full;

/// A link to a broker in this test, and what it wrote.
struct Rig {
    broker: TcpListener,
    written: Arc<Mutex<Vec<Intake>>>,
    is_full: Arc<AtomicBool>,
    state: watch::Receiver<LinkState>,
    stop: watch::Sender<bool>,
    linking: JoinHandle<()>,
    _running: Running,
}

impl Rig {
    async fn start(change: impl FnOnce(&mut LinkSettings)) -> Self {
        let broker = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("mqtt://{}", broker.local_addr().unwrap());
        let mut settings = super::settings(&url, "plotwise/v1/+/up");
        settings.share = None;
        change(&mut settings);
        let link = Link::new(&settings).unwrap();
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
        let options =
            PipelineOptions { retry_min: Duration::from_millis(5), ..PipelineOptions::default() };
        let clock = Clock::fixed(Timestamp::from_second(1_767_225_700).unwrap());
        let (pipeline, running) = Pipeline::start(commit, options, clock).unwrap();
        let (_known, directory) = watch::channel(Arc::new(Directory::default()));
        let (stop, shutdown) = watch::channel(false);
        let decoders = Arc::new(Decoders::of_quantities(&[]));
        let state = link.state();
        let surroundings = Surroundings { pipeline, directory, decoders, clock, shutdown };
        let linking = tokio::spawn(link.run(surroundings));
        Self { broker, written, is_full, state, stop, linking, _running: running }
    }

    /// The link's next connection, up to its CONNECT.
    async fn connection(&self) -> (Peer, Vec<u8>) {
        let (stream, _) = timeout(PATIENCE, self.broker.accept()).await.unwrap().unwrap();
        let mut peer = Peer(stream);
        let (first, connect) = peer.read().await;
        assert_eq!(first, 0x10);
        (peer, connect)
    }

    /// The same, let in; with a session that is there or not.
    async fn let_in(&self, is_session_kept: bool) -> Peer {
        let mut peer = self.connection().await.0;
        peer.write(&[0x20, 2, u8::from(is_session_kept), 0]).await;
        peer
    }

    /// The same once it has subscribed and been told that it may.
    async fn subscribed(&self) -> Peer {
        let mut peer = self.let_in(false).await;
        let (first, subscribe) = peer.read().await;
        assert_eq!(first, 0x82);
        peer.write(&[0x90, 3, subscribe[0], subscribe[1], 1]).await;
        peer
    }

    async fn is(&mut self, wanted: impl FnMut(&LinkState) -> bool) -> LinkState {
        if let Ok(found) = timeout(PATIENCE, self.state.wait_for(wanted)).await {
            return found.unwrap().clone();
        }
        panic!("it is {:?}", *self.state.borrow());
    }

    async fn written(&self, count: usize) {
        let enough = async {
            while self.written.lock().unwrap().len() < count {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, enough).await.unwrap();
    }
}

/// The broker's end of a connection.
struct Peer(TcpStream);

impl Peer {
    async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    async fn publish(&mut self, first: u8, id: u16, payload: &[u8]) {
        let mut body = u16::try_from(UP.len()).unwrap().to_be_bytes().to_vec();
        body.extend(UP.as_bytes());
        if first & 0x06 != 0 {
            body.extend(id.to_be_bytes());
        }
        body.extend(payload);
        let mut packet = vec![first];
        let mut length = body.len();
        while length >= 128 {
            packet.push(u8::try_from(length % 128).unwrap() | 0x80);
            length /= 128;
        }
        packet.push(u8::try_from(length).unwrap());
        packet.extend(body);
        self.write(&packet).await;
    }

    /// First byte and body of a short packet.
    async fn read(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        timeout(PATIENCE, self.0.read_exact(&mut head)).await.unwrap().unwrap();
        let mut body = vec![0; head[1].into()];
        timeout(PATIENCE, self.0.read_exact(&mut body)).await.unwrap().unwrap();
        (head[0], body)
    }

    async fn acknowledged(&mut self) -> u16 {
        let (first, body) = self.read().await;
        assert_eq!(first, 0x40);
        u16::from_be_bytes([body[0], body[1]])
    }
}

#[tokio::test]
async fn acknowledgements_come_after_the_commit_in_the_order_received() {
    let rig = Rig::start(|_| ()).await;
    let mut broker = rig.subscribed().await;
    rig.is_full.store(true, Ordering::SeqCst);
    for id in [7, 3, 65_535, 1] {
        broker.publish(0x32, id, b"x").await;
    }
    broker.publish(0x30, 0, b"x").await;
    // Nothing but the answer to what was asked last can come before the commit: there is none to ask
    // for, so the commit is what everything waits for.
    rig.is_full.store(false, Ordering::SeqCst);
    for id in [7, 3, 65_535, 1] {
        assert_eq!(broker.acknowledged().await, id);
        assert!(!rig.written.lock().unwrap().is_empty());
    }
    rig.written(5).await;
}

#[tokio::test]
async fn what_was_not_acknowledged_before_a_reconnect_never_is_after_it() {
    let rig = Rig::start(|_| ()).await;
    let mut broker = rig.subscribed().await;
    rig.is_full.store(true, Ordering::SeqCst);
    broker.publish(0x32, 9, b"old").await;
    drop(broker);
    // The same id, another message; the old one is committed meanwhile.
    let mut broker = rig.let_in(true).await;
    rig.is_full.store(false, Ordering::SeqCst);
    rig.written(1).await;
    broker.publish(0x32, 8, b"new").await;
    assert_eq!(broker.acknowledged().await, 8);
}

#[tokio::test]
async fn a_broker_that_kept_no_session_is_subscribed_to_again_and_one_that_did_is_not() {
    let mut rig = Rig::start(|_| ()).await;
    // After a start even where there is a session: the settings may have changed.
    let mut broker = rig.let_in(true).await;
    let (first, subscribe) = broker.read().await;
    assert_eq!(first, 0x82);
    broker.write(&[0x90, 3, subscribe[0], subscribe[1], 1]).await;
    rig.is(|state| matches!(state, LinkState::Up { .. })).await;
    drop(broker);
    let mut broker = rig.let_in(true).await;
    broker.publish(0x32, 1, b"x").await;
    assert_eq!(broker.acknowledged().await, 1, "no second subscription came first");
    drop(broker);
    rig.subscribed().await;
}

#[tokio::test]
async fn a_slow_answer_to_connect_is_waited_for() {
    let mut rig = Rig::start(|_| ()).await;
    let (mut broker, _) = rig.connection().await;
    // Longer than rumqttc waits by itself.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(20)).await;
    tokio::time::resume();
    broker.write(&[0x20, 2, 0, 0]).await;
    let (first, subscribe) = broker.read().await;
    assert_eq!(first, 0x82, "the same connection goes on");
    broker.write(&[0x90, 3, subscribe[0], subscribe[1], 1]).await;
    rig.is(|state| matches!(state, LinkState::Up { .. })).await;
}

#[tokio::test]
async fn a_refused_subscription_or_password_is_said_and_tried_again() {
    let mut rig = Rig::start(|_| ()).await;
    let mut broker = rig.let_in(false).await;
    let (_, subscribe) = broker.read().await;
    broker.write(&[0x90, 3, subscribe[0], subscribe[1], 0x80]).await;
    let is_down = |state: &LinkState| matches!(state, LinkState::Down { .. });
    let LinkState::Down { error, .. } = rig.is(is_down).await else { unreachable!() };
    assert_eq!(error, "the broker refused the subscription to plotwise/v1/+/up");
    let (mut broker, _) = rig.connection().await;
    broker.write(&[0x20, 2, 0, 5]).await;
    rig.is(|state| {
        matches!(state, LinkState::Down { error, .. }
            if error == "the broker refuses username or password")
    })
    .await;
    let _broker = rig.subscribed().await;
    rig.is(|state| matches!(state, LinkState::Up { .. })).await;
}

#[tokio::test]
async fn a_payload_of_megabytes_is_a_dead_letter_and_acknowledged() {
    let rig = Rig::start(|_| ()).await;
    let mut broker = rig.subscribed().await;
    broker.publish(0x32, 1, &vec![b'x'; 3 << 20]).await;
    assert_eq!(broker.acknowledged().await, 1);
    let written = rig.written.lock().unwrap();
    let [Intake::DeadLetter(letter)] = written.as_slice() else { panic!("{}", written.len()) };
    assert_eq!((letter.reason, letter.payload.len()), (DeadLetterReason::TooLarge, 1024));
}

#[tokio::test]
async fn messages_of_a_session_at_qos_2_are_brought_to_their_end() {
    let rig = Rig::start(|_| ()).await;
    let mut broker = rig.subscribed().await;
    broker.publish(0x34, 5, b"x").await;
    assert_eq!(broker.read().await, (0x50, vec![0, 5]));
    broker.write(&[0x62, 2, 0, 5]).await;
    assert_eq!(broker.read().await, (0x70, vec![0, 5]));
    assert_eq!(rig.written.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_end_acknowledges_what_came_in_and_says_goodbye() {
    let rig = Rig::start(|_| ()).await;
    let mut broker = rig.subscribed().await;
    for id in 1..=500 {
        broker.publish(0x32, id, b"x").await;
    }
    assert_eq!(broker.acknowledged().await, 1);
    rig.stop.send_replace(true);
    let mut acknowledged = 1;
    loop {
        match broker.read().await {
            (0x40, _) => acknowledged += 1,
            (first, _) => {
                assert_eq!(first, 0xE0);
                break;
            }
        }
    }
    timeout(PATIENCE, rig.linking).await.unwrap().unwrap();
    assert_eq!(rig.written.lock().unwrap().len(), acknowledged);
}

#[tokio::test]
async fn a_full_disk_answers_pings_and_acknowledges_nothing() {
    let mut rig = Rig::start(|_| ()).await;
    let mut broker = rig.subscribed().await;
    rig.is(|state| matches!(state, LinkState::Up { .. })).await;
    rig.is_full.store(true, Ordering::SeqCst);
    broker.publish(0x32, 1, b"x").await;
    // With nothing else to do time runs to the next thing that is due: a ping.
    tokio::time::pause();
    assert_eq!(broker.0.read_u16().await.unwrap(), 0xC000);
}
