//! Whose message it is, whether it may be, and what it says: the step that listener and link share.

use jiff::Timestamp;
use plotwise_config::id::{CooperativeId, DeviceId};

use crate::{
    decode::{Quantities, native::decode_native, senml::decode_senml},
    directory::{Directory, Entry},
    intake::{DeadLetter, DeadLetterReason, Intake, Sender},
    topic::{Decoder, Route},
};

/// Bytes of a refused payload that are kept: whoever may not publish shall not fill the disk.
const REFUSED_HEAD: usize = 1024;

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
    /// The publisher may not publish as this device; kept as a dead letter.
    NotAllowed,
}

/// Decodes `message` along its route; what is to be stored is added to `intakes`.
pub fn resolve(
    message: Message<'_>,
    route: Option<Route<'_>>,
    publisher: Publisher<'_>,
    directory: &Directory,
    quantities: &Quantities,
    intakes: &mut Vec<Intake>,
) -> Verdict {
    let Some(route) = route else {
        let sender = match publisher {
            Publisher::Token(name) => directory.id(name),
            Publisher::Link { .. } => None,
        };
        let detail =
            "no decoder reads this topic; wanted plotwise/v1/{device}/up or /senml".to_owned();
        let letter = letter(message, publisher, DeadLetterReason::UnknownTopic, sender, detail);
        intakes.push(letter);
        return Verdict::Taken;
    };
    let known = directory.id(route.device).zip(directory.entry(route.device));
    let (device, entry) = match standing(publisher, route.device, known, directory) {
        Standing::May(device, entry) => (device, entry),
        Standing::Unknown => {
            let detail = format!("nobody registered {}; add it with devices add", route.device);
            let device = DeviceId::parse(route.device).ok();
            let reason = DeadLetterReason::UnknownDevice;
            intakes.push(letter(message, publisher, reason, device.as_ref(), detail));
            return Verdict::Taken;
        }
        Standing::MayNot(who) => {
            let detail = format!("{who} may not publish as {}", route.device);
            let head = &message.payload[..message.payload.len().min(REFUSED_HEAD)];
            let message = Message { payload: head, ..message };
            let device = known.map(|(device, _)| device);
            intakes.push(letter(message, publisher, DeadLetterReason::NotAllowed, device, detail));
            return Verdict::NotAllowed;
        }
    };
    let decoded = match route.decoder {
        Decoder::Native => {
            decode_native(message.payload, device, entry, message.received, quantities)
        }
        Decoder::Senml => {
            decode_senml(message.payload, device, entry, message.received, quantities)
        }
    };
    intakes.extend(decoded.observations.into_iter().map(Intake::Observation));
    for problem in decoded.problems {
        intakes.push(letter(message, publisher, problem.reason, Some(device), problem.detail));
    }
    Verdict::Taken
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

fn letter(
    message: Message<'_>,
    publisher: Publisher<'_>,
    reason: DeadLetterReason,
    device: Option<&DeviceId>,
    detail: String,
) -> Intake {
    Intake::DeadLetter(DeadLetter {
        reason,
        device: device.cloned(),
        sender: Some(publisher.sender()),
        topic: message.topic.to_owned(),
        received: message.received,
        payload: message.payload.to_vec(),
        detail,
    })
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
        let message = Message { topic, payload: b"{}", received: Timestamp::UNIX_EPOCH };
        let mut intakes = Vec::new();
        let quantities = Quantities::of(&[]);
        let route = own_route(topic);
        let verdict = resolve(message, route, publisher, &directory(), &quantities, &mut intakes);
        let reasons = intakes
            .into_iter()
            .filter_map(|intake| match intake {
                Intake::DeadLetter(letter) => Some(letter.reason),
                Intake::Observation(_) => None,
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
}
