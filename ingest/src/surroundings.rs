//! What listener and links are given: the way to the store, who there is, the time, the end.

use std::sync::Arc;

use tokio::sync::watch;

use crate::{clock::Clock, decode::Decoders, directory::Directory, pipeline::Pipeline};

/// Everything that a listener or a link needs of the process around it.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Where messages go.
    pub pipeline: Pipeline,
    /// Who may connect, and whose devices there are.
    pub directory: watch::Receiver<Arc<Directory>>,
    /// What may be measured, and how devices say it.
    pub decoders: Arc<Decoders>,
    /// Stamps arrivals.
    pub clock: Clock,
    /// Turns true when it is time to end.
    pub shutdown: watch::Receiver<bool>,
}

/// Waits until it is time to end, or nobody is left to say so. Cancel safe.
pub(crate) async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone: the end as well.
    let _ = shutdown.wait_for(|stop| *stop).await;
}
