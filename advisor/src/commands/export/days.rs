//! `plotwise export days`: what profiles and long charts read, as a file.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;
use jiff::{Timestamp, ToSpan, civil::Date};
use plotwise_config::{
    catalogue::Catalogue, day::DaySummary, id::PlotId, reading::DepthMm, settings::Settings,
};
use plotwise_ingest::{
    clock::Clock,
    days::{Ground, day_summaries},
    facts::PlotFilter,
    store::Reader,
};
use serde_json::json;

use super::{FileFormat, Global, Workplace, complete, workplace};

/// Days before the last one, where nobody says from when.
const DAYS_DEFAULT: i64 = 30;

/// Which days, and where to.
#[derive(Debug, Args)]
pub struct DaysArgs {
    /// csv, or json with one object a line
    #[arg(long, value_enum, default_value_t)]
    format: FileFormat,
    /// First day, in the cooperative's zone; 30 days before the last without it
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Last day; today without it
    #[arg(long, value_name = "DATE")]
    to: Option<Date>,
    /// Of one plot
    #[arg(long)]
    plot: Option<PlotId>,
    /// File to write; stdout without it
    #[arg(long)]
    out: Option<PathBuf>,
}

impl DaysArgs {
    /// First and last day, both included.
    fn window(&self, ground: &Ground, now: Timestamp) -> (Date, Date) {
        let last = self.to.unwrap_or_else(|| ground.zone.to_datetime(now).date());
        let before = || last.saturating_sub(DAYS_DEFAULT.days());
        (self.from.unwrap_or_else(before), last)
    }
}

pub(super) fn run(
    global: &Global,
    settings: Settings,
    args: &DaysArgs,
) -> anyhow::Result<ExitCode> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from > to
    {
        bail!("--from is {from}, wanted a day that is not after --to, {to}");
    }
    workplace::block_on(async {
        let place = Workplace::open(global, settings).await?;
        let grounds = match &args.plot {
            None => Ground::of_all(&place.facts).await?,
            Some(plot) => match Ground::of(&place.facts, plot).await? {
                Some(ground) => vec![ground],
                None => bail!("there is no plot {plot}; plotwise plots list shows them"),
            },
        };
        let cooperatives = place.facts.cooperatives().await?;
        let simulated: HashSet<_> =
            cooperatives.into_iter().filter(|one| one.simulated).map(|one| one.id).collect();
        let plots = place.facts.plots(&PlotFilter::default()).await?;
        let simulated = plots
            .into_iter()
            .filter(|plot| simulated.contains(&plot.cooperative))
            .map(|plot| plot.id)
            .collect();
        let out: Box<dyn Write> = match &args.out {
            None => Box::new(io::stdout().lock()),
            Some(path) => Box::new(
                File::create(path)
                    .with_context(|| format!("{} cannot be written", path.display()))?,
            ),
        };
        let reader = place.store.reader()?;
        let mut lines = Lines {
            out: BufWriter::with_capacity(1 << 16, out),
            format: args.format,
            catalogue: &place.catalogue,
            simulated,
        };
        match lines.write(&reader, &grounds, args) {
            // A reader that has seen enough, as `head` does, is no failure.
            Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
            done => done.map(|()| ExitCode::SUCCESS),
        }
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

struct Lines<'c> {
    out: BufWriter<Box<dyn Write>>,
    format: FileFormat,
    catalogue: &'c Catalogue,
    /// Plots whose readings are made up.
    simulated: HashSet<PlotId>,
}

impl Lines<'_> {
    fn write(
        &mut self,
        reader: &Reader,
        grounds: &[Ground],
        args: &DaysArgs,
    ) -> anyhow::Result<()> {
        if matches!(self.format, FileFormat::Csv) {
            writeln!(
                self.out,
                "plot,day,quantity,depth_m,count,flagged,mean,min,p10,p50,p90,max,simulated"
            )?;
        }
        let now = Clock::system().now();
        for ground in grounds {
            let context = ground.context(self.catalogue);
            for day in day_summaries(reader, &context, args.window(ground, now))? {
                self.line(&ground.plot, &day)?;
            }
        }
        self.out.flush()?;
        complete(reader.take_damages().spans())
    }

    fn line(&mut self, plot: &PlotId, summary: &DaySummary) -> io::Result<()> {
        let DaySummary { day, count, flagged, statistics, .. } = summary;
        let key = &self.catalogue.quantity(summary.quantity).key;
        let depth_m = summary.depth.map(DepthMm::metres);
        let simulated = self.simulated.contains(plot);
        let out = &mut self.out;
        match self.format {
            FileFormat::Csv => {
                write!(out, "{plot},{day},{key},")?;
                if let Some(depth_m) = depth_m {
                    write!(out, "{depth_m}")?;
                }
                write!(out, ",{count},{flagged}")?;
                match statistics {
                    Some(of) => {
                        for value in [of.mean, of.min, of.p10, of.p50, of.p90, of.max] {
                            write!(out, ",{value}")?;
                        }
                    }
                    None => out.write_all(b",,,,,,")?,
                }
                writeln!(out, ",{simulated}")
            }
            FileFormat::Json => {
                let of = statistics.as_ref();
                let line = json!({
                    "plot": plot, "day": day, "quantity": key, "depth_m": depth_m, "count": count,
                    "flagged": flagged, "mean": of.map(|of| of.mean), "min": of.map(|of| of.min),
                    "p10": of.map(|of| of.p10), "p50": of.map(|of| of.p50),
                    "p90": of.map(|of| of.p90), "max": of.map(|of| of.max), "simulated": simulated,
                });
                writeln!(out, "{line}")
            }
        }
    }
}
