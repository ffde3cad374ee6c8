//! Checks of a catalogue as a whole: cross-references, ranges, and figures against each other.
//!
//! Every check notes what it finds and goes on; the user mends a file once, not mistake by mistake.

mod crop;
mod limits;
mod profile;
mod quantity;
mod rule;
mod variety;

use std::collections::{HashMap, HashSet};

use crate::{
    catalogue::{
        crop::Crop,
        entry::{Entry, Report},
        error::Mistake,
        load::Draft,
        quantity::Quantity,
        soil::TextureWater,
        variety::Variety,
    },
    closest::closest,
};

/// The mistakes of everything that was read.
pub(super) fn check(draft: &Draft) -> Vec<Mistake> {
    let known = Known::new(draft);
    let mut mistakes = Vec::new();
    each(&draft.quantities, &mut mistakes, quantity::check);
    each(&draft.crops, &mut mistakes, |report, crop| crop::check(report, crop, &known));
    each(&draft.varieties, &mut mistakes, |report, variety| {
        variety::check(report, variety, &known);
    });
    each(&draft.textures, &mut mistakes, check_texture);
    each(&draft.profiles, &mut mistakes, |report, profile| {
        profile::check(report, profile, &known);
    });
    each(draft.soil.as_slice(), &mut mistakes, |report, soil| {
        limits::check_soil(report, soil, &known);
    });
    each(draft.food.as_slice(), &mut mistakes, |report, food| {
        limits::check_food(report, food, &known);
    });
    for file in &draft.rule_files {
        each(std::slice::from_ref(&file.head), &mut mistakes, rule::check_head);
        each(&file.rules, &mut mistakes, |report, rule| rule::check(report, rule, &known));
    }
    mistakes
}

fn each<T>(
    entries: &[Entry<T>],
    mistakes: &mut Vec<Mistake>,
    mut check: impl FnMut(&mut Report<'_>, &T),
) {
    for entry in entries {
        check(&mut Report { at: &entry.at, mistakes }, &entry.value);
    }
}

/// What entries may refer to.
pub(super) struct Known<'a> {
    quantities: HashMap<&'a str, &'a Quantity>,
    crops: HashMap<&'a str, &'a Crop>,
    varieties: HashMap<&'a str, &'a Variety>,
    foods: HashSet<&'a str>,
    broken: &'a HashSet<String>,
    lacks_file: bool,
}

impl<'a> Known<'a> {
    fn new(draft: &'a Draft) -> Self {
        let quantities = draft.quantities.iter().map(|entry| &entry.value);
        let crops = draft.crops.iter().map(|entry| &entry.value);
        let varieties = draft.varieties.iter().map(|entry| &entry.value);
        let foods = draft.food.iter().flat_map(|entry| &entry.value.foods);
        Self {
            quantities: quantities.map(|quantity| (quantity.key.as_str(), quantity)).collect(),
            crops: crops.map(|crop| (crop.key.as_str(), crop)).collect(),
            varieties: varieties.map(|variety| (variety.key.as_str(), variety)).collect(),
            foods: foods.map(|food| food.key.as_str()).collect(),
            broken: &draft.broken,
            lacks_file: draft.lacks_file,
        }
    }

    fn quantity(&self, report: &mut Report<'_>, path: &str, key: &str) -> Option<&'a Quantity> {
        self.find(report, path, key, "quantity", &self.quantities)
    }

    fn crop(&self, report: &mut Report<'_>, path: &str, key: &str) -> Option<&'a Crop> {
        self.find(report, path, key, "crop", &self.crops)
    }

    fn variety(&self, report: &mut Report<'_>, path: &str, key: &str) -> Option<&'a Variety> {
        self.find(report, path, key, "variety", &self.varieties)
    }

    fn food(&self, report: &mut Report<'_>, path: &str, key: &str) {
        if !self.foods.contains(key) && !self.is_excused("food_standard") {
            unknown(report, path, key, "food of the food standard", self.foods.iter().copied());
        }
    }

    /// Whether an entry may be missing because it, or a whole file, could not be read.
    fn is_excused(&self, name: &str) -> bool {
        self.lacks_file || self.broken.contains(name)
    }

    fn find<T>(
        &self,
        report: &mut Report<'_>,
        path: &str,
        key: &str,
        what: &str,
        known: &HashMap<&'a str, &'a T>,
    ) -> Option<&'a T> {
        let found = known.get(key).copied();
        if found.is_none() && !self.is_excused(&format!("{what} {key}")) {
            unknown(report, path, key, what, known.keys().copied());
        }
        found
    }
}

fn unknown<'a>(
    report: &mut Report<'_>,
    path: &str,
    found: &str,
    what: &str,
    known: impl Iterator<Item = &'a str>,
) {
    let hint = closest(found, known).map(|word| format!(" (did you mean {word}?)"));
    let wanted = format!("a {what} of the catalogue{}", hint.unwrap_or_default());
    report.wrong(path, format_args!("{found:?}"), wanted);
}

/// Notes each item whose key came before.
fn unique<T: Eq + std::hash::Hash>(
    report: &mut Report<'_>,
    keys: impl Iterator<Item = (String, T, String)>,
) {
    let mut seen = HashSet::new();
    for (path, key, shown) in keys {
        if !seen.insert(key) {
            report.wrong(&path, format_args!("{shown} a second time"), "each once");
        }
    }
}

fn check_texture(report: &mut Report<'_>, water: &TextureWater) {
    let TextureWater { field_capacity, wilting_point, saturation, .. } = water;
    let holds_capacity = report.range("field_capacity", *field_capacity);
    let holds_wilting = report.range("wilting_point", *wilting_point);
    for (path, [least, most]) in
        [("field_capacity", *field_capacity), ("wilting_point", *wilting_point)]
    {
        let is_share = 0.0 <= least && most <= 1.0;
        report.ensure(is_share, path, format!("[{least}, {most}]"), "m³/m³, 0 to 1");
    }
    if holds_capacity && holds_wilting {
        let holds = wilting_point[0] < field_capacity[0] && wilting_point[1] < field_capacity[1];
        let found = format!("[{}, {}]", wilting_point[0], wilting_point[1]);
        report.ensure(holds, "wilting_point", found, "less water than at field capacity");
    }
    if let Some(saturation) = *saturation {
        let holds = field_capacity[0] < saturation && saturation <= 1.0;
        report.ensure(
            holds,
            "saturation",
            saturation,
            "more water than at field capacity, up to 1",
        );
    }
    report.source("source", &water.source);
}
