//! `plotwise doctor`: checks what a service needs, and says how to mend what fails.

use std::{
    net::{TcpListener, TcpStream, ToSocketAddrs},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::Args;
use plotwise_config::{
    catalogue::Catalogue,
    settings::Overrides,
    settings::{LinkSettings, ListenerTls, Settings},
};
use plotwise_ingest::{
    clock::Clock,
    facts::Facts,
    intake::DeadLetterReason,
    link::Link,
    store::Store,
    tls::{ServerTls, Validity},
};
use serde::Serialize;

use super::{
    Global,
    output::{Format, print_json},
    workplace::{self, Workplace},
};

/// Less than this is soon too little for a database that may not lose anything.
const DISK_FREE_MIN_MB: u64 = 500;
const BROKER_PATIENCE: Duration = Duration::from_secs(3);

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Example: plotwise doctor --config plotwise.toml")]
pub struct DoctorArgs {
    /// Read every sealed block, too: some seconds for each hundred million readings
    #[arg(long)]
    sealed: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// One check and how it went.
#[derive(Debug, Serialize)]
struct Finding {
    check: String,
    ok: bool,
    /// What was found, and where it is not well, how to mend it.
    says: String,
}

impl Finding {
    fn of(check: impl Into<String>, result: anyhow::Result<String>) -> Self {
        match result {
            Ok(says) => Self { check: check.into(), ok: true, says },
            Err(error) => Self { check: check.into(), ok: false, says: format!("{error:#}") },
        }
    }
}

pub(super) fn run(global: &Global, args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let findings = match workplace::settings(global, Overrides::default()) {
        Err(error) => vec![Finding::of("settings", Err(error))],
        Ok(settings) => workplace::block_on(async { Ok(examine(global, args, settings).await) })?,
    };
    let is_well = findings.iter().all(|finding| finding.ok);
    match args.format {
        Format::Json => print_json(&findings)?,
        Format::Table => {
            for Finding { check, ok, says } in &findings {
                println!("{} {check}: {says}", if *ok { "ok  " } else { "FAIL" });
            }
        }
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn examine(global: &Global, args: &DoctorArgs, settings: Settings) -> Vec<Finding> {
    let mut findings = vec![Finding::of("settings", Ok("hold".to_owned()))];
    findings.push(Finding::of("catalogue", catalogue(&settings)));
    findings.push(Finding::of("clock", clock()));
    let data = global.data();
    findings.push(Finding::of("disk", disk(&data, settings.store.disk_free_min_mb)));
    for (name, address) in [
        ("http address", settings.http.listen),
        ("listener address", settings.mqtt.listener.listen),
    ] {
        findings.push(Finding::of(name, address_is_free(address)));
    }
    let listener = &settings.mqtt.listener;
    if listener.enabled && listener.tls.is_on() {
        let address = listener.tls.listen;
        findings.push(Finding::of("listener tls address", address_is_free(address)));
        findings.push(Finding::of("listener certificate", certificate(&listener.tls, &data)));
    }
    for link in &settings.mqtt.links {
        findings.push(Finding::of(format!("broker {}", link.url), broker(link)));
    }
    match Workplace::open_in(&data, settings).await {
        Err(error) => findings.push(Finding::of("databases", Err(error))),
        Ok(place) => {
            findings.push(Finding::of("readings.db", readings(&place.store)));
            if args.sealed {
                findings.push(Finding::of("sealed blocks", sealed_blocks(&place.store)));
            }
            findings.push(Finding::of("dead letters", dead_letters(&place.store)));
            findings.push(Finding::of("plotwise.db", facts(&place.facts).await));
        }
    }
    findings
}

fn catalogue(settings: &Settings) -> anyhow::Result<String> {
    let catalogue = Catalogue::load(&settings.catalogue.folders)?;
    settings.check_profiles(&catalogue)?;
    Ok(format!(
        "{} crops, {} varieties, {} device profiles",
        catalogue.crops().len(),
        catalogue.varieties().len(),
        catalogue.profiles().len()
    ))
}

fn clock() -> anyhow::Result<String> {
    let now = Clock::system().now();
    // Readings from before 2000 or a day ahead are stored at arrival: a wrong clock would do that
    // to all of them.
    anyhow::ensure!(
        now >= "2026-01-01T00:00:00Z".parse()?,
        "says {now}; set the time (timedatectl set-ntp true), or every reading is stored at a wrong one"
    );
    Ok(now.to_string())
}

fn disk(data: &Path, wanted_mb: u32) -> anyhow::Result<String> {
    let wanted_mb = DISK_FREE_MIN_MB.max(wanted_mb.into());
    let existing = data.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let existing = if existing.as_os_str().is_empty() { Path::new(".") } else { existing };
    let free_mb = fs4::available_space(existing)? / 1_000_000;
    anyhow::ensure!(
        free_mb >= wanted_mb,
        "{free_mb} MB free at {}, wanted {wanted_mb} MB; make room or choose another --data",
        existing.display()
    );
    Ok(format!("{free_mb} MB free at {}", existing.display()))
}

fn address_is_free(address: std::net::SocketAddr) -> anyhow::Result<String> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(format!("{address} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Ok(format!("{address} is in use: by a running serve, or choose another"))
        }
        Err(error) => Err(anyhow::anyhow!("{address}: {error}; choose another address")),
    }
}

fn certificate(tls: &ListenerTls, data: &Path) -> anyhow::Result<String> {
    let Some(found) = ServerTls::peek(tls, data)? else {
        return Ok("will be made when serve starts".to_owned());
    };
    let exposed: Vec<String> =
        found.exposed_keys().iter().map(|key| key.display().to_string()).collect();
    anyhow::ensure!(
        exposed.is_empty(),
        "others than its owner may read the key {}: chmod 600 it",
        exposed.join(", ")
    );
    let certificate = found.certificate();
    match certificate.validity(Clock::system().now()) {
        Validity::Holds => {}
        Validity::EndsSoon if found.authority().is_some() => {}
        Validity::EndsSoon => anyhow::bail!("{certificate}, which is soon; replace it"),
        Validity::NotYet => anyhow::bail!(
            "{certificate}, but from {} only; replace it, or set the clock",
            certificate.from
        ),
        Validity::Ended => anyhow::bail!("{certificate}, which is over; replace it"),
    }
    Ok(match found.authority() {
        Some(ca) => format!("{certificate}; sensors trust it that hold {}", ca.display()),
        None => certificate.to_string(),
    })
}

fn broker(link: &LinkSettings) -> anyhow::Result<String> {
    let broker = link.broker().with_context(|| format!("{} names no host", link.url))?;
    let address = broker.to_socket_addrs()?.next();
    let address = address.with_context(|| format!("{} has no address", broker.0))?;
    TcpStream::connect_timeout(&address, BROKER_PATIENCE)
        .map_err(|error| anyhow::anyhow!("{error}; is the broker up, and is the port right?"))?;
    // Address, filters and files of certificates, as a service would use them.
    Link::new(link)?;
    Ok("answers".to_owned())
}

fn readings(store: &Store) -> anyhow::Result<String> {
    let devices = store.reader()?.last_seen()?.len();
    Ok(format!("{devices} devices have reported"))
}

fn sealed_blocks(store: &Store) -> anyhow::Result<String> {
    let reader = store.reader()?;
    let damages = reader.damaged_blocks()?;
    let spans: Vec<String> = damages.spans().iter().map(ToString::to_string).collect();
    anyhow::ensure!(
        spans.is_empty(),
        "{}; restore a backup, or take them out with plotwise store drop-damaged and import their \
         readings again",
        spans.join("; ")
    );
    Ok(format!("{} read", reader.sizes()?.blocks))
}

/// Their number alone is no failure: they wait for somebody to look at them.
fn dead_letters(store: &Store) -> anyhow::Result<String> {
    let reader = store.reader()?;
    let listed = |counts: Vec<(DeadLetterReason, u64)>| {
        let reasons = counts.iter().map(|(reason, letters)| format!("{letters} {}", reason.key()));
        reasons.collect::<Vec<_>>().join(", ")
    };
    let (kept, gone) = (reader.dead_letter_counts()?, reader.dead_letters_let_go()?);
    let mut says = if kept.is_empty() {
        "none".to_owned()
    } else {
        format!("{}; see plotwise deadletters list", listed(kept))
    };
    if !gone.is_empty() {
        says = format!("{says}; let go to keep their bounds: {}", listed(gone));
    }
    Ok(says)
}

async fn facts(facts: &Facts) -> anyhow::Result<String> {
    let devices = facts.directory().await?.len();
    Ok(format!("{devices} devices registered"))
}
