//! What a running service counts, gathered for `/metrics` and the readiness of the process.

use std::sync::Arc;

use plotwise_ingest::{
    link::LinkState, listener::ListenerCounters, pipeline::Pipeline, store::LetGo,
};
use tokio::sync::watch;

/// The counting parts of a service; those that this process does not run are absent.
#[derive(Clone, Debug, Default)]
pub struct Telemetry {
    /// Where readings go to disk.
    pub pipeline: Option<Pipeline>,
    /// Where sensors connect.
    pub listener: Option<Arc<ListenerCounters>>,
    /// Dead letters let go to keep their bounds.
    pub let_go: Option<Arc<LetGo>>,
    /// Links by the name of their broker.
    pub links: Vec<(String, watch::Receiver<LinkState>)>,
}
