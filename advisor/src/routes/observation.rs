//! An observation as the API shows it, stored or just announced.

use jiff::Timestamp;
use plotwise_config::{
    catalogue::Catalogue,
    id::DeviceId,
    reading::{DepthMm, Flags, Observation, Reading},
};
use plotwise_ingest::{flags::Range, store::StoredObservation};
use serde::Serialize;
use utoipa::ToSchema;

/// What a device measured at one moment.
#[derive(Serialize, ToSchema)]
pub(super) struct ObservationItem {
    device: String,
    /// When it was measured.
    time: String,
    /// When it arrived.
    received: String,
    /// The time the device claimed, where that could not be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed: Option<String>,
    /// The device's own counter, where it sends one.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    readings: Vec<ReadingItem>,
}

/// One reading.
#[derive(Serialize, ToSchema)]
pub(super) struct ReadingItem {
    /// Its key.
    quantity: String,
    /// Its own depth, else that of the device's placement.
    depth_m: Option<f64>,
    /// In the canonical unit.
    value: f64,
    /// That unit, as people write it.
    unit: String,
    flags: Vec<&'static str>,
}

/// What an observation is shown with.
pub(super) struct Showing<'s, D> {
    pub(super) catalogue: &'s Catalogue,
    /// The device's own depth at a moment.
    pub(super) own_depth: D,
}

impl<D: Fn(Timestamp) -> Option<DepthMm>> Showing<'_, D> {
    /// One that was just committed: its flags are those that its values alone tell.
    pub(super) fn announced(&self, observation: &Observation) -> ObservationItem {
        let Observation { device, measured, received, claimed, seq, readings, .. } = observation;
        let flag = |reading: &Reading| {
            Range::of(self.catalogue.quantity(reading.quantity)).flag(reading.value, reading.flags)
        };
        let flags: Vec<Flags> = readings.iter().map(flag).collect();
        self.item(device, [*measured, *received], *claimed, *seq, readings, &flags)
    }

    /// One out of the store, with all flags of each reading.
    pub(super) fn stored(
        &self,
        observation: &StoredObservation,
        flags: &[Flags],
    ) -> ObservationItem {
        let StoredObservation { device, measured, received, claimed, seq, readings, .. } =
            observation;
        self.item(device, [*measured, *received], *claimed, *seq, readings, flags)
    }

    fn item(
        &self,
        device: &DeviceId,
        [measured, received]: [Timestamp; 2],
        claimed: Option<Timestamp>,
        seq: Option<u64>,
        readings: &[Reading],
        flags: &[Flags],
    ) -> ObservationItem {
        let own_depth = (self.own_depth)(measured);
        let readings = readings.iter().zip(flags);
        ObservationItem {
            device: device.to_string(),
            time: measured.to_string(),
            received: received.to_string(),
            claimed: claimed.map(|time| time.to_string()),
            seq,
            readings: readings
                .map(|(reading, flags)| self.reading(reading, *flags, own_depth))
                .collect(),
        }
    }

    fn reading(&self, reading: &Reading, flags: Flags, own_depth: Option<DepthMm>) -> ReadingItem {
        let quantity = self.catalogue.quantity(reading.quantity);
        let own_depth = own_depth.filter(|_| quantity.in_soil);
        ReadingItem {
            quantity: quantity.key.clone(),
            depth_m: reading.depth.or(own_depth).map(DepthMm::metres),
            value: reading.value,
            unit: quantity.unit_shown.clone(),
            flags: flags.codes().collect(),
        }
    }
}
