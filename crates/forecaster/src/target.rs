//! [`Target`]: one target that is watched, with all that the slow path knows of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use forecasting::{Learned, OnlineForecaster};
use series::{
    ForecastRequest, Load, NoForecast, Observation, Outlook, ReplicasSeen, SourceFault, SourceState, TargetKey,
    Timestamp,
};
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
    /// Locked while an outlook is published, so that none comes after the target was forgotten.
    is_forgotten: std::sync::Mutex<bool>,
    /// Whether the replicas could not be told at the last refresh.
    replicas_unknown: AtomicBool,
    /// Whether it began with a stored outlook.
    pub(crate) is_resumed: bool,
    /// Whether it waits for its history to be filled in.
    awaits_fill: AtomicBool,
}

/// What is known of a target between two refreshes.
pub(crate) struct State {
    pub(crate) history: History,
    /// `None` before the first forecast.
    pub(crate) forecasts: Option<OnlineForecaster>,
    pub(crate) accuracy: Accuracy,
    /// The last outlook, which a failing refresh carries on.
    pub(crate) outlook: Outlook,
    /// Rest from asking for older history, after tries that failed.
    pub(crate) rest: Rest,
    /// Whether the first fit may wait for the whole history: until then the stored forecast is as good.
    pub(crate) may_put_off_fit: bool,
    /// Whether an earlier process may have kept a history of it, which nobody has looked for yet.
    pub(crate) may_be_archived: bool,
    /// What forecasts had taught an earlier process, until they are made here.
    pub(crate) learned: Option<Learned>,
    /// When the history was last kept.
    pub(crate) archived: Option<Timestamp>,
}

/// When something that failed may be tried again: after a minute, and twice as long after each further failure.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    until: Option<Timestamp>,
    length: Duration,
}

impl Rest {
    const SHORTEST: Duration = Duration::from_secs(60);
    const LONGEST: Duration = Duration::from_secs(3600);

    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        // no rest is longer than the longest: the clock was put back
        let is_sound = |until: Timestamp| until.duration_since(now) <= jiff::SignedDuration::from_secs(3600);
        self.until.is_none_or(|until| until <= now || !is_sound(until))
    }

    pub(crate) fn failed(&mut self, now: Timestamp) {
        self.length = (self.length * 2).clamp(Self::SHORTEST, Self::LONGEST);
        self.until = now.saturating_add(self.length).ok();
    }

    pub(crate) fn succeeded(&mut self) {
        *self = Self::default();
    }
}

impl Target {
    /// A target that begins with `start`, of which the slow path knows something where `is_resumed`.
    pub(crate) fn new(
        key: TargetKey,
        request: ForecastRequest,
        settle: Duration,
        start: Outlook,
        is_resumed: bool,
    ) -> Self {
        let may_put_off_fit = start.forecast.is_ok();
        let state = State {
            history: History::of(&request, settle),
            forecasts: None,
            accuracy: Accuracy::resume(start.lead_time_error),
            outlook: start,
            rest: Rest::default(),
            may_put_off_fit,
            may_be_archived: is_resumed && request.forecast_wanted,
            learned: None,
            archived: None,
        };
        Self {
            key,
            request,
            state: Mutex::new(state),
            refreshes: AtomicU64::new(0),
            is_forgotten: std::sync::Mutex::new(false),
            replicas_unknown: AtomicBool::new(false),
            is_resumed,
            awaits_fill: AtomicBool::new(false),
        }
    }

    pub(crate) fn refreshes(&self) -> u64 {
        self.refreshes.load(Ordering::Acquire)
    }

    pub(crate) fn refresh_ended(&self) {
        self.refreshes.fetch_add(1, Ordering::AcqRel);
    }

    /// Notes that its history is to be filled in; tells whether it does not wait for that already.
    pub(crate) fn asks_for_fill(&self) -> bool {
        !self.awaits_fill.swap(true, Ordering::Relaxed)
    }

    /// Its turn to be filled in has come.
    pub(crate) fn is_filled_in(&self) {
        self.awaits_fill.store(false, Ordering::Relaxed);
    }

    /// Has nothing published any more. One publication under way is waited for.
    pub(crate) fn forget(&self) {
        *self.is_forgotten.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    /// Does `publish`, unless the target is forgotten.
    pub(crate) fn unless_forgotten(&self, publish: impl FnOnce()) {
        let is_forgotten = self.is_forgotten.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_forgotten {
            publish();
        }
    }

    /// Logs why the replicas cannot be told, when that begins.
    pub(crate) fn replicas_told(&self, seen: &Result<ReplicasSeen, String>) {
        match (seen, self.replicas_unknown.swap(seen.is_err(), Ordering::Relaxed)) {
            (Err(why), false) => {
                tracing::warn!(target_key = %self.key, %why, "replicasQuery fails, replicas are estimated");
            }
            (Ok(_), true) => tracing::info!(target_key = %self.key, "replicasQuery answers again"),
            _ => {}
        }
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

    /// Takes in what the models gave at `now`.
    pub(crate) fn foretold(&mut self, now: Timestamp, forecast: Result<Arc<series::Forecast>, NoForecast>) {
        self.outlook.foretold(forecast, now);
        let Some(forecasts) = &self.forecasts else { return };
        if let Some(verdict) = forecasts.verdict() {
            self.outlook.verdict = Some(Arc::clone(verdict));
        }
        if let Some(skill) = forecasts.skill() {
            self.outlook.skill = Some(skill);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_published_once_forgetting_has_ended() {
        let key = TargetKey { namespace: "n".into(), name: "a".into(), digest: "d".into() };
        let server = "http://p:9090".parse().unwrap();
        let start = Outlook::first_seen(Timestamp::UNIX_EPOCH);
        let target = Target::new(key, crate::testing::request(&server, 100), Duration::ZERO, start, false);
        std::thread::scope(|scope| {
            let mut forgetting = None;
            target.unless_forgotten(|| {
                forgetting = Some(scope.spawn(|| target.forget()));
                std::thread::sleep(Duration::from_millis(20));
                assert!(!forgetting.as_ref().unwrap().is_finished(), "the publication under way is waited for");
            });
            forgetting.unwrap().join().unwrap();
        });
        target.unless_forgotten(|| panic!("published after it was forgotten"));
    }

    #[test]
    fn each_failure_doubles_the_rest_up_to_an_hour() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut rest = Rest::default();
        assert!(rest.is_over(at(0)));
        for length in [60, 120, 240, 480, 960, 1920, 3600, 3600] {
            rest.failed(at(0));
            assert!(!rest.is_over(at(length - 1)) && rest.is_over(at(length)), "{length}");
        }
        assert!(rest.is_over(at(-10_000)), "the clock was put back");
        rest.succeeded();
        rest.failed(at(0));
        assert!(rest.is_over(at(60)));
    }
}
