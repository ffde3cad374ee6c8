//! `[map]`: what lies under the plots.

use serde::{Deserialize, Serialize};

use crate::keyed::keyed;

/// The map of the pages.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapSettings {
    /// Address of the tiles with `{z}`, `{x}` and `{y}`; without it there are none and nothing
    /// leaves the machine.
    #[serde(default)]
    pub tiles: Option<String>,
    /// The datum that the tiles are drawn in.
    pub tiles_datum: Datum,
}

keyed! {
    /// What coordinates refer to. Chinese map services shift theirs by up to 700 m on purpose.
    pub enum Datum ("datum") {
        /// GPS.
        Wgs84 = "wgs84", "WGS84", "WGS 84";
        /// China's own; differs from WGS 84 by centimetres.
        Cgcs2000 = "cgcs2000", "CGCS2000", "CGCS 2000";
        /// Amap and Tencent.
        Gcj02 = "gcj02", "GCJ02", "GCJ-02";
        /// Baidu.
        Bd09 = "bd09", "BD09", "BD-09";
    }
}
