//! [`Readiness`]: a process is ready once every part that took a latch has dropped it, and stays so until it stops.
//!
//! No latch hangs on Prometheus: for KEDA an unreachable scaler is worse than one that degrades.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// Whether the process is ready for calls.
#[derive(Debug, Clone)]
pub struct Readiness {
    /// Cancelled by the last latch.
    ready: CancellationToken,
    stopping: CancellationToken,
    /// What works, but not as it should, by the part that says so.
    notes: Arc<Mutex<BTreeMap<&'static str, String>>>,
}

/// Holds the process unready until it is dropped.
#[derive(Debug, Clone)]
pub struct Latch(#[expect(dead_code, reason = "held for its drop")] Arc<tokio_util::sync::DropGuard>);

impl Readiness {
    /// Unready until the latch and all its clones are dropped, and again once `stopping` is cancelled.
    pub fn new(stopping: CancellationToken) -> (Self, Latch) {
        let ready = CancellationToken::new();
        let latch = Latch(Arc::new(ready.clone().drop_guard()));
        (Self { ready, stopping, notes: Arc::default() }, latch)
    }

    /// Whether calls are welcome.
    pub fn is_ready(&self) -> bool {
        self.ready.is_cancelled() && !self.stopping.is_cancelled()
    }

    /// Has `note` told with every answer of `/readyz`, in the place of what `part` said before; it makes nothing unready.
    pub fn note(&self, part: &'static str, note: Option<String>) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        match note {
            Some(note) => drop(notes.insert(part, note)),
            None => drop(notes.remove(part)),
        }
    }

    /// What the parts say, one line each.
    pub(crate) fn notes(&self) -> String {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.iter().flat_map(|(part, note)| [part, ": ", note, "\n"]).collect()
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
