//! A real Redis.

use std::process::Command;

use tempfile::TempDir;

use super::eventually::eventually;
use super::process::Restarted;
use super::programs;
use super::prometheus::free_port;

/// The password of every Redis here.
const PASSWORD: &str = "hush-redis";

/// A Redis of the test's own, ended when dropped.
#[derive(Debug)]
pub(crate) struct Redis {
    directory: TempDir,
    port: u16,
    /// What it runs in: to be killed before it is started again.
    pub(crate) process: Restarted,
}

impl Redis {
    /// A Redis that is not started yet; `None` where the machine has none and the test is to be skipped.
    pub(crate) fn stopped() -> Option<Self> {
        if !programs::are_installed(&["redis-server", "redis-cli"], "to install: apt-get install redis-server") {
            return None;
        }
        let directory = tempfile::tempdir().expect("there is room for a temporary directory");
        std::fs::write(directory.path().join("password"), format!("{PASSWORD}\n")).expect("a file");
        Some(Self { directory, port: free_port(), process: Restarted::default() })
    }

    /// A Redis that answers.
    pub(crate) async fn started() -> Option<Self> {
        let mut redis = Self::stopped()?;
        redis.start().await;
        Some(redis)
    }

    /// What has `prescale serve` use it.
    pub(crate) fn flags(&self) -> Vec<String> {
        let password = self.directory.path().join("password");
        vec![
            format!("--redis-url=redis://127.0.0.1:{}/0", self.port),
            format!("--redis-password-file={}", password.display()),
        ]
    }

    /// Starts it, empty.
    pub(crate) async fn start(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(["--requirepass", PASSWORD]).current_dir(self.directory.path());
        self.process.start("redis-server", &mut command);
        eventually("a Redis that answers", async || {
            let answer = self.ask(&["PING"]);
            if answer == "PONG" { Ok(()) } else { Err(answer) }
        })
        .await;
    }

    /// What it answers to a command.
    pub(crate) fn ask(&self, words: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.port.to_string(), "--no-auth-warning", "-a", PASSWORD]).args(words);
        let output = command.output().expect("redis-cli was found");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The names of the outlooks that are kept.
    pub(crate) fn outlooks(&self) -> Vec<String> {
        self.keys("prescale:outlook:*")
    }

    /// The names of the histories that are kept.
    pub(crate) fn histories(&self) -> Vec<String> {
        self.keys("prescale:history:*")
    }

    fn keys(&self, pattern: &str) -> Vec<String> {
        self.ask(&["KEYS", pattern]).lines().filter(|key| !key.is_empty()).map(str::to_owned).collect()
    }
}
