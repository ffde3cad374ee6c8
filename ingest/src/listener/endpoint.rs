//! One connection's side of the protocol: bytes in, bytes and intakes out; no socket, no clock.

mod greeting;
mod refusals;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use jiff::Timestamp;
use mqtt_protocol_core::mqtt::{
    Connection, Version,
    common::Cursor,
    connection::{ConnectionOptions, Event},
    packet::{GenericPacketTrait as _, Packet, Property, Qos, v3_1_1, v5_0},
    result_code::{DisconnectReasonCode, MqttError, PubackReasonCode},
    role,
};
use plotwise_config::id::DeviceId;

use super::{
    ListenerCounters, ListenerOptions,
    frame::{Frame, Piece, TooLarge},
};
use crate::{
    credential::hexadecimal,
    decode::Decoders,
    directory::Directory,
    intake::{DeadLetter, DeadLetterReason, Intake, Sender},
    resolve::{Message, Publisher, Verdict, resolve},
    topic::own_route,
};

/// Refused publications of one connection that are kept as dead letters; more are only counted.
const REFUSED_KEPT: u32 = 10;

/// Topics of one connection that may have a number instead of a name (MQTT 5, 3.3.2.3.4): a sensor has
/// one, a gateway some.
const TOPIC_ALIASES_MAX: u16 = 16;

/// A topic with an alias is remembered: it may not be longer, bytes.
const ALIASED_TOPIC_BYTES_MAX: usize = 1024;

/// First byte of a CONNECT (MQTT 3.1.1, 3.1.1).
const CONNECT: u8 = 0x10;

/// Why a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The client said goodbye or hung up.
    ByPeer,
    /// Wrong credentials.
    NotAuthorized,
    /// Not let in for another reason.
    Refused,
    /// The client broke the protocol.
    Protocol(String),
    /// A packet over the limit.
    TooLarge,
    /// A publication under a name that is not the client's, in a version that has no code for it.
    NotAllowed,
    /// A newer connection took the client id.
    TakenOver,
    /// The device was removed, or its token changed.
    Revoked,
    /// Nothing came for one and a half times the keep-alive, or no CONNECT in time.
    TimedOut,
    /// The listener ends.
    ShuttingDown,
    /// The socket failed, or the client does not take its acknowledgements.
    Io(std::io::ErrorKind),
}

/// What the endpoint asks of its surroundings.
pub(super) struct Context<'c> {
    pub(super) directory: &'c Directory,
    pub(super) decoders: &'c Decoders,
    pub(super) received: Timestamp,
}

/// The client, once it is let in.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) device: DeviceId,
    pub(super) id: Option<String>,
    pub(super) is_gateway: bool,
    pub(super) keep_alive: Option<Duration>,
    token_sha256: Option<[u8; 32]>,
}

/// One connection's protocol.
pub(super) struct Endpoint {
    protocol: Connection<role::Server>,
    frame: Frame,
    options: ListenerOptions,
    counters: Arc<ListenerCounters>,
    is_full: bool,
    is_begun: bool,
    /// Whether a DISCONNECT with a reason has been said.
    is_told: bool,
    refused: u32,
    client: Option<Client>,
    /// `QoS` 1 messages in the order received, and whether the publisher was allowed to.
    unacknowledged: VecDeque<(u16, bool)>,
    /// Bytes for the client.
    pub(super) out: Vec<u8>,
    /// What is to be stored.
    pub(super) intakes: Vec<Intake>,
    /// `QoS` 1 messages that `intakes` stands for.
    pub(super) unsubmitted: u32,
    /// Messages of any kind, ever.
    pub(super) messages: u64,
    /// Those of them that were no telemetry.
    pub(super) ignored: u64,
    /// Set once the connection is to end.
    pub(super) end: Option<End>,
}

impl Endpoint {
    pub(super) fn new(
        options: ListenerOptions,
        counters: Arc<ListenerCounters>,
        is_full: bool,
    ) -> Self {
        // MQTT 3.1.1 knows no receive maximum: the machine would end a connection for what only
        // version 5 announces, so that limit is set in the CONNACK of version 5.
        let limits = ConnectionOptions::new().maximum_packet_size_recv(options.packet_bytes_max);
        Self {
            protocol: Connection::with_options(Version::Undetermined, limits),
            frame: Frame::new(options.packet_bytes_max),
            options,
            counters,
            is_full,
            is_begun: false,
            is_told: false,
            refused: 0,
            client: None,
            unacknowledged: VecDeque::new(),
            out: Vec::new(),
            intakes: Vec::new(),
            unsubmitted: 0,
            messages: 0,
            ignored: 0,
            end: None,
        }
    }

    /// The client, once it is let in.
    pub(super) fn client(&self) -> Option<&Client> {
        self.client.as_ref()
    }

    /// How many `QoS` 1 messages wait for their acknowledgement.
    pub(super) fn in_flight(&self) -> usize {
        self.unacknowledged.len()
    }

    /// Takes what the socket gave.
    pub(super) fn receive(&mut self, mut input: &[u8], context: &Context<'_>) {
        if self.is_revoked(context.directory) {
            self.disconnect(DisconnectReasonCode::NotAuthorized, End::Revoked);
        }
        // Nothing but a CONNECT can be first: a browser need not send all of its request.
        if !self.is_begun && input.first().is_some_and(|first| *first != CONNECT) {
            self.end = Some(End::Protocol("no CONNECT".to_owned()));
        }
        self.is_begun = true;
        while self.end.is_none() && !input.is_empty() {
            match self.frame.next(&mut input) {
                Piece::Packet(bytes) => self.machine(bytes, context),
                Piece::Header(bytes, count) => self.machine(&bytes[..count], context),
                Piece::TooLarge(packet) => self.too_large(packet, context),
                Piece::None => {}
            }
            if self.client.is_some() {
                self.frame.let_in(self.options.packet_bytes_max);
            }
        }
    }

    /// Acknowledges the oldest `messages` of those that wait: they are on disk.
    pub(super) fn acknowledge(&mut self, messages: u64) {
        for _ in 0..messages {
            let Some((id, is_allowed)) = self.unacknowledged.pop_front() else { return };
            if is_allowed {
                // The machine only has to know; the four bytes are the same in both versions.
                self.note_acknowledged(id);
                let [high, low] = id.to_be_bytes();
                self.out.extend_from_slice(&[0x40, 2, high, low]);
            } else {
                let puback = v5_0::Puback::builder()
                    .packet_id(id)
                    .reason_code(PubackReasonCode::NotAuthorized)
                    .build();
                self.send(puback);
            }
        }
    }

    /// Ends the connection, with a reason where the version has them.
    pub(super) fn disconnect(&mut self, reason: DisconnectReasonCode, end: End) {
        if self.end.is_some() {
            return;
        }
        self.end = Some(end);
        if self.is_v5() && self.client.is_some() {
            self.send(v5_0::Disconnect::builder().reason_code(reason).build());
        }
    }

    /// Whether the client has been told how many messages it may have in flight, and holds to it.
    pub(super) fn knows_its_window(&self) -> bool {
        self.is_v5()
    }

    fn is_v5(&self) -> bool {
        self.protocol.get_protocol_version() == Version::V5_0
    }

    fn is_revoked(&self, directory: &Directory) -> bool {
        self.client.as_ref().is_some_and(|client| {
            let entry = directory.entry(client.device.as_str());
            entry.is_none_or(|entry| entry.token_sha256 != client.token_sha256)
        })
    }

    fn note_acknowledged(&mut self, id: u16) {
        let events = match self.protocol.get_protocol_version() {
            Version::V5_0 => v5_0::Puback::builder()
                .packet_id(id)
                .build()
                .map(|puback| self.protocol.checked_send(puback)),
            _ => v3_1_1::Puback::builder()
                .packet_id(id)
                .build()
                .map(|puback| self.protocol.checked_send(puback)),
        };
        drop(events);
    }

    fn machine(&mut self, bytes: &[u8], context: &Context<'_>) {
        let mut cursor = Cursor::new(bytes);
        while self.end.is_none() && cursor.position() < bytes.len() as u64 {
            for event in self.protocol.recv(&mut cursor) {
                self.event(event, Some(context));
            }
        }
    }

    /// Sends a packet; one that cannot even be built ends the connection.
    fn send(&mut self, packet: Result<impl Into<Packet>, MqttError>) {
        match packet {
            Ok(packet) => {
                for event in self.protocol.send(packet.into()) {
                    self.event(event, None);
                }
            }
            Err(error) => self.broken(error),
        }
    }

    fn event(&mut self, event: Event, context: Option<&Context<'_>>) {
        match event {
            Event::NotifyPacketReceived(packet) => {
                if let (Some(context), None) = (context, &self.end) {
                    self.packet(packet, context);
                }
            }
            Event::RequestSendPacket { packet, .. } => {
                self.is_told |= matches!(packet, Packet::V5_0Disconnect(_));
                self.out.extend_from_slice(&packet.to_continuous_buffer());
            }
            Event::NotifyError(error) => self.broken(error),
            Event::RequestClose => {
                self.end.get_or_insert_with(|| End::Protocol("closed".to_owned()));
            }
            // Keep-alive is the session's: it knows when it does not read on purpose.
            Event::RequestTimerReset { .. }
            | Event::RequestTimerCancel(_)
            | Event::NotifyPacketIdReleased(_) => {}
        }
    }

    fn broken(&mut self, error: MqttError) {
        if error == MqttError::UnsupportedProtocolVersion && self.client.is_none() {
            // CONNACK "unacceptable protocol level" (MQTT 3.1.1, 3.1.2.2).
            self.out.extend_from_slice(&[0x20, 2, 0, 1]);
        }
        match error {
            MqttError::ReceiveMaximumExceeded => self.counters.refused_window(),
            MqttError::TopicAliasInvalid => self.counters.refused_alias(),
            _ => {}
        }
        if self.is_v5() && self.client.is_some() && !self.is_told {
            // By hand: the machine takes nothing more.
            self.is_told = true;
            self.out.extend_from_slice(&[0xE0, 1, DisconnectReasonCode::from(error) as u8]);
        }
        if self.end.is_none() || matches!(self.end, Some(End::Protocol(_))) {
            self.end = Some(End::Protocol(error.to_string()));
        }
    }

    fn packet(&mut self, packet: Packet, context: &Context<'_>) {
        match packet {
            Packet::V3_1_1Connect(connect) => self.greet_v3_1_1(&connect, context),
            Packet::V5_0Connect(connect) => self.greet_v5(&connect, context),
            _ if self.client.is_none() => self.broken(MqttError::ProtocolError),
            Packet::V3_1_1Publish(publish) => {
                let payload = publish.payload().as_slice();
                self.publish(
                    publish.topic_name(),
                    payload,
                    publish.qos(),
                    publish.packet_id(),
                    context,
                );
            }
            Packet::V5_0Publish(publish) => {
                let is_alias = |property: &Property| matches!(property, Property::TopicAlias(_));
                if publish.topic_name().len() > ALIASED_TOPIC_BYTES_MAX
                    && publish.props().iter().any(is_alias)
                {
                    self.counters.refused_alias();
                    let end = End::Protocol("an alias of a long topic".to_owned());
                    return self.disconnect(DisconnectReasonCode::QuotaExceeded, end);
                }
                let payload = publish.payload().as_slice();
                self.publish(
                    publish.topic_name(),
                    payload,
                    publish.qos(),
                    publish.packet_id(),
                    context,
                );
            }
            Packet::V3_1_1Pingreq(_) => self.send(v3_1_1::Pingresp::builder().build()),
            Packet::V5_0Pingreq(_) => self.send(v5_0::Pingresp::builder().build()),
            Packet::V3_1_1Disconnect(_) | Packet::V5_0Disconnect(_) => self.end = Some(End::ByPeer),
            Packet::V3_1_1Subscribe(subscribe) => self.refuse_v3_1_1(&subscribe),
            Packet::V5_0Subscribe(subscribe) => self.refuse_v5(&subscribe),
            Packet::V3_1_1Unsubscribe(unsubscribe) => self.unsubscribe_v3_1_1(&unsubscribe),
            Packet::V5_0Unsubscribe(unsubscribe) => self.unsubscribe_v5(&unsubscribe),
            _ => {
                let end = End::Protocol("a packet that no publisher sends".to_owned());
                self.disconnect(DisconnectReasonCode::ProtocolError, end);
            }
        }
    }

    fn publish(
        &mut self,
        topic: &str,
        payload: &[u8],
        qos: Qos,
        id: Option<u16>,
        context: &Context<'_>,
    ) {
        if qos == Qos::ExactlyOnce {
            self.counters.refused_qos();
            let end = End::Protocol("QoS 2".to_owned());
            return self.disconnect(DisconnectReasonCode::QosNotSupported, end);
        }
        if !is_topic_name(topic) {
            let end = End::Protocol("a topic that is no topic name".to_owned());
            return self.disconnect(DisconnectReasonCode::TopicNameInvalid, end);
        }
        // The machine lets it pass, and no acknowledgement could name it (MQTT 3.1.1, 2.3.1).
        if id == Some(0) {
            let end = End::Protocol("packet id 0".to_owned());
            return self.disconnect(DisconnectReasonCode::ProtocolError, end);
        }
        let Some(client) = &self.client else { return };
        let publisher = Publisher::Token(client.device.as_str());
        let message = Message { topic, payload, received: context.received };
        let route = own_route(topic);
        let before = self.intakes.len();
        let verdict = resolve(
            message,
            route,
            publisher,
            context.directory,
            context.decoders,
            &mut self.intakes,
        );
        self.messages += 1;
        let is_allowed = verdict != Verdict::NotAllowed;
        self.ignored += u64::from(verdict == Verdict::Ignored);
        if !is_allowed {
            self.counters.refused_publication();
            self.refused += 1;
            if self.refused > REFUSED_KEPT {
                self.intakes.truncate(before);
            }
            if !self.is_v5() {
                self.end = Some(End::NotAllowed);
                return;
            }
        }
        if let Some(id) = id.filter(|_| qos == Qos::AtLeastOnce) {
            self.unacknowledged.push_back((id, is_allowed));
            self.unsubmitted += 1;
        }
    }

    fn too_large(&mut self, packet: TooLarge, context: &Context<'_>) {
        self.counters.refused_size();
        if let (Some(client), 3) = (&self.client, packet.first >> 4) {
            let topic = topic_of(&packet.head);
            let hash = packet.sha256.map_or_else(|| "unread".to_owned(), |hash| hexadecimal(&hash));
            let limit = self.options.packet_bytes_max;
            let detail = format!(
                "packet of {} bytes, wanted at most {limit}; SHA-256 of its body {hash}",
                packet.length
            );
            self.intakes.push(Intake::DeadLetter(DeadLetter {
                reason: DeadLetterReason::TooLarge,
                device: Some(client.device.clone()),
                sender: Some(Sender::Token(client.device.to_string())),
                topic,
                received: context.received,
                payload: packet.head,
                detail,
            }));
        }
        self.disconnect(DisconnectReasonCode::PacketTooLarge, End::TooLarge);
    }
}

/// What may be published to: not empty, no wildcard, no NUL (MQTT 3.1.1, 3.3.2.1 and 4.7.3).
fn is_topic_name(topic: &str) -> bool {
    !topic.is_empty() && !topic.contains(['+', '#', '\0'])
}

/// The topic at the start of a PUBLISH's body, as far as it is there and is text.
fn topic_of(body: &[u8]) -> String {
    let Some((length, rest)) = body.split_first_chunk::<2>() else { return String::new() };
    let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
    String::from_utf8_lossy(&rest[..length]).into_owned()
}
