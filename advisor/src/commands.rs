//! What people type. One file a command; each says its results on stdout and everything else on
//! stderr.
//!
//! Exit codes: 0 done, 1 it failed (the message says what was found and what was wanted), 2 wrong
//! use, 130 interrupted.

mod advise;
mod completions;
mod config;
mod cooperatives;
mod dead_letters;
mod demo;
mod devices;
mod doctor;
mod export;
mod flag;
mod import;
mod output;
mod plots;
mod profiles;
mod publish;
mod serve;
mod store;
mod tap;
mod workplace;

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

pub use output::{Format, ListFormat};

/// What to plant, plot by plot.
#[derive(Debug, Parser)]
#[command(name = "plotwise", version, about, max_term_width = 100)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Settings file (TOML); `plotwise config default` prints one to start from
    #[arg(long, global = true, value_name = "FILE", env = "PLOTWISE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Folder of readings.db and plotwise.db [default: ./plotwise-data; demo: a temporary one]
    #[arg(long, global = true, value_name = "DIR", env = "PLOTWISE_DATA")]
    pub data: Option<PathBuf>,
    /// Least important log lines to show: error, warn, info, debug, trace
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log: Option<String>,
    /// How log lines look on stderr
    #[arg(long, global = true, value_name = "FORMAT", value_parser = ["text", "json"])]
    pub log_format: Option<String>,
}

impl Global {
    /// The data directory: as asked for, else the default.
    pub fn data(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| PathBuf::from("./plotwise-data"))
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The whole story on made-up sensors, marked as simulated everywhere
    Demo(demo::DemoArgs),
    /// Receive readings, serve API and pages, keep advice fresh
    Serve(serve::ServeArgs),
    /// Receive readings only: `serve --roles ingest`
    #[command(after_help = "Example: plotwise ingest --mqtt 0.0.0.0:1883")]
    Ingest(serve::ListenArgs),
    /// What to plant on some plots, or on all
    Advise(advise::AdviseArgs),
    /// Bring a file in: the whole file is checked before anything is written
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Write readings out
    #[command(subcommand)]
    Export(export::ExportCommand),
    /// Run the quality checks on a file of readings and add a column of flags
    #[command(
        after_help = "Example: plotwise flag logger.csv --depth 0.05 --saturation 0.45 > flagged.csv"
    )]
    Flag(flag::FlagArgs),
    /// Cooperatives: the tenants that own plots and devices
    #[command(subcommand)]
    Cooperatives(cooperatives::CooperativesCommand),
    /// Plots
    #[command(subcommand)]
    Plots(plots::PlotsCommand),
    /// Devices and gateways, their tokens and where they stand
    #[command(subcommand)]
    Devices(devices::DevicesCommand),
    /// Device profiles: how makers' payloads are read
    #[command(subcommand)]
    Profiles(profiles::ProfilesCommand),
    /// Messages that could not be stored, each with its reason
    #[command(subcommand, name = "deadletters")]
    DeadLetters(dead_letters::DeadLettersCommand),
    /// What sensors say, with its flags, as it comes in
    Tap(tap::TapArgs),
    /// The file of readings: how much stands in it, sealing, damage
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// A load of made-up sensors at `QoS` 1
    Simulate(publish::SimulateArgs),
    /// Publish recorded readings as the sensors that made them
    Replay(publish::ReplayArgs),
    /// Settings: the commented default, what is in force, whether it holds
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Check settings, data files, databases, broker, clock and disk, and say how to mend
    Doctor(doctor::DoctorArgs),
    /// Completions for a shell
    Completions(completions::CompletionsArgs),
}

/// Runs the command and says how it went.
pub fn run(cli: Cli) -> ExitCode {
    let Cli { global, command } = cli;
    let done = match command {
        Command::Demo(args) => demo::run(&global, args),
        Command::Serve(args) => serve::run(&global, &args),
        Command::Ingest(args) => serve::run(&global, &serve::ServeArgs::ingest_only(args)),
        Command::Advise(args) => advise::run(&global, &args),
        Command::Import(command) => import::run(&global, &command),
        Command::Export(command) => export::run(&global, &command),
        Command::Flag(args) => flag::run(&global, &args),
        Command::Cooperatives(command) => cooperatives::run(&global, &command),
        Command::Plots(command) => plots::run(&global, &command),
        Command::Devices(command) => devices::run(&global, &command),
        Command::Profiles(command) => profiles::run(&global, &command),
        Command::DeadLetters(command) => dead_letters::run(&global, &command),
        Command::Tap(args) => tap::run(&global, &args),
        Command::Store(command) => store::run(&global, &command),
        Command::Simulate(args) => publish::simulate(&global, &args),
        Command::Replay(args) => publish::replay(&global, &args),
        Command::Config(command) => config::run(&global, &command),
        Command::Doctor(args) => doctor::run(&global, &args),
        Command::Completions(args) => Ok(completions::run(&args)),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            // Where nobody can be told, the exit code still says so.
            let _ = writeln!(io::stderr(), "plotwise: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn every_command_shows_an_example() {
        fn check(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            if command.get_subcommands().next().is_none() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.starts_with("Example: plotwise "), "{path}: {help:?}");
            }
            command.get_subcommands().for_each(|inner| check(inner, &path));
        }
        Cli::command().get_subcommands().for_each(|command| check(command, "plotwise"));
    }
}
