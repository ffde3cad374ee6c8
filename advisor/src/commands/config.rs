//! `plotwise config default|show|check|openapi|grafana`

use std::process::ExitCode;

use clap::Subcommand;
use plotwise_config::{catalogue::Catalogue, settings, settings::Overrides};

use super::{Global, output::print_json, workplace};
use crate::routes;

/// What to do with settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// The commented default file
    #[command(after_help = "Example: plotwise config default > plotwise.toml")]
    Default,
    /// What is in force, secrets hidden
    #[command(after_help = "Example: plotwise config show --config plotwise.toml")]
    Show,
    /// Whether settings and catalogue hold; names file, line, what was found and what was wanted
    #[command(after_help = "Example: plotwise config check --config plotwise.toml")]
    Check,
    /// The description of the API, as /api/openapi.json serves it
    #[command(
        name = "openapi",
        after_help = "Example: plotwise config openapi > advisor/web/openapi.json"
    )]
    OpenApi,
    /// A Grafana dashboard over /metrics, as Grafana's API takes it
    #[command(
        after_help = "Example: plotwise config grafana | curl -u admin:admin -H 'Content-Type: application/json' -d @- http://127.0.0.1:3000/api/dashboards/db"
    )]
    Grafana,
}

pub(super) fn run(global: &Global, command: &ConfigCommand) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Default => print!("{}", settings::DEFAULT),
        ConfigCommand::Show => {
            print!("{}", workplace::settings(global, Overrides::default())?.show());
        }
        ConfigCommand::Grafana => print!("{}", include_str!("../../grafana/ingest.json")),
        ConfigCommand::OpenApi => print_json(&routes::openapi())?,
        ConfigCommand::Check => {
            let settings = workplace::settings(global, Overrides::default())?;
            let catalogue = Catalogue::load(&settings.catalogue.folders)?;
            settings.check_profiles(&catalogue)?;
            println!(
                "settings hold; catalogue: {} quantities, {} crops, {} varieties, {} rules, \
                 {} device profiles",
                catalogue.quantities().len(),
                catalogue.crops().len(),
                catalogue.varieties().len(),
                catalogue.rule_files().iter().map(|file| file.rules.len()).sum::<usize>(),
                catalogue.profiles().len(),
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}
