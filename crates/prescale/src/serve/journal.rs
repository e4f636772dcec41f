//! [`Journal`]: carries outlooks to the state file at its own pace, so that no refresh waits for a disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use series::{Outlook, TargetKey};
use store::OutlookFile;
use tokio_util::sync::CancellationToken;

/// What a killed process may lose: half a minute of outlooks, none of which a restart needs to the minute.
const PACE: Duration = Duration::from_secs(30);

/// The newest outlooks that are not in the state file yet.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pending: Mutex<HashMap<TargetKey, Arc<Outlook>>>,
}

impl Journal {
    /// Has `outlook` kept soon, in the place of an older one.
    pub(crate) fn note(&self, key: &TargetKey, outlook: Arc<Outlook>) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), outlook);
    }

    /// Keeps what was noted, every half minute and once more after `stop`.
    pub(crate) async fn run(self: Arc<Self>, store: Arc<OutlookFile>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(PACE) => {}
            }
            let (journal, store) = (Arc::clone(&self), Arc::clone(&store));
            if let Err(error) = tokio::task::spawn_blocking(move || journal.flush(&store)).await {
                tracing::error!(%error, "the state file could not be written");
            }
        }
    }

    fn flush(&self, store: &OutlookFile) {
        let pending = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        if pending.is_empty() {
            return;
        }
        if let Err(error) = store.keep(pending.iter().map(|(key, outlook)| (key, outlook.as_ref()))) {
            tracing::error!(error = &error as &dyn std::error::Error, "outlooks are kept in memory only");
            // what failed is tried again, unless something newer has come
            let mut newer = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            for (key, outlook) in pending {
                newer.entry(key).or_insert(outlook);
            }
        }
    }
}
