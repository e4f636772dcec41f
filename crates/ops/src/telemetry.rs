//! Structured logs on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::SubscriberBuilder;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter does not parse.
    #[error("`{filter}` is no log filter; write a level such as `info`, or targets such as `info,forecaster=debug`")]
    Filter {
        /// What was written.
        filter: String,
    },
    /// Something else in the process already logs.
    #[error("logging was already set up")]
    Twice,
}

/// Starts logging to standard error: what `filter` lets through, as `format`.
///
/// # Errors
/// [`TelemetryError`] for a filter that does not parse, and on a second call.
pub fn init(filter: &str, format: LogFormat) -> Result<(), TelemetryError> {
    let parsed = EnvFilter::try_new(filter).map_err(|_| TelemetryError::Filter { filter: filter.to_owned() })?;
    let subscriber = SubscriberBuilder::default()
        .with_env_filter(parsed)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    }
    .map_err(|_| TelemetryError::Twice)
}
