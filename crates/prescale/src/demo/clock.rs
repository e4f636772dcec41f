//! [`DemoClock`]: a clock that stands until it is set.

use std::sync::atomic::{AtomicI64, Ordering};

use series::{Clock, Timestamp};

/// The time of the simulated day, in whole seconds.
#[derive(Debug)]
pub(crate) struct DemoClock(AtomicI64);

impl DemoClock {
    pub(crate) fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.as_second()))
    }

    pub(super) fn set(&self, time: Timestamp) {
        self.0.store(time.as_second(), Ordering::Relaxed);
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        // every second stored came from a timestamp
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap_or_default()
    }
}
