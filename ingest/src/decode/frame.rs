//! What is known of a message before its values are read: whose it is, when it came, and what the
//! network that brought it says of it.

use jiff::Timestamp;
use plotwise_config::{
    id::DeviceId,
    reading::{Identity, Reading},
};

use crate::directory::Entry;

/// A message of a known device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'f> {
    pub(super) device: &'f DeviceId,
    pub(super) entry: &'f Entry,
    pub(super) received: Timestamp,
    /// What the network says; nothing where the device speaks to us itself.
    pub(super) network: Network<'f>,
}

/// What a LoRaWAN network server says of a frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Network<'f> {
    /// When it heard the frame: as good as the device's own time, which hardly one has.
    pub(super) time: Option<Timestamp>,
    /// What makes it the same frame where there is no time.
    pub(super) identity: Option<Identity>,
    /// The port of the frame.
    pub(super) port: Option<u64>,
    /// The bytes of the frame, in Base64.
    pub(super) raw: Option<&'f str>,
    /// Strength and noise at the best gateway.
    pub(super) signal: [Option<Reading>; 2],
}

impl<'f> Frame<'f> {
    /// A message that came without a network server between.
    pub(super) fn direct(device: &'f DeviceId, entry: &'f Entry, received: Timestamp) -> Self {
        Self { device, entry, received, network: Network::default() }
    }
}

impl Network<'_> {
    /// A byte of the frame, counted from 0; reads only the letters that hold it.
    pub(super) fn byte(&self, place: usize) -> Option<u8> {
        let text = self.raw?.as_bytes();
        let start = place / 3 * 4 + place % 3;
        let (first, second) = (sextet(*text.get(start)?)?, sextet(*text.get(start + 1)?)?);
        Some(match place % 3 {
            0 => (first << 2) | (second >> 4),
            1 => (first << 4) | (second >> 2),
            _ => (first << 6) | second,
        })
    }
}

/// Six bits of a letter of Base64 (RFC 4648, table 1; table 2's two letters for URLs too).
fn sextet(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_read_out_of_the_middle_of_base64() {
        // CE 29 00 F1 07 A5 09 9B 6E 28 90: the example frame of an LSE01, in raw mode.
        let network = Network { raw: Some("zikA8QelCZtuKJA="), ..Network::default() };
        let bytes: Vec<_> = (0..12).map(|place| network.byte(place)).collect();
        let wanted = [0xCE, 0x29, 0x00, 0xF1, 0x07, 0xA5, 0x09, 0x9B, 0x6E, 0x28, 0x90];
        assert_eq!(bytes[..11], wanted.map(Some));
        assert_eq!(bytes[11], None);
        assert_eq!(Network { raw: Some("!!!"), ..Network::default() }.byte(0), None);
    }
}
