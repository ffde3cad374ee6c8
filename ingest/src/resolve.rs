//! Whose message it is, whether it may be, and what it says: the step that listener and link share.

use jiff::Timestamp;
use plotwise_config::{
    catalogue::profile::NATIVE,
    id::{CooperativeId, DeviceId},
};

use crate::{
    decode::{
        self, Decoded, Decoders,
        envelope::{self, Event, Refused},
        senml::decode_senml,
    },
    directory::{Directory, Entry},
    intake::{DeadLetter, DeadLetterReason, Intake, RawMessage, Sender},
    topic::{Format, Route},
};

/// Bytes of a refused payload that are kept: whoever may not publish shall not fill the disk.
pub(crate) const REFUSED_HEAD: usize = 1024;

/// A message as it came.
#[derive(Clone, Copy, Debug)]
pub struct Message<'m> {
    /// Where it was published.
    pub topic: &'m str,
    /// Its bytes.
    pub payload: &'m [u8],
    /// When it arrived.
    pub received: Timestamp,
}

/// On whose word a message comes in.
#[derive(Clone, Copy, Debug)]
pub enum Publisher<'p> {
    /// The holder of this device's or gateway's token.
    Token(&'p str),
    /// A broker that speaks for these cooperatives.
    Link {
        /// The link's client id.
        name: &'p str,
        /// Whose devices it speaks for.
        cooperatives: &'p [CooperativeId],
    },
}

impl Publisher<'_> {
    fn sender(self) -> Sender {
        match self {
            Self::Token(name) => Sender::Token(name.to_owned()),
            Self::Link { name, .. } => Sender::Link(name.to_owned()),
        }
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is decoded, or a dead letter.
    Taken,
    /// It is no telemetry: there is nothing to store and nothing is wrong.
    Ignored,
    /// The publisher may not publish as this device; kept as a dead letter.
    NotAllowed,
}

/// Decodes `message` along its route; what is to be stored is added to `intakes`.
///
/// Depends on its arguments alone: the same message with the same directory and catalogue comes to the
/// same again, which is what replaying is.
pub fn resolve(
    message: Message<'_>,
    route: Option<Route<'_>>,
    publisher: Publisher<'_>,
    directory: &Directory,
    decoders: &Decoders,
    intakes: &mut Vec<Intake>,
) -> Verdict {
    let mut resolving = Resolving { message, publisher, directory, intakes };
    let Some(route) = route else { return resolving.nowhere() };
    let Message { payload, received, .. } = message;
    match (route.format, route.device) {
        (Format::NoTelemetry, _) => Verdict::Ignored,
        (Format::Envelope(server), device) => {
            envelope::open(server, payload, |event| match event {
                Ok(Event::NoTelemetry) => Verdict::Ignored,
                Ok(Event::Uplink(uplink)) => resolving.of_device(
                    &uplink.device,
                    |_| true,
                    |device, entry| uplink.decode(payload, device, entry, received, decoders),
                ),
                Err(refused) => resolving.unopened(device, refused),
            })
        }
        (_, None) => resolving.nowhere(),
        (Format::Own, Some(device)) => resolving.of_device(device, has_profile, |device, entry| {
            decode::decode_own(payload, device, entry, received, decoders)
        }),
        (Format::Senml, Some(device)) => resolving.of_device(
            device,
            |_| false,
            |device, entry| decode_senml(payload, device, entry, received, decoders.quantities()),
        ),
        (Format::Profile(profile), Some(device)) => resolving.of_device(
            device,
            |_| true,
            |device, entry| {
                decode::decode_by_profile(profile, payload, device, entry, received, decoders)
            },
        ),
    }
}

/// A message on its way.
struct Resolving<'r> {
    message: Message<'r>,
    publisher: Publisher<'r>,
    directory: &'r Directory,
    intakes: &'r mut Vec<Intake>,
}

impl Resolving<'_> {
    /// No decoder reads the topic.
    fn nowhere(&mut self) -> Verdict {
        let sender = match self.publisher {
            Publisher::Token(name) => self.directory.id(name),
            Publisher::Link { .. } => None,
        };
        let detail = "no decoder reads this topic; wanted plotwise/v1/{device}/up or /senml, \
                      application/{id}/device/{devEui}/event/up or v3/{app}/devices/{id}/up";
        let reason = DeadLetterReason::UnknownTopic;
        self.dead(reason, sender, detail.to_owned());
        Verdict::Taken
    }

    /// Decodes the message where it may come from this device; `is_kept` says whether it is kept as it
    /// came, so that a profile can be corrected backwards too.
    fn of_device(
        &mut self,
        device: &str,
        is_kept: impl FnOnce(&Entry) -> bool,
        decode: impl FnOnce(&DeviceId, &Entry) -> Decoded,
    ) -> Verdict {
        let known = self.directory.id(device).zip(self.directory.entry(device));
        let (device, entry) = match standing(self.publisher, device, known, self.directory) {
            Standing::May(device, entry) => (device, entry),
            Standing::Unknown => {
                let detail =
                    format!("nobody registered {}; add it with devices add", shown(device));
                let device = DeviceId::parse(device).ok();
                let reason = DeadLetterReason::UnknownDevice;
                self.dead(reason, device.as_ref(), detail);
                return Verdict::Taken;
            }
            Standing::MayNot(who) => {
                let detail = format!("{who} may not publish as {}", shown(device));
                let device = known.map(|(device, _)| device);
                return self.not_allowed(device, detail);
            }
        };
        let decoded = decode(device, entry);
        let is_ignored = decoded.ignored.is_some();
        let observations = decoded.observations.len();
        self.intakes.extend(decoded.observations.into_iter().map(Intake::Observation));
        if observations > 0 && is_kept(entry) {
            self.keep(device, observations);
        }
        for problem in decoded.problems {
            self.dead(problem.reason, Some(device), problem.detail);
        }
        if is_ignored { Verdict::Ignored } else { Verdict::Taken }
    }

    /// An envelope that cannot be opened; the topic may still say whose it is.
    fn unopened(&mut self, device: Option<&str>, refused: Refused) -> Verdict {
        let device = device.map(str::to_ascii_lowercase);
        let device = device.as_deref();
        let known =
            device.and_then(|device| self.directory.id(device).zip(self.directory.entry(device)));
        let (Some(name), Some((id, _))) = (device, known) else {
            self.dead(refused.reason, None, refused.detail);
            return Verdict::Taken;
        };
        match standing(self.publisher, name, known, self.directory) {
            Standing::MayNot(who) => {
                self.not_allowed(Some(id), format!("{who} may not publish as {name}"))
            }
            Standing::May(..) | Standing::Unknown => {
                self.dead(refused.reason, Some(id), refused.detail);
                Verdict::Taken
            }
        }
    }

    fn not_allowed(&mut self, device: Option<&DeviceId>, detail: String) -> Verdict {
        let payload = self.message.payload;
        let head = &payload[..payload.len().min(REFUSED_HEAD)];
        self.message = Message { payload: head, ..self.message };
        self.dead(DeadLetterReason::NotAllowed, device, detail);
        Verdict::NotAllowed
    }

    fn keep(&mut self, device: &DeviceId, observations: usize) {
        let Message { topic, payload, received } = self.message;
        self.intakes.push(Intake::Raw(RawMessage {
            device: device.clone(),
            sender: self.publisher.sender(),
            topic: topic.to_owned(),
            received,
            payload: payload.to_vec(),
            observations,
        }));
    }

    fn dead(&mut self, reason: DeadLetterReason, device: Option<&DeviceId>, detail: String) {
        self.intakes.push(Intake::DeadLetter(DeadLetter {
            reason,
            device: device.cloned(),
            sender: Some(self.publisher.sender()),
            topic: self.message.topic.to_owned(),
            received: self.message.received,
            payload: self.message.payload.to_vec(),
            detail,
        }));
    }
}

fn has_profile(entry: &Entry) -> bool {
    entry.profile != NATIVE
}

/// The beginning of a name from outside.
fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}

enum Standing<'d> {
    May(&'d DeviceId, &'d Entry),
    Unknown,
    MayNot(String),
}

fn standing<'d>(
    publisher: Publisher<'_>,
    device: &str,
    known: Option<(&'d DeviceId, &'d Entry)>,
    directory: &Directory,
) -> Standing<'d> {
    match (publisher, known) {
        (Publisher::Token(name), Some((id, entry))) if directory.may_publish(name, device) => {
            Standing::May(id, entry)
        }
        // A gateway brings the readings of nodes that are not registered yet; a device has no such
        // business.
        (Publisher::Token(name), None)
            if directory.entry(name).is_some_and(|entry| entry.is_gateway) =>
        {
            Standing::Unknown
        }
        (Publisher::Token(name), _) => Standing::MayNot(name.to_owned()),
        (Publisher::Link { .. }, None) => Standing::Unknown,
        (Publisher::Link { cooperatives, .. }, Some((id, entry))) => {
            if cooperatives.contains(&entry.cooperative) {
                Standing::May(id, entry)
            } else {
                Standing::MayNot("a link that is not bound to its cooperative".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic::own_route;

    fn entry(cooperative: &str, is_gateway: bool) -> Entry {
        Entry {
            cooperative: CooperativeId::parse(cooperative).unwrap(),
            profile: "native".to_owned(),
            is_gateway,
            token_sha256: None,
            own_depths: Vec::new(),
        }
    }

    fn directory() -> Directory {
        let id = |name| DeviceId::parse(name).unwrap();
        Directory::new([
            (id("node"), entry("a", false)),
            (id("gate"), entry("a", true)),
            (id("stranger"), entry("b", false)),
        ])
    }

    fn outcome(publisher: Publisher<'_>, topic: &str) -> (Verdict, Vec<DeadLetterReason>) {
        outcome_of(publisher, topic, "{}")
    }

    fn outcome_of(
        publisher: Publisher<'_>,
        topic: &str,
        payload: &str,
    ) -> (Verdict, Vec<DeadLetterReason>) {
        let payload = payload.as_bytes();
        let message = Message { topic, payload, received: Timestamp::UNIX_EPOCH };
        let mut intakes = Vec::new();
        let decoders = Decoders::of_quantities(&[]);
        let route = own_route(topic);
        let verdict = resolve(message, route, publisher, &directory(), &decoders, &mut intakes);
        let reasons = intakes
            .into_iter()
            .filter_map(|intake| match intake {
                Intake::DeadLetter(letter) => Some(letter.reason),
                Intake::Observation(_) | Intake::Raw(_) => None,
            })
            .collect();
        (verdict, reasons)
    }

    // An empty object has the wrong shape: so far it comes only where it may be read.
    const READ: (Verdict, DeadLetterReason) = (Verdict::Taken, DeadLetterReason::WrongShape);
    const REFUSED: (Verdict, DeadLetterReason) =
        (Verdict::NotAllowed, DeadLetterReason::NotAllowed);
    const UNKNOWN: (Verdict, DeadLetterReason) = (Verdict::Taken, DeadLetterReason::UnknownDevice);

    #[test]
    fn a_device_publishes_only_as_itself() {
        for (device, (verdict, reason)) in
            [("node", READ), ("gate", REFUSED), ("stranger", REFUSED), ("nobody", REFUSED)]
        {
            let topic = format!("plotwise/v1/{device}/up");
            assert_eq!(outcome(Publisher::Token("node"), &topic), (verdict, vec![reason]));
        }
    }

    #[test]
    fn a_gateway_publishes_for_its_cooperative() {
        for (device, (verdict, reason)) in
            [("node", READ), ("gate", READ), ("stranger", REFUSED), ("nobody", UNKNOWN)]
        {
            let topic = format!("plotwise/v1/{device}/up");
            assert_eq!(outcome(Publisher::Token("gate"), &topic), (verdict, vec![reason]));
        }
    }

    #[test]
    fn a_link_speaks_for_its_cooperatives() {
        let bound = [CooperativeId::parse("a").unwrap()];
        for (device, (verdict, reason)) in
            [("node", READ), ("stranger", REFUSED), ("nobody", UNKNOWN)]
        {
            let topic = format!("plotwise/v1/{device}/up");
            assert_eq!(
                outcome(Publisher::Link { name: "broker", cooperatives: &bound }, &topic),
                (verdict, vec![reason])
            );
        }
    }

    #[test]
    fn a_senml_topic_is_read_as_senml() {
        // An object is no pack.
        let found = outcome(Publisher::Token("node"), "plotwise/v1/node/senml");
        assert_eq!(found, (Verdict::Taken, vec![DeadLetterReason::WrongShape]));
        let refused = outcome(Publisher::Token("node"), "plotwise/v1/stranger/senml");
        assert_eq!(refused, (Verdict::NotAllowed, vec![DeadLetterReason::NotAllowed]));
    }

    #[test]
    fn a_topic_that_nobody_reads_is_a_dead_letter() {
        let wanted = (Verdict::Taken, vec![DeadLetterReason::UnknownTopic]);
        assert_eq!(outcome(Publisher::Token("node"), "farm/soil"), wanted);
    }

    const FRAME: &str =
        r#"{"deviceInfo": {"devEui": "NODE"}, "fPort": 2, "data": "AA==", "object": {}}"#;

    fn envelope(
        publisher: Publisher<'_>,
        payload: &str,
        event: &str,
    ) -> (Verdict, Vec<DeadLetterReason>) {
        let topic = format!("application/app/device/node/event/{event}");
        outcome_of(publisher, &topic, payload)
    }

    #[test]
    fn a_network_server_speaks_by_the_name_in_its_envelope() {
        let gate = Publisher::Token("gate");
        let (verdict, reason) = READ;
        assert_eq!(envelope(gate, FRAME, "up"), (verdict, vec![reason]), "a name in lower case");
        let (verdict, reason) = REFUSED;
        let stranger = FRAME.replace("NODE", "stranger");
        assert_eq!(envelope(gate, &stranger, "up"), (verdict, vec![reason]), "not by the topic");
        let (verdict, reason) = UNKNOWN;
        let nobody = FRAME.replace("NODE", "nobody");
        assert_eq!(envelope(gate, &nobody, "up"), (verdict, vec![reason]));
    }

    #[test]
    fn a_device_publishes_an_envelope_only_of_itself() {
        let (verdict, reason) = READ;
        assert_eq!(envelope(Publisher::Token("node"), FRAME, "up"), (verdict, vec![reason]));
        let (verdict, reason) = REFUSED;
        let other = FRAME.replace("NODE", "gate");
        assert_eq!(envelope(Publisher::Token("node"), &other, "up"), (verdict, vec![reason]));
    }

    #[test]
    fn what_is_no_telemetry_is_ignored_and_what_is_no_json_is_a_dead_letter() {
        let gate = Publisher::Token("gate");
        for event in ["join", "status", "ack", "txack", "log", "location", "integration"] {
            assert_eq!(envelope(gate, "anything", event), (Verdict::Ignored, vec![]), "{event}");
        }
        let joined = r#"{"deviceInfo": {"devEui": "node"}, "devAddr": "00189440"}"#;
        assert_eq!(envelope(gate, joined, "up"), (Verdict::Ignored, vec![]));
        let broken = (Verdict::Taken, vec![DeadLetterReason::NotJson]);
        assert_eq!(envelope(gate, "{", "up"), broken);
        let (verdict, reason) = REFUSED;
        assert_eq!(
            outcome_of(Publisher::Token("stranger"), "application/app/device/NODE/event/up", "{"),
            (verdict, vec![reason]),
            "the topic says whose it would be"
        );
    }
}
