mod any_bytes;

use std::sync::Arc;

use jiff::{Timestamp, civil::date, tz::TimeZone};
use plotwise_config::{
    catalogue::Catalogue,
    id::DeviceId,
    land::{LandType, Protection},
    reading::{DepthMm, Flags},
    records::{Measured, OutcomeStatus, Plot, SampleKind, SoldAs},
    settings::Datum,
};

use super::*;
use crate::{directory::Entry, facts::Facts};

fn catalogue() -> Catalogue {
    Catalogue::parse(&[("catalogue.toml", include_str!("../facts/tests/catalogue.toml"))]).unwrap()
}

fn options() -> Options {
    Options::new("2026-11-24T00:00:00Z".parse().unwrap())
}

/// One cooperative with the plots nx-01 and nx-02 and the device d1, 0.3 m deep.
fn known() -> Known {
    let owner = CooperativeId::parse("ningxiang").unwrap();
    let entry = Entry {
        cooperative: owner.clone(),
        profile: "native".to_owned(),
        is_gateway: false,
        token_sha256: None,
        own_depths: vec![(Timestamp::UNIX_EPOCH, Some(DepthMm(300)))],
    };
    Known {
        cooperatives: BTreeSet::from([owner.clone()]),
        plots: ["nx-01", "nx-02"]
            .into_iter()
            .map(|id| (PlotId::parse(id).unwrap(), owner.clone()))
            .collect(),
        directory: Directory::new([(DeviceId::parse("d1").unwrap(), entry)]),
    }
}

/// The one error of a file as `line column found | wanted`.
#[track_caller]
fn only<T>(read: Result<T, FileErrors>) -> String {
    let errors = read.err().expect("the file is wrong");
    let [error] = errors.errors.as_slice() else { panic!("wanted one error: {errors}") };
    format!("{} {} {} | {}", error.line, error.column, error.found, error.wanted)
}

/// That the one error of a file begins so.
#[track_caller]
fn refused<T>(read: Result<T, FileErrors>, begins: &str) {
    let said = only(read);
    assert!(said.starts_with(begins), "wanted {begins:?}, found {said:?}");
}

fn plots(text: &str) -> Result<Vec<Plot>, FileErrors> {
    parse_plots(text.as_bytes(), &options(), &known())
}

const COLLECTION: &str = r#"{"type": "FeatureCollection", "features": [
  {"type": "Feature", "id": 7, "properties": {"cooperative": "ningxiang", "land_type": "水田",
     "protection": ["grain_zone", "basic_farmland"], "codes": {"registry": "430124"}},
   "geometry": {"type": "Polygon", "coordinates":
     [[[112.5, 28.2], [112.501, 28.2], [112.501, 28.201], [112.5, 28.201], [112.5, 28.2]]]}},
  {"type": "Feature", "properties": {"id": "nx-08", "cooperative": "ningxiang", "name": "高坎",
     "land_type": "dry", "soil_class": "safe_use", "soil_class_date": "2023年5月1日",
     "measure": "structure_adjustment", "measure_from": "2024-01-01", "area_mu": 2.5},
   "geometry": {"type": "Point", "coordinates": [112.5, 28.2, 80]}}
]}"#;

#[test]
fn plots_are_read_from_geojson() {
    let plots = plots(COLLECTION).unwrap();
    assert_eq!(plots[0].id.as_str(), "7");
    assert_eq!(plots[0].name, "7");
    assert_eq!(plots[0].land_type, LandType::Paddy);
    assert_eq!(plots[0].protection, [Protection::BasicFarmland, Protection::GrainZone]);
    assert_eq!(plots[0].codes["registry"], "430124");
    assert!((plots[0].area_m2 - 10_880.0).abs() < 20.0, "{}", plots[0].area_m2);
    assert_eq!(plots[1].name, "高坎");
    assert!(plots[1].polygons.is_empty());
    assert!((plots[1].area_m2 - 1666.67).abs() < 0.01);
    assert_eq!(plots[1].soil_class.as_ref().unwrap().date, Some(date(2023, 5, 1)));
    assert_eq!(plots[1].measure.as_ref().unwrap().from, Some(date(2024, 1, 1)));
}

#[test]
fn a_bad_feature_is_named_by_line_and_property() {
    let crossing = COLLECTION
        .replace("[112.501, 28.2], [112.501, 28.201]", "[112.501, 28.201], [112.501, 28.2]");
    refused(plots(&crossing), "2 geometry a polygon that crosses itself | ");
    let typo = COLLECTION.replace("\"name\"", "\"nam\"");
    refused(plots(&typo), "6 nam nam | a known column; did you mean name?");
    let class = COLLECTION.replace("\"safe_use\"", "\"safe\"");
    refused(plots(&class), "6 soil_class safe | one of priority, safe_use, strict_control");
    let nobody = COLLECTION.replacen("ningxiang", "ningxian", 1);
    let said = only(plots(&nobody));
    assert_eq!(
        said,
        "2 cooperative ningxian | a known cooperative; did you mean ningxiang? \
         (plotwise cooperatives add ningxian --name NAME makes it)"
    );
    let without_area = COLLECTION.replace(", \"area_mu\": 2.5", "");
    refused(plots(&without_area), "6 area_mu  | the area in mu");
    refused(plots(&COLLECTION.replace("\"nx-08\"", "7")), "6 id 7 | each plot once; line 2");
    refused(plots("{\"type\": \"FeatureCollection\"}"), "1 type FeatureCollection | ");
    refused(plots("{\"type\": "), "1 9 EOF");
    let projected = COLLECTION.replacen('{', r#"{"crs": {"name": "EPSG:4547"},"#, 1);
    refused(plots(&projected), "1 crs ");
}

#[test]
fn unknown_properties_may_be_left_out() {
    let typo = COLLECTION.replace("\"name\"", "\"nam\"");
    let options = Options { ignore_unknown: true, ..options() };
    let plots = parse_plots(typo.as_bytes(), &options, &known()).unwrap();
    assert_eq!(plots[1].name, "nx-08");
}

#[test]
fn positions_in_a_chinese_datum_are_moved() {
    let options = Options { datum: Datum::Gcj02, ..options() };
    let csv = "id,cooperative,land_type,latitude,longitude,area_mu\n\
               a,ningxiang,dry,39.91334545536069,116.38404722455657,1";
    let plots = parse_plots(csv.as_bytes(), &options, &known()).unwrap();
    assert!((plots[0].centre.latitude - 39.911_954).abs() < 1e-5);
    assert!((plots[0].centre.longitude - 116.377_817).abs() < 1e-5);
}

#[test]
fn plots_are_read_from_a_spreadsheet_with_chinese_headers_and_a_byte_order_mark() {
    let csv = "\u{feff}编号,名称,合作社,地类,耕地保护,面积（亩）,排水,纬度,经度\r\n\
               塘湾-03,塘湾三号,ningxiang,水田,永久基本农田、粮食生产功能区,3.6,差,28.2,112.5\r\n\
               ,,,,,,,,\r\n";
    let plots = plots(csv).unwrap();
    assert_eq!(plots.len(), 1);
    assert_eq!(plots[0].id.as_str(), "塘湾-03");
    assert_eq!(plots[0].protection, [Protection::BasicFarmland, Protection::GrainZone]);
    assert!((plots[0].area_m2 - 2400.0).abs() < 1e-9);
}

#[test]
fn every_error_of_a_file_is_told_at_once_with_the_written_header() {
    let csv = "编号,合作社,地类,纬度,经度,面积\n\
               a b,ningxiang,水甜,128.2,112.5,1\n\n\
               b,ningxiang,dry,28.2\n\
               c,ningxiang,dry,28.2,112.5,many\n";
    let errors = plots(csv).unwrap_err();
    let places: Vec<_> = errors.errors.iter().map(|e| (e.line, e.column.as_str())).collect();
    assert_eq!(places, [(2, "纬度"), (2, "编号"), (2, "地类"), (4, "4"), (5, "面积")]);
}

#[test]
fn a_hundred_errors_are_listed_and_the_rest_counted() {
    let rows = "x,nobody,dry,1,1,1\n".repeat(130);
    let csv = format!("id,cooperative,land_type,latitude,longitude,area_mu\n{rows}");
    let errors = plots(&csv).unwrap_err();
    assert_eq!(errors.errors.len(), 100);
    // The cooperative is unknown 130 times, the key stands there again 129 times.
    assert_eq!(errors.more, 159);
    let report = ImportReport::refused(errors);
    assert_eq!((report.new, report.more_errors), (0, 159));
}

#[test]
fn a_file_that_is_no_table_is_refused() {
    refused(plots(""), "1 1  | a header line");
    refused(
        parse_devices(b"device\n\xb5\xd8\xbf\xe9\n", &options(), &catalogue(), &known()),
        "2 1 ",
    );
    let errors = parse_devices(b"plot;device\n", &options(), &catalogue(), &known()).unwrap_err();
    assert_eq!(errors.errors[0].column, "plot;device");
    let twice = parse_devices(b"device,cooperative,device\n", &options(), &catalogue(), &known());
    refused(twice, "1 device device | each column once");
}

#[test]
fn devices_stand_where_their_list_says() {
    let csv = "device,cooperative,plot,profile,depth_m,name\n\
               d1,ningxiang,nx-01,native,0.3,\n\
               d2,ningxiang,nx-02,,0.6,北边\n\
               gw,ningxiang,,,,\n";
    let devices = parse_devices(csv.as_bytes(), &options(), &catalogue(), &known()).unwrap();
    let from = |place: usize| devices[place].1.as_ref().unwrap().from;
    assert_eq!(from(0), options().now, "it is known: it may have been moved now");
    assert_eq!(from(1), Timestamp::UNIX_EPOCH, "it is new: earlier readings are of this plot");
    assert_eq!(devices[1].0.profile, "native");
    assert_eq!(devices[1].1.as_ref().unwrap().depth, Some(DepthMm(600)));
    assert_eq!(devices[2].1, None);
}

#[test]
fn a_bad_device_is_named_by_line_and_column() {
    let read = |row: &str| {
        let csv = format!("device,cooperative,plot,profile,depth_m\n{row}\n");
        parse_devices(csv.as_bytes(), &options(), &catalogue(), &known())
    };
    refused(read("a/b,ningxiang,,,"), "2 device a/b | 1-64 of A-Z");
    refused(read("d2,ningxiang,nx-1,,"), "2 plot nx-1 | a known plot; did you mean nx-0");
    refused(read("d2,,,,"), "2 cooperative  | a name");
    refused(
        read("d2,ningxiang,,nativ,"),
        "2 profile nativ | a device profile; did you mean native?",
    );
    refused(read("d2,ningxiang,,,70"), "2 depth_m 70 | a number from 0 to 60");
    refused(read("d2,ningxiang,,,\nd2,ningxiang,,,"), "3 device d2 | each device once; line 2");
}

#[test]
fn samples_of_soil_come_into_canonical_units() {
    let csv = "plot,sampled_on,depth_m,quantity,value,unit,laboratory,method\n\
               nx-01,2025-03-01,0.2,cadmium,420,ug/kg,省所,GB/T 17141\n\
               nx-01,2025-03-01,0.2,pH值,5.6,,省所,\n\
               nx-02,2025-03-01,0.2,镉,<0.05,mg/kg,,\n"
        .replace("pH值", "土壤酸碱度");
    let samples = parse_samples(csv.as_bytes(), &options(), &catalogue(), &known()).unwrap();
    assert_eq!(samples[0].measured, Measured::Value(0.42));
    assert_eq!(samples[1].measured, Measured::Value(5.6));
    assert_eq!(samples[2].measured, Measured::Below(0.05));
    assert_eq!(samples[2].laboratory, None);
}

#[test]
fn samples_of_produce_name_season_and_organ() {
    let csv = "地块,茬口开始,部位,检测项目,检测值,单位\nnx-01,2025/5/20,块根块茎,镉,0.012,mg/kg\n";
    let samples = parse_samples(csv.as_bytes(), &options(), &catalogue(), &known()).unwrap();
    let wanted =
        SampleKind::Produce { season_start: date(2025, 5, 20), organ: "root".parse().unwrap() };
    assert_eq!(samples[0].kind, wanted);
}

#[test]
fn a_bad_sample_is_named_by_line_and_column() {
    let read = |row: &str| {
        let csv = format!("plot,sampled_on,depth_m,quantity,value,unit\n{row}\n");
        parse_samples(csv.as_bytes(), &options(), &catalogue(), &known())
    };
    refused(
        read("nx-01,2025-03-01,0.2,cadmum,1,mg/kg"),
        "2 quantity cadmum | a quantity of the catalogue; did you mean cadmium?",
    );
    refused(read("nx-01,2025-03-01,0.2,cadmium,1,"), "2 unit  | a unit, as mg/kg");
    refused(read("nx-01,2025-03-01,0.2,cadmium,1,ppb"), "2 unit ppb | ");
    refused(read("nx-01,2025-03-01,0.2,cadmium,nan,mg/kg"), "2 value nan | a number");
    refused(read("nx-01,2025-03-01,0.2,cadmium,-1,mg/kg"), "2 value -1 | 0 to 100000 mg/kg");
    refused(
        read("nx-01,2027-03-01,0.2,cadmium,1,mg/kg"),
        "2 sampled_on 2027-03-01 | a day that has been",
    );
    refused(read("nx-01,1.3.2025,0.2,cadmium,1,mg/kg"), "2 sampled_on 1.3.2025 | a day");
    let row = "nx-01,2025-03-01,0.2,cadmium,1,mg/kg";
    refused(read(&format!("{row}\n{row}")), "3 quantity cadmium | each plot, day");
}

#[test]
fn seasons_are_read_and_bad_ones_named() {
    let read = |row: &str| {
        let head = "plot,season_start,season_end,crop,variety,water,disease,severity,confirmed_by";
        parse_seasons(format!("{head}\n{row}\n").as_bytes(), &options(), &catalogue(), &known())
    };
    let seasons = read("nx-01,2026-05-20,,甘薯,商薯19,雨养,黑斑病,重,县农技站").unwrap();
    assert_eq!(seasons[0].end, None);
    assert_eq!(seasons[0].variety.as_ref().unwrap().as_str(), "shangshu_19");
    assert!(seasons[0].disease.is_some_and(|(_, severity)| severity.is_some()));
    refused(read("nx-03,2025-05-20,,sweet_potato,,,,,"), "2 plot nx-03 | a known plot");
    refused(
        read("nx-01,2025-05-20,2025-05-01,sweet_potato,,,,,"),
        "2 season_end 2025-05-01 | a day that is not before",
    );
    refused(
        read("nx-01,2025-05-20,,sweet_potatoe,,,,,"),
        "2 crop sweet_potatoe | a crop of the catalogue; did you mean sweet_potato?",
    );
    refused(
        read("nx-01,2025-05-20,,sweet_potato,shangshu_9,,,,"),
        "2 variety shangshu_9 | a variety of sweet_potato in the catalogue; did you mean shangshu_19?",
    );
    refused(read("nx-01,2025-05-20,,sweet_potato,,,,轻,"), "2 disease  | the disease");
}

#[test]
fn outcomes_take_one_yield_in_either_unit() {
    let read = |row: &str| {
        let head = "plot,season_start,season_end,crop,variety,yield_kg_ha,yield_jin_mu,status,harvested_on";
        parse_outcomes(format!("{head}\n{row}\n").as_bytes(), &options(), &catalogue(), &known())
    };
    let begin = "nx-01,2025-05-20,2025-10-20,sweet_potato,xushu_18";
    let read_yield = |row: &str| read(&format!("{begin},{row}")).unwrap()[0].yield_kg_ha;
    assert!((read_yield("31000,,,") - 31_000.0).abs() < f64::EPSILON);
    assert!((read_yield(",4000,已收获,2025-10-18") - 30_000.0).abs() < f64::EPSILON);
    let failed = read(&format!("{begin},,,绝收,")).unwrap();
    assert_eq!((failed[0].status, failed[0].yield_kg_ha), (OutcomeStatus::Failed, 0.0));
    refused(read(&format!("{begin},1,2,,")), "2 yield_jin_mu 2 | one of yield_kg_ha");
    refused(read(&format!("{begin},,,,")), "2 yield_kg_ha  | a yield");
    refused(read(&format!("{begin},-5,,,")), "2 yield_kg_ha -5 | a number from 0");
    refused(read(&format!("{begin},5,,,2027-01-01")), "2 harvested_on 2027-01-01 | ");
    refused(
        read("nx-99,2025-05-20,2025-10-20,sweet_potato,xushu_18,5,,,"),
        "2 plot nx-99 | a known plot",
    );
    refused(read("nx-01,2025-05-20,2025-10-20,sweet_potato,,5,,,"), "2 variety  | a variety");
}

#[test]
fn prices_are_the_only_cooperatives_or_the_named_ones() {
    let csv = "作物,用途,单价(元/kg),币种,收购方,最大收购量(吨)\n甘薯,淀粉加工,0.9,元,淀粉厂,200\n";
    let prices = parse_prices(csv.as_bytes(), &options(), &catalogue(), &known()).unwrap();
    assert_eq!((prices[0].sold_as, prices[0].currency.as_str()), (SoldAs::Starch, "CNY"));
    assert_eq!(prices[0].cooperative.as_str(), "ningxiang");

    let mut two = known();
    two.cooperatives.insert(CooperativeId::parse("other").unwrap());
    refused(
        parse_prices(csv.as_bytes(), &options(), &catalogue(), &two),
        "2 cooperative  | a column",
    );
    let named = Options { cooperative: CooperativeId::parse("other").ok(), ..options() };
    let prices = parse_prices(csv.as_bytes(), &named, &catalogue(), &two).unwrap();
    assert_eq!(prices[0].cooperative.as_str(), "other");

    let bad = csv.replace("淀粉加工", "酿酒").replace("0.9", "free");
    let errors = parse_prices(bad.as_bytes(), &options(), &catalogue(), &known()).unwrap_err();
    let columns: Vec<&str> = errors.errors.iter().map(|error| error.column.as_str()).collect();
    assert_eq!(columns, ["用途", "单价(元/kg)"]);
}

#[test]
fn weather_is_read_by_day_and_by_month() {
    let read = |csv: &str| parse_climate(csv.as_bytes(), &options(), &known());
    let head = "date,air_temperature_max,air_temperature_min,rain,sunshine";
    let days = read(&format!("{head}\n2025-07-02,34,26,0,\n2025-07-01,33,25,4.5,7.4\n")).unwrap();
    let climate = days.values().next().unwrap();
    assert_eq!(climate.days[0].date, date(2025, 7, 1), "in order of date");
    assert_eq!(climate.days[0].sunshine, Some(7.4));
    refused(read(&format!("{head}\n2025-07-02,24,26,0,\n")), "2 air_temperature_min 26 | at most");

    let month = |month: i8| format!("{month}月,20,10,100\n");
    let year: String = (1..=12).map(month).collect();
    let head = "月份,最高气温,最低气温,降水量\n";
    let months = read(&format!("{head}{year}")).unwrap();
    assert_eq!(months.values().next().unwrap().months.len(), 12);
    refused(read(&format!("{head}{}", month(1))), "1 month 1 months | all twelve");
    refused(read(&format!("{head}{year}{}", month(3))), "14 月份 3月 | each month once; line 4");
}

fn readings(csv: &str) -> Result<Vec<plotwise_config::reading::Observation>, FileErrors> {
    let zone = TimeZone::get("Asia/Shanghai").ok();
    let options = Options { timezone: zone, ..options() };
    let (catalogue, known) = (catalogue(), known());
    let read = parse_readings(csv.as_bytes(), &options, &catalogue, &known.directory)?;
    let summary = read.summary();
    let observations: Vec<_> = read.collect();
    assert_eq!(summary.observations, observations.len() as u64);
    Ok(observations)
}

#[test]
fn wide_readings_leave_the_devices_own_depth_away() {
    let csv = "device,time,soil_moisture,soil_moisture@0.3,soil_temperature@0.6\n\
               d1,2026-05-01,0.25,,\n\
               d1,2026-05-02 08:00,,0.26,18.5\n\
               d1,2026-05-03,,,\n";
    let observations = readings(csv).unwrap();
    assert_eq!(observations.len(), 2);
    assert_eq!(observations[0].measured.to_string(), "2026-04-30T16:00:00Z");
    assert_eq!(observations[0].received, options().now);
    assert_eq!(observations[0].readings[0].depth, None);
    assert_eq!(observations[1].readings[0].depth, None, "written out it is the same reading");
    assert_eq!(observations[1].readings[1].depth, Some(DepthMm(600)));
}

#[test]
fn our_own_export_comes_back_as_it_was() {
    let csv = "device,time,received,quantity,depth_m,value,flags,simulated\n\
               d1,2026-05-01T00:00:00Z,2026-05-01T00:00:02Z,soil_moisture,0.3,0.25,X;C02,true\n\
               d1,2026-05-01T00:00:00Z,2026-05-01T00:00:02Z,soil_moisture,0.6,0.27,,true\n\
               d1,2026-05-01T01:00:00Z,2026-05-01T01:00:02Z,soil_temperature,0.3,18.2,T;D01,true\n";
    let observations = readings(csv).unwrap();
    assert_eq!(observations.len(), 2);
    assert_eq!(observations[0].received.to_string(), "2026-05-01T00:00:02Z");
    let [own, deeper] = observations[0].readings[..] else { panic!("two readings") };
    assert_eq!((own.depth, own.flags), (None, Flags::FAULT_CODE));
    assert_eq!((deeper.depth, deeper.flags), (Some(DepthMm(600)), Flags::NONE));
    assert_eq!(observations[1].readings[0].flags, Flags::TIME_FROM_ARRIVAL);
}

#[test]
fn long_readings_are_converted_from_their_unit() {
    let csv = "设备,时间,指标,值,单位\nd1,1777593600000,土壤含水量,23.1,%\n";
    let observations = readings(csv).unwrap();
    assert!((observations[0].readings[0].value - 0.231).abs() < 1e-12);
}

#[test]
fn a_bad_reading_is_named_by_line_and_column() {
    let wide = |row: &str| readings(&format!("device,time,soil_moisture\n{row}\n"));
    refused(wide("d9,2026-05-01,0.2"), "2 device d9 | a known device; did you mean d1?");
    refused(wide("d1,2026-05-01,NaN"), "2 soil_moisture NaN | a number, or nothing");
    refused(wide("d1,1999-05-01,0.2"), "2 time 1999-05-01 | a time since 2000");
    refused(wide("d1,2027-05-01,0.2"), "2 time 2027-05-01 | a time that has been");
    refused(wide("d1,2026-05-01,0.2,7"), "2 4 4 columns | 3 columns");
    let long = |row: &str| readings(&format!("device,time,quantity,value,unit\n{row}\n"));
    refused(long("d1,2026-05-01,gold,1,"), "2 quantity gold | ");
    refused(long("d1,2026-05-01,soil_moisture,1,kPa"), "2 unit kPa | ");
    let row = "d1,2026-05-01,soil_moisture";
    refused(long(&format!("{row},1,\n{row},2,")), "3 value 2 | one value for each");
    assert_eq!(long(&format!("{row},1,\n{row},1,")).unwrap()[0].readings.len(), 1);
}

#[test]
fn a_time_without_a_zone_is_refused_without_the_option() {
    let (options, catalogue, known) = (options(), catalogue(), known());
    let csv = b"device,time,soil_moisture\nd1,2026-05-01 08:00,0.2\n";
    let read = parse_readings(csv, &options, &catalogue, &known.directory);
    let said = only(read.map(|_| ()));
    assert!(said.contains("give --timezone"), "{said}");
}

#[tokio::test]
async fn an_import_run_again_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let facts = Facts::open(directory.path(), Arc::new(catalogue())).await.unwrap();
    let cooperative = plotwise_config::records::Cooperative {
        id: CooperativeId::parse("ningxiang").unwrap(),
        name: "宁乡".to_owned(),
        timezone: "Asia/Shanghai".to_owned(),
        place: None,
        simulated: false,
    };
    facts.put_cooperative(&cooperative).await.unwrap();
    for wanted in [(2, 0), (0, 2)] {
        let known = facts.known().await.unwrap();
        let plots = parse_plots(COLLECTION.as_bytes(), &options(), &known).unwrap();
        let changes = facts.put_plots(&plots).await.unwrap();
        assert_eq!((changes.new, changes.same), wanted);

        let known = facts.known().await.unwrap();
        let csv = "device,cooperative,plot,depth_m\na,ningxiang,7,0.3\nb,ningxiang,,\n";
        let devices = parse_devices(csv.as_bytes(), &options(), &catalogue(), &known).unwrap();
        let changes = facts.put_devices(&devices).await.unwrap();
        assert_eq!((changes.new, changes.same), wanted);
    }
    let report = ImportReport::written(2, Changes { new: 0, changed: 0, same: 2 });
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["same"], 2);
    assert!(json["errors"].as_array().unwrap().is_empty());
}
