//! [`SystemClock`]: the one place that reads the wall clock.

use series::{Clock, Timestamp};

/// The wall clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
