//! A plot's days of readings, told apart by what stood on it.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use plotwise_config::{catalogue::crop::WaterHabit, day::DaySummary, land::Water, records::Season};

use super::{TOPSOIL_M, Tables};
use crate::{dossier::Dossier, soil_water::MoistureDay};

/// Days after a flooded span in which the soil still drains. Our choice.
const DRAINING_DAYS: i32 = 14;

/// Days before a flooded span in which a field may already be soaked and puddled: seedlings are set into
/// standing water, and a season is told from that day. Our choice.
const SOAKING_DAYS: i32 = 30;

/// Days of moisture by what they can tell.
pub(super) struct Record {
    /// They speak of drained soil.
    pub(super) judged: Vec<MoistureDay>,
    /// Under water.
    pub(super) flooded: Vec<MoistureDay>,
}

/// Means of a quantity in the topsoil by day; of the shallowest depth where none is topsoil.
pub(super) fn topsoil_days(
    tables: &Tables<'_>,
    dossier: &Dossier,
    key: &str,
) -> BTreeMap<Date, f64> {
    let Some(quantity) = tables.quantity(key) else { return BTreeMap::new() };
    let (first, last) = dossier.window;
    let of_quantity: Vec<(&DaySummary, f64)> = dossier
        .days
        .iter()
        .filter(|day| day.quantity == quantity && (first..=last).contains(&day.day))
        .filter_map(|day| Some((day, day.statistics?.mean)))
        .filter(|(_, mean)| mean.is_finite())
        .collect();
    // A probe whose depth nobody said counts as topsoil: that is where people put them.
    let depth_m =
        |day: &DaySummary| day.depth.map_or(0.0, plotwise_config::reading::DepthMm::metres);
    let shallowest = of_quantity.iter().map(|it| depth_m(it.0)).fold(f64::INFINITY, f64::min);
    let reach = TOPSOIL_M.max(shallowest);
    let mut sums: BTreeMap<Date, (f64, f64)> = BTreeMap::new();
    for (day, mean) in of_quantity.into_iter().filter(|it| depth_m(it.0) <= reach) {
        let sum = sums.entry(day.day).or_default();
        *sum = (sum.0 + mean, sum.1 + 1.0);
    }
    sums.into_iter().map(|(date, (sum, count))| (date, sum / count)).collect()
}

/// Splits days of moisture by the water regime of their season.
pub(super) fn split(
    tables: &Tables<'_>,
    dossier: &Dossier,
    moisture: &BTreeMap<Date, f64>,
) -> Record {
    let since = drained_since(dossier);
    let mut record = Record { judged: Vec::new(), flooded: Vec::new() };
    for (&date, &value) in moisture {
        match regime(tables, dossier, date) {
            Regime::Flooded => record.flooded.push((date, value)),
            Regime::Between => {}
            // What was measured before the ditches were dug says nothing about the field with them.
            Regime::Open if since.is_some_and(|since| date < since) => {}
            Regime::Open => record.judged.push((date, value)),
        }
    }
    record
}

enum Regime {
    Flooded,
    /// Just before or after standing water.
    Between,
    Open,
}

fn regime(tables: &Tables<'_>, dossier: &Dossier, date: Date) -> Regime {
    let covers = |season: &Season, date: Date| {
        season.start <= date && season.end.is_none_or(|end| date <= end)
    };
    let standing = dossier.seasons.iter().find(|season| covers(season, date));
    if let Some(season) = standing {
        if is_under_water(tables, dossier, season) {
            return Regime::Flooded;
        }
    } else if dossier.seasons.is_empty() && dossier.plot.water == Some(Water::Flooded) {
        // Usually flooded, and nobody said when it is not.
        return Regime::Flooded;
    }
    let is_around_water = dossier.seasons.iter().any(|season| {
        if !is_under_water(tables, dossier, season) {
            return false;
        }
        let soaked = season.start.saturating_sub(SOAKING_DAYS.days());
        let drained = season.end.map(|end| end.saturating_add(DRAINING_DAYS.days()));
        (soaked..season.start).contains(&date)
            || season.end.zip(drained).is_some_and(|(end, drained)| end < date && date <= drained)
    });
    if is_around_water { Regime::Between } else { Regime::Open }
}

/// Whether a season's crop stood in water: as said, else by the crop.
pub(super) fn is_under_water(tables: &Tables<'_>, dossier: &Dossier, season: &Season) -> bool {
    season.water.map_or_else(
        || {
            let is_aquatic = tables
                .crops
                .iter()
                .any(|crop| crop.key == season.crop && crop.water_habit == WaterHabit::Aquatic);
            is_aquatic && dossier.plot.water.is_none_or(|water| water == Water::Flooded)
        },
        |water| water == Water::Flooded,
    )
}

/// First day of the run of drained seasons that lasts until now.
fn drained_since(dossier: &Dossier) -> Option<Date> {
    let mut seasons: Vec<&Season> =
        dossier.seasons.iter().filter(|season| season.start <= dossier.window.1).collect();
    seasons.sort_by_key(|season| season.start);
    seasons
        .iter()
        .rev()
        .take_while(|season| season.water == Some(Water::Drained))
        .last()
        .map(|season| season.start)
}

/// The regime of the season that stands at the window's end, else the plot's usual one, else that of
/// the last season.
pub(super) fn current_water(dossier: &Dossier) -> Option<Water> {
    let last = dossier.window.1;
    let begun = || dossier.seasons.iter().filter(|season| season.start <= last);
    begun()
        .filter(|season| season.end.is_none_or(|end| last <= end))
        .find_map(|season| season.water)
        .or(dossier.plot.water)
        .or_else(|| begun().max_by_key(|season| season.start).and_then(|season| season.water))
}

/// Shares of readings that a flag excludes: of all, and of soil moisture alone.
pub(super) fn flagged_shares(tables: &Tables<'_>, dossier: &Dossier) -> (f64, f64) {
    let (first, last) = dossier.window;
    let moisture = tables.quantity("soil_moisture");
    let share = |of_moisture: bool| {
        let days = dossier.days.iter().filter(|day| {
            (first..=last).contains(&day.day) && (!of_moisture || moisture == Some(day.quantity))
        });
        let (flagged, all) = days.fold((0.0, 0.0), |(flagged, all), day| {
            let bad = f64::from(day.flagged);
            (flagged + bad, all + bad + f64::from(day.count))
        });
        if all > 0.0 { flagged / all } else { 0.0 }
    };
    (share(false), share(true))
}
