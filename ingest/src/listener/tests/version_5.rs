//! What MQTT 5 is told by code where 3.1.1 is hung up on.

use super::*;

/// CONNECT of MQTT 5 with these properties and client id; flags of a will, and what belongs to it.
fn connect_5(id: &str, keep_alive_s: u8, properties: &[u8], will: Option<(u8, &[u8])>) -> Vec<u8> {
    let (will_flags, will) = will.unwrap_or_default();
    let length = u8::try_from(properties.len()).unwrap();
    let head = [&text("MQTT")[..], &[5, 0xC2 | will_flags, 0, keep_alive_s, length], properties];
    packet(0x10, &[&head.concat()[..], &text(id), will, &text("node"), &text("secret")].concat())
}

/// PUBLISH of MQTT 5 at `QoS` 1 with these properties.
fn publish_5(topic: &str, id: u16, properties: &[u8]) -> Vec<u8> {
    let length = [u8::try_from(properties.len()).unwrap()];
    let id = id.to_be_bytes();
    packet(0x32, &[&text(topic)[..], &id[..], &length, properties, b"x"].concat())
}

/// Topic alias as a property.
fn alias(alias: u8) -> [u8; 3] {
    [0x23, 0, alias]
}

async fn open(rig: &Rig, hello: &[u8]) -> (Wire, Vec<u8>) {
    let mut wire = Wire::open(rig.address).await;
    wire.write(hello).await;
    let head = wire.read(2).await;
    assert_eq!(head[0], 0x20);
    let connack = wire.read(head[1].into()).await;
    (wire, connack)
}

async fn client(rig: &Rig) -> Wire {
    let (wire, connack) = open(rig, &connect_5("wire", 0, &[], None)).await;
    assert_eq!(connack[..2], [0, 0]);
    wire
}

/// The reason of the DISCONNECT that ends what is left.
async fn reason_of(wire: &mut Wire) -> u8 {
    let rest = wire.rest().await;
    let last = rest.iter().rposition(|byte| *byte == 0xE0).expect("a DISCONNECT");
    rest[last + 2]
}

#[tokio::test]
async fn more_in_flight_than_was_announced_ends_the_connection_with_the_code() {
    let rig = Rig::spawn(ListenerOptions { in_flight_max: 3, ..Default::default() }).await;
    rig.is_full.store(true, Ordering::SeqCst);
    let mut wire = client(&rig).await;
    for id in 1..=3 {
        wire.write(&publish_5(UP, id, &[])).await;
    }
    // A full window is no reason to be deaf.
    wire.write(&[0xC0, 0]).await;
    assert_eq!(wire.read(2).await, [0xD0, 0]);
    wire.write(&publish_5(UP, 4, &[])).await;
    rig.is_full.store(false, Ordering::SeqCst);
    assert_eq!(reason_of(&mut wire).await, 0x93);
    assert_eq!(rig.counters.over_window(), 1);
}

#[tokio::test]
async fn who_knows_no_window_is_not_read_from_while_it_is_full() {
    let rig = Rig::spawn(ListenerOptions { in_flight_max: 3, ..Default::default() }).await;
    rig.is_full.store(true, Ordering::SeqCst);
    let mut wire = rig.connect("node", "secret").await;
    for id in 1..=10 {
        wire.write(&publish(0x32, UP, id, b"x")).await;
    }
    rig.is_full.store(false, Ordering::SeqCst);
    assert_eq!(wire.read(10 * 4).await.len(), 40);
    assert!(rig.counters.over_window() > 0);
}

#[tokio::test]
async fn a_topic_alias_stands_for_its_topic() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let (mut wire, connack) = open(&rig, &connect_5("wire", 0, &[], None)).await;
    let announced = connack.windows(3).any(|property| property == [0x22, 0, 16]);
    assert!(announced, "{connack:x?}");
    wire.write(&publish_5(UP, 1, &alias(16))).await;
    wire.write(&publish_5("", 2, &alias(16))).await;
    assert_eq!(wire.read(8).await, [0x40, 2, 0, 1, 0x40, 2, 0, 2]);
    let written = rig.finish().await.1;
    for intake in written {
        let Intake::DeadLetter(letter) = intake else { panic!("not JSON") };
        assert_eq!(letter.topic, UP);
    }
}

#[tokio::test]
async fn an_alias_of_nought_above_the_limit_or_unknown_is_refused_by_code() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    // The machine does not even read an alias of nought: a protocol error (3.3.2.3.4).
    for (refused, code) in [
        (publish_5(UP, 1, &alias(0)), 0x82),
        (publish_5(UP, 1, &alias(17)), 0x94),
        (publish_5("", 1, &alias(3)), 0x94),
        (publish_5("", 1, &[]), 0x94),
    ] {
        let mut wire = client(&rig).await;
        wire.write(&refused).await;
        assert_eq!(reason_of(&mut wire).await, code, "{refused:x?}");
    }
    assert_eq!(rig.counters.wrong_alias(), 3);
    let mut wire = client(&rig).await;
    wire.write(&publish_5(&"long/".repeat(300), 1, &alias(1))).await;
    assert_eq!(reason_of(&mut wire).await, 0x97);
    assert!(rig.last_reasons().await.is_empty());
}

#[tokio::test]
async fn silence_and_a_newer_connection_are_told_by_code() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let (mut silent, _) = open(&rig, &connect_5("silent", 1, &[], None)).await;
    assert_eq!(reason_of(&mut silent).await, 0x8D);
    assert_eq!(rig.counters.timed_out(), 1);
    let mut older = client(&rig).await;
    let _newer = client(&rig).await;
    assert_eq!(reason_of(&mut older).await, 0x8E);
    assert_eq!(rig.counters.taken_over(), 1);
}

#[tokio::test]
async fn a_subscription_is_refused_by_code_and_the_connection_goes_on() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let mut wire = client(&rig).await;
    wire.write(&packet(0x82, &[&[0, 9, 0][..], &text("a/#"), &[1]].concat())).await;
    assert_eq!(wire.read(6).await, [0x90, 4, 0, 9, 0, 0x87]);
    wire.write(&[0xC0, 0]).await;
    assert_eq!(wire.read(2).await, [0xD0, 0]);
    assert_eq!(rig.counters.subscriptions(), 1);
}

#[tokio::test]
async fn a_session_to_keep_is_answered_with_none_and_a_missing_client_id_with_one() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let expiry = [0x11, 0, 0, 0x0E, 0x10];
    let (_wire, connack) = open(&rig, &connect_5("", 0, &expiry, None)).await;
    assert_eq!(connack[..2], [0, 0], "accepted, without a session");
    assert!(connack.windows(5).any(|property| property == [0x11, 0, 0, 0, 0]), "{connack:x?}");
    let assigned = [&[0x12][..], &text("plotwise-node")].concat();
    assert!(connack.windows(assigned.len()).any(|property| property == assigned), "{connack:x?}");
}

#[tokio::test]
async fn a_will_is_taken_and_never_published_and_one_at_qos_2_is_refused() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let will = [&[0][..], &text(UP), &text("gone")].concat();
    // QoS 1 and retained; then QoS 2.
    let (wire, connack) = open(&rig, &connect_5("w", 0, &[], Some((0x2C, &will)))).await;
    assert_eq!(connack[1], 0);
    drop(wire);
    let (_wire, connack) = open(&rig, &connect_5("w", 0, &[], Some((0x14, &will)))).await;
    assert_eq!(connack[1], 0x9B);
    let mut older = Wire::open(rig.address).await;
    let head = [&text("MQTT")[..], &[4, 0xEE, 0, 0]].concat();
    let fields = [text("w"), text(UP), text("gone"), text("node"), text("secret")].concat();
    older.write(&packet(0x10, &[head, fields].concat())).await;
    assert_eq!(older.read(4).await, [0x20, 2, 0, 0]);
    drop(older);
    assert!(rig.last_reasons().await.is_empty());
}

#[tokio::test]
async fn a_retained_message_is_taken_like_any_other() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let mut wire = rig.connect("node", "secret").await;
    wire.write(&publish(0x33, UP, 1, b"x")).await;
    assert_eq!(wire.read(4).await, [0x40, 2, 0, 1]);
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_by_code() {
    let rig = Rig::spawn(ListenerOptions { connections_max: 1, ..Default::default() }).await;
    let _first = client(&rig).await;
    let (_wire, connack) = open(&rig, &connect_5("second", 0, &[], None)).await;
    assert_eq!(connack[1], 0x97);
    assert!(rig.counters.over_connections() > 0);
}

#[tokio::test]
async fn what_breaks_the_protocol_is_told_so() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    // A PINGRESP, which servers send; a length of more than four bytes; UTF-8 that is none.
    let not_utf8 = packet(0x32, &[0, 2, 0xC3, 0x28, 0, 1, 0, b'x']);
    for broken in [&[0xD0, 0][..], &[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], &not_utf8] {
        let mut wire = client(&rig).await;
        wire.write(broken).await;
        let reason = reason_of(&mut wire).await;
        assert!((0x80..=0x82).contains(&reason), "{broken:x?} was answered with {reason:x}");
    }
    assert_eq!(rig.counters.protocol_errors(), 3);
}
