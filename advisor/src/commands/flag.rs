//! `plotwise flag FILE`: the quality checks on a file of readings.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;
use jiff::tz::TimeZone;
use plotwise_config::{catalogue::Catalogue, land::Water, reading::DepthMm, settings::Overrides};
use plotwise_ingest::{
    flags::Land,
    import::{FlagOptions, FlaggedFile, flag_readings},
};

use super::{Global, workplace};

/// Which file, and what it does not say itself.
#[derive(Debug, Args)]
pub struct FlagArgs {
    /// Readings: `time` and a column a quantity, or `time,quantity,value`; soil temperature, air
    /// temperature and rain beside soil moisture are what it is judged by
    file: PathBuf,
    /// Soil moisture of saturated soil, as 0.45 (m3/m3) or 45%; without it C03 is left out
    #[arg(long, value_name = "V", value_parser = parse_saturation)]
    saturation: Option<f64>,
    /// Depth in metres of soil readings that do not say theirs
    #[arg(long, value_name = "M", value_parser = parse_depth)]
    depth: Option<DepthMm>,
    /// How water runs there: `rain_fed`, irrigated, flooded, drained
    #[arg(long, value_name = "REGIME", default_value = "rain_fed")]
    water: Water,
    /// Zone of times that carry none
    #[arg(long, value_name = "Z", default_value = "UTC", value_parser = parse_zone)]
    timezone: TimeZone,
}

pub(super) fn run(global: &Global, args: &FlagArgs) -> anyhow::Result<ExitCode> {
    let settings = workplace::settings(global, Overrides::default())?;
    let catalogue = Catalogue::load(&settings.catalogue.folders)?;
    let name = args.file.display();
    let bytes = fs::read(&args.file).with_context(|| format!("{name} cannot be read"))?;
    let options = FlagOptions {
        land: Land::under(args.water, args.saturation),
        depth: args.depth,
        timezone: args.timezone.clone(),
    };
    let flagged = flag_readings(&bytes, &options, &catalogue)
        .with_context(|| format!("{name} is not flagged"))?;
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match flagged.write(&mut out).and_then(|()| out.flush()) {
        // A reader that has seen enough, as `head` does, is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        written => written.context("the readings cannot be written")?,
    }
    eprintln!("{}", summary(&flagged));
    Ok(ExitCode::SUCCESS)
}

/// How many readings there are and how many carry each flag.
fn summary(flagged: &FlaggedFile<'_>) -> String {
    let counts = flagged.counts();
    let counts: Vec<String> =
        counts.iter().map(|(code, count)| format!("{code} {count}")).collect();
    let counts = if counts.is_empty() { "no flags".to_owned() } else { counts.join(", ") };
    let mut text = format!("{} readings: {counts}", flagged.readings());
    let others = flagged.other_columns();
    if !others.is_empty() {
        text.push_str("\nno quantity, left as it is: ");
        text.push_str(&others.join(", "));
    }
    text
}

fn parse_saturation(text: &str) -> Result<f64, String> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse(),
    };
    let share = share.ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "wanted a share of the volume, as 0.45, or a percentage, as 45%".to_owned())
}

fn parse_depth(text: &str) -> Result<DepthMm, String> {
    let depth = text.parse().ok().and_then(DepthMm::from_metres);
    depth.ok_or_else(|| "wanted metres below the surface, 0-60".to_owned())
}

fn parse_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| "wanted an IANA name like Asia/Shanghai".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saturation_is_a_share_or_says_that_it_is_a_percentage() {
        assert_eq!(parse_saturation("0.45"), Ok(0.45));
        assert_eq!(parse_saturation("45 %"), Ok(0.45));
        assert!(parse_saturation("45").is_err_and(|wanted| wanted.contains("45%")));
        assert!(parse_saturation("NaN").is_err());
    }
}
