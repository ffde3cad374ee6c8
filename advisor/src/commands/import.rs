//! `plotwise import KIND FILE...`: the whole file is checked before anything of it is written.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;
use plotwise_config::{
    id::{CooperativeId, DeviceId},
    settings::{Datum, Overrides},
};
use plotwise_ingest::{
    credential::Token,
    facts::{Changes, Facts, FactsError},
    import::{self, FileErrors, ImportReport, Known, Options},
    intake::Intake,
    store::Committed,
};

use super::{
    Global,
    output::{Format, print_json},
    workplace::{self, Workplace},
};

/// Observations that are committed at a time: short enough not to hold up ingest.
const CHUNK: usize = 2_000;

/// What to import.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Plots: GeoJSON, or CSV with latitude and longitude
    #[command(after_help = "Example: plotwise import plots fields.geojson --datum gcj02 --dry-run")]
    Plots(ImportArgs),
    /// Devices and where they stand
    #[command(after_help = "Example: plotwise import devices devices.csv --tokens tokens.csv")]
    Devices(DevicesArgs),
    /// A laboratory's figures of soil or produce
    #[command(after_help = "Example: plotwise import samples soil-2026.csv")]
    Samples(ImportArgs),
    /// What stood or stands on plots
    #[command(after_help = "Example: plotwise import seasons seasons.csv")]
    Seasons(ImportArgs),
    /// What was planted and what it yielded
    #[command(after_help = "Example: plotwise import outcomes harvest-2026.csv")]
    Outcomes(ImportArgs),
    /// What buyers pay and what growing costs
    #[command(after_help = "Example: plotwise import prices prices.csv --cooperative ningxiang")]
    Prices(ImportArgs),
    /// Daily weather or monthly normals of a cooperative's place
    #[command(after_help = "Example: plotwise import climate normals.csv --cooperative ningxiang")]
    Climate(ImportArgs),
    /// Recorded readings, wide or long
    #[command(after_help = "Example: plotwise import readings logger.csv --timezone Asia/Shanghai")]
    Readings(ImportArgs),
}

/// Which files, and how they are read.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Files, one after the other
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Check and say what would change, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Zone of times that carry none
    #[arg(long, value_name = "Z")]
    timezone: Option<String>,
    /// What coordinates refer to: wgs84, cgcs2000, gcj02, bd09
    #[arg(long, value_name = "D", default_value = "wgs84")]
    datum: Datum,
    /// Leave out columns that nobody knows instead of refusing the file
    #[arg(long)]
    ignore_unknown: bool,
    /// Whose prices or climate it is, where the file does not say
    #[arg(long)]
    cooperative: Option<CooperativeId>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The same for devices.
#[derive(Debug, Args)]
pub struct DevicesArgs {
    #[command(flatten)]
    import: ImportArgs,
    /// File to add device,token of each device without one to
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
}

impl ImportArgs {
    fn options(&self, place: &Workplace) -> anyhow::Result<Options> {
        let timezone = self.timezone.as_deref().map(|name| {
            TimeZone::get(name).with_context(|| {
                format!("--timezone: found {name:?}, wanted an IANA name like Asia/Shanghai")
            })
        });
        Ok(Options {
            timezone: timezone.transpose()?,
            datum: self.datum,
            ignore_unknown: self.ignore_unknown,
            cooperative: self.cooperative.clone(),
            ..Options::new(place.clock.now())
        })
    }
}

pub(super) fn run(global: &Global, command: &ImportCommand) -> anyhow::Result<ExitCode> {
    let settings = workplace::settings(global, Overrides::default())?;
    workplace::block_on(async {
        let place = Workplace::open(global, settings).await?;
        let args = command.args();
        let options = args.options(&place)?;
        let mut all_good = true;
        for file in &args.files {
            let bytes =
                fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
            let report = one_file(&place, command, &bytes, &options).await?;
            all_good &= report.errors.is_empty();
            print_report(file, &report, command)?;
        }
        Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

impl ImportCommand {
    fn args(&self) -> &ImportArgs {
        match self {
            Self::Devices(devices) => &devices.import,
            Self::Plots(args)
            | Self::Samples(args)
            | Self::Seasons(args)
            | Self::Outcomes(args)
            | Self::Prices(args)
            | Self::Climate(args)
            | Self::Readings(args) => args,
        }
    }
}

async fn one_file(
    place: &Workplace,
    command: &ImportCommand,
    bytes: &[u8],
    options: &Options,
) -> anyhow::Result<ImportReport> {
    let known = place.facts.known().await?;
    let is_dry = command.args().dry_run;
    let facts = if is_dry { place.facts.dry_run() } else { place.facts.clone() };
    let catalogue = Arc::clone(&place.catalogue);
    let catalogue = catalogue.as_ref();
    Ok(match command {
        ImportCommand::Plots(_) => {
            let parsed = import::parse_plots(bytes, options, &known);
            written(parsed, async |records| facts.put_plots(&records).await).await?
        }
        ImportCommand::Devices(args) => {
            match import::parse_devices(bytes, options, catalogue, &known) {
                Ok(devices) => {
                    // Opened first: a file that cannot be written must not cost devices their tokens.
                    let tokens = args.tokens.as_deref().filter(|_| !is_dry);
                    let tokens = tokens.map(open_tokens).transpose()?;
                    let changes = facts.put_devices(&devices).await?;
                    let has_token = |id: &&DeviceId| {
                        let entry = known.directory.entry(id.as_str());
                        entry.is_some_and(|entry| entry.token_sha256.is_some())
                    };
                    let names = devices.iter().map(|(device, _)| &device.id);
                    let without: Vec<&DeviceId> = names.filter(|id| !has_token(id)).collect();
                    if !is_dry {
                        make_tokens(place, &facts, &without, tokens).await?;
                    }
                    ImportReport::written(devices.len() as u64, changes)
                }
                Err(errors) => ImportReport::refused(errors),
            }
        }
        ImportCommand::Samples(_) => {
            let parsed = import::parse_samples(bytes, options, catalogue, &known);
            written(parsed, async |records| facts.put_samples(&records).await).await?
        }
        ImportCommand::Seasons(_) => {
            let parsed = import::parse_seasons(bytes, options, catalogue, &known);
            written(parsed, async |records| facts.put_seasons(&records).await).await?
        }
        ImportCommand::Outcomes(_) => {
            let parsed = import::parse_outcomes(bytes, options, catalogue, &known);
            written(parsed, async |records| facts.put_outcomes(&records).await).await?
        }
        ImportCommand::Prices(_) => {
            let parsed = import::parse_prices(bytes, options, catalogue, &known);
            written(parsed, async |records| facts.put_prices(&records).await).await?
        }
        ImportCommand::Climate(_) => climate(&facts, bytes, options, &known).await?,
        ImportCommand::Readings(_) => readings(place, bytes, options, &known, is_dry)?,
    })
}

async fn written<T>(
    parsed: Result<Vec<T>, FileErrors>,
    write: impl AsyncFnOnce(Vec<T>) -> Result<Changes, FactsError>,
) -> Result<ImportReport, FactsError> {
    match parsed {
        Ok(records) => {
            let rows = records.len() as u64;
            Ok(ImportReport::written(rows, write(records).await?))
        }
        Err(errors) => Ok(ImportReport::refused(errors)),
    }
}

async fn climate(
    facts: &Facts,
    bytes: &[u8],
    options: &Options,
    known: &Known,
) -> anyhow::Result<ImportReport> {
    let weather = match import::parse_climate(bytes, options, known) {
        Ok(weather) => weather,
        Err(errors) => return Ok(ImportReport::refused(errors)),
    };
    let (mut rows, mut total) = (0, Changes::default());
    for (owner, climate) in &weather {
        rows += (climate.days.len() + climate.months.len()) as u64;
        let Changes { new, changed, same } = facts.put_climate(owner, climate).await?;
        total.new += new;
        total.changed += changed;
        total.same += same;
    }
    Ok(ImportReport::written(rows, total))
}

/// Commits a file of readings in chunks, so that a running service gets its turns.
fn readings(
    place: &Workplace,
    bytes: &[u8],
    options: &Options,
    known: &Known,
    is_dry: bool,
) -> anyhow::Result<ImportReport> {
    let readings = match import::parse_readings(bytes, options, &place.catalogue, &known.directory)
    {
        Ok(readings) => readings,
        Err(errors) => return Ok(ImportReport::refused(errors)),
    };
    let summary = readings.summary();
    let mut report = ImportReport { rows: summary.observations, ..ImportReport::default() };
    if is_dry {
        return Ok(report);
    }
    // Drawn on a terminal only.
    let bar = ProgressBar::new(summary.observations)
        .with_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {eta}")?);
    let mut writer = place.store.writer()?;
    let mut total = Committed::default();
    let mut chunk = Vec::with_capacity(CHUNK);
    for observation in readings {
        chunk.push(Intake::Observation(observation));
        if chunk.len() == CHUNK {
            add(&mut total, writer.commit(&chunk)?);
            bar.inc(CHUNK as u64);
            chunk.clear();
        }
    }
    add(&mut total, writer.commit(&chunk)?);
    bar.finish_and_clear();
    report.new = total.stored;
    report.changed = total.merged + total.superseded;
    report.same = total.duplicate;
    if total.conflict > 0 {
        eprintln!(
            "{} observations contradict what is stored for the same time; the stored values stay, \
             the others are dead letters: plotwise deadletters list --reason conflict",
            total.conflict
        );
    }
    Ok(report)
}

fn add(total: &mut Committed, more: Committed) {
    total.stored += more.stored;
    total.duplicate += more.duplicate;
    total.merged += more.merged;
    total.superseded += more.superseded;
    total.conflict += more.conflict;
    total.dead_letters += more.dead_letters;
}

/// Opens the file of tokens to add to it: it holds the only copies of those it has. Others may not
/// read it.
fn open_tokens(path: &Path) -> anyhow::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// Makes a token for each device that has none and writes them to the file; without a file nobody
/// would ever see them, so none are made.
async fn make_tokens(
    place: &Workplace,
    facts: &Facts,
    without: &[&DeviceId],
    file: Option<File>,
) -> anyhow::Result<()> {
    if without.is_empty() {
        return Ok(());
    }
    let Some(file) = file else {
        eprintln!(
            "{} devices have no token yet: plotwise devices token ID makes one",
            without.len()
        );
        return Ok(());
    };
    let is_new = file.metadata()?.len() == 0;
    let mut out = csv::Writer::from_writer(file);
    if is_new {
        out.write_record(["device", "token"])?;
    }
    let mut hashes = Vec::with_capacity(without.len());
    for device in without {
        let token = Token::generate()?;
        out.write_record([device.as_str(), token.as_str()])?;
        hashes.push(((*device).clone(), token.hash()));
    }
    out.flush().context("the file of tokens cannot be written")?;
    facts.set_tokens(&hashes, place.clock.now()).await?;
    Ok(())
}

fn print_report(file: &Path, report: &ImportReport, command: &ImportCommand) -> anyhow::Result<()> {
    let (args, is_readings) = (command.args(), matches!(command, ImportCommand::Readings(_)));
    if args.format == Format::Json {
        print_json(report)?;
        return Ok(());
    }
    if report.errors.is_empty() && is_readings && args.dry_run {
        // Which of them are new only the store can say, and it is asked when they are written.
        println!("{}: {} observations hold; nothing was written", file.display(), report.rows);
        return Ok(());
    }
    if report.errors.is_empty() {
        let would = if args.dry_run { " (dry run: nothing was written)" } else { "" };
        println!(
            "{}: {} rows: {} new, {} changed, {} the same{would}",
            file.display(),
            report.rows,
            report.new,
            report.changed,
            report.same
        );
        return Ok(());
    }
    for error in &report.errors {
        eprintln!("{}: {error}", file.display());
    }
    if report.more_errors > 0 {
        eprintln!("{}: and {} errors more", file.display(), report.more_errors);
    }
    eprintln!("{}: nothing was written", file.display());
    Ok(())
}
