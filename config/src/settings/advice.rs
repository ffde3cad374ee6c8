//! `[advice]`: what advice is made of.

use serde::{Deserialize, Serialize};

/// What advice is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdviceSettings {
    /// Days of readings that make a site profile; 1 to 3660.
    pub window_days: u16,
    /// Crops in a ranking; 1 to 50.
    pub top: u8,
}
