//! [`Journal`]: carries outlooks to the state file at its own pace, so that no refresh waits for a disk.
//!
//! What is kept and what is forgotten go one way, in order: an outlook that waits here cannot come back to the file after
//! its target was given up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use series::{Outlook, TargetKey};
use store::OutlookFile;
use tokio_util::sync::CancellationToken;

/// What a killed process may lose: half a minute of outlooks, none of which a restart needs to the minute.
const PACE: Duration = Duration::from_secs(30);

/// What is not in the state file yet: the newest outlook of a target, or `None` where it is to be forgotten.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pending: Mutex<HashMap<TargetKey, Option<Arc<Outlook>>>>,
}

impl Journal {
    /// Has `outlook` kept soon, in the place of an older one.
    pub(crate) fn note(&self, key: &TargetKey, outlook: Arc<Outlook>) {
        self.pending().insert(key.clone(), Some(outlook));
    }

    /// Has what is kept of `key` forgotten soon.
    pub(crate) fn forget(&self, key: &TargetKey) {
        self.pending().insert(key.clone(), None);
    }

    /// Carries out what was noted, every half minute and once more after `stop`.
    pub(crate) async fn run(self: Arc<Self>, store: Arc<OutlookFile>, stop: CancellationToken) {
        loop {
            let is_last = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(PACE) => false,
            };
            let (journal, store) = (Arc::clone(&self), Arc::clone(&store));
            if let Err(error) = tokio::task::spawn_blocking(move || journal.flush(&store)).await {
                tracing::error!(%error, "the state file could not be written");
            }
            if is_last {
                return;
            }
        }
    }

    fn flush(&self, store: &OutlookFile) {
        let pending = std::mem::take(&mut *self.pending());
        if pending.is_empty() {
            return;
        }
        let kept: Vec<_> = pending.iter().filter_map(|(key, outlook)| Some((key, outlook.as_deref()?))).collect();
        let forgotten: Vec<_> = pending.iter().filter(|(_, outlook)| outlook.is_none()).map(|(key, _)| key).collect();
        // most of the time one of the two is empty, and each is a write to the disk
        let keep = || if kept.is_empty() { Ok(()) } else { store.keep(kept) };
        let forget = || if forgotten.is_empty() { Ok(()) } else { store.forget(forgotten) };
        if let Err(error) = keep().and_then(|()| forget()) {
            tracing::error!(error = &error as &dyn std::error::Error, "outlooks are kept in memory only");
            // what failed is tried again, unless something newer has come
            let mut newer = self.pending();
            for (key, outlook) in pending {
                newer.entry(key).or_insert(outlook);
            }
        }
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<TargetKey, Option<Arc<Outlook>>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use series::Timestamp;

    use super::*;

    fn key() -> TargetKey {
        TargetKey { namespace: "shop".into(), name: "checkout".into(), digest: "0a".into() }
    }

    fn outlook() -> Arc<Outlook> {
        Arc::new(Outlook::first_seen(Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn what_was_noted_is_kept_and_what_was_given_up_does_not_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, store) = (Journal::default(), OutlookFile::open(folder.path()).unwrap());
        journal.note(&key(), outlook());
        journal.flush(&store);
        assert_eq!(store.load(&key()).unwrap(), Some(outlook()));

        journal.note(&key(), outlook());
        journal.forget(&key());
        journal.flush(&store);
        assert_eq!(store.load(&key()).unwrap(), None);

        journal.forget(&key());
        journal.note(&key(), outlook());
        journal.flush(&store);
        assert_eq!(store.load(&key()).unwrap(), Some(outlook()), "it was seen again");
    }
}
