//! An endpoint for a fuzzer: see [`crate::fuzzing`].

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    ListenerCounters, ListenerOptions,
    endpoint::{Context, Endpoint},
};
use crate::{decode::Decoders, directory::Directory};

/// Small, so that limits are met.
const OPTIONS: ListenerOptions = ListenerOptions {
    packet_bytes_max: 4096,
    connections_max: 10,
    messages_per_s: 0,
    in_flight_max: 16,
    connect_within_s: 10,
};

/// What a connection may keep, bytes: its limits and some room for the machine's own.
const KEPT_MAX: usize = 1 << 20;

/// A connection without a socket.
pub(crate) struct Fuzzed(Endpoint, u8);

impl Fuzzed {
    /// A new one. `version` 3 and 5 say a CONNECT as the device `node` first, others nothing.
    pub(crate) fn new(version: u8, counters: Arc<ListenerCounters>) -> Self {
        Self(Endpoint::new(OPTIONS, counters, false), version)
    }

    /// Takes what the socket gave, and what it led to.
    pub(crate) fn receive(
        &mut self,
        bytes: &[u8],
        directory: &Directory,
        decoders: &Decoders,
        received: Timestamp,
    ) {
        let context = Context { directory, decoders, received };
        let connect: &[u8] = match std::mem::take(&mut self.1) {
            3 => b"\x10\x1d\0\x04MQTT\x04\xc2\0\x3c\0\x04node\0\x04node\0\x05token",
            5 => b"\x10\x1e\0\x04MQTT\x05\xc2\0\x3c\0\0\x04node\0\x04node\0\x05token",
            _ => &[],
        };
        for input in [connect, bytes] {
            if self.0.end.is_none() {
                self.0.receive(input, &context);
            }
        }
        self.0.intakes.clear();
        let messages = std::mem::take(&mut self.0.unsubmitted);
        self.0.acknowledge(u64::from(messages));
        assert!(self.0.out.len() < KEPT_MAX, "{} bytes for one read", self.0.out.len());
        self.0.out.clear();
    }
}
