//! Whatever a file holds, it is read or refused, never a panic.

use proptest::prelude::*;

use super::*;

/// Bytes that look enough like a file to get past its header.
fn bytes_like_a_file() -> impl Strategy<Value = Vec<u8>> {
    let head = prop::sample::select(vec![
        "",
        "\u{feff}device,time,soil_moisture,soil_moisture@0.6\n",
        "device,time,quantity,value,unit,depth_m,received,flags\n",
        "plot,sampled_on,depth_m,quantity,value,unit\n",
        "date,air_temperature_max,air_temperature_min,rain\n",
        "id,cooperative,land_type,latitude,longitude,area_mu\n",
        "{\"features\": [{\"geometry\": {\"type\": \"Polygon\", \"coordinates\": [[",
    ]);
    let words = prop::sample::select(vec![
        "d1",
        "nx-01",
        ",",
        ",",
        ",",
        "\n",
        "\"",
        "cadmium",
        "<",
        "0.05",
        "1e999",
        "2026-05-01",
        "年",
        "-",
        "ningxiang",
        "[",
        "]",
        "}",
        "112.5",
        "28.2",
        ":",
        " ",
        "日",
        "T",
        "mg/kg",
        "\r",
    ]);
    let tail = prop_oneof![
        prop::collection::vec(words, 0..40).prop_map(|words| words.concat().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..200),
    ];
    (head, tail).prop_map(|(head, tail)| [head.as_bytes(), &tail].concat())
}

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(bytes in bytes_like_a_file()) {
        let (options, catalogue, known) = (options(), catalogue(), known());
        let _ = parse_plots(&bytes, &options, &known);
        let _ = parse_plots_geojson(&bytes, &options, &known);
        let _ = parse_devices(&bytes, &options, &catalogue, &known);
        let _ = parse_samples(&bytes, &options, &catalogue, &known);
        let _ = parse_seasons(&bytes, &options, &catalogue, &known);
        let _ = parse_outcomes(&bytes, &options, &catalogue, &known);
        let _ = parse_prices(&bytes, &options, &catalogue, &known);
        let _ = parse_climate(&bytes, &options, &known);
        if let Ok(readings) = parse_readings(&bytes, &options, &catalogue, &known.directory) {
            let summary = readings.summary();
            prop_assert_eq!(readings.count() as u64, summary.observations);
        }
    }

    #[test]
    fn a_polygon_of_any_numbers_is_read_or_refused(
        ring in prop::collection::vec((-2.0..2.0_f64, -2.0..2.0_f64), 3..8)
    ) {
        let mut ring: Vec<[f64; 2]> = ring.into_iter().map(|(x, y)| [x, y]).collect();
        ring.push(ring[0]);
        let document = serde_json::json!({"type": "FeatureCollection", "features": [{
            "type": "Feature", "id": "a",
            "properties": {"cooperative": "ningxiang", "land_type": "dry"},
            "geometry": {"type": "Polygon", "coordinates": [ring]}}]});
        if let Ok(plots) = parse_plots(document.to_string().as_bytes(), &options(), &known()) {
            prop_assert!(plots[0].area_m2 > 0.0);
        }
    }
}
