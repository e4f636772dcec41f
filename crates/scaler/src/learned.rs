//! How what a planner has learned is written down, to be kept beside outlooks and told from process to process.

use std::sync::Arc;

use policy::Memory;
use serde::{Deserialize, Serialize};
use series::TargetKey;

/// Raised whenever a memory of before would be read wrongly.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Written {
    format: u32,
    memory: Memory,
}

/// `memory` of `key` as text; `None`, which is a defect, where it has none.
pub(crate) fn write(key: &TargetKey, memory: Memory) -> Option<Arc<str>> {
    serde_json::to_string(&Written { format: FORMAT, memory })
        .map(Arc::from)
        .inspect_err(|error| tracing::error!(target_key = %key, %error, "what was learned cannot be written down"))
        .ok()
}

/// The memory that [`write`] gave; `None` where this version cannot read it.
pub(crate) fn read(key: &TargetKey, text: &str) -> Option<Memory> {
    match serde_json::from_str(text) {
        Ok(Written { format: FORMAT, memory }) => return Some(memory),
        Ok(Written { format, .. }) => {
            tracing::warn!(target_key = %key, format, "what was learned is of another version, it is learned anew");
        }
        Err(error) => {
            tracing::warn!(target_key = %key, %error, "what was learned cannot be read, it is learned anew");
        }
    }
    None
}
