//! [`Limits`]: how many targets there may be, and why a new one gets no seat.

use std::time::Duration;

/// How many targets there may be: whoever can write a trigger can have one watched, and each costs memory and queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In all; at least 1.
    pub targets: usize,
    /// In one namespace; at least 1.
    pub targets_per_namespace: usize,
    /// Samples of history that the targets of one namespace ask for together; at least 1.
    pub samples_per_namespace: usize,
    /// How long a target that nobody asks about is kept; minutes at least, and longer than any `pollingInterval`.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        // the targets of a namespace have room for two weeks of minutes each, and a quarter more
        let samples_per_namespace = 50_000_000;
        Self { targets: 10_000, targets_per_namespace: 2_000, samples_per_namespace, idle: Duration::from_secs(3600) }
    }
}

/// Why a new target gets no seat; those that have one are not touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSeat {
    /// There are as many targets as there may be.
    #[error(
        "this scaler has {0} targets, as many as it may (--max-targets); raise that, or wait an hour after triggers were removed"
    )]
    Total(usize),
    /// The namespace has as many targets as it may.
    #[error(
        "this namespace has {0} targets, as many as it may (--max-targets-per-namespace); ask for more, or wait an hour after \
         triggers were removed or changed"
    )]
    Namespace(usize),
    /// The targets of the namespace ask for as much history as they may.
    #[error(
        "the targets of this namespace would ask for {asked} samples of history together, where {most} are the most \
         (--max-samples-per-namespace); write a shorter historyTimeWindow or a longer queryStep, or ask for more"
    )]
    Samples {
        /// What they would ask for with the new one.
        asked: usize,
        /// What they may.
        most: usize,
    },
}
