//! A real Mosquitto with a configuration that does not lose messages.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::plotwise::{Running, free_port, until};

/// A running broker; gone with its folder when dropped.
pub(crate) struct Mosquitto {
    running: Option<Running>,
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
        Self::start_with("allow_anonymous true\n", &[]).await
    }

    /// The same with other settings about who may do what, in which `FOLDER` stands for a folder with
    /// these files.
    pub(crate) async fn start_with(access: &str, files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let port = free_port();
        let place = folder.path().display().to_string();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).expect("a file for the broker");
        }
        // As root it would become another user, whose the folder is not.
        let settings = format!(
            "listener {port} 127.0.0.1\nuser root\n\
             persistence true\npersistence_location {place}/\nautosave_interval 1\n\
             max_inflight_messages 1000\nmax_queued_messages 100000\n\
             log_dest file {place}/log\nlog_type subscribe\n{}",
            access.replace("FOLDER", &place)
        );
        std::fs::write(folder.path().join("mosquitto.conf"), settings).expect("its settings");
        let mut broker = Self { running: None, folder, address: format!("127.0.0.1:{port}") };
        broker.begin().await;
        broker
    }

    /// Starts it again where it was stopped.
    pub(crate) async fn begin(&mut self) {
        let running = Running::start(
            Command::new(program())
                .arg("-c")
                .arg(self.path("mosquitto.conf"))
                .stdout(Stdio::null())
                .stderr(Stdio::inherit()),
        );
        self.running = Some(running);
        until("Mosquitto listens", async || {
            tokio::net::TcpStream::connect(&self.address).await.is_ok()
        })
        .await;
    }

    /// Ends it by SIGTERM: it writes down what it holds.
    pub(crate) fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.terminate();
        }
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill();
        }
    }

    /// Lets it forget every session while it is stopped.
    pub(crate) fn forget(&self) {
        std::fs::remove_file(self.path("mosquitto.db")).expect("what it has written down");
    }

    /// Waits until somebody has subscribed to `filter`: what is published before goes nowhere.
    pub(crate) async fn has_subscriber(&self, filter: &str) {
        self.has_subscribers(filter, 1).await;
    }

    /// The same for so many subscriptions since the start.
    pub(crate) async fn has_subscribers(&self, filter: &str, count: usize) {
        let log = self.path("log");
        until("somebody subscribes", async || {
            std::fs::read_to_string(&log).is_ok_and(|log| log.matches(filter).count() >= count)
        })
        .await;
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Debian keeps it where only root's path leads.
fn program() -> &'static str {
    let debian = "/usr/sbin/mosquitto";
    if Path::new(debian).exists() { debian } else { "mosquitto" }
}

/// Its plugin that refuses by rules, which lies where the machine's architecture says.
pub(crate) fn dynamic_security() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").expect("/usr/lib");
    folders
        .filter_map(|folder| Some(folder.ok()?.path().join("mosquitto_dynamic_security.so")))
        .find(|plugin| plugin.exists())
        .expect("Mosquitto's dynamic security plugin (Debian: in mosquitto)")
}
