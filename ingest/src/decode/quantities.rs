//! Quantities by the text that messages use for them.

use std::collections::HashMap;

use plotwise_config::{
    catalogue::{Catalogue, quantity::Quantity},
    reading::QuantityNo,
};

/// Longer names are nobody's slip of the finger.
const NAME_BYTES_MAX: usize = 64;

/// The catalogue's quantities, looked up by key; decoders ask for every reading.
#[derive(Clone, Debug)]
pub struct Quantities {
    by_key: HashMap<String, (QuantityNo, Quantity)>,
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
        Self { by_key }
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
        let near = |known: &String| edits(found, known);
        let best = self.by_key.keys().min_by_key(|known| (near(known), known.as_str()))?;
        (near(best) <= 3.min(found.len() / 2)).then_some(best)
    }
}

/// `value` in the quantity's canonical unit; `None` where it has no such unit.
pub(super) fn to_canonical(quantity: &Quantity, value: f64, unit: &str) -> Option<f64> {
    if unit == quantity.unit || (unit == quantity.unit_shown && !unit.is_empty()) {
        return Some(value);
    }
    let is_spelled = |spellings: &[String]| spellings.iter().any(|spelling| spelling == unit);
    let conversion = quantity.accepts.iter().find(|conversion| is_spelled(&conversion.units))?;
    let converted = value.mul_add(conversion.scale, conversion.offset);
    Some(if conversion.absolute { converted.abs() } else { converted })
}

/// Every unit that the quantity may be given in.
pub(super) fn units_of(quantity: &Quantity) -> String {
    let others = quantity.accepts.iter().flat_map(|conversion| &conversion.units);
    let all: Vec<&str> =
        std::iter::once(&quantity.unit).chain(others).map(String::as_str).collect();
    all.join(", ")
}

/// Levenshtein distance in bytes.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
