//! The wall clock: the servers under test live by it, so their histories must end at it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970, now.
#[expect(clippy::disallowed_methods, reason = "the processes under test read this clock too")]
pub(crate) fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs_f64()
}
