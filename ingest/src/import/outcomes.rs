//! Outcomes: what was planted on a plot in a season and what it yielded.

use jiff::civil::Date;
use plotwise_config::{
    catalogue::Catalogue,
    id::{PlotId, VarietyKey},
    records::{Outcome, OutcomeStatus},
};

use super::{
    Known, Options,
    errors::{Errors, FileErrors},
    fields::{Fields, Once},
    table::{Column, Table, optional, required},
};

/// A jin is half a kilogram, a mu a fifteenth of a hectare.
const KG_HA_PER_JIN_MU: f64 = 7.5;

/// More than any crop yields, leafy vegetables under glass and sugar cane among them. Our choice.
const YIELD_KG_HA_MAX: f64 = 500_000.0;

const COLUMNS: &[Column] = &[
    required("plot", &["地块", "地块编号"]),
    required("season_start", &["茬口开始", "开始日期"]),
    required("season_end", &["茬口结束", "结束日期"]),
    required("crop", &["作物"]),
    required("variety", &["品种"]),
    optional("yield_kg_ha", &["产量(kg/ha)", "产量（kg/ha）", "产量(公斤/公顷)"]),
    optional("yield_jin_mu", &["产量(斤/亩)", "产量（斤/亩）", "亩产(斤)", "亩产（斤）"]),
    optional("planted_on", &["种植日期", "栽插日期", "播种日期"]),
    optional("harvested_on", &["收获日期"]),
    optional("area_mu", &["面积(亩)", "面积（亩）", "面积"]),
    optional("method", &["测产方法"]),
    optional("marketable_percent", &["商品率(%)", "商品率（%）", "商品率"]),
    optional("dry_matter_percent", &["干物质(%)", "干物质（%）", "干率"]),
    optional("status", &["状态"]),
    optional("water", &["水分管理"]),
    optional("disease", &["病害"]),
    optional("why_chosen", &["选种原因"]),
    optional("strip", &["对比条"]),
    optional("note", &["备注"]),
];

/// What names an outcome.
type Key = (PlotId, Date, VarietyKey, Option<String>);

/// Reads outcomes. Each row has its yield in kg/ha or in jin/mu, not both; a failure may have none.
///
/// # Errors
///
/// [`FileErrors`] with everything that is wrong.
pub fn parse_outcomes(
    bytes: &[u8],
    options: &Options,
    catalogue: &Catalogue,
    known: &Known,
) -> Result<Vec<Outcome>, FileErrors> {
    let mut errors = Errors::default();
    let table = Table::read(bytes, COLUMNS, options, &mut errors)?;
    let mut once = Once::new();
    let mut outcomes = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let mut fields = Fields::new(COLUMNS, &table.headers, row, &mut errors);
        outcomes.extend(outcome(&mut fields, options, catalogue, known, &mut once));
    }
    errors.finish(outcomes)
}

fn outcome(
    fields: &mut Fields<'_>,
    options: &Options,
    catalogue: &Catalogue,
    known: &Known,
    once: &mut Once<Key>,
) -> Option<Outcome> {
    let plot = fields.plot(known);
    let season_start = fields.need_day("season_start");
    let season_end = fields.need_day("season_end");
    fields.in_order("season_end", season_start, season_end);
    let crop = fields.crop(catalogue);
    fields.need("variety", "a variety of the catalogue");
    let variety = fields.variety(catalogue, crop.as_ref());
    let strip = fields.string("strip");
    if let (Some(plot), Some(start), Some(variety)) = (&plot, season_start, &variety) {
        let key = (plot.clone(), start, variety.clone(), strip.clone());
        once.check(fields, "variety", key, "plot, season, variety and strip");
    }
    let status = match fields.text("status") {
        Some(_) => fields.word("status"),
        None => Some(OutcomeStatus::Harvested),
    };
    let yield_kg_ha = yield_kg_ha(fields, status);
    let planted_on = fields.past_day("planted_on", options.now);
    let harvested_on = fields.past_day("harvested_on", options.now);
    fields.in_order("harvested_on", planted_on, harvested_on);
    let outcome = Outcome {
        area_mu: fields.number("area_mu", 0.001, 15_000.0),
        marketable_percent: fields.number("marketable_percent", 0.0, 100.0),
        dry_matter_percent: fields.number("dry_matter_percent", 0.0, 100.0),
        water: fields.word("water"),
        disease: fields.word("disease"),
        plot: plot?,
        season_start: season_start?,
        season_end: season_end?,
        crop: crop?,
        variety: variety?,
        yield_kg_ha: yield_kg_ha?,
        planted_on,
        harvested_on,
        method: fields.string("method"),
        status: status?,
        why_chosen: fields.string("why_chosen"),
        strip,
        note: fields.string("note"),
    };
    fields.is_clean().then_some(outcome)
}

fn yield_kg_ha(fields: &mut Fields<'_>, status: Option<OutcomeStatus>) -> Option<f64> {
    match (fields.text("yield_kg_ha"), fields.text("yield_jin_mu")) {
        (Some(_), None) => fields.number("yield_kg_ha", 0.0, YIELD_KG_HA_MAX),
        (None, Some(_)) => {
            let most = YIELD_KG_HA_MAX / KG_HA_PER_JIN_MU;
            fields.number("yield_jin_mu", 0.0, most.floor()).map(|jin_mu| jin_mu * KG_HA_PER_JIN_MU)
        }
        (Some(_), Some(_)) => {
            fields.wrong("yield_jin_mu", "one of yield_kg_ha and yield_jin_mu, not both");
            None
        }
        (None, None)
            if matches!(status, Some(OutcomeStatus::Failed | OutcomeStatus::Abandoned)) =>
        {
            Some(0.0)
        }
        (None, None) => {
            fields.wrong("yield_kg_ha", "a yield: yield_kg_ha or yield_jin_mu");
            None
        }
    }
}
