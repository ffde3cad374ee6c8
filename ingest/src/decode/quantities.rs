//! Quantities by the text that messages use for them.

use std::collections::HashMap;

use plotwise_config::{
    catalogue::{Catalogue, quantity::Quantity},
    closest::closest,
    reading::QuantityNo,
};

/// Longer names are nobody's slip of the finger.
const NAME_BYTES_MAX: usize = 64;

/// The catalogue's quantities, looked up by key; decoders ask for every reading.
#[derive(Clone, Debug)]
pub struct Quantities {
    by_key: HashMap<String, (QuantityNo, Quantity)>,
    /// Keys in the catalogue's order: of several as near the same one is named every time.
    in_order: Vec<String>,
}

impl Quantities {
    /// Those of a catalogue.
    pub fn new(catalogue: &Catalogue) -> Self {
        Self::of(catalogue.quantities())
    }

    /// These, numbered in their order as a catalogue does.
    pub fn of(quantities: &[Quantity]) -> Self {
        let numbered = (0..=u16::MAX).zip(quantities);
        let by_key = numbered
            .map(|(number, quantity)| {
                (quantity.key.clone(), (QuantityNo(number), quantity.clone()))
            })
            .collect();
        let in_order = quantities.iter().map(|quantity| quantity.key.clone()).collect();
        Self { by_key, in_order }
    }

    /// The quantity with this key.
    pub(super) fn find(&self, key: &str) -> Option<(QuantityNo, &Quantity)> {
        self.by_key.get(key).map(|(number, quantity)| (*number, quantity))
    }

    /// The key most like `found`, where one is near enough to be a slip of the finger.
    pub(super) fn nearest(&self, found: &str) -> Option<&str> {
        // Before any comparison: their cost grows with a text that a stranger chose.
        if found.len() > NAME_BYTES_MAX {
            return None;
        }
        closest(found, self.in_order.iter().map(String::as_str))
    }
}

/// Every unit that the quantity may be given in.
pub(super) fn units_of(quantity: &Quantity) -> String {
    let others = quantity.accepts.iter().flat_map(|conversion| &conversion.units);
    let all: Vec<&str> =
        std::iter::once(&quantity.unit).chain(others).map(String::as_str).collect();
    all.join(", ")
}
