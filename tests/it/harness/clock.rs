//! The wall clock: the servers under test live by it, so their histories must end at it; and one that a test shifts.

use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use super::programs;

/// Seconds since 1970, now.
#[expect(clippy::disallowed_methods, reason = "the processes under test read this clock too")]
pub(crate) fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs_f64()
}

/// The wall clock of one process, which a test shifts while it runs; the clock that measures spans goes on as it does.
#[derive(Debug)]
pub(crate) struct ShiftedClock {
    directory: TempDir,
    library: PathBuf,
}

impl ShiftedClock {
    /// A clock that is right; `None` where the machine has no libfaketime and the test is to be skipped.
    pub(crate) fn new() -> Option<Self> {
        if !programs::are_installed(&["faketime"], "to install: apt-get install faketime") {
            return None;
        }
        let output =
            Command::new("faketime").args(["-f", "+0", "printenv", "LD_PRELOAD"]).output().expect("it is there");
        let library = String::from_utf8_lossy(&output.stdout).trim().replace("libfaketime.so", "libfaketimeMT.so");
        let clock = Self { directory: tempfile::tempdir().expect("there is room"), library: library.into() };
        clock.shift(0);
        Some(clock)
    }

    /// Puts it so many hours ahead, or back.
    pub(crate) fn shift(&self, hours: i32) {
        let new = self.directory.path().join("new");
        std::fs::write(&new, format!("{hours:+}h\n")).expect("the directory is writable");
        // in one piece: the process reads it whenever it asks for the time
        std::fs::rename(new, self.file()).expect("the directory is writable");
    }

    /// Has what `command` starts live by it.
    pub(crate) fn set(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("FAKETIME_TIMESTAMP_FILE", self.file());
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("offset")
    }
}
