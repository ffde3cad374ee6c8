//! Dead letters once more: after a mend (a device registered, a profile corrected, a unit added) what can
//! be read now is stored, dated by its own time or by its first arrival.
//!
//! ```text
//! letter -> the topic's route and the sender's rights, as they are now -> resolve -> store
//! ```
//!
//! A letter is decoded by the same [`resolve`] as a message that comes in, on the word of the same sender:
//! registering a device does not let a stranger's gateway speak for it after the fact. A letter whose
//! sender is unknown (a file from before senders were kept, or the store's own letters) is taken for the
//! device's own.
//!
//! Messages that a profile was needed for are kept as they came for some days: [`replay_raw`] reads those
//! again after the profile was corrected, and takes back what it made of them before.
//!
//! # What has to be asked for by name
//!
//! - `not_allowed`: somebody tried to publish as another; whoever replays has looked at it.
//! - `conflict`: replaying says that the letter is right and what is stored is wrong, so it corrects
//!   (`supersede`).
//!
//! `too_large`, and what was refused and longer than is kept of it, hold the head of a message alone: they
//! cannot be replayed and are counted as cut.

use jiff::Timestamp;
use plotwise_config::{
    id::{CooperativeId, DeviceId},
    settings::MqttSettings,
};

use crate::{
    decode::Decoders,
    directory::Directory,
    intake::{DeadLetter, DeadLetterReason, Intake, RawMessage, Sender},
    resolve::{Message, Publisher, REFUSED_HEAD, resolve},
    store::{LetterFilter, RawFilter, Replayed, Retaken, Store, StoreError},
    topic::{BadFilter, Route, Subscription, own_route},
};

/// Letters of one transaction: some milliseconds, so that nobody waits for them.
const CHUNK: u32 = 100;

/// Which letters to replay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Of this reason; without it those that need not be asked for by name.
    pub reason: Option<DeadLetterReason>,
    /// Of this device.
    pub device: Option<DeviceId>,
    /// This one alone.
    pub id: Option<i64>,
}

/// What a replay came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What became of the letters that were decoded.
    pub replayed: Replayed,
    /// Letters that hold the head of a message alone.
    pub cut: u64,
    /// Letters passed over because their reason has to be asked for by name.
    pub unasked: u64,
}

/// Decodes messages as they would be decoded if they came now.
#[derive(Debug)]
pub struct Again<'a> {
    directory: &'a Directory,
    decoders: &'a Decoders,
    links: Vec<KnownLink<'a>>,
}

#[derive(Debug)]
struct KnownLink<'a> {
    name: &'a str,
    cooperatives: &'a [CooperativeId],
    subscriptions: Vec<Subscription>,
}

impl<'a> Again<'a> {
    /// With these devices, decoders and links.
    ///
    /// # Errors
    ///
    /// [`BadFilter`] for a subscription that cannot work.
    pub fn new(
        directory: &'a Directory,
        decoders: &'a Decoders,
        settings: &'a MqttSettings,
    ) -> Result<Self, BadFilter> {
        let links = settings.links.iter().map(|link| {
            let subscriptions = link
                .subscriptions
                .iter()
                .map(|one| Subscription::parse(&one.filter, one.decoder.clone()))
                .collect::<Result<_, _>>()?;
            Ok(KnownLink { name: &link.client_id, cooperatives: &link.cooperatives, subscriptions })
        });
        Ok(Self { directory, decoders, links: links.collect::<Result<_, _>>()? })
    }

    /// What the message of a letter comes to now.
    pub fn letter(&self, letter: &DeadLetter) -> Vec<Intake> {
        let mut intakes = self.message(
            letter.sender.as_ref(),
            letter.device.as_ref(),
            Message { topic: &letter.topic, payload: &letter.payload, received: letter.received },
        );
        if letter.reason == DeadLetterReason::Conflict {
            for intake in &mut intakes {
                if let Intake::Observation(observation) = intake {
                    observation.supersede = true;
                }
            }
        }
        intakes
    }

    /// What a message that was kept as it came comes to now.
    pub fn kept(&self, raw: &RawMessage) -> Vec<Intake> {
        let RawMessage { topic, payload, received, .. } = raw;
        let message = Message { topic, payload, received: *received };
        self.message(Some(&raw.sender), Some(&raw.device), message)
    }

    fn message(
        &self,
        sender: Option<&Sender>,
        device: Option<&DeviceId>,
        message: Message<'_>,
    ) -> Vec<Intake> {
        let own = || own_route(message.topic);
        let (route, publisher) = match sender {
            Some(Sender::Token(name)) => (own(), Publisher::Token(name)),
            None => {
                let route = own();
                let named = route.as_ref().and_then(|route| route.device);
                let name = device.map(DeviceId::as_str).or(named).unwrap_or_default();
                (route, Publisher::Token(name))
            }
            Some(Sender::Link(name)) => match self.links.iter().find(|link| link.name == name) {
                Some(link) => (
                    link.route(message.topic),
                    Publisher::Link { name, cooperatives: link.cooperatives },
                ),
                // Nobody speaks for it any more.
                None => (own(), Publisher::Link { name, cooperatives: &[] }),
            },
        };
        let mut intakes = Vec::new();
        // Whether it was taken or not stands in the intakes.
        resolve(message, route, publisher, self.directory, self.decoders, &mut intakes);
        intakes
    }
}

impl KnownLink<'_> {
    fn route<'t>(&'t self, topic: &'t str) -> Option<Route<'t>> {
        self.subscriptions.iter().find_map(|subscription| subscription.route(topic))
    }
}

/// Replays the letters that were there when it began; `told` hears of each step how far it is.
///
/// # Errors
///
/// As for [`crate::store::Writer::commit`]; what was done before stays done.
pub fn replay_letters(
    store: &Store,
    asked: &Asked,
    again: &Again<'_>,
    now: Timestamp,
    mut told: impl FnMut(&Outcome),
) -> Result<Outcome, StoreError> {
    let reader = store.reader()?;
    let mut writer = store.writer()?;
    let filter = LetterFilter { reason: asked.reason, device: asked.device.clone(), before: None };
    let end = reader.newest_dead_letter()?.unwrap_or(0);
    let mut outcome = Outcome::default();
    let mut after = asked.id.map_or(i64::MIN, |id| id - 1);
    loop {
        let limit = if asked.id.is_some() { 1 } else { CHUNK };
        let mut ids = reader.dead_letter_ids(&filter, after, limit)?;
        ids.retain(|id| *id <= asked.id.unwrap_or(end));
        let Some(last) = ids.last() else { return Ok(outcome) };
        after = *last;
        let mut wanted = Vec::new();
        for id in ids {
            let Some(stored) = reader.dead_letter(id)? else { continue };
            match standing(&stored.letter, asked) {
                Standing::Wanted => wanted.push(id),
                Standing::Cut => outcome.cut += 1,
                Standing::Unasked => outcome.unasked += 1,
            }
        }
        let replayed = writer.replay(&wanted, now, |letter| again.letter(letter))?;
        outcome.replayed.add(&replayed);
        told(&outcome);
        if asked.id.is_some() {
            return Ok(outcome);
        }
    }
}

/// Decodes messages that were kept as they came once more: what they made goes, what they come to now
/// stands in its place. `told` hears after each step how far it is.
///
/// # Errors
///
/// As for [`crate::store::Writer::commit`]; what was done before stays done.
pub fn replay_raw(
    store: &Store,
    filter: &RawFilter,
    again: &Again<'_>,
    now: Timestamp,
    mut told: impl FnMut(&Retaken),
) -> Result<Retaken, StoreError> {
    let reader = store.reader()?;
    let mut writer = store.writer()?;
    // What comes in meanwhile is read as it is to be read already.
    let mut left = reader.raw_sizes()?.messages;
    let mut outcome = Retaken::default();
    let mut after = i64::MIN;
    loop {
        let ids = reader.raw_ids(filter, after, CHUNK)?;
        let Some(last) = ids.last().filter(|_| left > 0) else { return Ok(outcome) };
        after = *last;
        left = left.saturating_sub(ids.len() as u64);
        outcome.add(writer.retake(&ids, now, |raw| again.kept(raw))?);
        told(&outcome);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Wanted,
    Cut,
    Unasked,
}

fn standing(letter: &DeadLetter, asked: &Asked) -> Standing {
    let is_named = asked.reason == Some(letter.reason) || asked.id.is_some();
    match letter.reason {
        DeadLetterReason::TooLarge => Standing::Cut,
        DeadLetterReason::NotAllowed | DeadLetterReason::Conflict if !is_named => Standing::Unasked,
        DeadLetterReason::NotAllowed if letter.payload.len() >= REFUSED_HEAD => Standing::Cut,
        _ => Standing::Wanted,
    }
}

#[cfg(test)]
mod tests;
