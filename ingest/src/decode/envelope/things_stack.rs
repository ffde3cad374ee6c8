//! Messages of The Things Stack v3 in JSON.
//!
//! Source: its documentation, "Data Formats". Zeros and empty values are left out (`f_port`, `f_cnt`,
//! `snr`), 64-bit numbers come as text.
//!
//! # Time
//!
//! Three clocks: the gateway's (`settings.time`, may be absent or wrong), the network server's
//! (`uplink_message.received_at`), the application server's (`received_at`). The gateway's is nearest to
//! the measuring and counts where it lies within the day before the network server's, or seconds after:
//! a gateway may hold frames back while its line is down. Else the servers' count, in this order.

use jiff::{SignedDuration, Timestamp};
use plotwise_config::reading::Identity;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Event, Refused, Uplink, best, hash, moment, parse, real, text, whole};
use crate::{decode::field::Field, intake::DeadLetterReason};

/// A gateway's clock may be ahead of the network server's by this much.
const AHEAD_MAX: SignedDuration = SignedDuration::from_secs(10);

/// And behind it by this much; our choice.
const BEHIND_MAX: SignedDuration = SignedDuration::from_hours(24);

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names are those of the format")]
struct Message<'a> {
    #[serde(borrow)]
    end_device_ids: Option<Ids<'a>>,
    #[serde(borrow)]
    received_at: Option<Field<'a>>,
    #[serde(borrow)]
    uplink_message: Option<UplinkMessage<'a>>,
}

#[derive(Deserialize)]
struct Ids<'a> {
    #[serde(borrow)]
    device_id: Option<Field<'a>>,
    #[serde(borrow)]
    dev_eui: Option<Field<'a>>,
    #[serde(borrow)]
    dev_addr: Option<Field<'a>>,
}

#[derive(Deserialize)]
struct UplinkMessage<'a> {
    #[serde(borrow)]
    session_key_id: Option<Field<'a>>,
    #[serde(borrow)]
    f_port: Option<Field<'a>>,
    #[serde(borrow)]
    f_cnt: Option<Field<'a>>,
    #[serde(borrow)]
    frm_payload: Option<Field<'a>>,
    #[serde(borrow)]
    decoded_payload: Option<&'a RawValue>,
    #[serde(borrow)]
    rx_metadata: Option<Vec<RxMetadata<'a>>>,
    #[serde(borrow)]
    settings: Option<Settings<'a>>,
    #[serde(borrow)]
    received_at: Option<Field<'a>>,
}

#[derive(Deserialize)]
struct RxMetadata<'a> {
    #[serde(borrow)]
    rssi: Option<Field<'a>>,
    #[serde(borrow)]
    snr: Option<Field<'a>>,
}

#[derive(Deserialize)]
struct Settings<'a> {
    #[serde(borrow)]
    time: Option<Field<'a>>,
}

pub(super) fn read(payload: &str) -> Result<Event<'_>, Refused> {
    let wanted = "a message of The Things Stack v3 in JSON";
    let message: Message<'_> = parse(payload, wanted)?;
    let refused = || {
        let detail = format!("found no end_device_ids with dev_eui or device_id, wanted {wanted}");
        Refused { reason: DeadLetterReason::WrongShape, detail }
    };
    let ids = message.end_device_ids.ok_or_else(refused)?;
    let device = match text(ids.dev_eui) {
        Some(eui) => eui.to_ascii_lowercase(),
        None => text(ids.device_id).ok_or_else(refused)?.into_owned(),
    };
    let Some(uplink) = message.uplink_message else { return Ok(Event::NoTelemetry) };
    let session = text(uplink.session_key_id).or_else(|| text(ids.dev_addr));
    let identity = session.map(|session| {
        let counter = whole(uplink.f_cnt).unwrap_or(0).to_string();
        Identity::Session(hash(&[&session, &counter]))
    });
    let server = moment(uplink.received_at).or_else(|| moment(message.received_at));
    let gateway = uplink.settings.and_then(|settings| moment(settings.time));
    let heard = uplink.rx_metadata.unwrap_or_default();
    let (rssi, snr) = best(heard.into_iter().map(|one| (real(one.rssi), real(one.snr))));
    Ok(Event::Uplink(Uplink {
        device,
        time: heard_at(gateway, server),
        identity,
        port: Some(whole(uplink.f_port).unwrap_or(0)),
        raw: text(uplink.frm_payload),
        rssi,
        snr,
        object: uplink.decoded_payload.map(RawValue::get),
    }))
}

fn heard_at(gateway: Option<Timestamp>, server: Option<Timestamp>) -> Option<Timestamp> {
    let (Some(gateway), Some(server)) = (gateway, server) else { return gateway.or(server) };
    let ahead = gateway.duration_since(server);
    let is_believed = ahead <= AHEAD_MAX && -ahead <= BEHIND_MAX;
    Some(if is_believed { gateway } else { server })
}
