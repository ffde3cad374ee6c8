//! What LoRaWAN network servers wrap a device's decoded frame in: whose it is, when it was heard, what
//! makes it the same frame when it comes again.
//!
//! ```text
//! payload --open--> Event: an uplink | no telemetry     uplink --decode--> the device's own profile
//! ```
//!
//! The object inside is read by the profile of the device; with profile `native` it is Plotwise's own
//! JSON. The network's time counts as the time of measuring, because nodes measure and send at once and
//! hardly one has a clock; only readings from earlier carry their own. Strength and noise at the best
//! gateway, the one that heard it loudest, become readings `rssi` and `snr`.
//!
//! # Identity
//!
//! A message with a usable time is known by it, and the time is the network server's: the same frame
//! heard by two gateways is one event of one server. Without it, by the server's own id of the frame;
//! without that by session and frame counter, which starts anew when a device joins again.

mod chirpstack;
mod things_stack;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use jiff::Timestamp;
use plotwise_config::{
    catalogue::profile::NATIVE,
    id::DeviceId,
    reading::{Flags, Identity, Reading},
};
use sha2::{Digest, Sha256};

use super::{
    Decoded, Decoders,
    field::Field,
    frame::{Frame, Network},
    infinities::without_infinities,
    native::decode_native,
    reading,
};
use crate::{directory::Entry, intake::DeadLetterReason};

/// Whose envelope it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// `ChirpStack` v4.
    ChirpStack,
    /// The Things Stack v3.
    ThingsStack,
}

/// What a network server says.
#[derive(Debug)]
pub enum Event<'a> {
    /// A frame from a device.
    Uplink(Uplink<'a>),
    /// Joining, status, acknowledgements, downlinks.
    NoTelemetry,
}

/// A frame from a device.
#[derive(Debug)]
pub struct Uplink<'a> {
    /// Its name here: the `DevEUI` in lower case.
    pub device: String,
    time: Option<Timestamp>,
    identity: Option<Identity>,
    port: Option<u64>,
    raw: Option<Cow<'a, str>>,
    rssi: Option<f64>,
    snr: Option<f64>,
    /// What the codec made of the frame, as JSON; nothing where the server has no codec.
    object: Option<&'a str>,
}

/// An envelope that cannot be opened.
#[derive(Debug)]
pub struct Refused {
    /// `not_json` or `wrong_shape`.
    pub reason: DeadLetterReason,
    /// What was found and what was wanted.
    pub detail: String,
}

/// Opens an envelope and hands on what is in it.
pub fn open<R>(
    server: Server,
    payload: &[u8],
    then: impl FnOnce(Result<Event<'_>, Refused>) -> R,
) -> R {
    match read(server, payload) {
        Err(refused) if refused.reason == DeadLetterReason::NotJson => {
            match without_infinities(payload) {
                Some(mended) => then(read(server, &mended)),
                None => then(Err(refused)),
            }
        }
        read => then(read),
    }
}

fn read(server: Server, payload: &[u8]) -> Result<Event<'_>, Refused> {
    let text = std::str::from_utf8(payload).map_err(|error| Refused {
        reason: DeadLetterReason::NotJson,
        detail: format!("{error}; wanted JSON"),
    })?;
    match server {
        Server::ChirpStack => chirpstack::read(text),
        Server::ThingsStack => things_stack::read(text),
    }
}

impl Uplink<'_> {
    /// Reads the object by the device's profile.
    pub fn decode(
        &self,
        payload: &[u8],
        device: &DeviceId,
        entry: &Entry,
        received: Timestamp,
        decoders: &Decoders,
    ) -> Decoded {
        let signal = |number, value: Option<f64>| {
            let value = value.filter(|value| value.is_finite())?;
            Some(Reading { quantity: number?, depth: None, value: value + 0.0, flags: Flags::NONE })
        };
        let network = Network {
            time: self.time,
            identity: self.identity,
            port: self.port,
            raw: self.raw.as_deref(),
            signal: [signal(decoders.rssi, self.rssi), signal(decoders.snr, self.snr)],
        };
        let frame = Frame { device, entry, received, network };
        if entry.profile == NATIVE {
            return self.decode_native(&frame, decoders);
        }
        let Some(profile) = decoders.profiles.find(&entry.profile) else {
            return super::no_profile(&entry.profile);
        };
        match self.object {
            // What is there is JSON: the envelope was.
            Some(object) => {
                let mut decoded = profile.decode(object.as_bytes(), &frame);
                name_by(payload, &mut decoded);
                decoded
            }
            None => match profile.ignores(&frame) {
                Some(why) => Decoded::ignored(why),
                None => self.without_object(),
            },
        }
    }

    fn decode_native(&self, frame: &Frame<'_>, decoders: &Decoders) -> Decoded {
        let Some(object) = self.object else { return self.without_object() };
        let Frame { device, entry, received, network } = *frame;
        let mut decoded =
            decode_native(object.as_bytes(), device, entry, received, &decoders.quantities);
        for problem in &mut decoded.problems {
            if problem.reason == DeadLetterReason::WrongShape {
                problem.detail.push_str(
                    "; the device's profile is native, which reads Plotwise's own JSON: \
                     plotwise profiles list shows others",
                );
            }
        }
        // One frame is one moment: the first object without a time of its own is that of the frame.
        let untimed =
            decoded.observations.iter_mut().find(|one| one.identity != Identity::MeasuredTime);
        if let Some(one) = untimed {
            if let Some(time) = network.time.filter(|time| reading::is_usable(*time, received)) {
                one.measured = time;
                one.identity = Identity::MeasuredTime;
                for reading in &mut one.readings {
                    reading.flags = Flags(reading.flags.0 & !Flags::TIME_FROM_ARRIVAL.0);
                }
            } else if let Some(identity) = network.identity {
                one.identity = identity;
            }
        }
        if let Some(first) = decoded.observations.first_mut() {
            let flags = if first.identity == Identity::MeasuredTime {
                Flags::NONE
            } else {
                Flags::TIME_FROM_ARRIVAL
            };
            for signal in network.signal.into_iter().flatten() {
                if first.readings.iter().all(|known| known.quantity != signal.quantity) {
                    first.readings.push(Reading { flags, ..signal });
                }
            }
        }
        decoded
    }

    /// What the codec made of the frame.
    pub(super) fn object(&self) -> Option<&str> {
        self.object
    }

    /// A frame that the server did not decode.
    fn without_object(&self) -> Decoded {
        // Port 0 carries commands of the network, and a frame may carry nothing at all.
        if self.port.unwrap_or(0) == 0 || self.raw.as_deref().unwrap_or_default().is_empty() {
            return Decoded::ignored("a frame without a payload");
        }
        let detail = "found no decoded object, wanted one: set the maker's codec in the network \
                      server's device profile";
        Decoded::nothing(DeadLetterReason::WrongShape, detail.to_owned())
    }
}

/// The same decoded values may come in two frames: without time and counter the whole message says which
/// is which.
fn name_by(payload: &[u8], decoded: &mut Decoded) {
    for (place, one) in decoded.observations.iter_mut().enumerate() {
        if matches!(one.identity, Identity::Payload(_)) {
            one.identity = Identity::Payload(reading::hash(payload, place));
        }
    }
}

/// Reads JSON of a known form.
fn parse<'a, T: serde::Deserialize<'a>>(text: &'a str, wanted: &str) -> Result<T, Refused> {
    serde_json::from_str(text).map_err(|error| Refused {
        reason: if error.is_data() {
            DeadLetterReason::WrongShape
        } else {
            DeadLetterReason::NotJson
        },
        detail: format!("{error}; wanted {wanted}"),
    })
}

/// A text that is there and not empty.
fn text(field: Option<Field<'_>>) -> Option<Cow<'_, str>> {
    match field {
        Some(Field::Text(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// A moment as RFC 3339.
fn moment(field: Option<Field<'_>>) -> Option<Timestamp> {
    text(field)?.parse().ok()
}

/// A whole number; large ones come as text (protobuf's JSON).
fn whole(field: Option<Field<'_>>) -> Option<u64> {
    match field? {
        Field::Whole(whole) => u64::try_from(whole).ok(),
        Field::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// A number, also as text.
fn real(field: Option<Field<'_>>) -> Option<f64> {
    match field? {
        Field::Whole(whole) => Some(whole as f64),
        Field::Number(number) => Some(number),
        Field::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// Strength and noise at the gateway that heard best; what is not said of one is 0, as protobuf's JSON
/// leaves zeros out.
fn best(heard: impl Iterator<Item = (Option<f64>, Option<f64>)>) -> (Option<f64>, Option<f64>) {
    let heard = heard.filter(|(rssi, snr)| rssi.is_some() || snr.is_some());
    let best = heard.max_by(|(one, one_snr), (other, other_snr)| {
        let by_rssi = one.unwrap_or(f64::MIN).total_cmp(&other.unwrap_or(f64::MIN));
        by_rssi.then(one_snr.unwrap_or(0.0).total_cmp(&other_snr.unwrap_or(0.0)))
    });
    match best {
        Some((rssi, snr)) => (rssi, Some(snr.unwrap_or(0.0))),
        None => (None, None),
    }
}

/// 16 bytes that stand for some texts.
fn hash(parts: &[&str]) -> [u8; 16] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    let mut hash = [0; 16];
    hash.copy_from_slice(&digest.finalize()[..16]);
    hash
}
