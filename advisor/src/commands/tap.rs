//! `plotwise tap`: what sensors say, as it comes in.
//!
//! A client of `GET /api/v1/events` of a running service: it sees what is on disk, and a terminal that is
//! too slow holds nobody up.

mod events;

use std::{
    io::{self, ErrorKind, Write},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;
use plotwise_config::{id::DeviceId, settings::Overrides};
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;

use self::events::{Event, Events};
use super::{Global, output::Format, workplace};

/// How long a service may take to answer, and to say that it is still there (it does every 15 s).
const PATIENCE: Duration = Duration::from_mins(1);

/// Arguments of `tap`.
#[derive(Debug, Args)]
#[command(after_help = "Example: plotwise tap --device probe-1 --format json")]
pub struct TapArgs {
    /// One device alone
    #[arg(long)]
    device: Option<DeviceId>,
    /// How to print; json: one object a line
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Where pages and API are [default: http.listen of the settings]
    #[arg(long, value_name = "URL")]
    http: Option<String>,
}

/// An observation as the API tells it.
#[derive(Debug, Deserialize)]
struct Observation {
    device: String,
    time: String,
    readings: Vec<Reading>,
}

#[derive(Debug, Deserialize)]
struct Reading {
    quantity: String,
    depth_m: Option<f64>,
    value: f64,
    unit: String,
    flags: Vec<String>,
}

/// How many observations passed.
#[derive(Debug, Deserialize)]
struct Lagged {
    missed: u64,
}

/// A refusal of the API.
#[derive(Debug, Deserialize)]
struct Problem {
    detail: String,
}

pub(super) fn run(global: &Global, args: &TapArgs) -> anyhow::Result<ExitCode> {
    let settings = workplace::settings(global, Overrides::default())?;
    let place = args.http.clone().unwrap_or_else(|| settings.http.listen.to_string());
    let place = if place.contains("://") { place } else { format!("http://{place}") };
    let place = place.trim_end_matches('/').to_owned();
    workplace::block_on(async {
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => {
                interrupted.context("Ctrl-C cannot be heard")?;
                Ok(ExitCode::from(130))
            }
            done = listen(&place, args) => done,
        }
    })
}

async fn listen(place: &str, args: &TapArgs) -> anyhow::Result<ExitCode> {
    let mut answer = ask(place, args.device.as_ref()).await?;
    tracing::info!("listening to {place}");
    let mut events = Events::default();
    loop {
        let silent = || format!("{place} has been silent for {} s", PATIENCE.as_secs());
        let read = tokio::time::timeout(PATIENCE, answer.chunk()).await.with_context(silent)?;
        let Some(bytes) = read.with_context(|| format!("the connection to {place} broke"))? else {
            bail!("{place} has ended");
        };
        for event in events.read(&bytes)? {
            match print(&event, args.format) {
                Ok(()) => {}
                // Whoever read us has enough: `plotwise tap | head -1`.
                Err(error) if is_broken_pipe(&error) => return Ok(ExitCode::SUCCESS),
                Err(error) => return Err(error),
            }
        }
    }
}

async fn ask(place: &str, device: Option<&DeviceId>) -> anyhow::Result<Response> {
    let url = match device {
        // Every character of a device's name may stand in a query.
        Some(device) => format!("{place}/api/v1/events?device={device}"),
        None => format!("{place}/api/v1/events"),
    };
    let client = Client::builder().no_proxy().connect_timeout(PATIENCE).build()?;
    let nobody = || {
        format!("nothing answers at {place}; start plotwise serve, or name where it is with --http")
    };
    let answer = client.get(url).send().await.with_context(nobody)?;
    if answer.status() == StatusCode::OK {
        return Ok(answer);
    }
    let status = answer.status();
    match answer.json::<Problem>().await {
        Ok(problem) => bail!("{place} says: {}", problem.detail),
        Err(_) => bail!("{place} answers {status}; wanted the API of Plotwise"),
    }
}

fn print(event: &Event, format: Format) -> anyhow::Result<()> {
    match event.kind.as_str() {
        "observation" => {
            let mut out = io::stdout().lock();
            match format {
                Format::Json => writeln!(out, "{}", event.data)?,
                Format::Table => {
                    let observation =
                        serde_json::from_str(&event.data).context("an observation")?;
                    writeln!(out, "{}", line(&observation))?;
                }
            }
            out.flush()?;
        }
        "lagged" => {
            let Lagged { missed } = serde_json::from_str(&event.data).context("a count")?;
            tracing::warn!(missed, "{missed} observations passed while this output was too slow");
        }
        _ => {}
    }
    Ok(())
}

/// `2026-01-01T00:00:00Z  n-07  soil_moisture 0.231 m³/m³, soil_moisture@0.6 0.71 m³/m³ [C02]`
fn line(observation: &Observation) -> String {
    let readings: Vec<String> = observation.readings.iter().map(shown).collect();
    format!("{}  {}  {}", observation.time, observation.device, readings.join(", "))
}

fn shown(reading: &Reading) -> String {
    let Reading { quantity, depth_m, value, unit, flags } = reading;
    let depth = depth_m.map(|depth_m| format!("@{depth_m}")).unwrap_or_default();
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    let flags = if flags.is_empty() { String::new() } else { format!(" [{}]", flags.join(" ")) };
    format!("{quantity}{depth} {value}{unit}{flags}")
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_is_one_line_with_units_and_flags() {
        let told = r#"{"device":"n-07","time":"2026-01-01T00:00:00Z","received":"2026-01-01T00:00:01Z","readings":[
            {"quantity":"soil_moisture","depth_m":0.6,"value":0.71,"unit":"m³/m³","flags":["T","C02"]},
            {"quantity":"battery","depth_m":null,"value":0.9,"unit":"","flags":[]}]}"#;
        assert_eq!(
            line(&serde_json::from_str(told).unwrap()),
            "2026-01-01T00:00:00Z  n-07  soil_moisture@0.6 0.71 m³/m³ [T C02], battery 0.9"
        );
    }
}
