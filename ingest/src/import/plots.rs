//! Plots, from GeoJSON or CSV.

use std::collections::BTreeMap;

use plotwise_config::{
    id::PlotId,
    land::Protection,
    records::{Official, OrderedMeasure, Plot},
};

use super::{
    Known, Options,
    errors::{Errors, FileErrors},
    fields::{Fields, Once},
    geojson, geometry,
    geometry::Shape,
    table::{Column, Table, TableRow, optional, required},
};

/// A mu is a fifteenth of a hectare.
const M2_PER_MU: f64 = 10_000.0 / 15.0;

const COLUMNS: &[Column] = &[
    required("id", &["编号", "地块编号", "地块编码", "地块"]),
    optional("name", &["名称", "地块名称"]),
    required("cooperative", &["合作社"]),
    required("land_type", &["地类"]),
    optional("protection", &["耕地保护", "保护类型"]),
    optional("protection_date", &["保护日期"]),
    optional("soil_class", &["土壤类别", "质量类别"]),
    optional("soil_class_document", &["类别文件"]),
    optional("soil_class_date", &["类别日期"]),
    optional("measure", &["管控措施", "采取措施"]),
    optional("measure_document", &["措施文件"]),
    optional("measure_from", &["措施开始"]),
    optional("measure_to", &["措施结束"]),
    optional("village", &["村", "行政村"]),
    optional("household", &["农户"]),
    optional("area_mu", &["面积(亩)", "面积（亩）", "面积"]),
    optional("contract_area_mu", &["合同面积(亩)", "合同面积（亩）", "合同面积"]),
    optional("soil_texture", &["土壤质地", "质地"]),
    optional("drainage", &["排水", "排水条件"]),
    optional("water", &["水分管理", "水分状况"]),
    optional("slope_percent", &["坡度(%)", "坡度（%）", "坡度"]),
    optional("soil_depth_cm", &["土层厚度(cm)", "土层厚度（cm）", "土层厚度"]),
    optional("codes", &["编码"]),
    required("latitude", &["纬度"]),
    required("longitude", &["经度"]),
];

/// GeoJSON has no columns for the place.
const PROPERTIES: &[Column] = COLUMNS.split_at(COLUMNS.len() - 2).0;

/// Reads plots from GeoJSON or CSV, told apart by the first character.
///
/// # Errors
///
/// [`FileErrors`] with everything that is wrong.
pub fn parse_plots(
    bytes: &[u8],
    options: &Options,
    known: &Known,
) -> Result<Vec<Plot>, FileErrors> {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    if text.trim_ascii_start().starts_with(b"{") {
        parse_plots_geojson(bytes, options, known)
    } else {
        parse_plots_csv(bytes, options, known)
    }
}

/// Reads the features of a GeoJSON collection as plots.
///
/// # Errors
///
/// [`FileErrors`] with everything that is wrong; the line is that of the feature.
pub fn parse_plots_geojson(
    bytes: &[u8],
    options: &Options,
    known: &Known,
) -> Result<Vec<Plot>, FileErrors> {
    let mut errors = Errors::default();
    let features = geojson::features(bytes, PROPERTIES, options, &mut errors)?;
    let mut once = Once::new();
    let mut plots = Vec::with_capacity(features.len());
    for feature in &features {
        let line = feature.row.line;
        let shape = match geometry::shape_of(&feature.geometry, options.datum) {
            Ok(shape) => Some(shape),
            Err(bad) => {
                errors.note(line, "geometry", &bad.found, bad.wanted);
                None
            }
        };
        plots.extend(plot(&feature.row, &[], PROPERTIES, shape, known, &mut once, &mut errors));
    }
    errors.finish(plots)
}

/// Reads plots of which only a point is known.
///
/// # Errors
///
/// [`FileErrors`] with everything that is wrong.
pub fn parse_plots_csv(
    bytes: &[u8],
    options: &Options,
    known: &Known,
) -> Result<Vec<Plot>, FileErrors> {
    let mut errors = Errors::default();
    let table = Table::read(bytes, COLUMNS, options, &mut errors)?;
    let mut once = Once::new();
    let mut plots = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let mut fields = Fields::new(COLUMNS, &table.headers, row, &mut errors);
        let latitude = fields.need_number("latitude", -90.0, 90.0);
        let longitude = fields.need_number("longitude", -180.0, 180.0);
        let shape = longitude.zip(latitude).and_then(|(longitude, latitude)| {
            geometry::point([longitude, latitude], options.datum).ok()
        });
        let headers = &table.headers;
        plots.extend(plot(row, headers, COLUMNS, shape, known, &mut once, &mut errors));
    }
    errors.finish(plots)
}

/// `shape` is `None` where it is wrong, which is noted already.
fn plot(
    row: &TableRow,
    headers: &[String],
    columns: &[Column],
    shape: Option<Shape>,
    known: &Known,
    once: &mut Once<PlotId>,
    errors: &mut Errors,
) -> Option<Plot> {
    let mut fields = Fields::new(columns, headers, row, errors);
    let id: Option<PlotId> = fields.id("id");
    if let Some(id) = &id {
        once.check(&mut fields, "id", id.clone(), "plot");
    }
    let cooperative = fields.cooperative(known);
    let land_type = fields.need_word("land_type");
    let protection = protection(&mut fields);
    let protection_date = fields.day("protection_date");
    let soil_class = soil_class(&mut fields);
    let measure = measure(&mut fields);
    let soil_texture = fields.word("soil_texture");
    let drainage = fields.word("drainage");
    let water = fields.word("water");
    // A thousand hectares: more is a farm and not a plot. Our choice.
    let declared_mu = fields.number("area_mu", 0.001, 15_000.0);
    let contract_area_mu = fields.number("contract_area_mu", 0.0, 15_000.0);
    let slope_percent = fields.number("slope_percent", 0.0, 200.0);
    let soil_depth_cm = fields.number("soil_depth_cm", 0.0, 1000.0);
    let codes = codes(&mut fields);
    let shape = shape?;
    if shape.area_m2.is_none() && fields.text("area_mu").is_none() {
        fields.wrong("area_mu", "the area in mu, as a point has none");
    }
    let area_m2 = declared_mu.map(|mu| mu * M2_PER_MU).or(shape.area_m2);
    let id = id?;
    let plot = Plot {
        name: fields.string("name").unwrap_or_else(|| id.to_string()),
        id,
        cooperative: cooperative?,
        polygons: shape.polygons,
        centre: shape.centre,
        area_m2: area_m2?,
        contract_area_mu,
        land_type: land_type?,
        protection,
        protection_date,
        soil_class,
        measure,
        village: fields.string("village"),
        household: fields.string("household"),
        soil_texture,
        drainage,
        water,
        slope_percent,
        soil_depth_cm,
        codes,
    };
    fields.is_clean().then_some(plot)
}

/// Several, with `;` or the Chinese comma between them; sorted, each once.
fn protection(fields: &mut Fields<'_>) -> Vec<Protection> {
    let mut found = Vec::new();
    let text = fields.text("protection").unwrap_or_default();
    for word in text.split([';', '；', '、', '|']).map(str::trim).filter(|word| !word.is_empty())
    {
        if let Ok(protection) = word.parse() {
            found.push(protection);
        } else {
            let keys: Vec<&str> = Protection::ALL.iter().map(|known| known.key()).collect();
            fields.wrong("protection", format!("of {}, with ; between", keys.join(", ")));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn soil_class(fields: &mut Fields<'_>) -> Option<Official<plotwise_config::land::SoilClass>> {
    let value = fields.word("soil_class");
    let date = fields.day("soil_class_date");
    needs(fields, "soil_class", &["soil_class_document", "soil_class_date"]);
    Some(Official { value: value?, document: fields.string("soil_class_document"), date })
}

fn measure(fields: &mut Fields<'_>) -> Option<OrderedMeasure> {
    let measure = fields.word("measure");
    let from = fields.day("measure_from");
    let to = fields.day("measure_to");
    fields.in_order("measure_to", from, to);
    needs(fields, "measure", &["measure_document", "measure_from", "measure_to"]);
    Some(OrderedMeasure {
        measure: measure?,
        document: fields.string("measure_document"),
        from,
        to,
    })
}

/// A paper or a day without what it speaks of would be lost in silence.
fn needs(fields: &mut Fields<'_>, key: &str, details: &[&str]) {
    if fields.text(key).is_none() && details.iter().any(|detail| fields.text(detail).is_some()) {
        fields.wrong(key, format!("a value, as {} is given", details.join(" or ")));
    }
}

/// `scheme=value;scheme=value`.
fn codes(fields: &mut Fields<'_>) -> BTreeMap<String, String> {
    let mut codes = BTreeMap::new();
    let text = fields.text("codes").unwrap_or_default();
    for pair in text.split([';', '；']).map(str::trim).filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some((scheme, value)) if !scheme.trim().is_empty() => {
                codes.insert(scheme.trim().to_owned(), value.trim().to_owned());
            }
            _ => fields.wrong("codes", "scheme=value, with ; between"),
        }
    }
    codes
}
