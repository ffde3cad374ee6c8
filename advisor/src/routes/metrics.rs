//! `/metrics`: what the process counts, in the `OpenMetrics` text format that Prometheus reads.
//!
//! Nothing is kept here: a scrape reads the counters of the parts that count. A part that this process
//! does not run gives no metric, so that nobody takes its silence for zero.

use std::{fmt, sync::Arc};

use axum::{
    Router, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing::get,
};
use plotwise_ingest::{
    facts::DeviceFilter,
    intake::DeadLetterReason,
    link::LinkState,
    listener::ListenerCounters,
    pipeline::{Counters, Pipeline, PipelineState},
    rhythm::Liveness,
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet, text},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

use crate::{app::App, problem::ApiError, telemetry::Telemetry};

/// `OpenMetrics` 1.0.0, section "Overall structure".
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(State(app): State<Arc<App>>) -> Result<impl IntoResponse, ApiError> {
    let mut registry = Registry::default();
    let scrape = Scrape { telemetry: app.telemetry.clone(), devices: devices(&app).await? };
    registry.register_collector(Box::new(scrape));
    let mut body = String::new();
    text::encode(&mut body, &registry).map_err(ApiError::internal)?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], body))
}

/// How many devices are in each state; gateways are not heard themselves.
async fn devices(app: &App) -> Result<[(&'static str, u64); 5], ApiError> {
    let known = app.facts.devices(&DeviceFilter::default()).await.map_err(ApiError::internal)?;
    let (seen, now) = (app.last_seen().await?, app.clock.now());
    let mut counts = Liveness::ALL.map(|state| (state.key(), 0));
    for device in known.iter().filter(|device| !device.is_gateway) {
        let heard = seen.get(&device.id).map(|last| &last.heard);
        let state = Liveness::of(heard, now).key();
        counts.iter_mut().filter(|(key, _)| *key == state).for_each(|(_, count)| *count += 1);
    }
    Ok(counts)
}

/// One reading of everything.
#[derive(Debug)]
struct Scrape {
    telemetry: Telemetry,
    devices: [(&'static str, u64); 5],
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        of_devices(&mut encoder, &self.devices)?;
        if let Some(pipeline) = &self.telemetry.pipeline {
            of_observations(&mut encoder, pipeline.counters())?;
            of_commits(&mut encoder, pipeline)?;
        }
        if let Some(let_go) = &self.telemetry.let_go {
            counters(
                &mut encoder,
                "plotwise_dead_letters_let_go",
                "Dead letters let go to keep their bounds in age and size",
                "reason",
                &DeadLetterReason::ALL.map(|reason| (reason.key(), let_go.of(reason))),
            )?;
        }
        if let Some(listener) = &self.telemetry.listener {
            of_listener(&mut encoder, listener)?;
        }
        of_links(&mut encoder, &self.telemetry)
    }
}

fn of_observations(encoder: &mut DescriptorEncoder<'_>, counts: &Counters) -> fmt::Result {
    counter(
        encoder,
        "plotwise_observations_accepted",
        "Observations that are on disk, new or not",
        counts.accepted(),
    )?;
    counter(
        encoder,
        "plotwise_observations_stored",
        "Observations that were new, or added readings to one",
        counts.stored(),
    )?;
    counter(
        encoder,
        "plotwise_observations_duplicate",
        "Observations that were there already",
        counts.duplicate(),
    )?;
    let letters = DeadLetterReason::ALL.map(|reason| (reason.key(), counts.dead_letters(reason)));
    counters(
        encoder,
        "plotwise_dead_letters",
        "Messages, or readings of one, that could not be stored",
        "reason",
        &letters,
    )?;
    counters(
        encoder,
        "plotwise_readings_flagged",
        "Readings flagged on arrival: X is a fault code, T a time from arrival",
        "flag",
        &[("X", counts.fault_codes()), ("T", counts.times_from_arrival())],
    )?;
    counter(
        encoder,
        "plotwise_messages_ignored",
        "Messages that are no telemetry: joining, status, device information",
        counts.ignored(),
    )?;
    counter(
        encoder,
        "plotwise_lost_messages",
        "Messages that were missing by their seq when a later one came",
        counts.lost_messages(),
    )?;
    counter(
        encoder,
        "plotwise_found_messages",
        "Missing messages that came after all",
        counts.found_messages(),
    )
}

fn of_commits(encoder: &mut DescriptorEncoder<'_>, pipeline: &Pipeline) -> fmt::Result {
    let counts = pipeline.counters();
    let by_time: Vec<_> = counts.commits_by_time().collect();
    let commits: u64 = by_time.iter().map(|(_, count)| count).sum();
    encoder
        .encode_descriptor(
            "plotwise_commit_seconds",
            "Time of a commit, its sync included",
            None,
            MetricType::Histogram,
        )?
        .encode_histogram::<NoLabelSet>(
            counts.commit_time().as_secs_f64(),
            commits,
            &by_time,
            None,
        )?;
    counter(
        encoder,
        "plotwise_commits_failed",
        "Commits that the store refused; each is tried again",
        counts.failed_commits(),
    )?;
    gauge(
        encoder,
        "plotwise_queue_depth",
        "Observations and dead letters that wait for their commit",
        counts.waiting() as f64,
    )?;
    let (taken, all) = pipeline.room_bytes();
    gauge(encoder, "plotwise_queue_bytes", "Memory that what waits takes", taken as f64)?;
    gauge(encoder, "plotwise_queue_bytes_max", "Memory that what waits may take", all as f64)?;
    let is_stalled = *pipeline.state().borrow() != PipelineState::Running;
    gauge(
        encoder,
        "plotwise_stalled",
        "1 while nothing can be written and nothing is acknowledged",
        f64::from(u8::from(is_stalled)),
    )
}

fn of_devices(encoder: &mut DescriptorEncoder<'_>, devices: &[(&str, u64)]) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(
        "plotwise_devices",
        "Devices by whether they send as they used to",
        None,
        MetricType::Gauge,
    )?;
    for (state, count) in devices {
        let labels = [("state", *state)];
        ConstGauge::new(count.cast_signed()).encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}

fn of_listener(encoder: &mut DescriptorEncoder<'_>, listener: &ListenerCounters) -> fmt::Result {
    gauge(
        encoder,
        "plotwise_connections",
        "Sensors and gateways connected now",
        listener.open() as f64,
    )?;
    counters(
        encoder,
        "plotwise_listener_events",
        "What the listener met: connections, refusals and limits",
        "event",
        &listener.totals(),
    )
}

fn of_links(encoder: &mut DescriptorEncoder<'_>, telemetry: &Telemetry) -> fmt::Result {
    if telemetry.links.is_empty() {
        return Ok(());
    }
    let mut metric = encoder.encode_descriptor(
        "plotwise_link_up",
        "1 while the link to this broker is subscribed",
        None,
        MetricType::Gauge,
    )?;
    for (name, state) in &telemetry.links {
        let is_up = matches!(*state.borrow(), LinkState::Up { .. });
        let labels = [("link", name.as_str())];
        ConstGauge::new(i64::from(is_up)).encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}

/// The format appends `_total` to the name.
fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    ConstCounter::new(value).encode(metric)
}

fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    values: &[(&str, u64)],
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (key, value) in values {
        let labels = [(label, *key)];
        ConstCounter::new(*value).encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> fmt::Result {
    let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    ConstGauge::new(value).encode(metric)
}
