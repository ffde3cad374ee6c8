//! A link: subscribes to a broker that is already there, at `QoS` 1, with a session that the broker
//! keeps.
//!
//! ```text
//! broker --> wire --> queue --> decode, resolve --> pipeline
//!    ^        |  (one task)                           |
//!    +--------+ <--- PUBACKs of a batch, in order <---+ receipts
//! ```
//!
//! # An epoch is an object
//!
//! A packet id names another message after a reconnect; acknowledging it then would lose that message
//! in silence. So every connection gets receipts, a queue and ids of its own, and all of them are dropped
//! with it: there is no way from an old message to a new connection. What was not acknowledged comes
//! again, and the store's key makes it harmless.
//!
//! # Pushing back
//!
//! Where the store is slow, acknowledgements wait, the broker's window closes and it keeps what
//! follows. Reading goes on meanwhile, so that pings are answered; only when the room for what came in
//! anyway (`QoS` 0 has no window) is full does reading stop, as the last resort.
//!
//! # Subscribing
//!
//! Once after each start, because the settings may have changed since, and whenever the broker kept no
//! session. Not otherwise: brokers send retained messages anew for each subscription.
//!
//! # What it leaves out
//!
//! MQTT 5: every broker that speaks it speaks 3.1.1.

mod epoch;
mod wire;

#[cfg(test)]
mod tests;

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use jiff::Timestamp;
use plotwise_config::{
    id::CooperativeId,
    settings::{LinkSettings, LinkTls, Secret},
};
use rumqttc::{MqttOptions, TlsConfiguration, Transport};
use tokio::sync::watch;
use tokio_rustls::rustls;

use epoch::Epoch;
use wire::Wire;

use crate::{
    surroundings::{Surroundings, stopped},
    tls::{TlsError, client_config, explain},
    topic::{BadFilter, Subscription},
};

/// First pause before connecting again; doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(500);

/// Longest pause before connecting again.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// How often the broker hears from us.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// The largest packet that MQTT knows (3.1.1, 2.2.3). A smaller limit than the broker's would make one
/// large message of a kept session end every connection anew.
const PACKET_BYTES_MAX: usize = 268_435_460;

/// A link that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Not an address of a broker.
    #[error(
        "{found:?} is no address of a broker; wanted mqtt://HOST[:PORT] or mqtts://HOST[:PORT]"
    )]
    Url {
        /// What was found.
        found: String,
    },
    /// A filter that names no device.
    #[error(transparent)]
    Filter(#[from] BadFilter),
    /// Certificates that cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// How a link is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Not connected yet.
    Connecting,
    /// Subscribed.
    Up {
        /// Since when.
        since: Timestamp,
    },
    /// Not connected; tries again.
    Down {
        /// Since when.
        since: Timestamp,
        /// What went wrong last.
        error: String,
    },
}

/// A link to one broker.
#[derive(Debug)]
pub struct Link {
    host: String,
    port: u16,
    client_id: String,
    credentials: Option<(String, Secret)>,
    tls: Option<LinkTls>,
    cooperatives: Vec<CooperativeId>,
    share: Option<String>,
    subscriptions: Vec<Subscription>,
    state: watch::Sender<LinkState>,
    /// Whether the broker has accepted the subscriptions since this process began.
    is_subscribed: AtomicBool,
}

/// Why a connection ended.
enum Ended {
    /// It was time to.
    Stopped,
    /// It was lost, or never made.
    Lost(String),
}

impl Link {
    /// A link as the settings describe it.
    ///
    /// # Errors
    ///
    /// [`LinkError`] for an address, a filter or a certificate that cannot work.
    pub fn new(settings: &LinkSettings) -> Result<Self, LinkError> {
        let (host, port) =
            settings.broker().ok_or_else(|| LinkError::Url { found: settings.url.clone() })?;
        let subscriptions = settings
            .subscriptions
            .iter()
            .map(|subscription| {
                Subscription::parse(&subscription.filter, subscription.decoder.clone())
            })
            .collect::<Result<_, _>>()?;
        let tls = settings.is_tls().then(|| settings.tls.clone().unwrap_or_default());
        if let Some(tls) = &tls {
            client_config(tls)?;
        }
        let password = settings.password.clone().unwrap_or_else(|| Secret::new(""));
        Ok(Self {
            host: host.to_owned(),
            port,
            client_id: settings.client_id.clone(),
            credentials: settings.username.clone().map(|name| (name, password)),
            tls,
            cooperatives: settings.cooperatives.clone(),
            share: settings.share.clone(),
            subscriptions,
            state: watch::Sender::new(LinkState::Connecting),
            is_subscribed: AtomicBool::new(false),
        })
    }

    /// `client_id@host:port`, for logs and metrics: several links may go to one broker.
    pub fn name(&self) -> String {
        format!("{}@{}:{}", self.client_id, self.host, self.port)
    }

    /// How it is, and a way to hear when that changes.
    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.state.subscribe()
    }

    /// Serves until `shutdown` turns true; what came in is acknowledged first, within seconds.
    pub async fn run(self, surroundings: Surroundings) {
        let mut shutdown = surroundings.shutdown.clone();
        let name = self.name();
        let mut failures = 0;
        loop {
            let error = match self.connect_once(&surroundings).await {
                Ended::Stopped => return,
                Ended::Lost(error) => error,
            };
            if matches!(*self.state.borrow(), LinkState::Up { .. }) {
                failures = 0;
            }
            let pause = self.pause(failures);
            failures += 1;
            self.down(surroundings.clock.now(), &error);
            let pause_ms = pause.as_millis();
            tracing::warn!(
                link = name,
                error,
                pause_ms,
                "link to {name} is down, next attempt in {pause_ms} ms: {error}"
            );
            tokio::select! {
                () = stopped(&mut shutdown) => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Connects and serves until the connection is lost or it is time to end.
    async fn connect_once(&self, surroundings: &Surroundings) -> Ended {
        let options = match self.options() {
            Ok(options) => options,
            Err(error) => return Ended::Lost(error.to_string()),
        };
        let mut shutdown = surroundings.shutdown.clone();
        let wire = tokio::select! {
            biased;
            () = stopped(&mut shutdown) => return Ended::Stopped,
            wire = Wire::connect(self, options) => wire,
        };
        let wire = match wire {
            Ok(wire) => wire,
            Err(error) => return Ended::Lost(error),
        };
        let is_subscribed = wire.is_session_kept && self.is_subscribed.load(Ordering::Relaxed);
        let mut epoch = Epoch::new(self, surroundings, wire);
        if is_subscribed {
            self.up(surroundings.clock.now());
        } else if let Err(error) = epoch.subscribe().await {
            return Ended::Lost(error);
        }
        epoch.run().await
    }

    /// The broker has accepted the subscriptions.
    fn subscribed(&self, now: Timestamp) {
        self.is_subscribed.store(true, Ordering::Relaxed);
        self.up(now);
    }

    fn down(&self, now: Timestamp, error: &str) {
        self.state.send_modify(|state| {
            let since = match state {
                LinkState::Down { since, .. } => *since,
                _ => now,
            };
            *state = LinkState::Down { since, error: error.to_owned() };
        });
    }

    fn up(&self, now: Timestamp) {
        self.state.send_replace(LinkState::Up { since: now });
        let name = self.name();
        tracing::info!(link = name, "link to {name} is up");
    }

    /// A pause between half and the whole of what the failures call for. Which part depends on the
    /// client id: links that lost the same broker do not all come back at once.
    fn pause(&self, failures: u32) -> Duration {
        let whole = PAUSE_MIN.saturating_mul(1 << failures.min(16)).min(PAUSE_MAX);
        let mut hasher = DefaultHasher::new();
        (&self.client_id, failures).hash(&mut hasher);
        let part =
            f64::from(u32::try_from(hasher.finish() >> 32).unwrap_or(0)) / f64::from(u32::MAX);
        whole.mul_f64(0.5 + part / 2.0)
    }

    fn options(&self) -> Result<MqttOptions, TlsError> {
        let mut options = MqttOptions::new(&self.client_id, &self.host, self.port);
        options
            .set_clean_session(false)
            .set_manual_acks(true)
            .set_keep_alive(KEEP_ALIVE)
            .set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
        if let Some((name, password)) = &self.credentials {
            options.set_credentials(name, password.reveal());
        }
        if let Some(tls) = &self.tls {
            let config = TlsConfiguration::Rustls(client_config(tls)?);
            options.set_transport(Transport::tls_with_config(config));
        }
        Ok(options)
    }

    /// What went wrong with TLS, in words that say what to do about it.
    fn said_of_tls(&self, error: &io::Error) -> String {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match (inner, &self.tls) {
            (Some(inner), Some(settings)) => format!("TLS: {}", explain(inner, settings)),
            _ if matches!(
                error.kind(),
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
            ) =>
            {
                "TLS: the broker closed the connection; does that port speak TLS?".to_owned()
            }
            _ => format!("TLS: {error}"),
        }
    }

    /// The filters as they are sent, with the group of a shared subscription.
    fn filters(&self) -> impl Iterator<Item = rumqttc::SubscribeFilter> {
        self.subscriptions.iter().map(|subscription| {
            let filter = subscription.filter();
            let path = match &self.share {
                Some(group) => format!("$share/{group}/{filter}"),
                None => filter.to_owned(),
            };
            rumqttc::SubscribeFilter::new(path, rumqttc::QoS::AtLeastOnce)
        })
    }
}
