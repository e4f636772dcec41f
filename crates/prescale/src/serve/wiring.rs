//! The joints between the two paths in one process: outlooks go to the board, new targets to the forecaster.

use std::sync::Arc;

use forecaster::{Forecaster, Hub, Publish};
use scaler::{Board, Forecasts};
use series::{Clock, ForecastRequest, Outlook, TargetKey};

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

/// Publishes outlooks to scalers in other processes, and has them kept.
#[derive(Debug)]
pub(crate) struct OnHub {
    pub(crate) hub: Arc<Hub>,
    pub(crate) journal: Arc<Journal>,
}

impl Publish for OnHub {
    fn publish(&self, key: &TargetKey, outlook: Arc<Outlook>) {
        self.journal.note(key, Arc::clone(&outlook));
        self.hub.publish(key, outlook);
    }
}

/// Hands targets to the forecaster, with what was kept of them.
pub(crate) struct Targets {
    pub(crate) forecaster: Arc<Forecaster>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) board: Arc<Board>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Targets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Targets").field("forecaster", &self.forecaster).finish_non_exhaustive()
    }
}

impl Forecasts for Targets {
    fn watch(&self, key: &TargetKey, request: &ForecastRequest) {
        let (forecaster, journal) = (Arc::clone(&self.forecaster), Arc::clone(&self.journal));
        let (board, clock) = (Arc::clone(&self.board), Arc::clone(&self.clock));
        let (key, request) = (key.clone(), request.clone());
        // the handler that saw the target first does not wait for the store
        tokio::spawn(async move {
            let kept = journal.load(&key).await;
            if let Some(memory) = kept.as_ref().and_then(|kept| kept.memory.as_deref()) {
                board.remember(&key, memory, clock.now());
            }
            forecaster.watch(&key, &request, kept.map(|kept| kept.outlook));
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
    use ops::Readiness;
    use prometheus_client::registry::Registry;
    use store::{Kept, OutlookFile, Store as _};
    use tokio_util::sync::CancellationToken;

    use super::*;

    #[tokio::test]
    async fn a_target_that_was_given_up_leaves_nothing_in_the_state_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = OutlookFile::open(folder.path(), series::Timestamp::UNIX_EPOCH).unwrap();
        let (stop, mut registry) = (CancellationToken::new(), Registry::default());
        let readiness = Readiness::new(stop.clone()).0;
        let journal = Arc::new(Journal::new(Arc::new(file.clone()), Box::new(|_| None), readiness, &mut registry));
        let board = Arc::<Board>::default();
        let publish = OnBoard { board: Arc::clone(&board), journal: Arc::clone(&journal) };
        let key = TargetKey { namespace: "shop".into(), name: "checkout".into(), digest: "0a".into() };
        let outlook = Arc::new(Outlook::first_seen(series::Timestamp::UNIX_EPOCH));
        file.keep(vec![(key.clone(), Kept { outlook: Arc::clone(&outlook), memory: None })]).await.unwrap();
        publish.publish(&key, outlook);

        let settings = Settings::new(SourceSettings::new(None, Allowed::Any));
        let clock: Arc<dyn Clock> = Arc::new(ops::SystemClock);
        let forecaster = Forecaster::new(settings, Arc::clone(&clock), Arc::new(publish), &mut registry).unwrap();
        Targets { forecaster, journal: Arc::clone(&journal), board, clock }.forget(&key);
        stop.cancel();
        journal.run(std::time::Duration::from_secs(30), stop).await;
        assert_eq!(file.load(&key).await.unwrap(), None);
    }
}
