//! [`Forecast`]: quantiles of the load at times ahead of an origin.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Distribution, Load, ModelName, Quantile};

/// Quantiles of the load at one time ahead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Horizon {
    /// How long after the origin, at least one second.
    pub ahead: Duration,
    /// One load per level of the forecast, in the same order, never falling.
    pub quantiles: Vec<Load>,
}

/// What the load will be, with how sure: quantiles at a row of horizons, made from what was known at the origin.
///
/// Between two horizons the quantiles run along straight lines; between two levels along straight lines in the log odds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawForecast", into = "RawForecast")]
pub struct Forecast(RawForecast);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct RawForecast {
    origin: Timestamp,
    model: ModelName,
    levels: Vec<Quantile>,
    horizons: Vec<Horizon>,
}

impl Forecast {
    /// A forecast made by `model` from what was known at `origin`.
    ///
    /// # Errors
    /// [`ForecastError`] unless there are levels in rising order, horizons in rising order, and each horizon has one
    /// load per level, none below the one before.
    pub fn new(
        origin: Timestamp,
        model: ModelName,
        levels: Vec<Quantile>,
        mut horizons: Vec<Horizon>,
    ) -> Result<Self, ForecastError> {
        // it is kept as long as it is the newest, for thousands of targets
        horizons.shrink_to_fit();
        for horizon in &mut horizons {
            horizon.quantiles.shrink_to_fit();
        }
        RawForecast { origin, model, levels, horizons }.try_into()
    }

    /// The time up to which the load was known.
    pub fn origin(&self) -> Timestamp {
        self.0.origin
    }

    /// The model that made it.
    pub fn model(&self) -> ModelName {
        self.0.model
    }

    /// The levels, rising.
    pub fn levels(&self) -> &[Quantile] {
        &self.0.levels
    }

    /// The horizons, nearest first.
    pub fn horizons(&self) -> &[Horizon] {
        &self.0.horizons
    }

    /// The last time the forecast speaks of.
    pub fn end(&self) -> Timestamp {
        self.0.horizons.last().map_or(self.0.origin, |horizon| self.time_of(horizon))
    }

    /// The load at `time` that is exceeded with probability `1 − level`; `None` before the first horizon's step back to
    /// the origin, and past the end.
    ///
    /// Up to the first horizon its own quantiles hold. A level outside the forecast's own is read at the nearest one.
    pub fn quantile(&self, time: Timestamp, level: Quantile) -> Option<Load> {
        if time < self.0.origin {
            return None;
        }
        let horizons = &self.0.horizons;
        let after = horizons.partition_point(|horizon| self.time_of(horizon) < time);
        let right = horizons.get(after)?;
        let right_load = self.at_level(right, level);
        let Some(left) = after.checked_sub(1).and_then(|before| horizons.get(before)) else {
            return load(right_load);
        };
        let span = right.ahead.saturating_sub(left.ahead).as_secs_f64();
        let passed = self.time_of(left).duration_until(time).as_secs_f64();
        load(lerp(self.at_level(left, level), right_load, passed / span))
    }

    /// How likely which loads are at `time`; `None` before the origin and past the end.
    ///
    /// Up to the first horizon its own quantiles hold.
    pub fn distribution(&self, time: Timestamp) -> Option<Distribution<'_>> {
        if time < self.0.origin {
            return None;
        }
        let horizons = &self.0.horizons;
        let after = horizons.partition_point(|horizon| self.time_of(horizon) < time);
        let right = horizons.get(after)?;
        let loads = match after.checked_sub(1).and_then(|before| horizons.get(before)) {
            None => right.quantiles.iter().map(|load| load.get()).collect(),
            Some(left) => {
                let span = right.ahead.saturating_sub(left.ahead).as_secs_f64();
                let share = self.time_of(left).duration_until(time).as_secs_f64() / span;
                left.quantiles
                    .iter()
                    .zip(&right.quantiles)
                    .map(|(left, right)| lerp(left.get(), right.get(), share))
                    .collect()
            }
        };
        Some(Distribution::new(&self.0.levels, loads))
    }

    /// The highest load at `level` over `[from, to]`; `None` where the forecast ends before `to` or begins after `from`.
    pub fn peak(&self, from: Timestamp, to: Timestamp, level: Quantile) -> Option<Load> {
        let mut peak = self.quantile(from, level)?.max(self.quantile(to, level)?);
        for horizon in &self.0.horizons {
            let time = self.time_of(horizon);
            if from < time && time < to {
                peak = peak.max(load(self.at_level(horizon, level))?);
            }
        }
        Some(peak)
    }

    fn time_of(&self, horizon: &Horizon) -> Timestamp {
        self.0.origin.saturating_add(horizon.ahead).unwrap_or(Timestamp::MAX)
    }

    fn at_level(&self, horizon: &Horizon, level: Quantile) -> f64 {
        let levels = &self.0.levels;
        let above = levels.partition_point(|&own| own < level).min(levels.len() - 1);
        let high = horizon.quantiles[above].get();
        if above == 0 || levels[above] <= level {
            return high;
        }
        let (left, right) = (levels[above - 1].logit(), levels[above].logit());
        lerp(horizon.quantiles[above - 1].get(), high, (level.logit() - left) / (right - left))
    }
}

fn lerp(left: f64, right: f64, share: f64) -> f64 {
    left + (right - left) * share
}

fn load(amount: f64) -> Option<Load> {
    // a mean of two loads is one too
    Load::new(amount).ok()
}

impl TryFrom<RawForecast> for Forecast {
    type Error = ForecastError;

    fn try_from(raw: RawForecast) -> Result<Self, ForecastError> {
        if raw.levels.is_empty() || !raw.levels.is_sorted_by(|a, b| a < b) {
            return Err(ForecastError::Levels);
        }
        let first_is_ahead = raw.horizons.first().is_some_and(|horizon| horizon.ahead >= Duration::from_secs(1));
        if !first_is_ahead || !raw.horizons.is_sorted_by(|a, b| a.ahead < b.ahead) {
            return Err(ForecastError::Horizons);
        }
        for horizon in &raw.horizons {
            if horizon.quantiles.len() != raw.levels.len() || !horizon.quantiles.is_sorted() {
                return Err(ForecastError::Quantiles { ahead: horizon.ahead });
            }
        }
        Ok(Self(raw))
    }
}

impl From<Forecast> for RawForecast {
    fn from(forecast: Forecast) -> Self {
        forecast.0
    }
}

/// What is no forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForecastError {
    /// The levels are empty or not strictly rising.
    #[error("a forecast needs at least one level, in strictly rising order")]
    Levels,
    /// The horizons are empty, not strictly rising, or begin less than a second ahead.
    #[error("a forecast needs at least one horizon, a second ahead or more, in strictly rising order")]
    Horizons,
    /// A horizon has another number of loads than there are levels, or loads that fall from one level to the next.
    #[error("the horizon {ahead:?} ahead needs one load per level, none below the one before")]
    Quantiles {
        /// Which horizon.
        ahead: Duration,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn level(level: f64) -> Quantile {
        Quantile::new(level).unwrap()
    }

    fn horizon(ahead: u64, loads: &[f64]) -> Horizon {
        let quantiles = loads.iter().map(|&amount| Load::new(amount).unwrap()).collect();
        Horizon { ahead: Duration::from_secs(ahead), quantiles }
    }

    fn forecast(horizons: Vec<Horizon>) -> Result<Forecast, ForecastError> {
        Forecast::new(at(1000), ModelName::Persistence, vec![level(0.5), level(0.9)], horizons)
    }

    fn sloped() -> Forecast {
        forecast(vec![horizon(60, &[10.0, 20.0]), horizon(120, &[30.0, 40.0]), horizon(180, &[5.0, 6.0])]).unwrap()
    }

    fn read(forecast: &Forecast, seconds: i64, q: f64) -> Option<f64> {
        forecast.quantile(at(seconds), level(q)).map(Load::get)
    }

    #[test]
    fn quantiles_run_straight_between_horizons_and_end_with_the_last() {
        let forecast = sloped();
        assert_eq!(read(&forecast, 999, 0.5), None);
        assert_eq!(read(&forecast, 1000, 0.5), Some(10.0));
        assert_eq!(read(&forecast, 1060, 0.5), Some(10.0));
        assert_eq!(read(&forecast, 1090, 0.5), Some(20.0));
        assert_eq!(read(&forecast, 1180, 0.9), Some(6.0));
        assert_eq!(read(&forecast, 1181, 0.9), None);
        assert_eq!(forecast.end(), at(1180));
    }

    #[test]
    fn levels_between_run_straight_in_the_log_odds_and_stop_at_the_ends() {
        let forecast = sloped();
        // odds of .75 are 3, of .9 are 9: half way in the log
        assert!((read(&forecast, 1060, 0.75).unwrap() - 15.0).abs() < 1e-9);
        assert_eq!(read(&forecast, 1060, 0.999), Some(20.0));
        assert_eq!(read(&forecast, 1060, 0.1), Some(10.0));
    }

    #[test]
    fn the_peak_sees_horizons_inside_the_window() {
        let forecast = sloped();
        assert_eq!(forecast.peak(at(1060), at(1180), level(0.5)).map(Load::get), Some(30.0));
        assert_eq!(forecast.peak(at(1150), at(1180), level(0.5)).map(Load::get), Some(17.5));
        assert_eq!(forecast.peak(at(1060), at(1181), level(0.5)), None);
    }

    #[test]
    fn crossed_quantiles_and_unsorted_horizons_are_refused() {
        assert_eq!(forecast(vec![]), Err(ForecastError::Horizons));
        assert_eq!(forecast(vec![horizon(0, &[1.0, 2.0])]), Err(ForecastError::Horizons));
        assert_eq!(forecast(vec![horizon(60, &[1.0, 2.0]), horizon(60, &[1.0, 2.0])]), Err(ForecastError::Horizons));
        let ahead = Duration::from_secs(60);
        assert_eq!(forecast(vec![horizon(60, &[2.0, 1.0])]), Err(ForecastError::Quantiles { ahead }));
        assert_eq!(forecast(vec![horizon(60, &[2.0])]), Err(ForecastError::Quantiles { ahead }));
        let unsorted =
            Forecast::new(at(0), ModelName::Ridge, vec![level(0.9), level(0.5)], vec![horizon(60, &[1.0, 2.0])]);
        assert_eq!(unsorted, Err(ForecastError::Levels));
    }
}
