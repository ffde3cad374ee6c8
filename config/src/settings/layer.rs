//! The layers that figment lays over each other, and where each value came from.

use std::{fs, path::Path};

use figment::{
    Figment, Metadata, Profile, Provider,
    providers::{Format as _, Toml},
    util::nest,
    value::{Dict, Map, Value},
};

use super::{
    DEFAULT,
    error::{Problem, SettingsError},
};
use crate::lines::{LineStarts, Lines};

const VARIABLE_PREFIX: &str = "PLOTWISE__";

/// Keys without a default whose value is a text even where it looks like a number.
const TEXT_KEYS: [&str; 4] =
    ["facts.url", "map.tiles", "mqtt.listener.tls.cert", "mqtt.listener.tls.key"];

/// What flags set, each with the name it has on the command line.
#[derive(Clone, Debug, Default)]
pub struct Overrides(Vec<(String, String, String)>);

impl Overrides {
    /// Sets `key` as `flag` was given with `value`: `with("--http", "http.listen", "[::1]:80")`.
    #[must_use]
    pub fn with(mut self, flag: &str, key: &str, value: impl Into<String>) -> Self {
        self.0.push((flag.to_owned(), key.to_owned(), value.into()));
        self
    }
}

/// All layers, merged.
#[derive(Clone)]
pub(super) struct Layers {
    figment: Figment,
    defaults: Value,
    file: Option<(String, Lines)>,
}

impl std::fmt::Debug for Layers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The raw values hold secrets as plain text.
        f.debug_struct("Layers").finish_non_exhaustive()
    }
}

impl Layers {
    pub(super) fn new(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        flags: &Overrides,
    ) -> Result<Self, SettingsError> {
        let defaults = parse("the shipped defaults", DEFAULT)?;
        let mut figment = Figment::new()
            .merge(Layer { name: "the shipped defaults".to_owned(), dict: defaults.clone() });
        let defaults = Value::from(defaults);
        let mut lines = None;
        if let Some(path) = file {
            let name = path.display().to_string();
            let text = fs::read_to_string(path)
                .map_err(|error| whole(&name, format!("cannot be read: {error}")))?;
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            figment = figment.merge(Layer { name: name.clone(), dict: parse(&name, text)? });
            lines = Some((name, Lines::of_file(text)));
        }

        let mut variables: Vec<_> =
            env.filter(|(name, _)| name.starts_with(VARIABLE_PREFIX)).collect();
        variables.sort();
        for (name, value) in variables {
            let key = name[VARIABLE_PREFIX.len()..].to_lowercase().replace("__", ".");
            if key.split('.').any(str::is_empty) {
                return Err(whole(&name, "names no setting, wanted PLOTWISE__SECTION__KEY".into()));
            }
            let dict = single(&defaults, &key, &value);
            figment = figment.merge(Layer { name, dict });
        }
        for (flag, key, value) in &flags.0 {
            let dict = single(&defaults, key, value);
            figment = figment.merge(Layer { name: flag.clone(), dict });
        }
        Ok(Self { figment, defaults, file: lines })
    }

    /// Everything, as values that still know their layer.
    pub(super) fn root(&self) -> Value {
        self.figment.extract::<Value>().unwrap_or_else(|_| Value::from(Dict::new()))
    }

    /// The shipped default of a key.
    pub(super) fn default_of(&self, key: &str) -> Option<&Value> {
        find(&self.defaults, key)
    }

    /// Where the value of a key came from, or what is nearest around it.
    pub(super) fn origin(&self, key: &str) -> String {
        let name = self.layer_of(key);
        match &self.file {
            Some((file, lines)) if *file == name => match lines.at(key) {
                Some(line) => format!("{file}:{line}"),
                None => name,
            },
            _ => name,
        }
    }

    /// Whether the settings file gave it.
    pub(super) fn is_from_file(&self, key: &str) -> bool {
        self.file.as_ref().is_some_and(|(file, _)| *file == self.layer_of(key))
    }

    fn layer_of(&self, key: &str) -> String {
        let root = self.root();
        let mut key = key;
        loop {
            let tag = find(&root, key).map(Value::tag);
            if let Some(metadata) = tag.and_then(|tag| self.figment.get_metadata(tag)) {
                return metadata.name.to_string();
            }
            match key.rsplit_once('.') {
                Some((around, _)) => key = around,
                None => return "the settings".to_owned(),
            }
        }
    }
}

/// The value at a path such as `mqtt.link.0.url`.
pub(super) fn find<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| match value {
        Value::Dict(_, dict) => dict.get(key),
        Value::Array(_, array) => array.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

fn parse(name: &str, text: &str) -> Result<Dict, SettingsError> {
    Toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| LineStarts::of(text).line(span.start));
        let origin = line.map_or_else(|| name.to_owned(), |line| format!("{name}:{line}"));
        whole(&origin, error.message().trim().replace('\n', "; "))
    })
}

fn whole(origin: &str, what: String) -> SettingsError {
    SettingsError {
        problems: vec![Problem { origin: origin.to_owned(), key: String::new(), what }],
    }
}

/// One key and its value. A text stays one, even if it looks like a number, where the default is a
/// text.
fn single(defaults: &Value, key: &str, text: &str) -> Dict {
    let is_text =
        TEXT_KEYS.contains(&key) || matches!(find(defaults, key), Some(Value::String(..)));
    let value = if is_text {
        Value::from(text)
    } else {
        text.parse().unwrap_or_else(|_| Value::from(text))
    };
    nest(key, value).into_dict().unwrap_or_default()
}

/// One layer with the name that messages give it.
struct Layer {
    name: String,
    dict: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.dict.clone()))
    }
}
