//! What most commands open first: settings, catalogue, both databases.

use std::{future::Future, io::IsTerminal, path::Path, sync::Arc};

use anyhow::Context;
use plotwise_config::{
    catalogue::Catalogue,
    settings::{LogFormat, Overrides, Settings},
};
use plotwise_ingest::{
    clock::Clock,
    disk::DiskGuard,
    facts::Facts,
    store::{Store, StoreOptions},
};
use tracing_subscriber::{EnvFilter, fmt};

use super::Global;
use crate::adviser::Adviser;

/// Everything a command works with.
pub(super) struct Workplace {
    pub(super) settings: Arc<Settings>,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) facts: Facts,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) adviser: Adviser,
}

impl Workplace {
    /// Watches the disk of the readings.
    pub(super) fn disk(&self) -> Arc<DiskGuard> {
        let directory = self.store.path().parent().unwrap_or(Path::new("."));
        Arc::new(DiskGuard::new(directory.to_owned(), self.settings.store.disk_free_min_mb))
    }

    /// Opens the data directory, creating it where it is new.
    pub(super) async fn open(global: &Global, settings: Settings) -> anyhow::Result<Self> {
        Self::open_in(&global.data(), settings).await
    }

    /// The same for a directory that the command chose.
    pub(super) async fn open_in(data: &Path, settings: Settings) -> anyhow::Result<Self> {
        let settings = Arc::new(settings);
        let catalogue = Arc::new(Catalogue::load(&settings.catalogue.folders)?);
        settings.check_profiles(&catalogue)?;
        std::fs::create_dir_all(data).with_context(|| {
            format!(
                "the data directory {} cannot be made; choose another with --data",
                data.display()
            )
        })?;
        let options = StoreOptions {
            redelivery_window_s: settings.store.redelivery_window_s,
            keeps_raw: settings.store.keep_raw_days > 0,
        };
        let store = Store::open(data, Arc::clone(&catalogue), options)?;
        let facts = match settings.facts.file() {
            Some(file) => Facts::open_file(&file, Arc::clone(&catalogue)).await?,
            None => Facts::open(data, Arc::clone(&catalogue)).await?,
        };
        let clock = Clock::system();
        let adviser = Adviser::new(
            Arc::clone(&catalogue),
            facts.clone(),
            store.clone(),
            clock,
            settings.advice.window_days,
        );
        Ok(Self { settings, catalogue, facts, store, clock, adviser })
    }
}

/// Reads settings and starts logging.
pub(super) fn settings(global: &Global, mut flags: Overrides) -> anyhow::Result<Settings> {
    if let Some(level) = &global.log {
        flags = flags.with("--log", "log.level", level);
    }
    if let Some(format) = &global.log_format {
        flags = flags.with("--log-format", "log.format", format);
    }
    let settings = Settings::load(global.config.as_deref(), std::env::vars(), &flags)?;
    start_log(&settings)?;
    Ok(settings)
}

fn start_log(settings: &Settings) -> anyhow::Result<()> {
    // Databases tell every migration and slow statement at info: of use to us, noise to operators.
    let level = format!("sea_orm_migration=warn,sqlx=error,{}", settings.log.level);
    let filter =
        EnvFilter::try_new(level).with_context(|| format!("log level {:?}", settings.log.level))?;
    let log = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A line that cannot be written is lost; saying so on stderr as well would panic, and a full
        // disk under the log would end the thread that writes readings.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal());
    // A second command in the same process (demo) keeps the first one's log.
    let _already_started = match settings.log.format {
        LogFormat::Json => log.json().try_init(),
        LogFormat::Text => log.try_init(),
    };
    Ok(())
}

/// Runs a command's work on a runtime of its own.
pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime could not be started")?;
    runtime.block_on(work)
}
