//! A profile in the form that decoding wants: paths split, quantities numbered, conversions found,
//! probes unrolled. Made once at start; nothing here is allocated again for a message.

use jiff::tz::TimeZone;
use plotwise_config::{
    catalogue::{
        profile::{self, Place},
        quantity::{Quantity, UnitConversion},
    },
    reading::{DepthMm, QuantityNo},
};

use super::{
    super::{Quantities, json::Json},
    condition::{Condition, Rule},
    log::Log,
};

/// A compiled profile.
#[derive(Clone, Debug)]
pub(in crate::decode) struct Profile {
    pub(super) key: String,
    pub(super) time: Vec<Path>,
    pub(super) timezone: TimeZone,
    pub(super) seq: Vec<Path>,
    pub(super) ignored: Vec<Rule>,
    pub(super) unusable: Vec<Rule>,
    pub(super) information: Vec<Path>,
    pub(super) fields: Vec<Field<Path>>,
    pub(super) lists: Vec<List>,
    pub(super) history: Option<History>,
    pub(super) log: Option<Log>,
}

/// Keys that lead to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    steps: Box<[Step]>,
    /// As it is written, for messages.
    text: Box<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    key: Box<str>,
    /// The place in an array, where the key is a number.
    place: Option<usize>,
}

/// What one place of a payload means.
#[derive(Clone, Debug)]
pub(super) struct Field<P> {
    pub(super) from: Vec<P>,
    pub(super) number: QuantityNo,
    pub(super) quantity: Quantity,
    pub(super) depth: Option<DepthMm>,
    /// From the declared unit; `None` where that is the canonical one.
    pub(super) conversion: Option<UnitConversion>,
    pub(super) unit_from: Option<Path>,
    pub(super) faults: Vec<Condition>,
    pub(super) absent: Vec<Condition>,
    pub(super) errors: Vec<Path>,
}

/// An array of objects that are told apart by an id.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) at: Vec<Path>,
    pub(super) id: Path,
    pub(super) value: Path,
    pub(super) ignored: Vec<Condition>,
    pub(super) fields: Vec<Field<Id>>,
}

/// What tells the elements of a list apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Id {
    Number(f64),
    Text(String),
}

/// Where readings from earlier stand.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) at: Vec<Path>,
    pub(super) time: Vec<Path>,
}

impl Profile {
    /// Compiles a profile that the catalogue has checked. What refers to a quantity that is not among
    /// `quantities` is left out.
    pub(super) fn compile(profile: &profile::Profile, quantities: &Quantities) -> Self {
        let depths = &profile.probe_depths_m;
        let history = profile
            .history
            .as_ref()
            .map(|history| History { at: paths(&history.at), time: paths(&history.time) });
        Self {
            key: profile.key.clone(),
            time: paths(&profile.time),
            // The catalogue has refused any other.
            timezone: TimeZone::get(&profile.timezone).unwrap_or(TimeZone::UTC),
            seq: paths(&profile.seq),
            ignored: profile.ignored.iter().map(Rule::compile).collect(),
            unusable: profile.unusable.iter().map(Rule::compile).collect(),
            information: paths(&profile.information),
            fields: fields(&profile.fields, depths, quantities, path_of),
            lists: profile
                .lists
                .iter()
                .map(|list| List::compile(list, depths, quantities))
                .collect(),
            history,
            log: profile.log.as_ref().map(|log| Log::compile(log, depths, quantities)),
        }
    }

    /// Whether a frame of this port is no telemetry, whatever stands in it.
    pub(in crate::decode) fn ignores(&self, frame: &super::Frame<'_>) -> Option<&str> {
        self.ignored.iter().find_map(|rule| rule.says(&Json::Null, frame))
    }

    /// Whether it looks below a key of this name: then the key is the maker's, not Plotwise's.
    pub(in crate::decode) fn has_key(&self, key: &str) -> bool {
        let fields = self.fields.iter().flat_map(|field| &field.from);
        let lists = self.lists.iter().flat_map(|list| &list.at);
        let history = self.history.iter().flat_map(|history| &history.at);
        let mut all = fields.chain(lists).chain(history);
        all.any(|path| path.steps.first().is_some_and(|step| &*step.key == key))
    }

    /// The places that it looks at, for messages.
    pub(super) fn places(&self) -> impl Iterator<Item = &str> {
        let fields = self.fields.iter().flat_map(|field| &field.from);
        let lists = self.lists.iter().flat_map(|list| &list.at);
        let history = self.history.iter().flat_map(|history| &history.at);
        let log = self.log.iter().flat_map(|log| &log.at);
        fields.chain(lists).chain(history).chain(log).map(|path| &*path.text)
    }
}

impl Path {
    /// `probe` takes the place of `{n}` and `{i}`.
    pub(super) fn compile(path: &profile::Path, probe: Option<usize>) -> Self {
        let path = probe.map_or_else(|| path.clone(), |probe| path.of_probe(probe));
        let step = |key: &String| Step { key: key.as_str().into(), place: key.parse().ok() };
        Self { steps: path.keys().iter().map(step).collect(), text: path.to_string().into() }
    }

    /// What stands there; `None` for nothing and for null.
    pub(super) fn find<'j, 'a>(&self, root: &'j Json<'a>) -> Option<&'j Json<'a>> {
        let mut found = root;
        for step in &self.steps {
            found = match (found, step.place) {
                (Json::Array(elements), Some(place)) => elements.get(place)?,
                (object, _) => object.get(&step.key)?,
            };
        }
        (!found.is_null()).then_some(found)
    }

    /// As it is written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl List {
    fn compile(list: &profile::List, depths: &[f64], quantities: &Quantities) -> Self {
        let id = |place: &Place, _: Option<usize>| match place {
            Place::Number(number) => Id::Number(*number as f64),
            Place::Path(path) => Id::Text(path.to_string()),
        };
        Self {
            at: paths(&list.at),
            id: Path::compile(&list.id, None),
            value: Path::compile(&list.value, None),
            ignored: list.ignored.iter().map(|rule| Condition::compile(rule, None)).collect(),
            fields: fields(&list.fields, depths, quantities, id),
        }
    }
}

impl Id {
    /// Whether an element's id is this one; numbers may come as text.
    pub(super) fn is(&self, found: &Json<'_>) -> bool {
        match self {
            Self::Number(wanted) => super::value::number(found) == Some(*wanted),
            Self::Text(wanted) => matches!(found, Json::Text(found) if found.trim() == wanted),
        }
    }
}

fn paths(written: &[profile::Path]) -> Vec<Path> {
    written.iter().map(|path| Path::compile(path, None)).collect()
}

fn path_of(place: &Place, probe: Option<usize>) -> Path {
    match place {
        Place::Path(path) => Path::compile(path, probe),
        // The catalogue refuses numbers here.
        Place::Number(number) => Path::compile(&profile::Path::parse(&number.to_string()), probe),
    }
}

/// Compiles fields; one that names a probe becomes one for each.
pub(super) fn fields<P>(
    written: &[profile::Field],
    depths_m: &[f64],
    quantities: &Quantities,
    place: impl Fn(&Place, Option<usize>) -> P,
) -> Vec<Field<P>> {
    let mut compiled = Vec::with_capacity(written.len());
    for field in written {
        if field.is_of_probe() {
            for (probe, depth_m) in depths_m.iter().enumerate() {
                compiled.extend(one(field, Some((probe, *depth_m)), quantities, &place));
            }
        } else {
            compiled.extend(one(field, None, quantities, &place));
        }
    }
    compiled
}

fn one<P>(
    field: &profile::Field,
    probe: Option<(usize, f64)>,
    quantities: &Quantities,
    place: impl Fn(&Place, Option<usize>) -> P,
) -> Option<Field<P>> {
    let (number, quantity) = quantities.find(&field.quantity)?;
    let depth_m = probe.map(|(_, depth_m)| depth_m).or(field.depth_m);
    let probe = probe.map(|(probe, _)| probe);
    let conditions = |written: &[profile::Condition]| {
        written.iter().map(|condition| Condition::compile(condition, probe)).collect()
    };
    let path = |path: &profile::Path| Path::compile(path, probe);
    Some(Field {
        from: field.from.iter().map(|one| place(one, probe)).collect(),
        number,
        depth: depth_m.and_then(DepthMm::from_metres),
        conversion: field.unit.as_deref().and_then(|unit| quantity.conversion(unit)).cloned(),
        quantity: quantity.clone(),
        unit_from: field.unit_from.as_ref().map(path),
        faults: conditions(&field.faults),
        absent: conditions(&field.absent),
        errors: field.errors.iter().map(path).collect(),
    })
}
