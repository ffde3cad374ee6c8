//! Shapes of plots: read from GeoJSON, checked, measured.
//!
//! A polygon must be closed, must not cross itself, and must lie on the globe. Area is geodesic on
//! WGS 84; the centre is that of the flat figure, which for a plot of land is the same.

use geo::{
    Centroid, GeodesicArea, LineString, MultiPolygon, Polygon,
    algorithm::validation::{InvalidMultiPolygon, InvalidPolygon, Validation},
};
use plotwise_config::land::Place;
use serde_json::Value;

use plotwise_config::settings::Datum;

use super::datum::to_wgs84;

/// Positions of one plot; a plot drawn finer than this is a mistake. Our choice.
const POSITIONS_MAX: usize = 20_000;

/// A plot's shape in WGS 84.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    /// Rings of longitude and latitude, one list a polygon; empty for a point.
    pub(super) polygons: Vec<Vec<Vec<[f64; 2]>>>,
    pub(super) centre: Place,
    /// `None` for a point.
    pub(super) area_m2: Option<f64>,
}

/// What is wrong with a shape: found and wanted.
#[derive(Debug, PartialEq)]
pub(super) struct BadShape {
    pub(super) found: String,
    pub(super) wanted: String,
}

fn bad(found: impl Into<String>, wanted: impl Into<String>) -> BadShape {
    BadShape { found: found.into(), wanted: wanted.into() }
}

/// Reads a GeoJSON geometry.
pub(super) fn shape_of(geometry: &Value, datum: Datum) -> Result<Shape, BadShape> {
    let kind = geometry.get("type").and_then(Value::as_str).unwrap_or_default();
    let coordinates = geometry.get("coordinates").unwrap_or(&Value::Null);
    match kind {
        "Point" => {
            let position = position_of(coordinates)?;
            point(position, datum)
        }
        "Polygon" => area(vec![polygon_of(coordinates)?], datum),
        "MultiPolygon" => {
            let polygons = elements(coordinates, "a list of polygons")?;
            area(polygons.iter().map(polygon_of).collect::<Result<_, _>>()?, datum)
        }
        other => Err(bad(other, "a Polygon, MultiPolygon or Point")),
    }
}

/// The shape of a plot of which only a point is known.
pub(super) fn point(position: [f64; 2], datum: Datum) -> Result<Shape, BadShape> {
    let [longitude, latitude] = to_wgs84(datum, on_the_globe(position)?);
    Ok(Shape { polygons: Vec::new(), centre: Place { latitude, longitude }, area_m2: None })
}

type Rings = Vec<Vec<[f64; 2]>>;

fn elements<'v>(value: &'v Value, wanted: &str) -> Result<&'v Vec<Value>, BadShape> {
    match value.as_array() {
        Some(elements) if !elements.is_empty() => Ok(elements),
        _ => Err(bad(value.to_string().chars().take(40).collect::<String>(), wanted)),
    }
}

fn polygon_of(value: &Value) -> Result<Rings, BadShape> {
    elements(value, "a list of rings")?.iter().map(ring_of).collect()
}

fn ring_of(value: &Value) -> Result<Vec<[f64; 2]>, BadShape> {
    let positions = elements(value, "a ring: a list of positions")?;
    let ring: Vec<_> = positions.iter().map(position_of).collect::<Result<_, _>>()?;
    let is_closed = ring.first() == ring.last();
    if !is_closed {
        return Err(bad("a ring that is open", "a ring whose last position is its first"));
    }
    if ring.len() < 4 {
        let found = format!("a ring of {} positions", ring.len());
        return Err(bad(found, "at least four, the last being the first"));
    }
    Ok(ring)
}

fn position_of(value: &Value) -> Result<[f64; 2], BadShape> {
    let wanted = "a position: longitude, latitude";
    let numbers = elements(value, wanted)?;
    match (numbers.first().and_then(Value::as_f64), numbers.get(1).and_then(Value::as_f64)) {
        (Some(longitude), Some(latitude)) => on_the_globe([longitude, latitude]),
        _ => Err(bad(value.to_string().chars().take(40).collect::<String>(), wanted)),
    }
}

fn on_the_globe(position: [f64; 2]) -> Result<[f64; 2], BadShape> {
    let [longitude, latitude] = position;
    if (-180.0..=180.0).contains(&longitude) && (-90.0..=90.0).contains(&latitude) {
        return Ok(position);
    }
    let found = format!("longitude {longitude}, latitude {latitude}");
    let is_swapped = (-90.0..=90.0).contains(&longitude) && (-180.0..=180.0).contains(&latitude);
    Err(if is_swapped {
        bad(found, "longitude first, then latitude")
    } else {
        bad(
            found,
            "degrees: longitude -180 to 180, latitude -90 to 90; projected metres are not read",
        )
    })
}

fn area(polygons: Vec<Rings>, datum: Datum) -> Result<Shape, BadShape> {
    let positions: usize = polygons.iter().flatten().map(Vec::len).sum();
    if positions > POSITIONS_MAX {
        let wanted = format!("at most {POSITIONS_MAX}; simplify the outline");
        return Err(bad(format!("{positions} positions"), wanted));
    }
    let polygons: Vec<Rings> = polygons
        .into_iter()
        .map(|rings| {
            let in_wgs84 = |ring: Vec<[f64; 2]>| ring.into_iter().map(|at| to_wgs84(datum, at));
            rings.into_iter().map(|ring| in_wgs84(ring).collect()).collect()
        })
        .collect();
    let figure = MultiPolygon(polygons.iter().map(|rings| polygon(rings)).collect());
    figure.check_validation().map_err(|invalid| explain(&invalid))?;
    let centre = figure.centroid().ok_or_else(|| bad("no area", "a polygon with an area"))?;
    let area_m2: f64 = polygons.iter().map(|rings| area_m2(rings)).sum();
    // Our choice: less than a square metre is a slip of the mouse.
    if area_m2 < 1.0 {
        return Err(bad(format!("{area_m2:.3} m2"), "a polygon with an area"));
    }
    let centre = Place { latitude: centre.y(), longitude: centre.x() };
    Ok(Shape { polygons, centre, area_m2: Some(area_m2) })
}

fn line_string(ring: &[[f64; 2]]) -> LineString {
    ring.iter().map(|[x, y]| (*x, *y)).collect()
}

fn polygon(rings: &[Vec<[f64; 2]>]) -> Polygon {
    let mut rings = rings.iter().map(|ring| line_string(ring));
    let outer = rings.next().unwrap_or_else(|| LineString(Vec::new()));
    Polygon::new(outer, rings.collect())
}

/// The outer ring less its holes, whichever way round each is drawn.
fn area_m2(rings: &[Vec<[f64; 2]>]) -> f64 {
    let of_ring = |ring: &Vec<[f64; 2]>| {
        Polygon::new(line_string(ring), Vec::new()).geodesic_area_signed().abs()
    };
    let mut areas = rings.iter().map(of_ring);
    let outer = areas.next().unwrap_or_default();
    outer - areas.sum::<f64>()
}

fn explain(invalid: &InvalidMultiPolygon) -> BadShape {
    let is_crossing = matches!(
        invalid,
        InvalidMultiPolygon::InvalidPolygon(_, InvalidPolygon::SelfIntersection(_))
    );
    if is_crossing {
        bad("a polygon that crosses itself", "an outline that does not cross itself; redraw it")
    } else {
        bad(invalid.to_string(), "polygons with rings that neither cross nor overlap")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(geometry: &Value) -> String {
        let BadShape { found, wanted } = shape_of(geometry, Datum::Wgs84).unwrap_err();
        format!("{found} | {wanted}")
    }

    #[test]
    fn a_square_of_a_hundredth_degree_has_its_area_whichever_way_round() {
        let ring =
            json!([[112.0, 28.0], [112.01, 28.0], [112.01, 28.01], [112.0, 28.01], [112.0, 28.0]]);
        let backwards: Vec<Value> = ring.as_array().unwrap().iter().rev().cloned().collect();
        // At 28 degrees a degree is 98,364 m east and 110,821 m north on WGS 84.
        let wanted_m2 = 983.64 * 1108.21;
        for ring in [ring, Value::Array(backwards)] {
            let shape =
                shape_of(&json!({"type": "Polygon", "coordinates": [ring]}), Datum::Wgs84).unwrap();
            let area_m2 = shape.area_m2.unwrap();
            assert!((area_m2 / wanted_m2 - 1.0).abs() < 1e-3, "{area_m2}");
            assert!((shape.centre.latitude - 28.005).abs() < 1e-9);
        }
    }

    #[test]
    fn a_hole_is_no_land() {
        let outer = json!([[0.0, 0.0], [0.02, 0.0], [0.02, 0.02], [0.0, 0.02], [0.0, 0.0]]);
        let hole =
            json!([[0.005, 0.005], [0.015, 0.005], [0.015, 0.015], [0.005, 0.015], [0.005, 0.005]]);
        let area = |rings: Value| {
            let geometry = json!({"type": "MultiPolygon", "coordinates": [rings]});
            shape_of(&geometry, Datum::Wgs84).unwrap().area_m2.unwrap()
        };
        let ratio = area(json!([outer, hole])) / area(json!([outer]));
        assert!((ratio - 0.75).abs() < 1e-4, "{ratio}");
    }

    #[test]
    fn a_bow_tie_is_refused_in_words() {
        let tie = json!([[[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]]);
        let said = wrong(&json!({"type": "Polygon", "coordinates": tie}));
        assert!(said.starts_with("a polygon that crosses itself"), "{said}");
    }

    #[test]
    fn other_bad_shapes_are_refused_in_words() {
        let polygon = |ring: Value| json!({"type": "Polygon", "coordinates": [ring]});
        let open = polygon(json!([[0.0, 0.0], [0.1, 0.0], [0.1, 0.1], [0.0, 0.1]]));
        assert!(wrong(&open).contains("open"));
        let swapped = json!({"type": "Point", "coordinates": [28.2, 112.5]});
        assert!(wrong(&swapped).contains("longitude first"));
        let metres = json!({"type": "Point", "coordinates": [370_000.0, 3_120_000.0]});
        assert!(wrong(&metres).contains("degrees"));
        let line = json!({"type": "LineString", "coordinates": [[0.0, 0.0], [1.0, 1.0]]});
        assert!(wrong(&line).contains("Polygon, MultiPolygon or Point"));
        assert!(wrong(&Value::Null).contains("Polygon"));
        let flat = polygon(json!([[0.0, 0.0], [0.1, 0.0], [0.0, 0.0], [0.0, 0.0]]));
        assert!(!wrong(&flat).is_empty());
    }
}
