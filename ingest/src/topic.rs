//! Which topic is read by which decoder, and whose message it is.
//!
//! Plotwise's own topics are `plotwise/v1/{device}/...`; the listener knows those of `ChirpStack` v4 and
//! The Things Stack v3 besides, where the payload says which device sent. A link may name others: there
//! the level that stands at the first `+` of the filter is the device.

use plotwise_config::id::DeviceId;
pub use plotwise_config::settings::Decoder;

use crate::decode::envelope::Server;

/// Where a topic leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route<'t> {
    /// The device that the topic names: well-formed, not necessarily known. `None` where only the
    /// payload does.
    pub device: Option<&'t str>,
    /// What reads the payload.
    pub format: Format<'t>,
}

/// What stands in a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format<'t> {
    /// Plotwise's own JSON, or what the device's own profile reads.
    Own,
    /// `SenML` in JSON or CBOR.
    Senml,
    /// A network server's envelope.
    Envelope(Server),
    /// What the device profile of this key reads.
    Profile(&'t str),
    /// Joining, status, downlinks: no telemetry, whatever stands in it.
    NoTelemetry,
}

/// Events of `ChirpStack` v4 that are no frame of a device.
const CHIRPSTACK_OTHERS: [&str; 7] =
    ["join", "status", "ack", "txack", "log", "location", "integration"];

/// The route of one of the topics that everyone may use; `None` for every other.
pub fn own_route(topic: &str) -> Option<Route<'_>> {
    if let Some(rest) = topic.strip_prefix("plotwise/v1/") {
        let (device, last) = rest.split_once('/')?;
        let format = match last {
            "up" => Format::Own,
            "senml" => Format::Senml,
            _ => return None,
        };
        return is_device(device).then_some(Route { device: Some(device), format });
    }
    network_route(topic)
}

/// `application/{id}/device/{devEui}/event/{event}`, `v3/{app}/devices/{id}/{kind}`.
fn network_route(topic: &str) -> Option<Route<'_>> {
    let levels: [&str; 6] = {
        let mut split = topic.splitn(6, '/');
        std::array::from_fn(|_| split.next().unwrap_or_default())
    };
    let (device, server, is_uplink) = match levels {
        ["application", _, "device", device, "event", event] => {
            let is_uplink = event == "up";
            if !is_uplink && !CHIRPSTACK_OTHERS.contains(&event) {
                return None;
            }
            (device, Server::ChirpStack, is_uplink)
        }
        // What is sent to devices.
        ["application", _, "device", device, "command", _] => (device, Server::ChirpStack, false),
        ["v3", _, "devices", device, "up", ""] => (device, Server::ThingsStack, true),
        ["v3", _, "devices", device, "join", ""]
        | ["v3", _, "devices", device, "down" | "service" | "location", _] => {
            (device, Server::ThingsStack, false)
        }
        _ => return None,
    };
    let format = if is_uplink { Format::Envelope(server) } else { Format::NoTelemetry };
    Some(Route { device: is_device(device).then_some(device), format })
}

/// A topic filter of a link, with the decoder of what comes in by it.
#[derive(Clone, Debug)]
pub struct Subscription {
    filter: String,
    decoder: Decoder,
}

/// A filter that names no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "filter {found:?} says nowhere which device sent; wanted a `+` where the device stands, as in plotwise/v1/+/up"
)]
pub struct BadFilter {
    /// What was found.
    pub found: String,
}

impl Subscription {
    /// A subscription to `filter`; its first `+` is the device, unless the payload says that.
    ///
    /// # Errors
    ///
    /// [`BadFilter`] where the filter has no level `+` and needs one, or a `#` that is not its last
    /// level.
    pub fn parse(filter: &str, decoder: Decoder) -> Result<Self, BadFilter> {
        let levels: Vec<&str> = filter.split('/').collect();
        let wild_end = levels.iter().position(|level| level.contains('#'));
        let is_wild_ok = wild_end.is_none_or(|at| at + 1 == levels.len() && levels[at] == "#");
        let is_plus_ok = levels.iter().all(|level| !level.contains('+') || *level == "+");
        if is_wild_ok && is_plus_ok && (decoder.names_device() || levels.contains(&"+")) {
            Ok(Self { filter: filter.to_owned(), decoder })
        } else {
            Err(BadFilter { found: filter.to_owned() })
        }
    }

    /// The filter as it was given.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// The route of a topic that matches; `None` for every other.
    pub fn route<'t>(&'t self, topic: &'t str) -> Option<Route<'t>> {
        let mut at_plus = None;
        if !self.matches(topic, &mut at_plus) {
            return None;
        }
        let format = match &self.decoder {
            Decoder::Native => Format::Own,
            Decoder::Senml => Format::Senml,
            Decoder::Profile(name) => Format::Profile(name),
            Decoder::ChirpStack => return Some(envelope_route(topic, Server::ChirpStack)),
            Decoder::ThingsStack => return Some(envelope_route(topic, Server::ThingsStack)),
        };
        let device = at_plus.filter(|device| is_device(device))?;
        Some(Route { device: Some(device), format })
    }

    /// Whether a topic matches; what stands at the first `+` is put into `at_plus`.
    fn matches<'t>(&self, topic: &'t str, at_plus: &mut Option<&'t str>) -> bool {
        let mut levels = topic.split('/');
        for wanted in self.filter.split('/') {
            if wanted == "#" {
                return true;
            }
            let Some(found) = levels.next() else { return false };
            if wanted == "+" {
                at_plus.get_or_insert(found);
            } else if wanted != found {
                return false;
            }
        }
        levels.next().is_none()
    }
}

/// Topics of network servers are a setting there: where one has the usual form it says which device and
/// which event, else the payload does.
fn envelope_route(topic: &str, server: Server) -> Route<'_> {
    let usual = network_route(topic).filter(|route| match route.format {
        Format::Envelope(found) => found == server,
        _ => true,
    });
    usual.unwrap_or(Route { device: None, format: Format::Envelope(server) })
}

fn is_device(name: &str) -> bool {
    DeviceId::parse(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_topic_names_device_and_decoder() {
        let route = own_route("plotwise/v1/n-07/up").unwrap();
        assert_eq!(route, Route { device: Some("n-07"), format: Format::Own });
    }

    #[test]
    fn a_senml_topic_is_read_as_senml() {
        let route = own_route("plotwise/v1/n-07/senml").unwrap();
        assert_eq!(route, Route { device: Some("n-07"), format: Format::Senml });
    }

    #[test]
    fn every_other_topic_has_no_route() {
        for topic in [
            "",
            "plotwise/v1/n-07",
            "plotwise/v1//up",
            "plotwise/v1/a b/up",
            "plotwise/v1/a/b/up",
            "plotwise/v2/a/up",
            "application/a/device/b/event/party",
            "application/a/device/b",
            "v3/app/devices/b/up/more",
            "v3/app/devices/b",
        ] {
            assert_eq!(own_route(topic), None, "{topic}");
        }
    }

    #[test]
    fn the_first_plus_of_a_filter_is_the_device() {
        let farm = Subscription::parse("farm/+/data/#", Decoder::Native).unwrap();
        assert_eq!(farm.route("farm/n-07/data/soil").and_then(|route| route.device), Some("n-07"));
        assert_eq!(farm.route("farm/n-07/status"), None);
        let exact = Subscription::parse("plotwise/v1/+/up", Decoder::Native).unwrap();
        assert_eq!(exact.route("plotwise/v1/n-07/up/more"), None);
        assert_eq!(exact.route("plotwise/v1/n-07"), None);
    }

    #[test]
    fn a_filter_that_names_no_device_is_refused() {
        for filter in ["farm/data", "#", "farm/#/+", "farm/a+/up"] {
            assert!(Subscription::parse(filter, Decoder::Native).is_err(), "{filter}");
        }
    }

    #[test]
    fn a_network_servers_topic_says_what_is_telemetry() {
        let uplinks = [
            ("application/17c82e96/device/0101010101010101/event/up", Server::ChirpStack),
            ("v3/app1@tenant1/devices/dev1/up", Server::ThingsStack),
        ];
        for (topic, server) in uplinks {
            let route = own_route(topic).unwrap();
            assert_eq!(route.format, Format::Envelope(server), "{topic}");
            assert!(route.device.is_some(), "{topic}");
        }
        for topic in [
            "application/a/device/01/event/join",
            "application/a/device/01/event/txack",
            "application/a/device/01/command/down",
            "v3/app/devices/dev1/join",
            "v3/app/devices/dev1/down/queued",
            "v3/app/devices/dev1/service/data",
        ] {
            assert_eq!(own_route(topic).unwrap().format, Format::NoTelemetry, "{topic}");
        }
    }

    #[test]
    fn a_network_servers_filter_needs_no_plus() {
        let all = Subscription::parse("application/#", Decoder::ChirpStack).unwrap();
        let route = all.route("application/a/device/01/event/up").unwrap();
        assert_eq!(route.format, Format::Envelope(Server::ChirpStack));
        let route = all.route("application/a/device/01/event/status").unwrap();
        assert_eq!(route.format, Format::NoTelemetry);
        // A template of the operator's own.
        let own = Subscription::parse("lora/+/frames", Decoder::ChirpStack).unwrap();
        let route = own.route("lora/eu/frames").unwrap();
        assert_eq!(route, Route { device: None, format: Format::Envelope(Server::ChirpStack) });
    }

    #[test]
    fn a_filter_with_a_profile_names_it() {
        let decoder = Decoder::Profile("acme".to_owned());
        let farm = Subscription::parse("zigbee2mqtt/+", decoder).unwrap();
        let route = farm.route("zigbee2mqtt/bed-3").unwrap();
        assert_eq!(route, Route { device: Some("bed-3"), format: Format::Profile("acme") });
    }
}
