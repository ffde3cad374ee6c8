//! A running service: what receives readings, what answers requests, what keeps advice fresh.
//!
//! [`Service::start`] binds every address before it returns, so that a port in use is an error and
//! not a log line. [`Service::stop`] finishes what is in hand, the readings first: what was
//! acknowledged is on disk already, and what is on its way is written before the writer ends.

mod watching;

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use plotwise_ingest::{
    days::Summariser,
    decode::Decoders,
    facts::FactsError,
    link::{Link, LinkError},
    listener::{BindError, Listener, ListenerOptions},
    pipeline::{Pipeline, PipelineOptions, Running},
    store::{LetGo, LetterLimits, RawLimits, StoreError, sealing},
    surroundings::Surroundings,
    tls::{ServerTls, TlsError},
    upkeep::{Chore, Step, Upkeep},
};
use tokio::{net::TcpListener, runtime::Handle, sync::watch, task::JoinSet};

use crate::{app::App, routes, telemetry::Telemetry};

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Receives readings: the listener and the links.
    pub ingest: bool,
    /// Serves API and pages.
    pub web: bool,
    /// Keeps advice fresh.
    pub jobs: bool,
}

impl Roles {
    /// All of it in one process.
    pub const ALL: Self = Self { ingest: true, web: true, jobs: true };
}

/// Why a service did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The listener's address cannot be had.
    #[error(transparent)]
    Listener(#[from] BindError),
    /// The address of API and pages cannot be had.
    #[error(
        "{address} cannot be listened on; end the program that uses it, or set another address in [http] listen"
    )]
    Http {
        /// Which address.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The listener's certificate cannot be used.
    #[error("[mqtt.listener.tls]: {0}")]
    Tls(#[from] TlsError),
    /// A broker's address or subscription cannot be used.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The readings cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The facts cannot be read.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// The operating system gives no thread.
    #[error("no thread for the writer of readings")]
    Thread(#[source] io::Error),
}

/// A running service.
pub struct Service {
    /// Where pages and API are, where they are.
    pub http: Option<SocketAddr>,
    /// Where sensors connect, where they can.
    pub mqtt: Option<SocketAddr>,
    /// Where they connect over TLS, and the file that they need to trust it, where it is of our making.
    pub mqtts: Option<(SocketAddr, Option<PathBuf>)>,
    stop: watch::Sender<bool>,
    receiving: JoinSet<()>,
    answering: JoinSet<()>,
    writer: Option<Running>,
    upkeep: Option<Upkeep>,
}

impl Service {
    /// Binds addresses, opens what is needed, and starts.
    ///
    /// # Errors
    ///
    /// [`ServiceError`] where an address is taken or a database cannot be used; nothing runs then.
    pub async fn start(mut app: App, roles: Roles) -> Result<Self, ServiceError> {
        let (stop, stopping) = watch::channel(false);
        let mut service = Self {
            http: None,
            mqtt: None,
            mqtts: None,
            stop,
            receiving: JoinSet::new(),
            answering: JoinSet::new(),
            writer: None,
            upkeep: None,
        };
        if roles.ingest {
            let (chores, let_go) = chores(&app)?;
            let upkeep = Upkeep::start(chores, app.clock).map_err(ServiceError::Thread)?;
            service.upkeep = Some(upkeep);
            let pipeline = service.start_pipeline(&app)?;
            let (telemetry, surroundings) =
                service.start_receiving(&app, pipeline, &stopping).await?;
            app.telemetry = Telemetry { let_go: Some(let_go), ..telemetry };
            app.ingest = Some(surroundings);
        }
        if roles.web {
            service.start_answering(app.clone(), stopping.clone()).await?;
        }
        if roles.jobs {
            let jobs = watching::keep_advice_fresh(app.adviser, app.facts, app.clock, stopping);
            service.answering.spawn(jobs);
        }
        Ok(service)
    }

    /// Finishes what is in hand within `patience`. Says whether everything received was written.
    pub async fn stop(mut self, patience: Duration) -> bool {
        // Nobody listens any more where every task has ended already.
        let _ = self.stop.send(true);
        let upkeep = self.upkeep.take();
        // It waits for a thread that is in the middle of a step.
        let upkeep = tokio::task::spawn_blocking(move || drop(upkeep));
        let deadline = tokio::time::Instant::now() + patience;
        let ended = tokio::time::timeout_at(deadline, drain(&mut self.receiving)).await.is_ok();
        let is_written = match self.writer.take() {
            Some(writer) => writer.finish(deadline - tokio::time::Instant::now()).await,
            None => true,
        };
        // Pages and API acknowledge nothing: whoever waits longer may ask again.
        let _ = tokio::time::timeout_at(deadline, drain(&mut self.answering)).await;
        let _ = tokio::time::timeout_at(deadline, upkeep).await;
        ended && is_written
    }

    fn start_pipeline(&mut self, app: &App) -> Result<Pipeline, ServiceError> {
        let writer = app.store.writer()?;
        writer.leave_log()?;
        let commit = Arc::clone(&app.disk).before(writer);
        let (pipeline, running) = Pipeline::start(commit, PipelineOptions::default(), app.clock)
            .map_err(ServiceError::Thread)?;
        self.writer = Some(running);
        Ok(pipeline)
    }

    async fn start_receiving(
        &mut self,
        app: &App,
        pipeline: Pipeline,
        stopping: &watch::Receiver<bool>,
    ) -> Result<(Telemetry, Surroundings), ServiceError> {
        let mut telemetry = Telemetry { pipeline: Some(pipeline.clone()), ..Telemetry::default() };
        let (known, directory) = watch::channel(Arc::new(app.facts.directory().await?));
        let surroundings = Surroundings {
            pipeline,
            directory,
            decoders: Arc::new(Decoders::new(&app.catalogue)),
            clock: app.clock,
            shutdown: stopping.clone(),
        };
        let settings = &app.settings.mqtt;
        if settings.listener.enabled {
            let options = ListenerOptions::from(settings.listener.limits);
            let mut listener = Listener::bind(settings.listener.listen, options).await?;
            self.mqtt = listener.local_addr().ok();
            let tls = &settings.listener.tls;
            let data = app.store.path().parent().unwrap_or(Path::new("."));
            if let Some(certificate) = ServerTls::open(tls, data, app.clock.now())? {
                let authority = certificate.authority();
                listener = listener.with_tls(tls.listen, Arc::new(certificate)).await?;
                self.mqtts = listener.tls_addr().map(|address| (address, authority));
            }
            telemetry.listener = Some(listener.counters());
            self.receiving.spawn(listener.run(surroundings.clone()));
        }
        for link in &settings.links {
            let link = Link::new(link)?;
            telemetry.links.push((link.name(), link.state()));
            self.receiving.spawn(link.run(surroundings.clone()));
        }
        let facts = app.facts.clone();
        self.receiving.spawn(watching::keep_directory_fresh(facts, known, stopping.clone()));
        Ok((telemetry, surroundings))
    }

    async fn start_answering(
        &mut self,
        app: App,
        mut stopping: watch::Receiver<bool>,
    ) -> Result<(), ServiceError> {
        let address = app.settings.http.listen;
        let in_use = |source| ServiceError::Http { address, source };
        let socket = TcpListener::bind(address).await.map_err(in_use)?;
        self.http = Some(socket.local_addr().map_err(in_use)?);
        let router = routes::router(Arc::new(app));
        self.answering.spawn(async move {
            let stopped = async move {
                // An error means that the service is gone: stop as well.
                let _ = stopping.wait_for(|stop| *stop).await;
            };
            if let Err(error) = axum::serve(socket, router).with_graceful_shutdown(stopped).await {
                tracing::error!(%error, "pages and API ended: {error}");
            }
        });
        Ok(())
    }
}

/// How often the log is looked at.
const LOG_EVERY: Duration = Duration::from_millis(250);

/// How often days with new readings are summarised; until then whoever reads them does it.
const SUMMARIES_EVERY: Duration = Duration::from_mins(1);

/// A flood of dead letters goes beyond its bound for so long at most.
const LETTERS_EVERY: Duration = Duration::from_secs(2);

/// Messages kept as they came go beyond their bound for so long at most.
const RAW_EVERY: Duration = Duration::from_secs(10);

/// Weeks become too old one at a time.
const RETENTION_EVERY: Duration = Duration::from_hours(1);

/// What is done to the stored readings in the background, and a count of the dead letters that it let go.
fn chores(app: &App) -> Result<(Vec<Chore>, Arc<LetGo>), StoreError> {
    let mut checkpoints = app.store.checkpoints()?;
    let copying = Chore::new("copying the log", LOG_EVERY, move |_| {
        checkpoints.copy_if_worth().map(|_| Step::Done)
    });
    let (facts, catalogue) = (app.facts.clone(), Arc::clone(&app.catalogue));
    let mut summariser = Summariser::new(&app.store, facts, catalogue, Handle::current())?;
    let summaries = Chore::new("day summaries", SUMMARIES_EVERY, move |now| summariser.step(now));
    let limits = &app.settings.dead_letters;
    let limits = LetterLimits { retain_days: limits.retain_days, max_mb: limits.max_mb };
    let mut bounds = app.store.letter_bounds(limits)?;
    let let_go = bounds.counters();
    let letters = Chore::new("bounds of dead letters", LETTERS_EVERY, move |now| bounds.keep(now));
    let mut chores = vec![copying, summaries, sealing(&app.store)?, letters];
    let retain_days = app.settings.store.retain_days;
    if retain_days > 0 {
        let mut retention = app.store.retention()?;
        let step = move |now| retention.step(now, retain_days);
        chores.push(Chore::new("retention", RETENTION_EVERY, step));
    }
    let (keep_days, max_mb) =
        (app.settings.store.keep_raw_days, app.settings.store.keep_raw_max_mb);
    let mut bounds = app.store.raw_bounds(RawLimits { keep_days, max_mb })?;
    let step = move |now| bounds.keep(now);
    chores.push(Chore::new("bounds of kept messages", RAW_EVERY, step));
    Ok((chores, let_go))
}

async fn drain(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a task of the service failed: {error}");
        }
    }
}
