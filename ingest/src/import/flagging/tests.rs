use std::fmt::Write as _;

use jiff::tz::TimeZone;
use plotwise_config::{catalogue::Catalogue, land::Water, reading::DepthMm};
use proptest::prelude::*;

use super::*;

fn options() -> FlagOptions {
    FlagOptions { land: Land::default(), depth: None, timezone: TimeZone::UTC }
}

fn flagged_with(file: &str, options: &FlagOptions) -> Result<String, FileErrors> {
    let catalogue = Catalogue::shipped().unwrap();
    let flagged = flag_readings(file.as_bytes(), options, &catalogue)?;
    let mut out = Vec::new();
    flagged.write(&mut out).unwrap();
    Ok(String::from_utf8(out).unwrap())
}

fn flagged(file: &str) -> String {
    flagged_with(file, &options()).unwrap()
}

#[test]
fn a_column_is_added_and_nothing_else_changes() {
    let file = "\u{feff}time, soil_moisture ,\"note\nof mine\",who\r\n\
                2026-05-01 00:00,0.30,\"a, \"\"b\"\"\",x\r\n\
                \r\n\
                2026-05-01 01:00, 0.70 ,,\"y\"\n\
                ,,,\n\
                2026-05-01T02:00:00Z,,gone,z";
    let wanted = "\u{feff}time, soil_moisture ,\"note\nof mine\",who,flags\r\n\
                  2026-05-01 00:00,0.30,\"a, \"\"b\"\"\",x,\r\n\
                  \r\n\
                  2026-05-01 01:00, 0.70 ,,\"y\",C02\n\
                  ,,,\n\
                  2026-05-01T02:00:00Z,,gone,z,";
    assert_eq!(flagged(file), wanted);
}

#[test]
fn the_flags_of_other_columns_stand_behind_their_names() {
    let file = "time,soil_temperature,soil_moisture,soil_moisture@0.6\n\
                2026-05-01T00:00:00Z,-70,0.7,-0.1\n\
                2026-05-01T01:00:00Z,-1,0.3,0.3\n";
    let wanted = "time,soil_temperature,soil_moisture,soil_moisture@0.6,flags\n\
                  2026-05-01T00:00:00Z,-70,0.7,-0.1,C02;soil_temperature:C01;soil_moisture@0.6:C01\n\
                  2026-05-01T01:00:00Z,-1,0.3,0.3,D01;soil_moisture@0.6:D01\n";
    assert_eq!(flagged(file), wanted);
    // A thermometer at another depth says nothing.
    let at = FlagOptions { depth: Some(DepthMm(100)), ..options() };
    let found = flagged_with(file, &at).unwrap();
    assert!(found.ends_with("-1,0.3,0.3,D01\n"), "{found}");
}

#[test]
fn a_long_file_keeps_fault_codes_and_forgets_what_was_computed() {
    let file = "device,time,quantity,value,unit,depth_m,flags\n\
                a,2026-05-01T00:00:00Z,soil_moisture,70,%,0.1,\n\
                a,2026-05-01T01:00:00Z,soil_moisture,30,%,0.1,C02;X;T\n\
                b,2026-05-01T00:00:00Z,土壤温度,-2,,0.1,S\n";
    let wanted = "device,time,quantity,value,unit,depth_m,flags\n\
                  a,2026-05-01T00:00:00Z,soil_moisture,70,%,0.1,C02\n\
                  a,2026-05-01T01:00:00Z,soil_moisture,30,%,0.1,X;T\n\
                  b,2026-05-01T00:00:00Z,土壤温度,-2,,0.1,\n";
    assert_eq!(flagged(file), wanted);
}

#[test]
fn rows_may_come_in_any_order_and_devices_are_told_apart() {
    let mut rows: Vec<String> = (0..100)
        .flat_map(|hour| {
            let time = format!("{}", 1_777_593_600 + hour * 3600);
            [format!("stuck,{time},0.312\n"), format!("moving,{time},0.{}\n", 200 + hour)]
        })
        .collect();
    rows.reverse();
    let found = flagged(&format!("device,time,soil_moisture\n{}", rows.concat()));
    for line in found.lines().skip(1) {
        assert_eq!(line.ends_with(",S"), line.starts_with("stuck"), "{line}");
    }
}

#[test]
fn water_and_saturation_come_from_outside() {
    let file = "time,soil_moisture\n2026-05-01T00:00:00Z,0.65\n";
    let with = |water, saturation| {
        let options = FlagOptions { land: Land::under(water, saturation), ..options() };
        flagged_with(file, &options).unwrap().lines().last().unwrap().to_owned()
    };
    assert_eq!(with(Water::RainFed, Some(0.45)), "2026-05-01T00:00:00Z,0.65,C02;C03");
    assert_eq!(with(Water::Flooded, None), "2026-05-01T00:00:00Z,0.65,");
}

#[test]
fn what_is_wrong_is_named_by_line_and_column() {
    let refused = |file: &str| {
        let error = flagged_with(file, &options()).unwrap_err();
        error.to_string()
    };
    let found = refused("time,soil_moisture\nyesterday,0.3\n2026-05-01T00:00:00Z,wet\n1,2,3\n");
    assert!(found.contains("line 2, time: found \"yesterday\""), "{found}");
    assert!(found.contains("line 3, soil_moisture: found \"wet\", wanted a number"), "{found}");
    assert!(found.contains("line 4, 3: found \"3 columns\", wanted 2 columns"), "{found}");
    assert!(refused("").contains("a column time"));
    assert!(refused("time,colour\n").contains("at least one quantity"));
    assert!(refused("time,quantity\n").contains("a column value"));
    assert!(refused("time,quantity,value\n1777593600,moisture,1\n").contains("line 2, quantity"));
}

#[test]
fn counts_name_each_flag_once() {
    let catalogue = Catalogue::shipped().unwrap();
    let file = b"time,soil_moisture,note\n1777593600,0.7,a\n1777597200,-1,b\n1777600800,,c\n";
    let flagged = flag_readings(file, &options(), &catalogue).unwrap();
    assert_eq!(flagged.readings(), 2);
    assert_eq!(flagged.counts(), [("C01", 1), ("C02", 1)]);
    assert_eq!(flagged.other_columns(), ["note"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let catalogue = Catalogue::shipped().unwrap();
        if let Ok(flagged) = flag_readings(&bytes, &options(), &catalogue) {
            flagged.write(Vec::new()).unwrap();
        }
    }

    #[test]
    fn without_its_last_column_the_file_is_what_it_was(
        rows in prop::collection::vec(("[a-z ]{0,4}", 0.0..1.2_f64, "\n|\r\n"), 0..60),
    ) {
        let mut file = "who,time,soil_moisture\n".to_owned();
        for (hour, (who, value, end)) in rows.iter().enumerate() {
            write!(file, "\"{who}\",{},{value:.3}{end}", hour * 3600).unwrap();
        }
        let found = flagged(&file);
        let mut before = String::new();
        for line in found.split_inclusive('\n') {
            let body = line.trim_end();
            before.push_str(body.rsplit_once(',').map_or(body, |(kept, _)| kept));
            before.push_str(&line[body.len()..]);
        }
        prop_assert_eq!(before, file);
    }
}
