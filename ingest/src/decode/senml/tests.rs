//! The examples and rules of RFC 8428; `rules` beside it, CBOR's own in `cbor`, properties in `any`.

mod any;
mod cbor;
mod rules;

use cbor4ii::core::{Value as Cbor, enc::Encode as _, utils::BufWriter};
use jiff::Timestamp;
use plotwise_config::{
    catalogue::{Catalogue, quantity::Quantity},
    id::{CooperativeId, DeviceId},
    reading::{DepthMm, Flags, Identity, Observation},
};
use serde_json::Value as Json;

use super::{decode_senml, record::Label};
use crate::{
    decode::{Decoded, Quantities},
    directory::Entry,
    intake::DeadLetterReason,
};

/// RFC 8428, 5.1.1.
const SINGLE: &str = r#"[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]"#;

/// RFC 8428, 5.1.2, figure 3.
const MULTIPLE: &str = r#"[
    {"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},
    {"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3},{"n":"current","t":-3,"v":1.4},
    {"n":"current","t":-2,"v":1.5},{"n":"current","t":-1,"v":1.6},{"n":"current","v":1.7}]"#;

/// The same as RFC 8428, section 6 prints it.
const MULTIPLE_CBOR: &str = "87 a7 21 78 1b 75726e3a6465763a6f773a3130653230373361303130383030363a \
    22 fb 41d303a15b001062 23 61 41 20 05 00 67 766f6c74616765 01 61 56 02 fb 405e066666666666 \
    a3 00 67 63757272656e74 06 24 02 fb 3ff3333333333333 \
    a3 00 67 63757272656e74 06 23 02 fb 3ff4cccccccccccd \
    a3 00 67 63757272656e74 06 22 02 fb 3ff6666666666666 \
    a3 00 67 63757272656e74 06 21 02 f9 3e00 \
    a3 00 67 63757272656e74 06 20 02 fb 3ff999999999999a \
    a3 00 67 63757272656e74 06 00 02 fb 3ffb333333333333";

/// RFC 8428, 5.1.3.
const HUMIDITY: &str = r#"[
    {"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":20},
    {"u":"lon","v":24.30621},{"u":"lat","v":60.07965},
    {"t":60,"v":20.3},{"u":"lon","t":60,"v":24.30622},{"u":"lat","t":60,"v":60.07965},
    {"t":120,"v":20.7},{"u":"lon","t":120,"v":24.30623},{"u":"lat","t":120,"v":60.07966},
    {"u":"%EL","t":150,"v":98},
    {"t":180,"v":21.2},{"u":"lon","t":180,"v":24.30628},{"u":"lat","t":180,"v":60.07967}]"#;

/// 2026-01-01T00:00:00Z
const NEW_YEAR_S: i64 = 1_767_225_600;

fn catalogue() -> &'static Catalogue {
    static SHIPPED: std::sync::LazyLock<Catalogue> =
        std::sync::LazyLock::new(|| Catalogue::load(&[]).unwrap());
    &SHIPPED
}

fn device() -> DeviceId {
    DeviceId::parse("n-07").unwrap()
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

fn received() -> Timestamp {
    Timestamp::from_second(NEW_YEAR_S + 100).unwrap()
}

fn decode_with(payload: &[u8], quantities: &Quantities) -> Decoded {
    decode_senml(payload, &device(), &entry(), received(), quantities)
}

/// With the shipped catalogue.
fn decode_bytes(payload: &[u8]) -> Decoded {
    decode_with(payload, &Quantities::new(catalogue()))
}

/// As JSON and as CBOR, which must say the same.
fn decode(pack: &str) -> Decoded {
    let from_json = decode_bytes(pack.as_bytes());
    let from_cbor = decode_bytes(&in_cbor(pack));
    assert_eq!(told(&from_json), told(&from_cbor), "{pack}");
    from_json
}

/// All but the hash of the payload.
fn told(decoded: &Decoded) -> Decoded {
    let mut told = decoded.clone();
    for observation in &mut told.observations {
        if let Identity::Payload(hash) = &mut observation.identity {
            *hash = [0; 16];
        }
    }
    told
}

/// A pack in JSON as the same in CBOR: known labels become their numbers.
fn in_cbor(pack: &str) -> Vec<u8> {
    encoded(&cbor_of(&serde_json::from_str(pack).unwrap()))
}

fn encoded(value: &Cbor) -> Vec<u8> {
    let mut out = BufWriter::new(Vec::new());
    value.encode(&mut out).unwrap();
    out.into_inner()
}

fn cbor_of(json: &Json) -> Cbor {
    match json {
        Json::Null => Cbor::Null,
        Json::Bool(flag) => Cbor::Bool(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Cbor::Integer(whole.into()),
            None => Cbor::Float(number.as_f64().unwrap()),
        },
        Json::String(text) => Cbor::Text(text.clone()),
        Json::Array(items) => Cbor::Array(items.iter().map(cbor_of).collect()),
        Json::Object(fields) => {
            let label = |text: &String| match Label::of_text(text) {
                Some(label) => Cbor::Integer(label.number().into()),
                None => Cbor::Text(text.clone()),
            };
            Cbor::Map(fields.iter().map(|(key, value)| (label(key), cbor_of(value))).collect())
        }
    }
}

fn bytes_of(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<char> = hexadecimal.chars().filter(char::is_ascii_hexdigit).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn reasons(decoded: &Decoded) -> Vec<DeadLetterReason> {
    decoded.problems.iter().map(|problem| problem.reason).collect()
}

/// Quantities of these keys and units alone.
fn made_up(known: &[(&str, &str)]) -> Quantities {
    let any = &catalogue().quantities()[0];
    let quantity = |(key, unit): &(&str, &str)| Quantity {
        key: (*key).to_owned(),
        unit: (*unit).to_owned(),
        unit_shown: String::new(),
        accepts: Vec::new(),
        ..any.clone()
    };
    Quantities::of(&known.iter().map(quantity).collect::<Vec<_>>())
}

/// (seconds after `start_s`, quantity, value) of every reading.
fn values(observations: &[Observation], start_s: f64) -> Vec<(f64, u16, f64)> {
    let seconds = |time: Timestamp| time.as_millisecond() as f64 / 1e3 - start_s;
    let of = |one: &Observation| {
        let after_s = (seconds(one.measured) * 1e3).round() / 1e3;
        one.readings.iter().map(|read| (after_s, read.quantity.0, read.value)).collect::<Vec<_>>()
    };
    observations.iter().flat_map(of).collect()
}

#[test]
fn the_single_example_is_a_temperature_of_now() {
    let known = made_up(&[("10e2073a01080063", "Cel")]);
    for payload in [SINGLE.as_bytes().to_vec(), in_cbor(SINGLE)] {
        let decoded = decode_with(&payload, &known);
        assert_eq!(decoded.problems, []);
        let [one] = decoded.observations.as_slice() else { panic!("{decoded:?}") };
        assert_eq!((one.measured, one.claimed), (one.received, None));
        assert_eq!(one.readings[0].flags, Flags::TIME_FROM_ARRIVAL);
        assert_eq!(one.readings[0].value.to_bits(), 23.1_f64.to_bits());
    }
}

#[test]
fn a_name_that_ends_in_no_quantity_is_told() {
    let decoded = decode(SINGLE);
    assert_eq!(reasons(&decoded), [DeadLetterReason::UnknownQuantity]);
    let detail = &decoded.problems[0].detail;
    assert!(detail.contains("urn:dev:ow:10e2073a01080063"), "{detail}");
    assert_eq!(decoded.observations, []);
}

#[test]
fn the_example_of_several_data_points_is_read_from_json_and_from_the_bytes_of_the_rfc() {
    let known = made_up(&[("voltage", "V"), ("current", "A")]);
    for payload in [MULTIPLE.as_bytes().to_vec(), bytes_of(MULTIPLE_CBOR), in_cbor(MULTIPLE)] {
        let decoded = decode_with(&payload, &known);
        assert_eq!(decoded.problems, []);
        let wanted = [
            (0.0, 0, 120.1),
            // Of the same time as the voltage, so of the same observation.
            (0.0, 1, 1.7),
            (-5.0, 1, 1.2),
            (-4.0, 1, 1.3),
            (-3.0, 1, 1.4),
            (-2.0, 1, 1.5),
            (-1.0, 1, 1.6),
        ];
        assert_eq!(values(&decoded.observations, 1_276_020_076.001), wanted);
        assert!(decoded.observations.iter().all(|one| one.identity == Identity::MeasuredTime));
    }
}

#[test]
fn the_example_of_multiple_measurements_is_told_apart_by_unit_and_time() {
    let known = made_up(&[("10e2073a01080063", "%RH")]);
    for payload in [HUMIDITY.as_bytes().to_vec(), in_cbor(HUMIDITY)] {
        let decoded = decode_with(&payload, &known);
        let wanted = [(0.0, 0, 20.0), (60.0, 0, 20.3), (120.0, 0, 20.7), (180.0, 0, 21.2)];
        assert_eq!(values(&decoded.observations, 1_320_067_464.0), wanted);
        assert_eq!(reasons(&decoded), [DeadLetterReason::UnknownUnit]);
    }
}

#[test]
fn a_resolved_pack_says_what_the_pack_said() {
    let known = made_up(&[("voltage", "V"), ("current", "A")]);
    let record = |name: &str, unit: &str, time: &str, value: &str| {
        format!(
            r#"{{"n":"urn:dev:ow:10e2073a0108006:{name}","u":"{unit}","t":{time},"v":{value},"bver":5}}"#
        )
    };
    let resolved = [
        record("voltage", "V", "1.276020076001e+09", "120.1"),
        record("current", "A", "1.276020071001e+09", "1.2"),
        record("current", "A", "1.276020072001e+09", "1.3"),
        record("current", "A", "1.276020073001e+09", "1.4"),
        record("current", "A", "1.276020074001e+09", "1.5"),
        record("current", "A", "1.276020075001e+09", "1.6"),
        record("current", "A", "1.276020076001e+09", "1.7"),
    ];
    let resolved = decode_with(format!("[{}]", resolved.join(",")).as_bytes(), &known);
    assert_eq!(resolved, decode_with(MULTIPLE.as_bytes(), &known));
}
