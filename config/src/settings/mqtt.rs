//! `[mqtt]`: the listener for devices and links to existing brokers.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    decoder::Decoder,
    http::address,
    secret::Secret,
    tls::{LinkTls, ListenerTls},
};
use crate::id::CooperativeId;

/// Where messages come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MqttSettings {
    /// Devices that connect to Plotwise itself.
    pub listener: ListenerSettings,
    /// Existing brokers.
    #[serde(default, rename = "link", skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkSettings>,
}

impl MqttSettings {
    /// Every file that it names, with its key.
    pub(super) fn paths(&mut self) -> impl Iterator<Item = (String, &mut PathBuf)> {
        let listener = self.listener.tls.paths();
        let listener = listener.map(|(key, path)| (format!("mqtt.listener.tls.{key}"), path));
        let links = self.links.iter_mut().enumerate().flat_map(|(place, link)| {
            let paths = link.tls.iter_mut().flat_map(LinkTls::paths);
            paths.map(move |(key, path)| (format!("mqtt.link.{place}.tls.{key}"), path))
        });
        listener.chain(links)
    }
}

/// The listener.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerSettings {
    /// Whether it runs.
    pub enabled: bool,
    /// Address and port. Port 0: any free one.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// The same encrypted, on another address.
    pub tls: ListenerTls,
    /// What one sender may take.
    pub limits: ListenerLimits,
}

/// What one sender may take of the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerLimits {
    /// Largest MQTT packet, bytes; 1 KiB to 16 MiB.
    pub packet_bytes_max: u32,
    /// Connections at a time, at least 1.
    pub connections_max: u32,
    /// Messages per second and device; 0 for no limit. Gateways are held by the window alone.
    pub messages_per_second_max: u32,
    /// Messages of a connection that are not yet acknowledged, at least 1.
    pub in_flight_max: u16,
}

/// A connection to an existing broker; its session is persistent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSettings {
    /// `mqtt://HOST[:PORT]` or, with TLS, `mqtts://HOST[:PORT]`; without a port 1883 or 8883.
    pub url: String,
    /// By this the broker keeps the session: unique among the links, never empty.
    pub client_id: String,
    /// User name at the broker.
    #[serde(default)]
    pub username: Option<String>,
    /// Password at the broker; only with a user name.
    #[serde(default)]
    pub password: Option<Secret>,
    /// What is trusted and shown over `mqtts://`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<LinkTls>,
    /// Whose devices may speak through it; at least one.
    pub cooperatives: Vec<CooperativeId>,
    /// Group of a shared subscription, where several processes take turns.
    #[serde(default)]
    pub share: Option<String>,
    /// What it subscribes to; at least one.
    #[serde(default, rename = "subscription")]
    pub subscriptions: Vec<Subscription>,
}

impl LinkSettings {
    /// Whether the broker is reached over TLS.
    pub fn is_tls(&self) -> bool {
        self.url.starts_with("mqtts://")
    }

    /// Host and port of the broker; `None` where the URL is not of the form `mqtt://HOST[:PORT]` or
    /// `mqtts://HOST[:PORT]`, which loading refuses.
    pub fn broker(&self) -> Option<(&str, u16)> {
        let (rest, port) = match self.url.strip_prefix("mqtts://") {
            Some(rest) => (rest, 8883),
            None => (self.url.strip_prefix("mqtt://")?, 1883),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            // The colons of a bare IPv6 address stand inside brackets.
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (rest, port),
        };
        let is_host = !host.is_empty() && !host.contains(['/', '@', '?', '#', ' ']);
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        is_host.then_some((host, port)).filter(|(_, port)| *port != 0)
    }
}

/// A topic filter and what reads its messages.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// MQTT topic filter without the `$share/...` of a group.
    pub filter: String,
    /// What reads the payload.
    pub decoder: Decoder,
}
