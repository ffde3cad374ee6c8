//! A GeoJSON file as rows of named cells with a geometry each (RFC 7946).
//!
//! Properties become cells, so that plots are read in one way from both kinds of file. An old `crs`
//! member is refused unless it names degrees on WGS 84 or CGCS2000.

use serde_json::{Map, Value};

use super::{
    Options,
    errors::{Errors, FileErrors, refuse},
    table::{Column, TableRow, text_of},
};

/// A feature: its properties as cells, and its geometry.
pub(super) struct Feature {
    pub(super) row: TableRow,
    pub(super) geometry: Value,
}

/// Names of frames in degrees that an old `crs` may carry.
const DEGREES: [&str; 4] = ["CRS84", "4326", "4490", "WGS84"];

/// Reads the features of a collection.
pub(super) fn features(
    bytes: &[u8],
    columns: &[Column],
    options: &Options,
    errors: &mut Errors,
) -> Result<Vec<Feature>, FileErrors> {
    let text = text_of(bytes)?;
    let document: Value = serde_json::from_str(text).map_err(|error| {
        refuse(error.line() as u64, &error.column().to_string(), &error.to_string(), "GeoJSON")
    })?;
    let Value::Object(mut document) = document else {
        return Err(refuse(1, "type", "", "a FeatureCollection"));
    };
    if let Some(name) = document.get("crs").filter(|crs| !crs.is_null()).map(Value::to_string)
        && !DEGREES.iter().any(|degrees| name.contains(degrees))
    {
        let wanted = "degrees on WGS 84; save the layer as GeoJSON in EPSG:4326";
        return Err(refuse(1, "crs", &name, wanted));
    }
    let Some(Value::Array(features)) = document.remove("features") else {
        let found = document.get("type").and_then(Value::as_str).unwrap_or_default();
        return Err(refuse(1, "type", found, "a FeatureCollection with features"));
    };
    let lines = feature_lines(text);
    let rows = features.into_iter().enumerate().map(|(place, feature)| {
        let line = lines.get(place).copied().unwrap_or(1);
        read_feature(feature, line, columns, options, errors)
    });
    Ok(rows.collect())
}

fn read_feature(
    feature: Value,
    line: u64,
    columns: &[Column],
    options: &Options,
    errors: &mut Errors,
) -> Feature {
    let mut feature = match feature {
        Value::Object(feature) => feature,
        other => {
            errors.note(line, "type", &other.to_string(), "a Feature");
            Map::new()
        }
    };
    let mut cells = vec![None; columns.len()];
    let mut put = |name: &str, value: &Value, errors: &mut Errors| {
        let known = columns.iter().position(|c| c.key == name || c.zh.contains(&name));
        match (known, cell_of(value)) {
            (Some(place), Ok(cell)) => cells[place] = cell,
            (Some(_), Err(wanted)) => errors.note(line, name, &value.to_string(), wanted),
            (None, _) if options.ignore_unknown => {}
            (None, _) => {
                errors.note(line, name, name, super::table::unknown_column(name, columns));
            }
        }
    };
    if let Some(id) = feature.get("id") {
        put("id", id, errors);
    }
    if let Some(Value::Object(properties)) = feature.get("properties") {
        for (name, value) in properties {
            put(name, value, errors);
        }
    }
    let geometry = feature.remove("geometry").unwrap_or(Value::Null);
    Feature { row: TableRow { line, cells }, geometry }
}

/// A property as it would stand in a CSV file: lists with `;`, objects as `key=value;...`.
fn cell_of(value: &Value) -> Result<Option<String>, &'static str> {
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is_true) => Some(is_true.to_string()),
        _ => None,
    };
    let text = match value {
        Value::Null => return Ok(None),
        Value::Array(list) => {
            let words: Option<Vec<String>> = list.iter().map(plain).collect();
            words.ok_or("a list of words")?.join(";")
        }
        Value::Object(map) => {
            let pair = |(key, value)| plain(value).map(|value| format!("{key}={value}"));
            let pairs: Option<Vec<String>> = map.iter().map(pair).collect();
            let mut pairs = pairs.ok_or("words by key")?;
            // Whether a map keeps the file's order depends on what else is built with serde_json.
            pairs.sort_unstable();
            pairs.join(";")
        }
        plain_value => plain(plain_value).ok_or("a text or a number")?,
    };
    Ok((!text.is_empty()).then_some(text))
}

/// The line on which each element of the top level's `features` starts. The text is valid JSON.
fn feature_lines(text: &str) -> Vec<u64> {
    let mut lines = Vec::new();
    let (mut line, mut depth, mut is_in_string, mut is_escaped) = (1, 0_usize, false, false);
    let (mut string_start, mut last_string, mut is_in_features) = (0, "", false);
    for (place, byte) in text.bytes().enumerate() {
        if byte == b'\n' {
            line += 1;
        }
        if is_in_string {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => {
                    is_in_string = false;
                    last_string = &text[string_start..place];
                }
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => (is_in_string, string_start) = (true, place + 1),
            b'[' | b'{' => {
                if depth == 2 && is_in_features {
                    lines.push(line);
                }
                if depth == 1 {
                    is_in_features = byte == b'[' && last_string == "features";
                }
                depth += 1;
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_features_are_found_past_strings_and_nested_lists() {
        let text = "{\"a\": \"]}\\\"{\",\n \"other\": [{}],\n \"features\": [\n  {\"x\": [[1]]},\n\n  {\"y\":\n {}}]}";
        assert_eq!(feature_lines(text), [4, 6]);
    }

    #[test]
    fn a_number_in_a_property_is_its_text() {
        assert_eq!(cell_of(&serde_json::json!(19.5)), Ok(Some("19.5".to_owned())));
        assert_eq!(cell_of(&serde_json::json!({"b": 1, "a": "x"})), Ok(Some("a=x;b=1".to_owned())));
        assert_eq!(cell_of(&serde_json::json!(["ordinary"])), Ok(Some("ordinary".to_owned())));
        assert!(cell_of(&serde_json::json!([["x"]])).is_err());
    }
}
