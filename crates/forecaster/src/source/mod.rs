//! [`Source`]: asks Prometheus-compatible servers for loads and histories.
//!
//! Who may be asked and shown what is decided before a connection is made (`allow`, `credentials`), and where a name may lead
//! as it is made (`resolver`); every way in which the answer can be wrong has its own variant of [`SourceError`].

mod allow;
mod answer;
mod chunks;
mod client;
mod credentials;
mod error;
mod exchange;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod reading;
mod redaction;
mod request;
mod reserved;
mod resolver;
mod skew;

use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use jiff::SignedDuration;
use reqwest::Client;
use series::{ForecastRequest, Load, MissingSamples, PrometheusQuery, Sample, Series, ServerAddress, Timestamp};

pub use allow::{Allowed, ServerPattern, ServerPatternError};
pub(crate) use chunks::{GridRange, MOST_POINTS};
pub use credentials::{Authorization, ClientIdentity, Credentials, Secret};
pub use error::SourceError;
pub(crate) use request::{Endpoint, Question};
pub use reserved::Reserved;

use self::answer::Data;
use self::client::{Clients, Verification};
use self::exchange::Exchange;
use self::redaction::Redaction;
use self::resolver::Resolver;
use self::skew::{Clocks, Skew};
use crate::history::History;
use crate::metrics::SourceMetrics;
use crate::settings::{SetupError, SourceSettings};

/// Tries after the first one.
const RETRIES: usize = 2;

/// Wait before the first retry; doubled for the next, and up to as much again by chance, so that replicas that lost one
/// server together do not come back together.
const FIRST_RETRY_AFTER: Duration = Duration::from_millis(200);

/// Asks Prometheus-compatible servers, within what the settings allow.
pub struct Source {
    settings: SourceSettings,
    clients: Clients,
    clocks: Clocks,
    metrics: Arc<SourceMetrics>,
}

/// Who is asked, as whom, for how long: allowed by the settings.
struct Access<'a> {
    server: &'a ServerAddress,
    credentials: Option<&'a Credentials>,
    client: Client,
    timeout: Duration,
}

/// What a server answered, and when that was by its clock.
struct Answer {
    data: Data,
    /// The server's present, to the second; `None` where it does not tell.
    present: Option<Timestamp>,
    /// How far its clock is ahead of ours, where that is far and our present is known.
    skew: Option<SignedDuration>,
}

impl Source {
    /// Longest time that one request may take: longer ones would hold a place in the schedule, and are late for any lead time.
    pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

    /// A source outside of a schedule, for commands that ask once; it counts into metrics that nobody reads.
    ///
    /// # Errors
    /// [`SetupError`] with every mistake in the settings.
    pub fn new(settings: SourceSettings) -> Result<Self, SetupError> {
        Self::with_metrics(settings, Arc::new(SourceMetrics::default()))
    }

    pub(crate) fn with_metrics(settings: SourceSettings, metrics: Arc<SourceMetrics>) -> Result<Self, SetupError> {
        let resolver = Resolver::new(settings.allowed_servers.clone(), settings.default_server.as_ref());
        Self::with_resolver(settings, metrics, resolver)
    }

    fn with_resolver(
        settings: SourceSettings,
        metrics: Arc<SourceMetrics>,
        resolver: Resolver,
    ) -> Result<Self, SetupError> {
        let mut mistakes = settings.mistakes();
        match Clients::build(&settings.credentials, &Arc::new(resolver)) {
            Ok(clients) if mistakes.is_empty() => Ok(Self { settings, clients, clocks: Clocks::default(), metrics }),
            Ok(_) => Err(SetupError::new(mistakes)),
            Err(more) => {
                mistakes.extend(more);
                Err(SetupError::new(mistakes))
            }
        }
    }

    /// The load at the present of the server, whose clock is held against ours, which says `now`.
    ///
    /// # Errors
    /// [`SourceError`]: why the source told none.
    pub async fn observe(&self, query: &PrometheusQuery, now: Timestamp) -> Result<Load, SourceError> {
        let read = |answer: Answer, redaction: &Redaction, server: &ServerAddress| {
            let Some(skew) = answer.skew else { return reading::load(answer.data, query.missing_samples, redaction) };
            // samples that others push to the server may be missing at a present that is not theirs: that is no zero
            reading::load(answer.data, MissingSamples::Unknown, redaction).map_err(|error| match error {
                SourceError::Empty => SourceError::EmptyPresent { server: Box::new(server.clone()), skew },
                other => other,
            })
        };
        self.ask(query, Question::Now(now), read).await
    }

    /// The whole history that `request` learns from, as it had settled at `now`; begins with the first known sample.
    ///
    /// # Errors
    /// [`SourceError`]: why the source did not tell it, or not all of it; [`SourceError::Empty`] where no sample is known.
    pub async fn history(&self, request: &ForecastRequest, now: Timestamp) -> Result<Series, SourceError> {
        let mut history = History::of(request, self.settings.settle);
        for range in history.newer(now) {
            let samples = self.samples(&request.query, range).await?;
            history.record_newer(range, samples);
        }
        while let Some(range) = history.older(now) {
            let samples = self.samples(&request.query, range).await?;
            history.record_older(range, samples);
        }
        history.known().ok_or(SourceError::Empty)
    }

    /// One sample for each time of `range`, which must be no longer than a server answers at once; those that have not settled
    /// by the server's own clock are left out.
    pub(crate) async fn samples(&self, query: &PrometheusQuery, range: GridRange) -> Result<Vec<Sample>, SourceError> {
        let settle = self.settings.settle.min(range.step().duration());
        let read = |answer: Answer, redaction: &Redaction, server: &ServerAddress| {
            let mut samples = reading::samples(answer.data, &range, server, redaction)?;
            if let Some(present) = answer.present {
                // of its future a server says nothing, or what it knew last, or the zero of an `or vector(0)`
                samples.truncate(range.count_until(present.saturating_sub(settle).unwrap_or(Timestamp::MIN)));
            }
            Ok(samples)
        };
        self.ask(query, Question::Over(range), read).await
    }

    pub(crate) fn settle(&self) -> Duration {
        self.settings.settle
    }

    /// Asks, tries again where that may help, all within twice the timeout of one request.
    async fn ask<T>(
        &self,
        query: &PrometheusQuery,
        question: Question,
        read: impl Fn(Answer, &Redaction, &ServerAddress) -> Result<T, SourceError>,
    ) -> Result<T, SourceError> {
        let access = self.access(query).await.inspect_err(|error| self.metrics.failed(error.kind()))?;
        let began = tokio::time::Instant::now();
        let once = || async {
            let answer = self.once(&access, query, question.after(began.elapsed()), &read).await;
            answer.inspect_err(|error| self.metrics.failed(error.kind()))
        };
        let backoff = ExponentialBuilder::new()
            .with_min_delay(FIRST_RETRY_AFTER)
            .with_factor(2.0)
            .with_max_times(RETRIES)
            .with_jitter();
        let tries = once
            .retry(backoff)
            .when(SourceError::is_worth_another_try)
            .adjust(|error, planned| {
                // a try that could not run its full time would only turn the fault it met before into a timeout
                wait_for(error, planned, access.timeout).filter(|wait| began.elapsed() + *wait <= access.timeout)
            })
            .notify(|error, wait| tracing::debug!(%error, ?wait, "source asked again"));
        tokio::time::timeout(access.timeout * 2, tries).await.unwrap_or_else(|_| {
            let error = timed_out(&access, access.timeout * 2);
            self.metrics.failed(error.kind());
            Err(error)
        })
    }

    async fn once<T>(
        &self,
        access: &Access<'_>,
        query: &PrometheusQuery,
        question: Question,
        read: &impl Fn(Answer, &Redaction, &ServerAddress) -> Result<T, SourceError>,
    ) -> Result<T, SourceError> {
        let mut redaction = Redaction::default();
        let request =
            request::build(&access.client, access.server, query, access.credentials, question, &mut redaction).await?;
        let exchange = Exchange {
            client: &access.client,
            server: access.server,
            redaction: &redaction,
            most_bytes: self.settings.max_body_bytes,
        };
        let _timer = self.metrics.request(question.endpoint());
        let answered = async {
            let sent = tokio::time::Instant::now();
            let response = exchange.send(request).await?;
            let present = exchange::date(&response);
            let skew = present.zip(question.asked_at()).and_then(|(date, asked)| {
                let skew = Skew::measured(date, asked, sent.elapsed());
                self.metrics.set_clock_skew(self.clocks.heard(access.server, skew));
                skew.if_large()
            });
            let data = exchange.data(response).await?;
            Ok(Answer { data, present, skew })
        };
        match tokio::time::timeout(access.timeout, answered).await {
            Ok(answer) => read(answer?, &redaction, access.server),
            Err(_) => Err(timed_out(access, access.timeout)),
        }
    }

    /// Whether a target may name `server`; a name is followed to its addresses only when the connection is made.
    fn permits(&self, server: &ServerAddress) -> Result<(), SourceError> {
        let allowed = &self.settings.allowed_servers;
        if !allowed.permits(server) {
            return Err(SourceError::ServerNotAllowed { server: Box::new(server.clone()) });
        }
        if let Some(address) = server.ip()
            && let Some(reserved) = allowed.refuses(server.host(), address)
        {
            return Err(SourceError::AddressReserved { server: Box::new(server.clone()), address, reserved });
        }
        Ok(())
    }

    /// Who may be asked for `query` and what may be shown; decided without any connection.
    async fn access<'a>(&'a self, query: &'a PrometheusQuery) -> Result<Access<'a>, SourceError> {
        let default = self.settings.default_server.as_ref();
        let server = query.server.as_ref().or(default).ok_or(SourceError::NoServer)?;
        if Some(server) != default {
            self.permits(server)?;
        }
        let verification = if query.accept_any_certificate { Verification::Skipped } else { Verification::Checked };
        let credentials = match &query.credentials {
            None => None,
            Some(name) => {
                let found = self.settings.credentials.get(name);
                let own = found.ok_or_else(|| SourceError::UnknownCredentials { name: name.clone() })?;
                if !own.servers.iter().any(|pattern| pattern.matches(server)) {
                    return Err(SourceError::CredentialsNotForServer {
                        name: name.clone(),
                        server: Box::new(server.clone()),
                    });
                }
                if verification == Verification::Skipped && !own.may_skip_verification {
                    return Err(SourceError::CredentialsUnverified { name: name.clone() });
                }
                Some(own)
            }
        };
        // every pair that can be asked for was built
        let client = self.clients.get(query.credentials.as_ref(), verification).await.ok_or(SourceError::NoServer)?;
        let timeout = query.timeout.unwrap_or(self.settings.timeout).min(Self::LONGEST_TIMEOUT);
        Ok(Access { server, credentials, client, timeout })
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The wait before the next try: at least what the server asked for, and none at all where that is too long.
fn wait_for(error: &SourceError, planned: Option<Duration>, longest: Duration) -> Option<Duration> {
    match error {
        SourceError::Throttled { retry_after: Some(asked), .. } if *asked > longest => None,
        SourceError::Throttled { retry_after: Some(asked), .. } => planned.map(|planned| planned.max(*asked)),
        _ => planned,
    }
}

fn timed_out(access: &Access<'_>, after: Duration) -> SourceError {
    SourceError::Timeout { server: Box::new(access.server.clone()), after }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
