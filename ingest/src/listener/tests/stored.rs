//! From a client's socket to the file and back: the store is real.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use jiff::Timestamp;
use plotwise_config::{catalogue::Catalogue, id::DeviceId, settings::Secret};
use tokio::sync::watch;

use super::entry;
use crate::{
    clock::Clock,
    decode::Decoders,
    directory::Directory,
    intake::{DeadLetterReason, Intake},
    listener::{Listener, ListenerOptions},
    pipeline::{Pipeline, PipelineOptions, Written},
    publish::{Outgoing, PublishOptions, Sender, publish},
    store::{Store, StoreOptions, StoredObservation},
    surroundings::Surroundings,
};

const FIRST_S: u32 = 1_767_225_600;
const MESSAGES: u32 = 300;

fn value(device: u32, n: u32) -> f64 {
    f64::from(device) / 10.0 + f64::from(n) / 7000.0
}

/// What one device has to say; every connection of it says all of it.
fn sender(device: u32, copy: u32) -> Sender {
    let messages = (0..MESSAGES).map(move |n| Outgoing {
        topic: format!("plotwise/v1/n-{device}/up"),
        payload: format!(
            r#"{{"time": {}, "readings": {{"soil_moisture": {:?}, "wetness": 1}}}}"#,
            FIRST_S + n * 600,
            value(device, n)
        )
        .into_bytes(),
        due: Duration::ZERO,
    });
    Sender {
        client_id: format!("{device}/{copy}"),
        credentials: Some((format!("n-{device}"), Secret::new("secret"))),
        messages: Box::new(messages),
    }
}

#[tokio::test]
async fn a_reading_sent_twice_is_stored_once_and_equal() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = Arc::new(Catalogue::shipped().unwrap());
    let decoders = Arc::new(Decoders::new(&catalogue));
    let options = StoreOptions { redelivery_window_s: 3600, keeps_raw: true };
    let store = Store::open(directory.path(), catalogue, options).unwrap();
    let mut writer = store.writer().unwrap();
    let commit = move |batch: &[Intake]| writer.commit(batch).map(Written::from);
    let clock = Clock::fixed(Timestamp::from_second(i64::from(FIRST_S) + 86_400 * 10).unwrap());
    let (pipeline, running) = Pipeline::start(commit, PipelineOptions::default(), clock).unwrap();
    let devices =
        (0..3).map(|n| (DeviceId::parse(&format!("n-{n}")).unwrap(), entry("a", false, "secret")));
    let (_known, directory) = watch::channel(Arc::new(Directory::new(devices)));
    let (stop, shutdown) = watch::channel(false);
    let address = "127.0.0.1:0".parse().unwrap();
    let listener = Listener::bind(address, ListenerOptions::default()).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(listener.run(Surroundings {
        pipeline: pipeline.clone(),
        directory,
        decoders,
        clock,
        shutdown: shutdown.clone(),
    }));
    let options = PublishOptions {
        host: "127.0.0.1".to_owned(),
        port,
        window: 50,
        connections: 6,
        patience: Duration::from_secs(20),
        hold: Duration::ZERO,
        receipt: None,
    };
    let senders = (0..2).flat_map(|copy| (0..3).map(move |device| sender(device, copy)));
    let report = publish(&options, senders, shutdown).await.unwrap();
    let all = u64::from(MESSAGES) * 3;
    assert_eq!(report.acknowledged, all * 2);
    stop.send_replace(true);
    serving.await.unwrap();
    assert!(running.finish(Duration::from_secs(10)).await);

    let counters = pipeline.counters();
    assert_eq!((counters.accepted(), counters.stored(), counters.duplicate()), (all * 2, all, all));
    assert_eq!(counters.dead_letters(DeadLetterReason::UnknownQuantity), all * 2);
    let mut found = Vec::new();
    let each = |one: &StoredObservation| {
        found.push((one.device.clone(), one.measured.as_second(), one.readings[0].value.to_bits()));
        ControlFlow::Continue(())
    };
    store.reader().unwrap().all_observations(None, None, each).unwrap();
    let wanted: Vec<_> = (0..3)
        .flat_map(|device| (0..MESSAGES).map(move |n| (device, n)))
        .map(|(device, n)| {
            let id = DeviceId::parse(&format!("n-{device}")).unwrap();
            (id, i64::from(FIRST_S + n * 600), value(device, n).to_bits())
        })
        .collect();
    assert_eq!(found, wanted);
}
