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
pub(super) struct ObservationItem<'a> {
    device: &'a str,
    /// When it was measured.
    #[schema(value_type = String)]
    time: Timestamp,
    /// When it arrived.
    #[schema(value_type = String)]
    received: Timestamp,
    /// The time the device claimed, where that could not be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    claimed: Option<Timestamp>,
    /// The device's own counter, where it sends one.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    readings: Vec<ReadingItem<'a>>,
}

/// One reading.
#[derive(Serialize, ToSchema)]
pub(super) struct ReadingItem<'a> {
    /// Its key.
    quantity: &'a str,
    /// Its own depth, else that of the device's placement.
    depth_m: Option<f64>,
    /// In the canonical unit.
    value: f64,
    /// That unit, as people write it.
    unit: &'a str,
    flags: Vec<&'static str>,
}

/// What an observation is shown with.
pub(super) struct Showing<'a, D> {
    pub(super) device: &'a DeviceId,
    pub(super) catalogue: &'a Catalogue,
    /// The device's own depth at a moment.
    pub(super) own_depth: D,
}

impl<'a, D: Fn(Timestamp) -> Option<DepthMm>> Showing<'a, D> {
    /// One that was just committed: its flags are those that its values alone tell.
    pub(super) fn announced(&self, observation: &Observation) -> ObservationItem<'a> {
        let Observation { measured, received, claimed, seq, readings, .. } = observation;
        let flag = |reading: &Reading| {
            Range::of(self.catalogue.quantity(reading.quantity)).flag(reading.value, reading.flags)
        };
        let flags: Vec<Flags> = readings.iter().map(flag).collect();
        self.item([*measured, *received], *claimed, *seq, readings, &flags)
    }

    /// One out of the store, with all flags of each reading.
    pub(super) fn stored(
        &self,
        observation: &StoredObservation,
        flags: &[Flags],
    ) -> ObservationItem<'a> {
        let StoredObservation { measured, received, claimed, seq, readings, .. } = observation;
        self.item([*measured, *received], *claimed, *seq, readings, flags)
    }

    fn item(
        &self,
        [measured, received]: [Timestamp; 2],
        claimed: Option<Timestamp>,
        seq: Option<u64>,
        readings: &[Reading],
        flags: &[Flags],
    ) -> ObservationItem<'a> {
        let own_depth = (self.own_depth)(measured);
        let readings = readings.iter().zip(flags);
        ObservationItem {
            device: self.device.as_str(),
            time: measured,
            received,
            claimed,
            seq,
            readings: readings
                .map(|(reading, flags)| self.reading(reading, *flags, own_depth))
                .collect(),
        }
    }

    fn reading(
        &self,
        reading: &Reading,
        flags: Flags,
        own_depth: Option<DepthMm>,
    ) -> ReadingItem<'a> {
        let quantity = self.catalogue.quantity(reading.quantity);
        let own_depth = own_depth.filter(|_| quantity.in_soil);
        ReadingItem {
            quantity: &quantity.key,
            depth_m: reading.depth.or(own_depth).map(DepthMm::metres),
            value: reading.value,
            unit: &quantity.unit_shown,
            flags: flags.codes().collect(),
        }
    }
}
