//! `plotwise store show|seal|retain|drop-damaged`

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use plotwise_config::settings::Overrides;
use plotwise_ingest::{
    clock::Clock,
    store::{
        RawSizes, Sealed, Sizes, Store,
        retention::{self, Gone},
    },
};
use serde_json::{Value, json};

use super::{
    Global,
    output::{Format, ListFormat, Table, print_json},
    workplace::{self, Workplace},
};

/// What to do with the file of readings.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// How much stands in it, and how
    #[command(after_help = "Example: plotwise store show")]
    Show {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Seal now what serve would seal once its week has been over for two days
    #[command(after_help = "Example: plotwise store seal --until 2026-06-01")]
    Seal {
        /// What was measured before this day (UTC) or moment; everything until now without it
        #[arg(long, value_name = "DATE", value_parser = parse_moment)]
        until: Option<Timestamp>,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Say which old observations would be let go, by device; with --yes let them go
    #[command(
        after_help = "Example: plotwise store retain --days 730\n\nserve does so by itself where [store] retain_days is set; whole weeks go, counted from Thursdays in UTC."
    )]
    Retain {
        /// Keep what was measured in so many days; the setting without it
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: Option<u32>,
        /// Let them go; there is no way back but a backup
        #[arg(long)]
        yes: bool,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: ListFormat,
    },
    /// Take out sealed blocks that cannot be read, so that their readings can be imported again
    #[command(
        after_help = "Example: plotwise store drop-damaged\n\nMake a copy of the data directory first; plotwise doctor --sealed names what would be taken out."
    )]
    DropDamaged {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

/// A day of UTC or a moment, as people write them behind an option.
pub(super) fn parse_moment(text: &str) -> Result<Timestamp, String> {
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok();
    text.parse().ok().or_else(|| day().map(|day| day.timestamp())).ok_or_else(|| {
        format!("found {text:?}, wanted a day as 2026-06-01 or a moment as 2026-06-01T00:00:00Z")
    })
}

pub(super) fn run(global: &Global, command: &StoreCommand) -> anyhow::Result<ExitCode> {
    let settings = workplace::settings(global, Overrides::default())?;
    let retain_days = settings.store.retain_days;
    workplace::block_on(async {
        let store = Workplace::open(global, settings).await?.store;
        match command {
            StoreCommand::Show { format } => {
                let reader = store.reader()?;
                let gone = retention::gone(&reader)?;
                show(&reader.sizes()?, &reader.raw_sizes()?, &gone, *format)?;
            }
            StoreCommand::Seal { until, format } => {
                seal(&store, until.unwrap_or_else(|| Clock::system().now()), *format)?;
            }
            StoreCommand::Retain { days, yes, format } => {
                let Some(days) = days.or((retain_days > 0).then_some(retain_days)) else {
                    bail!(
                        "nothing says how long observations are kept: found [store] retain_days = 0, \
                         wanted --days N, or a number of days there"
                    );
                };
                let until = retention::kept_from(Clock::system().now(), days);
                retain(&store, until, *yes, *format)?;
            }
            StoreCommand::DropDamaged { format } => drop_damaged(&store, *format)?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn show(sizes: &Sizes, kept: &RawSizes, gone: &Gone, format: Format) -> anyhow::Result<()> {
    let a_reading = sizes.bytes_a_reading();
    match format {
        Format::Json => print_json(&json!({
            "rows": sizes.rows,
            "row_readings": sizes.row_readings,
            "sealed": sizes.sealed,
            "sealed_readings": sizes.sealed_readings,
            "blocks": sizes.blocks,
            "block_bytes": sizes.block_bytes,
            "file_bytes": sizes.file_bytes,
            "free_bytes": sizes.free_bytes,
            "bytes_a_reading": a_reading,
            "kept_messages": kept.messages,
            "kept_bytes": kept.bytes,
            "kept_since": kept.oldest,
            "let_go": gone.observations,
            "let_go_to": gone.last,
        }))?,
        Format::Table => {
            let a_reading = a_reading.map_or_else(|| "-".to_owned(), |bytes| format!("{bytes:.3}"));
            println!(
                "in rows          {} observations, {} readings",
                sizes.rows, sizes.row_readings
            );
            println!(
                "sealed           {} observations, {} readings in {} blocks of {} bytes together",
                sizes.sealed, sizes.sealed_readings, sizes.blocks, sizes.block_bytes
            );
            println!(
                "file             {} bytes, {} of them free",
                sizes.file_bytes, sizes.free_bytes
            );
            println!("bytes a reading  {a_reading}");
            let since = kept.oldest.map(|oldest| format!(", since {oldest}")).unwrap_or_default();
            println!("kept as it came  {} messages, {} bytes{since}", kept.messages, kept.bytes);
            if let Some(last) = gone.last {
                let count = gone.observations;
                println!("let go           {count} observations, measured up to {last}");
            }
        }
    }
    Ok(())
}

fn seal(store: &Store, until: Timestamp, format: Format) -> anyhow::Result<()> {
    let Sealed { rows, blocks, bytes, left } = store.sealer()?.seal_all(until, |_| {})?;
    match format {
        Format::Json => print_json(&json!({
            "observations": rows, "blocks": blocks, "bytes": bytes, "left": left,
        }))?,
        Format::Table => {
            println!("sealed {rows} observations in {blocks} blocks of {bytes} bytes together");
            if left > 0 {
                println!("left {left} times: changed meanwhile, or damaged; the log says which");
            }
        }
    }
    Ok(())
}

fn retain(
    store: &Store,
    until: Timestamp,
    is_agreed: bool,
    format: ListFormat,
) -> anyhow::Result<()> {
    let to_go = retention::to_go(&store.reader()?, until)?;
    let items: Vec<Value> = to_go
        .iter()
        .map(|(device, gone)| {
            json!({
                "device": device, "observations": gone.observations,
                "first": gone.first, "last": gone.last,
            })
        })
        .collect();
    let shown = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    let rows = to_go
        .iter()
        .map(|(device, gone)| {
            let count = gone.observations.to_string();
            vec![device.to_string(), count, shown(gone.first), shown(gone.last)]
        })
        .collect();
    Table { heads: &["device", "observations", "first", "last"], rows }.print(format, &items)?;
    let all: u64 = to_go.iter().map(|(_, gone)| gone.observations).sum();
    if !is_agreed {
        eprintln!(
            "{all} observations measured before {until} would be let go; --yes does it. A sealed \
             block that reaches beyond goes when it is over as a whole."
        );
        return Ok(());
    }
    let gone = store.retention()?.let_all_go(until, |_| {})?;
    store.sealer()?.give_all_back()?;
    eprintln!(
        "Let {} observations go; kept is what was measured from {until} on.",
        gone.observations
    );
    Ok(())
}

fn drop_damaged(store: &Store, format: Format) -> anyhow::Result<()> {
    let damages = store.sealer()?.drop_damaged()?;
    match format {
        Format::Json => {
            let of_span = damages.spans().iter().map(|span| {
                json!({
                    "device": span.device, "first": span.first, "last": span.last,
                    "observations": span.observations, "damage": span.damage.to_string(),
                })
            });
            print_json(&of_span.collect::<Vec<_>>())?;
        }
        Format::Table if damages.spans().is_empty() => println!("every sealed block can be read"),
        Format::Table => {
            for span in damages.spans() {
                println!("taken out: {span}");
            }
        }
    }
    Ok(())
}
