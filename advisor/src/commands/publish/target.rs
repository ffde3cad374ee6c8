//! Where to publish, and as whom.

use std::{collections::BTreeMap, path::Path, str::FromStr};

use anyhow::{Context, bail};
use plotwise_config::settings::Secret;
use plotwise_ingest::publish::{Messages, Sender};

/// `mqtt://HOST:PORT`
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || format!("found {text:?}, wanted mqtt://HOST:PORT");
        let authority = text.strip_prefix("mqtt://").ok_or_else(wanted)?.trim_end_matches('/');
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| wanted())?),
            None => (authority, 1883),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() { Err(wanted()) } else { Ok(Self { host, port }) }
    }
}

/// As whom messages are published.
pub(super) enum Credentials {
    /// Nobody: a broker that lets everybody in.
    None,
    /// One gateway or broker's user for all devices.
    One((String, String)),
    /// Every device by itself, with its token.
    Each(Vec<(String, String)>),
}

impl Credentials {
    /// Reads a file of `device,token`.
    pub(super) fn from_file(path: &Path) -> anyhow::Result<Self> {
        let mut file = csv::Reader::from_path(path)?;
        let headers = file.headers()?.clone();
        let column = |name: &str| headers.iter().position(|head| head.trim() == name);
        let (Some(device), Some(token)) = (column("device"), column("token")) else {
            bail!("found the columns {:?}, wanted device and token", headers.as_slice());
        };
        let mut tokens = Vec::new();
        for record in file.records() {
            let record = record?;
            let cell = |place: usize| record.get(place).unwrap_or_default().trim().to_owned();
            tokens.push((cell(device), cell(token)));
        }
        if tokens.is_empty() {
            bail!("it holds no device");
        }
        Ok(Self::Each(tokens))
    }

    /// As many connections as a recording wants: its devices send side by side.
    pub(super) fn connections(&self) -> usize {
        match self {
            Self::Each(tokens) => tokens.len().min(64),
            Self::One(_) | Self::None => 4,
        }
    }

    /// Deals devices out to connections, each device to one of them.
    pub(super) fn seats(
        &self,
        devices: &[String],
        connections: usize,
    ) -> anyhow::Result<Vec<Seat>> {
        let one = match self {
            Self::Each(tokens) => {
                let tokens: BTreeMap<_, _> = tokens.iter().cloned().collect();
                let seat = |(nth, device): (usize, &String)| {
                    let token = tokens.get(device).with_context(|| {
                        format!("the file of tokens has no line for device {device}")
                    })?;
                    let credentials = Some((device.clone(), Secret::new(token)));
                    Ok(Seat { client_id: device.clone(), credentials, devices: vec![nth] })
                };
                return devices.iter().enumerate().map(seat).collect();
            }
            Self::One((user, password)) => Some((user.clone(), Secret::new(password))),
            Self::None => None,
        };
        // Two runs at a time must not take each other's connections over.
        let run = std::process::id();
        let seat = |first: usize| Seat {
            client_id: format!("plotwise-{run}-{first}"),
            credentials: one.clone(),
            devices: (first..devices.len()).step_by(connections).collect(),
        };
        Ok((0..connections.min(devices.len())).map(seat).collect())
    }
}

/// One connection and whose messages it carries.
pub(super) struct Seat {
    client_id: String,
    credentials: Option<(String, Secret)>,
    /// Places in the list of devices.
    pub(super) devices: Vec<usize>,
}

impl Seat {
    /// Takes its messages along.
    pub(super) fn sender(self, messages: impl Messages + 'static) -> Sender {
        let Self { client_id, credentials, .. } = self;
        Sender { client_id, credentials, messages: Box::new(messages) }
    }
}
