//! What RFC 8428 says of records, rule by rule, in JSON and CBOR alike.

use plotwise_config::reading::{DepthMm, Flags, Identity};

use super::{NEW_YEAR_S, catalogue, decode, decode_bytes, reasons, received};
use crate::{decode::Decoded, intake::DeadLetterReason};

/// (key, depth in mm, value) of every reading, in order.
fn read(decoded: &Decoded) -> Vec<(String, Option<u16>, f64)> {
    let readings = decoded.observations.iter().flat_map(|one| &one.readings);
    readings
        .map(|one| {
            let key = catalogue().quantity(one.quantity).key.clone();
            (key, one.depth.map(|DepthMm(depth)| depth), one.value)
        })
        .collect()
}

fn one(key: &str, value: f64) -> (String, Option<u16>, f64) {
    (key.to_owned(), None, value)
}

/// Nothing of the pack is read, for this reason alone; the detail.
fn refused(pack: &str) -> String {
    let decoded = decode(pack);
    assert_eq!(decoded.observations, [], "{pack}");
    assert_eq!(reasons(&decoded), [DeadLetterReason::WrongShape], "{pack}");
    decoded.problems[0].detail.clone()
}

/// The record is refused for this reason and the pH after it is read; the detail.
fn costs_itself(record: &str, reason: DeadLetterReason) -> String {
    let decoded = decode(&format!(r#"[{record},{{"n":"soil_ph","v":5.4}}]"#));
    assert_eq!(read(&decoded), [one("soil_ph", 5.4)], "{record}");
    assert_eq!(reasons(&decoded), [reason], "{record}");
    let detail = decoded.problems[0].detail.clone();
    assert!(detail.starts_with("record 0: "), "{detail}");
    detail
}

#[test]
fn base_fields_hold_until_the_next_of_their_kind() {
    let pack = r#"[
        {"bn":"a/","bu":"%","n":"soil_moisture","v":20},
        {"n":"soil_moisture/0.6","v":30},
        {"bn":"b:","n":"soil_moisture:0.9","u":"/","v":0.4},
        {"bu":"pH","n":"soil_ph","v":5.4}]"#;
    let wanted = [
        one("soil_moisture", 0.2),
        ("soil_moisture".to_owned(), Some(600), 0.3),
        ("soil_moisture".to_owned(), Some(900), 0.4),
        one("soil_ph", 5.4),
    ];
    assert_eq!(read(&decode(pack)), wanted);
    assert_eq!(decode(pack).problems, []);
}

#[test]
fn a_base_name_can_be_the_whole_name() {
    let pack = r#"[{"bn":"n-07/soil_ph","v":5.4},{"bn":"","n":"soil_ec","v":0.2}]"#;
    assert_eq!(read(&decode(pack)), [one("soil_ph", 5.4), one("soil_ec", 0.2)]);
}

#[test]
fn base_value_is_added_to_every_value() {
    let pack = r#"[{"bv":5,"n":"soil_ph","v":0.5},{"n":"soil_ec","v":-4.75}]"#;
    assert_eq!(read(&decode(pack)), [one("soil_ph", 5.5), one("soil_ec", 0.25)]);
    let alone = r#"[{"bv":5.5,"n":"soil_ph"}]"#;
    assert_eq!(read(&decode(alone)), [one("soil_ph", 5.5)], "a missing value counts as nought");
}

#[test]
fn a_record_of_base_fields_alone_is_no_reading_and_no_mistake() {
    let decoded = decode(r#"[{"bn":"a/","bt":1767225600},{"n":"soil_ph","v":5.4}]"#);
    assert_eq!(decoded.problems, []);
    assert_eq!(read(&decoded), [one("soil_ph", 5.4)]);
}

#[test]
fn sums_are_no_readings() {
    let wrong = DeadLetterReason::WrongShape;
    let detail = costs_itself(r#"{"n":"soil_ec","s":12}"#, wrong);
    assert!(detail.contains("a sum is no reading"), "{detail}");
    let beside = decode(r#"[{"bs":100,"n":"soil_ec","v":0.2,"s":12}]"#);
    assert_eq!(read(&beside), [one("soil_ec", 0.2)]);
    assert_eq!(beside.problems, []);
}

#[test]
fn texts_truth_values_and_data_cost_their_record_alone() {
    let wrong = DeadLetterReason::WrongShape;
    for (value, label) in [(r#""vs":"wet""#, "vs"), (r#""vb":true"#, "vb"), (r#""vd":"aGk""#, "vd")]
    {
        let detail = costs_itself(&format!(r#"{{"n":"soil_moisture",{value}}}"#), wrong);
        assert!(detail.contains(&format!("{label} is no reading")), "{detail}");
    }
}

#[test]
fn exactly_one_value_is_wanted() {
    let wrong = DeadLetterReason::WrongShape;
    assert!(costs_itself(r#"{"n":"soil_ec"}"#, wrong).contains("no value"));
    assert!(costs_itself(r#"{"n":"soil_ec","v":1,"vb":true}"#, wrong).contains("more than one"));
    let twice = decode_bytes(br#"[{"n":"soil_ec","v":1,"v":1},{"n":"soil_ph","v":5.4}]"#);
    assert_eq!(read(&twice), [one("soil_ph", 5.4)]);
    assert!(twice.problems[0].detail.contains("v a second time"), "{twice:?}");
}

#[test]
fn fields_of_a_wrong_type_cost_their_record_and_base_fields_the_pack() {
    let wrong = DeadLetterReason::WrongShape;
    for field in [r#""v":"1""#, r#""v":1,"t":"now""#, r#""v":1,"u":5"#, r#""v":1,"s":true"#] {
        costs_itself(&format!(r#"{{"n":"soil_ec",{field}}}"#), wrong);
    }
    costs_itself(r#"{"n":7,"v":1}"#, wrong);
    costs_itself("[1]", wrong);
    for field in [r#""bn":7"#, r#""bt":"now""#, r#""bu":{}"#, r#""bv":[1]"#, r#""bver":"10""#] {
        let detail =
            refused(&format!(r#"[{{"n":"soil_ph","v":5}},{{{field},"n":"soil_ec","v":1}}]"#));
        assert!(detail.contains("record 1") && detail.contains("whole pack"), "{detail}");
    }
}

#[test]
fn a_value_that_is_not_finite_costs_its_record_alone() {
    costs_itself(r#"{"n":"soil_ec","v":null}"#, DeadLetterReason::NotFinite);
    for value in ["NaN", "-Infinity", "1e999"] {
        let pack = format!(r#"[{{"n":"soil_ec","v":{value}}},{{"n":"soil_ph","v":5.4}}]"#);
        let decoded = decode_bytes(pack.as_bytes());
        assert_eq!(reasons(&decoded), [DeadLetterReason::NotFinite], "{value}");
        assert_eq!(read(&decoded), [one("soil_ph", 5.4)]);
    }
    let sum = r#"{"bv":1.7e308,"n":"soil_ec","v":1.7e308},{"bv":0,"n":"soil_ec","v":0.1}"#;
    assert_eq!(reasons(&decode(&format!("[{sum}]"))), [DeadLetterReason::NotFinite]);
}

#[test]
fn units_of_the_registry_are_read_and_others_named() {
    let pack = r#"[
        {"n":"soil_temperature","u":"K","v":293.15},{"n":"soil_ec","u":"S/m","v":0.024},
        {"n":"soil_tension","u":"Pa","v":33000},{"n":"relative_humidity","u":"%RH","v":78},
        {"n":"battery","u":"%EL","v":91},{"n":"rain","u":"m","v":0.0032},{"n":"rssi","u":"dBW","v":-142},
        {"n":"co2","u":"/","v":0.00042},{"n":"pm10","u":"kg/m3","v":7e-8},{"n":"sunshine","u":"s","v":33300}]"#;
    let decoded = decode(pack);
    assert_eq!(decoded.problems, []);
    let wanted = [20.0, 0.24, 33.0, 78.0, 0.91, 3.2, -112.0, 420.0, 70.0, 9.25];
    for ((key, _, found), wanted) in read(&decoded).into_iter().zip(wanted) {
        assert!((found - wanted).abs() <= 1e-9 * wanted.abs(), "{key}: {found}, wanted {wanted}");
    }
    let detail = costs_itself(r#"{"n":"soil_ec","u":"V","v":1}"#, DeadLetterReason::UnknownUnit);
    assert!(detail.contains("S/m"), "{detail}");
}

#[test]
fn times_below_two_to_the_28_are_relative_to_arrival() {
    let moment = |pack: &str| {
        let decoded = decode(pack);
        assert_eq!(decoded.problems, [], "{pack}");
        decoded.observations[0].clone()
    };
    for (fields, after_s) in [
        ("", 0),
        (r#","t":0"#, 0),
        (r#","t":-60"#, -60),
        (r#","t":60"#, 60),
        (r#","bt":-3600,"t":60"#, -3540),
        (r#","bt":-268435456"#, -268_435_456),
    ] {
        let found = moment(&format!(r#"[{{"n":"soil_ph","v":5{fields}}}]"#));
        assert_eq!(found.measured.as_second() - received().as_second(), after_s, "{fields}");
        assert_eq!((found.readings[0].flags, found.claimed), (Flags::TIME_FROM_ARRIVAL, None));
        assert!(matches!(found.identity, Identity::Payload(_)));
    }
    for fields in [r#","t":1767225600"#, r#","bt":1767225660,"t":-60"#, r#","bt":1.7672256e9"#] {
        let found = moment(&format!(r#"[{{"n":"soil_ph","v":5{fields}}}]"#));
        assert_eq!(found.measured.as_second(), NEW_YEAR_S, "{fields}");
        assert_eq!((found.readings[0].flags, found.claimed), (Flags::NONE, None));
        assert_eq!(found.identity, Identity::MeasuredTime);
    }
}

#[test]
fn the_border_between_relative_and_absolute_is_exact() {
    let claimed = |time: &str| {
        let decoded = decode(&format!(r#"[{{"n":"soil_ph","v":5,"t":{time}}}]"#));
        let found = &decoded.observations[0];
        assert_eq!(found.measured, received(), "neither can be the time of a reading");
        assert_eq!(found.readings[0].flags, Flags::TIME_FROM_ARRIVAL);
        found.claimed.unwrap().as_second()
    };
    assert_eq!(claimed("268435455"), received().as_second() + 268_435_455);
    assert_eq!(claimed("268435456"), 268_435_456, "1978, before there were such sensors");
}

#[test]
fn a_time_beyond_every_calendar_is_no_time() {
    for time in ["1e300", "-1e300", "9e15"] {
        let decoded = decode(&format!(r#"[{{"n":"soil_ph","v":5,"t":{time}}}]"#));
        let found = &decoded.observations[0];
        assert_eq!((found.measured, found.claimed), (received(), None), "{time}");
    }
    let pack = r#"{"bt":1.7e308,"t":1.7e308,"n":"soil_ec","v":5},{"bt":0,"n":"soil_ph","v":5.4}"#;
    assert_eq!(reasons(&decode(&format!("[{pack}]"))), [DeadLetterReason::WrongShape]);
}

#[test]
fn records_of_one_time_are_one_observation() {
    let decoded = decode(
        r#"[{"bt":1767225600,"n":"soil_ph","v":5.4},{"n":"soil_ph","t":-900,"v":5.3},
            {"n":"soil_ec","v":0.2},{"n":"soil_ec","t":-900,"v":0.1}]"#,
    );
    let sizes: Vec<(i64, usize)> = decoded
        .observations
        .iter()
        .map(|one| (one.measured.as_second() - NEW_YEAR_S, one.readings.len()))
        .collect();
    assert_eq!(sizes, [(0, 2), (-900, 2)]);
}

#[test]
fn two_values_for_one_quantity_and_time_are_a_conflict() {
    let decoded = decode(r#"[{"n":"soil_ph","v":5.4},{"n":"n-07/soil_ph","v":5.5}]"#);
    assert_eq!(reasons(&decoded), [DeadLetterReason::Conflict]);
    assert_eq!(read(&decoded), [one("soil_ph", 5.4)]);
    let same = decode(r#"[{"n":"soil_ph","v":5.4},{"n":"soil_ph/0.3","v":5.4}]"#);
    assert_eq!(same.problems, [], "0.3 m is the device's own depth");
    assert_eq!(read(&same), [one("soil_ph", 5.4)]);
}

#[test]
fn versions_that_are_not_understood_are_refused() {
    let pack = |first: &str, second: &str| {
        format!(r#"[{{{first}"n":"soil_ph","v":5}},{{{second}"n":"soil_ec","v":1}}]"#)
    };
    for first in ["", r#""bver":5,"#, r#""bver":10,"#, r#""bver":26,"#] {
        assert_eq!(read(&decode(&pack(first, ""))).len(), 2, "{first}");
        assert_eq!(read(&decode(&pack(first, first))).len(), 2, "{first}");
    }
    assert!(refused(&pack(r#""bver":11,"#, "")).contains("bver 11, wanted at most 10"));
    assert!(refused(&pack("", r#""bver":11,"#)).contains("a second version beside 10"));
    assert!(refused(&pack(r#""bver":5,"#, r#""bver":10,"#)).contains("a second version beside 5"));
    for version in ["0", "-1", "10.5", "1e30"] {
        refused(&pack(&format!(r#""bver":{version},"#), ""));
    }
}

#[test]
fn unknown_fields_are_ignored_unless_they_must_be_understood() {
    let ignored = r#"[{"n":"soil_ph","v":5.4,"l":[{"href":"x"}],"_x":1,"x_y":{"a":[null]}}]"#;
    assert_eq!(read(&decode(ignored)), [one("soil_ph", 5.4)]);
    assert_eq!(decode(ignored).problems, []);
    let detail = refused(r#"[{"n":"soil_ph","v":5.4},{"n":"soil_ec","v":1,"zone_":{"a":1}}]"#);
    assert!(detail.contains("\"zone_\" must be understood"), "{detail}");
}

#[test]
fn names_are_of_the_characters_that_the_rfc_allows() {
    let wrong = DeadLetterReason::WrongShape;
    for name in ["soil_ec@0.6", "-soil_ec", "_soil_ec", "/soil_ec", "soil ec", "soil_ec\u{e9}", ""]
    {
        let detail = costs_itself(&format!(r#"{{"n":"{name}","v":1}}"#), wrong);
        assert!(detail.contains("a letter or digit first"), "{detail}");
    }
    let long = format!(r#"{{"n":"{}/soil_ec","v":1}}"#, "a".repeat(300));
    assert!(costs_itself(&long, wrong).contains("256 bytes"));
}

#[test]
fn the_last_part_of_a_name_is_the_quantity() {
    for (name, depth) in [
        ("soil_moisture", None),
        ("n-07/soil_moisture", None),
        ("n-07soil_moisture", None),
        ("n-07-soil_moisture", None),
        ("field:3:soil_moisture", None),
        ("urn:dev:mac:0024befffe804ff1/soil_moisture", None),
        ("urn:dev:ow:10e2073a01080063:soil_moisture", None),
        ("urn:dev:ow:10e2073a01080063_soil_moisture", None),
        ("urn:dev:os:32473-n-07_soil_moisture", None),
        ("soil_moisture/0.6", Some(600)),
        ("soil_moisture:0.6", Some(600)),
        ("n-07soil_moisture/0.6", Some(600)),
        ("urn:dev:mac:0024befffe804ff1/soil_moisture/1", Some(1000)),
        ("urn:dev:ow:10e2073a01080063_soil_moisture:0.05", Some(50)),
        ("soil_moisture/0.30", None),
    ] {
        let decoded = decode(&format!(r#"[{{"n":"{name}","v":0.2}}]"#));
        assert_eq!(decoded.problems, [], "{name}");
        assert_eq!(read(&decoded), [("soil_moisture".to_owned(), depth, 0.2)], "{name}");
    }
}

#[test]
fn names_without_a_quantity_are_told_with_the_nearest() {
    let unknown = DeadLetterReason::UnknownQuantity;
    for name in ["n-07", "0.6", "temp", "a_soil_ec", "soil_ec/x", "soil_ec/", "soil_ec/0.6.1"] {
        costs_itself(&format!(r#"{{"n":"{name}","v":1}}"#), unknown);
    }
    let detail = costs_itself(r#"{"n":"n-07/soil_moistrue","v":1}"#, unknown);
    assert!(detail.contains("did you mean soil_moisture?"), "{detail}");
    let deep = costs_itself(r#"{"n":"soil_ec/61","v":1}"#, DeadLetterReason::WrongShape);
    assert!(deep.contains("metres from 0 to 60"), "{deep}");
}

#[test]
fn what_is_no_pack_is_told_from_what_is_no_json() {
    for (payload, reason) in [
        (&b"{\"n\":\"soil_ph\",\"v\":5}"[..], DeadLetterReason::WrongShape),
        (b"[]", DeadLetterReason::WrongShape),
        (b"\xef\xbb\xbf []", DeadLetterReason::WrongShape),
        (b"5", DeadLetterReason::WrongShape),
        (b"", DeadLetterReason::NotJson),
        (b"[{\"n\":\"soil_ph\",\"v\":5}", DeadLetterReason::NotJson),
        (b"[] []", DeadLetterReason::NotJson),
        (b"soil_ph=5", DeadLetterReason::NotJson),
        (b"\xff\xfe", DeadLetterReason::NotJson),
    ] {
        let decoded = decode_bytes(payload);
        assert_eq!(reasons(&decoded), [reason], "{payload:?}");
        assert_eq!(decoded.observations, []);
    }
}

#[test]
fn a_pack_that_comes_again_is_the_same_one() {
    let pack = r#"[{"n":"soil_ph","v":5.4},{"n":"soil_ph","t":-60,"v":5.4}]"#;
    let (first, again) = (decode_bytes(pack.as_bytes()), decode_bytes(pack.as_bytes()));
    assert_eq!(first, again);
    assert_ne!(first.observations[0].identity, first.observations[1].identity);
}

#[test]
fn a_thousand_mistakes_make_one_dead_letter() {
    let records: Vec<String> = (0..1000).map(|n| format!(r#"{{"n":"q{n}","v":1}}"#)).collect();
    let decoded = decode(&format!("[{}]", records.join(",")));
    assert_eq!(decoded.problems.len(), 1);
    assert!(decoded.problems[0].detail.len() < 3000);
}
