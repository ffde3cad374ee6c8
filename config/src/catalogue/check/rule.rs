//! Checks of planting rules.

use super::Known;
use crate::catalogue::{
    entry::Report,
    load::RuleHead,
    rule::{Condition, Effect, Rule},
};

pub(super) fn check_head(report: &mut Report<'_>, head: &RuleHead) {
    report.text("place", &head.place);
    report.date("checked_on", &head.checked_on);
}

pub(super) fn check(report: &mut Report<'_>, rule: &Rule, known: &Known<'_>) {
    report.filled("key", &rule.key);
    report.text("text", &rule.text);
    if let Some(text) = &rule.would_change {
        report.text("would_change", text);
    }
    report.source("source", &rule.source);

    for (path, crops) in [("when.crop", &rule.when.crop), ("when.not_crop", &rule.when.not_crop)] {
        for crop in crops {
            known.crop(report, path, crop.as_str());
        }
    }
    check_contradiction(report, "crop", &rule.when.crop, &rule.when.not_crop);
    check_contradiction(report, "crop_class", &rule.when.crop_class, &rule.when.not_crop_class);
    check_contradiction(report, "measure", &rule.when.measure, &rule.when.without_measure);
    report.ensure(
        rule.effect != Effect::Deny || !rule.when.is_empty(),
        "when",
        "no condition, which would rule every crop out everywhere",
        "at least one condition for effect = \"deny\"",
    );
}

/// Whoever is named and exempt at once can never match.
fn check_contradiction<T: PartialEq + std::fmt::Display>(
    report: &mut Report<'_>,
    key: &str,
    named: &[T],
    exempt: &[T],
) {
    for word in named.iter().filter(|word| exempt.contains(word)) {
        let found = format!("{word} both named and exempt");
        report.wrong(&format!("when.{key}"), found, "one or the other");
    }
}

impl Condition {
    /// Whether it holds for every crop on every plot.
    fn is_empty(&self) -> bool {
        let Self {
            land_type,
            protection,
            soil_class,
            measure,
            without_measure,
            crop_class,
            not_crop_class,
            crop,
            not_crop,
            is_rice,
            edible,
            after_rice,
        } = self;
        land_type.is_empty()
            && protection.is_empty()
            && soil_class.is_empty()
            && measure.is_empty()
            && without_measure.is_empty()
            && crop_class.is_empty()
            && not_crop_class.is_empty()
            && crop.is_empty()
            && not_crop.is_empty()
            && is_rice.is_none()
            && edible.is_none()
            && after_rice.is_none()
    }
}
