//! `plotwise profiles list|show|check`

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use plotwise_config::{
    catalogue::{
        Catalogue,
        profile::{Field, NATIVE, Profile},
    },
    reading::DepthMm,
    settings::Overrides,
};
use plotwise_ingest::{
    clock::Clock,
    decode::{Decoders, Trial, envelope::Server, try_profile},
    topic::{Format as PayloadFormat, own_route},
};
use serde_json::{Value, json};

use super::{
    Global,
    output::{Format, ListFormat, Table, print_json},
    workplace,
};

/// What to do with device profiles.
#[derive(Debug, Subcommand)]
pub enum ProfilesCommand {
    /// All of them, shipped ones and those of the settings' folders
    #[command(after_help = "Example: plotwise profiles list")]
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: ListFormat,
    },
    /// One of them: what it reads and from where
    #[command(
        after_help = "Example: plotwise profiles show dragino_lse01 --format toml > own.toml"
    )]
    Show {
        /// Its key
        name: String,
        /// How to print; toml is a file to change and to put under another key
        #[arg(long, value_enum, default_value_t)]
        format: ShowFormat,
    },
    /// Whether a profile's file holds, and what it would read from a payload
    #[command(after_help = "Example: plotwise profiles check acme.toml --payload message.json")]
    Check(CheckArgs),
}

/// How one profile is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ShowFormat {
    /// Aligned text for people.
    #[default]
    Table,
    /// JSON for programs.
    Json,
    /// The file itself, without its comments.
    Toml,
}

/// Arguments of `profiles check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The profile's file, or the key of one that is known
    file: PathBuf,
    /// A file with a message as it comes: the device's own JSON, or a network server's around it
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,
    /// Where it was published; without it, what stands in the payload says whose envelope it is
    #[arg(long, requires = "payload")]
    topic: Option<String>,
    /// Which profile of the file, where it has several
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(global: &Global, command: &ProfilesCommand) -> anyhow::Result<ExitCode> {
    let settings = workplace::settings(global, Overrides::default())?;
    let folders = &settings.catalogue.folders;
    match command {
        ProfilesCommand::List { format } => {
            list(&Catalogue::load(folders)?, *format)?;
            Ok(ExitCode::SUCCESS)
        }
        ProfilesCommand::Show { name, format } => {
            show(&Catalogue::load(folders)?, name, *format)?;
            Ok(ExitCode::SUCCESS)
        }
        ProfilesCommand::Check(args) => check(folders, args),
    }
}

fn list(catalogue: &Catalogue, format: ListFormat) -> anyhow::Result<()> {
    let items: Vec<Value> = catalogue.profiles().iter().map(as_json).collect();
    let rows = catalogue.profiles().iter().map(|profile| {
        let Profile { key, maker, models, name, .. } = profile;
        vec![key.clone(), maker.clone(), models.join(" "), name.zh.clone(), name.en.clone()]
    });
    let heads = &["profile", "maker", "models", "name (zh)", "name (en)"];
    Table { heads, rows: rows.collect() }.print(format, &items)?;
    Ok(())
}

fn show(catalogue: &Catalogue, name: &str, format: ShowFormat) -> anyhow::Result<()> {
    if name == NATIVE {
        bail!("native is Plotwise's own JSON and needs no profile; README.md shows it");
    }
    catalogue.check_profile(name)?;
    let profile = catalogue.profile(name).with_context(|| format!("{name} is no profile"))?;
    match format {
        ShowFormat::Json => print_json(&as_json(profile))?,
        ShowFormat::Toml => print!("{}", profile.to_toml()?),
        ShowFormat::Table => {
            println!("profile  {}", profile.key);
            println!("maker    {}", profile.maker);
            println!("models   {}", profile.models.join(", "));
            println!("name     {} / {}", profile.name.zh, profile.name.en);
            println!("source   {}", profile.source);
            for link in &profile.links {
                println!("link     {link}");
            }
            println!();
            let rows = profile.all_fields().map(|field| field_row(catalogue, profile, field));
            let heads = &["quantity", "from", "unit", "depth_m", "fault codes"];
            let items: [Value; 0] = [];
            Table { heads, rows: rows.collect() }.print(ListFormat::Table, &items)?;
        }
    }
    Ok(())
}

fn field_row(catalogue: &Catalogue, profile: &Profile, field: &Field) -> Vec<String> {
    let from: Vec<String> = field.from.iter().map(ToString::to_string).collect();
    let canonical = catalogue.quantity_no(&field.quantity).map(|no| &catalogue.quantity(no).unit);
    let unit = field.unit.as_ref().or(canonical).cloned().unwrap_or_default();
    let has_faults = !field.faults.is_empty() || !field.errors.is_empty();
    let probes = profile.probe_depths_m.iter().filter(|_| field.is_of_probe());
    let depths: Vec<String> = field.depth_m.iter().chain(probes).map(f64::to_string).collect();
    let faults = if has_faults { "yes" } else { "" };
    vec![field.quantity.clone(), from.join(", "), unit, depths.join(" "), faults.to_owned()]
}

fn as_json(profile: &Profile) -> Value {
    let fields: Vec<Value> = profile
        .all_fields()
        .map(|field| {
            let from: Vec<String> = field.from.iter().map(ToString::to_string).collect();
            json!({
                "quantity": field.quantity,
                "from": from,
                "unit": field.unit,
                "depth_m": field.depth_m,
            })
        })
        .collect();
    json!({
        "key": profile.key,
        "maker": profile.maker,
        "models": profile.models,
        "name": profile.name,
        "source": profile.source,
        "links": profile.links,
        "fields": fields,
    })
}

fn check(folders: &[PathBuf], args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let key = args.file.to_str().filter(|_| !args.file.exists());
    let (catalogue, keys) = match key {
        // Not a file, but perhaps the key of one that is there already.
        Some(key) if Path::new(key).extension().is_none() => {
            let catalogue = Catalogue::load(folders)?;
            catalogue.check_profile(key)?;
            (catalogue, vec![key.to_owned()])
        }
        _ => Catalogue::load_with(folders, &args.file)?,
    };
    let profile = match (&args.profile, keys.as_slice()) {
        (Some(name), keys) if keys.contains(name) => name,
        (None, [only]) => only,
        (_, []) => bail!("{} has no [[profile]]", args.file.display()),
        (_, keys) => bail!("--profile: wanted one of {}", keys.join(", ")),
    };
    let Some(payload) = &args.payload else {
        println!("{}: holds: {}", args.file.display(), keys.join(", "));
        return Ok(ExitCode::SUCCESS);
    };
    let bytes =
        fs::read(payload).with_context(|| format!("{} cannot be read", payload.display()))?;
    let server = match &args.topic {
        Some(topic) => match own_route(topic).map(|route| route.format) {
            Some(PayloadFormat::Envelope(server)) => Some(server),
            Some(PayloadFormat::NoTelemetry) => {
                println!("{topic}: no telemetry comes here: ignored and counted");
                return Ok(ExitCode::SUCCESS);
            }
            _ => None,
        },
        None => Server::of_payload(&bytes),
    };
    let now = Clock::system().now();
    let trial = try_profile(profile, server, &bytes, now, &Decoders::new(&catalogue))?;
    match args.format {
        Format::Json => print_json(&trial_json(&catalogue, profile, &trial))?,
        Format::Table => print_trial(&catalogue, profile, &trial)?,
    }
    let is_good = trial.decoded.problems.is_empty();
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn trial_json(catalogue: &Catalogue, profile: &str, trial: &Trial) -> Value {
    let observations = trial.decoded.observations.iter().map(|one| {
        let readings: Vec<Value> = one
            .readings
            .iter()
            .map(|reading| {
                let quantity = catalogue.quantity(reading.quantity);
                json!({
                    "quantity": quantity.key,
                    "value": reading.value,
                    "unit": quantity.unit,
                    "depth_m": reading.depth.map(DepthMm::metres),
                    "flags": reading.flags.codes().collect::<Vec<_>>(),
                })
            })
            .collect();
        json!({ "time": one.measured, "readings": readings })
    });
    let dead_letters = trial
        .decoded
        .problems
        .iter()
        .map(|problem| json!({ "reason": problem.reason.key(), "detail": problem.detail }));
    json!({
        "profile": profile,
        "device": trial.device,
        "observations": observations.collect::<Vec<_>>(),
        "dead_letters": dead_letters.collect::<Vec<_>>(),
        "ignored": trial.decoded.ignored,
        "unread": trial.unread,
    })
}

fn print_trial(catalogue: &Catalogue, profile: &str, trial: &Trial) -> anyhow::Result<()> {
    println!("profile  {profile}");
    if let Some(device) = &trial.device {
        println!("device   {device}");
    }
    if let Some(why) = &trial.decoded.ignored {
        println!("ignored  {why}");
    }
    let mut rows = Vec::new();
    for one in &trial.decoded.observations {
        for reading in &one.readings {
            let quantity = catalogue.quantity(reading.quantity);
            let flags: Vec<&str> = reading.flags.codes().collect();
            rows.push(vec![
                one.measured.to_string(),
                quantity.key.clone(),
                reading.value.to_string(),
                quantity.unit.clone(),
                reading.depth.map_or_else(|| "own".to_owned(), |depth| depth.metres().to_string()),
                flags.join(" "),
            ]);
        }
    }
    if !rows.is_empty() {
        println!();
        let heads = &["time", "quantity", "value", "unit", "depth_m", "flags"];
        let items: [Value; 0] = [];
        Table { heads, rows }.print(ListFormat::Table, &items)?;
    }
    for problem in &trial.decoded.problems {
        println!("\ndead letter {}: {}", problem.reason.key(), problem.detail);
    }
    if !trial.unread.is_empty() {
        println!("\nnot read, because no field names it: {}", trial.unread.join(", "));
    }
    Ok(())
}
