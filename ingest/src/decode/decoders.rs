//! Everything that decoders look things up in, made once from a catalogue.

use plotwise_config::{
    catalogue::{Catalogue, quantity::Quantity},
    reading::QuantityNo,
};

use super::{Quantities, profile::Profiles};

/// Quantities and device profiles. With a directory and a message's topic, payload and arrival it
/// determines what the message says: nothing else does.
#[derive(Clone, Debug)]
pub struct Decoders {
    pub(super) quantities: Quantities,
    pub(super) profiles: Profiles,
    /// What network servers say of reception, where the catalogue has it.
    pub(super) rssi: Option<QuantityNo>,
    pub(super) snr: Option<QuantityNo>,
}

impl Decoders {
    /// Those of a catalogue.
    pub fn new(catalogue: &Catalogue) -> Self {
        let quantities = Quantities::new(catalogue);
        Self { profiles: Profiles::new(catalogue, &quantities), ..Self::of(quantities) }
    }

    /// These quantities and no profile but `native`: for tests that want a small one.
    pub fn of_quantities(quantities: &[Quantity]) -> Self {
        Self::of(Quantities::of(quantities))
    }

    fn of(quantities: Quantities) -> Self {
        let number = |key| quantities.find(key).map(|(number, _)| number);
        let (rssi, snr) = (number("rssi"), number("snr"));
        Self { quantities, profiles: Profiles::default(), rssi, snr }
    }

    /// The quantities.
    pub fn quantities(&self) -> &Quantities {
        &self.quantities
    }
}
