//! [`Refresher`]: one refresh of one target, from the questions to the outlook.
//!
//! ```text
//!  instant query at now ----------------------------> observation --+
//!  range query, only what has settled since --> history --> fit if due --> forecast --> outlook --> published
//!  (while the history is not full) range queries for what is older --> fit --> forecast --> outlook, again
//! ```
//! What an earlier process kept of the history comes before all that, and the history is kept for the next one every ten minutes: so long is a restart
//! not asked for what it knew.
//! The two halves fail alone: each carries on what it knew. Of a target that nothing is known of a glance may come first: the instant
//! query alone.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::tz::TimeZone;
use series::{
    Clock, Forecast, ForecastRequest, KeptHistory, Load, NoForecast, Outlook, ReplicasSeen, Series, SourceFault,
    SourceState, Timestamp,
};
use tokio::sync::Semaphore;

use crate::accuracy;
use crate::archive::{self, Archive};
use crate::forecaster::Publish;
use crate::metrics::Metrics;
use crate::source::{Source, SourceError};
use crate::target::{State, Target};
use forecasting::{OnlineForecaster, Renewal};

/// So much of the history goes with an outlook, for those who show it: as much as a shift of an operator.
const SHOWN: Duration = Duration::from_hours(6);

/// How often a history is kept for the next process, which asks the source for what came since.
const ARCHIVED_EVERY: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);

/// Does refreshes.
pub(crate) struct Refresher {
    /// Whom it asks; replaced where the settings are.
    pub(crate) source: RwLock<Arc<Source>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) publish: Arc<dyn Publish>,
    /// `None` where histories are not to outlive the process.
    pub(crate) archive: Option<Arc<dyn Archive>>,
    pub(crate) metrics: Metrics,
    /// Fits at once: they take whole cores, and some must be left for answers.
    pub(crate) fits: Semaphore,
}

impl Refresher {
    /// Whom to ask now.
    pub(crate) fn source(&self) -> Arc<Source> {
        Arc::clone(&self.source.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The present of `target`, of which nothing is known yet.
    pub(crate) async fn glance(&self, target: &Target) {
        let mut state = target.state.lock().await;
        let now = self.clock.now();
        let observed = self.source().observe(&target.request.query, now).await;
        state.observed(now, observed.as_ref().ok().copied());
        self.conclude(target, &mut state, now, observed.err().map(SourceFault::from));
    }

    /// One refresh of `target` with all of its history, or the end of the one under way.
    pub(crate) async fn refresh(&self, target: &Target) {
        if !self.refresh_newest(target).await {
            self.fill_in(target).await;
        }
    }

    /// One refresh of `target`, or the end of the one under way; tells whether its history is whole, or to be left as it is.
    pub(crate) async fn refresh_newest(&self, target: &Target) -> bool {
        let before = target.refreshes();
        let mut state = target.state.lock().await;
        if target.refreshes() != before {
            // the one under way when this one was called for has ended
            return true;
        }
        let _timer = self.metrics.refresh();
        let is_whole = self.refresh_alone(target, &mut state).await;
        target.refresh_ended();
        is_whole
    }

    async fn refresh_alone(&self, target: &Target, state: &mut State) -> bool {
        self.look_into_archive(target, state).await;
        let now = self.clock.now();
        let request = &target.request;
        let source = self.source();
        let (observed, newer, replicas) = tokio::join!(
            source.observe(&request.query, now),
            self.read_newer(request, state, now),
            self.replicas(target, now),
        );
        let (read, newer_fault) = newer;
        let is_whole = !state.rest.is_over(now) || state.history.older(now).is_none();
        // two weeks of history are read in two pieces: after a restart one fit of all of it is enough
        let is_put_off = std::mem::take(&mut state.may_put_off_fit) && !is_whole && newer_fault.is_none();
        if read > 0 && !is_put_off {
            self.forecast(request, state, now).await;
        }
        state.observed(now, observed.as_ref().ok().copied());
        state.outlook.replicas = replicas;
        if !request.forecast_wanted {
            state.outlook.forecast = Err(NoForecast::NotAsked);
        }
        let fault = observed.err().or(newer_fault).map(SourceFault::from);
        let hears_all = fault.is_none();
        self.conclude(target, state, now, fault);
        self.keep_history(target, state, now, is_whole);
        !hears_all || !request.forecast_wanted || is_whole
    }

    /// The pods that the workload has, where that is asked for and can be told. The load does not depend on it: without an answer they are estimated.
    async fn replicas(&self, target: &Target, now: Timestamp) -> Option<ReplicasSeen> {
        let query = target.request.replicas()?;
        let answer = self.source().observe(&query, now).await.map_err(|error| error.to_string());
        let seen = answer.and_then(|load| {
            count(load)
                .map(|count| ReplicasSeen { at: now, count })
                .ok_or_else(|| format!("{load} is no count of pods"))
        });
        target.replicas_told(&seen);
        seen.ok()
    }

    /// Reads what has settled since the last time; how many samples were read, and the fault that ended it.
    async fn read_newer(
        &self,
        request: &ForecastRequest,
        state: &mut State,
        now: Timestamp,
    ) -> (usize, Option<SourceError>) {
        let mut read = 0;
        if !request.forecast_wanted {
            return (read, None);
        }
        if state.history.take_back(now) {
            tracing::warn!(%now, "the clock was put back, samples are asked for again");
            state.learned = state.forecasts.take().as_ref().and_then(OnlineForecaster::learned);
        }
        for range in state.history.newer(now) {
            match self.source().samples(&request.query, range).await {
                Ok(samples) => {
                    // those that have not settled by the server's clock are left out
                    read += samples.len();
                    state.history.record_newer(range, samples);
                }
                Err(error) => return (read, Some(error)),
            }
        }
        (read, None)
    }

    /// Reads the history before what is known, piece by piece, and forecasts anew from all of it.
    ///
    /// After a failure it rests: such a request is the heaviest there is, some servers refuse it for good, and the newest
    /// history already makes a forecast.
    pub(crate) async fn fill_in(&self, target: &Target) {
        let mut locked = target.state.lock().await;
        let (state, request, now) = (&mut *locked, &target.request, self.clock.now());
        if !state.rest.is_over(now) {
            return;
        }
        let mut read = 0;
        let mut fault = None;
        while let Some(range) = state.history.older(now) {
            match self.source().samples(&request.query, range).await {
                Ok(samples) => {
                    state.history.record_older(range, samples);
                    state.rest.succeeded();
                }
                Err(error) => {
                    state.rest.failed(now);
                    fault = Some(SourceFault::from(error));
                    break;
                }
            }
            read += range.count();
        }
        if read > 0 {
            // weeks more of history may well prefer another model
            if let Some(forecasts) = &mut state.forecasts {
                forecasts.forget_fit();
            }
            self.forecast(request, state, now).await;
        }
        if read > 0 || fault.is_some() {
            self.conclude(target, state, now, fault);
        }
        self.keep_history(target, state, now, true);
    }

    /// Begins with what an earlier process kept, once.
    async fn look_into_archive(&self, target: &Target, state: &mut State) {
        if !std::mem::take(&mut state.may_be_archived) {
            return;
        }
        let Some(archive) = &self.archive else { return };
        if let Some(KeptHistory { history, learned }) = archive.load(target.key.clone()).await {
            state.history.resume(history);
            state.learned = learned.and_then(|text| archive::read(&target.key, &text));
        }
    }

    /// Has the history kept for the next process, where that is due.
    fn keep_history(&self, target: &Target, state: &mut State, now: Timestamp, is_whole: bool) {
        let Some(archive) = self.archive.as_ref().filter(|archive| is_whole && archive.has_room(&target.key)) else {
            return;
        };
        // no time is further ahead: the clock was put back
        let rests = |last: Timestamp| (jiff::SignedDuration::ZERO..ARCHIVED_EVERY).contains(&now.duration_since(last));
        if state.archived.is_some_and(rests) && !state.history.is_kept_short() {
            return;
        }
        let learned = || state.forecasts.as_ref().and_then(OnlineForecaster::learned).as_ref().and_then(archive::write);
        if let Some(update) = state.history.unkept(learned) {
            target.unless_forgotten(|| archive.keep(&target.key, update));
            state.history.note_kept();
            state.archived = Some(now);
        }
    }

    /// Has the history forecast, with a fit where one is due.
    async fn forecast(&self, request: &ForecastRequest, state: &mut State, now: Timestamp) {
        let Some(history) = state.history.known() else {
            return;
        };
        let history = Arc::new(history);
        state.accuracy.compare(&history);
        let forecast = match self.forecast_apart(request, state, Arc::clone(&history)).await {
            Ok(forecast) => {
                state.accuracy.foretell(&forecast, &history, now, request.lead_time);
                Ok(Arc::new(forecast))
            }
            Err(reason) => Err(reason),
        };
        state.foretold(now, forecast);
        state.outlook.lead_time_error = state.accuracy.mean_error();
        state.outlook.recent = Some(Arc::new(history.newest(request.step.count_in(SHOWN))));
        state.outlook.last_week = accuracy::last_week(&history, now, request.lead_time);
    }

    /// Fits and forecasts on the blocking pool.
    async fn forecast_apart(
        &self,
        request: &ForecastRequest,
        state: &mut State,
        history: Arc<Series>,
    ) -> Result<Forecast, NoForecast> {
        let timezone = TimeZone::get(&request.timezone)
            .map_err(|error| NoForecast::Failed(format!("the time zone {:?}: {error}", request.timezone)))?;
        let (lead_time, model, seasons) = (request.lead_time, request.model, request.seasons.clone());
        let settings = forecasting::Settings { lead_time, model, timezone, seasons, horizon: None };
        let Ok(_permit) = self.fits.acquire().await else {
            return Err(NoForecast::Failed("no fits are made any more".to_owned()));
        };
        let mut forecasts = state.forecasts.take().unwrap_or_else(|| match state.learned.take() {
            Some(learned) => OnlineForecaster::resume(settings, learned),
            None => OnlineForecaster::new(settings),
        });
        let metrics = self.metrics.clone();
        let work = tokio::task::spawn_blocking(move || {
            let renewal = forecasts.renew(&history, || metrics.fit());
            (forecasts, renewal)
        });
        match work.await {
            Ok((forecasts, Renewal { forecast, failed_refit })) => {
                if let Some(reason) = failed_refit {
                    tracing::warn!(%reason, "fit failed, model before it stays in force");
                }
                state.forecasts = Some(forecasts);
                forecast
            }
            Err(_) => Err(NoForecast::Failed("the model panicked".to_owned())),
        }
    }

    /// Ends a refresh, or its first half: what is known now goes out.
    fn conclude(&self, target: &Target, state: &mut State, now: Timestamp, fault: Option<SourceFault>) {
        log_change(target, &state.outlook.source, fault.as_ref());
        state.heard(now, fault);
        state.outlook.issued = self.clock.now();
        target.unless_forgotten(|| self.publish.publish(&target.key, Arc::new(state.outlook.clone())));
    }
}

/// `load` as a count of pods, where it is one.
fn count(load: Load) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number of that range")]
    (load.get().fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&load.get())).then(|| load.get() as u32)
}

/// Logs a fault when it begins or changes its kind, and its end; the refreshes between say nothing new.
fn log_change(target: &Target, before: &SourceState, fault: Option<&SourceFault>) {
    let key = &target.key;
    match (before, fault) {
        (SourceState::Failing { fault: known, .. }, Some(fault)) if known.kind == fault.kind => {
            tracing::debug!(target_key = %key, kind = fault.kind.as_str(), %fault, "source still failing");
        }
        (_, Some(fault)) => tracing::warn!(target_key = %key, kind = fault.kind.as_str(), %fault, "source failing"),
        (SourceState::Failing { since, .. }, None) => {
            tracing::info!(target_key = %key, %since, "source answering again");
        }
        (_, None) => {}
    }
}

/// The outlook a target begins with: the stored one, or nothing known.
pub(crate) fn starting_outlook(resume: Option<Arc<Outlook>>, now: Timestamp) -> Outlook {
    match resume {
        // whether the source answers is to be seen; what it said before is not lost
        Some(stored) => Outlook { source: SourceState::NotAsked, ..Arc::unwrap_or_clone(stored) },
        None => Outlook::first_seen(now),
    }
}
