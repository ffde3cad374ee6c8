use super::*;

const UCCLE: Sky = Sky { latitude: 50.8, day_of_year: 187 };

/// FAO-56, example 18: Uccle (Brussels), 6 July.
fn uccle() -> DayWeather {
    DayWeather {
        temperature_max_c: 21.5,
        temperature_min_c: 12.3,
        humidity: Some(Humidity::Range { max_percent: 84.0, min_percent: 63.0 }),
        wind: Some(Wind { speed_m_s: 10.0 / 3.6, height_m: 10.0 }),
        sunlight: Some(Sunlight::Sunshine { hours: 9.25 }),
        elevation_m: Some(100.0),
        soil_heat_flux_mj_m2: 0.0,
    }
}

#[track_caller]
fn near(found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() <= tolerance, "found {found}, wanted {wanted}");
}

#[test]
fn example_18_air_and_vapour() {
    near(air_pressure(100.0), 100.1235, 0.005);
    near(psychrometric_constant(100.0), 0.0666, 0.0001);
    near(saturation_slope(16.9), 0.1221, 0.0001);
    let saturated = mean_saturation(21.5, 12.3);
    let day = uccle();
    let actual = vapour_pressure(day.humidity.unwrap(), 21.5, 12.3);
    near(saturated, 1.9975, 0.0005);
    near(actual, 1.4086, 0.0005);
    near(saturated - actual, 0.5889, 0.0005);
    near(wind_at_2m(day.wind.unwrap()), 2.0776, 0.0005);
}

#[test]
fn example_18_sun() {
    let (distance, declination, sunset) = sun(UCCLE);
    near(distance, 0.9671, 0.0005);
    near(declination, 0.3954, 0.0005);
    near(sunset, 2.1081, 0.0005);
    near(extraterrestrial_radiation(UCCLE), 41.0884, 0.005);
    near(day_length_h(UCCLE), 16.1046, 0.005);
}

#[test]
fn example_18_radiation() {
    let day = uccle();
    let incoming = incoming_radiation(UCCLE, day.sunlight.unwrap());
    near(incoming, 22.0721, 0.005);
    near((0.75 + 2e-5 * 100.0) * extraterrestrial_radiation(UCCLE), 30.8985, 0.005);
    near((1.0 - ALBEDO) * incoming, 16.9955, 0.005);
    near(net_longwave(UCCLE, &day, 100.0, incoming, 1.4086), 3.7123, 0.005);
    near(net_radiation(UCCLE, &day, 100.0, incoming, 1.4086), 13.2832, 0.005);
}

#[test]
fn example_18_gives_3_88_mm() {
    let found = reference_evapotranspiration(UCCLE, &uccle());
    near(found.mm, 3.8803, 0.01);
    assert!(found.defaulted.is_empty());
}

#[test]
fn example_17_gives_5_72_mm() {
    let bangkok = Sky { latitude: 13.73, day_of_year: 105 };
    let april = DayWeather {
        temperature_max_c: 34.8,
        temperature_min_c: 25.6,
        humidity: Some(Humidity::Vapour { kpa: 2.85 }),
        wind: Some(Wind { speed_m_s: 2.0, height_m: 2.0 }),
        sunlight: Some(Sunlight::Sunshine { hours: 8.5 }),
        elevation_m: Some(2.0),
        soil_heat_flux_mj_m2: monthly_soil_heat_flux(30.2, 29.2),
    };
    near(april.soil_heat_flux_mj_m2, 0.14, 0.001);
    near(reference_evapotranspiration(bangkok, &april).mm, 5.72, 0.01);
}

#[test]
fn missing_inputs_are_filled_and_named() {
    let day = DayWeather { humidity: None, wind: None, elevation_m: None, ..uccle() };
    let found = reference_evapotranspiration(UCCLE, &day);
    assert_eq!(
        found.defaulted,
        [Defaulted::Elevation, Defaulted::Wind, Defaulted::Humidity],
        "each is said"
    );
    near(found.mm, 3.88, 0.6);
}

#[test]
fn without_sunlight_hargreaves_stands_in() {
    let found = reference_evapotranspiration(UCCLE, &DayWeather { sunlight: None, ..uccle() });
    assert_eq!(found.defaulted, [Defaulted::Sunlight]);
    // 0.0023 * (16.9 + 17.8) * sqrt(9.2) * 41.0884 * 0.408, by hand.
    near(found.mm, 4.058, 0.005);
}

#[test]
fn the_polar_night_evaporates_nothing_by_hargreaves() {
    let north = Sky { latitude: 80.0, day_of_year: 1 };
    near(hargreaves_mm(north, -10.0, -20.0), 0.0, 1e-9);
    near(day_length_h(north), 0.0, 1e-9);
}
