//! One connection to the broker, from CONNECT to its end.

use std::{sync::Arc, time::Duration};

use rumqttc::{AsyncClient, Event, EventLoop, Packet, Publish, QoS, SubAck, SubscribeReasonCode};
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{Ended, Link};
use crate::{
    credential::hexadecimal,
    intake::{DeadLetter, DeadLetterReason, Intake, Sender},
    pipeline::{Closed, Receipts},
    resolve::{Message, Publisher, resolve},
    surroundings::{Surroundings, stopped},
    task::AbortOnDrop,
};

/// Requests (acknowledgements, mostly) that wait for the event loop.
const REQUESTS_MAX: usize = 256;

/// Messages decoded and handed over together, at most.
const BATCH_MAX: usize = 256;

/// Observations and dead letters handed over together, at most, and one message more.
const INTAKES_MAX: usize = 4096;

/// Memory for messages that wait to be decoded, bytes.
const ROOM_BYTES: usize = 16 << 20;

/// A larger payload is a dead letter; only its head is kept.
const PAYLOAD_BYTES_MAX: usize = 1 << 20;

/// Bytes kept of a payload that is too large.
const HEAD_KEPT: usize = 1024;

/// How long the end waits for acknowledgements.
const DRAIN_PATIENCE: Duration = Duration::from_secs(8);

/// A message that came in, with the room that it takes.
type Arrival = (Publish, OwnedSemaphorePermit);

impl Link {
    /// Connects and serves until the connection is lost or it is time to end.
    pub(super) async fn connect_once(&self, surroundings: &Surroundings) -> Ended {
        let options = match self.options() {
            Ok(options) => options,
            Err(error) => return Ended::Lost(error.to_string()),
        };
        let (client, mut events) = AsyncClient::new(options, REQUESTS_MAX);
        let (arrivals, queue) = mpsc::unbounded_channel();
        let (ids, in_order) = mpsc::unbounded_channel();
        let receipts = Receipts::default();
        let intake = Intaker {
            subscriptions: self.subscriptions.clone(),
            name: self.client_id.clone(),
            cooperatives: self.cooperatives.clone(),
            surroundings: surroundings.clone(),
            receipts: receipts.clone(),
            ids,
        };
        let intake = AbortOnDrop::spawn(intake.run(queue));
        let acknowledging = AbortOnDrop::spawn(acknowledge(in_order, receipts, client.clone()));
        let room = Arc::new(Semaphore::new(ROOM_BYTES));
        let mut shutdown = surroundings.shutdown.clone();
        loop {
            let event = tokio::select! {
                biased;
                () = stopped(&mut shutdown) => break,
                event = events.poll() => event,
            };
            match event {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    // Also where the broker kept the session: the settings may have changed since.
                    if client.try_subscribe_many(self.filters()).is_err() {
                        return Ended::Lost("the request channel is full".to_owned());
                    }
                }
                Ok(Event::Incoming(Packet::SubAck(answer))) => match self.refused(&answer) {
                    None => self.up(surroundings.clock.now()),
                    Some(error) => return Ended::Lost(error),
                },
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    let bytes = publish.payload.len() + publish.topic.len() + 1;
                    let units = u32::try_from(bytes.min(ROOM_BYTES)).unwrap_or(u32::MAX);
                    // Where the store takes nothing the room stays full: the end must not wait for it.
                    let permit = tokio::select! {
                        biased;
                        () = stopped(&mut shutdown) => break,
                        permit = Arc::clone(&room).acquire_many_owned(units) => permit,
                    };
                    let Ok(permit) = permit else {
                        return Ended::Lost("no room".to_owned());
                    };
                    if arrivals.send((publish, permit)).is_err() {
                        return Ended::Lost("the pipeline has ended".to_owned());
                    }
                }
                Ok(_) => {}
                Err(error) => return Ended::Lost(self.said(&error)),
            }
        }
        // What comes from now on is not acknowledged and stays with the broker.
        drop(arrivals);
        let drained = drain(&mut events, intake, acknowledging, &client);
        if tokio::time::timeout(DRAIN_PATIENCE, drained).await.is_err() {
            tracing::warn!("the link ended before all was acknowledged; the broker sends it again");
        }
        Ended::Stopped
    }

    fn refused(&self, answer: &SubAck) -> Option<String> {
        let refused: Vec<&str> = answer
            .return_codes
            .iter()
            .zip(&self.subscriptions)
            .filter(|(code, _)| **code == SubscribeReasonCode::Failure)
            .map(|(_, subscription)| subscription.filter())
            .collect();
        (!refused.is_empty())
            .then(|| format!("the broker refused the subscription to {}", refused.join(", ")))
    }
}

/// Polls on until everything that came in is acknowledged, then says goodbye.
async fn drain(
    events: &mut EventLoop,
    mut intake: AbortOnDrop,
    mut acknowledging: AbortOnDrop,
    client: &AsyncClient,
) {
    let mut done = Box::pin(async {
        intake.ended().await;
        acknowledging.ended().await;
        // A full channel or a lost connection: then without a goodbye.
        let _ = client.try_disconnect();
    });
    let mut is_done = false;
    loop {
        tokio::select! {
            () = &mut done, if !is_done => is_done = true,
            event = events.poll() => match event {
                Ok(Event::Outgoing(rumqttc::Outgoing::Disconnect)) | Err(_) => return,
                Ok(_) => {}
            },
        }
    }
}

/// Decodes what came in and hands it over.
struct Intaker {
    subscriptions: Vec<crate::topic::Subscription>,
    /// The link's client id.
    name: String,
    cooperatives: Vec<plotwise_config::id::CooperativeId>,
    surroundings: Surroundings,
    receipts: Receipts,
    ids: mpsc::UnboundedSender<u16>,
}

impl Intaker {
    async fn run(self, mut queue: mpsc::UnboundedReceiver<Arrival>) {
        let mut batch: Vec<Arrival> = Vec::with_capacity(BATCH_MAX);
        while queue.recv_many(&mut batch, BATCH_MAX).await > 0 {
            let directory = Arc::clone(&self.surroundings.directory.borrow());
            let received = self.surroundings.clock.now();
            let (mut intakes, mut messages) = (Vec::new(), 0);
            for (publish, permit) in batch.drain(..) {
                self.take(&publish, &directory, received, &mut intakes);
                if publish.qos != QoS::AtMostOnce {
                    messages += 1;
                    if self.ids.send(publish.pkid).is_err() {
                        return;
                    }
                }
                // Decoded it can take many times the room that its text took.
                drop((publish, permit));
                if intakes.len() >= INTAKES_MAX
                    && self
                        .hand_over(std::mem::take(&mut intakes), std::mem::take(&mut messages))
                        .await
                        .is_err()
                {
                    return;
                }
            }
            if self.hand_over(intakes, messages).await.is_err() {
                return;
            }
        }
    }

    async fn hand_over(&self, intakes: Vec<Intake>, messages: u32) -> Result<(), Closed> {
        let receipts = Some((self.receipts.clone(), messages));
        self.surroundings.pipeline.clone().submit(intakes, receipts).await
    }

    fn take(
        &self,
        publish: &Publish,
        directory: &crate::directory::Directory,
        received: jiff::Timestamp,
        intakes: &mut Vec<Intake>,
    ) {
        let (topic, payload) = (publish.topic.as_str(), publish.payload.as_ref());
        if payload.len() > PAYLOAD_BYTES_MAX {
            intakes.push(self.too_large(topic, payload, received));
            return;
        }
        let route = self.subscriptions.iter().find_map(|subscription| subscription.route(topic));
        let message = Message { topic, payload, received };
        let publisher = Publisher::Link { name: &self.name, cooperatives: &self.cooperatives };
        let quantities = &self.surroundings.quantities;
        // Whether it was allowed or is a dead letter: the broker has done its part.
        resolve(message, route, publisher, directory, quantities, intakes);
    }

    fn too_large(&self, topic: &str, payload: &[u8], received: jiff::Timestamp) -> Intake {
        let hash = hexadecimal(&Sha256::digest(payload).into());
        Intake::DeadLetter(DeadLetter {
            reason: DeadLetterReason::TooLarge,
            device: None,
            sender: Some(Sender::Link(self.name.clone())),
            topic: topic.to_owned(),
            received,
            payload: payload[..HEAD_KEPT].to_vec(),
            detail: format!(
                "payload of {} bytes, wanted at most {PAYLOAD_BYTES_MAX}; SHA-256 {hash}",
                payload.len()
            ),
        })
    }
}

/// Acknowledges in the order received, each once it is on disk. Not in the polling task: that would
/// wait for a channel which only it empties.
async fn acknowledge(
    mut in_order: mpsc::UnboundedReceiver<u16>,
    receipts: Receipts,
    client: AsyncClient,
) {
    let mut acknowledged = 0;
    while let Some(id) = in_order.recv().await {
        while receipts.done() <= acknowledged {
            receipts.changed().await;
        }
        let mut publish = Publish::new("", QoS::AtLeastOnce, Vec::new());
        publish.pkid = id;
        if client.ack(&publish).await.is_err() {
            return;
        }
        acknowledged += 1;
    }
}
