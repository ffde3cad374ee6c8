use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc as std_mpsc,
    },
    task::{Context, Waker},
    time::Duration,
};

use jiff::Timestamp;
use plotwise_config::{
    id::DeviceId,
    reading::{Identity, Observation},
};

use super::{Outcome, Pipeline, PipelineOptions, PipelineState, Receipts, Remark, Written};
use crate::{
    clock::Clock,
    intake::{DeadLetter, DeadLetterReason, Intake},
    live::Heard,
};

const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
#[error("no room on the disk")]
struct Full;

fn letter(topic: &str) -> Intake {
    Intake::DeadLetter(DeadLetter {
        reason: DeadLetterReason::NotJson,
        device: None,
        sender: None,
        topic: topic.to_owned(),
        received: Timestamp::UNIX_EPOCH,
        payload: vec![0; 100],
        detail: String::new(),
    })
}

fn options() -> PipelineOptions {
    PipelineOptions { retry_min: Duration::from_millis(1), ..PipelineOptions::default() }
}

fn clock() -> Clock {
    Clock::fixed(Timestamp::UNIX_EPOCH)
}

async fn until(receipts: &Receipts, count: u64) {
    while receipts.done() < count {
        receipts.changed().await;
    }
}

#[tokio::test]
async fn a_message_is_acknowledged_after_its_commit() {
    let written = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&written);
    let commit = move |batch: &[Intake]| {
        seen.lock().unwrap().extend_from_slice(batch);
        Ok::<_, Full>(Written::default())
    };
    let (pipeline, running) = Pipeline::start(commit, options(), clock()).unwrap();
    let receipts = Receipts::default();
    for count in 1..=3 {
        let receipt = Some((receipts.clone(), 1));
        pipeline.clone().submit(vec![letter("a")], receipt).await.unwrap();
        until(&receipts, count).await;
        assert_eq!(written.lock().unwrap().len() as u64, count);
    }
    assert!(running.finish(PATIENCE).await);
    assert_eq!(pipeline.counters().dead_letters(DeadLetterReason::NotJson), 3);
}

#[tokio::test]
async fn what_gathers_while_a_commit_runs_is_one_batch() {
    let (go, gate) = std_mpsc::channel::<()>();
    let (tell, sizes) = std_mpsc::channel();
    let commit = move |batch: &[Intake]| {
        gate.recv().unwrap();
        tell.send(batch.len()).unwrap();
        Ok::<_, Full>(Written::default())
    };
    let (pipeline, running) = Pipeline::start(commit, options(), clock()).unwrap();
    let receipts = Receipts::default();
    for _ in 0..10 {
        let receipt = Some((receipts.clone(), 1));
        pipeline.clone().submit(vec![letter("a")], receipt).await.unwrap();
    }
    for _ in 0..10 {
        go.send(()).unwrap();
    }
    until(&receipts, 10).await;
    let sizes: Vec<usize> = sizes.try_iter().collect();
    assert!(sizes.len() <= 2, "{sizes:?}");
    assert_eq!(sizes.iter().sum::<usize>(), 10);
    drop(go);
    assert!(running.finish(PATIENCE).await);
}

#[tokio::test]
async fn a_full_disk_holds_everything_and_loses_nothing() {
    let is_full = Arc::new(AtomicBool::new(true));
    let full = Arc::clone(&is_full);
    let commit = move |_: &[Intake]| {
        if full.load(Ordering::SeqCst) { Err(Full) } else { Ok(Written::default()) }
    };
    let options = PipelineOptions { room_bytes: 4096, ..options() };
    let (pipeline, running) = Pipeline::start(commit, options, clock()).unwrap();
    let receipts = Receipts::default();
    let mut handed_in = 0;
    while let Ok(result) = tokio::time::timeout(
        Duration::from_millis(50),
        pipeline.clone().submit(vec![letter("a")], Some((receipts.clone(), 1))),
    )
    .await
    {
        result.unwrap();
        handed_in += 1;
    }
    assert!((1..20).contains(&handed_in), "{handed_in} in a room of 4 KiB");
    assert_eq!(receipts.done(), 0);
    let mut state = pipeline.state();
    let stalled = state.wait_for(|state| *state != PipelineState::Running).await.unwrap().clone();
    let reason = "no room on the disk".to_owned();
    assert_eq!(stalled, PipelineState::Stalled { since: Timestamp::UNIX_EPOCH, reason });

    is_full.store(false, Ordering::SeqCst);
    until(&receipts, handed_in).await;
    state.wait_for(|state| *state == PipelineState::Running).await.unwrap();
    assert!(running.finish(PATIENCE).await);
}

#[tokio::test]
async fn a_store_that_takes_nothing_does_not_hold_up_the_end() {
    let commit = |_: &[Intake]| Err::<Written, _>(Full);
    let (pipeline, running) = Pipeline::start(commit, options(), clock()).unwrap();
    let receipts = Receipts::default();
    pipeline.clone().submit(vec![letter("a")], Some((receipts.clone(), 1))).await.unwrap();
    assert!(!running.finish(Duration::from_millis(50)).await);
    assert_eq!(receipts.done(), 0);
    let mut state = pipeline.state();
    state.wait_for(|state| *state == PipelineState::Stopped).await.unwrap();
    assert!(pipeline.submit(vec![letter("b")], None).await.is_err());
}

#[tokio::test]
async fn a_writer_that_panics_is_seen() {
    let commit = |_: &[Intake]| -> Result<Written, Full> { panic!("as a test") };
    let (pipeline, _running) = Pipeline::start(commit, options(), clock()).unwrap();
    pipeline.clone().submit(vec![letter("a")], None).await.unwrap();
    let mut state = pipeline.state();
    state.wait_for(|state| *state == PipelineState::Stopped).await.unwrap();
}

/// A submission that is handed in and waits.
fn handed_in<F: Future>(store: F) -> Pin<Box<F>> {
    let mut store = Box::pin(store);
    assert!(store.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    store
}

#[tokio::test]
async fn each_sender_of_a_batch_is_told_of_its_own_observations() {
    let (go, gate) = std_mpsc::channel::<()>();
    let (tell, begun) = std_mpsc::channel();
    let commit = move |batch: &[Intake]| {
        tell.send(batch.len()).unwrap();
        gate.recv().unwrap();
        // In no order: every second one was there already, and the first contradicts.
        let repeated = (1..batch.len()).step_by(2).map(|place| (place, Remark::Duplicate)).rev();
        let remarks = repeated.chain([(0, Remark::Conflict)]).collect();
        Ok::<_, Full>(Written { remarks, ..Written::default() })
    };
    let (pipeline, running) = Pipeline::start(commit, options(), clock()).unwrap();
    let store = |count| handed_in(pipeline.clone().store(vec![letter("a"); count]));
    let alone = store(1);
    assert_eq!(begun.recv(), Ok(1));
    let together = [store(1), store(2), store(3)];
    go.send(()).unwrap();
    assert_eq!(alone.await, Ok(Outcome { duplicates: 0, dead_letters: 1 }));
    assert_eq!(begun.recv(), Ok(6));
    go.send(()).unwrap();
    for (one, (duplicates, dead_letters)) in together.into_iter().zip([(0, 1), (1, 0), (2, 0)]) {
        assert_eq!(one.await, Ok(Outcome { duplicates, dead_letters }));
    }
    drop(go);
    assert!(running.finish(PATIENCE).await);
}

#[tokio::test]
async fn only_what_is_on_disk_is_announced() {
    let is_full = Arc::new(AtomicBool::new(true));
    let full = Arc::clone(&is_full);
    let commit = move |_: &[Intake]| {
        if full.load(Ordering::SeqCst) { Err(Full) } else { Ok(Written::default()) }
    };
    let (pipeline, running) = Pipeline::start(commit, options(), clock()).unwrap();
    let mut listening = pipeline.live().listen().unwrap();
    let observation = Observation {
        device: DeviceId::parse("n-07").unwrap(),
        measured: Timestamp::UNIX_EPOCH,
        received: Timestamp::UNIX_EPOCH,
        claimed: None,
        identity: Identity::MeasuredTime,
        seq: None,
        supersede: false,
        readings: Vec::new(),
    };
    let mut waiting = handed_in(pipeline.clone().store(vec![Intake::Observation(observation)]));
    let mut state = pipeline.state();
    state.wait_for(|state| *state != PipelineState::Running).await.unwrap();
    let mut heard = handed_in(listening.next());
    is_full.store(false, Ordering::SeqCst);
    waiting.as_mut().await.unwrap();
    assert!(matches!(heard.as_mut().await, Some(Heard::Observation(_))));
    assert!(running.finish(PATIENCE).await);
}
