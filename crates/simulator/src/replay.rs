//! [`Replay`]: what Prescale would have published over a past load, tick by tick, from what was known at each.
//!
//! The same functions run as in the service, in the same order: a sample that has closed is learned from, the model is fitted anew where
//! that is due, a forecast is made, and at every HPA sync each target's planner makes its plan. Only the clock is replayed.

use std::sync::Arc;
use std::time::Duration;

use forecasting::{OnlineForecaster, Settings};
use jiff::tz::TimeZone;
use policy::{NoPlan, Plan, Planner, Target};
use series::{ForecastRequest, Load, NoForecast, Observation, Outlook, Series, SourceState, Timestamp};

use crate::Grid;
use crate::known::Known;

/// A walk over a past load, from its first bucket to its last.
///
/// The costly part, the forecasts, is the same for all targets that differ in their policy alone: they share it.
#[derive(Debug)]
pub struct Replay<'a> {
    load: &'a Series,
    grid: Grid,
    settle: Duration,
    forecasts: OnlineForecaster,
    forecast_wanted: bool,
    seats: Vec<(Target, Planner)>,
    plans: Vec<Result<Arc<Plan>, NoPlan>>,
    known: Known,
    outlook: Outlook,
    /// The next sample that will have settled, and be learned from.
    next: usize,
    /// The next tick.
    tick: usize,
}

/// One tick of a [`Replay`].
#[derive(Debug)]
pub struct Moment<'a> {
    /// When it begins; it lasts for a [`crate::TICK`].
    pub at: Timestamp,
    /// Which sample of the load holds during the tick; what it says was not known yet.
    pub bucket: usize,
    /// What the slow path knew.
    pub outlook: &'a Outlook,
    /// Whether the forecast was made anew at this tick.
    pub is_forecast_new: bool,
    /// What was published for each target, in their order, or why nothing was.
    pub plans: &'a [Result<Arc<Plan>, NoPlan>],
}

/// A replay that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// No target was given.
    #[error("a replay needs at least one target")]
    NoTarget,
    /// The targets do not ask for the same forecast.
    #[error("the targets of one replay must ask for the same forecast, of the step of the load")]
    Requests,
    /// The time zone has no such name.
    #[error("the time zone {0:?} is not known")]
    Timezone(String),
}

impl<'a> Replay<'a> {
    /// A replay of `load` for `targets`, which ask for the same forecast.
    ///
    /// As everywhere, the sample at time `t` was known at `t` and speaks of the step before. It is learned from `settle` later, a step at
    /// most: the service waits that long until a server's answers are final.
    ///
    /// # Errors
    /// [`ReplayError`] for targets that cannot share one walk.
    pub fn new(load: &'a Series, targets: Vec<Target>, settle: Duration) -> Result<Self, ReplayError> {
        let request = &targets.first().ok_or(ReplayError::NoTarget)?.request;
        if request.step != load.step() || targets.iter().any(|target| target.request != *request) {
            return Err(ReplayError::Requests);
        }
        let step = load.step();
        let grid = Grid::of(load);
        Ok(Self {
            load,
            grid,
            settle: settle.min(step.duration()),
            forecasts: OnlineForecaster::new(settings(request)?),
            forecast_wanted: request.forecast_wanted,
            known: Known::nothing(step, step.count_in(request.history)),
            plans: Vec::with_capacity(targets.len()),
            seats: targets.into_iter().map(|target| (target, Planner::new())).collect(),
            outlook: Outlook::first_seen(grid.time(0)),
            next: 0,
            tick: 0,
        })
    }

    /// The ticks.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// The next tick; `None` after the last.
    pub fn advance(&mut self) -> Option<Moment<'_>> {
        if self.tick >= self.grid.ticks() {
            return None;
        }
        let (now, bucket) = (self.grid.time(self.tick), self.grid.bucket(self.tick));
        self.tick += 1;
        let is_forecast_new = self.refresh(now);
        self.plans.clear();
        for (target, planner) in &mut self.seats {
            planner.outlook_came();
            self.plans.push(planner.plan(&self.outlook, target, now));
        }
        Some(Moment { at: now, bucket, outlook: &self.outlook, is_forecast_new, plans: &self.plans })
    }

    /// What a refresh at `now` does; whether a forecast was made.
    fn refresh(&mut self, now: Timestamp) -> bool {
        let settled = now.checked_sub(self.settle).map_or(0, |settled| self.grid.closed_at(settled));
        let has_grown = self.next < settled;
        while self.next < settled {
            if let Some(sample) = self.load.sample(self.next) {
                self.known.push(self.load.time(self.next), sample);
            }
            self.next += 1;
        }
        let is_forecast_new = has_grown && self.forecast_wanted && self.forecast(now);
        if !self.forecast_wanted {
            self.outlook.forecast = Err(NoForecast::NotAsked);
        }
        if let Some(load) = self.observed(now) {
            self.outlook.observation = Ok(Observation { at: now, load });
        }
        (self.outlook.source, self.outlook.issued) = (SourceState::Answering, now);
        is_forecast_new
    }

    fn forecast(&mut self, now: Timestamp) -> bool {
        let Some(history) = self.known.history() else { return false };
        let forecast = self.forecasts.renew(history, || ()).forecast;
        let is_made = forecast.is_ok();
        self.outlook.foretold(forecast.map(Arc::new), now);
        if let Some(verdict) = self.forecasts.verdict() {
            self.outlook.verdict = Some(Arc::clone(verdict));
        }
        self.outlook.skill = self.forecasts.skill();
        is_made
    }

    /// What an instant query at `now` answers: the newest sample, as long as none is missing since.
    fn observed(&self, now: Timestamp) -> Option<Load> {
        self.load.load(self.grid.closed_at(now).checked_sub(1)?)
    }
}

fn settings(request: &ForecastRequest) -> Result<Settings, ReplayError> {
    let timezone = TimeZone::get(&request.timezone).map_err(|_| ReplayError::Timezone(request.timezone.clone()))?;
    let (lead_time, model, seasons) = (request.lead_time, request.model, request.seasons.clone());
    Ok(Settings { lead_time, model, timezone, seasons, horizon: None })
}
