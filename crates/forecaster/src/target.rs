//! [`Target`]: one target that is watched, with all that the slow path knows of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use forecasting::Fitted;
use series::{ForecastRequest, Load, NoForecast, Observation, Outlook, SourceFault, SourceState, TargetKey, Timestamp};
use tokio::sync::Mutex;

use crate::accuracy::Accuracy;
use crate::history::History;

/// One target that is watched.
pub(crate) struct Target {
    pub(crate) key: TargetKey,
    pub(crate) request: ForecastRequest,
    /// Locked for the whole of a refresh, so that there is one at a time.
    pub(crate) state: Mutex<State>,
    /// How many refreshes have ended.
    refreshes: AtomicU64,
    is_forgotten: AtomicBool,
}

/// What is known of a target between two refreshes.
pub(crate) struct State {
    pub(crate) history: History,
    /// The model in force; `None` until there is one, and where a fit must be made whatever the model says.
    pub(crate) fitted: Option<Fitted>,
    pub(crate) accuracy: Accuracy,
    /// The last outlook, which a failing refresh carries on.
    pub(crate) outlook: Outlook,
    /// No older history is asked for before this time: the last try failed.
    pub(crate) older_not_before: Option<Timestamp>,
}

impl Target {
    pub(crate) fn new(key: TargetKey, request: ForecastRequest, settle: Duration, start: Outlook) -> Self {
        let state = State {
            history: History::of(&request, settle),
            fitted: None,
            accuracy: Accuracy::resume(start.lead_time_error),
            outlook: start,
            older_not_before: None,
        };
        Self {
            key,
            request,
            state: Mutex::new(state),
            refreshes: AtomicU64::new(0),
            is_forgotten: AtomicBool::new(false),
        }
    }

    pub(crate) fn refreshes(&self) -> u64 {
        self.refreshes.load(Ordering::Acquire)
    }

    pub(crate) fn refresh_ended(&self) {
        self.refreshes.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn forget(&self) {
        self.is_forgotten.store(true, Ordering::Release);
    }

    pub(crate) fn is_forgotten(&self) -> bool {
        self.is_forgotten.load(Ordering::Acquire)
    }

    /// Whether a refresh is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.state.try_lock().is_err()
    }
}

impl State {
    /// Takes in what the instant query gave at `now`. Where that is nothing, the newest sample of the history stands
    /// in, and where that is older than what was observed before, so does that.
    pub(crate) fn observed(&mut self, now: Timestamp, load: Option<Load>) {
        let newest = match load {
            Some(load) => Some(Observation { at: now, load }),
            None => self.history.latest().map(|(at, load)| Observation { at, load }),
        };
        let is_news = |newest: &Observation| self.outlook.observation.is_ok_and(|known| known.at >= newest.at);
        if let Some(newest) = newest.filter(|newest| load.is_some() || !is_news(newest)) {
            self.outlook.observation = Ok(newest);
        }
    }

    /// Takes in whether the source answered; a fault holds since the first refresh it was seen in.
    pub(crate) fn heard(&mut self, now: Timestamp, fault: Option<SourceFault>) {
        self.outlook.source = match (fault, &self.outlook.source) {
            (None, _) => SourceState::Answering,
            (Some(fault), SourceState::Failing { since, .. }) => SourceState::Failing { since: *since, fault },
            (Some(fault), _) => SourceState::Failing { since: now, fault },
        };
    }

    /// Takes in what the models gave. A forecast that still speaks of the future outlives a failure to make another.
    pub(crate) fn foretold(&mut self, now: Timestamp, forecast: Result<Arc<series::Forecast>, NoForecast>) {
        let outlives = forecast.is_err() && self.outlook.forecast.as_ref().is_ok_and(|known| known.end() > now);
        if !outlives {
            self.outlook.forecast = forecast;
        }
        if let Some(fitted) = &self.fitted {
            self.outlook.verdict = Some(Arc::clone(fitted.verdict()));
        }
    }
}
