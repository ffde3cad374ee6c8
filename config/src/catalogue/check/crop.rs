//! Checks of crops: borders, words, calendars, uses.

use std::fmt::Display;

use super::{Known, unique};
use crate::catalogue::{
    crop::{Borders, Calendar, Crop, CropUse, Requirements, Rotation, WaterUse, WordClasses},
    entry::Report,
};

/// Which sides of a factor may have borders.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sides {
    Both,
    LowerOnly,
    UpperOnly,
}

pub(super) fn check(report: &mut Report<'_>, crop: &Crop, known: &Known<'_>) {
    report.text("name", &crop.name);
    report.filled("scientific", &crop.scientific);
    report.filled("family", &crop.family);
    report.source("source", &crop.source);
    if let Some(border) = crop.growth_ends_below_c {
        let is_climate = (-30.0..=40.0).contains(&border);
        report.ensure(is_climate, "growth_ends_below_c", border, "°C, -30 to 40");
    }

    report.ensure(!crop.uses.is_empty(), "uses", "no use", "at least one use");
    for (place, crop_use) in crop.uses.iter().enumerate() {
        check_use(report, &format!("uses.{place}"), crop_use, known);
    }
    for (place, calendar) in crop.calendar.iter().enumerate() {
        check_calendar(report, &format!("calendar.{place}"), calendar);
    }
    let calendars = crop.calendar.iter().enumerate();
    unique(
        report,
        calendars.map(|(place, calendar)| {
            let shown = format!("the calendar {:?}", calendar.key);
            (format!("calendar.{place}.key"), calendar.key.as_str(), shown)
        }),
    );
    if let Some(rotation) = &crop.rotation {
        check_rotation(report, rotation);
    }
    check_requirements(report, &crop.requirements);
    if let Some(water) = &crop.water_use {
        check_water_use(report, water);
    }
    if let Some(usual) = &crop.usual_yield {
        report.source("usual_yield.source", &usual.source);
        report.positive("usual_yield.kg_ha", usual.kg_ha);
        let [least, most] = usual.range_kg_ha;
        if report.range("usual_yield.range_kg_ha", usual.range_kg_ha) {
            let is_inside = 0.0 <= least && least <= usual.kg_ha && usual.kg_ha <= most;
            let wanted = format!("a yield inside its range [{least}, {most}], not below 0");
            report.ensure(is_inside, "usual_yield.kg_ha", usual.kg_ha, wanted);
        }
    }
}

fn check_use(report: &mut Report<'_>, path: &str, crop_use: &CropUse, known: &Known<'_>) {
    let food_path = format!("{path}.food");
    if let Some(food) = &crop_use.food {
        known.food(report, &food_path, food);
        let found = format!("the food {food:?} of a use that is not edible");
        report.ensure(crop_use.edible, &food_path, found, "no food, or edible = true");
    }
    let sold_as = crop_use.sold_as.iter();
    unique(
        report,
        sold_as
            .map(|sold| (format!("{path}.sold_as"), *sold, format!("{sold:?}", sold = sold.key()))),
    );
    if let Some(uptake) = &crop_use.cadmium_uptake {
        report.positive(&format!("{path}.cadmium_uptake.mean_ratio"), uptake.mean_ratio);
        report.source(&format!("{path}.cadmium_uptake.source"), &uptake.source);
    }
}

fn check_calendar(report: &mut Report<'_>, path: &str, calendar: &Calendar) {
    report.filled(&format!("{path}.key"), &calendar.key);
    report.text(&format!("{path}.name"), &calendar.name);
    for day in &calendar.plant {
        report.month_day(&format!("{path}.plant"), day);
    }
    for day in &calendar.harvest {
        report.month_day(&format!("{path}.harvest"), day);
    }
    report.days(&format!("{path}.days"), calendar.days);
    report.source(&format!("{path}.source"), &calendar.source);
}

fn check_rotation(report: &mut Report<'_>, rotation: &Rotation) {
    report.source("rotation.source", &rotation.source);
    if let Some(after_disease) = rotation.gap_years_after_disease {
        report.ensure(
            after_disease >= rotation.gap_years,
            "rotation.gap_years_after_disease",
            after_disease,
            format_args!("not fewer than gap_years = {}", rotation.gap_years),
        );
    }
    let diseases = rotation.diseases.iter();
    unique(
        report,
        diseases
            .map(|disease| ("rotation.diseases".to_owned(), *disease, disease.key().to_owned())),
    );
}

fn check_requirements(report: &mut Report<'_>, needs: &Requirements) {
    let borders = [
        ("soil_ph", &needs.soil_ph, Sides::Both, [0.0, 14.0]),
        ("temperature_c", &needs.temperature_c, Sides::Both, [-30.0, 60.0]),
        ("salinity_ds_m", &needs.salinity_ds_m, Sides::UpperOnly, [0.0, 100.0]),
        ("soil_depth_cm", &needs.soil_depth_cm, Sides::LowerOnly, [0.0, 1000.0]),
        ("slope_percent", &needs.slope_percent, Sides::UpperOnly, [0.0, 200.0]),
        ("cycle_days", &needs.cycle_days, Sides::LowerOnly, [0.0, 366.0]),
    ];
    for (factor, borders, sides, within) in borders {
        if let Some(borders) = borders {
            check_borders(report, &format!("requirements.{factor}"), borders, sides, within);
        }
    }
    if let Some(classes) = &needs.drainage {
        check_words(report, "requirements.drainage", classes);
    }
    if let Some(classes) = &needs.soil_texture {
        check_words(report, "requirements.soil_texture", classes);
    }
}

fn check_borders(
    report: &mut Report<'_>,
    path: &str,
    borders: &Borders,
    sides: Sides,
    [least, most]: [f64; 2],
) {
    let Borders { lower, upper, source } = borders;
    report.own_source(&format!("{path}.source"), source.as_ref());
    report.ensure(lower.is_some() || upper.is_some(), path, "no border", "lower, upper or both");
    let may_lower = sides != Sides::UpperOnly || lower.is_none();
    report.ensure(may_lower, &format!("{path}.lower"), "lower borders", "upper borders only");
    let may_upper = sides != Sides::LowerOnly || upper.is_none();
    report.ensure(may_upper, &format!("{path}.upper"), "upper borders", "lower borders only");

    let mut are_sound = true;
    for (side, order, numbers) in [("lower", "S3, S2, S1", lower), ("upper", "S1, S2, S3", upper)] {
        let Some(numbers) = numbers else { continue };
        let path = format!("{path}.{side}");
        let is_within = numbers.iter().all(|border| (least..=most).contains(border));
        // Two equal borders leave the class between them empty, as some tables do.
        let is_rising = numbers.windows(2).all(|pair| pair[0] <= pair[1]);
        let wanted = format!("{order}, rising, each in {least} to {most}");
        report.ensure(is_within && is_rising, &path, shown(numbers), wanted);
        are_sound &= is_within && is_rising;
    }
    if let (Some([.., lower]), Some([upper, ..]), true) = (lower, upper, are_sound) {
        let found = format!("S1 above {lower} and below {upper}");
        report.ensure(lower < upper, path, found, "a span for S1");
    }
}

fn check_words<T: Copy + Eq + std::hash::Hash + Display>(
    report: &mut Report<'_>,
    path: &str,
    classes: &WordClasses<T>,
) {
    report.own_source(&format!("{path}.source"), classes.source.as_ref());
    let lists = [("s1", &classes.s1), ("s2", &classes.s2), ("s3", &classes.s3)];
    let words = lists.into_iter().flat_map(|(class, words)| {
        words.iter().map(move |word| (format!("{path}.{class}"), *word, word.to_string()))
    });
    unique(report, words);
    report.ensure(!classes.s1.is_empty(), &format!("{path}.s1"), "no word", "at least one word");
}

fn check_water_use(report: &mut Report<'_>, water: &WaterUse) {
    let are_factors = water.kc.iter().all(|kc| (0.0..=2.0).contains(kc));
    report.ensure(are_factors, "water_use.kc", shown(&water.kc), "three coefficients, 0 to 2");
    let [least, most] = water.root_depth_m;
    let is_depth = 0.0 < least && least <= most && most <= 10.0;
    let found = format!("[{least}, {most}]");
    report.ensure(is_depth, "water_use.root_depth_m", found, "m, the least first, above 0");
    let is_share = 0.0 < water.free_fraction && water.free_fraction < 1.0;
    report.ensure(
        is_share,
        "water_use.free_fraction",
        water.free_fraction,
        "a share above 0 and below 1",
    );
    report.source("water_use.source", &water.source);
}

fn shown(numbers: &[f64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(f64::to_string).collect();
    format!("[{}]", numbers.join(", "))
}
