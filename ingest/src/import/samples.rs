//! Laboratory samples of soil and of produce; the column `organ` tells the two kinds of file apart.

use jiff::civil::Date;
use plotwise_config::{
    catalogue::Catalogue,
    id::PlotId,
    reading::QuantityNo,
    records::{Measured, Organ, Sample, SampleKind},
};

use super::{
    Known, Options,
    errors::{Errors, FileErrors},
    fields::{Fields, Once, parse_number},
    table::{Column, Table, optional, required, text_of},
};

const PLOT: Column = required("plot", &["地块", "地块编号"]);
const QUANTITY: Column = required("quantity", &["检测项目", "指标"]);
const VALUE: Column = required("value", &["检测值", "值", "数值"]);
const UNIT: Column = required("unit", &["单位"]);
const LABORATORY: Column = optional("laboratory", &["检测机构", "检测单位"]);
const METHOD: Column = optional("method", &["检测方法", "方法"]);
const SOIL: &[Column] = &[
    PLOT,
    required("sampled_on", &["采样日期"]),
    required("depth_m", &["深度(m)", "深度（m）", "深度"]),
    QUANTITY,
    VALUE,
    UNIT,
    LABORATORY,
    METHOD,
];
const PRODUCE: &[Column] = &[
    PLOT,
    required("season_start", &["茬口开始", "开始日期"]),
    required("organ", &["部位", "采样部位"]),
    QUANTITY,
    VALUE,
    UNIT,
    LABORATORY,
    METHOD,
];

/// What names a figure: plot, day, depth in mm or organ, quantity, laboratory.
type Key = (PlotId, Date, Result<i64, Organ>, QuantityNo, Option<String>);

/// Reads samples. A value `<0.05` is below that limit of detection; units are converted.
///
/// # Errors
///
/// [`FileErrors`] with everything that is wrong.
pub fn parse_samples(
    bytes: &[u8],
    options: &Options,
    catalogue: &Catalogue,
    known: &Known,
) -> Result<Vec<Sample>, FileErrors> {
    let header = text_of(bytes)?.trim_start().lines().next().unwrap_or_default();
    let mut names = header.split(',').map(|name| name.trim().trim_matches('"'));
    let is_produce = names.any(|name| PRODUCE[2].key == name || PRODUCE[2].zh.contains(&name));
    let columns = if is_produce { PRODUCE } else { SOIL };
    let mut errors = Errors::default();
    let table = Table::read(bytes, columns, options, &mut errors)?;
    let mut once = Once::new();
    let mut samples = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let mut fields = Fields::new(columns, &table.headers, row, &mut errors);
        samples.extend(sample(&mut fields, is_produce, options, catalogue, known, &mut once));
    }
    errors.finish(samples)
}

fn sample(
    fields: &mut Fields<'_>,
    is_produce: bool,
    options: &Options,
    catalogue: &Catalogue,
    known: &Known,
    once: &mut Once<Key>,
) -> Option<Sample> {
    let plot = fields.plot(known);
    let kind = if is_produce { produce(fields) } else { soil(fields, options) };
    let quantity = fields.quantity(catalogue);
    fields.need("value", "a value, or <limit where it is below detection");
    let measured = quantity.and_then(|quantity| measured(fields, quantity, catalogue));
    let laboratory = fields.string("laboratory");
    if let (Some(plot), Some(kind), Some(quantity)) = (&plot, &kind, quantity) {
        let (day, part) = part_of(kind);
        let key = (plot.clone(), day, part, quantity, laboratory.clone());
        let what = "plot, day, depth or organ, quantity and laboratory";
        once.check(fields, "quantity", key, what);
    }
    let sample = Sample {
        plot: plot?,
        kind: kind?,
        quantity: quantity?,
        measured: measured?,
        laboratory,
        method: fields.string("method"),
    };
    fields.is_clean().then_some(sample)
}

fn soil(fields: &mut Fields<'_>, options: &Options) -> Option<SampleKind> {
    fields.need("sampled_on", "a day, as 2026-05-01");
    let sampled_on = fields.past_day("sampled_on", options.now);
    let depth_m = fields.need_number("depth_m", 0.0, 60.0);
    Some(SampleKind::Soil { sampled_on: sampled_on?, depth_m: depth_m? })
}

fn produce(fields: &mut Fields<'_>) -> Option<SampleKind> {
    let season_start = fields.need_day("season_start");
    let organ = fields.need_word("organ");
    Some(SampleKind::Produce { season_start: season_start?, organ: organ? })
}

fn part_of(kind: &SampleKind) -> (Date, Result<i64, Organ>) {
    match kind {
        SampleKind::Soil { sampled_on, depth_m } => {
            #[expect(clippy::cast_possible_truncation, reason = "a depth is 0-60 m")]
            let depth_mm = (depth_m * 1000.0).round() as i64;
            (*sampled_on, Ok(depth_mm))
        }
        SampleKind::Produce { season_start, organ } => (*season_start, Err(*organ)),
    }
}

fn measured(
    fields: &mut Fields<'_>,
    quantity: QuantityNo,
    catalogue: &Catalogue,
) -> Option<Measured> {
    let text = fields.text("value")?;
    let limit = text.strip_prefix(['<', '＜']);
    let Some(written) = parse_number(limit.unwrap_or(text).trim()) else {
        fields.wrong("value", "a number, or <limit where it is below detection");
        return None;
    };
    let known = catalogue.quantity(quantity);
    // Only a pH is the same number whatever is written as its unit; elsewhere mg and ug differ.
    let unit = match fields.text("unit") {
        None if known.unit == "[pH]" => known.unit.as_str(),
        None => fields.need("unit", &format!("a unit, as {}", known.unit))?,
        Some(unit) => unit,
    };
    let value = match catalogue.convert(quantity, written, unit) {
        Ok(value) => value,
        Err(error) => {
            fields.wrong("unit", error.to_string());
            return None;
        }
    };
    let [least, most] = known.hard;
    if !(least..=most).contains(&value) {
        fields.wrong("value", format!("{least} to {most} {}", known.unit));
        return None;
    }
    Some(if limit.is_some() { Measured::Below(value) } else { Measured::Value(value) })
}
