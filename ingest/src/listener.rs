//! The listener: an MQTT endpoint that sensors and gateways connect to.
//!
//! It is no broker. It hands nothing on, keeps no session and no queue: every connection starts clean,
//! wills and the retain flag are ignored, SUBSCRIBE is refused by code. What a sensor published at
//! `QoS` 1 is acknowledged once it is on disk.
//!
//! ```text
//! socket -> frame (packet borders, too large) -> endpoint (protocol, sans I/O) -> intakes
//!   ^                                               |                               |
//!   +---- PUBACKs of a batch in one write <---------+--- receipts <--- pipeline <---+
//! ```
//!
//! MQTT 3.1.1 and 5 by mqtt-protocol-core; `QoS` 2 is refused as each version says. One task a
//! connection, without a read buffer while it is idle. TLS on an address of its own; the handshake runs in
//! the connection's task, so that who does not finish it holds up nobody.
//!
//! # Limits
//!
//! Packets, connections, messages a second and device, messages in flight: see [`ListenerOptions`].
//! Over a limit the client is told by the protocol's own means, or not read from for a while; either
//! is counted in [`ListenerCounters`].
//!
//! | | MQTT 3.1.1 | MQTT 5 |
//! |---|---|---|
//! | wrong credentials | CONNACK 5, later each time | CONNACK 0x87, later each time |
//! | too many connections | CONNACK 3 | CONNACK 0x97 |
//! | packet too large | closed | DISCONNECT 0x95 |
//! | too many in flight | not read from | announced; DISCONNECT 0x93 |
//! | too many a second | not read from | not read from |
//! | `QoS` 2 | closed | announced; DISCONNECT 0x9B |
//! | topic alias above 16 or unknown; 0 | - | announced; DISCONNECT 0x94; 0x82 |
//! | SUBSCRIBE | SUBACK 0x80 | SUBACK 0x87 |
//! | another's topic | closed | PUBACK 0x87 |
//! | nothing heard for 1.5 x keep-alive | closed | DISCONNECT 0x8D |
//! | client id taken over | closed | DISCONNECT 0x8E |
//! | token changed | closed | DISCONNECT 0x87 |
//! | a session to keep | CONNACK without one | session expiry answered with 0 |

mod admission;
mod counters;
mod endpoint;
mod frame;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod pace;
mod session;
mod stream;
mod takeover;

#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use plotwise_config::settings::ListenerLimits;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::timeout,
};

use crate::{
    surroundings::{Surroundings, stopped},
    task::AbortOnDrop,
    tls::ServerTls,
};

pub use counters::ListenerCounters;

use admission::Admission;
use pace::Paces;
use session::Session;
use stream::Stream;
use takeover::Takeover;

/// Connections over the limit that are told so at a time; more are closed without a word.
const REFUSALS_MAX: usize = 64;

/// Pause after the operating system refused a connection (no file descriptors left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What the listener may take on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerOptions {
    /// Largest packet, bytes, its header included.
    pub packet_bytes_max: u32,
    /// Connections at a time.
    pub connections_max: usize,
    /// Messages a second of one device, over all its connections; 0 for no limit. Gateways are held by the
    /// window alone.
    pub messages_per_s: u32,
    /// `QoS` 1 messages of one connection that wait for their acknowledgement.
    pub in_flight_max: u16,
    /// How long a client may take from connecting to its CONNECT, seconds.
    pub connect_within_s: u16,
}

impl Default for ListenerOptions {
    fn default() -> Self {
        Self {
            packet_bytes_max: 64 << 10,
            connections_max: 10_000,
            messages_per_s: 0,
            in_flight_max: 1_000,
            connect_within_s: 10,
        }
    }
}

impl From<ListenerLimits> for ListenerOptions {
    fn from(limits: ListenerLimits) -> Self {
        Self {
            packet_bytes_max: limits.packet_bytes_max,
            connections_max: usize::try_from(limits.connections_max).unwrap_or(usize::MAX),
            messages_per_s: limits.messages_per_second_max,
            in_flight_max: limits.in_flight_max,
            ..Self::default()
        }
    }
}

/// An address that could not be listened on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another program listens there.
    #[error(
        "{address} is in use by another program; end that one, or set another address in {setting}"
    )]
    InUse {
        /// Which address.
        address: SocketAddr,
        /// Where it is set.
        setting: &'static str,
    },
    /// This user may not.
    #[error(
        "this user may not listen on {address}; ports from 1024 need no privilege: set one in {setting}"
    )]
    NotPermitted {
        /// Which address.
        address: SocketAddr,
        /// Where it is set.
        setting: &'static str,
    },
    /// Anything else.
    #[error("cannot listen on {address}; wanted an address of this machine in {setting}")]
    Other {
        /// Which address.
        address: SocketAddr,
        /// Where it is set.
        setting: &'static str,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

/// A bound listener, not yet serving.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    encrypted: Option<(TcpListener, Arc<ServerTls>)>,
    options: ListenerOptions,
    counters: Arc<ListenerCounters>,
}

/// What the connections of one listener share.
struct Shared {
    options: ListenerOptions,
    counters: Arc<ListenerCounters>,
    surroundings: Surroundings,
    admission: Admission,
    takeover: Takeover,
    paces: Paces,
}

impl Listener {
    /// Listens on `address`; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// [`BindError`], which names the address and how to mend it.
    pub async fn bind(address: SocketAddr, options: ListenerOptions) -> Result<Self, BindError> {
        let socket = bind(address, "[mqtt.listener] listen").await?;
        Ok(Self { socket, encrypted: None, options, counters: Arc::default() })
    }

    /// Listens on `address` too, over TLS.
    ///
    /// # Errors
    ///
    /// [`BindError`], which names the address and how to mend it.
    pub async fn with_tls(
        mut self,
        address: SocketAddr,
        tls: Arc<ServerTls>,
    ) -> Result<Self, BindError> {
        self.encrypted = Some((bind(address, "[mqtt.listener.tls] listen").await?, tls));
        Ok(self)
    }

    /// Where it listens without TLS.
    ///
    /// # Errors
    ///
    /// Where the operating system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Where it listens over TLS, if it does.
    pub fn tls_addr(&self) -> Option<SocketAddr> {
        self.encrypted.as_ref().and_then(|(socket, _)| socket.local_addr().ok())
    }

    /// What its connections do.
    pub fn counters(&self) -> Arc<ListenerCounters> {
        Arc::clone(&self.counters)
    }

    /// Serves until `shutdown` turns true and every connection has got its acknowledgements, or has
    /// taken too long to take them.
    pub async fn run(self, surroundings: Surroundings) {
        let mut shutdown = surroundings.shutdown.clone();
        let _fresh = self.encrypted.as_ref().map(|(_, tls)| {
            let shutdown = shutdown.clone();
            AbortOnDrop::spawn(Arc::clone(tls).keep_fresh(surroundings.clock, shutdown))
        });
        let seats = Arc::new(Semaphore::new(self.options.connections_max));
        let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
        let shared = Arc::new(Shared {
            options: self.options,
            counters: self.counters,
            surroundings,
            admission: Admission::default(),
            takeover: Takeover::default(),
            paces: Paces::new(self.options.messages_per_s),
        });
        let mut sessions = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut shutdown) => break,
                Some(_) = sessions.join_next() => {}
                accepted = accept(&self.socket, self.encrypted.as_ref()) => match accepted {
                    Ok((stream, peer, tls)) => {
                        let Some((seat, is_full)) = seat(&seats, &refusals) else {
                            shared.counters.refused_full();
                            continue;
                        };
                        let shared = Arc::clone(&shared);
                        let tls = tls.map(Arc::clone);
                        sessions.spawn(serve(stream, tls, peer, shared, seat, is_full));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection: {error}");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop((self.socket, self.encrypted));
        while sessions.join_next().await.is_some() {}
    }
}

async fn bind(address: SocketAddr, setting: &'static str) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { address, setting },
        io::ErrorKind::PermissionDenied => BindError::NotPermitted { address, setting },
        _ => BindError::Other { address, setting, source },
    })
}

/// The next connection of either kind. Cancel safe.
async fn accept<'l>(
    plain: &TcpListener,
    encrypted: Option<&'l (TcpListener, Arc<ServerTls>)>,
) -> io::Result<(TcpStream, SocketAddr, Option<&'l Arc<ServerTls>>)> {
    let Some((socket, tls)) = encrypted else {
        return plain.accept().await.map(|(stream, peer)| (stream, peer, None));
    };
    tokio::select! {
        accepted = plain.accept() => accepted.map(|(stream, peer)| (stream, peer, None)),
        accepted = socket.accept() => accepted.map(|(stream, peer)| (stream, peer, Some(tls))),
    }
}

/// A seat for a connection; where all are taken, one for saying so.
fn seat(seats: &Arc<Semaphore>, refusals: &Arc<Semaphore>) -> Option<(OwnedSemaphorePermit, bool)> {
    let free = Arc::clone(seats).try_acquire_owned().map(|seat| (seat, false));
    free.or_else(|_| Arc::clone(refusals).try_acquire_owned().map(|seat| (seat, true))).ok()
}

async fn serve(
    stream: TcpStream,
    tls: Option<Arc<ServerTls>>,
    peer: SocketAddr,
    shared: Arc<Shared>,
    seat: OwnedSemaphorePermit,
    is_full: bool,
) {
    // An acknowledgement is small and somebody waits for it.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "no TCP_NODELAY for {peer}");
    }
    shared.counters.connected();
    let stream = match tls {
        None => Some(Stream::Plain(stream)),
        // Boxed: an idle connection without TLS shall not hold room for a handshake.
        Some(tls) => Box::pin(shake_hands(stream, &tls, peer, &shared)).await,
    };
    if let Some(stream) = stream {
        let ended = Session::new(stream, peer, Arc::clone(&shared), is_full).run().await;
        tracing::debug!(%peer, ?ended, "connection of {peer} ended: {ended:?}");
    }
    shared.counters.disconnected();
    drop(seat);
}

async fn shake_hands(
    stream: TcpStream,
    tls: &ServerTls,
    peer: SocketAddr,
    shared: &Shared,
) -> Option<Stream> {
    let patience = Duration::from_secs(shared.options.connect_within_s.into());
    let mut shutdown = shared.surroundings.shutdown.clone();
    let shaken = tokio::select! {
        biased;
        () = stopped(&mut shutdown) => return None,
        shaken = timeout(patience, tls.acceptor().accept(stream)) => shaken,
    };
    let error = match shaken {
        Ok(Ok(stream)) => return Some(stream.into()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("not finished in {} s", patience.as_secs()),
    };
    shared.counters.failed_handshake();
    tracing::debug!(%peer, error, "no TLS with {peer}: {error}");
    None
}
