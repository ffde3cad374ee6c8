//! SUBSCRIBE and UNSUBSCRIBE: nobody is sent anything here.

use mqtt_protocol_core::mqtt::{
    packet::{v3_1_1, v5_0},
    result_code::{SubackReasonCode, SubackReturnCode, UnsubackReasonCode},
};

use super::Endpoint;

impl Endpoint {
    pub(super) fn refuse_v3_1_1(&mut self, subscribe: &v3_1_1::Subscribe) {
        self.counters.refused_subscription();
        let codes = vec![SubackReturnCode::Failure; subscribe.entries().len()];
        let id = subscribe.packet_id();
        self.send(v3_1_1::Suback::builder().packet_id(id).return_codes(codes).build());
    }

    pub(super) fn refuse_v5(&mut self, subscribe: &v5_0::Subscribe) {
        self.counters.refused_subscription();
        let codes = vec![SubackReasonCode::NotAuthorized; subscribe.entries().len()];
        let id = subscribe.packet_id();
        self.send(v5_0::Suback::builder().packet_id(id).reason_codes(codes).build());
    }

    pub(super) fn unsubscribe_v3_1_1(&mut self, unsubscribe: &v3_1_1::Unsubscribe) {
        let id = unsubscribe.packet_id();
        self.send(v3_1_1::Unsuback::builder().packet_id(id).build());
    }

    pub(super) fn unsubscribe_v5(&mut self, unsubscribe: &v5_0::Unsubscribe) {
        let codes = vec![UnsubackReasonCode::NoSubscriptionExisted; unsubscribe.entries().len()];
        let id = unsubscribe.packet_id();
        self.send(v5_0::Unsuback::builder().packet_id(id).reason_codes(codes).build());
    }
}
