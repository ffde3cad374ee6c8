//! `[advice]`: what advice is made of.

use serde::{Deserialize, Serialize};

/// What advice is made of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdviceSettings {
    /// Days of readings that make a site profile; 1 to 3660.
    pub window_days: u16,
    /// How sure an interval of yields is to hold the harvest; above 0.5 and below 1.
    pub level: f64,
    /// Crops in a ranking; 1 to 50.
    pub top: u8,
}
