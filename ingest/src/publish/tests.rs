//! Against a listener in this process.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use plotwise_config::{
    id::{CooperativeId, DeviceId},
    settings::Secret,
};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::{Messages, Outgoing, PublishError, PublishOptions, Receipt, Sender, publish};
use crate::{
    clock::Clock,
    credential,
    decode::Decoders,
    directory::{Directory, Entry},
    intake::Intake,
    listener::{Listener, ListenerOptions},
    pipeline::{Pipeline, PipelineOptions, Running, Written},
    surroundings::Surroundings,
};

/// A listener that writes payloads into memory.
struct Rig {
    address: SocketAddr,
    written: Arc<Mutex<Vec<Vec<u8>>>>,
    _stop: watch::Sender<bool>,
    _directory: watch::Sender<Arc<Directory>>,
    _running: Running,
}

async fn rig() -> Rig {
    let written = Arc::new(Mutex::new(Vec::new()));
    let memory = Arc::clone(&written);
    let commit = move |batch: &[Intake]| {
        let payloads = batch.iter().map(|intake| match intake {
            Intake::DeadLetter(letter) => letter.payload.clone(),
            Intake::Observation(_) | Intake::Raw(_) => Vec::new(),
        });
        memory.lock().unwrap().extend(payloads);
        Ok::<_, std::io::Error>(Written::default())
    };
    let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
    let (pipeline, running) = Pipeline::start(commit, PipelineOptions::default(), clock).unwrap();
    let gate = Entry {
        cooperative: CooperativeId::parse("a").unwrap(),
        profile: "native".to_owned(),
        is_gateway: true,
        token_sha256: Some(credential::hash(b"keys")),
        own_depths: Vec::new(),
    };
    let gate = (DeviceId::parse("gate").unwrap(), gate);
    let (directory, receiver) = watch::channel(Arc::new(Directory::new([gate])));
    let (stop, shutdown) = watch::channel(false);
    let options = ListenerOptions::default();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), options).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(listener.run(Surroundings {
        pipeline,
        directory: receiver,
        decoders: Arc::new(Decoders::of_quantities(&[])),
        clock,
        shutdown,
    }));
    Rig { address, written, _stop: stop, _directory: directory, _running: running }
}

fn messages(id: usize, messages: usize) -> impl Iterator<Item = Outgoing> + Send {
    (0..messages).map(move |n| Outgoing {
        topic: "plotwise/v1/gate/up".to_owned(),
        payload: format!("{id}/{n}").into_bytes(),
        due: Duration::ZERO,
    })
}

fn sender(id: usize, count: usize) -> Sender {
    sender_of(id, messages(id, count))
}

fn sender_of(id: usize, messages: impl Messages + 'static) -> Sender {
    Sender {
        client_id: format!("sender-{id}"),
        credentials: Some(("gate".to_owned(), Secret::new("keys"))),
        messages: Box::new(messages),
    }
}

fn options(address: SocketAddr) -> PublishOptions {
    PublishOptions {
        host: address.ip().to_string(),
        port: address.port(),
        window: 50,
        connections: 2,
        patience: Duration::from_secs(10),
        hold: Duration::ZERO,
        receipt: None,
    }
}

fn never() -> watch::Receiver<bool> {
    // Leaked on purpose: a receiver without a sender means stop.
    Box::leak(Box::new(watch::Sender::new(false))).subscribe()
}

fn wanted(senders: usize, messages: usize) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = (0..senders)
        .flat_map(|id| (0..messages).map(move |n| format!("{id}/{n}").into_bytes()))
        .collect();
    all.sort_unstable();
    all
}

#[tokio::test]
async fn everything_is_sent_and_acknowledged() {
    let rig = rig().await;
    let senders = (0..4).map(|id| sender(id, 500));
    let report = publish(&options(rig.address), senders, never()).await.unwrap();
    assert_eq!((report.sent, report.acknowledged), (2000, 2000));
    assert!(report.per_second > 0.0 && report.p99_ms >= report.p50_ms);
    let mut written = rig.written.lock().unwrap().clone();
    written.sort_unstable();
    assert_eq!(written, wanted(4, 500));
}

/// Passes bytes on and cuts the connection after so many of them, the first few times.
async fn cutting_proxy(target: SocketAddr) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        for cut_after in [600, 1_000, 3_000, usize::MAX] {
            let (mut near, _) = socket.accept().await.unwrap();
            let mut far = TcpStream::connect(target).await.unwrap();
            let is_cut = AtomicBool::new(false);
            let (mut read_near, mut write_near) = near.split();
            let (read_far, mut write_far) = far.split();
            let up = async {
                let mut some = (&mut read_near).take(cut_after as u64);
                tokio::io::copy(&mut some, &mut write_far).await.ok();
                is_cut.store(true, Ordering::SeqCst);
            };
            let down = async {
                let mut read_far = read_far;
                tokio::io::copy(&mut read_far, &mut write_near).await.ok();
            };
            tokio::select! { () = up => {}, () = down => {} }
        }
    });
    address
}

#[tokio::test]
async fn what_was_not_acknowledged_is_sent_again_after_a_cut() {
    let rig = rig().await;
    let proxy = cutting_proxy(rig.address).await;
    let report = publish(&options(proxy), [sender(0, 500)], never()).await.unwrap();
    assert_eq!((report.sent, report.acknowledged), (500, 500));
    let mut written = rig.written.lock().unwrap().clone();
    written.sort_unstable();
    written.dedup();
    assert_eq!(written, wanted(1, 500));
}

#[tokio::test]
async fn wrong_credentials_end_it_at_once() {
    let rig = rig().await;
    let mut wrong = sender(0, 1);
    wrong.credentials = Some(("gate".to_owned(), Secret::new("guess")));
    let error = publish(&options(rig.address), [wrong], never()).await.unwrap_err();
    assert!(matches!(error, PublishError::NotAuthorized { .. }), "{error}");
}

#[tokio::test]
async fn nobody_there_is_an_error_after_a_while() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let options = PublishOptions { patience: Duration::from_millis(300), ..options(closed) };
    let error = publish(&options, [sender(0, 1)], never()).await.unwrap_err();
    assert!(matches!(error, PublishError::NoProgress { .. }), "{error}");
}

#[tokio::test]
async fn patience_counts_from_when_a_message_was_due() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let options = PublishOptions { patience: Duration::from_millis(100), ..options(closed) };
    let due = Duration::from_millis(600);
    let late = sender_of(0, messages(0, 1).map(move |message| Outgoing { due, ..message }));
    let started = std::time::Instant::now();
    let error = publish(&options, [late], never()).await.unwrap_err();
    assert!(matches!(error, PublishError::NoProgress { .. }), "{error}");
    assert!(started.elapsed() >= Duration::from_millis(700), "{:?}", started.elapsed());
}

#[tokio::test]
async fn messages_wait_until_they_are_due() {
    let rig = rig().await;
    let late = messages(0, 3)
        .zip(0_u32..)
        .map(|(message, n)| Outgoing { due: Duration::from_millis(100) * n, ..message });
    let late = sender_of(0, late);
    let report = publish(&options(rig.address), [late], never()).await.unwrap();
    assert_eq!(report.acknowledged, 3);
    assert!(report.seconds >= 0.2, "{report:?}");
}

#[tokio::test]
async fn every_acknowledged_message_is_told_of_once() {
    let rig = rig().await;
    let proxy = cutting_proxy(rig.address).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&told);
    let receipt = Receipt::new(move |topic, payload| {
        assert_eq!(topic, b"plotwise/v1/gate/up");
        telling.lock().unwrap().push(payload.to_vec());
    });
    let options = PublishOptions { receipt: Some(receipt), ..options(proxy) };
    publish(&options, [sender(0, 500)], never()).await.unwrap();
    let mut told = told.lock().unwrap().clone();
    told.sort_unstable();
    assert_eq!(told, wanted(1, 500));
}

#[tokio::test]
async fn a_connection_that_is_held_does_not_count_as_time_to_acknowledgement() {
    let rig = rig().await;
    let hold = Duration::from_millis(700);
    let started = std::time::Instant::now();
    let options = PublishOptions { hold, ..options(rig.address) };
    let report = publish(&options, [sender(0, 5)], never()).await.unwrap();
    assert_eq!(report.acknowledged, 5);
    assert!(started.elapsed() >= hold && report.seconds < started.elapsed().as_secs_f64());
}
