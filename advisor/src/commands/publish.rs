//! `plotwise simulate`, `plotwise replay`: publishing as sensors do.

mod field;
mod receipts;
mod recorded;
mod target;

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use plotwise_config::{catalogue::Catalogue, settings::Overrides};
use plotwise_ingest::{
    clock::Clock,
    publish::{Outgoing, PublishOptions, Sender, publish},
};
use tokio::sync::watch;

use self::{
    field::{Field, Schedule},
    receipts::Receipts,
    target::{Credentials, Target},
};
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
    #[arg(long, default_value_t = 1_000, conflicts_with = "days")]
    messages: u64,
    /// Messages a second of all of them together; as fast as they go without it
    #[arg(long, value_parser = parse_rate)]
    rate: Option<f64>,
    /// How often each of them measures, by its own clock
    #[arg(long, default_value = "1s", value_parser = parse_every)]
    every: SignedDuration,
    /// So many days of measuring, in place of a number of messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    days: Option<u16>,
    /// When they began to measure, RFC 3339; without it such that they end now
    #[arg(long, value_name = "TIME")]
    start: Option<Timestamp>,
    /// Another seed is another field
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the connections open so long after the last acknowledgement
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    hold: u64,
    /// File to write device,time of every acknowledged message to
    #[arg(long, value_name = "FILE")]
    acknowledged: Option<PathBuf>,
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

fn parse_every(text: &str) -> Result<SignedDuration, String> {
    let every = text.parse::<SignedDuration>().ok().filter(|every| every.as_millis() >= 1);
    every.ok_or_else(|| format!("found {text:?}, wanted a duration as 15m, 1h or 10s"))
}

impl SimulateArgs {
    fn schedule(&self, devices: u64) -> Schedule {
        let every_ms = i64::try_from(self.every.as_millis()).unwrap_or(i64::MAX);
        let messages = match self.days {
            Some(days) => {
                let span_ms = i64::from(days) * 86_400_000;
                devices * u64::try_from(span_ms / every_ms).unwrap_or(0)
            }
            None => self.messages,
        };
        let start_ms = self.start.map_or_else(
            || {
                let steps = i64::try_from(messages / devices.max(1)).unwrap_or(i64::MAX);
                let now = Clock::system().now().as_millisecond();
                now.saturating_sub(steps.saturating_mul(every_ms))
            },
            Timestamp::as_millisecond,
        );
        Schedule { seed: self.seed, start_ms, every_ms, devices, messages, rate: self.rate }
    }
}

pub(super) fn simulate(global: &Global, args: &SimulateArgs) -> anyhow::Result<ExitCode> {
    workplace::settings(global, Overrides::default())?;
    let credentials = args.target.credentials()?;
    let names: Arc<[String]> = match &credentials {
        Credentials::Each(tokens) => tokens.iter().map(|(device, _)| device.clone()).collect(),
        Credentials::One(_) | Credentials::None => {
            (1..=args.devices.max(1)).map(|nth| format!("sim-{nth:04}")).collect()
        }
    };
    let schedule = args.schedule(names.len() as u64);
    let seats = credentials.seats(&names, args.target.connections(&credentials))?;
    let senders = seats
        .into_iter()
        .map(|seat| {
            let field = Field::new(schedule, &names, &seat.devices);
            seat.sender(field)
        })
        .collect();
    let receipts = args.acknowledged.as_deref().map(Receipts::create).transpose()?;
    let options = PublishOptions {
        hold: Duration::from_secs(args.hold),
        receipt: receipts.as_ref().map(Receipts::receipt),
        ..args.target.options(&credentials)
    };
    let done = send(&options, senders);
    if let Some(receipts) = receipts {
        receipts.finish()?;
    }
    done
}

pub(super) fn replay(global: &Global, args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let settings = workplace::settings(global, Overrides::default())?;
    let catalogue = Catalogue::load(&settings.catalogue.folders)?;
    let zone = args.timezone.as_deref().map(TimeZone::get).transpose()?;
    let credentials = args.target.credentials()?;
    let recorded = recorded::read(&args.file, &catalogue, zone, Clock::system().now())?;
    let first = recorded.iter().map(|observation| observation.measured).min();
    let mut of_device: BTreeMap<String, Vec<Outgoing>> = BTreeMap::new();
    for observation in recorded {
        let due = match (args.speed, first) {
            (Speed::Times(times), Some(first)) => {
                let later = observation.measured.duration_since(first).as_secs_f64();
                Duration::try_from_secs_f64(later / times).unwrap_or(Duration::ZERO)
            }
            _ => Duration::ZERO,
        };
        let topic = format!("plotwise/v1/{}/{}", observation.device, args.written_as.topic());
        let payload = recorded::payload(&observation, args.written_as, &catalogue);
        let outgoing = Outgoing { topic, payload, due };
        of_device.entry(observation.device.to_string()).or_default().push(outgoing);
    }
    let (names, mut messages): (Vec<_>, Vec<_>) = of_device.into_iter().unzip();
    let seats = credentials.seats(&names, args.target.connections(&credentials))?;
    let senders = seats
        .into_iter()
        .map(|seat| {
            let of_seat = seat.devices.iter().map(|place| std::mem::take(&mut messages[*place]));
            let mut of_seat: Vec<Outgoing> = of_seat.flatten().collect();
            of_seat.sort_by_key(|message| message.due);
            seat.sender(of_seat.into_iter())
        })
        .collect();
    send(&args.target.options(&credentials), senders)
}

/// Publishes and prints how it went.
fn send(options: &PublishOptions, senders: Vec<Sender>) -> anyhow::Result<ExitCode> {
    workplace::block_on(async {
        let (stop, stopping) = watch::channel(false);
        let interrupted = tokio::spawn(async move {
            let heard = tokio::signal::ctrl_c().await.is_ok();
            // Nobody listens any more where everything is sent.
            let _ = stop.send(heard);
            heard
        });
        let report = publish(options, senders, stopping.clone()).await?;
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

    fn connections(&self, credentials: &Credentials) -> usize {
        self.connections.unwrap_or_else(|| credentials.connections()).max(1)
    }

    fn options(&self, credentials: &Credentials) -> PublishOptions {
        PublishOptions {
            host: self.to.host.clone(),
            port: self.to.port,
            window: self.window.max(1),
            connections: self.connections(credentials),
            patience: PATIENCE,
            hold: Duration::ZERO,
            receipt: None,
        }
    }
}
