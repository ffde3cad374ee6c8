//! Which devices there are, whose they are and what they may publish.
//!
//! A snapshot of the facts, made anew when they change; listener, link and decoders read it without
//! asking a database for every message.

use std::collections::HashMap;

use jiff::Timestamp;
use plotwise_config::{
    id::{CooperativeId, DeviceId},
    reading::DepthMm,
};

/// Every registered device and gateway.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    entries: HashMap<DeviceId, Entry>,
}

/// What is known of one device.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its owner.
    pub cooperative: CooperativeId,
    /// The profile that reads its payload.
    pub profile: String,
    /// Whether it may publish for every device of its cooperative.
    pub is_gateway: bool,
    /// SHA-256 of its token; `None` where it has none and so cannot connect.
    pub token_sha256: Option<[u8; 32]>,
    /// Its own depth from a moment on, in order of time.
    pub own_depths: Vec<(Timestamp, Option<DepthMm>)>,
}

impl Directory {
    /// A directory of these devices.
    pub fn new(entries: impl IntoIterator<Item = (DeviceId, Entry)>) -> Self {
        Self { entries: entries.into_iter().collect() }
    }

    /// What is known of the device with this name.
    pub fn entry(&self, device: &str) -> Option<&Entry> {
        self.entries.get(device)
    }

    /// The registered id equal to `device`: sharing it spares a copy of the text.
    pub fn id(&self, device: &str) -> Option<&DeviceId> {
        self.entries.get_key_value(device).map(|(id, _)| id)
    }

    /// Every device, in no order.
    pub fn entries(&self) -> impl Iterator<Item = (&DeviceId, &Entry)> {
        self.entries.iter()
    }

    /// How many devices there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nobody registered a device yet.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the holder of `publisher`'s token may publish as `device`: itself, or a device of its
    /// cooperative where it is a gateway. Unknown devices belong to nobody.
    pub fn may_publish(&self, publisher: &str, device: &str) -> bool {
        if publisher == device {
            return self.entries.contains_key(publisher);
        }
        match (self.entry(publisher), self.entry(device)) {
            (Some(gateway), Some(device)) => {
                gateway.is_gateway && gateway.cooperative == device.cooperative
            }
            _ => false,
        }
    }
}

impl Entry {
    /// The device's own depth at a moment; before its first placement, that of the first.
    pub fn own_depth_at(&self, time: Timestamp) -> Option<DepthMm> {
        let after = self.own_depths.partition_point(|(from, _)| *from <= time);
        let place = after.saturating_sub(1);
        self.own_depths.get(place).and_then(|(_, depth)| *depth)
    }
}
