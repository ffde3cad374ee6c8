//! Checks of varieties.

use super::{Known, unique};
use crate::catalogue::{
    crop::Crop,
    entry::Report,
    variety::{TrialYield, Variety},
};

pub(super) fn check(report: &mut Report<'_>, variety: &Variety, known: &Known<'_>) {
    report.text("name", &variety.name);
    report.source("source", &variety.source);
    if let Some(note) = &variety.note {
        report.text("note", note);
    }
    if let Some(crop) = known.crop(report, "crop", variety.crop.as_str()) {
        check_against_crop(report, variety, crop);
    }

    report.percent("dry_matter_percent", variety.dry_matter_percent);
    report.percent("starch_percent_fresh", variety.starch_percent_fresh);
    if let (Some(dry_matter), Some(starch)) =
        (variety.dry_matter_percent, variety.starch_percent_fresh)
    {
        let wanted = format!("not more than the dry matter, {dry_matter}");
        report.ensure(starch <= dry_matter, "starch_percent_fresh", starch, wanted);
    }
    if let Some(days) = variety.days {
        report.days("days", days);
    }

    for (place, registration) in variety.registrations.iter().enumerate() {
        let path = format!("registrations.{place}");
        report.filled(&format!("{path}.number"), &registration.number);
        if let Some(year) = registration.year {
            let is_year = (1949..=2100).contains(&year);
            report.ensure(is_year, &format!("{path}.year"), year, "a year, 1949 to 2100");
        }
        if let Some(region) = &registration.region {
            report.text(&format!("{path}.region"), region);
        }
    }
    let registrations = variety.registrations.iter().enumerate();
    unique(
        report,
        registrations.map(|(place, registration)| {
            let number = registration.number.as_str();
            (format!("registrations.{place}.number"), number, format!("{number:?}"))
        }),
    );

    for (place, resistance) in variety.resistances.iter().enumerate() {
        report.own_source(&format!("resistances.{place}.source"), resistance.source.as_ref());
    }
    let resistances = variety.resistances.iter().enumerate();
    unique(
        report,
        resistances.map(|(place, resistance)| {
            let disease = resistance.disease;
            (format!("resistances.{place}.disease"), disease, disease.key().to_owned())
        }),
    );
    for (place, trial) in variety.trials.iter().enumerate() {
        check_trial(report, &format!("trials.{place}"), variety, trial, known);
    }
}

fn check_against_crop(report: &mut Report<'_>, variety: &Variety, crop: &Crop) {
    for calendar in &variety.calendars {
        let calendars: Vec<&str> = crop.calendar.iter().map(|known| known.key.as_str()).collect();
        let wanted = format!("a calendar of {}: {}", crop.key, calendars.join(", "));
        let is_known = calendars.contains(&calendar.as_str());
        report.ensure(is_known, "calendars", format_args!("{calendar:?}"), wanted);
    }
    report.ensure(!variety.uses.is_empty(), "uses", "no use", "at least one use");
    for sold_as in &variety.uses {
        let is_sold = crop.uses.iter().any(|crop_use| crop_use.sold_as.contains(sold_as));
        let wanted = format!("what {} is sold as, or one more of its uses", crop.key);
        report.ensure(is_sold, "uses", format_args!("{:?}", sold_as.key()), wanted);
    }
}

fn check_trial(
    report: &mut Report<'_>,
    path: &str,
    variety: &Variety,
    trial: &TrialYield,
    known: &Known<'_>,
) {
    report.positive(&format!("{path}.kg_ha"), trial.kg_ha);
    report.text(&format!("{path}.trial"), &trial.trial);
    report.source(&format!("{path}.source"), &trial.source);
    let check_path = format!("{path}.check");
    if let Some(key) = &trial.check
        && let Some(check) = known.variety(report, &check_path, key.as_str())
    {
        let is_comparable = check.crop == variety.crop && check.key != variety.key;
        let wanted = format!("another variety of {}", variety.crop);
        report.ensure(is_comparable, &check_path, format_args!("{:?}", key.as_str()), wanted);
    }
    if let Some(over_check) = trial.over_check_percent {
        let is_percent = over_check.is_finite() && over_check > -100.0;
        let over_path = format!("{path}.over_check_percent");
        report.ensure(is_percent, &over_path, over_check, "percent over the check, above -100");
    }
}
