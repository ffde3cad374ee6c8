//! `plotwise export readings|days`

mod days;

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{self, BufWriter, Write},
    ops::ControlFlow,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use jiff::{Timestamp, tz::TimeZone};
use plotwise_config::{
    catalogue::Catalogue,
    id::{CooperativeId, DeviceId, PlotId},
    reading::{DepthMm, Flags},
    records::{Placement, Plot},
    settings::Overrides,
};
use plotwise_ingest::{
    days::{PlotContext, flagged_observations},
    directory::Directory,
    facts::PlotFilter,
    flags::Land,
    store::{DamagedSpan, Reader, StoredObservation},
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
    /// A line for each quantity, plot and local day
    #[command(after_help = "Example: plotwise export days --from 2026-06-01 --to 2026-06-30")]
    Days(days::DaysArgs),
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
    let args = match command {
        ExportCommand::Readings(args) => args,
        ExportCommand::Days(args) => return days::run(global, settings, args),
    };
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
    /// For `--plot`: only while a device stood there.
    plot: Option<PlotId>,
    /// By device, in order of time.
    placements: HashMap<DeviceId, Vec<Placement>>,
    lands: HashMap<PlotId, OfPlot>,
    directory: Directory,
    simulated: HashSet<CooperativeId>,
    catalogue: Arc<Catalogue>,
}

/// What the flags of a plot's readings follow from.
struct OfPlot {
    placements: Vec<Placement>,
    land: Land,
    zone: TimeZone,
}

impl Selection {
    async fn new(place: &Workplace, args: &ReadingsArgs) -> anyhow::Result<Self> {
        let cooperatives = place.facts.cooperatives().await?;
        let zones: HashMap<_, _> = cooperatives
            .iter()
            .map(|one| Ok((one.id.clone(), one.zone()?)))
            .collect::<anyhow::Result<_>>()?;
        let simulated = cooperatives.into_iter().filter(|one| one.simulated).map(|one| one.id);
        let catalogue = Arc::clone(&place.catalogue);
        let mut lands = HashMap::new();
        let mut placements: HashMap<_, Vec<Placement>> = HashMap::new();
        for plot in asked_plots(place, args).await? {
            let Some(zone) = zones.get(&plot.cooperative).cloned() else { continue };
            let seasons = place.facts.seasons(&plot.id).await?;
            let land = Land::of(&plot, &seasons, &zone, &catalogue);
            let of_plot = place.facts.placements_of_plot(&plot.id).await?;
            for placement in &of_plot {
                let of_device = placements.entry(placement.device.clone()).or_default();
                if !of_device.contains(placement) {
                    of_device.push(placement.clone());
                }
            }
            lands.insert(plot.id, OfPlot { placements: of_plot, land, zone });
        }
        Ok(Self {
            from: args.from.unwrap_or(Timestamp::MIN),
            to: args.to.unwrap_or(Timestamp::MAX),
            device: args.device.clone(),
            plot: args.plot.clone(),
            placements,
            lands,
            directory: place.facts.directory().await?,
            simulated: simulated.collect(),
            catalogue,
        })
    }

    /// Where a device stood at a moment is what it is asked for.
    fn has(&self, observation: &StoredObservation) -> bool {
        let Some(plot) = &self.plot else { return true };
        let placements = self.placements.get(&observation.device).into_iter().flatten();
        let last = placements
            .filter(|placement| placement.from <= observation.measured)
            .max_by_key(|placement| placement.from);
        last.is_some_and(|placement| placement.plot.as_ref() == Some(plot))
    }

    /// The devices that are asked for, by name.
    fn devices(&self, reader: &Reader) -> anyhow::Result<Vec<DeviceId>> {
        let stood_there = |device: &DeviceId| {
            self.plot.is_none()
                || self.placements.get(device).is_some_and(|placements| {
                    placements.iter().any(|placement| placement.plot == self.plot)
                })
        };
        let is_asked = |device: &DeviceId| {
            self.device.as_ref().is_none_or(|asked| asked == device) && stood_there(device)
        };
        let known = reader.last_seen()?.into_iter().map(|(device, _)| device);
        Ok(known.filter(is_asked).collect())
    }

    fn of_plot(&self, plot: &PlotId) -> Option<PlotContext<'_>> {
        let (plot, found) = self.lands.get_key_value(plot)?;
        Some(PlotContext {
            plot,
            placements: &found.placements,
            land: &found.land,
            zone: &found.zone,
            catalogue: &self.catalogue,
        })
    }
}

/// The plots whose devices are asked for.
async fn asked_plots(place: &Workplace, args: &ReadingsArgs) -> anyhow::Result<Vec<Plot>> {
    if let Some(device) = &args.device
        && place.facts.device(device).await?.is_none()
    {
        bail!("there is no device {device}; plotwise devices list shows them");
    }
    if let Some(id) = &args.plot {
        let Some(plot) = place.facts.plot(id).await? else {
            bail!("there is no plot {id}; plotwise plots list shows them")
        };
        return Ok(vec![plot]);
    }
    let Some(device) = &args.device else {
        return Ok(place.facts.plots(&PlotFilter::default()).await?);
    };
    let placements = place.facts.placements_of_device(device).await?;
    let ids: HashSet<_> = placements.into_iter().filter_map(|placement| placement.plot).collect();
    let mut plots = Vec::new();
    for id in ids {
        plots.extend(place.facts.plot(&id).await?);
    }
    Ok(plots)
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
    for device in selection.devices(reader)? {
        let placements = selection.placements.get(&device).map_or(&[][..], Vec::as_slice);
        let span = (selection.from, selection.to);
        let each = |observation: &StoredObservation, flags: &[Flags]| {
            if !selection.has(observation) {
                return ControlFlow::Continue(());
            }
            match out.observation(selection, observation, flags) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        };
        let of_plot = |plot: &PlotId| selection.of_plot(plot);
        flagged_observations(
            reader,
            &selection.catalogue,
            (&device, placements),
            of_plot,
            span,
            each,
        )?;
        if failed.is_some() {
            break;
        }
    }
    let damages = reader.take_damages();
    match failed {
        // A reader that has seen enough, as `head` does, is no failure.
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Some(error) => Err(error).context("the readings cannot be written"),
        None => {
            out.out.flush().context("the readings cannot be written")?;
            complete(damages.spans())
        }
    }
}

/// An error that names what is missing, where something is.
fn complete(damages: &[DamagedSpan]) -> anyhow::Result<()> {
    if damages.is_empty() {
        return Ok(());
    }
    for span in damages {
        // Where nobody can be told, the exit code still says so.
        let _ = writeln!(io::stderr(), "plotwise: missing: {span}");
    }
    let count = damages.len();
    bail!(
        "{count} damaged sealed blocks (above) are left out of what was written; restore a backup, or take them out with \
         plotwise store drop-damaged and import their readings again"
    )
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

    fn observation(
        &mut self,
        of: &Selection,
        observation: &StoredObservation,
        flags: &[Flags],
    ) -> io::Result<()> {
        let entry = of.directory.entry(observation.device.as_str());
        let own_depth = entry.and_then(|entry| entry.own_depth_at(observation.measured));
        let simulated = entry.is_some_and(|entry| of.simulated.contains(&entry.cooperative));
        let (device, time, received) =
            (&observation.device, observation.measured, observation.received);
        for (reading, flags) in observation.readings.iter().zip(flags) {
            let quantity = of.catalogue.quantity(reading.quantity);
            // Light and weather have no depth, whatever the probe's own is.
            let own_depth = own_depth.filter(|_| quantity.in_soil);
            let depth_m = reading.depth.or(own_depth).map(DepthMm::metres);
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
