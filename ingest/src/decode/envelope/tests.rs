//! The sample messages are those of `ChirpStack`'s and The Things Stack's documentation (events.md,
//! data-formats), shortened, with an object that a maker's decoder gave.

use std::sync::LazyLock;

use plotwise_config::{
    catalogue::Catalogue,
    id::{CooperativeId, DeviceId},
    reading::Observation,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const CHIRPSTACK: &str = include_str!("tests/chirpstack-up.json");
const THINGS_STACK: &str = include_str!("tests/things-stack-uplink.json");

struct Tried {
    catalogue: Catalogue,
    decoders: Decoders,
}

static TRIED: LazyLock<Tried> = LazyLock::new(Tried::new);

impl Tried {
    fn new() -> Self {
        let catalogue = Catalogue::shipped().unwrap();
        let decoders = Decoders::new(&catalogue);
        Self { catalogue, decoders }
    }

    /// What a message comes to for a device with this profile; `None` where it is an event of another
    /// kind.
    fn decode(&self, server: Server, payload: &[u8], profile: &str) -> Option<(String, Decoded)> {
        let id = DeviceId::parse("0101010101010101").unwrap();
        let entry = Entry {
            cooperative: CooperativeId::parse("ningxiang").unwrap(),
            profile: profile.to_owned(),
            is_gateway: false,
            token_sha256: None,
            own_depths: Vec::new(),
        };
        let received = "2026-01-01T00:00:00Z".parse().unwrap();
        open(server, payload, |event| match event {
            Ok(Event::Uplink(uplink)) => {
                let decoded = uplink.decode(payload, &id, &entry, received, &self.decoders);
                Some((uplink.device, decoded))
            }
            Ok(Event::NoTelemetry) => None,
            Err(refused) => Some((String::new(), Decoded::nothing(refused.reason, refused.detail))),
        })
    }

    fn one(&self, server: Server, payload: &Value, profile: &str) -> Observation {
        let payload = payload.to_string();
        let (_, decoded) = self.decode(server, payload.as_bytes(), profile).unwrap();
        assert_eq!(decoded.problems, []);
        let [one] = decoded.observations.as_slice() else { panic!("{decoded:?}") };
        one.clone()
    }

    /// `key value` of each reading.
    fn readings(&self, one: &Observation) -> Vec<String> {
        let shown = one.readings.iter().map(|reading| {
            let key = &self.catalogue.quantity(reading.quantity).key;
            format!("{key} {:.4}", reading.value)
        });
        shown.collect()
    }
}

fn sample(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn an_event_of_chirpstack_is_a_reading_at_the_servers_time() {
    let tried = &*TRIED;
    let one = tried.one(Server::ChirpStack, &sample(CHIRPSTACK), "dragino_lse01");
    assert_eq!(one.measured, "2022-07-18T09:34:15.775023242Z".parse().unwrap());
    assert_eq!((one.identity, one.claimed, one.seq), (Identity::MeasuredTime, None, None));
    let wanted = [
        "soil_moisture 0.1957",
        "soil_temperature 24.5900",
        "soil_ec 28.2000",
        "battery_v 3.6250",
        "rssi -36.0000",
        "snr 10.5000",
    ];
    assert_eq!(tried.readings(&one), wanted);
    assert!(one.readings.iter().all(|reading| reading.flags == Flags::NONE));
}

#[test]
fn a_message_of_the_things_stack_is_a_reading_at_the_gateways_time() {
    let tried = &*TRIED;
    let (device, _) =
        tried.decode(Server::ThingsStack, THINGS_STACK.as_bytes(), "dragino_lse01").unwrap();
    assert_eq!(device, "a84041000181c061");
    let one = tried.one(Server::ThingsStack, &sample(THINGS_STACK), "dragino_lse01");
    assert_eq!(one.measured, "2020-02-12T15:15:45.787Z".parse().unwrap());
    assert_eq!(one.identity, Identity::MeasuredTime);
    let wanted = [
        "soil_moisture 0.1957",
        "soil_temperature 24.5900",
        "soil_ec 28.2000",
        "battery_v 3.6250",
        "rssi -35.0000",
        "snr 5.0000",
    ];
    assert_eq!(tried.readings(&one), wanted);
}

#[test]
fn a_device_without_an_eui_is_known_by_its_id() {
    let tried = &*TRIED;
    let mut message = sample(THINGS_STACK);
    message["end_device_ids"].as_object_mut().unwrap().remove("dev_eui");
    let text = message.to_string();
    let (device, _) = tried.decode(Server::ThingsStack, text.as_bytes(), "native").unwrap();
    assert_eq!(device, "dev1");
}

#[test]
fn a_gateway_with_a_wrong_clock_does_not_date_the_reading() {
    let tried = &*TRIED;
    let server: Timestamp = "2020-02-12T15:15:45.789585559Z".parse().unwrap();
    for (gateway, wanted) in [
        ("1980-01-06T00:00:37Z", server),
        ("2020-02-12T15:17:00Z", server),
        // Held back while the line was down.
        ("2020-02-12T09:00:00Z", "2020-02-12T09:00:00Z".parse().unwrap()),
        ("", server),
    ] {
        let mut message = sample(THINGS_STACK);
        message["uplink_message"]["settings"]["time"] = json!(gateway);
        let one = tried.one(Server::ThingsStack, &message, "dragino_lse01");
        assert_eq!(one.measured, wanted, "{gateway}");
    }
    let mut message = sample(THINGS_STACK);
    let uplink = message["uplink_message"].as_object_mut().unwrap();
    uplink.remove("settings");
    uplink.remove("received_at");
    let one = tried.one(Server::ThingsStack, &message, "dragino_lse01");
    assert_eq!(one.measured, "2020-02-12T15:15:46.014773143Z".parse().unwrap());
}

#[test]
fn zeros_that_were_left_out_are_zeros_and_large_numbers_may_be_text() {
    let tried = &*TRIED;
    let mut message = sample(THINGS_STACK);
    let uplink = message["uplink_message"].as_object_mut().unwrap();
    uplink.remove("f_cnt");
    uplink.remove("received_at");
    uplink.remove("settings");
    uplink["rx_metadata"][0].as_object_mut().unwrap().remove("snr");
    message.as_object_mut().unwrap().remove("received_at");
    let absent = tried.one(Server::ThingsStack, &message, "dragino_lse01");
    assert_eq!(tried.readings(&absent).last().unwrap(), "snr 0.0000");
    for zero in [json!(0), json!("0")] {
        message["uplink_message"]["f_cnt"] = zero;
        let written = tried.one(Server::ThingsStack, &message, "dragino_lse01");
        assert_eq!(written.identity, absent.identity);
    }
    message["uplink_message"]["f_cnt"] = json!(1);
    let next = tried.one(Server::ThingsStack, &message, "dragino_lse01");
    assert_ne!(next.identity, absent.identity);
    // The port decides what is device information.
    let mut message = sample(CHIRPSTACK);
    message["fPort"] = json!("5");
    let text = message.to_string();
    let (_, decoded) = tried.decode(Server::ChirpStack, text.as_bytes(), "dragino_lse01").unwrap();
    assert!(decoded.ignored.is_some());
}

#[test]
fn without_a_time_the_servers_id_or_the_frame_counter_makes_a_message_itself() {
    let tried = &*TRIED;
    let mut message = sample(CHIRPSTACK);
    message.as_object_mut().unwrap().remove("time");
    let by_id = tried.one(Server::ChirpStack, &message, "dragino_lse01");
    assert!(matches!(by_id.identity, Identity::Network(_)));
    assert_eq!(by_id.measured, by_id.received);
    assert!(by_id.readings.iter().all(|reading| reading.flags == Flags::TIME_FROM_ARRIVAL));
    message["deduplicationId"] = json!("3ac7e3c4-4401-4b8d-9386-a5c902f9202e");
    let other = tried.one(Server::ChirpStack, &message, "dragino_lse01");
    assert_ne!(other.identity, by_id.identity);
    message.as_object_mut().unwrap().remove("deduplicationId");
    let by_frame = tried.one(Server::ChirpStack, &message, "dragino_lse01");
    assert!(matches!(by_frame.identity, Identity::Session(_)));
    // Joined again: another session, the same counter.
    message["devAddr"] = json!("00189441");
    let joined = tried.one(Server::ChirpStack, &message, "dragino_lse01");
    assert_ne!(joined.identity, by_frame.identity);
    message.as_object_mut().unwrap().remove("devAddr");
    let by_payload = tried.one(Server::ChirpStack, &message, "dragino_lse01");
    message["fCnt"] = json!(13);
    let later = tried.one(Server::ChirpStack, &message, "dragino_lse01");
    assert!(matches!(by_payload.identity, Identity::Payload(_)));
    assert_ne!(by_payload.identity, later.identity);
}

#[test]
fn a_network_whose_clock_is_wrong_does_not_date_the_reading() {
    let tried = &*TRIED;
    for (time, is_claimed) in
        [("2099-01-01T00:00:00Z", true), ("1970-01-01T00:00:00Z", true), ("now", false)]
    {
        let mut message = sample(CHIRPSTACK);
        message["time"] = json!(time);
        let one = tried.one(Server::ChirpStack, &message, "dragino_lse01");
        assert_eq!((one.measured, one.claimed.is_some()), (one.received, is_claimed), "{time}");
        assert!(matches!(one.identity, Identity::Network(_)));
    }
}

#[test]
fn events_of_another_kind_are_no_telemetry() {
    let tried = &*TRIED;
    let device = json!({ "devEui": "0101010101010101" });
    let chirpstack = [
        json!({ "deduplicationId": "c9", "time": "2022-07-18T09:33:28Z", "deviceInfo": device, "devAddr": "00189440" }),
        json!({ "deduplicationId": "bf", "deviceInfo": device, "margin": 10, "batteryLevel": 88.3 }),
        json!({ "deviceInfo": device, "queueItemId": "1b", "acknowledged": true, "fCntDown": 3 }),
        json!({ "downlinkId": 3_461_958_127_u32, "deviceInfo": device, "queueItemId": "42", "gatewayId": "00", "txInfo": {} }),
        json!({ "deviceInfo": device, "level": "ERROR", "code": "UPLINK_MIC", "description": "MIC" }),
        json!({ "deviceInfo": device, "location": { "latitude": 37.3, "longitude": -8.8 } }),
        json!({ "deviceInfo": device, "integrationName": "loracloud", "eventType": "modem", "object": { "a": 1 } }),
    ];
    for event in chirpstack {
        let text = event.to_string();
        let found = tried.decode(Server::ChirpStack, text.as_bytes(), "dragino_lse01");
        assert!(found.is_none(), "{text}: {found:?}");
    }
    let ids = json!({ "device_id": "dev1", "dev_eui": "0004A30B001C0530" });
    let things_stack = [
        json!({ "end_device_ids": ids, "join_accept": { "session_key_id": "AXBSH1Pk6Z0G166RlH16CQ==" } }),
        json!({ "end_device_ids": ids, "downlink_ack": { "f_port": 15, "f_cnt": 1, "frm_payload": "vu8=" } }),
        json!({ "end_device_ids": ids, "downlink_failed": { "error": { "code": 3 } } }),
        json!({ "end_device_ids": ids, "downlinks": [{ "f_port": 15, "decoded_payload": { "temperature": 1.0 } }] }),
    ];
    for event in things_stack {
        let text = event.to_string();
        let found = tried.decode(Server::ThingsStack, text.as_bytes(), "dragino_lse01");
        assert!(found.is_none(), "{text}: {found:?}");
    }
}

#[test]
fn a_frame_that_the_server_did_not_decode_asks_for_a_codec() {
    let tried = &*TRIED;
    let mut message = sample(CHIRPSTACK);
    message.as_object_mut().unwrap().remove("object");
    let decode = |message: &Value| {
        let text = message.to_string();
        tried.decode(Server::ChirpStack, text.as_bytes(), "dragino_lse01").unwrap().1
    };
    let decoded = decode(&message);
    assert_eq!(decoded.problems[0].reason, DeadLetterReason::WrongShape);
    assert!(decoded.problems[0].detail.contains("codec"), "{decoded:?}");
    // Device information that has no codec is none the less no telemetry.
    message["fPort"] = json!(5);
    assert!(decode(&message).ignored.is_some());
    message["fPort"] = json!(0);
    assert!(decode(&message).ignored.is_some());
    message["fPort"] = json!(2);
    message["data"] = json!("");
    assert!(decode(&message).ignored.is_some());
}

#[test]
fn an_object_in_plotwises_own_json_needs_no_profile() {
    let tried = &*TRIED;
    let mut message = sample(CHIRPSTACK);
    message["object"] = json!({ "readings": { "soil_moisture": 0.2 }, "battery": 0.9 });
    let one = tried.one(Server::ChirpStack, &message, "native");
    assert_eq!(one.measured, "2022-07-18T09:34:15.775023242Z".parse().unwrap());
    assert_eq!(one.identity, Identity::MeasuredTime);
    assert!(one.readings.iter().all(|reading| reading.flags == Flags::NONE));
    let mut readings = tried.readings(&one);
    readings.sort();
    assert_eq!(
        readings,
        ["battery 0.9000", "rssi -36.0000", "snr 10.5000", "soil_moisture 0.2000"]
    );
    // The device's own clock is better than the network's.
    message["object"]["time"] = json!("2022-07-18T09:30:00Z");
    let one = tried.one(Server::ChirpStack, &message, "native");
    assert_eq!(one.measured, "2022-07-18T09:30:00Z".parse().unwrap());
    message.as_object_mut().unwrap().remove("time");
    message["object"].as_object_mut().unwrap().remove("time");
    let one = tried.one(Server::ChirpStack, &message, "native");
    assert!(matches!(one.identity, Identity::Network(_)));
    assert!(one.readings.iter().all(|reading| reading.flags == Flags::TIME_FROM_ARRIVAL));
}

#[test]
fn a_device_that_nobody_gave_its_profile_is_told_so() {
    let tried = &*TRIED;
    let (_, decoded) = tried.decode(Server::ChirpStack, CHIRPSTACK.as_bytes(), "native").unwrap();
    assert_eq!(decoded.problems[0].reason, DeadLetterReason::WrongShape);
    assert!(decoded.problems[0].detail.contains("plotwise profiles list"), "{decoded:?}");
    let (_, decoded) = tried.decode(Server::ChirpStack, CHIRPSTACK.as_bytes(), "gone").unwrap();
    assert!(decoded.problems[0].detail.contains("\"gone\""), "{decoded:?}");
}

#[test]
fn infinities_of_a_codec_cost_their_reading_only() {
    let tried = &*TRIED;
    let text = CHIRPSTACK.replace("\"water_SOIL\": 19.57", "\"water_SOIL\": NaN");
    let (_, decoded) = tried.decode(Server::ChirpStack, text.as_bytes(), "dragino_lse01").unwrap();
    assert_eq!(decoded.observations[0].readings.len(), 5);
}

#[test]
fn what_is_no_envelope_says_what_was_wanted() {
    let tried = &*TRIED;
    for (payload, reason) in [
        ("", DeadLetterReason::NotJson),
        ("{", DeadLetterReason::NotJson),
        ("[]", DeadLetterReason::WrongShape),
        ("{}", DeadLetterReason::WrongShape),
        (r#"{"deviceInfo": 5, "end_device_ids": 5}"#, DeadLetterReason::WrongShape),
        (
            r#"{"deviceInfo": {"devEui": 5}, "end_device_ids": {}, "object": {}}"#,
            DeadLetterReason::WrongShape,
        ),
    ] {
        for server in [Server::ChirpStack, Server::ThingsStack] {
            let (_, decoded) = tried.decode(server, payload.as_bytes(), "dragino_lse01").unwrap();
            assert_eq!(decoded.problems[0].reason, reason, "{server:?} {payload}");
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z0-9:.+ -]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-z_]{1,8}", inner, 0..4).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #[test]
    fn bytes_of_any_kind_never_panic(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        let tried = &*TRIED;
        for server in [Server::ChirpStack, Server::ThingsStack] {
            tried.decode(server, &payload, "dragino_lse01");
        }
    }

    #[test]
    fn an_envelope_with_anything_in_it_never_panics(
        place in 0_usize..14, value in any_json(), profile in 0_usize..9,
    ) {
        let tried = &*TRIED;
        let profiles = tried.catalogue.profiles();
        let profile = profiles.get(profile).map_or("native", |profile| profile.key.as_str());
        let (mut chirpstack, mut things_stack) = (sample(CHIRPSTACK), sample(THINGS_STACK));
        let key = ["deduplicationId", "time", "deviceInfo", "devAddr", "fPort", "data", "rxInfo", "object", "fCnt"];
        chirpstack[key[place % key.len()]] = value.clone();
        let key = ["session_key_id", "f_cnt", "frm_payload", "decoded_payload", "rx_metadata", "settings", "received_at", "f_port"];
        things_stack["uplink_message"][key[place % key.len()]] = value;
        tried.decode(Server::ChirpStack, chirpstack.to_string().as_bytes(), profile);
        tried.decode(Server::ThingsStack, things_stack.to_string().as_bytes(), profile);
    }
}
