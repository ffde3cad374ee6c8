//! The shipped profiles against what makers' decoders give, trap by trap.

use super::*;

const MOISTURE: &str = "soil_moisture 0.1957";

#[test]
fn an_lse01_is_read_in_the_four_shapes_of_its_decoders() {
    let wanted = [MOISTURE, "soil_temperature 24.5900", "soil_ec 28.2000", "battery_v 3.6250"];
    for payload in [
        r#"{"BatV": 3.625, "temp_DS18B20": 24.1, "temp_SOIL": 24.59, "water_SOIL": 19.57, "conduct_SOIL": 28200, "s_flag": 1, "i_flag": 0, "Mod": 0, "Node_type": "LSE01"}"#,
        r#"{"BatV": 3.625, "temp_DS18B20": "24.10", "temp_SOIL": "24.59", "water_SOIL": "19.57", "conduct_SOIL": 28200, "s_flag": 1, "i_flag": 0, "Mod": 0}"#,
        r#"{"Bat": 3.625, "TempC_DS18B20": "24.1", "conduct_SOIL": 28200, "temp_SOIL": "24.59", "water_SOIL": "19.57"}"#,
    ] {
        assert_eq!(SHIPPED.readings("dragino_lse01", payload), wanted, "{payload}");
    }
    let with_null = r#"{"BatV": 3.625, "temp_SOIL": null, "water_SOIL": 19.57, "Mod": 0}"#;
    assert_eq!(SHIPPED.readings("dragino_lse01", with_null), [MOISTURE, "battery_v 3.6250"]);
}

#[test]
fn raw_mode_is_a_probe_fault_and_never_a_reading() {
    let raw = r#"{"BatV": 3.625, "temp_DS18B20": 24.1, "Soil_dielectric_constant": "195.7", "Raw_water_SOIL": 2459, "Raw_conduct_SOIL": 28200, "s_flag": 1, "i_flag": 0, "Mod": 1, "Node_type": "LSE01", "water_SOIL": null, "temp_SOIL": null}"#;
    let ttn = r#"{"Bat": 3.625, "TempC_DS18B20": "24.1", "conduct_SOIL": 28200, "temp_SOIL": "24.59", "water_SOIL": "19.57"}"#;
    for profile in ["dragino_lse01", "dragino_se01_lb"] {
        let decoded = SHIPPED.decode(profile, raw);
        assert_eq!(decoded.observations, [], "{profile}");
        assert_eq!(reasons(&decoded), [DeadLetterReason::ProbeFault], "{profile}");
        // The codec that leaves Mod out: byte 10 of CE2900F107A5099B6E2890 says it.
        let frame = |raw| Network { port: Some(2), raw: Some(raw), ..Network::default() };
        let decoded = SHIPPED.decode_over(profile, ttn.as_bytes(), frame("zikA8QelCZtuKJA="));
        assert_eq!(reasons(&decoded), [DeadLetterReason::ProbeFault], "{profile}");
        let decoded = SHIPPED.decode_over(profile, ttn.as_bytes(), frame("zikA8QelCZtuKBA="));
        assert_eq!(decoded.observations.len(), 1, "{profile}");
    }
    let many =
        SHIPPED.decode("dragino_se0x_lb", r#"{"Mod": 1, "s_flag": "1000", "Raw_water_SOIL1": 9}"#);
    assert_eq!(reasons(&many), [DeadLetterReason::ProbeFault]);
}

#[test]
fn a_soil_probe_that_the_node_does_not_recognise_is_a_fault() {
    let payload = r#"{"BatV": 3.6, "temp_SOIL": "0.00", "water_SOIL": "0.00", "conduct_SOIL": 0, "s_flag": 0, "Mod": 0}"#;
    let wanted = [
        "soil_moisture 0.0000 X",
        "soil_temperature 0.0000 X",
        "soil_ec 0.0000 X",
        "battery_v 3.6000",
    ];
    assert_eq!(SHIPPED.readings("dragino_se01_lb", payload), wanted);
}

#[test]
fn the_probe_on_a_cable_is_never_taken_for_soil() {
    for absent in ["0.00", "327.67", "24.10"] {
        let payload = format!(
            r#"{{"BatV": 3.6, "temp_DS18B20": "{absent}", "TempC_DS18B20": "{absent}", "water_SOIL": "19.57"}}"#
        );
        for profile in ["dragino_lse01", "dragino_se01_lb"] {
            assert_eq!(SHIPPED.readings(profile, &payload), [MOISTURE, "battery_v 3.6000"]);
        }
    }
}

#[test]
fn a_negative_temperature_of_dragino_is_left_as_its_decoder_gives_it() {
    let found = SHIPPED.readings("dragino_lse01", r#"{"temp_SOIL": "-1.29"}"#);
    assert_eq!(found, ["soil_temperature -1.2900"]);
}

#[test]
fn an_se01_lb_is_read_and_its_nameless_log_is_not_guessed() {
    let payload = r#"{"BatV": 3.625, "temp_DS18B20": "24.10", "temp_SOIL": "24.59", "water_SOIL": "19.57", "conduct_SOIL": 28200, "s_flag": 1, "i_flag": 0, "Mod": 0, "Node_type": "SE01-LB"}"#;
    let wanted = [MOISTURE, "soil_temperature 24.5900", "soil_ec 28.2000", "battery_v 3.6250"];
    assert_eq!(SHIPPED.readings("dragino_se01_lb", payload), wanted);
    let log = r#"{"Node_type": "SE01-LB", "DATALOG": "[24.59,19.57,28.2,2024-01-12 23:50:20],", "PNACKMD": "False"}"#;
    let decoded = SHIPPED.decode("dragino_se01_lb", log);
    assert_eq!(reasons(&decoded), [DeadLetterReason::WrongShape]);
}

#[test]
fn each_probe_of_an_se0x_lb_has_its_depth_and_an_empty_socket_is_nothing() {
    let payload = r#"{"Node_type": "SE0X-LB", "BatV": 3.363, "i_flag": 0, "Mod": 0, "s_flag": "1100", "temp_DS18B20": "24.10", "temp_SOIL1": "24.59", "water_SOIL1": "19.57", "conduct_SOIL1": 200, "temp_SOIL2": "22.03", "water_SOIL2": "22.13", "conduct_SOIL2": 456}"#;
    let wanted = [
        "soil_moisture@0.1 0.1957",
        "soil_moisture@0.2 0.2213",
        "soil_temperature@0.1 24.5900",
        "soil_temperature@0.2 22.0300",
        "soil_ec@0.1 0.2000",
        "soil_ec@0.2 0.4560",
        "battery_v 3.3630",
    ];
    assert_eq!(SHIPPED.readings("dragino_se0x_lb", payload), wanted);
    let empty = r#"{"BatV": 3.3, "s_flag": "0100", "water_SOIL1": "0.00", "water_SOIL2": "22.13"}"#;
    let wanted = ["soil_moisture@0.2 0.2213", "battery_v 3.3000"];
    assert_eq!(SHIPPED.readings("dragino_se0x_lb", empty), wanted);
}

#[test]
fn units_inside_texts_are_units() {
    let wanted = ["soil_ph 5.9600", "soil_temperature 24.9000", "battery_v 3.3630"];
    for payload in [
        r#"{"Node_type": "LSPH01", "Bat": "3.363 V", "TempC_DS18B20": "0.00 °C", "PH1_SOIL": "5.96", "TEMP_SOIL": "24.90", "Interrupt_flag": 0, "Message_type": 1}"#,
        r#"{"Bat": 3.363, "Interrupt_flag": 0, "Message_type": 1, "PH1_SOIL": "5.96", "TEMP_SOIL": "24.90", "TempC_DS18B20": "0.00"}"#,
        r#"{"Bat": "3363 mV", "PH1_SOIL": 5.96, "TEMP_SOIL": "24.90 °C"}"#,
    ] {
        for profile in ["dragino_lsph01", "dragino_sph01_lb"] {
            assert_eq!(SHIPPED.readings(profile, payload), wanted, "{payload}");
        }
    }
}

#[test]
fn a_log_of_dragino_is_stored_at_its_own_times() {
    // 003B00F900000065A1D03C, decoded on a server in UTC, and a second entry.
    let payload = r#"{"Node_type": "SPH01-LB", "DATALOG": "[PH:5.9,Temperature:24.9,DS18B20_Temperature:0,s_flag:0,time :2024-01-12 23:50:20],[PH:6,Temperature:24.8,DS18B20_Temperature:0,s_flag:0,time :2024-01-13 00:10:20],"}"#;
    let network = Network { port: Some(3), time: RECEIVED.parse().ok(), ..Network::default() };
    let decoded = SHIPPED.decode_over("dragino_sph01_lb", payload.as_bytes(), network);
    assert_eq!(decoded.problems, []);
    let [first, second] = decoded.observations.as_slice() else { panic!("{decoded:?}") };
    assert_eq!(first.measured.as_second(), 0x65A1_D03C);
    assert_eq!(first.identity, Identity::MeasuredTime);
    assert_eq!(SHIPPED.shown(first), ["soil_ph 5.9000", "soil_temperature 24.9000"]);
    assert_eq!(second.measured.to_string(), "2024-01-13T00:10:20Z");

    // A server that runs in China writes other digits for the same moment.
    let text = SHIPPED.catalogue.profile("dragino_sph01_lb").unwrap().to_toml().unwrap();
    let own = Tried::with(&text.replace("\"UTC\"", "\"Asia/Shanghai\""));
    let payload = payload.replace("2024-01-12 23:50:20", "2024-01-13 07:50:20");
    let decoded = own.decode("dragino_sph01_lb", &payload);
    assert_eq!(decoded.observations[0].measured.as_second(), 0x65A1_D03C);
}

#[test]
fn device_information_is_ignored() {
    let dragino = r#"{"SENSOR_MODEL": "SE01-LB", "FIRMWARE_VERSION": "1.0.0", "FREQUENCY_BAND": "CN470", "SUB_BAND": "NULL", "BAT": 3.6}"#;
    for profile in [
        "dragino_lse01",
        "dragino_se01_lb",
        "dragino_se0x_lb",
        "dragino_lsph01",
        "dragino_sph01_lb",
    ] {
        let network = Network { port: Some(5), ..Network::default() };
        let by_port = SHIPPED.decode_over(profile, br#"{"BatV": 3.6}"#, network);
        for decoded in [by_port, SHIPPED.decode(profile, dragino)] {
            assert!(decoded.ignored.is_some(), "{profile}: {decoded:?}");
            assert!(decoded.observations.is_empty() && decoded.problems.is_empty());
        }
    }
    let milesight = r#"{"ipso_version": "v0.1", "hardware_version": "v2.0", "firmware_version": "v1.5", "sn": "6126a14840100000", "lorawan_class": "Class A"}"#;
    for profile in ["milesight_em500_smtc", "milesight_em500_lgt"] {
        let decoded = SHIPPED.decode(profile, milesight);
        assert!(decoded.ignored.is_some() && decoded.problems.is_empty(), "{decoded:?}");
    }
    let sensecap = r#"{"valid": true, "err": 0, "payload": "0000000101000100070064003C00012001000000002890", "messages": [{"type": "upload_version", "hardwareVersion": "1.0", "softwareVersion": "1.1"}, {"type": "upload_battery", "battery": 100}, {"type": "upload_interval", "interval": 3600}, {"type": "report_remove_sensor", "channel": 1}]}"#;
    let decoded = SHIPPED.decode("sensecap_s210x", sensecap);
    assert!(decoded.ignored.is_some() && decoded.problems.is_empty(), "{decoded:?}");
}

#[test]
fn sensecap_names_values_by_number() {
    let message = |id: &str, value: &str| {
        format!(
            r#"{{"type": "report_telemetry", "measurementId": {id}, "measurementValue": {value}}}"#
        )
    };
    let frame = |messages: &[String]| {
        format!(
            r#"{{"valid": true, "err": 0, "payload": "00", "messages": [{}]}}"#,
            messages.join(",")
        )
    };
    let readings = |messages: &[String]| SHIPPED.readings("sensecap_s210x", &frame(messages));
    assert_eq!(readings(&[message("4099", "174.528")]), ["illuminance 174.5280"]);
    let s2104 = [message("4102", "24.1"), message("4103", "45.5")];
    assert_eq!(readings(&s2104), ["soil_temperature 24.1000", "soil_moisture 0.4550"]);
    let s2105 = [message("4102", "23.9"), message("4103", "41.8"), message("4108", "0.18")];
    let wanted = ["soil_temperature 23.9000", "soil_moisture 0.4180", "soil_ec 0.1800"];
    assert_eq!(readings(&s2105), wanted, "4108 is in dS/m");
    let air = [message("4097", "21.4"), message("4098", "31.4")];
    assert_eq!(readings(&air), ["air_temperature 21.4000", "relative_humidity 31.4000"]);
    let older = [message("4112", "20"), message("\"4111\"", "\"0.5\"")];
    assert_eq!(readings(&older), ["soil_temperature 20.0000", "soil_ec 0.5000"]);
    let others = [
        message("4133", "-33"),
        message("4106", "5.5"),
        message("4129", "812"),
        message("4127", "500"),
        message("4113", "3"),
    ];
    let wanted =
        ["soil_tension 33.0000", "soil_ph 5.5000", "ppfd 812.0000", "global_radiation 500.0000"];
    assert_eq!(readings(&others), wanted, "suction is positive here, a rate of rain is no amount");
    let nested = format!("[{}], [{}]", message("4102", "24.1"), message("4103", "45.5"));
    assert_eq!(readings(&[nested]), ["soil_temperature 24.1000", "soil_moisture 0.4550"]);
    let damaged =
        SHIPPED.decode("sensecap_s210x", r#"{"valid": false, "err": -1, "messages": []}"#);
    assert_eq!(reasons(&damaged), [DeadLetterReason::ProbeFault]);
}

#[test]
fn a_bridge_of_the_retired_things_network_is_read_too() {
    let payload = r#"{"app_id": "lorawan868", "dev_id": "2cf7f12010700041", "hardware_serial": "2CF7F12010700041", "port": 2, "counter": 1119, "payload_raw": "AQEQYG0AAAECEOj9AACWSA==", "payload_fields": {"err": 0, "messages": [{"measurementId": 4097, "measurementValue": 28, "type": "report_telemetry"}, {"measurementId": 4098, "measurementValue": 65, "type": "report_telemetry"}], "payload": "010110606D0000010210E8FD00009648", "valid": true}, "metadata": {"time": "2020-03-13T09:09:45.834032725Z", "frequency": 867.3}}"#;
    let decoded = SHIPPED.decode("sensecap_s210x", payload);
    let one = &decoded.observations[0];
    assert_eq!(one.measured, "2020-03-13T09:09:45.834032725Z".parse().unwrap());
    assert_eq!(SHIPPED.shown(one), ["air_temperature 28.0000", "relative_humidity 65.0000"]);
}

#[test]
fn an_em500_is_read_by_either_name_of_its_keys() {
    let wanted =
        ["soil_moisture 0.5750", "soil_temperature 28.1000", "soil_ec 0.2400", "battery 1.0000"];
    for ec in ["electricity", "ec"] {
        let payload =
            format!(r#"{{"battery": 100, "temperature": 28.1, "moisture": 57.5, "{ec}": 240}}"#);
        assert_eq!(SHIPPED.readings("milesight_em500_smtc", &payload), wanted);
    }
    let light = SHIPPED.readings("milesight_em500_lgt", r#"{"battery": 100, "illumination": 80}"#);
    assert_eq!(light, ["illuminance 80.0000", "battery 1.0000"]);
}

#[test]
fn a_failed_probe_that_reads_as_a_cold_night_is_a_fault_code() {
    let failed = r#"{"moisture_error": "collection failed", "electricity_error": "collection failed", "temperature": -0.1}"#;
    let decoded = SHIPPED.decode("milesight_em500_smtc", failed);
    assert_eq!(SHIPPED.shown(&decoded.observations[0]), ["soil_temperature -0.1000 X"]);
    assert_eq!(reasons(&decoded), [DeadLetterReason::ProbeFault]);
    let not_there = failed.replace("-0.1", "-0.3").replace("collection failed", "not supported");
    let decoded = SHIPPED.decode("milesight_em500_smtc", &not_there);
    assert_eq!(SHIPPED.shown(&decoded.observations[0]), ["soil_temperature -0.3000 X"]);
    // One of the two codes and nothing that speaks of a fault; a fault and another temperature.
    let cold = SHIPPED.readings("milesight_em500_smtc", r#"{"temperature": -0.1, "moisture": 30}"#);
    assert_eq!(cold, ["soil_moisture 0.3000", "soil_temperature -0.1000"]);
    let half = SHIPPED.decode("milesight_em500_smtc", &failed.replace("-0.1", "-0.2"));
    assert_eq!(SHIPPED.shown(&half.observations[0]), ["soil_temperature -0.2000"]);
}

#[test]
fn a_history_of_milesight_is_stored_at_its_own_times() {
    // 20CE8C00A265F0001901DC0A: its time, 240 µS/cm, 28.1 °C, 27.8 %.
    let payload = r#"{"history": [{"timestamp": 1705115788, "electricity": 240, "temperature": 28.1, "moisture": 27.8}, {"timestamp": 1705119388, "electricity_error": "collection failed", "temperature": -0.1, "moisture": 27.9}]}"#;
    let network = Network { time: RECEIVED.parse().ok(), ..Network::default() };
    let decoded = SHIPPED.decode_over("milesight_em500_smtc", payload.as_bytes(), network);
    let [first, second] = decoded.observations.as_slice() else { panic!("{decoded:?}") };
    assert_eq!(first.measured.as_second(), 0x65A2_008C);
    assert_eq!(
        SHIPPED.shown(first),
        ["soil_moisture 0.2780", "soil_temperature 28.1000", "soil_ec 0.2400"]
    );
    assert_eq!(SHIPPED.shown(second), ["soil_moisture 0.2790", "soil_temperature -0.1000 X"]);
    let light = r#"{"history": [{"timestamp": 1705115788, "illumination": 80}]}"#;
    let decoded = SHIPPED.decode("milesight_em500_lgt", light);
    assert_eq!(SHIPPED.shown(&decoded.observations[0]), ["illuminance 80.0000"]);
}

#[test]
fn a_zigbee_sensor_is_read_with_the_unit_that_it_names() {
    let payload = r#"{"battery": 100, "battery_state": "high", "linkquality": 116, "soil_moisture": 43, "temperature": 21.4, "temperature_unit": "celsius"}"#;
    let wanted = ["soil_moisture 0.4300", "soil_temperature 21.4000", "battery 1.0000"];
    assert_eq!(SHIPPED.readings("zigbee2mqtt_soil", payload), wanted);
    let fahrenheit = payload.replace("21.4", "70.52").replace("celsius", "fahrenheit");
    assert_eq!(SHIPPED.readings("zigbee2mqtt_soil", &fahrenheit), wanted);
    let seen = payload
        .replace("{\"battery\"", "{\"last_seen\": \"2025-12-31T20:00:00+08:00\", \"battery\"");
    let decoded = SHIPPED.decode("zigbee2mqtt_soil", &seen);
    assert_eq!(decoded.observations[0].measured.to_string(), "2025-12-31T12:00:00Z");
}

#[test]
fn flat_json_is_read_by_a_profile_of_the_users() {
    let own = Tried::with(
        r#"
[[profile]]
key = "plain"
maker = "own"
name = { zh = "自制", en = "home made" }
source = "the firmware"
time = ["timestamp"]
field = [
  { quantity = "soil_moisture", from = ["soil_moisture"], unit = "%" },
  { quantity = "soil_temperature", from = ["soil_temperature"] },
  { quantity = "soil_ph", from = ["soil_ph"] },
  { quantity = "illuminance", from = ["light_intensity"] },
]

[[profile]]
key = "bare"
maker = "own"
name = { zh = "单值", en = "one number" }
source = "the firmware"
field = [{ quantity = "soil_moisture", from = ["."], unit = "%" }]
"#,
    );
    let payload = r#"{"soil_moisture": 45.2, "soil_temperature": 26.7, "soil_ph": 5.8, "light_intensity": 21400, "timestamp": 1730317200}"#;
    let decoded = own.decode("plain", payload);
    let one = &decoded.observations[0];
    assert_eq!(one.measured.as_second(), 1_730_317_200);
    let wanted = [
        "soil_moisture 0.4520",
        "soil_temperature 26.7000",
        "soil_ph 5.8000",
        "illuminance 21400.0000",
    ];
    assert_eq!(own.shown(one), wanted);
    // What announces a sensor to home automation is no reading, and says so.
    let config = r#"{"name": "Plot 7 soil moisture", "state_topic": "plot/7/state", "unit_of_measurement": "%"}"#;
    assert_eq!(reasons(&own.decode("plain", config)), [DeadLetterReason::WrongShape]);
    assert_eq!(own.readings("bare", "45.2"), ["soil_moisture 0.4520"]);
    assert_eq!(own.readings("bare", "\"45.2 %\""), ["soil_moisture 0.4520"]);
}
