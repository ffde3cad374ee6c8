//! What a profile makes of one payload, told to whoever writes a profile.

use jiff::Timestamp;
use plotwise_config::id::{BadId, CooperativeId, DeviceId};

use super::{
    Decoded, Decoders,
    envelope::{self, Event, Server},
    frame::Frame,
    json::Json,
    no_profile,
};
use crate::directory::Entry;

/// What a payload came to.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The device, where the payload is an envelope that names it.
    pub device: Option<String>,
    /// What was read.
    pub decoded: Decoded,
    /// Paths of the payload, or of the object in the envelope, that the profile leaves alone.
    pub unread: Vec<String>,
}

/// Reads a payload as that of a device with this profile that has no depth of its own.
///
/// # Errors
///
/// None but for the name of the made-up device, which is well-formed.
pub fn try_profile(
    profile: &str,
    server: Option<Server>,
    payload: &[u8],
    received: Timestamp,
    decoders: &Decoders,
) -> Result<Trial, BadId> {
    let device = DeviceId::parse("device")?;
    let entry = Entry {
        cooperative: CooperativeId::parse("cooperative")?,
        profile: profile.to_owned(),
        is_gateway: false,
        token_sha256: None,
        own_depths: Vec::new(),
    };
    let unread = |text: &[u8]| {
        let root = Json::parse(text).ok();
        let compiled = decoders.profiles.find(profile);
        compiled.zip(root).map_or_else(Vec::new, |(compiled, root)| compiled.unread(&root))
    };
    let Some(server) = server else {
        let frame = Frame::direct(&device, &entry, received);
        let decoded = match decoders.profiles.find(profile) {
            Some(compiled) => compiled.decode(payload, &frame),
            None => no_profile(profile),
        };
        return Ok(Trial { device: None, decoded, unread: unread(payload) });
    };
    Ok(envelope::open(server, payload, |event| match event {
        Ok(Event::NoTelemetry) => {
            let decoded = Decoded::ignored("an event of the network server that is no frame");
            Trial { device: None, decoded, unread: Vec::new() }
        }
        Ok(Event::Uplink(uplink)) => Trial {
            decoded: uplink.decode(payload, &device, &entry, received, decoders),
            unread: uplink.object().map_or_else(Vec::new, |object| unread(object.as_bytes())),
            device: Some(uplink.device),
        },
        Err(refused) => {
            let decoded = Decoded::nothing(refused.reason, refused.detail);
            Trial { device: None, decoded, unread: Vec::new() }
        }
    }))
}

impl Server {
    /// Whose envelope a payload is, by what only its own have.
    pub fn of_payload(payload: &[u8]) -> Option<Self> {
        let root = Json::parse(payload).ok()?;
        if root.get("deviceInfo").is_some() {
            Some(Self::ChirpStack)
        } else {
            root.get("end_device_ids").map(|_| Self::ThingsStack)
        }
    }
}
