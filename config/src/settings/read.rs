//! From merged layers to one struct a section, noting every key that does not fit.
//!
//! serde stops at the first mistake. So a mistaken value is noted and replaced by its default, an
//! unknown key noted and removed, and the section read again until nothing is left to note.

use figment::{
    error::{Error, Kind},
    value::Value,
};
use serde::de::DeserializeOwned;

use super::{
    error::Problem,
    layer::{Layers, find},
};
use crate::closest::closest;

/// More mistakes in one section than anybody mends at once.
const PROBLEMS_MAX: usize = 20;

pub(super) struct Reader<'a> {
    layers: &'a Layers,
    root: Value,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(layers: &'a Layers) -> Self {
        Self { layers, root: layers.root(), problems: Vec::new() }
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Notes each section that does not exist.
    pub(super) fn check_sections(&mut self, known: &[&str]) {
        let Value::Dict(_, sections) = &self.root else { return };
        let unknown: Vec<String> =
            sections.keys().filter(|name| !known.contains(&name.as_str())).cloned().collect();
        for name in unknown {
            let what = format!("unknown section{}", wanted_key(&name, known));
            self.note(&name, what);
        }
    }

    /// Reads a section; `None` where something in it could not be read at all. Problems are noted.
    pub(super) fn section<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let mut value = find(&self.root, name)?.clone();
        for _ in 0..PROBLEMS_MAX {
            let error = match value.deserialize::<T>() {
                Ok(section) => return Some(section),
                Err(error) => error,
            };
            let path = error.path.join(".");
            if self.is_follow_up(name, &error) {
                return None;
            }
            let key = if path.is_empty() { name.to_owned() } else { format!("{name}.{path}") };
            self.note_error(&key, &error);
            if matches!(error.kind, Kind::MissingField(_)) {
                return None;
            }
            let default = self.layers.default_of(&key).cloned();
            if path.is_empty() {
                value = default?;
            } else if !mend(&mut value, &path, default) {
                return None;
            }
        }
        None
    }

    /// Whether a value is missing only because it was mistaken and taken out.
    fn is_follow_up(&self, section: &str, error: &Error) -> bool {
        let Kind::MissingField(field) = &error.kind else { return false };
        let path = error.path.iter().map(String::as_str);
        let missing: Vec<&str> = [section].into_iter().chain(path).chain([&**field]).collect();
        let missing = missing.join(".");
        self.problems.iter().any(|problem| problem.key == missing)
    }

    fn note_error(&mut self, key: &str, error: &Error) {
        let what = match &error.kind {
            Kind::UnknownField(field, known) => {
                format!("unknown key{}", wanted_key(field, known))
            }
            Kind::MissingField(field) => {
                self.note(&format!("{key}.{field}"), "found nothing, wanted a value".to_owned());
                return;
            }
            Kind::InvalidType(found, wanted) | Kind::InvalidValue(found, wanted) => {
                format!("found {}, wanted {}", Self::shown(key, &found.to_string()), plain(wanted))
            }
            kind => kind.to_string(),
        };
        self.note(key, what);
    }

    /// A secret is not shown, not even one of the wrong type.
    fn shown(key: &str, found: &str) -> String {
        if key.ends_with("password") {
            return "***".to_owned();
        }
        // `serde` says "unsigned int `3`", which no writer of a settings file does.
        found.trim_start_matches("unsigned int ").trim_start_matches("signed int ").to_owned()
    }

    fn note(&mut self, key: &str, what: String) {
        let origin = self.layers.origin(key);
        self.problems.push(Problem { origin, key: key.to_owned(), what });
    }
}

/// Puts the default in the place of a value, or takes the value out; `false` where it is not there.
fn mend(value: &mut Value, path: &str, default: Option<Value>) -> bool {
    let (around, key) = path.rsplit_once('.').unwrap_or(("", path));
    let mut place = value;
    for key in around.split('.').filter(|key| !key.is_empty()) {
        let next = match place {
            Value::Dict(_, dict) => dict.get_mut(key),
            Value::Array(_, array) => key.parse::<usize>().ok().and_then(|at| array.get_mut(at)),
            _ => None,
        };
        match next {
            Some(next) => place = next,
            None => return false,
        }
    }
    match (place, default) {
        (Value::Dict(_, dict), Some(default)) => dict.insert(key.to_owned(), default).is_some(),
        (Value::Dict(_, dict), None) => dict.remove(key).is_some(),
        // Taking an element out would shift the places of those behind it.
        _ => false,
    }
}

fn wanted_key(found: &str, known: &[&str]) -> String {
    match closest(found, known.iter().copied()) {
        Some(word) => format!(", did you mean {word}?"),
        None => format!(", wanted one of: {}", known.join(", ")),
    }
}

/// What serde wants, in words of a settings file.
fn plain(wanted: &str) -> &str {
    match wanted {
        "u8" | "u16" | "u32" | "u64" => "a whole number, not below 0",
        "f64" => "a number",
        "a sequence" => "a list [...]",
        "a boolean" => "true or false",
        wanted if wanted.starts_with("struct ") => "a table",
        wanted => wanted,
    }
}
