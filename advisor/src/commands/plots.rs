//! `plotwise plots list|show|remove`; plots are added by `plotwise import plots`.

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use plotwise_config::{
    id::{CooperativeId, PlotId},
    records::Plot,
    settings::Overrides,
};
use plotwise_ingest::facts::PlotFilter;
use serde_json::{Value, json};

use super::{
    Global,
    output::{Format, ListFormat, Table, print_json},
    workplace::{self, Workplace},
};

/// What to do with plots.
#[derive(Debug, Subcommand)]
pub enum PlotsCommand {
    /// All of them
    List {
        /// Of one cooperative
        #[arg(long)]
        cooperative: Option<CooperativeId>,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: ListFormat,
    },
    /// One of them
    #[command(after_help = "Example: plotwise plots show nx-012 --format json")]
    Show {
        /// Its key
        id: PlotId,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Remove one that carries no device, season or harvest
    Remove {
        /// Its key
        id: PlotId,
    },
}

pub(super) fn run(global: &Global, command: &PlotsCommand) -> anyhow::Result<ExitCode> {
    let settings = workplace::settings(global, Overrides::default())?;
    workplace::block_on(async {
        let place = Workplace::open(global, settings).await?;
        match command {
            PlotsCommand::List { cooperative, format } => {
                let filter = PlotFilter { cooperative: cooperative.clone(), ..<_>::default() };
                let known = place.facts.plots(&filter).await?;
                let items: Vec<Value> = known.iter().map(as_json).collect();
                table(&known).print(*format, &items)?;
            }
            PlotsCommand::Show { id, format } => {
                let Some(plot) = place.facts.plot(id).await? else {
                    bail!("there is no plot {id}; plotwise plots list shows them");
                };
                match format {
                    Format::Json => print_json(&as_json(&plot))?,
                    Format::Table => {
                        table(std::slice::from_ref(&plot)).print(ListFormat::Table, &())?;
                    }
                }
            }
            PlotsCommand::Remove { id } => {
                if !place.facts.remove_plot(id).await? {
                    bail!("there is no plot {id}; plotwise plots list shows them");
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn table(known: &[Plot]) -> Table<'static> {
    let rows = known
        .iter()
        .map(|plot| {
            vec![
                plot.id.to_string(),
                plot.name.clone(),
                plot.cooperative.to_string(),
                plot.village.clone().unwrap_or_default(),
                plot.land_type.to_string(),
                format!("{:.2}", plot.area_m2 * 0.0015),
            ]
        })
        .collect();
    Table { heads: &["id", "name", "cooperative", "village", "land_type", "area_mu"], rows }
}

fn as_json(plot: &Plot) -> Value {
    json!({
        "id": plot.id,
        "name": plot.name,
        "cooperative": plot.cooperative,
        "village": plot.village,
        "household": plot.household,
        "land_type": plot.land_type,
        "protection": plot.protection,
        "soil_class": plot.soil_class,
        "measure": plot.measure,
        "area_m2": plot.area_m2,
        "contract_area_mu": plot.contract_area_mu,
        "soil_texture": plot.soil_texture,
        "drainage": plot.drainage,
        "water": plot.water,
        "slope_percent": plot.slope_percent,
        "soil_depth_cm": plot.soil_depth_cm,
        "codes": plot.codes,
        "centre": plot.centre,
    })
}
