//! The real `prescale` binary, built once per run of the tests.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;

use rustix::process::Signal;
use tempfile::TempDir;

use super::clock::ShiftedClock;
use super::disk::SmallDisk;
use super::eventually::eventually;
use super::http;
use super::process::Process;

/// A running `prescale serve`, killed when dropped.
#[derive(Debug)]
pub(crate) struct Prescale {
    process: Process,
    grpc: String,
    http: String,
    /// Goes after the process that writes into it.
    _state: Option<StateFolder>,
}

impl Prescale {
    /// Serves with a state folder of its own; `flags` say which Prometheus.
    pub(crate) async fn serve(flags: &[&str]) -> Self {
        let state = StateFolder::new();
        let served = Self::serve_from(&state, flags).await;
        Self { _state: Some(state), ..served }
    }

    /// Serves as one role, with a state folder of its own; `flags` say which role and where it listens.
    pub(crate) async fn serve_role(flags: &[&str]) -> Self {
        let state = StateFolder::new();
        let served = Self::start(&state, flags, None).await;
        Self { _state: Some(state), ..served }
    }

    /// Serves from `state`, and waits until it is ready.
    pub(crate) async fn serve_from(state: &StateFolder, flags: &[&str]) -> Self {
        Self::start(state, &[["--grpc-address", "127.0.0.1:0"].as_slice(), flags].concat(), None).await
    }

    /// Serves with a state folder of its own, by `clock`.
    pub(crate) async fn serve_by(clock: &ShiftedClock, flags: &[&str]) -> Self {
        let (state, grpc) = (StateFolder::new(), ["--grpc-address", "127.0.0.1:0"]);
        let served = Self::start(&state, &[grpc.as_slice(), flags].concat(), Some(clock)).await;
        Self { _state: Some(state), ..served }
    }

    async fn start(state: &StateFolder, flags: &[&str], clock: Option<&ShiftedClock>) -> Self {
        let mut command = match &state.disk {
            Some(disk) => {
                let mut command = disk.beside();
                command.arg(program());
                command
            }
            None => Command::new(program()),
        };
        clear_options(&mut command);
        if let Some(clock) = clock {
            clock.set(&mut command);
        }
        command.args(["serve", "--http-address", "127.0.0.1:0"]);
        // refreshes often, so that no test waits for one
        command.args(["--log-format", "json", "--log", "info", "--refresh-interval", "1s", "--state"]);
        command.arg(state.path()).args(flags);
        let mut process = Process::start("prescale", &mut command);
        let (grpc, http) = eventually("the addresses of prescale", async || {
            let found = process.lines().iter().find_map(|line| addresses(line));
            assert!(found.is_some() || process.ended().is_none(), "prescale has ended instead");
            found.ok_or_else(|| "it has not logged them".to_owned())
        })
        .await;
        let served = Self { process, grpc, http, _state: None };
        eventually("a ready prescale", async || match served.get("/readyz").await {
            (200, _) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        served
    }

    /// Where KEDA calls: `127.0.0.1:port`.
    pub(crate) fn grpc(&self) -> &str {
        &self.grpc
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Status and body of one of the HTTP endpoints.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        http::get(&self.http, path).await.unwrap_or_else(|error| (0, error))
    }

    /// Cuts it off: it neither answers nor closes its connections.
    pub(crate) fn pause(&self) {
        self.process.pause();
    }

    /// Lets it go on after [`Self::pause`].
    pub(crate) fn resume(&self) {
        self.process.resume();
    }

    /// Sends it `signal`.
    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Asks it to end, as Kubernetes does.
    pub(crate) fn terminate(&self) {
        self.process.signal(Signal::TERM);
    }

    /// Kills it, as the kernel does when memory runs out.
    pub(crate) fn kill(self) {
        self.process.kill();
    }

    /// Where probes and Prometheus ask: `127.0.0.1:port`.
    pub(crate) fn http(&self) -> &str {
        &self.http
    }

    /// How it ended, once it did.
    pub(crate) async fn end(&mut self) -> ExitStatus {
        self.process.end().await
    }

    /// Whether it has ended in good order.
    pub(crate) fn has_ended(&mut self) -> Result<(), String> {
        let ended = self.process.ended().ok_or_else(|| "it runs".to_owned())?;
        assert!(ended.success(), "it ended with {ended}");
        Ok(())
    }

    /// How many lines it has logged that hold all of `parts`.
    pub(crate) fn logged(&self, parts: &[&str]) -> usize {
        self.process.lines().iter().filter(|line| parts.iter().all(|part| line.contains(part))).count()
    }

    /// The value of the sample whose name and labels are in `/metrics`, where each of `labels` is part of the line.
    pub(crate) async fn metric(&self, name: &str, labels: &[&str]) -> Option<f64> {
        let (_, text) = self.get("/metrics").await;
        let is_named = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
        let is_wanted = |line: &&str| is_named(line) && labels.iter().all(|label| line.contains(label));
        text.lines().find(is_wanted)?.rsplit_once(' ')?.1.parse().ok()
    }
}

/// A folder for what must outlive a process.
#[derive(Debug)]
pub(crate) struct StateFolder {
    folder: TempDir,
    /// Where it is instead, if anywhere.
    pub(crate) disk: Option<SmallDisk>,
}

impl StateFolder {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("there is room for a temporary directory"), disk: None }
    }

    /// One on a disk of its own; `None` where that cannot be and the test is to be skipped.
    pub(crate) async fn on_a_small_disk() -> Option<Self> {
        Some(Self { disk: Some(SmallDisk::mounted().await?), ..Self::new() })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.disk.as_ref().map_or(self.folder.path(), SmallDisk::path).join("state")
    }
}

/// Runs `prescale` with `arguments` to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    command().args(arguments).output().expect("prescale was built")
}

/// As [`run`], with a standard output that nobody reads any more.
pub(crate) fn run_unread(arguments: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let child = command().args(arguments).stdout(writer).stderr(Stdio::piped()).spawn().expect("prescale was built");
    child.wait_with_output().expect("it ends")
}

/// Where the binary is.
pub(crate) fn program() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(build)
}

/// The binary, in an environment that sets none of its options.
fn command() -> Command {
    let mut command = Command::new(program());
    clear_options(&mut command);
    command
}

fn clear_options(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PRESCALE_") {
            command.env_remove(name);
        }
    }
}

/// Builds the binary with the profile that the tests were built with, and finds it.
fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a file");
    // target/<profile>/deps/it-<hash>
    let folder = test.ancestors().nth(2).and_then(Path::file_name).and_then(OsStr::to_str).unwrap_or_default();
    let profile = if folder == "debug" { "dev" } else { folder };
    // what `cargo test --workspace` names is named here too: the features of a dependency are those that all named targets
    // want, and with the binary alone most dependencies would be built a second time
    let output = Command::new(env!("CARGO"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(["build", "--workspace", "--bin", "prescale", "--test", "it", "--message-format=json"])
        .args(["--profile", profile])
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "prescale cannot be built:\n{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8_lossy(&output.stdout);
    let executable = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_ours = message["target"]["name"] == "prescale";
        message["executable"].as_str().filter(|_| is_ours).map(PathBuf::from)
    });
    executable.expect("cargo names the executable it built")
}

/// The addresses in the line that says `listening`.
fn addresses(line: &str) -> Option<(String, String)> {
    let entry: serde_json::Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| entry[key].as_str().map(str::to_owned);
    (entry["message"] == "listening").then(|| Some((text("grpc")?, text("http")?))).flatten()
}
