//! Events of `ChirpStack` v4 in JSON.
//!
//! Source: `ChirpStack`'s documentation, "Event types", and its `api/proto/integration/integration.proto`.
//! Zeros may be left out (`fCnt`, `fPort`, `snr`), whole numbers may come as text.

use plotwise_config::reading::Identity;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::{Event, Refused, Uplink, best, hash, moment, parse, real, text, whole};
use crate::{decode::field::Field, intake::DeadLetterReason};

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Message<'a> {
    #[serde(borrow)]
    deduplication_id: Option<Field<'a>>,
    #[serde(borrow)]
    time: Option<Field<'a>>,
    #[serde(borrow)]
    device_info: Option<DeviceInfo<'a>>,
    #[serde(borrow)]
    dev_addr: Option<Field<'a>>,
    #[serde(borrow)]
    f_cnt: Option<Field<'a>>,
    #[serde(borrow)]
    f_port: Option<Field<'a>>,
    #[serde(borrow)]
    data: Option<Field<'a>>,
    #[serde(borrow)]
    object: Option<&'a RawValue>,
    #[serde(borrow)]
    rx_info: Option<Vec<RxInfo<'a>>>,
    // What other events have: an integration's may have an object too.
    integration_name: Option<IgnoredAny>,
    event_type: Option<IgnoredAny>,
    queue_item_id: Option<IgnoredAny>,
    downlink_id: Option<IgnoredAny>,
    level: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeviceInfo<'a> {
    #[serde(borrow)]
    dev_eui: Option<Field<'a>>,
}

#[derive(Deserialize)]
struct RxInfo<'a> {
    #[serde(borrow)]
    rssi: Option<Field<'a>>,
    #[serde(borrow)]
    snr: Option<Field<'a>>,
}

impl Message<'_> {
    /// Whether it is a frame of a device; the topic says so too, but topics are a setting there.
    fn is_uplink(&self) -> bool {
        let is_other = self.integration_name.is_some()
            || self.event_type.is_some()
            || self.queue_item_id.is_some()
            || self.downlink_id.is_some()
            || self.level.is_some();
        let is_frame = self.object.is_some()
            || self.data.is_some()
            || self.rx_info.is_some()
            || self.f_port.is_some();
        is_frame && !is_other
    }
}

pub(super) fn read(payload: &str) -> Result<Event<'_>, Refused> {
    let wanted = "an event of ChirpStack v4 in JSON";
    let message: Message<'_> = parse(payload, wanted)?;
    let is_uplink = message.is_uplink();
    let device = message.device_info.and_then(|info| text(info.dev_eui));
    let Some(device) = device else {
        let detail = format!("found no deviceInfo.devEui, wanted {wanted}");
        return Err(Refused { reason: DeadLetterReason::WrongShape, detail });
    };
    if !is_uplink {
        return Ok(Event::NoTelemetry);
    }
    let identity = match text(message.deduplication_id) {
        Some(id) => Some(Identity::Network(hash(&[&id]))),
        None => text(message.dev_addr).map(|session| {
            let counter = whole(message.f_cnt).unwrap_or(0).to_string();
            Identity::Session(hash(&[&session, &counter]))
        }),
    };
    let heard = message.rx_info.unwrap_or_default();
    let (rssi, snr) = best(heard.into_iter().map(|one| (real(one.rssi), real(one.snr))));
    Ok(Event::Uplink(Uplink {
        device: device.to_ascii_lowercase(),
        time: moment(message.time),
        identity,
        port: Some(whole(message.f_port).unwrap_or(0)),
        raw: text(message.data),
        rssi,
        snr,
        object: message.object.map(RawValue::get),
    }))
}
