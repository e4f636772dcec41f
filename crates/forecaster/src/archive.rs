//! [`Archive`]: what spares the source the question for a history that was known before a restart, and what forecasts had taught.

use std::pin::Pin;
use std::sync::Arc;

use forecasting::Learned;
use serde::{Deserialize, Serialize};
use series::{HistoryUpdate, KeptHistory, TargetKey};

/// Keeps histories over restarts.
pub trait Archive: Send + Sync {
    /// What was kept of the past of `key`; nothing where that cannot be told in time.
    fn load(&self, key: TargetKey) -> Pin<Box<dyn Future<Output = Option<KeptHistory>> + Send + '_>>;

    /// Whether an update of `key` would be taken now: while they are not carried away they take memory.
    fn has_room(&self, key: &TargetKey) -> bool;

    /// Takes an update, to be kept soon. Called from the slow path's tasks; must not block.
    fn keep(&self, key: &TargetKey, update: HistoryUpdate);
}

/// Raised whenever what was written before would be read wrongly.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    format: u32,
    learned: T,
}

/// What was learned, as it is kept; `None` where it cannot be written down, which is a defect.
pub(crate) fn write(learned: &Learned) -> Option<Arc<str>> {
    match serde_json::to_string(&Envelope { format: FORMAT, learned }) {
        Ok(text) => Some(text.into()),
        Err(error) => {
            tracing::error!(%error, "what was learned cannot be kept");
            None
        }
    }
}

/// What was kept, where this version understands it.
pub(crate) fn read(key: &TargetKey, text: &str) -> Option<Learned> {
    match serde_json::from_str(text) {
        Ok(Envelope { format: FORMAT, learned }) => Some(learned),
        Ok(Envelope { format, .. }) => {
            tracing::warn!(target_key = %key, format, "what was learned is of another version, it is learned anew");
            None
        }
        Err(error) => {
            tracing::warn!(target_key = %key, %error, "what was learned is not understood, it is learned anew");
            None
        }
    }
}
