//! The real binary in a data directory of its own.
//!
//! Nothing here waits for a fixed time: [`until`] asks again and again until something is so.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// How long [`until`] asks. Machines that test are shared and slow; nothing should take this long.
const PATIENCE: Duration = Duration::from_mins(2);

/// How often [`until`] asks.
const PAUSE: Duration = Duration::from_millis(20);

/// A data directory and the commands run on it; gone when dropped.
pub(crate) struct Plotwise {
    folder: TempDir,
    data: PathBuf,
}

/// A running program; killed when dropped.
pub(crate) struct Running {
    child: Child,
}

/// A running service; killed when dropped.
pub(crate) struct Serving {
    running: Running,
    pub(crate) http: String,
    pub(crate) mqtt: String,
}

impl Plotwise {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let data = folder.path().join("data");
        Self { folder, data }
    }

    /// The same with a data directory elsewhere, which is left as it is in the end.
    pub(crate) fn on(data: PathBuf) -> Self {
        Self { data, ..Self::new() }
    }

    /// The data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Path of a file beside the data directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file beside the data directory.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).expect("a file in the temporary folder");
        path
    }

    /// Observations on disk, in rows and sealed, counted past the program; 0 while the file is just being made.
    pub(crate) fn observations(&self) -> usize {
        let file = self.data.join("readings.db");
        let connection = rusqlite::Connection::open(file).expect("the readings");
        let all = "select (select count(*) from observation) \
                   + (select coalesce(sum(observations - beside), 0) from sealed)";
        let count = connection.query_row(all, [], |row| row.get::<_, i64>(0));
        count.map_or(0, |count| usize::try_from(count).expect("a count"))
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

    /// Starts a command and lets it run; what it logs goes to a file.
    pub(crate) fn start_logged(&self, arguments: &[&str], log: &Path) -> Running {
        let log = std::fs::File::create(log).expect("a file for the log");
        Running::start(self.command(arguments).stdout(Stdio::null()).stderr(log))
    }

    /// Starts a command and lets it run.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        Running::start(self.command(arguments).stdout(Stdio::null()))
    }

    /// Starts `serve` on free ports and waits until it is ready.
    pub(crate) async fn serve(&self) -> Serving {
        self.serve_with(&[]).await
    }

    /// The same with more arguments.
    pub(crate) async fn serve_with(&self, arguments: &[&str]) -> Serving {
        self.serve_at(&free_address(), &free_address(), arguments).await
    }

    /// The same on these addresses.
    pub(crate) async fn serve_at(&self, http: &str, mqtt: &str, arguments: &[&str]) -> Serving {
        self.run_service("serve", http, mqtt, arguments).await
    }

    /// Starts a command that serves pages, and waits until it is ready.
    pub(crate) async fn run_service(
        &self,
        command: &str,
        http: &str,
        mqtt: &str,
        arguments: &[&str],
    ) -> Serving {
        let running = self.start(&[&[command, "--http", http, "--mqtt", mqtt], arguments].concat());
        let mut serving = Serving { running, http: http.to_owned(), mqtt: mqtt.to_owned() };
        serving.wait_until_ready().await;
        serving
    }
}

impl Running {
    /// Starts a program.
    pub(crate) fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_owned();
        let started = command.spawn();
        Self { child: started.unwrap_or_else(|error| panic!("{}: {error}", name.display())) }
    }

    /// kill -9.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("the child can be killed");
        self.child.wait().expect("the child can be waited for");
    }

    /// SIGTERM; how long it took to end, and how it ended.
    pub(crate) fn terminate(mut self) -> (Duration, ExitStatus) {
        let started = Instant::now();
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(sent.success());
        let status = self.child.wait().expect("the child can be waited for");
        (started.elapsed(), status)
    }

    /// What it prints; it was started with a pipe.
    pub(crate) fn stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().expect("a pipe that nobody took")
    }

    /// How it ended, where it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the child can be asked")
    }

    /// Waits for its end, which must be a success.
    pub(crate) async fn succeeds(mut self, what: &str) {
        let mut status = None;
        until(&format!("{what} ends"), async || {
            status = self.ended();
            status.is_some()
        })
        .await;
        assert!(status.is_some_and(|status| status.success()), "{what} ended with {status:?}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails where it was killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serving {
    /// `http://` and the rest of an address.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// A JSON answer of the API.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = reqwest::get(self.url(path)).await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("text");
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error} in {text}"))
    }

    /// Whether `/readyz` says so: the one way from outside to learn it.
    pub(crate) async fn is_ready(&self) -> bool {
        let answer = reqwest::get(self.url("/readyz")).await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    async fn wait_until_ready(&mut self) {
        let url = self.url("/readyz");
        until("the service is ready", async || {
            if let Some(status) = self.running.ended() {
                panic!("it ended with {status} before it was ready");
            }
            let answer = reqwest::get(&url).await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
    }

    /// kill -9.
    pub(crate) fn kill(self) {
        self.running.kill();
    }

    /// SIGTERM; how long it took to end, and how it ended.
    pub(crate) fn terminate(self) -> (Duration, ExitStatus) {
        self.running.terminate()
    }
}

/// Asks again and again until something is so.
///
/// # Panics
///
/// With `what` where it is not so in time.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "waited {} s until {what}", PATIENCE.as_secs());
        tokio::time::sleep(PAUSE).await;
    }
}

/// A port that was free a moment ago and is handed out once.
///
/// It lies below those that systems give to outgoing connections (Linux: 32768 and up): a service that
/// takes a second to begin to listen would find one of those taken.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(97);
    loop {
        let nth = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 20_000 + u16::try_from(nth % 12_000).expect("below 12,000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The same with the address of this machine.
pub(crate) fn free_address() -> String {
    format!("127.0.0.1:{}", free_port())
}

/// The binary that `tests/check.sh` has built, or the one that `PLOTWISE_BIN` names.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("PLOTWISE_BIN") {
        return path.into();
    }
    let path = target().join("release/plotwise");
    assert!(path.exists(), "{} is missing: cargo build --release --bin plotwise", path.display());
    path
}

/// The folder that everything is built in.
pub(crate) fn target() -> PathBuf {
    let test = std::env::current_exe().expect("the test knows its own path");
    test.ancestors().nth(3).expect("target/debug/deps/it-...").to_owned()
}

/// The folder of real readings, or a word on stderr that the test is skipped.
pub(crate) fn shared(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("PLOTWISE_SHARED").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("{test}: skipped, PLOTWISE_SHARED does not name the folder of real readings");
    }
    folder.filter(|folder| Path::new(folder).is_dir())
}
