//! What the protocol forbids, and what this endpoint refuses.

use super::*;

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
async fn a_second_connect_ends_the_connection_and_changes_nobody() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let mut wire = rig.connect("node", "secret").await;
    let second = [connect("other", "mine", 0), publish(0x32, "plotwise/v1/other/up", 1, b"x")];
    wire.write(&second.concat()).await;
    wire.closed().await;
    assert!(rig.last_reasons().await.is_empty());
}

#[tokio::test]
async fn nothing_is_taken_before_a_right_connect() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let message = publish(0x30, UP, 0, b"x");
    let mut early = Wire::open(rig.address).await;
    early.write(&message).await;
    early.closed().await;
    let mut wrong = Wire::open(rig.address).await;
    wrong.write(&[connect("node", "guess", 0), message].concat()).await;
    assert_eq!(wrong.rest().await, [0x20, 2, 0, 5]);
    assert!(rig.last_reasons().await.is_empty());
}

#[tokio::test]
async fn a_malformed_publication_is_not_stored() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let not_utf8 = packet(0x32, &[0, 2, 0xC3, 0x28, 0, 1, b'x']);
    let cut_topic = packet(0x32, &[0, 200, b'a', 0, 1]);
    let nul = publish(0x32, "plotwise/v1/no\0de/up", 1, b"x");
    for bytes in [
        not_utf8,
        cut_topic,
        nul,
        publish(0x32, UP, 0, b"no packet id"),
        publish(0x36, UP, 1, b"QoS 3"),
        publish(0x32, "", 1, b"no topic"),
        publish(0x32, "plotwise/v1/+/up", 1, b"a filter"),
        publish(0x32, "plotwise/v1/node/#", 1, b"a filter"),
    ] {
        let mut wire = rig.connect("node", "secret").await;
        wire.write(&bytes).await;
        assert_eq!(wire.rest().await, b"", "{bytes:?}");
    }
    assert!(rig.last_reasons().await.is_empty());
}
