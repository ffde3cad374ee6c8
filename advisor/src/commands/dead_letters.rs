//! `plotwise deadletters list|show|replay|purge`

mod print;

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use plotwise_config::{id::DeviceId, settings::Overrides};
use plotwise_ingest::{
    decode::Decoders,
    intake::DeadLetterReason,
    replay::{Again, Asked, replay_letters, replay_raw},
    store::{LetterFilter, RawFilter},
};

use super::{
    Global,
    output::{Format, ListFormat, print_json},
    store::parse_moment,
    workplace::{self, Workplace},
};

/// What to do with dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// The newest first
    #[command(
        after_help = "Example: plotwise deadletters list --grouped\n         plotwise deadletters list --reason unknown_device"
    )]
    List {
        /// Which of them
        #[command(flatten)]
        which: Which,
        /// In groups of the same trouble instead of one by one
        #[arg(long)]
        grouped: bool,
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
    /// Decode them once more after a mend; what can be stored now is, and its letter goes
    #[command(
        after_help = "Example: plotwise deadletters replay --reason unknown_device\n         plotwise deadletters replay --raw --device soil-7 --from 2026-11-01\n\nnot_allowed and conflict are replayed only with --reason or --id; a conflict that is replayed corrects what is stored."
    )]
    Replay {
        /// Which of them
        #[command(flatten)]
        which: Which,
        /// This one alone
        #[arg(long)]
        id: Option<i64>,
        /// Messages that were kept as they came instead: after a profile was
        /// corrected, to correct what it read before
        #[arg(long, conflicts_with_all = ["reason", "id"])]
        raw: bool,
        /// With --raw: those that arrived from this day (UTC) or moment on
        #[arg(long, value_name = "DATE", requires = "raw", value_parser = parse_moment)]
        from: Option<Timestamp>,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Delete them for good; asks first
    #[command(
        after_help = "Example: plotwise deadletters purge --reason not_json --older-than-days 30"
    )]
    Purge {
        /// Which of them
        #[command(flatten)]
        which: Which,
        /// Those that arrived longer ago than so many days
        #[arg(long, value_name = "DAYS")]
        older_than_days: Option<u32>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Which letters.
#[derive(Debug, Args)]
pub struct Which {
    /// One reason alone
    #[arg(long, value_parser = parse_reason)]
    reason: Option<DeadLetterReason>,
    /// One device alone
    #[arg(long)]
    device: Option<DeviceId>,
}

impl Which {
    fn filter(&self) -> LetterFilter {
        LetterFilter { reason: self.reason, device: self.device.clone(), before: None }
    }
}

/// Letters that one transaction deletes.
const PURGE_STEP: u32 = 1_000;

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
        match command {
            DeadLettersCommand::List { which, grouped, limit, format } => {
                list(&place, which, *grouped, *limit, *format)?;
            }
            DeadLettersCommand::Show { id, format } => {
                let letter = place.store.reader()?.dead_letter(*id)?.with_context(|| {
                    format!("there is no dead letter {id}; plotwise deadletters list shows them")
                })?;
                print::letter(&letter, *format)?;
            }
            DeadLettersCommand::Replay { which, raw: true, from, format, .. } => {
                let filter = RawFilter { device: which.device.clone(), from: *from };
                replay_kept(&place, &filter, *format).await?;
            }
            DeadLettersCommand::Replay { which, id, format, .. } => {
                replay(&place, which, *id, *format).await?;
            }
            DeadLettersCommand::Purge { which, older_than_days, yes } => {
                purge(&place, which, *older_than_days, *yes)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn list(
    place: &Workplace,
    which: &Which,
    is_grouped: bool,
    limit: u32,
    format: ListFormat,
) -> anyhow::Result<()> {
    let reader = place.store.reader()?;
    if is_grouped {
        let mut groups = reader.dead_letter_groups(&which.filter())?;
        groups.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        print::groups(&groups, format)?;
    } else {
        let letters = reader.dead_letters(limit, None, which.reason, which.device.as_ref())?;
        print::letters(&letters, format)?;
    }
    let let_go = reader.dead_letters_let_go()?;
    if !let_go.is_empty() {
        let reasons: Vec<String> =
            let_go.iter().map(|(reason, letters)| format!("{letters} {}", reason.key())).collect();
        eprintln!(
            "Let go so far to keep [deadletters] retain_days and max_mb: {}.",
            reasons.join(", ")
        );
    }
    Ok(())
}

async fn replay(
    place: &Workplace,
    which: &Which,
    id: Option<i64>,
    format: Format,
) -> anyhow::Result<()> {
    let directory = place.facts.directory().await?;
    let decoders = Decoders::new(&place.catalogue);
    let again = Again::new(&directory, &decoders, &place.settings.mqtt)?;
    let asked = Asked { reason: which.reason, device: which.device.clone(), id };
    let bar = print::progress()?;
    let outcome = replay_letters(&place.store, &asked, &again, place.clock.now(), |so_far| {
        let left: u64 = so_far.replayed.left.values().sum();
        bar.set_message(format!("{} stored, {left} left", so_far.replayed.done));
        bar.tick();
    })?;
    bar.finish_and_clear();
    match format {
        Format::Json => print_json(&print::outcome(&outcome))?,
        Format::Table => print::outcome_as_text(&outcome),
    }
    Ok(())
}

async fn replay_kept(place: &Workplace, filter: &RawFilter, format: Format) -> anyhow::Result<()> {
    let directory = place.facts.directory().await?;
    let decoders = Decoders::new(&place.catalogue);
    let again = Again::new(&directory, &decoders, &place.settings.mqtt)?;
    let bar = print::progress()?;
    let now = place.clock.now();
    let retaken = replay_raw(&place.store, filter, &again, now, |so_far| {
        bar.set_message(format!("{} changed, {} as before", so_far.changed, so_far.unchanged));
        bar.tick();
    })?;
    bar.finish_and_clear();
    match format {
        Format::Json => print_json(&print::retaken(&retaken))?,
        Format::Table => print::retaken_as_text(&retaken),
    }
    Ok(())
}

fn purge(
    place: &Workplace,
    which: &Which,
    older_than_days: Option<u32>,
    yes: bool,
) -> anyhow::Result<()> {
    let before = older_than_days
        .map(|days| place.clock.now().checked_sub(SignedDuration::from_hours(24 * i64::from(days))))
        .transpose()?;
    let filter = LetterFilter { before, ..which.filter() };
    let count = place.store.reader()?.dead_letter_ids(&filter, i64::MIN, u32::MAX)?.len();
    if count == 0 {
        println!("There is nothing to delete.");
        return Ok(());
    }
    if !yes && !is_agreed(count)? {
        bail!("nothing was deleted");
    }
    let mut writer = place.store.writer()?;
    let mut deleted = 0;
    loop {
        let step = writer.purge(&filter, PURGE_STEP)?;
        deleted += step;
        if step < u64::from(PURGE_STEP) {
            break;
        }
    }
    println!("Deleted {deleted} dead letters.");
    Ok(())
}

fn is_agreed(count: usize) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!(
            "{count} dead letters would be deleted for good; say --yes where nobody can be asked"
        );
    }
    eprint!("Delete {count} dead letters for good? [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
