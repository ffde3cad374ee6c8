//! A real Mosquitto with a configuration that does not lose messages.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::plotwise::{Running, free_port, until};

/// A running broker; gone with its folder when dropped.
pub(crate) struct Mosquitto {
    _running: Running,
    folder: TempDir,
    pub(crate) address: String,
}

impl Mosquitto {
    /// Starts it on a free port and waits until it listens.
    ///
    /// # Panics
    ///
    /// Where it is not installed; `tests/check.sh` does that.
    pub(crate) async fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let port = free_port();
        let place = folder.path().display();
        // As root it would become another user, whose the folder is not.
        let settings = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n\
             persistence true\npersistence_location {place}/\nautosave_interval 1\n\
             max_inflight_messages 1000\nmax_queued_messages 100000\n\
             log_dest file {place}/log\nlog_type subscribe\n"
        );
        let file = folder.path().join("mosquitto.conf");
        std::fs::write(&file, settings).expect("a file in the temporary folder");
        let running = Running::start(
            Command::new(program())
                .arg("-c")
                .arg(&file)
                .stdout(Stdio::null())
                .stderr(Stdio::inherit()),
        );
        let address = format!("127.0.0.1:{port}");
        until("Mosquitto listens", async || tokio::net::TcpStream::connect(&address).await.is_ok())
            .await;
        Self { _running: running, folder, address }
    }

    /// Waits until somebody has subscribed to `filter`: what is published before goes nowhere.
    pub(crate) async fn has_subscriber(&self, filter: &str) {
        let log = self.folder.path().join("log");
        until("somebody subscribes", async || {
            std::fs::read_to_string(&log).is_ok_and(|log| log.contains(filter))
        })
        .await;
    }
}

/// Debian keeps it where only root's path leads.
fn program() -> &'static str {
    let debian = "/usr/sbin/mosquitto";
    if Path::new(debian).exists() { debian } else { "mosquitto" }
}
