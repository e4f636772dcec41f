//! Outlooks that outlive a process, so that a restarted scaler answers at once from what it knew.
//!
//! [`OutlookFile`] keeps them in one local file. It is an embedded store (redb): a process that is killed while it writes
//! leaves the last committed state behind.

mod file;
mod record;

pub use file::{OpenError, OutlookFile, StoreError};
