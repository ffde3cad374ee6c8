//! Sample payloads of makers' own decoders: the TTN codecs and `ChirpStack` decoders of Dragino's end
//! nodes, `SenseCAP`'s decoder and user guide, Milesight's README examples, zigbee2mqtt's device page.

mod shipped;

use std::sync::LazyLock;

use plotwise_config::{
    catalogue::Catalogue,
    id::{CooperativeId, DeviceId},
};
use proptest::prelude::*;

use super::{super::frame::Network, *};
use crate::directory::Entry;

const RECEIVED: &str = "2026-01-01T00:00:00Z";

/// A catalogue, compiled.
struct Tried {
    catalogue: Catalogue,
    profiles: Profiles,
}

static SHIPPED: LazyLock<Tried> = LazyLock::new(|| Tried::of(Catalogue::shipped().unwrap()));

impl Tried {
    fn of(catalogue: Catalogue) -> Self {
        let profiles = Profiles::new(&catalogue, &Quantities::new(&catalogue));
        Self { catalogue, profiles }
    }

    /// The shipped catalogue with one more file.
    fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.toml");
        std::fs::write(&file, text).unwrap();
        let (catalogue, _) = Catalogue::load_with(&[], &file).unwrap_or_else(|e| panic!("{e}"));
        Self::of(catalogue)
    }

    fn decode_over(&self, key: &str, payload: &[u8], network: Network<'_>) -> Decoded {
        let device = DeviceId::parse("n-07").unwrap();
        let entry = Entry {
            cooperative: CooperativeId::parse("ningxiang").unwrap(),
            profile: key.to_owned(),
            is_gateway: false,
            token_sha256: None,
            own_depths: Vec::new(),
        };
        let received = RECEIVED.parse().unwrap();
        let frame = Frame { network, ..Frame::direct(&device, &entry, received) };
        self.profiles.find(key).expect("the profile is there").decode(payload, &frame)
    }

    fn decode(&self, key: &str, payload: &str) -> Decoded {
        self.decode_over(key, payload.as_bytes(), Network::default())
    }

    /// `key@depth value flags` of each reading of the only observation.
    fn readings(&self, key: &str, payload: &str) -> Vec<String> {
        let decoded = self.decode(key, payload);
        let [one] = decoded.observations.as_slice() else { panic!("{decoded:?}") };
        self.shown(one)
    }

    fn shown(&self, one: &Observation) -> Vec<String> {
        let shown = one.readings.iter().map(|reading| {
            let key = &self.catalogue.quantity(reading.quantity).key;
            let depth = reading.depth.map_or_else(String::new, |d| format!("@{}", d.metres()));
            let flags: Vec<&str> = reading.flags.codes().filter(|code| *code != "T").collect();
            format!("{key}{depth} {:.4} {}", reading.value, flags.join(" ")).trim_end().to_owned()
        });
        shown.collect()
    }
}

fn reasons(decoded: &Decoded) -> Vec<DeadLetterReason> {
    decoded.problems.iter().map(|problem| problem.reason).collect()
}

/// A maker that nobody has seen, with everything that a profile can say.
const ACME: &str = r#"
[[profile]]
key = "acme"
maker = "Acme"
name = { zh = "甲", en = "Acme" }
source = "made up"
time = ["meta.at", "meta.old"]
timezone = "Asia/Shanghai"
seq = ["meta.n"]
probe_depths_m = [0.1, 0.3]
ignored = [{ at = "kind", is = ["hello", "bye"], why = "a greeting" }]
unusable = [{ at = "ok", is = [false], with = { at = "strict" }, why = "it says so" }]
information = ["about"]

[[profile.field]]
quantity = "soil_moisture"
from = ["soil.water", ["soil", "water.old"], "w"]
unit = "%"
absent = [{ is = [-1, "none"] }]
faults = [{ is = [99.9] }, { at = "soil.state", is = ["broken"] }]

[[profile.field]]
quantity = "soil_temperature"
from = ["probes.{i}.t"]
unit_from = "unit"

[[profile.field]]
quantity = "soil_ph"
from = ["ph{n}"]
errors = ["ph_error"]

[[profile.field]]
quantity = "soil_ec"
from = ["ec"]
unit = "µS/cm"
depth_m = 0.6

[[profile.field]]
quantity = "battery"
from = ["readings.battery"]
unit = "%"

[[profile.list]]
at = ["values"]
id = "k"
value = "v.0"
[[profile.list.field]]
quantity = "illuminance"
from = ["lux", 7]

[profile.history]
at = ["past"]
time = ["at"]

[profile.log]
at = ["log"]
time = 3
[[profile.log.field]]
quantity = "soil_moisture"
from = [1]
unit = "%"
faults = [{ is = [99.9] }]
"#;

static OWN: LazyLock<Tried> = LazyLock::new(|| Tried::with(ACME));

#[test]
fn a_value_is_found_at_any_of_its_places() {
    for payload in [
        r#"{"soil": {"water": 20}}"#,
        r#"{"soil": {"water.old": 20}}"#,
        r#"{"soil": {"water": null}, "w": "20"}"#,
        r#"{"soil": [], "w": "20 %"}"#,
        r#"{"soil": 5, "w": "0.2 m3/m3"}"#,
        "\u{feff}{\"w\": 20}",
    ] {
        assert_eq!(OWN.readings("acme", payload), ["soil_moisture 0.2000"], "{payload}");
    }
}

#[test]
fn each_probe_has_its_depth() {
    let payload = r#"{"ph1": 5.5, "ph2": 6, "ph3": 7, "probes": [{"t": 20}, {"t": 21}]}"#;
    let wanted = [
        "soil_temperature@0.1 20.0000",
        "soil_temperature@0.3 21.0000",
        "soil_ph@0.1 5.5000",
        "soil_ph@0.3 6.0000",
    ];
    assert_eq!(OWN.readings("acme", payload), wanted);
    assert_eq!(OWN.readings("acme", r#"{"ec": 240}"#), ["soil_ec@0.6 0.2400"]);
}

#[test]
fn a_unit_stands_behind_the_value_or_beside_it_or_in_the_profile() {
    let in_fahrenheit = r#"{"probes": [{"t": 68}], "unit": "fahrenheit"}"#;
    assert_eq!(OWN.readings("acme", in_fahrenheit), ["soil_temperature@0.1 20.0000"]);
    let behind = r#"{"probes": [{"t": "293.15 K"}], "unit": "fahrenheit"}"#;
    assert_eq!(OWN.readings("acme", behind), ["soil_temperature@0.1 20.0000"]);
    let decoded = OWN.decode("acme", r#"{"ec": "5 furlong", "w": 20}"#);
    assert_eq!(decoded.observations[0].readings.len(), 1);
    assert_eq!(reasons(&decoded), [DeadLetterReason::UnknownUnit]);
    assert!(decoded.problems[0].detail.contains("\"furlong\", wanted one of dS/m"), "{decoded:?}");
}

#[test]
fn a_fault_code_is_kept_with_its_flag_and_an_absent_probe_is_not() {
    let readings = |payload: &str| OWN.readings("acme", payload);
    assert_eq!(
        readings(r#"{"w": 99.9, "ec": 1000}"#),
        ["soil_moisture 0.9990 X", "soil_ec@0.6 1.0000"]
    );
    assert_eq!(readings(r#"{"w": "99.90"}"#), ["soil_moisture 0.9990 X"]);
    assert_eq!(readings(r#"{"w": 30, "soil": {"state": "broken"}}"#), ["soil_moisture 0.3000 X"]);
    for absent in ["-1", "\"-1.0\"", "\"none\""] {
        let payload = format!(r#"{{"w": {absent}, "ec": 1000}}"#);
        assert_eq!(readings(&payload), ["soil_ec@0.6 1.0000"], "{absent}");
        let alone = OWN.decode("acme", &format!(r#"{{"w": {absent}}}"#));
        assert!(alone.ignored.is_some() && alone.problems.is_empty(), "{alone:?}");
    }
}

#[test]
fn an_error_in_place_of_a_value_is_a_dead_letter_of_that_reading() {
    let decoded = OWN.decode("acme", r#"{"w": 20, "ph_error": "no contact"}"#);
    assert_eq!(OWN.shown(&decoded.observations[0]), ["soil_moisture 0.2000"]);
    assert_eq!(reasons(&decoded), [DeadLetterReason::ProbeFault]);
    assert!(decoded.problems[0].detail.contains("ph_error: \"no contact\", so no soil_ph"));
}

#[test]
fn a_value_that_is_none_costs_that_reading_only() {
    for (value, reason) in [
        ("\"dry\"", DeadLetterReason::WrongShape),
        ("true", DeadLetterReason::WrongShape),
        ("[1]", DeadLetterReason::WrongShape),
        ("{}", DeadLetterReason::WrongShape),
        ("\"NaN\"", DeadLetterReason::NotFinite),
        ("\"1e999\"", DeadLetterReason::NotFinite),
    ] {
        let decoded = OWN.decode("acme", &format!(r#"{{"w": {value}, "ec": 1000}}"#));
        assert_eq!(OWN.shown(&decoded.observations[0]), ["soil_ec@0.6 1.0000"], "{value}");
        assert_eq!(reasons(&decoded), [reason], "{value}");
    }
    let decoded = OWN.decode("acme", r#"{"w": NaN, "ec": 1000}"#);
    assert_eq!(OWN.shown(&decoded.observations[0]), ["soil_ec@0.6 1.0000"]);
}

#[test]
fn a_list_is_read_by_its_ids() {
    let payload = r#"{"values": [{"k": "lux", "v": [1200, 3]}, {"k": "rpm", "v": [5]}, [[{"k": 7, "v": [1200]}]], 5, {"k": 7}]}"#;
    assert_eq!(OWN.readings("acme", payload), ["illuminance 1200.0000"]);
    let twice = OWN.decode("acme", r#"{"values": [{"k": "lux", "v": [1]}, {"k": "7", "v": [2]}]}"#);
    assert_eq!(reasons(&twice), [DeadLetterReason::Conflict]);
}

#[test]
fn rules_come_before_fields() {
    let ignored = OWN.decode("acme", r#"{"kind": "hello", "w": 20}"#);
    assert_eq!((ignored.ignored.as_deref(), ignored.observations.len()), (Some("a greeting"), 0));
    let unusable = OWN.decode("acme", r#"{"ok": false, "strict": 1, "w": 20}"#);
    assert_eq!(reasons(&unusable), [DeadLetterReason::ProbeFault]);
    assert_eq!(unusable.problems[0].detail, "it says so");
    assert_eq!(OWN.readings("acme", r#"{"ok": false, "w": 20}"#), ["soil_moisture 0.2000"]);
    let about = OWN.decode("acme", r#"{"about": "v1.2"}"#);
    assert!(about.ignored.is_some() && about.problems.is_empty());
    assert_eq!(OWN.readings("acme", r#"{"about": "v1.2", "w": 20}"#), ["soil_moisture 0.2000"]);
}

#[test]
fn a_payload_with_none_of_its_fields_says_what_was_found_and_wanted() {
    let decoded = OWN.decode("acme", r#"{"moist": 20, "temp": 4}"#);
    assert_eq!(reasons(&decoded), [DeadLetterReason::WrongShape]);
    let detail = &decoded.problems[0].detail;
    assert!(detail.contains("moist, temp") && detail.contains("soil.water"), "{detail}");
    for payload in ["{}", "[]", "5", "null", "\"w\""] {
        assert_eq!(
            reasons(&OWN.decode("acme", payload)),
            [DeadLetterReason::WrongShape],
            "{payload}"
        );
    }
    assert_eq!(reasons(&OWN.decode("acme", "{")), [DeadLetterReason::NotJson]);
}

#[test]
fn the_time_is_the_devices_own_where_it_has_one() {
    let wanted: Timestamp = "2025-12-31T16:00:00Z".parse().unwrap();
    for meta in [
        r#"{"at": 1767196800}"#,
        r#"{"at": 1767196800000}"#,
        r#"{"at": "1767196800"}"#,
        r#"{"old": "2025-12-31T16:00:00Z"}"#,
        r#"{"at": "2026-01-01 00:00:00"}"#,
    ] {
        let decoded = OWN.decode("acme", &format!(r#"{{"w": 20, "meta": {meta}}}"#));
        let one = &decoded.observations[0];
        assert_eq!((one.measured, one.identity), (wanted, Identity::MeasuredTime), "{meta}");
        assert_eq!(one.readings[0].flags, Flags::NONE);
    }
    let early = OWN.decode("acme", r#"{"w": 20, "meta": {"at": 12, "n": 4}}"#);
    let one = &early.observations[0];
    assert_eq!((one.measured, one.identity), (one.received, Identity::Sequence(4)));
    assert!(one.claimed.is_some() && one.readings[0].flags == Flags::TIME_FROM_ARRIVAL);
    assert_eq!(one.seq, Some(4));
    let none = OWN.decode("acme", r#"{"w": 20}"#);
    assert!(matches!(none.observations[0].identity, Identity::Payload(_)));
    let wrong = OWN.decode("acme", r#"{"w": 20, "meta": {"at": "soon"}}"#);
    assert_eq!(reasons(&wrong), [DeadLetterReason::WrongShape]);
}

#[test]
fn readings_from_earlier_carry_their_own_time() {
    let decoded = OWN.decode(
        "acme",
        r#"{"w": 20, "past": [{"at": 1767100000, "w": 21}, {"at": 1767103600, "w": 99.9}, {"w": 22}, {"at": 5, "w": 23}, {"at": 1}]}"#,
    );
    let seconds: Vec<i64> =
        decoded.observations.iter().map(|one| one.measured.as_second()).collect();
    assert_eq!(seconds, [1_767_225_600, 1_767_100_000, 1_767_103_600]);
    assert_eq!(OWN.shown(&decoded.observations[2]), ["soil_moisture 0.9990 X"]);
    // Two without a usable time: stored now they would pass for the present.
    assert_eq!(reasons(&decoded), [DeadLetterReason::WrongShape]);
    assert!(
        decoded.problems[0].detail.contains("history 2")
            && decoded.problems[0].detail.contains("history 3")
    );
}

#[test]
fn a_log_is_read_by_its_columns_in_its_zone() {
    let decoded = OWN.decode(
        "acme",
        r#"{"log": "[20.5,x,2025-12-31 08:00:00],[99.9,x,2025-12-31 08:20:00],[0,0,1970-01-01 08:00:00],"}"#,
    );
    assert_eq!(decoded.problems, []);
    let all: Vec<_> =
        decoded.observations.iter().map(|one| (one.measured.to_string(), OWN.shown(one))).collect();
    let wanted = [
        ("2025-12-31T00:00:00Z".to_owned(), vec!["soil_moisture 0.2050".to_owned()]),
        ("2025-12-31T00:20:00Z".to_owned(), vec!["soil_moisture 0.9990 X".to_owned()]),
    ];
    assert_eq!(all, wanted);
    let empty = OWN.decode("acme", r#"{"log": "[0,0,1970-01-01 08:00:00],"}"#);
    assert!(empty.ignored.is_some() && empty.problems.is_empty(), "{empty:?}");
    let wrong = OWN.decode("acme", r#"{"log": "[20,x,noon],[20,x]"}"#);
    assert_eq!(reasons(&wrong), [DeadLetterReason::WrongShape]);
}

#[test]
fn what_a_profile_leaves_alone_is_named() {
    let root = Json::parse(
        br#"{"w": 1, "fw": {"major": 1}, "values": [{"k": "lux", "v": [1]}, {"k": 9, "v": [1]}], "kind": "x"}"#,
    );
    let unread = OWN.profiles.find("acme").unwrap().unread(&root.unwrap());
    assert_eq!(unread, ["fw.major", "k 9"]);
}

proptest! {
    #[test]
    fn bytes_of_any_kind_never_panic(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        for profile in SHIPPED.catalogue.profiles().iter().chain(OWN.catalogue.profile("acme")) {
            OWN.decode_over(&profile.key, &payload, Network::default());
        }
    }

    #[test]
    fn words_of_json_in_any_order_never_panic(
        words in proptest::collection::vec(
            prop_oneof![
                Just("{"), Just("}"), Just("["), Just("]"), Just(","), Just(":"), Just("\"w\""),
                Just("\"history\""), Just("\"timestamp\""), Just("\"messages\""), Just("\"measurementId\""),
                Just("\"measurementValue\""), Just("4103"), Just("\"DATALOG\""), Just("\"[PH:5,time:2\""),
                Just("\"temperature\""), Just("\"s_flag\""), Just("\"1100\""), Just("\"water_SOIL1\""),
                Just("\"3.3 V\""), Just("NaN"), Just("1e999"), Just("-0.1"), Just("null"), Just("true"),
            ],
            0..40,
        ),
        port in any::<u64>(),
        raw in "[A-Za-z0-9+/=]{0,24}",
    ) {
        let network = Network { port: Some(port), raw: Some(&raw), ..Network::default() };
        for profile in SHIPPED.catalogue.profiles().iter().chain(OWN.catalogue.profile("acme")) {
            OWN.decode_over(&profile.key, words.concat().as_bytes(), network);
        }
    }

    #[test]
    fn values_of_any_kind_at_every_place_never_panic(values in proptest::collection::vec(any_value(), 24)) {
        for profile in SHIPPED.catalogue.profiles() {
            let fields = profile.all_fields().flat_map(|field| field.from.iter().chain([]));
            let keys = fields.map(ToString::to_string).chain(
                ["history", "messages", "DATALOG", "s_flag", "Mod", "valid", "timestamp", "last_seen", "temperature_unit", "moisture_error"].map(str::to_owned),
            );
            let entries: Vec<String> = keys.zip(values.iter().cycle()).map(|(key, value)| format!("{key:?}:{value}")).collect();
            let payload = format!("{{{}}}", entries.join(","));
            SHIPPED.decode(&profile.key, &payload);
        }
    }
}

fn any_value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        any::<f64>().prop_map(|number| format!("{number:?}")),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        Just("null".to_owned()),
        "[0-9.eE+ -]{0,10}( ?(V|%|°C|K))?".prop_map(|text| format!("{text:?}")),
        ".{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    scalar.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(|all| format!("[{}]", all.join(","))),
            (inner.clone(), inner.clone(), inner).prop_map(|(id, value, time)| format!(
                r#"{{"measurementId":{id},"measurementValue":{value},"timestamp":{time},"temperature":{value}}}"#
            )),
        ]
    })
}
