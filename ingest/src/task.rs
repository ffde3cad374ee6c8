//! Tasks that belong to a connection.

use tokio::task::JoinHandle;

/// A task that does not outlive the connection that it serves: dropped, it is aborted.
#[derive(Debug)]
pub(crate) struct AbortOnDrop(JoinHandle<()>);

impl AbortOnDrop {
    /// Starts `task`.
    pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task))
    }

    /// Waits for its end. Cancel safe.
    pub(crate) async fn ended(&mut self) {
        // A panic there is reported by its own hook.
        let _ = (&mut self.0).await;
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
