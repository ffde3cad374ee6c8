//! Checks of device profiles: that every quantity and unit exists, and that what is written can be
//! looked for.

use std::collections::HashSet;

use super::{Known, unique};
use crate::{
    catalogue::{
        entry::Report,
        profile::{Condition, Field, NATIVE, Path, Place, Profile},
    },
    id::CropKey,
    reading::DepthMm,
};

/// Probes of one device; a profile with more is a slip of the finger.
const PROBES_MAX: usize = 64;

/// Conditions within conditions.
const WITH_MAX: usize = 8;

/// Which kind of place a field may stand at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Object,
    List,
    Log,
}

pub(super) fn check(report: &mut Report<'_>, profile: &Profile, known: &Known<'_>) {
    let is_key = CropKey::parse(&profile.key).is_ok() && profile.key != NATIVE;
    let wanted = "a key of its own: a-z 0-9 _, starting with a letter, and not native";
    report.ensure(is_key, "key", format_args!("{:?}", profile.key), wanted);
    report.filled("maker", &profile.maker);
    report.text("name", &profile.name);
    report.source("source", &profile.source);
    let is_zone = jiff::tz::TimeZone::get(&profile.timezone).is_ok();
    let found = format!("{:?}", profile.timezone);
    report.ensure(is_zone, "timezone", found, "an IANA name such as UTC or Asia/Shanghai");
    for (name, paths) in
        [("time", &profile.time), ("seq", &profile.seq), ("information", &profile.information)]
    {
        check_paths(report, name, paths);
    }
    check_probes(report, profile);
    for (name, rules) in [("ignored", &profile.ignored), ("unusable", &profile.unusable)] {
        for (place, rule) in rules.iter().enumerate() {
            check_rule(report, &format!("{name}.{place}"), rule);
        }
    }
    if profile.all_fields().next().is_none() {
        report.wrong("", "no field", "at least one [[profile.field]] with quantity and from");
    }
    check_fields(report, "field", Table::Object, &profile.fields, profile, known);
    for (place, list) in profile.lists.iter().enumerate() {
        let path = format!("list.{place}");
        check_some_paths(report, &format!("{path}.at"), &list.at);
        check_paths(report, &format!("{path}.id"), std::slice::from_ref(&list.id));
        check_paths(report, &format!("{path}.value"), std::slice::from_ref(&list.value));
        for (place, rule) in list.ignored.iter().enumerate() {
            check_condition(report, &format!("{path}.ignored.{place}"), rule, true);
        }
        check_fields(report, &format!("{path}.field"), Table::List, &list.fields, profile, known);
    }
    if let Some(history) = &profile.history {
        check_some_paths(report, "history.at", &history.at);
        check_some_paths(report, "history.time", &history.time);
    }
    if let Some(log) = &profile.log {
        check_some_paths(report, "log.at", &log.at);
        check_place(report, "log.time", &log.time, Table::Log);
        check_fields(report, "log.field", Table::Log, &log.fields, profile, known);
    }
}

fn check_probes(report: &mut Report<'_>, profile: &Profile) {
    let depths = &profile.probe_depths_m;
    report.ensure(
        depths.len() <= PROBES_MAX,
        "probe_depths_m",
        format_args!("{} probes", depths.len()),
        format_args!("at most {PROBES_MAX}"),
    );
    for (place, depth) in depths.iter().enumerate() {
        check_depth(report, &format!("probe_depths_m.{place}"), *depth);
    }
    let millimetres = depths.iter().enumerate().map(|(place, depth)| {
        let path = format!("probe_depths_m.{place}");
        (path, DepthMm::from_metres(*depth), format!("the depth {depth}"))
    });
    unique(report, millimetres);
}

fn check_depth(report: &mut Report<'_>, path: &str, depth_m: f64) {
    let is_depth = DepthMm::from_metres(depth_m).is_some();
    report.ensure(is_depth, path, depth_m, "metres below the surface, 0 to 60");
}

fn check_paths(report: &mut Report<'_>, name: &str, paths: &[Path]) {
    for path in paths {
        let found = format!("{:?}", path.to_string());
        report.ensure(path.is_well_formed(), name, found, "keys with dots between them");
    }
}

fn check_some_paths(report: &mut Report<'_>, name: &str, paths: &[Path]) {
    report.ensure(!paths.is_empty(), name, "nothing", "at least one path such as \"data.soil\"");
    check_paths(report, name, paths);
}

fn check_place(report: &mut Report<'_>, name: &str, place: &Place, table: Table) {
    let (holds, wanted) = match (table, place) {
        (Table::Object, Place::Path(path)) => {
            (path.is_well_formed(), "keys with dots between them")
        }
        (Table::Object, Place::Number(_)) => (false, "a path such as \"soil.water\""),
        (Table::List, Place::Path(path)) => (!path.keys().is_empty(), "an id"),
        (Table::List, Place::Number(_)) => (true, ""),
        (Table::Log, Place::Path(path)) => (!path.keys().is_empty(), "a label"),
        (Table::Log, Place::Number(number)) => (*number >= 1, "the number of a column, from 1"),
    };
    report.ensure(holds, name, place, wanted);
}

fn check_fields(
    report: &mut Report<'_>,
    name: &str,
    table: Table,
    fields: &[Field],
    profile: &Profile,
    known: &Known<'_>,
) {
    for (place, field) in fields.iter().enumerate() {
        check_field(report, &format!("{name}.{place}"), table, field, profile, known);
    }
    let mut seen = HashSet::new();
    for (place, field) in fields.iter().enumerate() {
        let depth = field.depth_m.and_then(DepthMm::from_metres);
        if !seen.insert((&field.quantity, depth, field.is_of_probe())) {
            report.wrong(
                &format!("{name}.{place}.quantity"),
                format_args!("{} a second time at this depth", field.quantity),
                "one field with both places in from, or another depth_m",
            );
        }
    }
}

fn check_field(
    report: &mut Report<'_>,
    name: &str,
    table: Table,
    field: &Field,
    profile: &Profile,
    known: &Known<'_>,
) {
    let quantity = known.quantity(report, &format!("{name}.quantity"), &field.quantity);
    if let (Some(quantity), Some(unit)) = (quantity, &field.unit)
        && let Err(error) = quantity.convert(0.0, unit)
    {
        let what = error.to_string();
        report.mistakes.push(report.at.mistake(&format!("{name}.unit"), what));
    }
    let from = format!("{name}.from");
    report.ensure(!field.from.is_empty(), &from, "nothing", "where the value stands");
    for (place, one) in field.from.iter().enumerate() {
        check_place(report, &format!("{from}.{place}"), one, table);
    }
    if let Some(depth_m) = field.depth_m {
        check_depth(report, &format!("{name}.depth_m"), depth_m);
    }
    let is_of_probe = field.is_of_probe();
    if is_of_probe {
        let path = format!("{name}.from");
        let wanted = "probe_depths_m, a depth for each probe that {n} stands for";
        report.ensure(!profile.probe_depths_m.is_empty(), &path, "{n} or {i} alone", wanted);
        let path = format!("{name}.depth_m");
        let wanted = "no depth_m: probe_depths_m says it";
        report.ensure(field.depth_m.is_none(), &path, "a depth beside {n}", wanted);
    }
    for (kind, conditions) in [("faults", &field.faults), ("absent", &field.absent)] {
        for (place, condition) in conditions.iter().enumerate() {
            let path = format!("{name}.{kind}.{place}");
            check_condition(report, &path, condition, is_of_probe);
        }
    }
    check_paths(report, &format!("{name}.errors"), &field.errors);
    check_paths(report, &format!("{name}.unit_from"), field.unit_from.as_slice());
}

/// A condition on a whole frame: it has no value of its own to look at.
fn check_rule(report: &mut Report<'_>, path: &str, rule: &Condition) {
    let is_about = rule.at.is_some() || !rule.port.is_empty() || rule.byte.is_some();
    report.ensure(is_about, path, "a condition on nothing", "at, port, or byte and mask");
    let why = rule.why.as_deref().unwrap_or_default();
    let wanted = "why: what such a frame is, for whoever finds it";
    report.ensure(!why.trim().is_empty(), path, "no reason", wanted);
    if is_about {
        check_condition(report, path, rule, false);
    }
}

fn check_condition(report: &mut Report<'_>, path: &str, condition: &Condition, is_of_probe: bool) {
    let mut condition = condition;
    for _ in 0..WITH_MAX {
        check_paths(report, &format!("{path}.at"), condition.at.as_slice());
        let has_mask = condition.mask.is_some_and(|mask| mask != 0);
        let is_pair = condition.byte.is_some() == has_mask;
        report.ensure(is_pair, path, "byte without mask, or mask without byte", "both, or neither");
        let is_empty = condition.at.is_none()
            && condition.is.is_empty()
            && condition.port.is_empty()
            && condition.byte.is_none();
        report.ensure(!is_empty, path, "a condition that always holds", "at, is, port or byte");
        let is_probe_ok = is_of_probe || !condition.character_of_probe;
        let wanted = "a field with {n} in from";
        report.ensure(is_probe_ok, path, "character_of_probe without a probe", wanted);
        match &condition.with {
            Some(with) => condition = with,
            None => return,
        }
    }
    report.wrong(
        path,
        "conditions within conditions without end",
        format_args!("at most {WITH_MAX}"),
    );
}
