//! Notices what other commands change beside a running service.

use std::{sync::Arc, time::Duration};

use plotwise_ingest::{clock::Clock, directory::Directory, facts::Facts};
use tokio::{sync::watch, time::MissedTickBehavior};

use crate::adviser::Adviser;

/// A device that was just registered may connect after so long at the latest.
const DIRECTORY_EVERY: Duration = Duration::from_millis(500);
/// The day changes once in this; imports that change advice are as rare.
const ADVICE_EVERY: Duration = Duration::from_secs(5);

/// Reads the directory of devices anew whenever the facts changed.
pub(super) async fn keep_directory_fresh(
    facts: Facts,
    known: watch::Sender<Arc<Directory>>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut seen = None;
    let mut ticks = ticks(DIRECTORY_EVERY);
    while ticked(&mut ticks, &mut stopping).await {
        let read = async {
            let revision = facts.revision().await?;
            let is_new = seen != Some(revision);
            let directory = if is_new { Some(facts.directory().await?) } else { None };
            Ok::<_, plotwise_ingest::facts::FactsError>((revision, directory))
        };
        match read.await {
            Ok((revision, directory)) => {
                seen = Some(revision);
                if let Some(directory) = directory {
                    known.send_replace(Arc::new(directory));
                }
            }
            Err(error) => {
                tracing::error!(%error, "the list of devices cannot be read: {error}");
            }
        }
    }
}

/// Makes advice anew for every plot whenever the facts or the day changed.
pub(super) async fn keep_advice_fresh(
    adviser: Adviser,
    facts: Facts,
    clock: Clock,
    mut stopping: watch::Receiver<bool>,
) {
    let mut seen = None;
    let mut ticks = ticks(ADVICE_EVERY);
    while ticked(&mut ticks, &mut stopping).await {
        // Zones differ between cooperatives; an hour is fine enough for all of them.
        let hour = clock.now().as_second() / 3600;
        match facts.revision().await {
            Ok(revision) if seen == Some((revision, hour)) => {}
            Ok(revision) => match adviser.refresh_all().await {
                Ok(count) => {
                    seen = Some((revision, hour));
                    tracing::debug!(count, "advice for {count} plots is fresh");
                }
                Err(error) => tracing::error!(%error, "advice could not be made: {error}"),
            },
            Err(error) => tracing::error!(%error, "the facts cannot be read: {error}"),
        }
    }
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Waits for the next tick; false once it is time to end.
async fn ticked(ticks: &mut tokio::time::Interval, stopping: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        biased;
        _ = stopping.wait_for(|stop| *stop) => false,
        _ = ticks.tick() => true,
    }
}
