//! `plotwise plots list|add|show|remove`; many at once, with their shapes, by `plotwise import plots`.

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::bail;
use clap::{Args, Subcommand};
use plotwise_config::{
    conversion::MU_M2,
    id::{CooperativeId, PlotId},
    land::{Drainage, LandType, Place, SoilTexture},
    records::Plot,
    settings::Overrides,
};
use plotwise_ingest::facts::PlotFilter;
use serde_json::{Value, json};

use super::{
    Global,
    cooperatives::parse_place,
    output::{Format, ListFormat, Table, print_json},
    workplace::{self, Workplace},
};

/// What to do with plots.
#[derive(Debug, Subcommand)]
pub enum PlotsCommand {
    /// All of them
    #[command(after_help = "Example: plotwise plots list --cooperative ningxiang")]
    List {
        /// Of one cooperative
        #[arg(long)]
        cooperative: Option<CooperativeId>,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: ListFormat,
    },
    /// Register one by its centre and area; `import plots` brings shapes
    #[command(
        after_help = "Example: plotwise plots add nx-012 --cooperative ningxiang --land-type dry --at 28.25,112.55 --area-mu 3.5"
    )]
    Add(Box<AddArgs>),
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
    #[command(after_help = "Example: plotwise plots remove nx-012")]
    Remove {
        /// Its key
        id: PlotId,
    },
}

/// Arguments of `plots add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Its key
    id: PlotId,
    /// Whose it is
    #[arg(long)]
    cooperative: CooperativeId,
    /// As people call it; its key without
    #[arg(long)]
    name: Option<String>,
    /// As surveyed: paddy, irrigated, dry, orchard, ...
    #[arg(long)]
    land_type: LandType,
    /// Its centre
    #[arg(long, value_name = "LAT,LON", value_parser = parse_place)]
    at: Place,
    /// Its area in mu
    #[arg(long, value_name = "MU")]
    area_mu: f64,
    /// Village
    #[arg(long)]
    village: Option<String>,
    /// Who works it
    #[arg(long)]
    household: Option<String>,
    /// Topsoil, one of the twelve USDA classes
    #[arg(long)]
    soil_texture: Option<SoilTexture>,
    /// How fast surplus water leaves: good, moderate, poor
    #[arg(long)]
    drainage: Option<Drainage>,
}

impl AddArgs {
    fn plot(&self) -> anyhow::Result<Plot> {
        if !(self.area_mu.is_finite() && self.area_mu > 0.0) {
            bail!("--area-mu: found {}, wanted a number above 0", self.area_mu);
        }
        Ok(Plot {
            id: self.id.clone(),
            cooperative: self.cooperative.clone(),
            name: self.name.clone().unwrap_or_else(|| self.id.to_string()),
            polygons: Vec::new(),
            centre: self.at,
            area_m2: self.area_mu * MU_M2,
            contract_area_mu: None,
            land_type: self.land_type,
            protection: Vec::new(),
            protection_date: None,
            soil_class: None,
            measure: None,
            village: self.village.clone(),
            household: self.household.clone(),
            soil_texture: self.soil_texture,
            drainage: self.drainage,
            water: None,
            slope_percent: None,
            soil_depth_cm: None,
            codes: BTreeMap::new(),
        })
    }
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
            PlotsCommand::Add(args) => {
                if place.facts.plot(&args.id).await?.is_some() {
                    bail!("plot {} is registered already; plotwise plots show {0}", args.id);
                }
                place.facts.put_plots(&[args.plot()?]).await?;
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
