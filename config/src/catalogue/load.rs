//! Reading files into entries: shipped ones, then a user's folders.
//!
//! Each file may hold any of the tables. An entry of a later layer replaces the one with its key;
//! a key twice in one layer is a mistake. Entries are read one by one, so a broken one does not
//! hide the mistakes of the next.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, de::DeserializeOwned, de::IntoDeserializer as _};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    catalogue::{
        SHIPPED,
        crop::Crop,
        entry::{Entry, Location},
        error::Mistake,
        food::FoodStandard,
        profile::Profile,
        quantity::Quantity,
        rule::Rule,
        soil::{SoilStandard, TextureWater},
        variety::Variety,
    },
    closest::closest,
    lines::LineStarts,
    text::Text,
};

/// The tables and keys that a file may hold at its top.
const TABLES: [&str; 10] = [
    "quantity",
    "crop",
    "variety",
    "soil_standard",
    "texture",
    "food_standard",
    "place",
    "checked_on",
    "rule",
    "profile",
];

/// Everything that was read, not yet checked.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) quantities: Vec<Entry<Quantity>>,
    pub(super) crops: Vec<Entry<Crop>>,
    pub(super) varieties: Vec<Entry<Variety>>,
    pub(super) textures: Vec<Entry<TextureWater>>,
    pub(super) soil: Option<Entry<SoilStandard>>,
    pub(super) food: Option<Entry<FoodStandard>>,
    pub(super) rule_files: Vec<DraftRules>,
    pub(super) profiles: Vec<Entry<Profile>>,
    /// Names of entries that could not be read (`crop rice`): whoever refers to them is not at
    /// fault.
    pub(super) broken: HashSet<String>,
    /// Whether a whole file could not be read: then nothing is known to be missing.
    pub(super) lacks_file: bool,
    pub(super) mistakes: Vec<Mistake>,
}

/// The rules of one file.
#[derive(Debug)]
pub(super) struct DraftRules {
    pub(super) head: Entry<RuleHead>,
    pub(super) rules: Vec<Entry<Rule>>,
}

/// What stands above the rules of a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleHead {
    pub(super) place: Text,
    pub(super) checked_on: String,
}

impl Draft {
    /// The shipped files and a user's folders.
    pub(super) fn of(folders: &[PathBuf]) -> Self {
        let mut draft = Self::default();
        for (file, text) in SHIPPED {
            draft.read(0, file, text);
        }
        for (place, folder) in folders.iter().enumerate() {
            draft.read_folder(place + 1, folder);
        }
        draft
    }

    /// Reads every `*.toml` of a folder and the folders in it, in the order of their paths.
    pub(super) fn read_folder(&mut self, layer: usize, folder: &Path) {
        let mut files = Vec::new();
        if let Err(error) = list(folder, &mut files) {
            self.unreadable(folder, &error);
            return;
        }
        files.sort();
        for path in files {
            self.read_file(layer, &path);
        }
    }

    /// Reads one file of a user.
    pub(super) fn read_file(&mut self, layer: usize, path: &Path) {
        match fs::read_to_string(path) {
            Ok(text) => self.read(layer, &path.display().to_string(), &text),
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.lacks_file = true;
        self.mistakes.push(Mistake {
            file: path.display().to_string(),
            line: None,
            key: String::new(),
            what: format!("cannot be read: {error}"),
        });
    }

    /// Reads the text of one file.
    pub(super) fn read(&mut self, layer: usize, file: &str, text: &str) {
        // Editors on Windows put a byte-order mark first.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (table, errors) = DeTable::parse_recoverable(text);
        self.lacks_file |= !errors.is_empty();
        let mut source =
            Source { file: file.into(), starts: LineStarts::of(text), layer, draft: self };
        if errors.is_empty() {
            source.read_tables(&table);
        }
        for error in errors {
            source.note(error.span().map_or(0, |span| span.start), "", error.message());
        }
    }

    fn put<T>(
        into: &mut Vec<Entry<T>>,
        mistakes: &mut Vec<Mistake>,
        entry: Entry<T>,
        is_same: impl Fn(&T, &T) -> bool,
    ) {
        match into.iter_mut().find(|known| is_same(&known.value, &entry.value)) {
            Some(known) if known.at.layer == entry.at.layer => {
                mistakes.push(twice(&known.at, &entry.at));
            }
            Some(known) => *known = entry,
            None => into.push(entry),
        }
    }

    fn put_only<T>(into: &mut Option<Entry<T>>, mistakes: &mut Vec<Mistake>, entry: Entry<T>) {
        match into {
            Some(known) if known.at.layer == entry.at.layer => {
                mistakes.push(twice(&known.at, &entry.at));
            }
            _ => *into = Some(entry),
        }
    }

    /// A rule of a later layer takes the place of the one with its key, in whichever file that was.
    fn put_rule(&mut self, rules: &mut Vec<Entry<Rule>>, rule: Entry<Rule>) {
        let known = self.rule_files.iter().flat_map(|file| &file.rules).chain(rules.iter());
        for known in known.filter(|known| known.value.key == rule.value.key) {
            if known.at.layer == rule.at.layer {
                self.mistakes.push(twice(&known.at, &rule.at));
                return;
            }
        }
        for file in &mut self.rule_files {
            file.rules.retain(|known| known.value.key != rule.value.key);
        }
        rules.push(rule);
    }
}

fn twice(first: &Location, second: &Location) -> Mistake {
    let what = format!(
        "found it a second time, wanted once (the first is at {}:{})",
        first.file, first.line
    );
    second.mistake("", what)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(())
}

/// A file that is being read.
struct Source<'a> {
    file: Arc<str>,
    starts: LineStarts,
    layer: usize,
    draft: &'a mut Draft,
}

impl<'a> Source<'a> {
    fn read_tables(&mut self, table: &Spanned<DeTable<'a>>) {
        for (key, value) in table.get_ref() {
            let key_start = key.span().start;
            match key.get_ref().as_ref() {
                "quantity" => self.each(value, "quantity", |draft, entry| {
                    Draft::put(&mut draft.quantities, &mut draft.mistakes, entry, |a, b| {
                        a.key == b.key
                    });
                }),
                "crop" => self.each(value, "crop", |draft, entry| {
                    Draft::put(&mut draft.crops, &mut draft.mistakes, entry, |a: &Crop, b| {
                        a.key == b.key
                    });
                }),
                "variety" => self.each(value, "variety", |draft, entry| {
                    Draft::put(
                        &mut draft.varieties,
                        &mut draft.mistakes,
                        entry,
                        |a: &Variety, b| a.key == b.key,
                    );
                }),
                "texture" => self.each(value, "texture", |draft, entry| {
                    Draft::put(
                        &mut draft.textures,
                        &mut draft.mistakes,
                        entry,
                        |a: &TextureWater, b| a.texture == b.texture,
                    );
                }),
                "profile" => self.each(value, "profile", |draft, entry| {
                    Draft::put(
                        &mut draft.profiles,
                        &mut draft.mistakes,
                        entry,
                        |a: &Profile, b| a.key == b.key,
                    );
                }),
                "soil_standard" => {
                    if let Some(entry) = self.entry(value, "soil_standard") {
                        Draft::put_only(&mut self.draft.soil, &mut self.draft.mistakes, entry);
                    }
                }
                "food_standard" => {
                    if let Some(entry) = self.entry(value, "food_standard") {
                        Draft::put_only(&mut self.draft.food, &mut self.draft.mistakes, entry);
                    }
                }
                // Read together, below.
                "place" | "checked_on" | "rule" => {}
                unknown => self.unknown_table(key_start, unknown),
            }
        }
        self.read_rules(table);
    }

    fn unknown_table(&mut self, offset: usize, found: &str) {
        let mut what = format!("found an unknown key, wanted one of: {}", TABLES.join(", "));
        if let Some(word) = closest(found, TABLES.into_iter()) {
            what = format!("{what} (did you mean {word}?)");
        }
        self.note(offset, found, &what);
    }

    fn read_rules(&mut self, table: &Spanned<DeTable<'a>>) {
        let mut head = DeTable::new();
        for (key, value) in table.get_ref() {
            if matches!(key.get_ref().as_ref(), "place" | "checked_on") {
                head.insert(key.clone(), value.clone());
            }
        }
        let rules = table.get_ref().get("rule");
        if head.is_empty() && rules.is_none() {
            return;
        }
        let head = Spanned::new(table.span(), DeValue::Table(head));
        let Some(mut head) = self.entry::<RuleHead>(&head, "rule file") else { return };
        head.at.line = 1;
        let mut read = Vec::new();
        if let Some(rules) = rules {
            self.each(rules, "rule", |draft, entry| draft.put_rule(&mut read, entry));
        }
        self.draft.rule_files.push(DraftRules { head, rules: read });
    }

    /// Reads every table of `[[kind]]`.
    fn each<T: DeserializeOwned>(
        &mut self,
        value: &Spanned<DeValue<'a>>,
        kind: &str,
        mut put: impl FnMut(&mut Draft, Entry<T>),
    ) {
        let Some(array) = value.get_ref().as_array() else {
            let what = format!("found a {}, wanted [[{kind}]]", value.get_ref().type_str());
            self.note(value.span().start, kind, &what);
            return;
        };
        for value in array {
            if let Some(entry) = self.entry(value, kind) {
                put(self.draft, entry);
            }
        }
    }

    fn entry<T: DeserializeOwned>(
        &mut self,
        value: &Spanned<DeValue<'a>>,
        kind: &str,
    ) -> Option<Entry<T>> {
        let name_key = if kind == "texture" { "texture" } else { "key" };
        let name = match value.get_ref().get(name_key).and_then(|key| key.get_ref().as_str()) {
            Some(key) => format!("{kind} {key}"),
            None => kind.to_owned(),
        };
        match T::deserialize(value.clone().into_deserializer()) {
            Ok(read) => {
                let at = Location::new(self.file.clone(), name, self.layer, &self.starts, value);
                Some(Entry { value: read, at })
            }
            Err(error) => {
                let offset = error.span().map_or(value.span().start, |span| span.start);
                self.note(offset, &name, error.message());
                self.draft.broken.insert(name);
                None
            }
        }
    }

    fn note(&mut self, offset: usize, key: &str, what: &str) {
        self.draft.mistakes.push(Mistake {
            file: self.file.to_string(),
            line: Some(self.starts.line(offset)),
            key: key.to_owned(),
            what: what.trim().replace('\n', "; "),
        });
    }
}
