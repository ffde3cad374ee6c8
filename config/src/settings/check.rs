//! What serde cannot see: values out of range, and settings that contradict each other.

use std::collections::{HashMap, HashSet};

use super::{
    Decoder, LinkSettings, ListenerSettings, Settings, TlsMode, error::Problem, layer::Layers,
};
use crate::catalogue::Catalogue;

/// A century: whoever means more means for ever.
const DAYS_MAX: u32 = 36_500;

/// A hundred terabytes.
const MB_MAX: u32 = 100_000_000;

pub(super) fn check(settings: &Settings, layers: &Layers, problems: &mut Vec<Problem>) {
    let mut findings = Findings { layers, problems };
    check_http(settings, &mut findings);
    check_listener(&settings.mqtt.listener, &mut findings);
    check_listener_tls(settings, &mut findings);
    check_links(settings, &mut findings);

    let window_s = settings.store.redelivery_window_s;
    let week_s = 7 * 24 * 3600;
    findings.within("store.redelivery_window_s", window_s, 1, week_s);
    check_bounds(settings, &mut findings);
    if let Some(url) = &settings.facts.url {
        let is_sqlite = url.strip_prefix("sqlite:").is_some_and(|path| !path.is_empty());
        let wanted = "sqlite: and a path (other databases come with a later part)";
        findings.ensure(is_sqlite, "facts.url", format_args!("{url:?}"), wanted);
    }
    if let Some(tiles) = &settings.map.tiles {
        let is_template = ["{z}", "{x}", "{y}"].iter().all(|place| tiles.contains(place));
        let is_web = tiles.starts_with("https://") || tiles.starts_with("http://");
        let wanted = "an address https://... with {z}, {x} and {y}";
        findings.ensure(is_template && is_web, "map.tiles", format_args!("{tiles:?}"), wanted);
    }
    findings.within("advice.window_days", u32::from(settings.advice.window_days), 1, 3660);
    findings.within("advice.top", u32::from(settings.advice.top), 1, 50);
    check_level(&settings.log.level, &mut findings);
}

fn check_bounds(settings: &Settings, findings: &mut Findings<'_>) {
    let (store, letters) = (&settings.store, &settings.dead_letters);
    findings.within("store.retain_days", store.retain_days, 0, DAYS_MAX);
    findings.within("store.keep_raw_days", store.keep_raw_days, 0, DAYS_MAX);
    findings.within("store.keep_raw_max_mb", store.keep_raw_max_mb, 1, MB_MAX);
    findings.within("store.disk_free_min_mb", store.disk_free_min_mb, 0, MB_MAX);
    findings.within("deadletters.retain_days", letters.retain_days, 1, DAYS_MAX);
    findings.within("deadletters.max_mb", letters.max_mb, 1, MB_MAX);
}

/// Profiles are known only once the catalogue is loaded, which the settings say where to find.
pub(super) fn check_profiles(
    settings: &Settings,
    layers: &Layers,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) {
    for (place, link) in settings.mqtt.links.iter().enumerate() {
        for (at, subscription) in link.subscriptions.iter().enumerate() {
            let Decoder::Profile(name) = &subscription.decoder else { continue };
            if let Err(unknown) = catalogue.check_profile(name) {
                let key = format!("mqtt.link.{place}.subscription.{at}.decoder");
                let origin = layers.origin(&key);
                problems.push(Problem { origin, key, what: unknown.to_string() });
            }
        }
    }
}

fn check_http(settings: &Settings, findings: &mut Findings<'_>) {
    let listen = settings.http.listen;
    findings.ensure(
        listen.ip().is_loopback(),
        "http.listen",
        listen,
        "a loopback address such as 127.0.0.1:8080: there is no signing in yet, and whoever reaches \
         this address reads and changes everything",
    );
    let listener = &settings.mqtt.listener;
    // Port 0 is any free one: two of them never meet.
    let is_same_port = listener.enabled && listen.port() == listener.listen.port();
    let is_same = listen.ip() == listener.listen.ip() || listener.listen.ip().is_unspecified();
    findings.ensure(
        !(is_same_port && is_same && listen.port() != 0),
        "mqtt.listener.listen",
        listener.listen,
        format_args!("another port than http.listen = {listen}"),
    );
}

fn check_listener(listener: &ListenerSettings, findings: &mut Findings<'_>) {
    let limits = &listener.limits;
    let key = |limit: &str| format!("mqtt.listener.limits.{limit}");
    findings.within(&key("packet_bytes_max"), limits.packet_bytes_max, 1024, 16 * 1024 * 1024);
    findings.within(&key("connections_max"), limits.connections_max, 1, 1_000_000);
    findings.within(&key("messages_per_second_max"), limits.messages_per_second_max, 0, 1_000_000);
    findings.within(&key("in_flight_max"), u32::from(limits.in_flight_max), 1, 65_535);
}

fn check_listener_tls(settings: &Settings, findings: &mut Findings<'_>) {
    let listener = &settings.mqtt.listener;
    let tls = &listener.tls;
    if !listener.enabled || !tls.is_on() {
        return;
    }
    let key = |key: &str| format!("mqtt.listener.tls.{key}");
    for (name, other) in
        [("http.listen", settings.http.listen), ("mqtt.listener.listen", listener.listen)]
    {
        let is_same = tls.listen.ip() == other.ip()
            || tls.listen.ip().is_unspecified()
            || other.ip().is_unspecified();
        findings.ensure(
            !(is_same && tls.listen.port() == other.port() && other.port() != 0),
            &key("listen"),
            tls.listen,
            format_args!("another port than {name} = {other}"),
        );
    }
    for (name, path) in [("cert", &tls.cert), ("key", &tls.key)] {
        match (tls.mode, path) {
            (TlsMode::Files, None) => {
                findings.wrong(&key(name), "nothing", "a PEM file, as mode = \"files\" says");
            }
            (TlsMode::Auto, Some(path)) => {
                let wanted = "mode = \"files\" where you bring it, or none";
                findings.wrong(&key(name), format_args!("{:?}", path.display()), wanted);
            }
            _ => {}
        }
    }
    for (place, name) in tls.names.iter().enumerate() {
        let is_name = !name.is_empty()
            && name.len() <= 253
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:*".contains(c));
        let wanted = "a host name such as plotwise.farm.example, or an address";
        findings.ensure(is_name, &key(&format!("names.{place}")), format_args!("{name:?}"), wanted);
    }
}

fn check_links(settings: &Settings, findings: &mut Findings<'_>) {
    let mut first_with: HashMap<&str, usize> = HashMap::new();
    for (place, link) in settings.mqtt.links.iter().enumerate() {
        let key = format!("mqtt.link.{place}");
        check_link(&key, link, &settings.mqtt.listener, findings);
        if let Some(first) = first_with.insert(&link.client_id, place) {
            findings.wrong(
                &format!("{key}.client_id"),
                format_args!("{:?}, which mqtt.link.{first} has too", link.client_id),
                "one of its own: a broker ends the session of whoever came first",
            );
        }
    }
}

fn check_link(
    key: &str,
    link: &LinkSettings,
    listener: &ListenerSettings,
    findings: &mut Findings<'_>,
) {
    let url_key = format!("{key}.url");
    if link.url.contains('@') {
        // The rest may hold a password.
        let wanted = "mqtt://HOST:PORT, and username and password as keys of their own";
        findings.wrong(&url_key, "a user or password in the address", wanted);
    } else if let Some((host, port)) = link.broker() {
        let is_loopback = host == "localhost"
            || host.parse().is_ok_and(|host: std::net::IpAddr| {
                host == listener.listen.ip()
                    || (host.is_loopback() && listener.listen.ip().is_unspecified())
            });
        let is_port = port == listener.listen.port()
            || (listener.tls.is_on() && port == listener.tls.listen.port());
        let is_own = listener.enabled && is_loopback && is_port;
        let wanted = "another broker: Plotwise's own listener takes no subscriptions";
        findings.ensure(!is_own, &url_key, format_args!("{:?}", link.url), wanted);
    } else {
        let wanted = "mqtt://HOST or mqtt://HOST:PORT, with TLS mqtts://...";
        findings.wrong(&url_key, format_args!("{:?}", link.url), wanted);
    }
    if let Some(tls) = &link.tls {
        let (found, wanted) = ("tls with an address mqtt://", "mqtts://, or no tls");
        findings.ensure(link.is_tls(), &format!("{key}.tls"), found, wanted);
        let is_pair = tls.cert.is_some() == tls.key.is_some();
        let found = "one of cert and key";
        findings.ensure(is_pair, &format!("{key}.tls"), found, "both, or neither");
    }
    let client_key = format!("{key}.client_id");
    let wanted = "a name: the broker keeps unacknowledged messages by it";
    findings.ensure(!link.client_id.is_empty(), &client_key, "an empty text", wanted);
    findings.ensure(
        link.password.is_none() || link.username.is_some(),
        &format!("{key}.password"),
        "a password without username",
        "both, or neither",
    );
    let cooperatives_key = format!("{key}.cooperatives");
    let wanted = "at least one: a link takes messages of its cooperatives' devices only";
    findings.ensure(!link.cooperatives.is_empty(), &cooperatives_key, "an empty list", wanted);
    if let Some(share) = &link.share {
        let is_name = !share.is_empty() && !share.contains(['/', '+', '#']);
        let wanted = "a name without / + #";
        findings.ensure(is_name, &format!("{key}.share"), format_args!("{share:?}"), wanted);
    }
    let wanted = "at least one [[mqtt.link.subscription]]";
    findings.ensure(!link.subscriptions.is_empty(), key, "a link without subscription", wanted);

    let mut seen = HashSet::new();
    for (place, subscription) in link.subscriptions.iter().enumerate() {
        let filter = subscription.filter.as_str();
        let key = format!("{key}.subscription.{place}.filter");
        let found = format!("{filter:?}");
        if filter.starts_with("$share/") {
            findings.wrong(&key, found, "the filter alone, and the group as share = \"...\"");
        } else if !is_filter(filter) {
            findings.wrong(&key, found, "a topic filter such as plotwise/v1/+/up or farm/#");
        } else if !seen.insert(filter) {
            findings.wrong(&key, format_args!("{found} a second time"), "each filter once");
        }
    }
}

/// Whether it is a filter by MQTT 3.1.1, section 4.7: `+` fills a level, `#` the last one.
fn is_filter(filter: &str) -> bool {
    let levels: Vec<&str> = filter.split('/').collect();
    let last = levels.len() - 1;
    let fits = |(place, level): (usize, &&str)| match *level {
        "#" => place == last,
        "+" => true,
        level => !level.contains(['+', '#', '\0']),
    };
    !filter.is_empty() && filter.len() <= 65_535 && levels.iter().enumerate().all(fits)
}

fn check_level(filter: &str, findings: &mut Findings<'_>) {
    let is_level =
        |word: &str| matches!(word, "off" | "error" | "warn" | "info" | "debug" | "trace");
    let is_directive = |part: &str| match part.split_once('=') {
        Some((target, level)) => !target.is_empty() && is_level(level),
        None => is_level(part),
    };
    findings.ensure(
        filter.split(',').all(is_directive),
        "log.level",
        format_args!("{filter:?}"),
        "error, warn, info, debug or trace, or several as info,plotwise_ingest=debug",
    );
}

struct Findings<'a> {
    layers: &'a Layers,
    problems: &'a mut Vec<Problem>,
}

impl Findings<'_> {
    fn wrong(&mut self, key: &str, found: impl std::fmt::Display, wanted: impl std::fmt::Display) {
        self.problems.push(Problem {
            origin: self.layers.origin(key),
            key: key.to_owned(),
            what: format!("found {found}, wanted {wanted}"),
        });
    }

    fn ensure(
        &mut self,
        holds: bool,
        key: &str,
        found: impl std::fmt::Display,
        wanted: impl std::fmt::Display,
    ) {
        if !holds {
            self.wrong(key, found, wanted);
        }
    }

    fn within(&mut self, key: &str, value: u32, least: u32, most: u32) {
        let holds = (least..=most).contains(&value);
        self.ensure(holds, key, value, format_args!("{least} to {most}"));
    }
}
