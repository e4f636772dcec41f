//! Structured logs on standard error.

use std::io::IsTerminal as _;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::SubscriberBuilder;
use tracing_subscriber::reload::Handle;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// What is logged: a level such as `info`, or levels by target such as `info,forecaster=debug`.
#[derive(Debug)]
pub struct Filter(EnvFilter);

/// What is no filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a level such as `info`, or levels by target such as `info,forecaster=debug`")]
pub struct FilterError;

impl Default for Filter {
    fn default() -> Self {
        Self(EnvFilter::new("info"))
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        EnvFilter::try_new(text).map(Self).map_err(|_| FilterError)
    }
}

/// Why logging could not be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoggingError {
    /// Something else in the process already logs.
    #[error("logging was already set up")]
    Twice,
}

/// The log as it is written; what it lets through can be changed.
pub struct Logging(Box<dyn Fn(EnvFilter) + Send + Sync>);

impl Logging {
    /// Lets through what `filter` says from now on.
    pub fn filter(&self, filter: Filter) {
        (self.0)(filter.0);
    }
}

impl std::fmt::Debug for Logging {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logging").finish_non_exhaustive()
    }
}

/// Starts logging to standard error: what `filter` lets through, as `format`.
///
/// # Errors
/// [`LoggingError`] on a second call.
pub fn init(filter: Filter, format: LogFormat) -> Result<Logging, LoggingError> {
    let subscriber = SubscriberBuilder::default()
        .with_env_filter(filter.0)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let begun = match format {
        LogFormat::Text => {
            let subscriber = subscriber.with_filter_reloading();
            let logging = changed_by(subscriber.reload_handle());
            subscriber.try_init().map(|()| logging)
        }
        LogFormat::Json => {
            let subscriber = subscriber.json().flatten_event(true).with_filter_reloading();
            let logging = changed_by(subscriber.reload_handle());
            subscriber.try_init().map(|()| logging)
        }
    };
    begun.map_err(|_| LoggingError::Twice)
}

fn changed_by<S: 'static>(handle: Handle<EnvFilter, S>) -> Logging {
    Logging(Box::new(move |filter| {
        if let Err(error) = handle.reload(filter) {
            tracing::error!(%error, "what is logged cannot be changed");
        }
    }))
}
