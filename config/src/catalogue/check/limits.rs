//! Checks of the limits of soil and food.

use super::{Known, unique};
use crate::catalogue::{entry::Report, food::FoodStandard, soil::SoilStandard};

pub(super) fn check_soil(report: &mut Report<'_>, soil: &SoilStandard, known: &Known<'_>) {
    report.filled("number", &soil.number);
    report.text("title", &soil.title);
    report.source("source", &soil.source);
    let is_rising = soil.ph_upper.windows(2).all(|pair| pair[0] < pair[1]);
    let are_ph = soil.ph_upper.iter().all(|edge| (0.0..=14.0).contains(edge));
    report.ensure(
        is_rising && are_ph && !soil.ph_upper.is_empty(),
        "ph_upper",
        format_args!("{:?}", soil.ph_upper),
        "edges of pH, rising, 0 to 14",
    );

    let bands = soil.ph_upper.len() + 1;
    for (place, row) in soil.screening.iter().enumerate() {
        let path = format!("screening.{place}");
        check_row(report, &path, &row.quantity, &row.mg_kg, bands, known);
        report.ensure(!row.uses.is_empty(), &format!("{path}.uses"), "no use", "at least one use");
    }
    for (place, row) in soil.intervention.iter().enumerate() {
        let path = format!("intervention.{place}");
        check_row(report, &path, &row.quantity, &row.mg_kg, bands, known);
        let screening = soil.screening.iter().filter(|known| known.quantity == row.quantity);
        for screening in screening {
            let is_above = row.mg_kg.iter().zip(&screening.mg_kg).all(|(high, low)| high >= low);
            let wanted = format!("not below the screening values {:?}", screening.mg_kg);
            let found = format!("{:?}", row.mg_kg);
            report.ensure(is_above, &format!("{path}.mg_kg"), found, wanted);
        }
    }
    let screening = soil.screening.iter().enumerate().flat_map(|(place, row)| {
        row.uses.iter().map(move |land_use| {
            let shown = format!("{} for {land_use}", row.quantity);
            (format!("screening.{place}.uses"), (row.quantity.as_str(), *land_use), shown)
        })
    });
    unique(report, screening);
    let intervention = soil.intervention.iter().enumerate();
    unique(
        report,
        intervention.map(|(place, row)| {
            (format!("intervention.{place}"), row.quantity.as_str(), row.quantity.clone())
        }),
    );
}

fn check_row(
    report: &mut Report<'_>,
    path: &str,
    quantity: &str,
    mg_kg: &[f64],
    bands: usize,
    known: &Known<'_>,
) {
    let quantity_path = format!("{path}.quantity");
    if let Some(found) = known.quantity(report, &quantity_path, quantity) {
        let wanted = "a quantity of samples (from_sample = true)";
        report.ensure(found.from_sample, &quantity_path, format_args!("{quantity:?}"), wanted);
    }
    let path = format!("{path}.mg_kg");
    let found = format!("{} values", mg_kg.len());
    report.ensure(mg_kg.len() == bands, &path, found, format_args!("{bands}, one a pH band"));
    for value in mg_kg {
        report.positive(&path, *value);
    }
}

pub(super) fn check_food(report: &mut Report<'_>, standard: &FoodStandard, known: &Known<'_>) {
    report.filled("number", &standard.number);
    report.text("title", &standard.title);
    report.date("in_force", &standard.in_force);
    report.source("source", &standard.source);
    for (place, food) in standard.foods.iter().enumerate() {
        let path = format!("foods.{place}");
        report.filled(&format!("{path}.key"), &food.key);
        report.text(&format!("{path}.name"), &food.name);
        for (place, limit) in food.limits.iter().enumerate() {
            let path = format!("{path}.limits.{place}");
            known.quantity(report, &format!("{path}.quantity"), &limit.quantity);
            report.positive(&format!("{path}.mg_kg"), limit.mg_kg);
            report.source(&format!("{path}.table"), &limit.table);
        }
        let limits = food.limits.iter().enumerate();
        unique(
            report,
            limits.map(|(place, limit)| {
                let path = format!("{path}.limits.{place}");
                (path, (&limit.quantity, &limit.form), format!("a limit of {}", limit.quantity))
            }),
        );
    }
    let foods = standard.foods.iter().enumerate();
    unique(
        report,
        foods.map(|(place, food)| {
            (format!("foods.{place}.key"), food.key.as_str(), format!("the food {:?}", food.key))
        }),
    );
}
