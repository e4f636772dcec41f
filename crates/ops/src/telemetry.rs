//! Structured logs on standard error.

use std::io::IsTerminal as _;

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

/// What the log lets through, to be changed while it is written.
pub struct LogFilter(Box<dyn Fn(EnvFilter) + Send + Sync>);

impl LogFilter {
    /// Lets through what `filter` says from now on.
    ///
    /// # Errors
    /// [`TelemetryError`] for a filter that does not parse; the one of before stays in force.
    pub fn set(&self, filter: &str) -> Result<(), TelemetryError> {
        (self.0)(parsed(filter)?);
        Ok(())
    }
}

impl std::fmt::Debug for LogFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogFilter").finish_non_exhaustive()
    }
}

/// Starts logging to standard error: what `filter` lets through, as `format`.
///
/// # Errors
/// [`TelemetryError`] for a filter that does not parse, and on a second call.
pub fn init(filter: &str, format: LogFormat) -> Result<LogFilter, TelemetryError> {
    let subscriber = SubscriberBuilder::default()
        .with_env_filter(parsed(filter)?)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let begun = match format {
        LogFormat::Text => {
            let subscriber = subscriber.with_filter_reloading();
            let filter = changed_by(subscriber.reload_handle());
            subscriber.try_init().map(|()| filter)
        }
        LogFormat::Json => {
            let subscriber = subscriber.json().flatten_event(true).with_filter_reloading();
            let filter = changed_by(subscriber.reload_handle());
            subscriber.try_init().map(|()| filter)
        }
    };
    begun.map_err(|_| TelemetryError::Twice)
}

fn changed_by<S: 'static>(handle: Handle<EnvFilter, S>) -> LogFilter {
    LogFilter(Box::new(move |filter| {
        if let Err(error) = handle.reload(filter) {
            tracing::error!(%error, "what is logged cannot be changed");
        }
    }))
}

fn parsed(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::try_new(filter).map_err(|_| TelemetryError::Filter { filter: filter.to_owned() })
}
