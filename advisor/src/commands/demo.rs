//! `plotwise demo`: the whole story on made-up sensors, marked as simulated everywhere.
//!
//! Three earlier years come in by the day, as an import would bring them; the fourth year is
//! published over real MQTT to the listener of this very process.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Args;
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use plotwise_config::{
    id::{CropKey, DeviceId, PlotId, VarietyKey},
    records::Device,
    settings::Secret,
    text::Language,
};
use plotwise_ingest::{
    credential::Token,
    decode::Decoders,
    facts::PlotFilter,
    publish::{Outgoing, PublishOptions, Sender, publish},
    resolve::{self, Message},
    topic::own_route,
};
use plotwise_model::advice::{Advice, RankedLine};
use tokio::sync::watch;

use super::{
    Global, advise,
    output::Format,
    serve::{self, ListenArgs},
    workplace::{self, Workplace},
};
use crate::{
    service::{Roles, Service},
    world::{Choice, STEP_HOURS, World},
};

/// Observations of the earlier years that are committed at a time.
const BATCH: usize = 5_000;

/// Messages that wait for their acknowledgement; the listener's own limit is as large.
const WINDOW: u16 = 1_000;
/// How long to go on without a single acknowledgement.
const PATIENCE: Duration = Duration::from_secs(20);

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "Example: plotwise demo --once --format json --report report.json")]
pub struct DemoArgs {
    /// Print the advice and end
    #[arg(long)]
    once: bool,
    /// Where things are listened on; free ports with --once, the usual ones otherwise
    #[command(flatten)]
    listen: ListenArgs,
    /// Which world
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// File for what the advice is worth against the world's truth (JSON)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Language of the printed text
    #[arg(long, default_value = "zh")]
    language: Language,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(global: &Global, mut args: DemoArgs) -> anyhow::Result<ExitCode> {
    if args.once {
        let free = || "127.0.0.1:0".to_owned();
        args.listen.http.get_or_insert_with(free);
        args.listen.mqtt.get_or_insert_with(free);
    }
    let settings = workplace::settings(global, args.listen.overrides())?;
    let (data, made) = fresh_directory(global)?;
    workplace::block_on(async {
        let place = Workplace::open_in(&data, settings).await?;
        let code = tell(&place, &args).await;
        drop(place);
        if let Some(made) = made {
            fs::remove_dir_all(&made)
                .with_context(|| format!("{} could not be removed", made.display()))?;
        }
        code
    })
}

/// The directory of `--data`, which has to be new or empty; else a temporary one, to be removed.
fn fresh_directory(global: &Global) -> anyhow::Result<(PathBuf, Option<PathBuf>)> {
    if let Some(data) = &global.data {
        if fs::read_dir(data).is_ok_and(|mut entries| entries.next().is_some()) {
            bail!("{} is not empty; the demo wants a fresh data directory", data.display());
        }
        return Ok((data.clone(), None));
    }
    let id = std::process::id();
    // In a container the same process number comes again; what another demo left is not ours.
    let mut names =
        (0..100).map(|nth| std::env::temp_dir().join(format!("plotwise-demo-{id}-{nth}")));
    let made = names.find(|path| fs::create_dir(path).is_ok());
    let made = made.context("no temporary data directory could be made; name one with --data")?;
    Ok((made.clone(), Some(made)))
}

async fn tell(place: &Workplace, args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let today = place.clock.now().to_zoned(TimeZone::get("Asia/Shanghai")?).date();
    let last = today.yesterday()?;
    let first = last.checked_sub(4.years())?.tomorrow()?;
    let published_from = last.checked_sub(1.year())?.tomorrow()?;
    let world = World::new(args.seed, &place.catalogue, first, last)?;
    let prepare = async {
        let gateway = register(place, &world).await?;
        import_by_the_day(place, &world, &gateway.0, first, published_from.yesterday()?).await?;
        tracing::info!("three earlier years are in after {:.1} s", started.elapsed().as_secs_f64());
        let roles = Roles { jobs: !args.once, ..Roles::ALL };
        let service = Service::start(place.app(), roles).await?;
        publish_year(&service, &world, &gateway, published_from, last).await?;
        anyhow::Ok(service)
    };
    let service = tokio::select! {
        prepared = prepare => prepared?,
        // Whoever stops it early leaves nothing behind but what --data asked for.
        ended = serve::wait_for_the_end() => return ended,
    };
    tracing::info!("the fourth year is in after {:.1} s", started.elapsed().as_secs_f64());

    let answers = advise_all(place).await?;
    if let Some(path) = &args.report {
        write_report(path, &world, &answers)?;
    }
    tracing::info!("all plots are advised after {:.1} s", started.elapsed().as_secs_f64());
    if args.once {
        advise::print(&answers, args.format, args.language)?;
        serve::stop(service).await?;
        return Ok(ExitCode::SUCCESS);
    }
    serve::announce(&service);
    if let Some(address) = service.http {
        println!("http://{address}/");
    }
    eprintln!("Everything shown is simulated. Ctrl-C ends the demo.");
    let code = serve::wait_for_the_end().await?;
    serve::stop(service).await?;
    Ok(code)
}

/// Brings in everything a cooperative would have told; returns the gateway and its token.
async fn register(place: &Workplace, world: &World) -> anyhow::Result<(DeviceId, Token)> {
    let facts = &place.facts;
    let cooperative = world.cooperative();
    facts.put_cooperative(&cooperative).await?;
    facts.put_plots(&world.plots()).await?;
    let devices: Vec<_> =
        world.devices().into_iter().map(|(device, stands)| (device, Some(stands))).collect();
    facts.put_devices(&devices).await?;
    facts.put_seasons(&world.seasons()).await?;
    facts.put_outcomes(&world.outcomes()).await?;
    facts.put_samples(&world.samples(&place.catalogue)).await?;
    facts.put_prices(&world.prices()).await?;
    facts.put_climate(&cooperative.id, &world.climate()).await?;
    let gateway = Device {
        id: DeviceId::parse("demo-gateway")?,
        cooperative: cooperative.id,
        name: None,
        profile: "native".to_owned(),
        is_gateway: true,
    };
    facts.put_devices(&[(gateway.clone(), None)]).await?;
    let token = Token::generate()?;
    facts.set_token(&gateway.id, token.hash(), place.clock.now()).await?;
    Ok((gateway.id, token))
}

/// The same door as for messages that come over MQTT, without the network.
async fn import_by_the_day(
    place: &Workplace,
    world: &World,
    gateway: &DeviceId,
    from: Date,
    to: Date,
) -> anyhow::Result<()> {
    let decoders = Decoders::new(&place.catalogue);
    let directory = place.facts.directory().await?;
    let mut writer = place.store.writer()?;
    let mut batch = Vec::with_capacity(BATCH);
    for message in world.messages(from, to, 24) {
        let topic = topic_of(&message.device);
        let arrived =
            Message { topic: &topic, payload: message.payload.as_bytes(), received: message.time };
        let publisher = resolve::Publisher::Token(gateway.as_str());
        resolve::resolve(arrived, own_route(&topic), publisher, &directory, &decoders, &mut batch);
        if batch.len() >= BATCH {
            writer.commit(&batch)?;
            batch.clear();
        }
    }
    writer.commit(&batch)?;
    Ok(())
}

/// Publishes through the listener, as the sensors' gateway would; ends when all is acknowledged.
async fn publish_year(
    service: &Service,
    world: &World,
    (gateway, token): &(DeviceId, Token),
    from: Date,
    to: Date,
) -> anyhow::Result<()> {
    let address = service.mqtt.context("the demo needs the listener: [mqtt.listener] enabled")?;
    let messages: Vec<Outgoing> = world
        .messages(from, to, STEP_HOURS)
        .map(|message| Outgoing {
            topic: topic_of(&message.device),
            payload: message.payload.into_bytes(),
            due: Duration::ZERO,
        })
        .collect();
    let sender = Sender {
        client_id: gateway.to_string(),
        credentials: Some((gateway.to_string(), Secret::new(token.as_str()))),
        messages: Box::new(messages.into_iter()),
    };
    let options = PublishOptions {
        host: address.ip().to_string(),
        port: address.port(),
        window: WINDOW,
        connections: 1,
        patience: PATIENCE,
        hold: Duration::ZERO,
        receipt: None,
    };
    let (_never, stop) = watch::channel(false);
    let report = publish(&options, [sender], stop).await?;
    tracing::info!("{} messages published and acknowledged", report.acknowledged);
    Ok(())
}

fn topic_of(device: &DeviceId) -> String {
    format!("plotwise/v1/{device}/up")
}

/// Anew, not what the service's own jobs may have made while the year was still coming in.
async fn advise_all(place: &Workplace) -> anyhow::Result<Vec<Advice>> {
    let adviser = &place.adviser;
    let plots = place.facts.plots(&PlotFilter::default()).await?;
    let mut answers = Vec::with_capacity(plots.len());
    for plot in plots {
        answers.push(Advice::clone(&*adviser.make(&plot.id).await?));
    }
    Ok(answers)
}

/// Scores the first line of every advice against what the world alone knows.
fn write_report(path: &Path, world: &World, answers: &[Advice]) -> anyhow::Result<()> {
    let mut choices = BTreeMap::new();
    for advice in answers {
        let first = advice.ranked.first().map(choice_of).transpose()?;
        choices.insert(PlotId::parse(&advice.plot)?, first);
    }
    let score = serde_json::to_vec_pretty(&world.score(&choices))?;
    fs::write(path, score).with_context(|| format!("{} cannot be written", path.display()))
}

fn choice_of(line: &RankedLine) -> anyhow::Result<Choice> {
    Ok(Choice {
        crop: CropKey::parse(&line.crop)?,
        variety: line.variety.as_deref().map(VarietyKey::parse).transpose()?,
        is_called_safe: line
            .conditions
            .iter()
            .all(|one| !["test_before_sale", "pollution_unknown"].contains(&one.code.as_str())),
    })
}
