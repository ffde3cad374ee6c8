//! `plotwise cooperatives list|add|show|remove`

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;
use plotwise_config::{id::CooperativeId, land::Place, records::Cooperative, settings::Overrides};
use serde_json::{Value, json};

use super::{
    Global,
    output::{Format, ListFormat, Table, print_json},
    workplace::{self, Workplace},
};

/// What to do with cooperatives.
#[derive(Debug, Subcommand)]
pub enum CooperativesCommand {
    /// All of them
    #[command(after_help = "Example: plotwise cooperatives list --format csv")]
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: ListFormat,
    },
    /// Register one, or change it
    #[command(
        after_help = "Example: plotwise cooperatives add ningxiang --name 宁乡薯业合作社 --place 28.25,112.55"
    )]
    Add {
        /// Its key
        id: CooperativeId,
        /// As its members call it
        #[arg(long)]
        name: String,
        /// IANA zone that its days are of
        #[arg(long, default_value = "Asia/Shanghai")]
        timezone: String,
        /// Where its weather is taken for
        #[arg(long, value_name = "LAT,LON", value_parser = parse_place)]
        place: Option<Place>,
    },
    /// One of them
    #[command(after_help = "Example: plotwise cooperatives show ningxiang")]
    Show {
        /// Its key
        id: CooperativeId,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Remove one that owns nothing any more
    #[command(after_help = "Example: plotwise cooperatives remove ningxiang")]
    Remove {
        /// Its key
        id: CooperativeId,
    },
}

/// Parses `28.25,112.55`.
pub(super) fn parse_place(text: &str) -> Result<Place, String> {
    let wanted = || format!("found {text:?}, wanted LAT,LON in degrees, for example 28.25,112.55");
    let (latitude, longitude) = text.split_once(',').ok_or_else(wanted)?;
    let latitude: f64 = latitude.trim().parse().map_err(|_| wanted())?;
    let longitude: f64 = longitude.trim().parse().map_err(|_| wanted())?;
    let is_on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    is_on_earth.then_some(Place { latitude, longitude }).ok_or_else(wanted)
}

pub(super) fn run(global: &Global, command: &CooperativesCommand) -> anyhow::Result<ExitCode> {
    let settings = workplace::settings(global, Overrides::default())?;
    workplace::block_on(async {
        let place = Workplace::open(global, settings).await?;
        match command {
            CooperativesCommand::List { format } => list(&place, *format).await?,
            CooperativesCommand::Add { id, name, timezone, place: at } => {
                let cooperative = Cooperative {
                    id: id.clone(),
                    name: name.clone(),
                    timezone: timezone.clone(),
                    place: *at,
                    simulated: false,
                };
                cooperative.zone().with_context(|| {
                    format!(
                        "--timezone: found {timezone:?}, wanted an IANA name like Asia/Shanghai"
                    )
                })?;
                place.facts.put_cooperative(&cooperative).await?;
            }
            CooperativesCommand::Show { id, format } => {
                let Some(cooperative) = place.facts.cooperative(id).await? else {
                    bail!("there is no cooperative {id}; plotwise cooperatives list shows them");
                };
                match format {
                    Format::Json => print_json(&as_json(&cooperative))?,
                    Format::Table => {
                        table(std::slice::from_ref(&cooperative)).print(ListFormat::Table, &())?;
                    }
                }
            }
            CooperativesCommand::Remove { id } => {
                if !place.facts.remove_cooperative(id).await? {
                    bail!("there is no cooperative {id}; plotwise cooperatives list shows them");
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn list(place: &Workplace, format: ListFormat) -> anyhow::Result<()> {
    let known = place.facts.cooperatives().await?;
    let items: Vec<Value> = known.iter().map(as_json).collect();
    table(&known).print(format, &items)?;
    Ok(())
}

fn table(known: &[Cooperative]) -> Table<'static> {
    let rows = known
        .iter()
        .map(|one| {
            let at = one.place.map(|at| format!("{},{}", at.latitude, at.longitude));
            vec![
                one.id.to_string(),
                one.name.clone(),
                one.timezone.clone(),
                at.unwrap_or_default(),
                if one.simulated { "simulated" } else { "" }.to_owned(),
            ]
        })
        .collect();
    Table { heads: &["id", "name", "timezone", "place", "note"], rows }
}

fn as_json(one: &Cooperative) -> Value {
    json!({
        "id": one.id,
        "name": one.name,
        "timezone": one.timezone,
        "place": one.place,
        "simulated": one.simulated,
    })
}
