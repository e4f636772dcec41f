//! [`Readiness`]: a process is ready once every part that took a latch has dropped it, and stays so until it stops.
//!
//! No latch hangs on Prometheus: for KEDA an unreachable scaler is worse than one that degrades.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

/// Whether the process is ready for calls.
#[derive(Debug, Clone)]
pub struct Readiness {
    /// Cancelled by the last latch.
    ready: CancellationToken,
    stopping: CancellationToken,
}

/// Holds the process unready until it is dropped.
#[derive(Debug, Clone)]
pub struct Latch(#[expect(dead_code, reason = "held for its drop")] Arc<tokio_util::sync::DropGuard>);

impl Readiness {
    /// Unready until the latch and all its clones are dropped, and again once `stopping` is cancelled.
    pub fn new(stopping: CancellationToken) -> (Self, Latch) {
        let ready = CancellationToken::new();
        let latch = Latch(Arc::new(ready.clone().drop_guard()));
        (Self { ready, stopping }, latch)
    }

    /// Whether calls are welcome.
    pub fn is_ready(&self) -> bool {
        self.ready.is_cancelled() && !self.stopping.is_cancelled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_latch_makes_ready_and_the_stop_signal_unready() {
        let stopping = CancellationToken::new();
        let (readiness, latch) = Readiness::new(stopping.clone());
        let second = latch.clone();
        drop(latch);
        assert!(!readiness.is_ready(), "one latch is still held");
        drop(second);
        assert!(readiness.is_ready());
        stopping.cancel();
        assert!(!readiness.is_ready());
    }
}
