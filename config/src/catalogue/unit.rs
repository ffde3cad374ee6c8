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

    /// The value in this unit that [`UnitConversion::to_canonical`] turns into `canonical`; of the two
    /// where the sign is dropped, the positive one.
    pub fn from_canonical(&self, canonical: f64) -> f64 {
        (canonical - self.offset) / self.scale
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

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::{prelude::*, sample::Index};

    use crate::catalogue::{Catalogue, quantity::UnitConversion};

    /// Every conversion of the shipped catalogue.
    static SHIPPED: LazyLock<Vec<UnitConversion>> = LazyLock::new(|| {
        let catalogue = Catalogue::load(&[]).unwrap();
        catalogue.quantities().iter().flat_map(|quantity| quantity.accepts.clone()).collect()
    });

    /// Far beyond what any probe says, and near nought.
    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![-1e6..1e6, -1.0..1.0, Just(0.0)]
    }

    proptest! {
        #[test]
        fn every_conversion_is_undone_by_its_inverse(which in any::<Index>(), value in value()) {
            let conversion = &SHIPPED[which.index(SHIPPED.len())];
            let value = if conversion.absolute { value.abs() } else { value };
            let back = conversion.from_canonical(conversion.to_canonical(value));
            // Where an offset cancels, digits are lost of the offset and not of the value.
            let size = value.abs().max((conversion.offset / conversion.scale).abs());
            prop_assert!((back - value).abs() <= 1e-12 * size, "{value} came back as {back}");
            let there = conversion.to_canonical(conversion.from_canonical(value));
            let size = value.abs().max(conversion.offset.abs());
            prop_assert!((there - value).abs() <= 1e-12 * size, "{value} became {there}");
        }

        #[test]
        fn every_conversion_keeps_the_order_or_drops_the_sign(
            which in any::<Index>(), value in value(), more in 1e-6..1e6,
        ) {
            let conversion = &SHIPPED[which.index(SHIPPED.len())];
            let (less, more) = (conversion.to_canonical(value), conversion.to_canonical(value + more));
            if conversion.absolute {
                prop_assert_eq!(less.to_bits(), conversion.to_canonical(-value).to_bits());
            } else {
                prop_assert!(less < more, "{less} and {more}");
            }
        }
    }

    #[test]
    fn a_conversion_that_drops_the_sign_has_no_offset() {
        assert!(SHIPPED.iter().all(|one| !one.absolute || one.offset == 0.0));
        assert!(SHIPPED.len() > 50);
    }
}
