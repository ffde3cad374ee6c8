//! Who comes in, and as whom they publish.

use super::*;

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
