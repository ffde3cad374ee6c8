//! Shapes of fields: rows of strips in metres, laid on the map.

use plotwise_config::land::Place;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::M2_PER_MU;

/// Fields in rows of four, in metres: corners with a bend in the long sides.
pub(super) fn rows_of_fields(areas_mu: &[f64], rng: &mut ChaCha8Rng) -> Vec<Vec<[f64; 2]>> {
    let mut fields = Vec::new();
    let mut south = 0.0;
    for row in areas_mu.chunks(4) {
        let height: f64 = rng.random_range(36.0..62.0);
        let mut west = rng.random_range(0.0..25.0);
        for area in row {
            // The strip is a little larger than the field: banks and paths lie between.
            let width = area * M2_PER_MU / (height * 0.88);
            fields.push(field(west, south, width, height, rng));
            west += width + 2.0;
        }
        south += height + 3.0;
    }
    fields
}

/// A six-cornered field inside a strip, counter-clockwise, closed.
fn field(west: f64, south: f64, width: f64, height: f64, rng: &mut ChaCha8Rng) -> Vec<[f64; 2]> {
    let mut inset = |of: f64| of * rng.random_range(0.01..0.09);
    let (east, north) = (west + width, south + height);
    let middle = west + width / 2.0;
    let mut corners = vec![
        [west + inset(width), south + inset(height)],
        [middle, south + inset(height)],
        [east - inset(width), south + inset(height)],
        [east - inset(width), north - inset(height)],
        [middle, north - inset(height)],
        [west + inset(width), north - inset(height)],
    ];
    corners.push(corners[0]);
    corners
}

pub(super) fn area_m2(ring: &[[f64; 2]]) -> f64 {
    ring.windows(2).map(|pair| pair[0][0] * pair[1][1] - pair[1][0] * pair[0][1]).sum::<f64>() / 2.0
}

/// Metres east and north of the village's corner, turned, as longitude and latitude.
pub(super) fn located([x, y]: [f64; 2], turned: f64, [longitude, latitude]: [f64; 2]) -> [f64; 2] {
    let (east, north) = (x * turned.cos() - y * turned.sin(), x * turned.sin() + y * turned.cos());
    let digits = |degrees: f64| (degrees * 1e7).round() / 1e7;
    [
        digits(longitude + east / (111_320.0 * latitude.to_radians().cos())),
        digits(latitude + north / 110_850.0),
    ]
}

pub(super) fn centre(ring: &[[f64; 2]]) -> Place {
    let count = (ring.len() - 1) as f64;
    let sum = ring[1..].iter().fold([0.0, 0.0], |sum, at| [sum[0] + at[0], sum[1] + at[1]]);
    let digits = |degrees: f64| (degrees * 1e6).round() / 1e6;
    Place { latitude: digits(sum[1] / count), longitude: digits(sum[0] / count) }
}
