//! The joints between the two paths in one process: outlooks go to the board, new targets to the forecaster.

use std::sync::Arc;

use forecaster::{Forecaster, Publish};
use scaler::{Board, Forecasts};
use series::{ForecastRequest, Outlook, TargetKey};
use store::OutlookFile;

use super::journal::Journal;

/// Publishes outlooks on the board, and has them kept.
#[derive(Debug)]
pub(crate) struct OnBoard {
    pub(crate) board: Arc<Board>,
    pub(crate) journal: Arc<Journal>,
}

impl Publish for OnBoard {
    fn publish(&self, key: &TargetKey, outlook: Arc<Outlook>) {
        self.journal.note(key, Arc::clone(&outlook));
        self.board.publish(key, outlook);
    }
}

/// Hands targets to the forecaster, with what was kept of them.
#[derive(Debug)]
pub(crate) struct Targets {
    pub(crate) forecaster: Arc<Forecaster>,
    pub(crate) store: Arc<OutlookFile>,
    pub(crate) journal: Arc<Journal>,
}

impl Forecasts for Targets {
    fn watch(&self, key: &TargetKey, request: &ForecastRequest) {
        let (forecaster, store) = (Arc::clone(&self.forecaster), Arc::clone(&self.store));
        let (key, request) = (key.clone(), request.clone());
        // the handler that saw the target first does not wait for the disk
        tokio::task::spawn_blocking(move || {
            let kept = store.load(&key).unwrap_or_else(|error| {
                tracing::warn!(error = &error as &dyn std::error::Error, target = %key, "state could not be read");
                None
            });
            forecaster.watch(&key, &request, kept);
        });
    }

    fn forget(&self, key: &TargetKey) {
        // in this order: the forecaster notes nothing of the target any more
        self.forecaster.forget(key);
        self.journal.forget(key);
    }
}

#[cfg(test)]
mod tests {
    use forecaster::{Allowed, Settings, SourceSettings};
    use prometheus_client::registry::Registry;
    use tokio_util::sync::CancellationToken;

    use super::*;

    #[tokio::test]
    async fn a_target_that_was_given_up_leaves_nothing_in_the_state_file() {
        let folder = tempfile::tempdir().unwrap();
        let (store, journal) = (Arc::new(OutlookFile::open(folder.path()).unwrap()), Arc::new(Journal::default()));
        let publish = OnBoard { board: Arc::default(), journal: Arc::clone(&journal) };
        let key = TargetKey { namespace: "shop".into(), name: "checkout".into(), digest: "0a".into() };
        let outlook = Arc::new(Outlook::first_seen(series::Timestamp::UNIX_EPOCH));
        store.keep([(&key, outlook.as_ref())]).unwrap();
        publish.publish(&key, outlook);

        let settings = Settings::new(SourceSettings::new(None, Allowed::Any));
        let clock = Arc::new(ops::SystemClock);
        let forecaster = Forecaster::new(settings, clock, Arc::new(publish), &mut Registry::default()).unwrap();
        Targets { forecaster, store: Arc::clone(&store), journal: Arc::clone(&journal) }.forget(&key);
        let stop = CancellationToken::new();
        stop.cancel();
        journal.run(Arc::clone(&store), stop).await;
        assert_eq!(store.load(&key).unwrap(), None);
    }
}
