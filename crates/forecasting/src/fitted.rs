//! [`Fitted`]: a chosen model in use. It learns from the samples that come, and forecasts.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use series::{Forecast, Horizon, Load, NoForecast, Series, Step, Verdict};

use crate::belief::Beliefs;
use crate::blend::{Blend, Start};
use crate::engine::{Settings, fit, known_past, too_little};
use crate::glance::Glance;
use crate::horizons;
use crate::lessons::Lessons;
use crate::mixture::Mixture;
use crate::model::Predict;
use crate::models::ridge::{FittedRidge, Told};
use crate::quantiles::{self, Offsets};
use crate::scale::Scale;
use crate::spread::Regime;
use crate::values::Values;

/// Habits change within a day; a fit is worth this long.
const REFIT_AFTER: Duration = Duration::from_hours(12);
/// Errors this many times as large as expected, over two hours, call for a fit at once …
const DRIFT: f64 = 2.5;
const DRIFT_SECONDS: f64 = 7200.0;
/// … but not more often than this.
const REFIT_ON_DRIFT_AFTER: Duration = Duration::from_hours(1);
/// No quantile lies beyond so many times the largest load seen.
const BEYOND_LARGEST: f64 = 2.0;
/// One error counts for at most this many times what was expected.
const LARGEST_ERROR: f64 = 20.0;
/// No more of the past than this is learned from at once: what is older is no news.
const MOST_LEARNED: Duration = Duration::from_hours(6);

/// A chosen model with its calibration, good for forecasts until it is due for a new fit.
#[derive(Debug, Clone)]
pub struct Fitted {
    pub(crate) settings: Settings,
    pub(crate) step: Step,
    pub(crate) scale: Scale,
    pub(crate) center: Center,
    pub(crate) beliefs: Beliefs,
    /// `None` where a model speaks alone.
    pub(crate) blend: Option<Blend>,
    /// `None` where the model measured its errors itself.
    pub(crate) mixture: Option<Mixture>,
    pub(crate) verdict: Arc<Verdict>,
    pub(crate) never_negative: bool,
    /// The largest load of the history it was made of, where that is of a day or more.
    pub(crate) largest: Option<Load>,
    /// The end of the history it was fitted on.
    pub(crate) made_until: Timestamp,
    /// From the first known sample to that end.
    pub(crate) made_of: Duration,
    /// The end of the history it has learned from.
    pub(crate) learned_until: Timestamp,
    /// How large errors at the compared horizon lately were, as a multiple of what was expected.
    pub(crate) drift: f64,
}

/// What says where the middle is.
#[derive(Debug, Clone)]
pub(crate) enum Center {
    /// It reads so little that the history needs no preparation.
    Ridge(FittedRidge),
    /// Any other model reads a prepared one.
    Other(Arc<dyn Predict>),
}

impl Fitted {
    /// The forecast from the end of `history`: the series of the fit, perhaps some steps longer. A fraction of a millisecond for a history of weeks.
    ///
    /// Where the newest samples are missing, horizons count from the last known one: the bands are as wide as its age asks for.
    ///
    /// # Errors
    /// [`NoForecast::TooLittleHistory`] where `history` does not reach back as far as the model needs; [`NoForecast::Failed`] where its step is
    /// another than at the fit, or a model broke: both are defects.
    pub fn forecast(&self, history: &Series) -> Result<Forecast, NoForecast> {
        if history.step() != self.step {
            let (got, fitted) = (history.step(), self.step);
            return Err(NoForecast::Failed(format!("the history has a step of {got}, the fit one of {fitted}")));
        }
        match &self.center {
            Center::Ridge(ridge) => {
                let values = self.glance(history)?;
                let told = |ahead: &[usize]| ridge.told(&values, values.last(), ahead);
                self.forecast_from(&values, values.stale(), history, told)
            }
            Center::Other(model) => {
                let past = known_past(history, self.scale, &self.settings.timezone)?;
                let told = |ahead: &[usize]| Some(shapeless(model.predict(&past, past.last(), ahead)?));
                self.forecast_from(&past, past.stale(), history, told)
            }
        }
    }

    /// Learns from the samples that `history` holds beyond those it has learned from: how often the promised quantiles were exceeded, and whether
    /// errors have grown. Microseconds for a sample. Forecasts are the better calibrated for it, and without it none is wrong.
    pub fn learn(&mut self, history: &Series) {
        let Some(end) = history.end() else { return };
        if history.step() != self.step || end <= self.learned_until {
            return;
        }
        let new = self.step.count_in(MOST_LEARNED.min(since(self.learned_until, end)));
        self.learned_until = end;
        let Some(mixture) = self.mixture.take() else { return };
        let mut learner =
            Learner { beliefs: self.beliefs.clone(), blend: self.blend.clone(), mixture, drift: self.drift };
        match &self.center {
            Center::Ridge(ridge) => {
                if let Ok(values) = self.glance(history) {
                    let told = |origin: usize, ahead: usize| ridge.told(&values, origin, &[ahead])?.pop();
                    self.learn_from(&values, values.stale(), new, &mut learner, told);
                }
            }
            Center::Other(model) => {
                if let Ok(past) = known_past(history, self.scale, &self.settings.timezone) {
                    let told = |origin: usize, ahead: usize| shapeless(model.predict(&past, origin, &[ahead])?).pop();
                    self.learn_from(&past, past.stale(), new, &mut learner, told);
                }
            }
        }
        (self.beliefs, self.blend) = (learner.beliefs, learner.blend);
        (self.mixture, self.drift) = (Some(learner.mixture), learner.drift);
    }

    /// A new fit on `history`, by the same settings, that keeps what this one has learned in use.
    ///
    /// # Errors
    /// As [`fit`].
    pub fn refit(&self, history: &Series) -> Result<Self, NoForecast> {
        let mut new = fit(history, &self.settings)?;
        if let Some(lessons) = self.lessons() {
            new.take_over(&lessons);
        }
        Ok(new)
    }

    /// What it has learned in use; `None` where the model measured its errors itself.
    pub(crate) fn lessons(&self) -> Option<Lessons> {
        Some(Lessons {
            model: self.verdict.model,
            corrections: self.mixture.as_ref()?.lessons(),
            beliefs: self.beliefs.lessons(),
            blend: self.blend.as_ref().map(Blend::lessons),
        })
    }

    /// Goes on from what an earlier fit of the same model learned in use.
    pub(crate) fn take_over(&mut self, lessons: &Lessons) {
        if lessons.model != self.verdict.model {
            return;
        }
        if let Some(mixture) = &mut self.mixture {
            mixture.inherit(&lessons.corrections);
            self.beliefs.inherit(&lessons.beliefs);
        }
        if let (Some(blend), Some(lessons)) = (&mut self.blend, &lessons.blend) {
            blend.inherit(lessons);
        }
    }

    /// Which model is in force, why, and how all of them did.
    pub fn verdict(&self) -> &Arc<Verdict> {
        &self.verdict
    }

    /// Whether a new fit on `history` is worth its while: 12 hours after this one, or once the history has grown by a quarter; an hour
    /// after it where errors have lately been far larger than expected; at once where its step is another.
    pub fn is_due(&self, history: &Series) -> bool {
        let Some(end) = history.end() else { return false };
        let age = since(self.made_until, end);
        history.step() != self.step
            || age >= REFIT_AFTER.min(self.made_of / 4)
            || (self.drift > DRIFT && age >= REFIT_ON_DRIFT_AFTER)
    }

    fn glance<'a>(&self, history: &'a Series) -> Result<Glance<'a>, NoForecast> {
        let glance = Glance::new(history, self.scale, &self.settings.timezone);
        glance.ok_or(NoForecast::TooLittleHistory { known: 0, needed: 1 })
    }

    fn forecast_from(
        &self,
        values: &impl Values,
        stale: usize,
        history: &Series,
        told: impl Fn(&[usize]) -> Option<Vec<Told>>,
    ) -> Result<Forecast, NoForecast> {
        let origin = history.end().unwrap_or(history.start());
        let horizons = horizons::of_forecast(self.step, self.settings.lead_time, self.settings.horizon);
        let ahead: Vec<usize> = horizons.iter().map(|horizon| horizon + stale).collect();
        let told = told(&ahead).ok_or_else(|| too_little(history.known(), history.known() + 1))?;
        let regime = Regime::at(values, values.last());
        let blend = self.blend.as_ref().map(|blend| (blend, Start::at(values, values.last())));
        // what is not a number must fail, and not become the floor
        let floor = if self.never_negative { Load::ZERO } else { Load::new(-Load::MAX).map_err(failed)? };
        let ceiling = self.ceiling(regime.now())?;
        let horizons = horizons.into_iter().zip(ahead).zip(told).map(|((horizon, ahead), told)| {
            let center = self.beliefs.believed(regime.now(), ahead, told.shape, told.center);
            let blended = |(blend, start): &(&Blend, Start)| blend.center(values, start, ahead, center);
            let center = blend.as_ref().map_or(center, blended);
            let quantiles = self.quantiles(values, &regime, ahead, center)?;
            let load = |quantile: f64| {
                let load = Load::new(self.scale.backward(quantile)).map_err(failed)?.max(floor);
                Ok(ceiling.filter(|ceiling| *ceiling < load).unwrap_or(load))
            };
            Ok(Horizon {
                ahead: self.step.duration().saturating_mul(u32::try_from(horizon).unwrap_or(u32::MAX)),
                quantiles: quantiles.into_iter().map(load).collect::<Result<_, _>>()?,
            })
        });
        let horizons = horizons.collect::<Result<Vec<_>, NoForecast>>()?;
        Forecast::new(origin, self.verdict.model, quantiles::levels(), horizons).map_err(failed)
    }

    /// No quantile is above it: what was never seen by half is no use to plan with. `None` after less than a day.
    fn ceiling(&self, now: f64) -> Result<Option<Load>, NoForecast> {
        let Some(largest) = self.largest else { return Ok(None) };
        let largest = largest.get().max(self.scale.backward(now));
        Load::new((BEYOND_LARGEST * largest).min(Load::MAX))
            .map(|ceiling| (largest > 0.0).then_some(ceiling))
            .map_err(failed)
    }

    fn quantiles(
        &self,
        values: &impl Values,
        regime: &Regime,
        ahead: usize,
        center: f64,
    ) -> Result<Offsets, NoForecast> {
        match (&self.mixture, &self.center) {
            (Some(mixture), _) => Ok(mixture.quantiles(values, regime, ahead, center)),
            (None, Center::Other(model)) => {
                let second_of_day = values.calendar().second_of_day(values.last() + ahead);
                let offsets = model.offsets(ahead, second_of_day);
                offsets.map(|offsets| offsets.map(|offset| center + offset)).ok_or_else(no_errors)
            }
            (None, Center::Ridge(_)) => Err(no_errors()),
        }
    }

    /// Has `learner` learn from the `new` newest samples.
    fn learn_from(
        &self,
        values: &impl Values,
        stale: usize,
        new: usize,
        learner: &mut Learner,
        told: impl Fn(usize, usize) -> Option<Told>,
    ) {
        let compared = horizons::compared(self.step, self.settings.lead_time);
        let fading = (-f64::from(self.step.seconds()) / DRIFT_SECONDS).exp();
        let asked: Vec<usize> = learner.mixture.learned().collect();
        let end = values.last() + stale;
        for index in ((end + 1).saturating_sub(new)..=values.last()).filter(|&index| values.is_known(index)) {
            for &ahead in &asked {
                let Some(origin) = index.checked_sub(ahead).filter(|&origin| values.is_known(origin)) else { continue };
                let Some(Told { center, shape }) = told(origin, ahead) else { continue };
                let regime = Regime::at(values, origin);
                let (now, actual) = (regime.now(), values.value(index));
                let believed = learner.beliefs.believed(now, ahead, shape, center);
                learner.beliefs.learn(now, ahead, shape, center, actual);
                let blended = match &mut learner.blend {
                    Some(blend) => blend.learn(values, &Start::at(values, origin), ahead, believed, actual),
                    None => believed,
                };
                let size = learner.mixture.learn(values, &regime, ahead, blended, actual);
                if ahead == compared {
                    let size = size.unwrap_or(1.0).min(LARGEST_ERROR);
                    learner.drift = fading * learner.drift + (1.0 - fading) * size;
                }
            }
        }
    }
}

/// What changes while a model learns in use.
struct Learner {
    beliefs: Beliefs,
    blend: Option<Blend>,
    mixture: Mixture,
    drift: f64,
}

/// The `centers` of a model that knows nothing of what is usual.
fn shapeless(centers: Vec<f64>) -> Vec<Told> {
    centers.into_iter().map(|center| Told { center, shape: 0.0 }).collect()
}

fn since(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(earlier.duration_until(later)).unwrap_or(Duration::ZERO)
}

fn no_errors() -> NoForecast {
    NoForecast::Failed("no errors to make quantiles of".to_owned())
}

fn failed(error: impl std::error::Error) -> NoForecast {
    NoForecast::Failed(error.to_string())
}
