//! One connection to the broker, from CONNACK to its end.

use std::{collections::VecDeque, future::pending, pin::Pin, sync::Arc, time::Duration};

use rumqttc::{
    Packet, PubAck, PubComp, PubRec, Publish, QoS, SubAck, Subscribe, SubscribeReasonCode,
};
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};

use super::{Ended, KEEP_ALIVE, Link, wire::Wire};
use crate::{
    credential::hexadecimal,
    directory::Directory,
    intake::{DeadLetter, DeadLetterReason, Intake, Sender},
    pipeline::{Closed, Receipts},
    resolve::{Message, Publisher, Verdict, resolve},
    surroundings::{Surroundings, stopped},
};

/// Packets taken off the wire at a time, at most, before anything else is looked at.
const PACKETS_MAX: usize = 1024;

/// How long messages gather at most while a batch is being written. They could not be written earlier, and
/// one by one each costs a wake-up here and at the broker. A slower disk shall not keep the link from
/// hearing the broker.
const GATHER_PATIENCE: Duration = Duration::from_millis(5);

/// From so many messages in a batch on there is load, and the next one gathers for the whole time: a commit
/// costs half a millisecond of processor time, whatever is in it. More than the windows of brokers that
/// were not told otherwise (10 to 32), which would only be slowed down.
const LOAD_MIN: u32 = 64;

/// Observations and dead letters handed over together, at most, and those of one message more.
const INTAKES_MAX: usize = 4096;

/// Memory for messages that wait to be decoded, bytes.
const ROOM_BYTES: usize = 16 << 20;

/// What a message takes beside its topic and payload, bytes; a round figure.
const MESSAGE_BYTES: usize = 128;

/// A larger payload is a dead letter; only its head is kept.
const PAYLOAD_BYTES_MAX: usize = 1 << 20;

/// Bytes kept of a payload that is too large.
const HEAD_KEPT: usize = 1024;

/// How long the end waits for acknowledgements.
const DRAIN_PATIENCE: Duration = Duration::from_secs(8);

/// A hand-over to the pipeline that waits for room.
type Submitting = Pin<Box<dyn Future<Output = Result<(), Closed>> + Send>>;

/// A connection, and everything that ends with it.
pub(super) struct Epoch<'l> {
    link: &'l Link,
    surroundings: &'l Surroundings,
    wire: Wire,
    /// What came in and waits to be decoded.
    queue: VecDeque<Publish>,
    queue_bytes: usize,
    /// Packet ids to be acknowledged, in the order received.
    unacknowledged: VecDeque<(u16, QoS)>,
    receipts: Receipts,
    acknowledged: u64,
    submitting: Option<Submitting>,
    /// Not read from before this moment, or without load until what was handed over is on disk.
    gathering_until: Option<Instant>,
    is_under_load: bool,
    /// Whether anything came since the last PINGREQ.
    is_heard: bool,
}

impl<'l> Epoch<'l> {
    pub(super) fn new(link: &'l Link, surroundings: &'l Surroundings, wire: Wire) -> Self {
        Self {
            link,
            surroundings,
            wire,
            queue: VecDeque::new(),
            queue_bytes: 0,
            unacknowledged: VecDeque::new(),
            receipts: Receipts::default(),
            acknowledged: 0,
            submitting: None,
            gathering_until: None,
            is_under_load: false,
            is_heard: true,
        }
    }

    /// Serves until the connection is lost or it is time to end.
    pub(super) async fn run(mut self) -> Ended {
        if let Err(error) = self.serve().await {
            // What was read at QoS 0 does not come again; where there is no room for it, it is lost.
            let _ = timeout(DRAIN_PATIENCE, self.hand_over_all()).await;
            return Ended::Lost(error);
        }
        // What comes from now on is not acknowledged and stays with the broker.
        if !matches!(timeout(DRAIN_PATIENCE, self.drain()).await, Ok(Ok(()))) {
            tracing::warn!("the link ended before all was acknowledged; the broker sends it again");
        }
        Ended::Stopped
    }

    /// Subscribes where the broker does not know of it.
    pub(super) async fn subscribe(&mut self) -> Result<(), String> {
        let mut subscribe = Subscribe::new_many(self.link.filters());
        subscribe.pkid = 1;
        self.wire.write([Packet::Subscribe(subscribe)]).await
    }

    async fn serve(&mut self) -> Result<(), String> {
        let mut shutdown = self.surroundings.shutdown.clone();
        let mut ping = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.hand_over();
            // Where the store takes nothing, what comes in anyway (QoS 0 has no window) stays with the
            // broker. Pings go out all the same.
            let has_room = self.queue_bytes < ROOM_BYTES;
            tokio::select! {
                biased;
                () = stopped(&mut shutdown) => return Ok(()),
                result = submitted(self.submitting.as_mut()) => self.submitted(result)?,
                () = self.receipts.changed() => self.acknowledge().await?,
                _ = ping.tick() => self.ping(has_room).await?,
                () = until(self.gathering_until) => self.gathering_until = None,
                packet = self.wire.read(), if has_room && self.gathering_until.is_none() => {
                    self.take(packet?).await?;
                    self.take_more().await?;
                }
            }
        }
    }

    /// Takes what else has come, as far as there is room.
    async fn take_more(&mut self) -> Result<(), String> {
        for _ in 1..PACKETS_MAX {
            if self.queue_bytes >= ROOM_BYTES {
                break;
            }
            match self.wire.read_at_once().await {
                Some(packet) => self.take(packet?).await?,
                None => break,
            }
        }
        Ok(())
    }

    async fn take(&mut self, packet: Packet) -> Result<(), String> {
        self.is_heard = true;
        match packet {
            Packet::Publish(publish) => {
                self.queue_bytes += size_of_message(&publish);
                self.queue.push_back(publish);
            }
            Packet::SubAck(answer) => match self.refused(&answer) {
                None => self.link.subscribed(self.surroundings.clock.now()),
                Some(error) => return Err(error),
            },
            // Only a session that somebody else began brings QoS 2: this link asks for 1.
            Packet::PubRel(release) => {
                self.wire.write([Packet::PubComp(PubComp::new(release.pkid))]).await?;
            }
            _ => {}
        }
        Ok(())
    }

    fn refused(&self, answer: &SubAck) -> Option<String> {
        let refused: Vec<&str> = answer
            .return_codes
            .iter()
            .zip(&self.link.subscriptions)
            .filter(|(code, _)| **code == SubscribeReasonCode::Failure)
            .map(|(_, subscription)| subscription.filter())
            .collect();
        (!refused.is_empty())
            .then(|| format!("the broker refused the subscription to {}", refused.join(", ")))
    }

    /// Decodes what has come in and gives it to the pipeline, unless that still has no room for what came
    /// before.
    fn hand_over(&mut self) {
        if self.queue.is_empty() || self.submitting.is_some() {
            return;
        }
        let directory = Arc::clone(&self.surroundings.directory.borrow());
        let received = self.surroundings.clock.now();
        let (mut intakes, mut messages) = (Vec::with_capacity(self.queue.len()), 0);
        while intakes.len() < INTAKES_MAX
            && let Some(publish) = self.queue.pop_front()
        {
            self.queue_bytes -= size_of_message(&publish);
            self.decode(&publish, &directory, received, &mut intakes);
            if publish.qos != QoS::AtMostOnce {
                messages += 1;
                self.unacknowledged.push_back((publish.pkid, publish.qos));
            }
        }
        if messages > 0 {
            self.gathering_until = Some(Instant::now() + GATHER_PATIENCE);
            self.is_under_load = messages >= LOAD_MIN;
        }
        let receipts = Some((self.receipts.clone(), messages));
        let pipeline = self.surroundings.pipeline.clone();
        self.submitting = Some(Box::pin(pipeline.submit(intakes, receipts)));
    }

    /// Hands over what is left, acknowledging nothing.
    async fn hand_over_all(&mut self) -> Result<(), String> {
        loop {
            self.hand_over();
            if self.submitting.is_none() {
                return Ok(());
            }
            let result = submitted(self.submitting.as_mut()).await;
            self.submitted(result)?;
        }
    }

    fn decode(
        &self,
        publish: &Publish,
        directory: &Directory,
        received: jiff::Timestamp,
        intakes: &mut Vec<Intake>,
    ) {
        let (topic, payload) = (publish.topic.as_str(), publish.payload.as_ref());
        if payload.len() > PAYLOAD_BYTES_MAX {
            intakes.push(self.too_large(topic, payload, received));
            return;
        }
        let mut subscriptions = self.link.subscriptions.iter();
        let route = subscriptions.find_map(|subscription| subscription.route(topic));
        let message = Message { topic, payload, received };
        let (name, cooperatives) = (&self.link.client_id, &self.link.cooperatives);
        let publisher = Publisher::Link { name, cooperatives };
        let decoders = &self.surroundings.decoders;
        // Whether it was allowed or is a dead letter: the broker has done its part.
        let verdict = resolve(message, route, publisher, directory, decoders, intakes);
        self.surroundings.pipeline.counters().ignore(u64::from(verdict == Verdict::Ignored));
    }

    fn too_large(&self, topic: &str, payload: &[u8], received: jiff::Timestamp) -> Intake {
        let hash = hexadecimal(&Sha256::digest(payload).into());
        Intake::DeadLetter(DeadLetter {
            reason: DeadLetterReason::TooLarge,
            device: None,
            sender: Some(Sender::Link(self.link.client_id.clone())),
            topic: topic.to_owned(),
            received,
            payload: payload[..HEAD_KEPT].to_vec(),
            detail: format!(
                "payload of {} bytes, wanted at most {PAYLOAD_BYTES_MAX}; SHA-256 {hash}",
                payload.len()
            ),
        })
    }

    fn submitted(&mut self, result: Result<(), Closed>) -> Result<(), String> {
        self.submitting = None;
        result.map_err(|Closed| "the pipeline has ended".to_owned())
    }

    /// Acknowledges what is on disk, in the order received, all of it in one write.
    async fn acknowledge(&mut self) -> Result<(), String> {
        let done = self.receipts.done();
        let count = usize::try_from(done - self.acknowledged).unwrap_or(usize::MAX);
        self.acknowledged = done;
        let count = count.min(self.unacknowledged.len());
        if count == self.unacknowledged.len() && !self.is_under_load {
            self.gathering_until = None;
        }
        let acknowledgements = self.unacknowledged.drain(..count).map(|(id, qos)| match qos {
            QoS::ExactlyOnce => Packet::PubRec(PubRec::new(id)),
            _ => Packet::PubAck(PubAck::new(id)),
        });
        self.wire.write(acknowledgements).await
    }

    async fn ping(&mut self, is_read_from: bool) -> Result<(), String> {
        if !self.is_heard && is_read_from {
            return Err(format!("nothing heard from the broker for {} s", KEEP_ALIVE.as_secs()));
        }
        // Silence while it is not read from is ours.
        self.is_heard = !is_read_from;
        self.wire.write([Packet::PingReq]).await
    }

    /// Waits until everything that came in is acknowledged, then says goodbye.
    async fn drain(&mut self) -> Result<(), String> {
        loop {
            self.hand_over();
            if self.submitting.is_none() && self.unacknowledged.is_empty() {
                return self.wire.write([Packet::Disconnect]).await;
            }
            tokio::select! {
                result = submitted(self.submitting.as_mut()) => self.submitted(result)?,
                () = self.receipts.changed() => self.acknowledge().await?,
            }
        }
    }
}

fn size_of_message(publish: &Publish) -> usize {
    publish.topic.len() + publish.payload.len() + MESSAGE_BYTES
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

async fn submitted(submitting: Option<&mut Submitting>) -> Result<(), Closed> {
    match submitting {
        Some(submitting) => submitting.await,
        None => pending().await,
    }
}
