use jiff::Timestamp;
use plotwise_config::{
    catalogue::quantity::{Quantity, UnitConversion},
    id::{CooperativeId, DeviceId},
    reading::{DepthMm, Flags, Identity, QuantityNo, Reading},
    text::Text,
};
use proptest::prelude::*;

use super::decode_native;
use crate::{
    decode::{Decoded, Quantities},
    directory::Entry,
    intake::DeadLetterReason,
};

const RECEIVED_S: i64 = 1_767_225_700;

fn quantity(key: &str, unit: &str, accepts: Vec<UnitConversion>) -> Quantity {
    let name = Text { zh: key.to_owned(), en: key.to_owned() };
    Quantity {
        key: key.to_owned(),
        name,
        unit: unit.to_owned(),
        unit_shown: String::new(),
        hard: [-1e9, 1e9],
        soft: None,
        flag_above: None,
        stuck: None,
        in_soil: true,
        from_sample: false,
        decimals: 3,
        source: "made up for tests".to_owned(),
        accepts,
    }
}

fn quantities() -> Quantities {
    let percent = UnitConversion {
        units: vec!["%".to_owned()],
        scale: 0.01,
        offset: 0.0,
        absolute: false,
        example: [25.0, 0.25],
    };
    Quantities::of(&[
        quantity("soil_moisture", "m3/m3", vec![percent]),
        quantity("soil_ph", "[pH]", vec![]),
        quantity("battery", "1", vec![]),
    ])
}

fn entry() -> Entry {
    Entry {
        cooperative: CooperativeId::parse("ningxiang").unwrap(),
        profile: "native".to_owned(),
        is_gateway: false,
        token_sha256: None,
        own_depths: vec![(Timestamp::UNIX_EPOCH, DepthMm::from_metres(0.3))],
    }
}

fn decode(payload: &[u8]) -> Decoded {
    let device = DeviceId::parse("n-07").unwrap();
    let received = Timestamp::from_second(RECEIVED_S).unwrap();
    decode_native(payload, &device, &entry(), received, &quantities())
}

fn reasons(decoded: &Decoded) -> Vec<DeadLetterReason> {
    decoded.problems.iter().map(|problem| problem.reason).collect()
}

fn good(quantity: u16, depth: Option<u16>, value: f64) -> Reading {
    Reading { quantity: QuantityNo(quantity), depth: depth.map(DepthMm), value, flags: Flags::NONE }
}

#[test]
fn an_object_becomes_one_observation() {
    let decoded = decode(
        br#"{"time": 1767225600000, "seq": 17, "battery": 0.91, "firmware": {"a": [1]},
            "readings": {"soil_moisture": 0.231, "soil_moisture@0.6": {"value": 25.2, "unit": "%"}}}"#,
    );
    assert_eq!(decoded.problems, []);
    let [one] = decoded.observations.as_slice() else { panic!("{decoded:?}") };
    assert_eq!(one.measured, "2026-01-01T00:00:00Z".parse().unwrap());
    assert_eq!((one.seq, one.identity), (Some(17), Identity::MeasuredTime));
    let wanted = [good(2, None, 0.91), good(0, None, 0.231), good(0, Some(600), 0.252)];
    assert_eq!(one.readings, wanted);
}

#[test]
fn time_is_text_or_seconds_or_milliseconds() {
    let times = ["1767225600", "1767225600.0", "1767225600000", "\"2026-01-01T08:00:00+08:00\""];
    for time in times {
        let decoded = decode(format!(r#"{{"readings":{{"soil_ph":5}},"time":{time}}}"#).as_bytes());
        let measured = decoded.observations[0].measured;
        assert_eq!(measured, "2026-01-01T00:00:00Z".parse().unwrap(), "{time}");
    }
}

#[test]
fn a_time_that_cannot_be_one_is_stored_at_arrival() {
    for (time, is_claimed) in [("12", true), ("1767400000", true), ("-1e300", false)] {
        let decoded = decode(format!(r#"{{"time":{time},"readings":{{"soil_ph":5}}}}"#).as_bytes());
        let one = &decoded.observations[0];
        assert_eq!(one.measured, one.received, "{time}");
        assert_eq!(one.claimed.is_some(), is_claimed, "{time}");
        assert_eq!(one.readings[0].flags, Flags::TIME_FROM_ARRIVAL);
        assert!(matches!(one.identity, Identity::Payload(_)));
    }
}

#[test]
fn without_a_time_the_counter_is_the_identity() {
    let decoded = decode(br#"{"seq": 4, "readings": {"soil_ph": 5.4}}"#);
    assert_eq!(decoded.observations[0].identity, Identity::Sequence(4));
    assert_eq!(decoded.observations[0].claimed, None);
}

#[test]
fn elements_without_time_or_counter_are_told_apart() {
    let decoded = decode(br#"[{"readings":{"soil_ph":5}},{"readings":{"soil_ph":5}}]"#);
    assert_ne!(decoded.observations[0].identity, decoded.observations[1].identity);
}

#[test]
fn an_unknown_quantity_costs_that_reading_only() {
    let decoded = decode(br#"{"readings": {"soil_moistrue": 0.2, "soil_ph": 5.4}}"#);
    assert_eq!(decoded.observations[0].readings.len(), 1);
    assert_eq!(reasons(&decoded), [DeadLetterReason::UnknownQuantity]);
    assert!(decoded.problems[0].detail.contains("did you mean soil_moisture?"));
}

#[test]
fn an_unknown_unit_names_those_that_are_known() {
    let decoded = decode(br#"{"readings": {"soil_moisture": {"value": 2, "unit": "bar"}}}"#);
    assert_eq!(reasons(&decoded), [DeadLetterReason::UnknownUnit]);
    assert!(decoded.problems[0].detail.contains("m3/m3, %"), "{}", decoded.problems[0].detail);
}

#[test]
fn a_value_that_is_not_finite_costs_that_reading_only() {
    for value in ["NaN", "-Infinity", "1e999", "null", "\"NaN\""] {
        let payload = format!(
            r#"{{"note":"NaN \" 1e999","readings":{{"soil_moisture":{value},"soil_ph":5.4}}}}"#
        );
        let decoded = decode(payload.as_bytes());
        assert_eq!(reasons(&decoded), [DeadLetterReason::NotFinite], "{value}");
        assert_eq!(
            decoded.observations[0].readings,
            [Reading { flags: Flags::TIME_FROM_ARRIVAL, ..good(1, None, 5.4) }]
        );
    }
}

#[test]
fn the_devices_own_depth_written_out_is_the_same_reading() {
    let decoded = decode(br#"{"readings": {"soil_ph@0.30": 5.4, "soil_ph": 5.4}}"#);
    assert_eq!(decoded.problems, []);
    assert_eq!(decoded.observations[0].readings.len(), 1);
    assert_eq!(decoded.observations[0].readings[0].depth, None);
}

#[test]
fn two_values_for_one_quantity_are_a_conflict() {
    let decoded = decode(br#"{"readings": {"soil_ph@0.3": 5.4, "soil_ph": 5.5}}"#);
    assert_eq!(reasons(&decoded), [DeadLetterReason::Conflict]);
    assert!((decoded.observations[0].readings[0].value - 5.4).abs() < 1e-12);
}

#[test]
fn elements_of_an_array_stand_or_fall_alone() {
    let decoded = decode(
        br#"[1, {"time": "soon", "readings": {"soil_ph": 5}}, {"readings": {"soil_ph": 5}}, {}]"#,
    );
    assert_eq!(decoded.observations.len(), 1);
    assert_eq!(reasons(&decoded), [DeadLetterReason::WrongShape]);
    let detail = &decoded.problems[0].detail;
    for place in ["element 0", "element 1", "element 3"] {
        assert!(detail.contains(place), "{detail}");
    }
}

#[test]
fn what_is_not_json_and_what_has_another_shape_are_told_apart() {
    for payload in [&b""[..], b"{", b"soil 5", b"{\"readings\":{}} x", b"\xff\xfe", &[b'['; 4000]] {
        assert_eq!(reasons(&decode(payload)), [DeadLetterReason::NotJson], "{payload:?}");
    }
    let shapes: [&[u8]; 7] = [
        b"[]",
        b"5",
        b"{}",
        br#"{"readings":[1]}"#,
        br#"{"readings":{}}"#,
        br#"{"seq":-1,"readings":{"soil_ph":5}}"#,
        br#"{"supersede":"yes","readings":{"soil_ph":5}}"#,
    ];
    for payload in shapes {
        let decoded = decode(payload);
        assert_eq!(reasons(&decoded), [DeadLetterReason::WrongShape], "{payload:?}");
        assert_eq!(decoded.observations, []);
    }
}

#[test]
fn a_thousand_mistakes_make_one_dead_letter() {
    let keys: Vec<String> = (0..1000).map(|n| format!(r#""q{n}":1"#)).collect();
    let decoded = decode(format!(r#"{{"readings":{{{}}}}}"#, keys.join(",")).as_bytes());
    assert_eq!(decoded.problems.len(), 1);
    assert!(decoded.problems[0].detail.len() < 2000);
}

proptest! {
    #[test]
    fn bytes_of_any_kind_never_panic(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        decode(&payload);
    }

    #[test]
    fn words_of_json_in_any_order_never_panic(
        words in proptest::collection::vec(
            prop_oneof![
                Just("{"), Just("}"), Just("["), Just("]"), Just(","), Just(":"), Just("\"time\""),
                Just("\"readings\""), Just("\"soil_ph@1\""), Just("\"value\""), Just("NaN"), Just("1e999"),
                Just("-"), Just("\\\""), Just("\""), Just("5"), Just("null"), Just("true"),
            ],
            0..40,
        )
    ) {
        decode(words.concat().as_bytes());
    }

    #[test]
    fn a_value_is_decoded_to_the_last_bit(
        value in proptest::num::f64::NORMAL, time in 946_684_800_i64..RECEIVED_S, seq in any::<u32>(),
    ) {
        let decoded = decode(format!(r#"{{"time":{time},"seq":{seq},"readings":{{"soil_ph":{value:?}}}}}"#).as_bytes());
        let one = &decoded.observations[0];
        prop_assert_eq!(one.readings[0].value.to_bits(), value.to_bits());
        prop_assert_eq!(one.measured.as_second(), time);
        prop_assert_eq!(one.seq, Some(u64::from(seq)));
    }
}
