//! What coordinates refer to, and the way to WGS 84.
//!
//! Phones and maps in China shift positions by some 50 to 700 m: GCJ-02 (Amap, Tencent, `WeChat`), and
//! BD-09 (Baidu) a second time. CGCS2000 differs from WGS 84 by centimetres and is taken as it is.
//! The shift has a formula only in one direction; the way back is found by trying: each step moves
//! the guess by what is still missing, which here shrinks the error about a hundredfold a time.
//!
//! # Source
//!
//! The formula was never published by its authority; this is the one that open programs agree on
//! (eviltransform, PROJ's pipelines and others), checked here against their test points.

use std::f64::consts::PI;

use plotwise_config::settings::Datum;

/// Semi-major axis of the Krasovsky ellipsoid, m, as the formula has it.
const AXIS_M: f64 = 6_378_245.0;

/// Square of its eccentricity, as the formula has it.
const ECCENTRICITY_2: f64 = 0.006_693_421_622_965_943;

/// Steps back; five leave less than a micrometre.
const STEPS: usize = 8;

/// Where a WGS 84 position lies on a map of another datum; longitude and latitude in degrees.
pub fn from_wgs84(datum: Datum, position: [f64; 2]) -> [f64; 2] {
    match datum {
        Datum::Wgs84 | Datum::Cgcs2000 => position,
        Datum::Gcj02 => gcj02_of(position),
        Datum::Bd09 => bd09_of(gcj02_of(position)),
    }
}

/// A position of another datum in WGS 84; longitude and latitude in degrees.
pub fn to_wgs84(datum: Datum, position: [f64; 2]) -> [f64; 2] {
    match datum {
        Datum::Wgs84 | Datum::Cgcs2000 => position,
        Datum::Gcj02 => from_shifted(position, gcj02_of),
        Datum::Bd09 => from_shifted(position, |wgs84| bd09_of(gcj02_of(wgs84))),
    }
}

/// The position that `shift` takes to `shifted`.
fn from_shifted(shifted: [f64; 2], shift: impl Fn([f64; 2]) -> [f64; 2]) -> [f64; 2] {
    let mut guess = shifted;
    for _ in 0..STEPS {
        let there = shift(guess);
        guess = [guess[0] + shifted[0] - there[0], guess[1] + shifted[1] - there[1]];
    }
    guess
}

/// The shift is applied inside this box alone.
fn is_in_china([longitude, latitude]: [f64; 2]) -> bool {
    (72.004..=137.8347).contains(&longitude) && (0.8293..=55.8271).contains(&latitude)
}

/// WGS 84 to GCJ-02.
fn gcj02_of(wgs84: [f64; 2]) -> [f64; 2] {
    if !is_in_china(wgs84) {
        return wgs84;
    }
    let [longitude, latitude] = wgs84;
    let (x, y) = (longitude - 105.0, latitude - 35.0);
    let waves = 20.0 * (6.0 * x * PI).sin() + 20.0 * (2.0 * x * PI).sin();
    let root = x.abs().sqrt();
    let north_m = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * root
        + (waves
            + 20.0 * (y * PI).sin()
            + 40.0 * (y / 3.0 * PI).sin()
            + 160.0 * (y / 12.0 * PI).sin()
            + 320.0 * (y / 30.0 * PI).sin())
            * 2.0
            / 3.0;
    let east_m = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * root
        + (waves
            + 20.0 * (x * PI).sin()
            + 40.0 * (x / 3.0 * PI).sin()
            + 150.0 * (x / 12.0 * PI).sin()
            + 300.0 * (x / 30.0 * PI).sin())
            * 2.0
            / 3.0;
    let angle = latitude.to_radians();
    let bulge = 1.0 - ECCENTRICITY_2 * angle.sin().powi(2);
    let meridian_m = AXIS_M * (1.0 - ECCENTRICITY_2) / (bulge * bulge.sqrt());
    let parallel_m = AXIS_M / bulge.sqrt() * angle.cos();
    [longitude + (east_m / parallel_m).to_degrees(), latitude + (north_m / meridian_m).to_degrees()]
}

/// GCJ-02 to BD-09.
fn bd09_of([x, y]: [f64; 2]) -> [f64; 2] {
    const TURN: f64 = PI * 3000.0 / 180.0;
    let radius = x.hypot(y) + 0.000_02 * (y * TURN).sin();
    let angle = y.atan2(x) + 0.000_003 * (x * TURN).cos();
    [radius * angle.cos() + 0.0065, radius * angle.sin() + 0.006]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Test points of eviltransform: WGS 84 and GCJ-02, longitude first.
    const POINTS: [([f64; 2], [f64; 2]); 3] = [
        ([121.527_210_6, 31.177_427_6], [121.531_541_859_215, 31.175_303_983_646_6]),
        ([113.912_316, 22.543_847], [113.917_176_480_836, 22.540_796_131_694_8]),
        ([116.377_817, 39.911_954], [116.384_047_224_557, 39.913_345_455_360_7]),
    ];

    fn is_near(a: [f64; 2], b: [f64; 2], degrees: f64) -> bool {
        (a[0] - b[0]).abs() < degrees && (a[1] - b[1]).abs() < degrees
    }

    #[test]
    fn known_points_are_shifted_as_others_shift_them() {
        for (wgs84, gcj02) in POINTS {
            assert!(is_near(gcj02_of(wgs84), gcj02, 1e-5), "{:?}", gcj02_of(wgs84));
            assert!(is_near(to_wgs84(Datum::Gcj02, gcj02), wgs84, 1e-5));
        }
    }

    #[test]
    fn elsewhere_nothing_is_shifted() {
        let pullman = [-117.08, 46.78];
        assert!(is_near(to_wgs84(Datum::Gcj02, pullman), pullman, 1e-12));
    }

    proptest! {
        #[test]
        fn the_way_back_leads_to_where_it_came_from(x in 97.0..125.0_f64, y in 18.0..45.0_f64) {
            let wgs84 = [x, y];
            let gcj02 = gcj02_of(wgs84);
            prop_assert!(is_near(to_wgs84(Datum::Gcj02, gcj02), wgs84, 1e-9));
            prop_assert!(is_near(to_wgs84(Datum::Bd09, bd09_of(gcj02)), wgs84, 1e-9));
            prop_assert!(!is_near(gcj02, wgs84, 1e-5), "the shift is some hundred metres");
        }
    }
}
