//! A running service: what receives readings, what answers requests, what keeps advice fresh.
//!
//! [`Service::start`] binds every address before it returns, so that a port in use is an error and
//! not a log line. [`Service::stop`] finishes what is in hand, the readings first: what was
//! acknowledged is on disk already, and what is on its way is written before the writer ends.

mod watching;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use plotwise_config::{catalogue::Catalogue, settings::Settings};
use plotwise_ingest::{
    clock::Clock,
    decode::Quantities,
    facts::{Facts, FactsError},
    link::{Link, LinkError},
    listener::{BindError, Listener, ListenerOptions},
    pipeline::{Pipeline, PipelineOptions, Running},
    store::{Store, StoreError},
    surroundings::Surroundings,
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use crate::{adviser::Adviser, app::App, routes};

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

/// What a service runs on.
#[derive(Clone)]
pub struct Parts {
    /// As started.
    pub settings: Arc<Settings>,
    /// As loaded.
    pub catalogue: Arc<Catalogue>,
    /// Plots, devices, harvests.
    pub facts: Facts,
    /// Readings.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// Makes and keeps advice.
    pub adviser: Adviser,
}

/// A running service.
pub struct Service {
    /// Where pages and API are, where they are.
    pub http: Option<SocketAddr>,
    /// Where sensors connect, where they can.
    pub mqtt: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    receiving: JoinSet<()>,
    answering: JoinSet<()>,
    writer: Option<Running>,
}

impl Service {
    /// Binds addresses, opens what is needed, and starts.
    ///
    /// # Errors
    ///
    /// [`ServiceError`] where an address is taken or a database cannot be used; nothing runs then.
    pub async fn start(parts: Parts, roles: Roles) -> Result<Self, ServiceError> {
        let (stop, stopping) = watch::channel(false);
        let mut service = Self {
            http: None,
            mqtt: None,
            stop,
            receiving: JoinSet::new(),
            answering: JoinSet::new(),
            writer: None,
        };
        let pipeline = if roles.ingest {
            let pipeline = service.start_pipeline(&parts)?;
            service.start_receiving(&parts, &pipeline, &stopping).await?;
            Some(pipeline)
        } else {
            None
        };
        if roles.web {
            service.start_answering(&parts, pipeline.as_ref(), stopping.clone()).await?;
        }
        if roles.jobs {
            let jobs =
                watching::keep_advice_fresh(parts.adviser, parts.facts, parts.clock, stopping);
            service.answering.spawn(jobs);
        }
        Ok(service)
    }

    /// Finishes what is in hand within `patience`. Says whether everything received was written.
    pub async fn stop(mut self, patience: Duration) -> bool {
        // Nobody listens any more where every task has ended already.
        let _ = self.stop.send(true);
        let deadline = tokio::time::Instant::now() + patience;
        let ended = tokio::time::timeout_at(deadline, drain(&mut self.receiving)).await.is_ok();
        let is_written = match self.writer.take() {
            Some(writer) => writer.finish(deadline - tokio::time::Instant::now()).await,
            None => true,
        };
        // Pages and API acknowledge nothing: whoever waits longer may ask again.
        let _ = tokio::time::timeout_at(deadline, drain(&mut self.answering)).await;
        ended && is_written
    }

    fn start_pipeline(&mut self, parts: &Parts) -> Result<Pipeline, ServiceError> {
        let mut writer = parts.store.writer()?;
        let (pipeline, running) = Pipeline::start(
            move |batch| writer.commit(batch).map(Into::into),
            PipelineOptions::default(),
            parts.clock,
        )
        .map_err(ServiceError::Thread)?;
        self.writer = Some(running);
        Ok(pipeline)
    }

    async fn start_receiving(
        &mut self,
        parts: &Parts,
        pipeline: &Pipeline,
        stopping: &watch::Receiver<bool>,
    ) -> Result<(), ServiceError> {
        let (known, directory) = watch::channel(Arc::new(parts.facts.directory().await?));
        let surroundings = Surroundings {
            pipeline: pipeline.clone(),
            directory,
            quantities: Arc::new(Quantities::new(&parts.catalogue)),
            clock: parts.clock,
            shutdown: stopping.clone(),
        };
        let settings = &parts.settings.mqtt;
        if settings.listener.enabled {
            let options = ListenerOptions::from(settings.listener.limits);
            let listener = Listener::bind(settings.listener.listen, options).await?;
            self.mqtt = listener.local_addr().ok();
            self.receiving.spawn(listener.run(surroundings.clone()));
        }
        for link in &settings.links {
            let link = Link::new(link)?;
            self.receiving.spawn(link.run(surroundings.clone()));
        }
        let facts = parts.facts.clone();
        self.receiving.spawn(watching::keep_directory_fresh(facts, known, stopping.clone()));
        Ok(())
    }

    async fn start_answering(
        &mut self,
        parts: &Parts,
        pipeline: Option<&Pipeline>,
        mut stopping: watch::Receiver<bool>,
    ) -> Result<(), ServiceError> {
        let address = parts.settings.http.listen;
        let in_use = |source| ServiceError::Http { address, source };
        let socket = TcpListener::bind(address).await.map_err(in_use)?;
        self.http = Some(socket.local_addr().map_err(in_use)?);
        let app = App {
            settings: Arc::clone(&parts.settings),
            catalogue: Arc::clone(&parts.catalogue),
            facts: parts.facts.clone(),
            store: parts.store.clone(),
            clock: parts.clock,
            adviser: parts.adviser.clone(),
            pipeline: pipeline.map(Pipeline::state),
        };
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

async fn drain(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a task of the service failed: {error}");
        }
    }
}
