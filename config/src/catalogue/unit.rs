//! From the unit in which a value came to the quantity's canonical one.

use crate::catalogue::quantity::{Quantity, UnitConversion};

/// A value that cannot be converted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The quantity does not accept this unit.
    #[error("{found:?} is no unit of {quantity}; wanted one of: {}", wanted.join(", "))]
    UnknownUnit {
        /// Key of the quantity.
        quantity: String,
        /// The unit as it came.
        found: String,
        /// The canonical unit and every accepted spelling.
        wanted: Vec<String>,
    },
    /// The result is no number.
    #[error("{value} {unit} of {quantity} is not finite, wanted a number")]
    NotFinite {
        /// Key of the quantity.
        quantity: String,
        /// The value as it came.
        value: f64,
        /// The unit as it came.
        unit: String,
    },
}

impl UnitConversion {
    /// The value in the canonical unit.
    pub fn to_canonical(&self, value: f64) -> f64 {
        let converted = value.mul_add(self.scale, self.offset);
        if self.absolute { converted.abs() } else { converted }
    }
}

impl Quantity {
    /// `value` in the canonical unit; `unit` is that unit, the way people write it, or any accepted
    /// spelling. Spaces around it are ignored.
    ///
    /// # Errors
    ///
    /// [`ConvertError::UnknownUnit`], and [`ConvertError::NotFinite`] for NaN and infinities.
    pub fn convert(&self, value: f64, unit: &str) -> Result<f64, ConvertError> {
        let unit = unit.trim();
        let converted = if unit == self.unit || unit == self.unit_shown {
            value
        } else {
            self.accepts
                .iter()
                .find(|conversion| conversion.units.iter().any(|known| known == unit))
                .ok_or_else(|| self.unknown_unit(unit))?
                .to_canonical(value)
        };
        if converted.is_finite() {
            Ok(converted)
        } else {
            Err(ConvertError::NotFinite {
                quantity: self.key.clone(),
                value,
                unit: unit.to_owned(),
            })
        }
    }

    /// How a unit converts; `None` for the canonical one and for one that is not accepted.
    pub fn conversion(&self, unit: &str) -> Option<&UnitConversion> {
        let unit = unit.trim();
        let is_canonical = unit == self.unit || unit == self.unit_shown;
        let mut others = self.accepts.iter();
        let found = others.find(|conversion| conversion.units.iter().any(|known| known == unit));
        found.filter(|_| !is_canonical)
    }

    fn unknown_unit(&self, found: &str) -> ConvertError {
        let accepted = self.accepts.iter().flat_map(|conversion| conversion.units.iter().cloned());
        ConvertError::UnknownUnit {
            quantity: self.key.clone(),
            found: found.chars().take(40).collect(),
            wanted: std::iter::once(self.unit.clone()).chain(accepted).collect(),
        }
    }
}
