//! How far the walk is, on standard error.

use std::io::Write;
use std::time::{Duration, Instant};

use super::walk::Walk;

/// Not more often than this on a terminal, and than that elsewhere.
const ON_TERMINAL: Duration = Duration::from_millis(100);
const ELSEWHERE: Duration = Duration::from_secs(10);

/// A line that counts up.
#[derive(Debug)]
pub(super) struct Progress {
    is_terminal: bool,
    shown: Instant,
}

impl Progress {
    pub(super) fn new(is_terminal: bool) -> Self {
        Self { is_terminal, shown: Instant::now() }
    }

    /// Shows that so many ticks are `done`.
    pub(super) fn show(&mut self, out: &mut impl Write, done: usize, of: usize) {
        let pause = if self.is_terminal { ON_TERMINAL } else { ELSEWHERE };
        if self.shown.elapsed() < pause {
            return;
        }
        self.shown = Instant::now();
        let percent = 100 * done / of.max(1);
        // nothing is lost with a line of progress
        let _ = if self.is_terminal {
            write!(out, "\rwalking forward through the load: {percent} %").and_then(|()| out.flush())
        } else {
            writeln!(out, "walking forward through the load: {percent} %")
        };
    }

    /// Ends the line.
    pub(super) fn end(&self, out: &mut impl Write, walk: &Walk) -> std::io::Result<()> {
        let line_start = if self.is_terminal { "\r\x1b[K" } else { "" };
        let forecasts: usize = walk.models.iter().map(|(_, count)| count).sum();
        let seconds = walk.took.as_secs_f64();
        writeln!(out, "{line_start}walked forward through the load: {forecasts} forecasts in {seconds:.1} s")
    }
}
