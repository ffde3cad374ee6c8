//! Which topic is read by which decoder, and whose message it is.
//!
//! Plotwise's own topics are `plotwise/v1/{device}/...`. A link may name others: there the level that
//! stands at the first `+` of the filter is the device.

use plotwise_config::id::DeviceId;
pub use plotwise_config::settings::Decoder;

/// Where a topic leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route<'t> {
    /// The device that the topic names: well-formed, not necessarily known.
    pub device: &'t str,
    /// What reads the payload.
    pub decoder: Decoder,
}

/// The route of one of Plotwise's own topics; `None` for every other.
pub fn own_route(topic: &str) -> Option<Route<'_>> {
    let (device, last) = topic.strip_prefix("plotwise/v1/")?.split_once('/')?;
    let decoder = match last {
        "up" => Decoder::Native,
        "senml" => Decoder::Senml,
        _ => return None,
    };
    is_device(device).then_some(Route { device, decoder })
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
    /// A subscription to `filter`; its first `+` is the device.
    ///
    /// # Errors
    ///
    /// [`BadFilter`] where the filter has no level `+`, or a `#` that is not its last level.
    pub fn parse(filter: &str, decoder: Decoder) -> Result<Self, BadFilter> {
        let levels: Vec<&str> = filter.split('/').collect();
        let wild_end = levels.iter().position(|level| level.contains('#'));
        let is_wild_ok = wild_end.is_none_or(|at| at + 1 == levels.len() && levels[at] == "#");
        let is_plus_ok = levels.iter().all(|level| !level.contains('+') || *level == "+");
        if is_wild_ok && is_plus_ok && levels.contains(&"+") {
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
    pub fn route<'t>(&self, topic: &'t str) -> Option<Route<'t>> {
        let mut levels = topic.split('/');
        let mut device = None;
        for wanted in self.filter.split('/') {
            if wanted == "#" {
                levels.by_ref().for_each(drop);
                break;
            }
            let found = levels.next()?;
            if wanted == "+" {
                device.get_or_insert(found);
            } else if wanted != found {
                return None;
            }
        }
        let device = device.filter(|device| is_device(device))?;
        levels.next().is_none().then_some(Route { device, decoder: self.decoder })
    }
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
        assert_eq!(route, Route { device: "n-07", decoder: Decoder::Native });
    }

    #[test]
    fn a_senml_topic_is_read_as_senml() {
        let route = own_route("plotwise/v1/n-07/senml").unwrap();
        assert_eq!(route, Route { device: "n-07", decoder: Decoder::Senml });
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
        ] {
            assert_eq!(own_route(topic), None, "{topic}");
        }
    }

    #[test]
    fn the_first_plus_of_a_filter_is_the_device() {
        let farm = Subscription::parse("farm/+/data/#", Decoder::Native).unwrap();
        assert_eq!(farm.route("farm/n-07/data/soil").map(|route| route.device), Some("n-07"));
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
}
