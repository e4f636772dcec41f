//! A child process whose output is kept for the reader of a failure, and which never outlives its test; and a server that is
//! started again.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};

use super::eventually::eventually;

/// A running child, killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts `command`; `name` stands in messages.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Self {
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        let lines = Arc::default();
        keep(child.stdout.take().expect("stdout is piped"), &lines);
        keep(child.stderr.take().expect("stderr is piped"), &lines);
        Self { name, child, lines }
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far, both streams in one.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("no reader panics").clone()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the child is ours and has not been waited for");
    }

    /// Stops it in its tracks: its port takes connections and never answers.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after [`Self::pause`].
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// How it ended, where it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the child is ours")
    }

    /// Waits until it ends by itself.
    pub(crate) async fn end(&mut self) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        eventually(&what, async || self.ended().ok_or_else(|| "it runs".to_owned())).await
    }

    /// Ends it the hard way, as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("the child is ours");
        self.child.wait().expect("the child is ours");
    }
}

/// A server that is started, and started again after it was killed.
#[derive(Debug, Default)]
pub(crate) struct Restarted(Option<Process>);

impl Restarted {
    /// Starts it by `command`; `name` stands in messages.
    pub(crate) fn start(&mut self, name: &'static str, command: &mut Command) -> &mut Process {
        self.0.insert(Process::start(name, command))
    }

    /// Kills it, as a crash would, with all that it held in memory: its port refuses connections.
    pub(crate) fn kill(&mut self) {
        self.0.take().expect("it runs").kill();
    }

    /// As [`Process::pause`].
    pub(crate) fn pause(&self) {
        self.0.as_ref().expect("it runs").pause();
    }

    /// As [`Process::resume`].
    pub(crate) fn resume(&self) {
        self.0.as_ref().expect("it runs").resume();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // an error means that it has ended already
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            let lines = self.lines();
            let shown = lines.len().saturating_sub(80);
            print_captured(&format!("--- {}, its last lines ---\n{}", self.name, lines[shown..].join("\n")));
        }
    }
}

/// Reads `output` to its end in a thread of its own, line by line.
fn keep(output: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) {
    let kept = Arc::clone(lines);
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            kept.lock().expect("no reader panics").push(line);
        }
    });
}

#[expect(clippy::print_stderr, reason = "the harness of the tests shows it beside the failure it belongs to")]
fn print_captured(text: &str) {
    eprintln!("{text}");
}
