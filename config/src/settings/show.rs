//! The settings that hold, as TOML, with where each value came from.

use std::fmt::Write as _;

use toml::{Table, Value};

use super::{Settings, layer::Layers};

pub(super) fn show(settings: &Settings, layers: &Layers) -> String {
    let mut out = String::new();
    // Settings hold tables, lists, texts and numbers alone, all of which TOML can say.
    if let Ok(table) = Table::try_from(settings) {
        write_table(&mut out, layers, "", "", &table);
    }
    out
}

/// `header` is the path as TOML writes it (`mqtt.link`), `path` the one with places
/// (`mqtt.link.0`).
fn write_table(out: &mut String, layers: &Layers, header: &str, path: &str, table: &Table) {
    for (key, value) in table {
        if !is_nested(value) {
            let origin = layers.origin(&below(path, key));
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{key} = {value}  # {origin}");
        }
    }
    for (key, value) in table {
        let (header, path) = (below(header, key), below(path, key));
        match value {
            Value::Table(table) => {
                if table.values().any(|value| !is_nested(value)) {
                    let _ = writeln!(out, "\n[{header}]");
                }
                write_table(out, layers, &header, &path, table);
            }
            Value::Array(tables) if is_nested(value) => {
                for (place, table) in tables.iter().enumerate() {
                    let _ = writeln!(out, "\n[[{header}]]");
                    if let Value::Table(table) = table {
                        write_table(out, layers, &header, &format!("{path}.{place}"), table);
                    }
                }
            }
            _ => {}
        }
    }
}

fn is_nested(value: &Value) -> bool {
    match value {
        Value::Table(_) => true,
        Value::Array(items) => items.iter().any(Value::is_table),
        _ => false,
    }
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
