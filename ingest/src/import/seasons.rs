//! Seasons: what stood or stands on a plot.

use jiff::civil::Date;
use plotwise_config::{catalogue::Catalogue, id::PlotId, records::Season};

use super::{
    Known, Options,
    errors::{Errors, FileErrors},
    fields::{Fields, Once},
    table::{Column, Table, optional, required},
};

const COLUMNS: &[Column] = &[
    required("plot", &["地块", "地块编号"]),
    required("season_start", &["茬口开始", "开始日期"]),
    required("season_end", &["茬口结束", "结束日期"]),
    required("crop", &["作物"]),
    optional("variety", &["品种"]),
    optional("water", &["水分管理"]),
    optional("disease", &["病害"]),
    optional("severity", &["病情", "严重程度"]),
    optional("confirmed_by", &["确认人", "确认单位"]),
];

/// Reads seasons; an empty `season_end` is a crop that still stands.
///
/// # Errors
///
/// [`FileErrors`] with everything that is wrong.
pub fn parse_seasons(
    bytes: &[u8],
    options: &Options,
    catalogue: &Catalogue,
    known: &Known,
) -> Result<Vec<Season>, FileErrors> {
    let mut errors = Errors::default();
    let table = Table::read(bytes, COLUMNS, options, &mut errors)?;
    let mut once = Once::new();
    let mut seasons = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let mut fields = Fields::new(COLUMNS, &table.headers, row, &mut errors);
        seasons.extend(season(&mut fields, catalogue, known, &mut once));
    }
    errors.finish(seasons)
}

fn season(
    fields: &mut Fields<'_>,
    catalogue: &Catalogue,
    known: &Known,
    once: &mut Once<(PlotId, Date)>,
) -> Option<Season> {
    let plot = fields.plot(known);
    let start = fields.need_day("season_start");
    let end = fields.day("season_end");
    fields.in_order("season_end", start, end);
    if let (Some(plot), Some(start)) = (&plot, start) {
        once.check(fields, "season_start", (plot.clone(), start), "plot and first day");
    }
    let crop = fields.crop(catalogue);
    let variety = fields.variety(catalogue, crop.as_ref());
    let water = fields.word("water");
    let disease = fields.word("disease");
    let severity = fields.word("severity");
    if severity.is_some() && fields.text("disease").is_none() {
        fields.wrong("disease", "the disease whose severity is given");
    }
    let season = Season {
        plot: plot?,
        start: start?,
        end,
        crop: crop?,
        variety,
        water,
        disease: disease.map(|disease| (disease, severity)),
        confirmed_by: fields.string("confirmed_by"),
    };
    fields.is_clean().then_some(season)
}
