//! [`Outlook`]: all that the slow path knows of one target, as it hands it to the fast path.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Forecast, ForecastSkill, Load, ModelName, Series, Step, Verdict};

/// Forecast, last observation, how good the forecasts have been, and how the source is.
///
/// Made anew by every refresh, the failing ones too: then it carries the last observation and the last forecast on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    /// When the refresh that made it ended.
    pub issued: Timestamp,
    /// The newest load the source told, or why there is none.
    pub observation: Result<Observation, NoObservation>,
    /// The newest forecast, or why there is none.
    pub forecast: Result<Arc<Forecast>, NoForecast>,
    /// Which model is in force and why, once one was chosen.
    pub verdict: Option<Arc<Verdict>>,
    /// How the forecasts made a lead time ago came out, beside plain ones; `None` until enough did.
    #[serde(default)]
    pub skill: Option<ForecastSkill>,
    /// Mean absolute error of the forecasts made a lead time ago, over those that came true lately, in the unit of the
    /// load; `None` until the first one did.
    pub lead_time_error: Option<f64>,
    /// The load a week before the time that is a lead time ahead: what last week foretells. `None` where it is not known.
    #[serde(default)]
    pub last_week: Option<Load>,
    /// The pods that the workload was last seen to have; `None` where nobody asked, or it was not told.
    #[serde(default)]
    pub replicas: Option<ReplicasSeen>,
    /// The newest hours of the history, to be shown beside the forecast. Not kept over restarts and not sent to other processes.
    #[serde(skip)]
    pub recent: Option<Arc<Series>>,
    /// Whether the last refresh reached the source.
    pub source: SourceState,
}

/// A load and when it was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// When the source said it.
    pub at: Timestamp,
    /// What it said.
    pub load: Load,
}

/// How many pods a workload had, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicasSeen {
    /// When the source said it.
    pub at: Timestamp,
    /// What it said.
    pub count: u32,
}

/// Why no load was ever observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoObservation {
    /// No refresh has ended yet, or none has reached the source; [`Outlook::source`] tells which.
    NotYet,
}

/// Why there is no forecast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum NoForecast {
    /// No history has been read yet.
    #[error("no history has been read yet")]
    NotYet,
    /// There is less history than the simplest model needs.
    #[error("{known} samples are known, a forecast needs {needed}")]
    TooLittleHistory {
        /// Samples known.
        known: usize,
        /// Samples needed.
        needed: usize,
    },
    /// The stated model forecasts no series of this step.
    #[error(
        "the model {model} needs a step of 5m to 6h that divides a day, the history has one of {step}: take another model or step"
    )]
    UnsuitedStep {
        /// The model stated.
        model: ModelName,
        /// The step of the history.
        step: Step,
    },
    /// The metadata asks for no forecast (`mode: reactive`).
    #[error("the metadata asks for none (mode: reactive)")]
    NotAsked,
    /// The models failed; this is a defect.
    #[error("the model failed: {0}")]
    Failed(String),
}

/// How the source was at the last refresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceState {
    /// No refresh has ended yet.
    NotAsked,
    /// It answered.
    Answering,
    /// It did not, or not usably.
    Failing {
        /// Since which refresh.
        since: Timestamp,
        /// What was wrong the last time.
        fault: SourceFault,
    },
}

/// What was wrong with a source, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct SourceFault {
    /// The class of the fault.
    pub kind: FaultKind,
    /// What was wrong, where, and what to do: one line for the user, free of secrets.
    pub message: String,
}

/// The classes of faults of a source; label values of the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// No connection: refused, no such host, TLS failed, reset.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// 401 or 403.
    Unauthorized,
    /// 429.
    Throttled,
    /// The query is wrong (4xx with Prometheus' own error).
    BadQuery,
    /// 5xx.
    ServerError,
    /// A redirect, which is not followed.
    Redirect,
    /// The body is not what Prometheus answers.
    NotPrometheus,
    /// The body is larger than allowed.
    TooLarge,
    /// More than one series.
    SeveralSeries,
    /// A string, or another type that holds no load.
    WrongType,
    /// No series at all.
    Empty,
    /// NaN, an infinity, or beyond [`Load::MAX`].
    NotALoad,
    /// The address is not allowed, or the metadata names credentials that are not configured for it.
    Forbidden,
}

impl FaultKind {
    /// Every class.
    pub const ALL: [Self; 14] = [
        Self::Unreachable,
        Self::Timeout,
        Self::Unauthorized,
        Self::Throttled,
        Self::BadQuery,
        Self::ServerError,
        Self::Redirect,
        Self::NotPrometheus,
        Self::TooLarge,
        Self::SeveralSeries,
        Self::WrongType,
        Self::Empty,
        Self::NotALoad,
        Self::Forbidden,
    ];

    /// The name in metric labels and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Unauthorized => "unauthorized",
            Self::Throttled => "throttled",
            Self::BadQuery => "bad_query",
            Self::ServerError => "server_error",
            Self::Redirect => "redirect",
            Self::NotPrometheus => "not_prometheus",
            Self::TooLarge => "too_large",
            Self::SeveralSeries => "several_series",
            Self::WrongType => "wrong_type",
            Self::Empty => "empty",
            Self::NotALoad => "not_a_load",
            Self::Forbidden => "forbidden",
        }
    }
}

impl Outlook {
    /// What is known of a target that was first seen at `now`: nothing yet.
    pub fn first_seen(now: Timestamp) -> Self {
        Self {
            issued: now,
            observation: Err(NoObservation::NotYet),
            forecast: Err(NoForecast::NotYet),
            verdict: None,
            skill: None,
            lead_time_error: None,
            last_week: None,
            replicas: None,
            recent: None,
            source: SourceState::NotAsked,
        }
    }

    /// Takes in what the models gave at `now`. A forecast that still speaks of the future outlives a failure to make another.
    pub fn foretold(&mut self, forecast: Result<Arc<Forecast>, NoForecast>, now: Timestamp) {
        let outlives = forecast.is_err() && self.forecast.as_ref().is_ok_and(|known| known.end() > now);
        if !outlives {
            self.forecast = forecast;
        }
    }
}
