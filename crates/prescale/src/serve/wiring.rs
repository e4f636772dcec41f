//! The joints between the two paths in one process: outlooks go to the board, new targets to the forecaster.

use std::sync::Arc;

use forecaster::{Brought, Forecaster, Hub, Keeper, Publish, Resumed};
use policy::Target;
use scaler::{Board, Forecasts};
use series::{Clock, Outlook, TargetKey};
use tokio::runtime::Handle;

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
///
/// The plans that those scalers make are made here too, from the same outlooks at the same syncs, on a board that answers nobody: what is
/// remembered of a target has one place however many scalers there are, and goes to all of them with each outlook.
pub(crate) struct OnHub {
    pub(crate) hub: Arc<Hub>,
    pub(crate) board: Arc<Board>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Publish for OnHub {
    fn publish(&self, key: &TargetKey, outlook: Arc<Outlook>) {
        self.journal.note(key, Arc::clone(&outlook));
        self.board.publish(key, Arc::clone(&outlook));
        let memory = self.board.advance(key, self.clock.now());
        self.hub.publish(key, outlook, memory);
    }
}

impl Keeper for OnHub {
    fn arrived(&self, key: TargetKey, brought: Brought) -> Resumed {
        let (board, journal, now) = (Arc::clone(&self.board), Arc::clone(&self.journal), self.clock.now());
        match serde_json::from_slice::<Target>(&brought.target) {
            Ok(target) if target.key == key => {
                if let Err(no_seat) = board.add(target, now) {
                    tracing::warn!(target_key = %key, %no_seat, "each scaler remembers this target for itself");
                }
            }
            _ if brought.target.is_empty() => {}
            _ => {
                tracing::warn!(target_key = %key, "what to scale by cannot be read, each scaler remembers this target for itself");
            }
        }
        Box::pin(async move {
            let kept = journal.load(&key).await;
            let stored = kept.as_ref().and_then(|kept| kept.memory.as_deref());
            // the later of the two stays
            for memory in
                stored.into_iter().chain(std::str::from_utf8(&brought.memory).ok().filter(|own| !own.is_empty()))
            {
                board.remember(&key, memory, now);
            }
            kept.map(|kept| kept.outlook)
        })
    }

    fn left(&self, key: &TargetKey) {
        self.board.remove(key);
    }
}

/// Hands targets to the forecaster, with what was kept of them.
pub(crate) struct Targets {
    pub(crate) forecaster: Arc<Forecaster>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) board: Arc<Board>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Where the store is asked: handlers run elsewhere.
    pub(crate) work: Handle,
}

impl std::fmt::Debug for Targets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Targets").field("forecaster", &self.forecaster).finish_non_exhaustive()
    }
}

impl Forecasts for Targets {
    fn watch(&self, target: &Arc<Target>) {
        let (forecaster, journal) = (Arc::clone(&self.forecaster), Arc::clone(&self.journal));
        let (board, clock) = (Arc::clone(&self.board), Arc::clone(&self.clock));
        let target = Arc::clone(target);
        // the handler that saw the target first does not wait for the store
        self.work.spawn(async move {
            let Target { key, request, .. } = &*target;
            let kept = journal.load(key).await;
            if let Some(memory) = kept.as_ref().and_then(|kept| kept.memory.as_deref()) {
                board.remember(key, memory, clock.now());
            }
            forecaster.watch(key, request, kept.map(|kept| kept.outlook));
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

        let settings = Settings::new(SourceSettings::new(None, Allowed::Any(vec![])));
        let clock: Arc<dyn Clock> = Arc::new(ops::SystemClock);
        let forecaster = Forecaster::new(settings, Arc::clone(&clock), Arc::new(publish), None, &mut registry).unwrap();
        let work = Handle::current();
        Targets { forecaster, journal: Arc::clone(&journal), board, clock, work }.forget(&key);
        stop.cancel();
        journal.run(std::time::Duration::from_secs(30), stop).await;
        assert_eq!(file.load(&key).await.unwrap(), None);
    }
}
