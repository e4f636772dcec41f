//! [`Settings`] of the slow path, and [`SetupError`] with every mistake in them.

use std::collections::BTreeMap;
use std::time::Duration;

use series::{CredentialName, ServerAddress};

use crate::source::{Allowed, Credentials, Source};

/// How the slow path runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who may be asked, and how.
    pub source: SourceSettings,
    /// From the start of one refresh of a target to the next, a tenth more or less by chance; more than zero.
    pub refresh_interval: Duration,
    /// Most refreshes at once, at least 1.
    pub concurrency: usize,
}

impl Settings {
    /// A refresh every 15 seconds, as often as Prometheus usually scrapes, and 8 at once.
    pub fn new(source: SourceSettings) -> Self {
        Self { source, refresh_interval: Duration::from_secs(15), concurrency: 8 }
    }

    pub(crate) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if self.refresh_interval.is_zero() {
            mistakes.push("the refresh interval must be more than zero".to_owned());
        }
        if self.concurrency == 0 {
            mistakes.push("the concurrency must be at least 1".to_owned());
        }
        mistakes
    }
}

/// Who may be asked, and how.
#[derive(Debug, Clone)]
pub struct SourceSettings {
    /// Asked by targets that name no server. Always allowed.
    pub default_server: Option<ServerAddress>,
    /// Which other servers targets may name.
    pub allowed_servers: Allowed,
    /// What targets may have shown to servers, by the name they write.
    pub credentials: BTreeMap<CredentialName, Credentials>,
    /// How long one request may take where the target states nothing; more than zero, up to [`Source::LONGEST_TIMEOUT`].
    pub timeout: Duration,
    /// Most bytes of an answer, unpacked; at least 1.
    pub max_body_bytes: usize,
    /// How long after its time a sample is final, at most; a step at most is waited.
    ///
    /// Scrapes, remote writes and recording rules need a moment until a query at some time gives what it will always
    /// give. Samples younger than that are not asked for, and what was read is never asked for again: histories do not
    /// change under the models, at the price that a sample that came later than this stays a gap.
    pub settle: Duration,
}

impl SourceSettings {
    /// Ten seconds per request, bodies up to 4 MiB, samples final after 30 seconds, no credentials.
    ///
    /// The longest answer that is asked for, 11,000 samples of one series, is a tenth of that.
    pub fn new(default_server: Option<ServerAddress>, allowed_servers: Allowed) -> Self {
        Self {
            default_server,
            allowed_servers,
            credentials: BTreeMap::new(),
            timeout: Duration::from_secs(10),
            max_body_bytes: 4 * 1024 * 1024,
            settle: Duration::from_secs(30),
        }
    }

    pub(crate) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if self.timeout.is_zero() || self.timeout > Source::LONGEST_TIMEOUT {
            mistakes.push(format!("the timeout must be more than zero and at most {:?}", Source::LONGEST_TIMEOUT));
        }
        if self.max_body_bytes == 0 {
            mistakes.push("the largest body must be at least 1 byte".to_owned());
        }
        for (name, credentials) in &self.credentials {
            if credentials.servers.is_empty() {
                mistakes.push(format!("credentials `{name}`: list the servers they may be sent to"));
            }
        }
        mistakes
    }
}

/// Settings that cannot be run with; lists every mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct SetupError(Vec<String>);

impl SetupError {
    pub(crate) fn new(mistakes: Vec<String>) -> Self {
        Self(mistakes)
    }

    /// The mistakes, one line each.
    pub fn mistakes(&self) -> &[String] {
        &self.0
    }
}
