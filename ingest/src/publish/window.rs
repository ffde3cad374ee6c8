//! What was sent and is not acknowledged yet, each message as the packet that it is sent as.
//!
//! Messages stand in the order in which they were sent; the n-th has the packet id `n % 65535 + 1`, so
//! an acknowledgement finds its message without a table. The room of acknowledged messages is used again.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::{Outgoing, packet};

/// Packet ids go from 1 to here.
const IDS: u64 = u16::MAX as u64;

/// One message.
struct Waiting {
    packet: Vec<u8>,
    /// When it was first sent.
    since: Instant,
    is_acknowledged: bool,
}

/// A window of messages; never longer than `most`, at most 65535.
pub(super) struct Window {
    messages: VecDeque<Waiting>,
    most: usize,
    /// How many have left it at the front.
    gone: u64,
    spare: Vec<Vec<u8>>,
}

impl Window {
    pub(super) fn new(most: u16) -> Self {
        let most = usize::from(most.max(1));
        Self { messages: VecDeque::new(), most, gone: 0, spare: Vec::new() }
    }

    pub(super) fn is_full(&self) -> bool {
        self.messages.len() >= self.most
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// When the one that waits longest was first sent.
    pub(super) fn oldest(&self) -> Option<Instant> {
        // The front is never acknowledged: then it would have left.
        self.messages.front().map(|waiting| waiting.since)
    }

    /// Takes a message in and appends it to `out`.
    pub(super) fn send(&mut self, message: &Outgoing, now: Instant, out: &mut Vec<u8>) {
        let number = self.gone + self.messages.len() as u64;
        let id = u16::try_from(number % IDS).unwrap_or(0) + 1;
        let mut packet = self.spare.pop().unwrap_or_default();
        packet::publish(&mut packet, &message.topic, id, &message.payload);
        out.extend_from_slice(&packet);
        self.messages.push_back(Waiting { packet, since: now, is_acknowledged: false });
    }

    /// Appends everything that is not acknowledged to `out`, as sent before.
    pub(super) fn send_again(&mut self, out: &mut Vec<u8>) {
        for waiting in self.messages.iter_mut().filter(|waiting| !waiting.is_acknowledged) {
            packet::mark_sent_before(&mut waiting.packet);
            out.extend_from_slice(&waiting.packet);
        }
    }

    /// Notes an acknowledgement; when the message was first sent, and its packet. `None` for an id that
    /// nothing waits for.
    pub(super) fn acknowledge(&mut self, id: u16) -> Option<(Instant, &[u8])> {
        let place = (u64::from(id) + IDS - 1 - self.gone % IDS) % IDS;
        let waiting = self.messages.get_mut(usize::try_from(place).ok()?)?;
        if waiting.is_acknowledged || id == 0 {
            return None;
        }
        waiting.is_acknowledged = true;
        Some((waiting.since, &waiting.packet))
    }

    /// Lets go of what is acknowledged at the front.
    pub(super) fn advance(&mut self) {
        while self.messages.front().is_some_and(|waiting| waiting.is_acknowledged) {
            self.spare.extend(self.messages.pop_front().map(|waiting| waiting.packet));
            self.gone += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn message(nth: usize) -> Outgoing {
        Outgoing {
            topic: "t".to_owned(),
            payload: nth.to_string().into_bytes(),
            due: Duration::ZERO,
        }
    }

    /// The payloads of the packets in `out`, each shorter than 128 bytes.
    fn payloads(mut out: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        while !out.is_empty() {
            let (packet, rest) = out.split_at(2 + usize::from(out[1]));
            found.push(String::from_utf8(packet::content(packet).1.to_vec()).unwrap());
            out = rest;
        }
        found
    }

    #[test]
    fn every_acknowledgement_finds_its_message_beyond_the_last_packet_id() {
        let (mut window, mut out) = (Window::new(3), Vec::new());
        for nth in 0..140_000_usize {
            out.clear();
            window.send(&message(nth), Instant::now(), &mut out);
            if !window.is_full() {
                continue;
            }
            // The middle one first, then the front: both leave.
            for place in [nth - 1, nth - 2] {
                let id = u16::try_from(place % 65_535).unwrap() + 1;
                let (_, packet) = window.acknowledge(id).unwrap();
                assert_eq!(packet::content(packet).1, place.to_string().as_bytes());
                assert!(window.acknowledge(id).is_none(), "only once");
                window.advance();
            }
            assert_eq!(window.len(), 1);
        }
    }

    #[test]
    fn what_was_not_acknowledged_goes_out_again_in_order() {
        let (mut window, mut out) = (Window::new(10), Vec::new());
        for nth in 0..5 {
            window.send(&message(nth), Instant::now(), &mut out);
        }
        assert!(window.acknowledge(3).is_some());
        assert!(window.acknowledge(9).is_none() && window.acknowledge(0).is_none());
        window.advance();
        out.clear();
        window.send_again(&mut out);
        assert_eq!(payloads(&out), ["0", "1", "3", "4"]);
        assert_eq!(out[0], 0x3A, "marked as sent before");
    }
}
