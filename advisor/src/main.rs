//! The `plotwise` command.

use std::process::ExitCode;

use clap::Parser;
use plotwise_advisor::commands::{self, Cli};

fn main() -> ExitCode {
    commands::run(Cli::parse())
}
