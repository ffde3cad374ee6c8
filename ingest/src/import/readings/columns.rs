//! The columns of a file of readings.

use plotwise_config::{
    catalogue::Catalogue,
    reading::{DepthMm, QuantityNo},
};

use crate::import::{
    fields::parse_number,
    references::{find_quantity, unknown_quantity},
    table::{Column, optional, required},
};

pub(in crate::import) const DEVICE: Column = required("device", &["设备", "设备编号"]);
pub(in crate::import) const TIME: Column = required("time", &["时间", "测量时间"]);
/// What other programs call the time.
pub(in crate::import) const UTC: Column = optional("utc", &[]);
pub(in crate::import) const QUANTITY: Column = required("quantity", &["指标", "监测指标"]);
pub(in crate::import) const VALUE: Column = required("value", &["值", "数值"]);
pub(in crate::import) const UNIT: Column = optional("unit", &["单位"]);
pub(in crate::import) const DEPTH: Column = optional("depth_m", &["深度(m)", "深度（m）", "深度"]);
pub(in crate::import) const FLAGS: Column = optional("flags", &["质量标记", "标记"]);

/// Those of a long file, in the order that `Layout` takes them.
pub(super) const LONG: &[Column] = &[
    DEVICE,
    TIME,
    QUANTITY,
    VALUE,
    UNIT,
    DEPTH,
    optional("received", &["接收时间"]),
    FLAGS,
    optional("simulated", &["模拟"]),
];

/// `soil_moisture` or `soil_moisture@0.6`.
pub(in crate::import) fn quantity_column(
    name: &str,
    catalogue: &Catalogue,
) -> Result<(QuantityNo, Option<DepthMm>), String> {
    let (quantity, depth) = match name.split_once('@') {
        Some((quantity, depth)) => (quantity.trim(), Some(depth.trim())),
        None => (name, None),
    };
    let number = find_quantity(catalogue, quantity).ok_or_else(|| {
        format!("{} (--ignore-unknown leaves it out)", unknown_quantity(catalogue, quantity))
    })?;
    let Some(depth) = depth else { return Ok((number, None)) };
    let metres = parse_number(depth).and_then(DepthMm::from_metres);
    metres.map_or_else(
        || Err("a depth of 0-60 m behind the @".to_owned()),
        |depth| Ok((number, Some(depth))),
    )
}
