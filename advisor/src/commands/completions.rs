//! `plotwise completions SHELL`

use std::{io, process::ExitCode};

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::Cli;

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: plotwise completions bash > ~/.local/share/bash-completion/completions/plotwise"
)]
pub struct CompletionsArgs {
    /// Which shell
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> ExitCode {
    generate(args.shell, &mut Cli::command(), "plotwise", &mut io::stdout());
    ExitCode::SUCCESS
}
