//! `plotwise advise [PLOT...]`

use std::{collections::BTreeSet, process::ExitCode};

use clap::Args;
use jiff::civil::Date;
use plotwise_config::{
    id::PlotId,
    settings::Overrides,
    text::{Language, Text},
};
use plotwise_ingest::facts::PlotFilter;
use plotwise_model::advice::{Advice, RankedLine, Status};

use super::{
    Global,
    output::{Format, print_json},
    workplace::{self, Workplace},
};

/// Arguments of `advise`.
#[derive(Debug, Args)]
#[command(after_help = "Example: plotwise advise nx-012 --top 1 --language en")]
pub struct AdviseArgs {
    /// Which plots; all where none is named
    plots: Vec<PlotId>,
    /// How many crops (setting advice.top)
    #[arg(long)]
    top: Option<usize>,
    /// As if asked on this day
    #[arg(long)]
    on: Option<Date>,
    /// Language of the text
    #[arg(long, default_value = "zh")]
    language: Language,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(global: &Global, args: &AdviseArgs) -> anyhow::Result<ExitCode> {
    let settings = workplace::settings(global, Overrides::default())?;
    workplace::block_on(async {
        let place = Workplace::open(global, settings).await?;
        let plots = if args.plots.is_empty() {
            let known = place.facts.plots(&PlotFilter::default()).await?;
            known.into_iter().map(|plot| plot.id).collect()
        } else {
            args.plots.clone()
        };
        let top = args.top.unwrap_or_else(|| usize::from(place.settings.advice.top));
        let adviser = &place.adviser;
        let mut answers = Vec::with_capacity(plots.len());
        for plot in &plots {
            let advice = match args.on {
                Some(on) => adviser.imagine(plot, on).await?,
                None => adviser.make(plot).await?,
            };
            answers.push(first_crops(Advice::clone(&advice), top));
        }
        print(&answers, args.format, args.language)?;
        Ok(ExitCode::SUCCESS)
    })
}

/// The same advice with the lines of its first `top` crops alone.
fn first_crops(mut advice: Advice, top: usize) -> Advice {
    let mut crops = BTreeSet::new();
    advice.ranked.retain(|line| {
        crops.contains(&line.crop) || (crops.len() < top && crops.insert(line.crop.clone()))
    });
    advice
}

/// Prints advice as JSON or as text for people.
pub(super) fn print(answers: &[Advice], format: Format, language: Language) -> anyhow::Result<()> {
    match format {
        Format::Json => print_json(&answers)?,
        Format::Table => answers.iter().for_each(|advice| print_words(advice, language)),
    }
    Ok(())
}

fn print_words(advice: &Advice, language: Language) {
    let say = |text: &Text| text.in_language(language).to_owned();
    let mark = if advice.simulated {
        say(&Text::new("（模拟数据）", " (simulated)"))
    } else {
        String::new()
    };
    println!("{}{mark}", advice.plot);
    match advice.status {
        Status::Ranked => {}
        Status::MeasureFirst => println!("  {}", say(&Text::new("先测再定：", "measure first:"))),
        Status::NothingAllowed => {
            println!("  {}", say(&Text::new("没有可种的", "nothing can be planted")));
        }
    }
    for line in &advice.ranked {
        println!("  {}", ranked_words(line, language));
    }
    for missing in &advice.measure_first {
        println!("  ? {}", say(&missing.why));
    }
}

fn ranked_words(line: &RankedLine, language: Language) -> String {
    let mut words = vec![format!("{}. {}", line.rank, line.crop_name.in_language(language))];
    if line.variety.is_some() {
        words.push(format!("· {}", line.name.in_language(language)));
    }
    words.push(format!("{:?}", line.suitability));
    if let Some(expected) = &line.yield_kg_ha {
        // 1 mu is 1/15 ha; growers count in jin of 0.5 kg.
        let jin_mu = |kg_ha: f64| kg_ha / 7.5;
        let (expected, low, high) =
            (jin_mu(expected.expected), jin_mu(expected.low), jin_mu(expected.high));
        words.push(match language {
            Language::Zh => format!("{expected:.0}（{low:.0}–{high:.0}）斤/亩"),
            Language::En => format!("{expected:.0} ({low:.0}-{high:.0}) jin/mu"),
        });
    }
    if let Some(margin) = &line.margin {
        words.push(match language {
            Language::Zh => format!("毛利 {:.0} 元/亩", margin.per_mu),
            Language::En => format!("margin {} {:.0}/mu", margin.currency, margin.per_mu),
        });
    }
    words.join(" ")
}
