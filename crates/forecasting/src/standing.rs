//! [`Standing`]: how the forecasts that were made came out, beside the plain ones.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use series::{Forecast, ForecastSkill, Load, Quantile, Series, Step, Timestamp};

use crate::horizons;

/// The levels scored: the middle, and where a fleet is sized.
const LEVELS: [f64; 3] = [0.5, 0.9, 0.99];
/// Samples are compared no more often than this …
const SPACING: Duration = Duration::from_mins(5);
/// … and what was longer ago than this counts half.
const HALF_LIFE: Duration = Duration::from_hours(12);
/// But never less than so many comparisons do.
const LEAST_HALF_LIFE: f64 = 72.0;
/// So many errors of a plain forecast make its quantiles: those of a day.
const ERRORS: usize = 288;
/// Nothing is said of fewer comparisons than this.
const ENOUGH: f64 = 72.0;
const WEEK: Duration = Duration::from_hours(7 * 24);

/// Mean quantile losses of the forecasts made a lead time ago and of two that need no model: the value of then, and that of a week before. Old comparisons
/// fade. The plain forecasts have quantiles too, of what they missed in the last day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// What was foretold, in time order.
    due: VecDeque<Foretold>,
    persistence: Plain,
    last_week: Plain,
    model: Faded,
    /// How often the load stayed within each level.
    within: [f64; LEVELS.len()],
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Foretold {
    time: Timestamp,
    quantiles: [f64; LEVELS.len()],
    persistence: f64,
    last_week: Option<f64>,
}

/// A forecast that needs no model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Plain {
    /// On a root scale.
    errors: VecDeque<f32>,
    loss: Faded,
    /// The loss of the model on the same samples.
    model: Faded,
}

/// A mean over comparisons that fade.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Faded {
    sum: f64,
    weight: f64,
}

impl Standing {
    pub(crate) fn new() -> Self {
        Self {
            due: VecDeque::new(),
            persistence: Plain::default(),
            last_week: Plain::default(),
            model: Faded::default(),
            within: [0.0; LEVELS.len()],
        }
    }

    /// Remembers what `forecast` says of the time at which models are compared, where that is one of those looked at.
    pub(crate) fn foretell(&mut self, forecast: &Forecast, history: &Series, lead_time: Duration) {
        let step = history.step();
        let ahead = i64::try_from(horizons::compared(step, lead_time)).unwrap_or(i64::MAX);
        let time = step.shift(forecast.origin(), ahead);
        let is_looked_at = time.as_second().rem_euclid(i64::from(spacing(step))) == 0;
        let is_news = self.due.back().is_none_or(|newest| newest.time < time);
        let Some(persistence) = load_at(history, forecast.origin()).filter(|_| is_looked_at && is_news) else { return };
        let last_week = time.checked_sub(WEEK).ok().and_then(|then| load_at(history, then));
        let mut quantiles = [0.0; LEVELS.len()];
        for (quantile, level) in quantiles.iter_mut().zip(LEVELS) {
            let Some(load) = Quantile::new(level).ok().and_then(|level| forecast.quantile(time, level)) else { return };
            *quantile = load.get();
        }
        self.due.push_back(Foretold { time, quantiles, persistence, last_week });
    }

    /// Holds what was foretold against the samples of `history` that have come since.
    pub(crate) fn compare(&mut self, history: &Series) {
        let step = history.step();
        let half_life = (HALF_LIFE.as_secs_f64() / f64::from(spacing(step))).max(LEAST_HALF_LIFE);
        let fade = 0.5_f64.powf(half_life.recip());
        while let Some(foretold) = self.due.pop_front_if(|foretold| foretold.time < history.next_time()) {
            if let Some(load) = load_at(history, foretold.time) {
                self.score(&foretold, load, fade);
            }
        }
    }

    fn score(&mut self, foretold: &Foretold, load: f64, fade: f64) {
        let loss = pinball(load, foretold.quantiles);
        self.model.add(loss, fade);
        for (within, quantile) in self.within.iter_mut().zip(foretold.quantiles) {
            *within = *within * fade + f64::from(u8::from(load <= quantile));
        }
        self.persistence.score(foretold.persistence, load, loss, fade);
        if let Some(last_week) = foretold.last_week {
            self.last_week.score(last_week, load, loss, fade);
        }
    }

    /// How the forecasts came out; `None` until enough of them did.
    pub(crate) fn skill(&self) -> Option<ForecastSkill> {
        let persistence = self.persistence.ratio()?;
        let (loss, weight) = (self.model.mean()?, self.model.weight);
        // in terms of the same samples
        let of = |ratio: f64| Some(loss / ratio).filter(|loss| loss.is_finite());
        Some(ForecastSkill {
            loss,
            persistence_loss: of(persistence)?,
            last_week_loss: self.last_week.ratio().and_then(of),
            coverage_90: self.within[1] / weight,
            coverage_99: self.within[2] / weight,
        })
    }
}

#[cfg(test)]
impl Standing {
    /// As if all quantiles had been `foretold`, the value of then had been `persistence`, and `load` had come.
    pub(crate) fn make_up(&mut self, foretold: f64, persistence: f64, load: f64) {
        let quantiles = [foretold; LEVELS.len()];
        let foretold = Foretold { time: Timestamp::UNIX_EPOCH, quantiles, persistence, last_week: None };
        self.score(&foretold, load, 0.99);
    }
}

impl Plain {
    /// Scores a forecast of `middle` beside the `model`'s loss, and learns what it missed.
    fn score(&mut self, middle: f64, load: f64, model: f64, fade: f64) {
        if self.errors.len() * 8 >= ERRORS {
            let mut errors: Vec<f32> = self.errors.iter().copied().collect();
            errors.sort_unstable_by(f32::total_cmp);
            let quantiles = LEVELS.map(|level| {
                // the rank that makes quantiles of few errors valid
                let rank = ((errors.len() + 1) as f64 * level).ceil();
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank of few errors")]
                let place = (rank as usize).clamp(1, errors.len()) - 1;
                squared(root(middle) + f64::from(errors[place]))
            });
            self.loss.add(pinball(load, quantiles), fade);
            self.model.add(model, fade);
        }
        if self.errors.len() == ERRORS {
            self.errors.pop_front();
        }
        #[expect(clippy::cast_possible_truncation, reason = "an error of a part in ten million")]
        self.errors.push_back((root(load) - root(middle)) as f32);
    }

    /// The loss of the model in multiples of its own; `None` while that is not known well.
    fn ratio(&self) -> Option<f64> {
        let ratio = self.model.mean()? / self.loss.mean()?;
        ratio.is_finite().then_some(ratio)
    }
}

impl Faded {
    fn add(&mut self, value: f64, fade: f64) {
        self.sum = self.sum * fade + value;
        self.weight = self.weight * fade + 1.0;
    }

    fn mean(&self) -> Option<f64> {
        (self.weight >= ENOUGH).then(|| self.sum / self.weight)
    }
}

/// Seconds between samples that are compared: whole steps.
fn spacing(step: Step) -> u32 {
    let steps = u32::try_from(step.count_in(SPACING)).unwrap_or(1).max(1);
    step.seconds().saturating_mul(steps)
}

fn pinball(load: f64, quantiles: [f64; LEVELS.len()]) -> f64 {
    let losses = LEVELS
        .iter()
        .zip(quantiles)
        .map(|(level, quantile)| (level - f64::from(u8::from(load < quantile))) * (load - quantile));
    losses.sum::<f64>() / LEVELS.len() as f64
}

fn load_at(history: &Series, time: Timestamp) -> Option<f64> {
    let seconds = time.as_second() - history.start().as_second();
    let index = usize::try_from(seconds.div_euclid(i64::from(history.step().seconds()))).ok()?;
    history.load(index).map(Load::get)
}

fn root(load: f64) -> f64 {
    load.abs().sqrt().copysign(load)
}

fn squared(root: f64) -> f64 {
    root * root.abs()
}
