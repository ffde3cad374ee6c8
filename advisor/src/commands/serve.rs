//! `plotwise serve`, `plotwise ingest`

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, bail};
use clap::Args;
use plotwise_config::settings::Overrides;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Global,
    workplace::{self, Workplace},
};
use crate::{
    app::App,
    service::{Roles, Service},
    telemetry::Telemetry,
};

/// Supervisors wait ten seconds before they kill; a second is left for the rest.
const PATIENCE: Duration = Duration::from_secs(9);

/// Arguments of `serve`.
#[derive(Debug, Args)]
#[command(after_help = "Example: plotwise serve --data /var/lib/plotwise --config plotwise.toml")]
pub struct ServeArgs {
    /// What this process does: ingest, web, jobs
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "ingest,web,jobs")]
    #[arg(value_parser = ["ingest", "web", "jobs"])]
    roles: Vec<String>,
    /// Where things are listened on
    #[command(flatten)]
    listen: ListenArgs,
}

/// Addresses to listen on.
#[derive(Debug, Default, Args)]
pub struct ListenArgs {
    /// Address of pages and API (setting http.listen)
    #[arg(long, value_name = "ADDR")]
    pub(super) http: Option<String>,
    /// Address that sensors connect to (setting mqtt.listener.listen)
    #[arg(long, value_name = "ADDR")]
    pub(super) mqtt: Option<String>,
}

impl ListenArgs {
    /// As settings.
    pub(super) fn overrides(&self) -> Overrides {
        let mut flags = Overrides::default();
        if let Some(address) = &self.http {
            flags = flags.with("--http", "http.listen", address);
        }
        if let Some(address) = &self.mqtt {
            flags = flags.with("--mqtt", "mqtt.listener.listen", address);
        }
        flags
    }
}

impl ServeArgs {
    pub(super) fn ingest_only(listen: ListenArgs) -> Self {
        Self { roles: vec!["ingest".to_owned()], listen }
    }

    fn roles(&self) -> Roles {
        let has = |role: &str| self.roles.iter().any(|asked| asked == role);
        Roles { ingest: has("ingest"), web: has("web"), jobs: has("jobs") }
    }
}

pub(super) fn run(global: &Global, args: &ServeArgs) -> anyhow::Result<ExitCode> {
    let settings = workplace::settings(global, args.listen.overrides())?;
    workplace::block_on(async {
        let place = Workplace::open(global, settings).await?;
        let service = Service::start(place.app(), args.roles()).await?;
        announce(&service);
        let code = wait_for_the_end().await?;
        stop(service).await?;
        Ok(code)
    })
}

/// Says where everything is.
pub(super) fn announce(service: &Service) {
    if let Some(address) = service.http {
        tracing::info!(%address, "pages and API at http://{address}/");
    }
    if let Some(address) = service.mqtt {
        tracing::info!(%address, "sensors connect to mqtt://{address}");
    }
    match &service.mqtts {
        Some((address, Some(ca))) => {
            let ca = ca.display();
            tracing::info!(%address, %ca, "and to mqtts://{address}; those trust it that hold {ca}");
        }
        Some((address, None)) => tracing::info!(%address, "and to mqtts://{address}"),
        None => {}
    }
}

/// Waits for SIGTERM (exit code 0) or Ctrl-C (130).
pub(super) async fn wait_for_the_end() -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be heard")?;
    tokio::select! {
        _ = terminate.recv() => Ok(ExitCode::SUCCESS),
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.context("Ctrl-C cannot be heard")?;
            Ok(ExitCode::from(130))
        }
    }
}

/// Stops a service; a failure where something received could not be written.
pub(super) async fn stop(service: Service) -> anyhow::Result<()> {
    tracing::info!("stopping: finishing what is in hand");
    if !service.stop(PATIENCE).await {
        bail!(
            "not everything could be finished in {} s; what was not written was not acknowledged \
             and will be sent again",
            PATIENCE.as_secs()
        );
    }
    Ok(())
}

impl Workplace {
    /// What a service runs on.
    pub(super) fn app(&self) -> App {
        App {
            settings: std::sync::Arc::clone(&self.settings),
            catalogue: std::sync::Arc::clone(&self.catalogue),
            facts: self.facts.clone(),
            store: self.store.clone(),
            clock: self.clock,
            adviser: self.adviser.clone(),
            telemetry: Telemetry::default(),
            disk: self.disk(),
            ingest: None,
        }
    }
}
