//! `plotwise devices list|add|show|remove|token|move`

use std::{collections::HashMap, process::ExitCode};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use jiff::{Timestamp, civil::Date};
use plotwise_config::{
    id::{CooperativeId, DeviceId, PlotId},
    reading::DepthMm,
    records::{Device, Placement},
    settings::Overrides,
};
use plotwise_ingest::{credential::Token, facts::DeviceFilter, rhythm::Liveness, store::LastSeen};
use serde_json::{Value, json};

use super::{
    Global,
    output::{Format, ListFormat, Table, print_json},
    workplace::{self, Workplace},
};

/// What to do with devices.
#[derive(Debug, Subcommand)]
pub enum DevicesCommand {
    /// All of them
    #[command(after_help = "Example: plotwise devices list --format csv")]
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: ListFormat,
    },
    /// Register one; its token is shown this once
    #[command(
        after_help = "Example: plotwise devices add probe-07 --cooperative ningxiang --plot nx-012 --depth 0.2"
    )]
    Add(AddArgs),
    /// One of them, with its placements
    #[command(after_help = "Example: plotwise devices show probe-07")]
    Show {
        /// Its name
        id: DeviceId,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Remove one; what it measured stays
    #[command(after_help = "Example: plotwise devices remove probe-07")]
    Remove {
        /// Its name
        id: DeviceId,
    },
    /// Make another token; the old one stops working
    #[command(after_help = "Example: plotwise devices token probe-07 --format json")]
    Token {
        /// Its name
        id: DeviceId,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// From a day on it stands elsewhere; what it measured before stays where it was
    #[command(
        after_help = "Example: plotwise devices move probe-07 --plot nx-013 --from 2026-04-01"
    )]
    Move {
        /// Its name
        id: DeviceId,
        /// Where it stands now
        #[arg(long)]
        plot: PlotId,
        /// The probe's depth in metres
        #[arg(long, value_name = "M", value_parser = parse_depth)]
        depth: Option<DepthMm>,
        /// First day there, in the cooperative's zone
        #[arg(long)]
        from: Date,
    },
}

/// Arguments of `devices add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Its name: user name and part of its topics
    id: DeviceId,
    /// Whose it is
    #[arg(long)]
    cooperative: CooperativeId,
    /// Where it stands
    #[arg(long)]
    plot: Option<PlotId>,
    /// Device profile that reads its payload
    #[arg(long, default_value = "native")]
    profile: String,
    /// The probe's depth in metres
    #[arg(long, value_name = "M", value_parser = parse_depth)]
    depth: Option<DepthMm>,
    /// It may publish for every device of its cooperative
    #[arg(long)]
    gateway: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn parse_depth(text: &str) -> Result<DepthMm, String> {
    let metres = text.parse().ok().and_then(DepthMm::from_metres);
    metres.ok_or_else(|| format!("found {text:?}, wanted metres below the surface, 0-60"))
}

pub(super) fn run(global: &Global, command: &DevicesCommand) -> anyhow::Result<ExitCode> {
    let settings = workplace::settings(global, Overrides::default())?;
    workplace::block_on(async {
        let place = Workplace::open(global, settings).await?;
        match command {
            DevicesCommand::List { format } => list(&place, *format).await?,
            DevicesCommand::Add(args) => add(&place, args).await?,
            DevicesCommand::Show { id, format } => show(&place, id, *format).await?,
            DevicesCommand::Remove { id } => {
                if !place.facts.remove_device(id).await? {
                    bail!("there is no device {id}; plotwise devices list shows them");
                }
            }
            DevicesCommand::Token { id, format } => {
                known(&place, id).await?;
                new_token(&place, id, *format).await?;
            }
            DevicesCommand::Move { id, plot, depth, from } => {
                let device = known(&place, id).await?;
                let from = first_moment(&place, &device.cooperative, *from).await?;
                let plot = Some(plot.clone());
                let placement = Placement { device: id.clone(), plot, depth: *depth, from };
                place.facts.move_device(&placement).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn known(place: &Workplace, id: &DeviceId) -> anyhow::Result<Device> {
    let device = place.facts.device(id).await?;
    device.with_context(|| format!("there is no device {id}; plotwise devices list shows them"))
}

async fn first_moment(
    place: &Workplace,
    cooperative: &CooperativeId,
    day: Date,
) -> anyhow::Result<Timestamp> {
    let owner = place.facts.cooperative(cooperative).await?;
    let owner = owner.with_context(|| format!("there is no cooperative {cooperative}"))?;
    Ok(day.to_zoned(owner.zone()?)?.timestamp())
}

async fn add(place: &Workplace, args: &AddArgs) -> anyhow::Result<()> {
    place.catalogue.check_profile(&args.profile).context("--profile")?;
    let device = Device {
        id: args.id.clone(),
        cooperative: args.cooperative.clone(),
        name: None,
        profile: args.profile.clone(),
        is_gateway: args.gateway,
    };
    if place.facts.device(&args.id).await?.is_some() {
        bail!("device {} is registered already; plotwise devices show {0}", args.id);
    }
    let placement = args.plot.clone().map(|plot| Placement {
        device: args.id.clone(),
        plot: Some(plot),
        depth: args.depth,
        // From the beginning of time: what it measured before it was registered counts too.
        from: Timestamp::UNIX_EPOCH,
    });
    place.facts.put_devices(&[(device, placement)]).await?;
    new_token(place, &args.id, args.format).await
}

async fn new_token(place: &Workplace, id: &DeviceId, format: Format) -> anyhow::Result<()> {
    let token = Token::generate()?;
    place.facts.set_token(id, token.hash(), place.clock.now()).await?;
    match format {
        Format::Json => print_json(&json!({ "device": id, "token": token.as_str() }))?,
        Format::Table => {
            println!("device  {id}");
            println!("token   {}", token.as_str());
            eprintln!("The token is shown this once; `plotwise devices token {id}` makes another.");
        }
    }
    Ok(())
}

async fn list(place: &Workplace, format: ListFormat) -> anyhow::Result<()> {
    let devices = place.facts.devices(&DeviceFilter::default()).await?;
    let seen: HashMap<DeviceId, LastSeen> =
        place.store.reader()?.last_seen()?.into_iter().collect();
    let now = place.clock.now();
    let items: Vec<Value> = devices
        .iter()
        .map(|device| {
            let mut item = as_json(device);
            say_heard(&mut item, device, seen.get(&device.id), now);
            item
        })
        .collect();
    let rows = devices
        .iter()
        .map(|device| {
            vec![
                device.id.to_string(),
                device.cooperative.to_string(),
                device.profile.clone(),
                if device.is_gateway { "gateway" } else { "" }.to_owned(),
                state_of(device, seen.get(&device.id), now).unwrap_or_default().to_owned(),
                seen.get(&device.id).map_or_else(String::new, |last| shown(last.heard.received)),
                seen.get(&device.id).map_or(0, |last| last.numbers.lost()).to_string(),
                device.name.clone().unwrap_or_default(),
            ]
        })
        .collect();
    let heads =
        &["device", "cooperative", "profile", "kind", "state", "last_received", "lost", "name"];
    Table { heads, rows }.print(format, &items)?;
    Ok(())
}

async fn show(place: &Workplace, id: &DeviceId, format: Format) -> anyhow::Result<()> {
    let device = known(place, id).await?;
    let placements = place.facts.placements_of_device(id).await?;
    let seen: HashMap<DeviceId, LastSeen> =
        place.store.reader()?.last_seen()?.into_iter().collect();
    let (last, now) = (seen.get(id), place.clock.now());
    match format {
        Format::Json => {
            let placements: Vec<Value> = placements
                .iter()
                .map(|one| {
                    let depth_m = one.depth.map(DepthMm::metres);
                    json!({ "plot": one.plot, "depth_m": depth_m, "from": one.from })
                })
                .collect();
            let mut shown = as_json(&device);
            say_heard(&mut shown, &device, last, now);
            shown["placements"] = placements.into();
            print_json(&shown)?;
        }
        Format::Table => {
            println!("device       {}", device.id);
            println!("cooperative  {}", device.cooperative);
            println!("profile      {}", device.profile);
            print_heard(&device, last, now);
            for one in placements {
                let plot = one.plot.map_or_else(|| "no plot".to_owned(), |plot| plot.to_string());
                let depth =
                    one.depth.map_or_else(String::new, |d| format!(", {} m deep", d.metres()));
                println!("placement    {plot}{depth}, from {}", one.from);
            }
        }
    }
    Ok(())
}

/// Whether it sends as it used to; nothing for a gateway, which is not heard itself.
fn state_of(device: &Device, last: Option<&LastSeen>, now: Timestamp) -> Option<&'static str> {
    let heard = last.map(|last| &last.heard);
    (!device.is_gateway).then(|| Liveness::of(heard, now).key())
}

fn print_heard(device: &Device, last: Option<&LastSeen>, now: Timestamp) {
    if let Some(state) = state_of(device, last, now) {
        println!("state        {state}");
    }
    let Some(LastSeen { heard, numbers }) = last else { return };
    println!("last         measured {}, received {}", heard.measured, heard.received);
    if let Some(interval) = heard.interval {
        println!("interval     {interval:#}");
    }
    println!(
        "numbers      {} lost ({} missed, {} came late), {} came again, {} restarts",
        numbers.lost(),
        numbers.missed,
        numbers.filled,
        numbers.repeated,
        numbers.restarts
    );
}

fn say_heard(item: &mut Value, device: &Device, last: Option<&LastSeen>, now: Timestamp) {
    let heard = last.map(|last| &last.heard);
    item["state"] = state_of(device, last, now).into();
    item["last_measured"] = heard.map(|heard| heard.measured.to_string()).into();
    item["last_received"] = heard.map(|heard| heard.received.to_string()).into();
    item["interval_s"] = heard.and_then(|heard| heard.interval).map(|one| one.as_secs_f64()).into();
    item["lost"] = last.map_or(0, |last| last.numbers.lost()).into();
}

/// To the second: a list is looked over.
fn shown(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn as_json(device: &Device) -> Value {
    json!({
        "device": device.id,
        "cooperative": device.cooperative,
        "name": device.name,
        "profile": device.profile,
        "gateway": device.is_gateway,
    })
}
