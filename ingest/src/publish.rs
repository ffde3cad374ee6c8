//! Publishing as sensors do, at `QoS` 1: for `simulate`, `replay` and the demo's made-up sensors.
//!
//! Every sender has a connection of its own and keeps what was not acknowledged; when the connection
//! is lost it connects again and sends that once more, in order. So a message is published at least
//! once, and what the receiver promises can be held against it.
//!
//! It speaks MQTT 3.1.1 by itself, in few bytes and fewer allocations: a load made on the machine that
//! it measures must leave that machine to what is measured.
//!
//! # What it leaves out
//!
//! Making the messages: a sender is handed [`Messages`], which are asked for the next one only when
//! there is room in the window. Subscribing, `QoS` 0 and 2, sessions that outlive a connection.

mod connection;
mod latency;
mod packet;
mod window;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use plotwise_config::settings::Secret;
use serde::Serialize;
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::Instant,
};

use connection::{Tally, send_all};

/// A message to be published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// Not before so long after the start; zero for as soon as possible.
    pub due: Duration,
}

/// Messages, one after the other. Every iterator of [`Outgoing`] is that; who makes millions fills the
/// same one again and again instead.
pub trait Messages: Send {
    /// Replaces `message`, which is an earlier one, by the next; false where there is none.
    fn fill(&mut self, message: &mut Outgoing) -> bool;
}

impl<I: Iterator<Item = Outgoing> + Send> Messages for I {
    fn fill(&mut self, message: &mut Outgoing) -> bool {
        self.next().map(|next| *message = next).is_some()
    }
}

/// Told topic and payload of every message that is acknowledged.
#[derive(Clone)]
pub struct Receipt(Arc<Mutex<Told>>);

type Told = dyn FnMut(&[u8], &[u8]) + Send;

impl Receipt {
    /// Calls `told` with topic and payload.
    pub fn new(told: impl FnMut(&[u8], &[u8]) + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(told)))
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Receipt")
    }
}

/// One connection and what it publishes.
pub struct Sender {
    /// Client id; unique among the senders.
    pub client_id: String,
    /// User name and password.
    pub credentials: Option<(String, Secret)>,
    /// In the order in which they are sent.
    pub messages: Box<dyn Messages>,
}

/// How to publish.
#[derive(Clone, Debug)]
pub struct PublishOptions {
    /// Host of the listener or broker.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Messages of one connection that wait for their acknowledgement, at least 1.
    pub window: u16,
    /// Connections at a time, at least 1; senders beyond it wait for their turn.
    pub connections: usize,
    /// How long to go on without a single acknowledgement.
    pub patience: Duration,
    /// How long a connection stays after the last acknowledgement.
    pub hold: Duration,
    /// Told of every acknowledgement.
    pub receipt: Option<Receipt>,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PublishReport {
    /// Messages that were sent, each counted once.
    pub sent: u64,
    /// Messages that were acknowledged.
    pub acknowledged: u64,
    /// From the start to the last acknowledgement.
    pub seconds: f64,
    /// Acknowledged messages a second.
    pub per_second: f64,
    /// Median time from first sending to acknowledgement, milliseconds.
    pub p50_ms: f64,
    /// 99th percentile of the same.
    pub p99_ms: f64,
}

/// Why publishing ended before everything was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The credentials are wrong.
    #[error("{address} does not let {user:?} in: wrong name or password")]
    NotAuthorized {
        /// Of the listener or broker.
        address: String,
        /// User name.
        user: String,
    },
    /// No connection, or none that lasts.
    #[error(
        "{address}: {reason}; nothing was acknowledged for {patience_s} s, {waiting} messages of {client_id} wait"
    )]
    NoProgress {
        /// Of the listener or broker.
        address: String,
        /// Whose messages.
        client_id: String,
        /// What went wrong last.
        reason: String,
        /// How long it was tried, seconds.
        patience_s: u64,
        /// Messages sent and not acknowledged.
        waiting: usize,
    },
}

/// Publishes everything that the senders have; ends early, without an error, when `stop` turns true.
///
/// # Errors
///
/// The first [`PublishError`] of a sender, which ends the others too.
pub async fn publish(
    options: &PublishOptions,
    senders: impl IntoIterator<Item = Sender>,
    stop: watch::Receiver<bool>,
) -> Result<PublishReport, PublishError> {
    let options = Arc::new(options.clone());
    let tally = Arc::new(Tally::default());
    let seats = Arc::new(Semaphore::new(options.connections.max(1)));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for sender in senders {
        // Never closed, so there always is one.
        let seat = Arc::clone(&seats).acquire_owned().await.ok();
        while let Some(ended) = tasks.try_join_next() {
            outcome(ended)?;
        }
        let (options, tally, stop) = (Arc::clone(&options), Arc::clone(&tally), stop.clone());
        tasks.spawn(async move {
            let _seat = seat;
            send_all(&options, sender, start, &tally, stop).await
        });
    }
    while let Some(ended) = tasks.join_next().await {
        outcome(ended)?;
    }
    Ok(tally.report())
}

fn outcome(
    ended: Result<Result<(), PublishError>, tokio::task::JoinError>,
) -> Result<(), PublishError> {
    match ended {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Aborted: only by dropping the set, and then nobody asks.
            Err(_) => Ok(()),
        },
    }
}
