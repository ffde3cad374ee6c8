//! `plotwise simulate`, `plotwise replay`: publishing as sensors do.

mod recorded;
mod target;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use plotwise_config::{catalogue::Catalogue, settings::Overrides};
use plotwise_ingest::{
    clock::Clock,
    publish::{Outgoing, PublishOptions, Sender, publish},
};
use serde_json::json;
use tokio::sync::watch;

use self::target::{Credentials, Target};
use super::{Global, output::print_json, workplace};

/// How long to go on without a single acknowledgement.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where to publish, and as whom.
#[derive(Debug, Args)]
struct TargetArgs {
    /// mqtt://HOST:PORT of a listener or broker
    #[arg(long, value_name = "URL")]
    to: Target,
    /// Device or gateway, or a broker's user
    #[arg(long, requires = "password", conflicts_with = "tokens")]
    username: Option<String>,
    /// Its token or password
    #[arg(long, requires = "username")]
    password: Option<String>,
    /// File of device,token, as `import devices --tokens` writes: each device by itself
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Connections at a time; without it one a device of --tokens (64 at most), else 4
    #[arg(long)]
    connections: Option<usize>,
    /// Messages of one connection that wait for their acknowledgement
    #[arg(long, default_value_t = 100)]
    window: u16,
}

/// Arguments of `simulate`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: plotwise simulate --to mqtt://127.0.0.1:1883 --devices 50 --messages 10000 --username gateway-1 --password TOKEN"
)]
pub struct SimulateArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Made-up sensors: sim-0001 and so on, or the devices of --tokens
    #[arg(long, default_value_t = 10)]
    devices: usize,
    /// Messages of all of them together
    #[arg(long, default_value_t = 1_000)]
    messages: u64,
    /// Messages a second of all of them together; as fast as they go without it
    #[arg(long, value_parser = parse_rate)]
    rate: Option<f64>,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: plotwise replay readings.csv --to mqtt://127.0.0.1:1883 --tokens tokens.csv --speed max"
)]
pub struct ReplayArgs {
    /// Readings, wide or long, as `import readings` takes them
    file: PathBuf,
    #[command(flatten)]
    target: TargetArgs,
    /// How many times as fast as they were measured, or max
    #[arg(long, default_value = "max")]
    speed: Speed,
    /// How messages are written
    #[arg(long = "as", value_enum, default_value_t)]
    written_as: WrittenAs,
    /// Zone of times that carry none
    #[arg(long, value_name = "Z")]
    timezone: Option<String>,
}

/// How messages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum WrittenAs {
    /// Plotwise's own JSON.
    #[default]
    Native,
    /// SenML in JSON (RFC 8428).
    Senml,
    /// SenML in CBOR.
    SenmlCbor,
}

impl WrittenAs {
    /// The last level of the topic.
    const fn topic(self) -> &'static str {
        match self {
            Self::Native => "up",
            Self::Senml | Self::SenmlCbor => "senml",
        }
    }
}

/// How fast a recording goes.
#[derive(Clone, Copy, Debug)]
enum Speed {
    Max,
    Times(f64),
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate >= 1e-6);
    rate.ok_or_else(|| format!("found {text:?}, wanted messages a second, above 0"))
}

impl std::str::FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<f64>() {
            _ if text == "max" => Ok(Self::Max),
            Ok(times) if times > 0.0 && times.is_finite() => Ok(Self::Times(times)),
            _ => Err(format!("found {text:?}, wanted a number above 0, or max")),
        }
    }
}

pub(super) fn simulate(global: &Global, args: &SimulateArgs) -> anyhow::Result<ExitCode> {
    workplace::settings(global, Overrides::default())?;
    let credentials = args.target.credentials()?;
    let names = match &credentials {
        Credentials::Each(tokens) => tokens.iter().map(|(device, _)| device.clone()).collect(),
        Credentials::One(_) | Credentials::None => {
            (1..=args.devices.max(1)).map(|nth| format!("sim-{nth:04}")).collect::<Vec<_>>()
        }
    };
    let start = Clock::system().now().as_millisecond();
    let count = names.len() as u64;
    let rate = args.rate;
    let messages: Vec<_> = (0..args.messages)
        .map(|nth| {
            let device = names[usize::try_from(nth % count).unwrap_or(0)].clone();
            let due =
                rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(nth as f64 / rate));
            // Each device measures once a second of its own time, so that no two messages are alike.
            let time = start - i64::try_from((args.messages - nth) / count).unwrap_or(0) * 1_000;
            let payload = outgoing_payload(time, nth).into_bytes();
            let topic = format!("plotwise/v1/{device}/up");
            (device, Outgoing { topic, payload, due })
        })
        .collect();
    send(&args.target, &credentials, messages)
}

/// Six quantities that look like a soil probe's.
fn outgoing_payload(time_ms: i64, nth: u64) -> String {
    let wave = f64::from(u32::try_from(nth % 1_000).unwrap_or(0)) / 1_000.0;
    let rounded = |value: f64| (value * 1_000.0).round() / 1_000.0;
    json!({
        "time": time_ms,
        "seq": nth,
        "readings": {
            "soil_moisture": rounded(0.2 + 0.1 * wave),
            "soil_temperature": rounded(18.0 + 4.0 * wave),
            "soil_ec": rounded(0.3 + 0.1 * wave),
            "soil_ph": rounded(5.5 + 0.5 * wave),
            "ppfd": rounded(800.0 * wave),
            "battery": rounded(1.0 - 0.1 * wave),
        },
    })
    .to_string()
}

pub(super) fn replay(global: &Global, args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let settings = workplace::settings(global, Overrides::default())?;
    let catalogue = Catalogue::load(&settings.catalogue.folders)?;
    let zone = args.timezone.as_deref().map(TimeZone::get).transpose()?;
    let credentials = args.target.credentials()?;
    let recorded = recorded::read(&args.file, &catalogue, zone, Clock::system().now())?;
    let first = recorded.iter().map(|observation| observation.measured).min();
    let messages = recorded
        .into_iter()
        .map(|observation| {
            let due = match (args.speed, first) {
                (Speed::Times(times), Some(first)) => {
                    let later = observation.measured.duration_since(first).as_secs_f64();
                    Duration::try_from_secs_f64(later / times).unwrap_or(Duration::ZERO)
                }
                _ => Duration::ZERO,
            };
            let topic = format!("plotwise/v1/{}/{}", observation.device, args.written_as.topic());
            let payload = recorded::payload(&observation, args.written_as, &catalogue);
            (observation.device.to_string(), Outgoing { topic, payload, due })
        })
        .collect();
    send(&args.target, &credentials, messages)
}

/// Publishes each message of its device and prints how it went.
fn send(
    target: &TargetArgs,
    credentials: &Credentials,
    messages: Vec<(String, Outgoing)>,
) -> anyhow::Result<ExitCode> {
    let connections = target.connections.unwrap_or_else(|| credentials.connections()).max(1);
    let senders = credentials.senders(messages, connections)?;
    let options = PublishOptions {
        host: target.to.host.clone(),
        port: target.to.port,
        window: target.window.max(1),
        connections,
        patience: PATIENCE,
    };
    workplace::block_on(async {
        let (stop, stopping) = watch::channel(false);
        let interrupted = tokio::spawn(async move {
            let heard = tokio::signal::ctrl_c().await.is_ok();
            // Nobody listens any more where everything is sent.
            let _ = stop.send(heard);
            heard
        });
        let report = publish(&options, senders, stopping.clone()).await?;
        print_json(&report)?;
        if *stopping.borrow() {
            return Ok(ExitCode::from(130));
        }
        interrupted.abort();
        if report.acknowledged < report.sent {
            bail!("{} of {} messages were acknowledged", report.acknowledged, report.sent);
        }
        Ok(ExitCode::SUCCESS)
    })
}

impl TargetArgs {
    fn credentials(&self) -> anyhow::Result<Credentials> {
        match (&self.tokens, &self.username, &self.password) {
            (Some(file), _, _) => Credentials::from_file(file)
                .with_context(|| format!("{} cannot be used", file.display())),
            (None, Some(user), Some(password)) => {
                Ok(Credentials::One((user.clone(), password.clone())))
            }
            _ => Ok(Credentials::None),
        }
    }
}

/// A sender of these messages.
fn sender(
    client_id: String,
    credentials: Option<(String, String)>,
    messages: Vec<(String, Outgoing)>,
) -> Sender {
    Sender {
        client_id,
        credentials: credentials
            .map(|(user, password)| (user, plotwise_config::settings::Secret::new(password))),
        messages: Box::new(messages.into_iter().map(|(_, message)| message)),
    }
}
