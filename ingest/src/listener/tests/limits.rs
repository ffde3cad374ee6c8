//! Limits of size, time and number.

use super::*;

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
async fn the_rate_of_a_device_is_that_of_all_its_connections() {
    let rig = Rig::spawn(ListenerOptions { messages_per_s: 20, ..Default::default() }).await;
    let started = std::time::Instant::now();
    let mut wires = Vec::new();
    for client in ["a", "b", "c"] {
        let mut wire = Wire::open(rig.address).await;
        let head = [&text("MQTT")[..], &[4, 0xC2, 0, 0]].concat();
        let fields = [text(client), text("node"), text("secret")].concat();
        wire.write(&packet(0x10, &[head, fields].concat())).await;
        wire.read(4).await;
        wires.push(wire);
    }
    // Fifteen each would be within the limit of one connection; of 45, 25 are too many.
    for wire in &mut wires {
        for id in 1..=15 {
            wire.write(&publish(0x32, UP, id, b"x")).await;
        }
        wire.read(15 * 4).await;
    }
    for wire in &mut wires {
        wire.write(&publish(0x32, UP, 16, b"x")).await;
        wire.read(4).await;
    }
    assert!(started.elapsed() >= Duration::from_millis(800), "{:?}", started.elapsed());
}

#[tokio::test]
async fn guesses_on_many_connections_do_not_take_all_seats() {
    let rig = Rig::spawn(ListenerOptions { connections_max: 300, ..Default::default() }).await;
    let mut guesses = Vec::new();
    while rig.counters.unanswered() == 0 {
        let mut wire = Wire::open(rig.address).await;
        wire.write(&connect("node", "guess", 0)).await;
        guesses.push(wire);
        assert!(guesses.len() < 2000);
    }
    rig.connect("node", "secret").await;
}

#[tokio::test]
async fn a_stranger_may_not_send_as_much_as_a_client() {
    let rig = Rig::spawn(ListenerOptions::default()).await;
    let mut wire = Wire::open(rig.address).await;
    // The header of a CONNECT of 60,000 bytes, and none of them.
    wire.write(&[0x10, 0xE0, 0xD4, 0x03]).await;
    wire.write(b"x").await;
    wire.closed().await;
    assert_eq!(rig.counters.too_large(), 1);
}
