//! Outlooks and histories that outlive a process, so that a restarted one answers at once from what was known, and asks the source for nothing that
//! was known already.
//!
//! A [`Store`] keeps them: [`OutlookFile`] in one local file, for one process; [`OutlookRedis`] in Redis, for several.
//! Losing a store loses no answer: whoever keeps outlooks has them in memory too, and tries again.

mod file;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod page;
mod record;
mod redis;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use series::{HistoryUpdate, KeptHistory, Outlook, TargetKey};

pub use file::{OpenError, OutlookFile};
pub use redis::{OutlookRedis, RedisSettings, RedisSettingsError};

/// How long an outlook is kept after the last time: by then its forecast, which reaches a day, has ended.
pub const KEPT: Duration = Duration::from_secs(24 * 3600);

/// What is kept of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// What the slow path knew of it.
    pub outlook: Arc<Outlook>,
    /// What the fast path had learned of it, as that wrote it down: nobody else reads it.
    pub memory: Option<Arc<str>>,
}

/// Where outlooks and histories are kept.
pub trait Store: Send + Sync + std::fmt::Debug {
    /// What was last kept of `target`. What this version cannot read is set aside with a warning, and is no error.
    fn load<'a>(&'a self, target: &'a TargetKey) -> Answer<'a, Option<Kept>>;

    /// Keeps all of `targets`, each in the place of what was kept of it before. After an error some may be kept and others not.
    fn keep(&self, targets: Vec<(TargetKey, Kept)>) -> Answer<'_, ()>;

    /// What was kept of the past of `target`, as far back as it is without a hole. What this version cannot read is passed over with a warning, and is no
    /// error.
    fn load_history<'a>(&'a self, target: &'a TargetKey) -> Answer<'a, Option<KeptHistory>>;

    /// Keeps what has changed of the pasts of these targets. After an error some may be kept and others not.
    fn keep_histories(&self, updates: Vec<(TargetKey, HistoryUpdate)>) -> Answer<'_, ()>;

    /// Forgets all of `targets`, where nobody else can want them.
    fn forget(&self, targets: Vec<TargetKey>) -> Answer<'_, ()>;

    /// What people know it as, for messages.
    fn name(&self) -> String;
}

/// What a store gives, in time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Why a store did not do what was asked of it; all but a defect are worth another try later.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file failed: a full disk, or a broken file.
    #[error("the state file failed")]
    File(#[source] Box<redb::Error>),
    /// The file could not be opened again after it had failed.
    #[error("the state file cannot be opened again")]
    Reopen(#[source] Box<OpenError>),
    /// Redis cannot be reached, or the last try to reach it is too short ago for another.
    #[error("{server} cannot be reached: {problem}")]
    Unreachable {
        /// The server, without credentials.
        server: String,
        /// What the network or the server said.
        problem: String,
    },
    /// Redis refused or gave up: read-only, out of memory, too slow.
    #[error("{server} failed: {problem}")]
    Redis {
        /// The server, without credentials.
        server: String,
        /// What it said.
        problem: String,
    },
    /// An outlook could not be written down, or a task broke down; this is a defect.
    #[error("an outlook could not be kept: {0}")]
    Defect(String),
}
