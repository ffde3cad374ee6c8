//! What of a payload a profile leaves alone: for whoever writes one, not for messages that come in.

use super::{
    super::json::Json,
    compiled::{Field, List, Path, Profile},
    condition::{Condition, Rule},
};

/// Keys that are named; a payload of thousands helps nobody.
const UNREAD_MAX: usize = 200;

impl Profile {
    /// The paths of a payload that no field, rule or time of the profile looks at, and ids of lists
    /// that it has no field for.
    pub(in crate::decode) fn unread(&self, root: &Json<'_>) -> Vec<String> {
        let mut unread = Vec::new();
        let read: Vec<&str> = self.read_paths().map(Path::text).collect();
        below(root, "", &read, &mut unread);
        for list in &self.lists {
            if let Some(Json::Array(elements)) = list.at.iter().find_map(|path| path.find(root)) {
                unknown_ids(list, elements, &mut unread);
            }
        }
        unread.truncate(UNREAD_MAX);
        unread
    }

    fn read_paths(&self) -> impl Iterator<Item = &Path> {
        let fields = self.fields.iter().flat_map(|Field { from, errors, unit_from, .. }| {
            from.iter().chain(errors).chain(unit_from)
        });
        let lists = self.lists.iter().flat_map(|list| &list.at);
        let history = self.history.iter().flat_map(|history| &history.at);
        let log = self.log.iter().flat_map(|log| &log.at);
        let whole = self.time.iter().chain(&self.seq).chain(&self.information);
        let rules = self.ignored.iter().chain(&self.unusable).flat_map(Rule::paths);
        let conditions =
            self.fields.iter().flat_map(|field| field.faults.iter().chain(&field.absent));
        let conditions = conditions.flat_map(Condition::paths);
        fields.chain(lists).chain(history).chain(log).chain(whole).chain(rules).chain(conditions)
    }
}

fn below(json: &Json<'_>, path: &str, read: &[&str], unread: &mut Vec<String>) {
    if unread.len() >= UNREAD_MAX || read.contains(&path) {
        return;
    }
    match json {
        Json::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                below(value, &joined(path, key), read, unread);
            }
        }
        Json::Array(elements) if !elements.is_empty() => {
            for (place, value) in elements.iter().enumerate() {
                below(value, &joined(path, &place.to_string()), read, unread);
            }
        }
        _ => unread.push(if path.is_empty() { ".".to_owned() } else { path.to_owned() }),
    }
}

fn unknown_ids(list: &List, elements: &[Json<'_>], unread: &mut Vec<String>) {
    for element in elements {
        if let Json::Array(inner) = element {
            unknown_ids(list, inner, unread);
        } else if let Some(id) = list.id.find(element)
            && !list.fields.iter().any(|field| field.from.iter().any(|known| known.is(id)))
        {
            unread.push(format!("{} {}", list.id.text(), id.shown()));
        }
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
