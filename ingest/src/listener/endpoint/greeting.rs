//! CONNECT and its answer.

use std::time::Duration;

use mqtt_protocol_core::mqtt::{
    packet::{
        AssignedClientIdentifier, MaximumPacketSize, MaximumQos, Property, Qos, ReceiveMaximum,
        SessionExpiryInterval, SharedSubscriptionAvailable, SubscriptionIdentifierAvailable,
        TopicAliasMaximum, WildcardSubscriptionAvailable, v3_1_1, v5_0,
    },
    result_code::{ConnectReasonCode, ConnectReturnCode, MqttError},
};

use super::{Client, Context, End, Endpoint, TOPIC_ALIASES_MAX};
use crate::{directory::Entry, listener::admission::admit};

impl Endpoint {
    pub(super) fn greet_v3_1_1(&mut self, connect: &v3_1_1::Connect, context: &Context<'_>) {
        let refusal = if self.is_full {
            self.counters.refused_full();
            Some((ConnectReturnCode::ServerUnavailable, End::Refused))
        } else if connect.client_id().is_empty() && !connect.clean_session() {
            // MQTT 3.1.1, 3.1.3.1: without a name there is nothing to keep a session under.
            Some((ConnectReturnCode::IdentifierRejected, End::Refused))
        } else {
            match admit(context.directory, connect.user_name(), connect.password()) {
                None => {
                    self.counters.refused_credentials();
                    Some((ConnectReturnCode::NotAuthorized, End::NotAuthorized))
                }
                Some(entry) => {
                    let name = connect.user_name().unwrap_or_default();
                    let client_id = Some(connect.client_id()).filter(|id| !id.is_empty());
                    self.client = client(context, name, entry, client_id, connect.keep_alive());
                    None
                }
            }
        };
        let code = match refusal {
            None => ConnectReturnCode::Accepted,
            Some((code, end)) => {
                self.end = Some(end);
                code
            }
        };
        self.send(v3_1_1::Connack::builder().session_present(false).return_code(code).build());
    }

    pub(super) fn greet_v5(&mut self, connect: &v5_0::Connect, context: &Context<'_>) {
        let asks_more = |property: &Property| matches!(property, Property::AuthenticationMethod(_));
        let refusal = if self.is_full {
            self.counters.refused_full();
            Some((ConnectReasonCode::QuotaExceeded, End::Refused))
        } else if connect.props().iter().any(asks_more) {
            Some((ConnectReasonCode::BadAuthenticationMethod, End::Refused))
        } else if connect.will_flag() && connect.will_qos() == Qos::ExactlyOnce {
            // No will is ever sent, but more than was announced may not be promised (3.2.2.3.4).
            self.counters.refused_qos();
            Some((ConnectReasonCode::QosNotSupported, End::Refused))
        } else {
            match admit(context.directory, connect.user_name(), connect.password()) {
                None => {
                    self.counters.refused_credentials();
                    Some((ConnectReasonCode::NotAuthorized, End::NotAuthorized))
                }
                Some(entry) => {
                    let name = connect.user_name().unwrap_or_default();
                    let client_id = Some(connect.client_id()).filter(|id| !id.is_empty());
                    self.client = client(context, name, entry, client_id, connect.keep_alive());
                    None
                }
            }
        };
        let connack = match refusal {
            None => self.welcome(connect),
            Some((code, end)) => {
                self.end = Some(end);
                v5_0::Connack::builder().session_present(false).reason_code(code).build()
            }
        };
        self.send(connack);
    }

    /// What this endpoint can do, said once (MQTT 5, 3.2.2.3).
    fn welcome(&self, connect: &v5_0::Connect) -> Result<v5_0::Connack, MqttError> {
        let mut properties: Vec<Property> = vec![
            MaximumQos::new(1)?.into(),
            MaximumPacketSize::new(self.options.packet_bytes_max)?.into(),
            ReceiveMaximum::new(self.options.in_flight_max)?.into(),
            TopicAliasMaximum::new(TOPIC_ALIASES_MAX)?.into(),
            WildcardSubscriptionAvailable::new(0)?.into(),
            SubscriptionIdentifierAvailable::new(0)?.into(),
            SharedSubscriptionAvailable::new(0)?.into(),
        ];
        let keeps = |property: &Property| matches!(property, Property::SessionExpiryInterval(_));
        if connect.props().iter().any(keeps) {
            properties.push(SessionExpiryInterval::new(0)?.into());
        }
        if connect.client_id().is_empty() {
            let name = connect.user_name().unwrap_or_default();
            properties.push(AssignedClientIdentifier::new(format!("plotwise-{name}"))?.into());
        }
        v5_0::Connack::builder()
            .session_present(false)
            .reason_code(ConnectReasonCode::Success)
            .props(properties)
            .build()
    }
}

fn client(
    context: &Context<'_>,
    name: &str,
    entry: &Entry,
    client_id: Option<&str>,
    keep_alive_s: u16,
) -> Option<Client> {
    // One and a half times the keep-alive; 0 switches it off (MQTT 3.1.1, 3.1.2.10).
    let patience = Duration::from_millis(u64::from(keep_alive_s) * 1500);
    Some(Client {
        device: context.directory.id(name)?.clone(),
        id: client_id.map(str::to_owned),
        is_gateway: entry.is_gateway,
        keep_alive: (keep_alive_s > 0).then_some(patience),
        token_sha256: entry.token_sha256,
    })
}
