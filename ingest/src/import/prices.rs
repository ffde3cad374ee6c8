//! Prices that buyers pay, and costs of growing.

use jiff::civil::Date;
use plotwise_config::{
    catalogue::Catalogue,
    id::{CooperativeId, CropKey, VarietyKey},
    records::{Price, SoldAs},
};

use super::{
    Known, Options,
    errors::{Errors, FileErrors},
    fields::{Fields, Once},
    table::{Column, Table, optional, required},
};

const COLUMNS: &[Column] = &[
    required("crop", &["作物"]),
    required("sold_as", &["用途", "销售方式"]),
    required("price_per_kg", &["单价(元/kg)", "单价（元/kg）", "单价(元/公斤)", "单价"]),
    required("currency", &["币种"]),
    optional("variety", &["品种"]),
    optional("buyer", &["收购方", "买家"]),
    optional("max_t", &["最大收购量(吨)", "最大收购量（吨）", "最大收购量"]),
    optional("cost_per_mu", &["成本(元/亩)", "成本（元/亩）", "成本"]),
    optional("from", &["开始日期", "起"]),
    optional("to", &["结束日期", "止"]),
    optional("cooperative", &["合作社"]),
];

/// What names a price.
type Key = (CooperativeId, CropKey, SoldAs, Option<VarietyKey>, Option<String>, Option<Date>);

/// Reads prices of the file's, the options' or the only cooperative.
///
/// # Errors
///
/// [`FileErrors`] with everything that is wrong.
pub fn parse_prices(
    bytes: &[u8],
    options: &Options,
    catalogue: &Catalogue,
    known: &Known,
) -> Result<Vec<Price>, FileErrors> {
    let mut errors = Errors::default();
    let table = Table::read(bytes, COLUMNS, options, &mut errors)?;
    let mut once = Once::new();
    let mut prices = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let mut fields = Fields::new(COLUMNS, &table.headers, row, &mut errors);
        prices.extend(price(&mut fields, options, catalogue, known, &mut once));
    }
    errors.finish(prices)
}

fn price(
    fields: &mut Fields<'_>,
    options: &Options,
    catalogue: &Catalogue,
    known: &Known,
    once: &mut Once<Key>,
) -> Option<Price> {
    let cooperative = fields.cooperative_or_only(known, options);
    let crop = fields.crop(catalogue);
    let variety = fields.variety(catalogue, crop.as_ref());
    let sold_as = fields.need_word("sold_as");
    let price_per_kg = fields.need_number("price_per_kg", 0.0, 1e6);
    let currency = currency(fields);
    let max_t = fields.number("max_t", 0.0, 1e9);
    let cost_per_mu = fields.number("cost_per_mu", 0.0, 1e6);
    let from = fields.day("from");
    let to = fields.day("to");
    fields.in_order("to", from, to);
    let price = Price {
        cooperative: cooperative?,
        crop: crop?,
        sold_as: sold_as?,
        price_per_kg: price_per_kg?,
        currency: currency?,
        variety,
        buyer: fields.string("buyer"),
        max_t,
        cost_per_mu,
        from,
        to,
    };
    let key = (
        price.cooperative.clone(),
        price.crop.clone(),
        price.sold_as,
        price.variety.clone(),
        price.buyer.clone(),
        from,
    );
    once.check(fields, "crop", key, "crop, use, variety, buyer and first day");
    fields.is_clean().then_some(price)
}

/// ISO 4217; the yuan also by its Chinese names.
fn currency(fields: &mut Fields<'_>) -> Option<String> {
    let wanted = "a currency of three letters, as CNY";
    match fields.need("currency", wanted)? {
        "元" | "人民币" => Some("CNY".to_owned()),
        code if code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()) => {
            Some(code.to_owned())
        }
        _ => {
            fields.wrong("currency", wanted);
            None
        }
    }
}
