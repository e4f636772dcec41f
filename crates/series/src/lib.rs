//! The words both paths share: [`Series`] of samples with named gaps, [`Forecast`] quantiles, the [`Outlook`] that
//! the slow path publishes and the fast path reads, and the [`ForecastRequest`] that says what to forecast.
//!
//! Nothing here does IO, reads a clock or knows an async runtime. Times are [`Timestamp`]s handed in by the caller.

mod distribution;
mod forecast;
mod kept;
mod load;
mod model;
mod outlook;
mod quantile;
mod request;
mod samples;
mod seasons;
mod server;
mod step;

pub use distribution::Distribution;
pub use forecast::{Forecast, ForecastError, Horizon};
pub use jiff::Timestamp;
pub use kept::{HistoryUpdate, KeptHistory, Page};
pub use load::{Load, LoadError};
pub use model::{ChoiceReason, ForecastSkill, ModelChoice, ModelName, ModelScore, UnknownModel, Verdict};
pub use outlook::{FaultKind, NoForecast, NoObservation, Observation, Outlook, ReplicasSeen, SourceFault, SourceState};
pub use quantile::{Quantile, QuantileError};
pub use request::{CredentialName, CredentialNameError, ForecastRequest, MissingSamples, PrometheusQuery, TargetKey};
pub use samples::{Gap, GapReason, Sample, Series, SeriesError};
pub use seasons::Seasons;
pub use server::{ServerAddress, ServerAddressError};
pub use step::{Step, StepError};

/// Where the two running parts take the time from; everything else gets `now` as an argument.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present moment.
    fn now(&self) -> Timestamp;
}
