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

use crate::credential;

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

    /// Whose token it is, where that may speak for `device`: its own, or that of a gateway of its
    /// cooperative. For a device that nobody registered, any gateway.
    pub fn speaker(&self, token: &[u8], device: &str) -> Option<&DeviceId> {
        let hash = credential::hash(token);
        let holds = |entry: &Entry| credential::is_same(&hash, entry.token_sha256.as_ref());
        let known = self.entries.get_key_value(device);
        if let Some((id, _)) = known.filter(|(_, entry)| holds(entry)) {
            return Some(id);
        }
        let is_of_its_own = |gateway: &Entry| {
            known.is_none_or(|(_, entry)| entry.cooperative == gateway.cooperative)
        };
        let mut gateways = self.entries.iter().filter(|(_, entry)| entry.is_gateway);
        gateways.find(|(_, entry)| is_of_its_own(entry) && holds(entry)).map(|(id, _)| id)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_speaks_for_its_device_and_a_gateways_for_its_cooperative() {
        let entry = |cooperative: &str, is_gateway, token: &str| Entry {
            cooperative: CooperativeId::parse(cooperative).unwrap(),
            profile: "native".to_owned(),
            is_gateway,
            token_sha256: Some(credential::hash(token.as_bytes())),
            own_depths: Vec::new(),
        };
        let tokenless = Entry { token_sha256: None, ..entry("a", false, "") };
        let directory = Directory::new(
            [
                ("node", entry("a", false, "of node")),
                ("mute", tokenless),
                ("gate", entry("a", true, "of gate")),
                ("far", entry("b", true, "of far")),
            ]
            .map(|(id, entry)| (DeviceId::parse(id).unwrap(), entry)),
        );
        for (token, device, wanted) in [
            ("of node", "node", Some("node")),
            ("of gate", "node", Some("gate")),
            ("of gate", "mute", Some("gate")),
            ("of gate", "nobody", Some("gate")),
            ("of far", "node", None),
            ("of node", "mute", None),
            ("of node", "nobody", None),
            ("guessed", "node", None),
            ("", "mute", None),
        ] {
            let found = directory.speaker(token.as_bytes(), device).map(DeviceId::as_str);
            assert_eq!(found, wanted, "{token} for {device}");
        }
    }
}
