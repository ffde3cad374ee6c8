//! Lists of devices.

use jiff::Timestamp;
use plotwise_config::{
    catalogue::Catalogue,
    id::DeviceId,
    reading::DepthMm,
    records::{Device, Placement},
};

use super::{
    Known, Options,
    errors::{Errors, FileErrors},
    fields::{Fields, Once},
    table::{Column, Table, optional, required},
};

const COLUMNS: &[Column] = &[
    required("device", &["设备", "设备编号"]),
    required("cooperative", &["合作社"]),
    optional("plot", &["地块", "地块编号"]),
    optional("profile", &["设备类型", "数据格式"]),
    optional("depth_m", &["深度(m)", "深度（m）", "深度"]),
    optional("name", &["名称", "设备名称"]),
    optional("gateway", &["网关"]),
];

/// Reads a list of devices, each with the place where it stands.
///
/// A device that is new stands there since ever: readings from before the list was made belong to
/// that plot. One that is known stands there from now on, if it never stood there before.
///
/// # Errors
///
/// [`FileErrors`] with everything that is wrong.
pub fn parse_devices(
    bytes: &[u8],
    options: &Options,
    catalogue: &Catalogue,
    known: &Known,
) -> Result<Vec<(Device, Option<Placement>)>, FileErrors> {
    let mut errors = Errors::default();
    let table = Table::read(bytes, COLUMNS, options, &mut errors)?;
    let mut once = Once::new();
    let mut devices = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let mut fields = Fields::new(COLUMNS, &table.headers, row, &mut errors);
        devices.extend(device(&mut fields, options, catalogue, known, &mut once));
    }
    errors.finish(devices)
}

fn device(
    fields: &mut Fields<'_>,
    options: &Options,
    catalogue: &Catalogue,
    known: &Known,
    once: &mut Once<DeviceId>,
) -> Option<(Device, Option<Placement>)> {
    let id: Option<DeviceId> = fields.id("device");
    if let Some(id) = &id {
        once.check(fields, "device", id.clone(), "device");
    }
    let cooperative = fields.cooperative(known);
    let plot = if fields.text("plot").is_some() { fields.plot(known) } else { None };
    if let (Some(plot), Some(cooperative)) = (&plot, &cooperative)
        && let Some(owner) = known.plots.get(plot)
        && owner != cooperative
    {
        fields.wrong("plot", format!("a plot of {cooperative}; this one is of {owner}"));
    }
    let depth = fields.number("depth_m", 0.0, 60.0).and_then(DepthMm::from_metres);
    let profile = fields.profile(catalogue);
    let is_gateway = yes_or_no(fields, "gateway");
    let id = id?;
    let is_known = known.directory.entry(id.as_str()).is_some_and(|e| !e.own_depths.is_empty());
    let from = if is_known { options.now } else { Timestamp::UNIX_EPOCH };
    let placement =
        plot.map(|plot| Placement { device: id.clone(), plot: Some(plot), depth, from });
    let device =
        Device { id, cooperative: cooperative?, name: fields.string("name"), profile, is_gateway };
    fields.is_clean().then_some((device, placement))
}

fn yes_or_no(fields: &mut Fields<'_>, key: &str) -> bool {
    match fields.text(key).map(str::to_lowercase).as_deref() {
        Some("true" | "yes" | "1" | "是") => true,
        None | Some("false" | "no" | "0" | "否") => false,
        Some(_) => {
            fields.wrong(key, "yes or no");
            false
        }
    }
}
