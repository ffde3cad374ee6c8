//! The real binary in a data directory of its own.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// A data directory and the commands run on it; gone when dropped.
pub(crate) struct Plotwise {
    folder: TempDir,
}

/// A running service; killed when dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) http: String,
    pub(crate) mqtt: String,
}

impl Plotwise {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder") }
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Writes a file beside the data directory.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("a file in the temporary folder");
        path
    }

    /// A command on this data directory, ready to run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).arg("--data").arg(self.data()).current_dir(self.folder.path());
        command.env_remove("PLOTWISE_DATA").env_remove("PLOTWISE_CONFIG");
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary starts")
    }

    /// Runs a command that must succeed; its stdout.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "plotwise {} failed: {stderr}", arguments.join(" "));
        String::from_utf8(output.stdout).expect("stdout is UTF-8")
    }

    /// Runs a command that must succeed and print JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let text = self.ok(&[arguments, &["--format", "json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    /// Runs a command that must fail with exit code 1; its stderr.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "plotwise {}: {stderr}", arguments.join(" "));
        assert!(!stderr.contains("panicked"), "{stderr}");
        stderr
    }

    /// Starts `serve` on free ports and waits until it is ready.
    pub(crate) async fn serve(&self) -> Serving {
        self.serve_with(&[]).await
    }

    /// The same with more arguments.
    pub(crate) async fn serve_with(&self, arguments: &[&str]) -> Serving {
        let http = format!("127.0.0.1:{}", free_port());
        let mqtt = format!("127.0.0.1:{}", free_port());
        let child = self
            .command(&[&["serve", "--http", &http, "--mqtt", &mqtt], arguments].concat())
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut serving = Serving { child, http, mqtt };
        serving.wait_until_ready().await;
        serving
    }
}

impl Serving {
    /// `http://` and the rest of an address.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// Polls `/readyz`: the one way from outside to learn that a process has started.
    async fn wait_until_ready(&mut self) {
        let started = Instant::now();
        loop {
            if let Ok(answer) = reqwest::get(self.url("/readyz")).await
                && answer.status().is_success()
            {
                return;
            }
            if let Some(status) = self.child.try_wait().expect("the child can be asked") {
                panic!("serve ended with {status} before it was ready");
            }
            assert!(started.elapsed() < Duration::from_secs(30), "serve was not ready in 30 s");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// kill -9.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("the child can be killed");
        self.child.wait().expect("the child can be waited for");
    }

    /// SIGTERM; how long it took to end, and whether with exit code 0.
    pub(crate) fn terminate(mut self) -> (Duration, bool) {
        let started = Instant::now();
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(sent.success());
        let status = self.child.wait().expect("the child can be waited for");
        (started.elapsed(), status.success())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Fails where it was killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// The binary that `tests/check.sh` has built, or the one that `PLOTWISE_BIN` names.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("PLOTWISE_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().expect("the test knows its own path");
    let target = test.ancestors().nth(3).expect("target/debug/deps/it-...");
    let path = target.join("release/plotwise");
    assert!(path.exists(), "{} is missing: cargo build --release --bin plotwise", path.display());
    path
}

/// The folder of real readings, or a word on stderr that the test is skipped.
pub(crate) fn shared(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("PLOTWISE_SHARED").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("{test}: skipped, PLOTWISE_SHARED does not name the folder of real readings");
    }
    folder.filter(|folder| Path::new(folder).is_dir())
}
