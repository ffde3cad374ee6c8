//! The few MQTT 3.1.1 packets that a publisher needs, as bytes.
//!
//! A load of several hundred thousand messages a second must not be held up by the one who makes it.
//! A message is written once, into the buffer in which it waits for its acknowledgement; sending it,
//! and sending it again, is copying that. A general client makes several objects of each.
//!
//! # Source
//!
//! MQTT 3.1.1 (OASIS, 2014), chapters 2 and 3.

/// PINGREQ (3.12).
pub(super) const PING: [u8; 2] = [0xC0, 0];

/// DISCONNECT (3.14).
pub(super) const DISCONNECT: [u8; 2] = [0xE0, 0];

/// PUBLISH at `QoS` 1 (3.3.1).
const PUBLISH: u8 = 0x32;

/// Tells in the first byte that it was sent before (3.3.1.1).
const AGAIN: u8 = 0x08;

/// The longest packet that makes sense to a publisher; it only receives small ones.
const RECEIVED_MAX: usize = 64;

/// What the other side says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// CONNACK with its return code (3.2.2.3).
    Connected(u8),
    /// PUBACK of this packet id.
    Acknowledged(u16),
    /// Something that a publisher need not care for.
    Other,
}

/// What no MQTT server says to a publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the other side does not speak MQTT 3.1.1: a packet begins with {0:#04x}")]
pub(super) struct Strange(u8);

/// CONNECT with a clean session.
pub(super) fn connect(
    client_id: &str,
    credentials: Option<(&str, &str)>,
    keep_alive_s: u16,
) -> Vec<u8> {
    let mut body = Vec::new();
    push_text(&mut body, "MQTT");
    let flags = if credentials.is_some() { 0b1100_0010 } else { 0b0000_0010 };
    body.extend([4, flags]);
    body.extend(keep_alive_s.to_be_bytes());
    push_text(&mut body, client_id);
    if let Some((name, password)) = credentials {
        push_text(&mut body, name);
        push_text(&mut body, password);
    }
    let mut packet = vec![0x10];
    push_length(&mut packet, body.len());
    packet.extend(body);
    packet
}

/// Replaces `packet` by a PUBLISH at `QoS` 1.
pub(super) fn publish(packet: &mut Vec<u8>, topic: &str, id: u16, payload: &[u8]) {
    packet.clear();
    packet.push(PUBLISH);
    push_length(packet, 2 + topic.len() + 2 + payload.len());
    push_text(packet, topic);
    packet.extend(id.to_be_bytes());
    packet.extend_from_slice(payload);
}

/// Marks a PUBLISH as sent before.
pub(super) fn mark_sent_before(packet: &mut [u8]) {
    packet[0] |= AGAIN;
}

/// Topic and payload of a PUBLISH that [`publish`] made.
pub(super) fn content(packet: &[u8]) -> (&[u8], &[u8]) {
    let header = packet.iter().skip(1).take_while(|byte| **byte & 0x80 != 0).count() + 2;
    let length = usize::from(u16::from_be_bytes([packet[header], packet[header + 1]]));
    let (topic, rest) = packet[header + 2..].split_at(length);
    (topic, &rest[2..])
}

/// Takes the next answer off the front of `input`; `None` where it has not come as a whole.
pub(super) fn next(input: &mut &[u8]) -> Result<Option<Answer>, Strange> {
    let [first, length, rest @ ..] = *input else { return Ok(None) };
    let length = usize::from(*length);
    if length > RECEIVED_MAX {
        return Err(Strange(*first));
    }
    let Some((body, rest)) = rest.split_at_checked(length) else { return Ok(None) };
    let answer = match (first, body) {
        (0x20, [_, code]) => Answer::Connected(*code),
        (0x40, [high, low]) => Answer::Acknowledged(u16::from_be_bytes([*high, *low])),
        (0xD0, []) => Answer::Other,
        _ => return Err(Strange(*first)),
    };
    *input = rest;
    Ok(Some(answer))
}

/// Two bytes of length and the text (1.5.3); ours are far shorter than the length can say.
fn push_text(bytes: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    bytes.extend(length.to_be_bytes());
    bytes.extend_from_slice(&text.as_bytes()[..usize::from(length)]);
}

/// Remaining length (2.2.3).
fn push_length(bytes: &mut Vec<u8>, mut length: usize) {
    loop {
        let low = (length & 0x7F).to_le_bytes()[0];
        length >>= 7;
        bytes.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn topic_and_payload_come_back(topic in "[a-z/]{1,60}", id in 1_u16.., payload in proptest::collection::vec(any::<u8>(), 0..20_000)) {
            let mut packet = vec![1, 2, 3];
            publish(&mut packet, &topic, id, &payload);
            prop_assert_eq!(content(&packet), (topic.as_bytes(), &payload[..]));
            mark_sent_before(&mut packet);
            prop_assert_eq!(packet[0], 0x3A);
            prop_assert_eq!(content(&packet), (topic.as_bytes(), &payload[..]));
        }

        #[test]
        fn any_bytes_are_answers_or_strange(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut input = &bytes[..];
            while let Ok(Some(_)) = next(&mut input) {}
            prop_assert!(input.len() <= bytes.len());
        }
    }

    #[test]
    fn answers_are_told_apart_and_half_of_one_is_kept() {
        let bytes = [0x20, 2, 0, 5, 0x40, 2, 1, 2, 0xD0, 0, 0x40, 2, 7];
        let mut input = &bytes[..];
        assert_eq!(next(&mut input), Ok(Some(Answer::Connected(5))));
        assert_eq!(next(&mut input), Ok(Some(Answer::Acknowledged(0x0102))));
        assert_eq!(next(&mut input), Ok(Some(Answer::Other)));
        assert_eq!(next(&mut input), Ok(None));
        assert_eq!(input, [0x40, 2, 7]);
    }

    #[test]
    fn what_is_not_mqtt_is_named() {
        let error = next(&mut &b"HTTP/1.1 400 Bad Request"[..]).unwrap_err();
        assert!(error.to_string().ends_with("0x48"), "{error}");
    }
}
