//! [`Process`]: a child on one core, and what it uses.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;

/// A running child, killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

/// What a process has used.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Processor time since its start, of all its threads.
    pub busy: Duration,
    /// Memory that it holds now, in bytes.
    pub resident: u64,
    /// The most that it has held.
    pub most_resident: u64,
}

impl Process {
    /// Starts `command` on `core`, or on any where it is `None`; what it prints is thrown away.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start(command: Command, core: Option<usize>) -> anyhow::Result<Self> {
        Self::spawn(command, core, Stdio::null())
    }

    /// The same of a program that first prints one line, and that line.
    ///
    /// # Errors
    /// Where it cannot be started or prints none.
    pub fn start_and_read(command: Command, core: Option<usize>) -> anyhow::Result<(Self, String)> {
        let mut process = Self::spawn(command, core, Stdio::piped())?;
        let output = process.child.stdout.take().context("stdout is piped")?;
        let line = BufReader::new(output).lines().next().context("it has ended")??;
        Ok((process, line))
    }

    fn spawn(mut command: Command, core: Option<usize>, output: Stdio) -> anyhow::Result<Self> {
        if let Some(core) = core {
            let own = command;
            command = Command::new("taskset");
            command.args(["-c", &core.to_string()]).arg(own.get_program()).args(own.get_args());
        }
        command.stdin(Stdio::null()).stdout(output);
        let child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
        Ok(Self { child })
    }

    /// What it has used.
    ///
    /// # Errors
    /// Where `/proc` does not tell.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", self.child.id()));
        let (stat, status) = (read("stat")?, read("status")?);
        // the name of the program, in brackets, may hold spaces
        let fields: Vec<&str> = stat.rsplit_once(')').context("no stat")?.1.split_whitespace().collect();
        let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no status")?;
            Ok::<_, anyhow::Error>(line.trim_matches([':', '\t', ' ', 'k', 'B']).parse::<u64>()? * 1024)
        };
        // a tick is a hundredth of a second on every Linux
        let busy = Duration::from_millis(10 * ticks);
        Ok(Usage { busy, resident: bytes("VmRSS")?, most_resident: bytes("VmHWM")? })
    }

    /// Asks it to end, and waits for that.
    ///
    /// # Errors
    /// Where it cannot be asked.
    pub fn terminate(mut self) -> anyhow::Result<ExitStatus> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status()?;
        anyhow::ensure!(asked.success(), "the process cannot be asked to end");
        Ok(self.child.wait()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // an error means that it has ended already
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
