//! How a sender learns that its messages are on disk.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::Notify;

/// A count of messages that are on disk, shared by one sender and the writer.
///
/// Messages of one sender are written in the order in which it handed them in, so the count says
/// which. A connection to a broker that was lost leaves its receipts behind: a new one starts at
/// nought, and no late commit can acknowledge a message of another epoch.
#[derive(Clone, Debug, Default)]
pub struct Receipts(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    done: AtomicU64,
    changed: Notify,
}

impl Receipts {
    /// How many messages are on disk.
    pub fn done(&self) -> u64 {
        self.0.done.load(Ordering::Acquire)
    }

    /// Waits until [`Receipts::done`] may have grown since the last wait. Cancel safe.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    pub(super) fn count(&self, messages: u32) {
        self.0.done.fetch_add(u64::from(messages), Ordering::Release);
        self.0.changed.notify_one();
    }
}
