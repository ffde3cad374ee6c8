//! `plotwise export readings`

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{self, BufWriter, Write},
    ops::ControlFlow,
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use plotwise_config::{
    catalogue::Catalogue,
    id::{CooperativeId, DeviceId, PlotId},
    reading::DepthMm,
    settings::Overrides,
};
use plotwise_ingest::{
    directory::Directory,
    flags::Range,
    store::{Reader, StoredObservation},
};
use serde_json::json;

use super::{
    Global,
    workplace::{self, Workplace},
};

/// What to export.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// Every reading, one a line, with its flags
    #[command(
        after_help = "Example: plotwise export readings --plot nx-012 --from 2026-01-01T00:00:00Z --out nx-012.csv"
    )]
    Readings(ReadingsArgs),
}

/// Which readings, and where to.
#[derive(Debug, Args)]
pub struct ReadingsArgs {
    /// csv, or json with one object a line
    #[arg(long, value_enum, default_value_t)]
    format: FileFormat,
    /// First moment, RFC 3339
    #[arg(long)]
    from: Option<Timestamp>,
    /// Up to this moment and without it, RFC 3339
    #[arg(long)]
    to: Option<Timestamp>,
    /// While a device stood on this plot
    #[arg(long)]
    plot: Option<PlotId>,
    /// Of one device
    #[arg(long)]
    device: Option<DeviceId>,
    /// File to write; stdout without it
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Format of an exported file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum FileFormat {
    /// Comma-separated values.
    #[default]
    Csv,
    /// JSON, one object a line.
    Json,
}

pub(super) fn run(global: &Global, command: &ExportCommand) -> anyhow::Result<ExitCode> {
    let settings = workplace::settings(global, Overrides::default())?;
    let ExportCommand::Readings(args) = command;
    workplace::block_on(async {
        let place = Workplace::open(global, settings).await?;
        let selection = Selection::new(&place, args).await?;
        let reader = place.store.reader()?;
        match &args.out {
            None => write_all(&reader, &selection, args.format, io::stdout().lock())?,
            Some(path) => {
                let file = File::create(path)
                    .with_context(|| format!("{} cannot be written", path.display()))?;
                write_all(&reader, &selection, args.format, file)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Which readings, and what has to be known to write them in full.
struct Selection {
    from: Timestamp,
    to: Timestamp,
    device: Option<DeviceId>,
    /// For `--plot`: the spans that devices stood there.
    spans: Option<HashMap<DeviceId, Vec<(Timestamp, Timestamp)>>>,
    directory: Directory,
    simulated: HashSet<CooperativeId>,
    catalogue: std::sync::Arc<Catalogue>,
}

impl Selection {
    async fn new(place: &Workplace, args: &ReadingsArgs) -> anyhow::Result<Self> {
        let cooperatives = place.facts.cooperatives().await?;
        let simulated = cooperatives.into_iter().filter(|one| one.simulated).map(|one| one.id);
        if let Some(device) = &args.device
            && place.facts.device(device).await?.is_none()
        {
            bail!("there is no device {device}; plotwise devices list shows them");
        }
        let spans = match &args.plot {
            None => None,
            Some(plot) if place.facts.plot(plot).await?.is_none() => {
                bail!("there is no plot {plot}; plotwise plots list shows them")
            }
            Some(plot) => Some(spans_on(place, plot).await?),
        };
        Ok(Self {
            from: args.from.unwrap_or(Timestamp::MIN),
            to: args.to.unwrap_or(Timestamp::MAX),
            device: args.device.clone(),
            spans,
            directory: place.facts.directory().await?,
            simulated: simulated.collect(),
            catalogue: std::sync::Arc::clone(&place.catalogue),
        })
    }

    fn has(&self, observation: &StoredObservation) -> bool {
        let Some(spans) = &self.spans else { return true };
        spans.get(&observation.device).is_some_and(|spans| {
            spans.iter().any(|(from, to)| (*from..*to).contains(&observation.measured))
        })
    }
}

/// When each device stood on a plot: from a placement to the device's next one.
async fn spans_on(
    place: &Workplace,
    plot: &PlotId,
) -> anyhow::Result<HashMap<DeviceId, Vec<(Timestamp, Timestamp)>>> {
    let placements = place.facts.placements_of_plot(plot).await?;
    let mut spans: HashMap<_, Vec<_>> = HashMap::new();
    for (nth, placement) in placements.iter().enumerate() {
        if placement.plot.as_ref() != Some(plot) {
            continue;
        }
        let next = placements[nth + 1..].iter().find(|next| next.device == placement.device);
        let until = next.map_or(Timestamp::MAX, |next| next.from);
        spans.entry(placement.device.clone()).or_default().push((placement.from, until));
    }
    Ok(spans)
}

fn write_all(
    reader: &Reader,
    selection: &Selection,
    format: FileFormat,
    out: impl Write,
) -> anyhow::Result<()> {
    let mut out = Lines { out: BufWriter::with_capacity(1 << 16, out), format };
    out.head()?;
    let mut failed = None;
    let each = |observation: &StoredObservation| {
        if !selection.has(observation) {
            return ControlFlow::Continue(());
        }
        match out.observation(selection, observation) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    };
    match &selection.device {
        Some(device) => reader.observations(device, selection.from, selection.to, each)?,
        None => reader.all_observations(Some(selection.from), Some(selection.to), each)?,
    }
    match failed {
        // A reader that has seen enough, as `head` does, is no failure.
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Some(error) => Err(error).context("the readings cannot be written"),
        None => out.out.flush().context("the readings cannot be written"),
    }
}

struct Lines<W: Write> {
    out: BufWriter<W>,
    format: FileFormat,
}

impl<W: Write> Lines<W> {
    fn head(&mut self) -> io::Result<()> {
        match self.format {
            FileFormat::Csv => {
                writeln!(self.out, "device,time,received,quantity,depth_m,value,flags,simulated")
            }
            FileFormat::Json => Ok(()),
        }
    }

    fn observation(&mut self, of: &Selection, observation: &StoredObservation) -> io::Result<()> {
        let entry = of.directory.entry(observation.device.as_str());
        let own_depth = entry.and_then(|entry| entry.own_depth_at(observation.measured));
        let simulated = entry.is_some_and(|entry| of.simulated.contains(&entry.cooperative));
        let (device, time, received) =
            (&observation.device, observation.measured, observation.received);
        for reading in &observation.readings {
            let quantity = of.catalogue.quantity(reading.quantity);
            // Light and weather have no depth, whatever the probe's own is.
            let own_depth = own_depth.filter(|_| quantity.in_soil);
            let depth_m = reading.depth.or(own_depth).map(DepthMm::metres);
            let flags = Range::of(quantity).flag(reading.value, reading.flags);
            let flags: Vec<&str> = flags.codes().collect();
            let (key, value) = (&quantity.key, reading.value);
            match self.format {
                FileFormat::Csv => {
                    let depth = depth_m.map_or_else(String::new, |depth| depth.to_string());
                    let flags = flags.join(";");
                    writeln!(
                        self.out,
                        "{device},{time},{received},{key},{depth},{value},{flags},{simulated}"
                    )?;
                }
                FileFormat::Json => {
                    let line = json!({
                        "device": device, "time": time, "received": received, "quantity": key,
                        "depth_m": depth_m, "value": value, "flags": flags, "simulated": simulated,
                    });
                    writeln!(self.out, "{line}")?;
                }
            }
        }
        Ok(())
    }
}
