//! Step 1 of advice: what the rules say about a crop on a plot.
//!
//! A rule applies when every list of its condition holds the plot's or the crop's value. One that denies
//! rules the crop out; one that warns is shown with the advice; one that allows lifts the warnings of
//! its own topic and nothing else: a ban is lifted by changing the land, not by another rule.

use jiff::civil::Date;
use plotwise_config::{
    catalogue::{
        Catalogue,
        crop::Crop,
        rule::{Condition, Effect, Rule},
    },
    land::Measure,
    records::Plot,
};

/// What the rules leave of a crop.
#[derive(Clone, Debug)]
pub(crate) enum Permission<'a> {
    /// The first rule that denies it.
    Denied(&'a Rule),
    /// Allowed, with what must be said.
    Allowed(Vec<&'a Rule>),
}

/// The measure that is in force on a day.
pub(crate) fn measure_in_force(plot: &Plot, on: Date) -> Option<Measure> {
    let ordered = plot.measure.as_ref()?;
    let has_begun = ordered.from.is_none_or(|from| from <= on);
    let is_over = ordered.to.is_some_and(|to| to < on);
    (has_begun && !is_over).then_some(ordered.measure)
}

/// Holds every rule against the plot and the crop.
///
/// `is_after_rice`: whether rice stood on the plot in the twelve months before planting.
pub(crate) fn permission<'a>(
    catalogue: &'a Catalogue,
    plot: &Plot,
    measure: Option<Measure>,
    crop: &Crop,
    is_after_rice: bool,
) -> Permission<'a> {
    let rules = catalogue.rule_files().iter().flat_map(|file| &file.rules);
    let applying: Vec<&Rule> =
        rules.filter(|rule| applies(&rule.when, plot, measure, crop, is_after_rice)).collect();
    if let Some(&rule) = applying.iter().find(|rule| rule.effect == Effect::Deny) {
        return Permission::Denied(rule);
    }
    let is_lifted = |warning: &Rule| {
        applying.iter().any(|rule| rule.effect == Effect::Allow && rule.topic == warning.topic)
    };
    let warnings = applying.iter().copied();
    Permission::Allowed(warnings.filter(|r| r.effect == Effect::Warn && !is_lifted(r)).collect())
}

fn applies(
    when: &Condition,
    plot: &Plot,
    measure: Option<Measure>,
    crop: &Crop,
    is_after_rice: bool,
) -> bool {
    let soil_class = plot.soil_class.as_ref().map(|official| official.value);
    let is_edible = crop.uses.iter().any(|part| part.edible);
    holds(&when.land_type, Some(plot.land_type))
        && (when.protection.is_empty()
            || when.protection.iter().any(|p| plot.protection.contains(p)))
        && holds(&when.soil_class, soil_class)
        && holds(&when.measure, measure)
        && measure.is_none_or(|measure| !when.without_measure.contains(&measure))
        && holds(&when.crop_class, Some(crop.class))
        && !when.not_crop_class.contains(&crop.class)
        && (when.crop.is_empty() || when.crop.contains(&crop.key))
        && !when.not_crop.contains(&crop.key)
        && when.is_rice.is_none_or(|wanted| wanted == crop.is_rice)
        && when.edible.is_none_or(|wanted| wanted == is_edible)
        && when.after_rice.is_none_or(|wanted| wanted == is_after_rice)
}

/// An empty list holds for everything; a value that nobody stated is in no list.
fn holds<T: PartialEq>(list: &[T], value: Option<T>) -> bool {
    list.is_empty() || value.is_some_and(|value| list.contains(&value))
}
