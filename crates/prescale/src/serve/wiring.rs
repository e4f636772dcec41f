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
        self.forecaster.forget(key);
        let (store, key) = (Arc::clone(&self.store), key.clone());
        tokio::task::spawn_blocking(move || {
            if let Err(error) = store.forget(&key) {
                tracing::warn!(error = &error as &dyn std::error::Error, target = %key, "state could not be forgotten");
            }
        });
    }
}
