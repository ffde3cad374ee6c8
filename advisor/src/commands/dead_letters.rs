//! `plotwise deadletters list|show`

use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Subcommand;
use plotwise_config::id::DeviceId;
use plotwise_ingest::{intake::DeadLetterReason, store::StoredDeadLetter};
use serde_json::{Value, json};

use super::{
    Global,
    output::{Format, ListFormat, Table, print_json},
    workplace::{self, Workplace},
};
use plotwise_config::settings::Overrides;

/// What to do with dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// Newest first
    #[command(after_help = "Example: plotwise deadletters list --reason unknown_device")]
    List {
        /// One reason alone
        #[arg(long, value_parser = parse_reason)]
        reason: Option<DeadLetterReason>,
        /// One device alone
        #[arg(long)]
        device: Option<DeviceId>,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: ListFormat,
    },
    /// One of them, with its payload as it came
    #[command(after_help = "Example: plotwise deadletters show 17")]
    Show {
        /// Its number
        id: i64,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

fn parse_reason(key: &str) -> Result<DeadLetterReason, String> {
    DeadLetterReason::parse(key).ok_or_else(|| {
        let known: Vec<_> = DeadLetterReason::ALL.iter().map(|reason| reason.key()).collect();
        format!("found {key:?}, wanted one of {}", known.join(", "))
    })
}

pub(super) fn run(global: &Global, command: &DeadLettersCommand) -> anyhow::Result<ExitCode> {
    let settings = workplace::settings(global, Overrides::default())?;
    workplace::block_on(async {
        let place = Workplace::open(global, settings).await?;
        let reader = place.store.reader()?;
        match command {
            DeadLettersCommand::List { reason, device, limit, format } => {
                let letters = reader.dead_letters(*limit, None, *reason, device.as_ref())?;
                let items: Vec<Value> = letters.iter().map(as_json).collect();
                let rows = letters.iter().map(row).collect();
                let heads = &["id", "reason", "device", "topic", "received", "detail"];
                Table { heads, rows }.print(*format, &items)?;
            }
            DeadLettersCommand::Show { id, format } => {
                let letter = reader.dead_letter(*id)?.with_context(|| {
                    format!("there is no dead letter {id}; plotwise deadletters list shows them")
                })?;
                match format {
                    Format::Json => print_json(&as_json(&letter))?,
                    Format::Table => print_one(&letter).map_err(|error| anyhow!(error))?,
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn row(stored: &StoredDeadLetter) -> Vec<String> {
    let letter = &stored.letter;
    vec![
        stored.id.to_string(),
        letter.reason.key().to_owned(),
        letter.device.as_ref().map(ToString::to_string).unwrap_or_default(),
        letter.topic.clone(),
        letter.received.to_string(),
        letter.detail.clone(),
    ]
}

fn as_json(stored: &StoredDeadLetter) -> Value {
    let letter = &stored.letter;
    json!({
        "id": stored.id,
        "reason": letter.reason.key(),
        "device": letter.device,
        "topic": letter.topic,
        "received": letter.received,
        "detail": letter.detail,
        "payload": String::from_utf8_lossy(&letter.payload),
    })
}

fn print_one(stored: &StoredDeadLetter) -> std::io::Result<()> {
    use std::io::Write;
    let letter = &stored.letter;
    let mut out = std::io::stdout().lock();
    writeln!(out, "reason    {}", letter.reason.key())?;
    writeln!(out, "detail    {}", letter.detail)?;
    writeln!(out, "topic     {}", letter.topic)?;
    writeln!(out, "received  {}", letter.received)?;
    if let Some(device) = &letter.device {
        writeln!(out, "device    {device}")?;
    }
    writeln!(out)?;
    out.write_all(&letter.payload)?;
    writeln!(out)
}
