//! Properties: what is written reads back the same, and no bytes do harm.

use jiff::Timestamp;
use plotwise_config::reading::{DepthMm, Flags, Identity, Observation, QuantityNo, Reading};
use proptest::prelude::*;

use super::{bytes_of, catalogue, decode_bytes, device, encoded, received};
use crate::decode::senml::{to_cbor, to_json};
use cbor4ii::core::Value as Cbor;

fn reading() -> impl Strategy<Value = ((u16, Option<u16>), f64)> {
    let quantities = u16::try_from(catalogue().quantities().len()).unwrap();
    // 300 mm is the device's own depth, which is not written.
    let depth = proptest::option::of((0..=60_000_u16).prop_filter("own depth", |mm| *mm != 300));
    let value = prop_oneof![
        proptest::num::f64::NORMAL,
        (-100_000..100_000_i32).prop_map(|whole| f64::from(whole) / 1000.0),
        Just(0.0),
    ];
    ((0..quantities, depth), value)
}

fn observation() -> impl Strategy<Value = Observation> {
    let readings = proptest::collection::btree_map(
        reading().prop_map(|(key, _)| key),
        reading().prop_map(|(_, value)| value),
        1..20,
    );
    let time_ms = 946_684_800_000..received().as_millisecond() + 86_400_000;
    (readings, time_ms).prop_map(|(readings, time_ms)| Observation {
        device: device(),
        measured: Timestamp::from_millisecond(time_ms).unwrap(),
        received: received(),
        claimed: None,
        identity: Identity::MeasuredTime,
        seq: None,
        supersede: false,
        readings: readings
            .into_iter()
            .map(|((quantity, depth), value)| Reading {
                quantity: QuantityNo(quantity),
                depth: depth.map(DepthMm),
                value,
                flags: Flags::NONE,
            })
            .collect(),
    })
}

/// CBOR values of any shape, leaning towards what a pack has.
fn cbor() -> impl Strategy<Value = Cbor> {
    let leaf = prop_oneof![
        (-7..10_i64).prop_map(|label| Cbor::Integer(label.into())),
        any::<i64>().prop_map(|whole| Cbor::Integer(whole.into())),
        any::<f64>().prop_map(Cbor::Float),
        any::<bool>().prop_map(Cbor::Bool),
        Just(Cbor::Null),
        prop_oneof![Just("soil_ph"), Just("n-07/"), Just("n"), Just("x_"), Just("%")]
            .prop_map(|text: &str| Cbor::Text(text.to_owned())),
        ".{0,8}".prop_map(Cbor::Text),
        proptest::collection::vec(any::<u8>(), 0..8).prop_map(Cbor::Bytes),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Cbor::Array),
            proptest::collection::vec((inner.clone(), inner.clone()), 0..8).prop_map(Cbor::Map),
            (0..8_u64, inner).prop_map(|(tag, value)| Cbor::Tag(tag, Box::new(value))),
        ]
    })
}

proptest! {
    #[test]
    fn an_observation_reads_back_from_json_and_cbor(written in observation()) {
        let quantities = catalogue().quantities();
        let from_json = decode_bytes(to_json(&written, quantities).as_bytes());
        let from_cbor = decode_bytes(&to_cbor(&written, quantities));
        prop_assert_eq!(&from_json.problems, &[]);
        prop_assert_eq!(&from_json.observations, &[written]);
        prop_assert_eq!(&from_cbor, &from_json);
    }

    #[test]
    fn bytes_of_any_kind_never_panic(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
        decode_bytes(&payload);
        decode_bytes(&[&[0x9f, 0xbf][..], &payload].concat());
    }

    #[test]
    fn cbor_of_any_shape_never_panics(value in cbor(), cut in any::<prop::sample::Index>()) {
        let whole = encoded(&Cbor::Array(vec![value.clone(), Cbor::Map(vec![(Cbor::Integer(2), value)])]));
        decode_bytes(&whole);
        decode_bytes(&whole[..cut.index(whole.len())]);
    }

    #[test]
    fn a_flipped_bit_never_panics(bit in any::<prop::sample::Index>()) {
        let mut payload = bytes_of(super::MULTIPLE_CBOR);
        let bit = bit.index(payload.len() * 8);
        payload[bit / 8] ^= 1 << (bit % 8);
        decode_bytes(&payload);
    }

    #[test]
    fn words_of_json_in_any_order_never_panic(
        words in proptest::collection::vec(
            prop_oneof![
                Just("{"), Just("}"), Just("["), Just("]"), Just(","), Just(":"), Just("\"bn\""), Just("\"n\""),
                Just("\"v\""), Just("\"t\""), Just("\"bt\""), Just("\"soil_ph\""), Just("\"bver\""), Just("NaN"),
                Just("1e999"), Just("-"), Just("\""), Just("5"), Just("null"), Just("true"), Just("\"x_\""),
            ],
            0..40,
        )
    ) {
        decode_bytes(words.concat().as_bytes());
    }
}
