//! Packets to and from a broker: rumqttc makes the connection and knows the format.
//!
//! Its event loop copies every message, wakes for every acknowledgement and flushes each by itself. So
//! only its first poll is used, which connects, shakes hands and waits for CONNACK; then its network
//! is driven from here: acknowledgements of a batch go out in one write. Measured as CPU a message, that
//! costs a quarter.

use std::{
    future::{Future as _, poll_fn},
    io,
    pin::pin,
    task::Poll,
    time::Duration,
};

use rumqttc::{
    ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, Packet, StateError,
    mqttbytes::Error as FormatError,
};
use tokio::time::timeout;

use super::Link;

/// How long a broker may take from the first packet of TCP to its CONNACK. A busy one that takes on many
/// at once is slow to answer.
const CONNECT_PATIENCE_S: u64 = 30;

/// How long a broker may take to take what is written: PUBACKs of some bytes each.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);

/// A connection that a broker has accepted.
pub(super) struct Wire {
    events: EventLoop,
    /// Whether the broker remembers what was subscribed.
    pub(super) is_session_kept: bool,
}

impl Wire {
    /// Connects.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped gives the attempt up. To poll it beside other things again and again would
    /// be never to wait out a slow CONNACK.
    pub(super) async fn connect(link: &Link, options: MqttOptions) -> Result<Self, String> {
        let mut events = EventLoop::new(options, 1);
        events.network_options.set_connection_timeout(CONNECT_PATIENCE_S);
        events.network_options.set_tcp_nodelay(true);
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(answer))) => {
                Ok(Self { events, is_session_kept: answer.session_present })
            }
            Ok(_) => Err("the broker answered CONNECT with something else".to_owned()),
            Err(error) => Err(refusal(link, &error)),
        }
    }

    /// The next packet. Cancel safe.
    pub(super) async fn read(&mut self) -> Result<Packet, String> {
        let Some(network) = &mut self.events.network else { return Err(closed()) };
        network.read().await.map_err(|error| failure(&error))
    }

    /// The next packet where it is there already.
    pub(super) async fn read_at_once(&mut self) -> Option<Result<Packet, String>> {
        poll_fn(|context| match pin!(self.read()).poll(context) {
            Poll::Ready(packet) => Poll::Ready(Some(packet)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    /// Writes packets, together.
    pub(super) async fn write(
        &mut self,
        packets: impl IntoIterator<Item = Packet>,
    ) -> Result<(), String> {
        let Some(network) = &mut self.events.network else { return Err(closed()) };
        let written = async {
            for packet in packets {
                network.write(packet).await?;
            }
            network.flush().await
        };
        match timeout(WRITE_PATIENCE, written).await {
            Ok(written) => written.map_err(|error| failure(&error)),
            Err(_) => Err(format!("the broker took nothing for {} s", WRITE_PATIENCE.as_secs())),
        }
    }
}

fn closed() -> String {
    "the broker closed the connection".to_owned()
}

/// Why an established connection ended.
fn failure(error: &StateError) -> String {
    match error {
        StateError::ConnectionAborted => closed(),
        StateError::Deserialization(FormatError::Io(error)) | StateError::Io(error) => {
            format!("the connection to the broker broke: {error}")
        }
        error => format!("the broker sent what is no MQTT: {error}"),
    }
}

/// Why a connection was not made, in words that say what to do about it.
fn refusal(link: &Link, error: &ConnectionError) -> String {
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => "the broker refuses username or password".to_owned(),
        ConnectionError::ConnectionRefused(ConnectReturnCode::BadClientId) => {
            "the broker refuses the client_id".to_owned()
        }
        ConnectionError::ConnectionRefused(ConnectReturnCode::RefusedProtocolVersion) => {
            "the broker does not speak MQTT 3.1.1".to_owned()
        }
        ConnectionError::ConnectionRefused(ConnectReturnCode::ServiceUnavailable) => {
            "the broker takes nobody on at the moment".to_owned()
        }
        ConnectionError::NetworkTimeout => {
            format!("no answer from the broker in {CONNECT_PATIENCE_S} s")
        }
        ConnectionError::MqttState(StateError::ConnectionAborted) => {
            "the broker closed the connection before it answered; does that port want TLS?"
                .to_owned()
        }
        // TLS 1.3 says after the handshake that it wanted a certificate of us.
        ConnectionError::MqttState(
            StateError::Deserialization(FormatError::Io(error)) | StateError::Io(error),
        ) if link.tls.is_some() => link.said_of_tls(error),
        ConnectionError::MqttState(error) => failure(error),
        ConnectionError::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            "nobody listens at the broker's address".to_owned()
        }
        ConnectionError::Tls(rumqttc::TlsError::Io(error)) => link.said_of_tls(error),
        error => error.to_string(),
    }
}
