//! `C01`, `C02`: outside the range where a quantity's values are believed.

use plotwise_config::{catalogue::quantity::Quantity, reading::Flags};

/// Where a quantity's values are believed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    low: f64,
    high: f64,
    /// The border where the checks that take water for a fault stand back.
    high_under_water: f64,
}

impl Range {
    /// The range of a quantity's checks `C01` and `C02`; its borders themselves are believed.
    pub fn of(quantity: &Quantity) -> Self {
        let [low, hard_high] = quantity.hard;
        let high = quantity.flag_above.map_or(hard_high, |border| border.min(hard_high));
        Self { low, high, high_under_water: hard_high }
    }

    /// The flags stored with a value and those that follow from it.
    pub fn flag(self, value: f64, stored: Flags) -> Flags {
        if value < self.low {
            stored.with(Flags::BELOW_RANGE)
        } else if value > self.high {
            stored.with(Flags::ABOVE_RANGE)
        } else {
            stored
        }
    }

    /// The same on irrigated or flooded land: only the hard range counts.
    pub(super) fn flag_under_water(self, value: f64, stored: Flags) -> Flags {
        Self { high: self.high_under_water, ..self }.flag(value, stored)
    }
}
