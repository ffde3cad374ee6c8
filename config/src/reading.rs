//! What a sensor said: observations and their readings.

use jiff::Timestamp;

use crate::id::DeviceId;

/// A quantity's place in the loaded catalogue: small, `Copy`, and valid only beside that catalogue.
///
/// On disk a quantity has a number of its own, kept by the store, so that a catalogue may grow or
/// change its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QuantityNo(pub u16);

/// Depth below the surface in whole millimetres; negative depths do not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DepthMm(pub u16);

impl DepthMm {
    /// From metres; `None` outside 0-60 m or where not finite.
    pub fn from_metres(metres: f64) -> Option<Self> {
        let millimetres = (metres * 1000.0).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range is checked in the same expression"
        )]
        (0.0..=60_000.0).contains(&millimetres).then_some(Self(millimetres as u16))
    }

    /// In metres.
    pub fn metres(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

/// Quality flags of a reading, after the ISMN flags, and ours. Empty means good (`G`).
///
/// `X` and `T` are known on arrival and stored; all others follow from the series and are computed
/// when it is read. `ingest::flags` has their rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u32);

impl Flags {
    /// Good: no other flag.
    pub const NONE: Self = Self(0);
    /// The value is the maker's fault code. Stored with the reading.
    pub const FAULT_CODE: Self = Self(1);
    /// The time is that of arrival. A note: excludes nothing. Stored with the reading.
    pub const TIME_FROM_ARRIVAL: Self = Self(1 << 1);
    /// Below the quantity's hard range.
    pub const BELOW_RANGE: Self = Self(1 << 2);
    /// Above the quantity's hard range, or above the border that the ISMN gives soil moisture.
    pub const ABOVE_RANGE: Self = Self(1 << 3);
    /// Soil moisture above the soil's saturation.
    pub const ABOVE_SATURATION: Self = Self(1 << 4);
    /// Soil moisture while the soil was below 0 °C.
    pub const SOIL_FROZEN: Self = Self(1 << 5);
    /// Soil moisture while the air was below 0 °C.
    pub const AIR_FROZEN: Self = Self(1 << 6);
    /// Soil moisture that rose without rain.
    pub const RISE_WITHOUT_RAIN: Self = Self(1 << 7);
    /// A spike.
    pub const SPIKE: Self = Self(1 << 8);
    /// A negative break: it drops at once and stays there.
    pub const DROP: Self = Self(1 << 9);
    /// A positive break: it jumps at once and stays there.
    pub const JUMP: Self = Self(1 << 10);
    /// Low constant values after a drop.
    pub const LOW_PLATEAU: Self = Self(1 << 11);
    /// A plateau near the highest values, as of saturated soil.
    pub const HIGH_PLATEAU: Self = Self(1 << 12);
    /// The same value for longer than the quantity can rest.
    pub const STUCK: Self = Self(1 << 13);

    const CODES: [(Self, &'static str); 14] = [
        (Self::FAULT_CODE, "X"),
        (Self::TIME_FROM_ARRIVAL, "T"),
        (Self::BELOW_RANGE, "C01"),
        (Self::ABOVE_RANGE, "C02"),
        (Self::ABOVE_SATURATION, "C03"),
        (Self::SOIL_FROZEN, "D01"),
        (Self::AIR_FROZEN, "D02"),
        (Self::RISE_WITHOUT_RAIN, "D04"),
        (Self::SPIKE, "D06"),
        (Self::DROP, "D07"),
        (Self::JUMP, "D08"),
        (Self::LOW_PLATEAU, "D09"),
        (Self::HIGH_PLATEAU, "D10"),
        (Self::STUCK, "S"),
    ];

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every flag of `other` is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the reading stays out of means and profiles: any flag but `T`.
    pub const fn is_excluded(self) -> bool {
        self.0 & !Self::TIME_FROM_ARRIVAL.0 != 0
    }

    /// The codes in a fixed order, for example `["X", "C02"]`; empty for a good reading.
    pub fn codes(self) -> impl Iterator<Item = &'static str> {
        Self::CODES.into_iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, code)| code)
    }

    /// The flag of one code.
    pub fn parse_code(code: &str) -> Option<Self> {
        Self::CODES.into_iter().find(|(_, known)| *known == code).map(|(flag, _)| flag)
    }
}

/// One (quantity, value, flag) of an observation, in the quantity's canonical unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Which quantity.
    pub quantity: QuantityNo,
    /// Where it is not the device's own depth; `None` is the depth of the device's placement.
    pub depth: Option<DepthMm>,
    /// Finite: a decoder refuses NaN and infinities.
    pub value: f64,
    /// Those known on arrival (`X`, `T`).
    pub flags: Flags,
}

/// How a message is recognised when it comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// By the device's own clock: (device, measured time).
    MeasuredTime,
    /// No usable time; by the device's counter `seq`.
    Sequence(u64),
    /// No usable time; by the id that a network server gave the message.
    Network([u8; 16]),
    /// No usable time and no such id; by a network's session and the counter of frames in it.
    Session([u8; 16]),
    /// None of these; by a hash of the payload within the redelivery window.
    Payload([u8; 16]),
}

impl Identity {
    /// Whether another message may get the same one: counters start anew, after a restart or when a
    /// device joins again. Then only equal readings make it the same message.
    pub fn may_recur(self) -> bool {
        matches!(self, Self::Sequence(_) | Self::Session(_))
    }
}

/// One message from one device, decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Who measured.
    pub device: DeviceId,
    /// When it was measured; on arrival where the device gave no usable time.
    pub measured: Timestamp,
    /// When it arrived.
    pub received: Timestamp,
    /// The time the device claimed, where that could not be one.
    pub claimed: Option<Timestamp>,
    /// What makes it the same message when it comes again.
    pub identity: Identity,
    /// The device's own counter, where it sends one.
    pub seq: Option<u64>,
    /// Whether it corrects what is stored for the same time.
    pub supersede: bool,
    /// At least one.
    pub readings: Vec<Reading>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_from_arrival_excludes_nothing() {
        assert!(!Flags::TIME_FROM_ARRIVAL.is_excluded());
        assert!(Flags::TIME_FROM_ARRIVAL.with(Flags::FAULT_CODE).is_excluded());
    }

    #[test]
    fn every_flag_has_a_bit_and_a_code_of_its_own() {
        let all = Flags::CODES.into_iter().fold(Flags::NONE, |all, (flag, _)| all.with(flag));
        assert_eq!(all.0, (1 << Flags::CODES.len()) - 1);
        let codes: std::collections::BTreeSet<_> = all.codes().collect();
        assert_eq!(codes.len(), Flags::CODES.len());
        assert_eq!(all.codes().last(), Some("S"));
    }

    #[test]
    fn codes_come_back_as_the_flags_they_were() {
        let flags = Flags::FAULT_CODE.with(Flags::ABOVE_RANGE).with(Flags::STUCK);
        let parsed = flags.codes().filter_map(Flags::parse_code).fold(Flags::NONE, Flags::with);
        assert_eq!(parsed, flags);
    }

    #[test]
    fn a_depth_outside_the_ground_is_none() {
        assert_eq!(DepthMm::from_metres(0.6), Some(DepthMm(600)));
        assert_eq!(DepthMm::from_metres(-0.1), None);
        assert_eq!(DepthMm::from_metres(f64::NAN), None);
    }
}
