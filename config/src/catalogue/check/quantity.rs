//! Checks of quantities and their unit conversions.

use super::unique;
use crate::{
    catalogue::{
        entry::Report,
        quantity::{Quantity, STUCK_HOURS_MAX, Stuck, UnitConversion},
    },
    id::CropKey,
};

/// How far a conversion may miss its example, relative. Examples are written out in full, so this
/// leaves room for floating point and none for a wrong factor; our choice.
const EXAMPLE_TOLERANCE: f64 = 1e-6;

pub(super) fn check(report: &mut Report<'_>, quantity: &Quantity) {
    // Every key of the catalogue has the same form.
    let is_key = CropKey::parse(&quantity.key).is_ok();
    report.ensure(
        is_key,
        "key",
        format_args!("{:?}", quantity.key),
        "a key: a-z 0-9 _, starting with a letter",
    );
    report.text("name", &quantity.name);
    report.filled("unit", &quantity.unit);
    let [hard_least, hard_most] = quantity.hard;
    if report.range("hard", quantity.hard) {
        if let Some([least, most]) = quantity.soft {
            let is_inside = hard_least <= least && most <= hard_most;
            let found = format!("[{least}, {most}]");
            let wanted = format!("a range inside hard = [{hard_least}, {hard_most}]");
            if report.range("soft", [least, most]) {
                report.ensure(is_inside, "soft", found, wanted);
            }
        }
        if let Some(border) = quantity.flag_above {
            let is_inside = (hard_least..=hard_most).contains(&border);
            let wanted = format!("a border inside hard = [{hard_least}, {hard_most}]");
            report.ensure(is_inside, "flag_above", border, wanted);
        }
    }
    if let Some(stuck) = &quantity.stuck {
        check_stuck(report, stuck);
    }
    report.ensure(quantity.decimals <= 9, "decimals", quantity.decimals, "0 to 9 decimals");
    report.source("source", &quantity.source);

    for (place, conversion) in quantity.accepts.iter().enumerate() {
        check_conversion(report, &format!("accepts.{place}"), quantity, conversion);
    }
    let spellings = quantity.accepts.iter().enumerate().flat_map(|(place, conversion)| {
        conversion.units.iter().map(move |unit| {
            (format!("accepts.{place}.units"), unit.as_str(), format!("the unit {unit:?}"))
        })
    });
    unique(report, spellings);
}

fn check_stuck(report: &mut Report<'_>, stuck: &Stuck) {
    let wanted = format!("1 to {STUCK_HOURS_MAX} hours");
    let is_hours = (1.0..=STUCK_HOURS_MAX).contains(&stuck.hours);
    report.ensure(is_hours, "stuck.hours", stuck.hours, wanted);
    for [least, most] in &stuck.may_rest {
        let found = format!("[{least}, {most}]");
        let wanted = "two numbers, the lower one first; the same one twice for a single value";
        report.ensure(least <= most, "stuck.may_rest", found, wanted);
    }
    if let Some(depth) = stuck.to_depth_m {
        let is_depth = (0.0..=60.0).contains(&depth);
        report.ensure(is_depth, "stuck.to_depth_m", depth, "a depth of 0-60 m");
    }
}

fn check_conversion(
    report: &mut Report<'_>,
    path: &str,
    quantity: &Quantity,
    conversion: &UnitConversion,
) {
    let UnitConversion { units, scale, offset, .. } = conversion;
    report.ensure(!units.is_empty(), &format!("{path}.units"), "no unit", "at least one spelling");
    for unit in units {
        report.filled(&format!("{path}.units"), unit);
        #[expect(
            clippy::float_cmp,
            reason = "a conversion to the same unit is written as exactly 1"
        )]
        let is_other = *scale != 1.0 || *offset != 0.0 || conversion.absolute;
        let is_canonical = *unit == quantity.unit || *unit == quantity.unit_shown;
        report.ensure(
            !(is_canonical && is_other),
            &format!("{path}.units"),
            format_args!("the canonical unit {unit:?} with a conversion"),
            "other units only",
        );
    }
    let is_factor = scale.is_finite() && *scale != 0.0;
    report.ensure(is_factor, &format!("{path}.scale"), scale, "a factor other than 0");
    report.ensure(offset.is_finite(), &format!("{path}.offset"), offset, "a finite number");

    if !is_factor || !offset.is_finite() {
        return;
    }
    let [from, to] = conversion.example;
    let converted = conversion.to_canonical(from);
    let is_met = (converted - to).abs() <= EXAMPLE_TOLERANCE * to.abs().max(1e-3);
    report.ensure(
        is_met,
        &format!("{path}.example"),
        format_args!("{from} that must become {to} but becomes {converted}"),
        "a scale and offset that meet their example",
    );
}
