//! [`Forecast`]: quantiles of the load at times ahead of an origin.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Distribution, Load, ModelName, Quantile};

/// Quantiles of the load at one time ahead.
#[derive(Debug, Clone, PartialEq)]
pub struct Horizon {
    /// How long after the origin: whole seconds, at least one.
    pub ahead: Duration,
    /// One load per level of the forecast, in the same order, never falling.
    pub quantiles: Vec<Load>,
}

/// What the load will be, with how sure: quantiles at a row of horizons, made from what was known at the origin.
///
/// Between two horizons the quantiles run along straight lines; between two levels along straight lines in the log odds.
///
/// Loads are kept in single precision, as those of a [`Series`](crate::Series) are, and rounded up: none is lower than it was foretold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawForecast", into = "RawForecast")]
pub struct Forecast {
    origin: Timestamp,
    model: ModelName,
    levels: Box<[Quantile]>,
    /// How long after the origin each horizon is, in seconds.
    ahead: Box<[u32]>,
    /// One amount per level and horizon, those of the nearest horizon first.
    amounts: Box<[f32]>,
}

/// A forecast as it is written down.
#[derive(Debug, Serialize, Deserialize)]
struct RawForecast {
    origin: Timestamp,
    model: ModelName,
    levels: Vec<Quantile>,
    horizons: Vec<RawHorizon>,
}

#[derive(Debug, Serialize, Deserialize)]
struct RawHorizon {
    ahead: Duration,
    quantiles: Vec<f32>,
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
        horizons: Vec<Horizon>,
    ) -> Result<Self, ForecastError> {
        let raw = |horizon: Horizon| RawHorizon {
            ahead: horizon.ahead,
            quantiles: horizon.quantiles.into_iter().map(Load::rounded_up).collect(),
        };
        RawForecast { origin, model, levels, horizons: horizons.into_iter().map(raw).collect() }.try_into()
    }

    /// The time up to which the load was known.
    pub fn origin(&self) -> Timestamp {
        self.origin
    }

    /// The model that made it.
    pub fn model(&self) -> ModelName {
        self.model
    }

    /// The levels, rising.
    pub fn levels(&self) -> &[Quantile] {
        &self.levels
    }

    /// The horizons, nearest first.
    pub fn horizons(&self) -> impl ExactSizeIterator<Item = Horizon> + '_ {
        (0..self.ahead.len()).map(|place| Horizon {
            ahead: Duration::from_secs(u64::from(self.ahead[place])),
            quantiles: self.amounts(place).filter_map(Load::unrounded).collect(),
        })
    }

    /// The last time the forecast speaks of.
    pub fn end(&self) -> Timestamp {
        self.time_of(self.ahead.len() - 1)
    }

    /// The load at `time` that is exceeded with probability `1 − level`; `None` before the first horizon's step back to
    /// the origin, and past the end.
    ///
    /// Up to the first horizon its own quantiles hold. A level outside the forecast's own is read at the nearest one.
    pub fn quantile(&self, time: Timestamp, level: Quantile) -> Option<Load> {
        let Around { left, right } = self.around(time)?;
        let right = self.at_level(right, level);
        Load::unrounded(left.map_or(right, |(left, share)| lerp(self.at_level(left, level), right, share)))
    }

    /// How likely which loads are at `time`; `None` before the origin and past the end.
    ///
    /// Up to the first horizon its own quantiles hold.
    pub fn distribution(&self, time: Timestamp) -> Option<Distribution<'_>> {
        let Around { left, right } = self.around(time)?;
        let right = self.amounts(right);
        let loads = match left {
            None => right.collect(),
            Some((left, share)) => {
                self.amounts(left).zip(right).map(|(left, right)| lerp(left, right, share)).collect()
            }
        };
        Some(Distribution::new(&self.levels, loads))
    }

    /// The highest load at `level` over `[from, to]`; `None` where the forecast ends before `to` or begins after `from`.
    pub fn peak(&self, from: Timestamp, to: Timestamp, level: Quantile) -> Option<Load> {
        let mut peak = self.quantile(from, level)?.max(self.quantile(to, level)?);
        for place in 0..self.ahead.len() {
            let time = self.time_of(place);
            if from < time && time < to {
                peak = peak.max(Load::unrounded(self.at_level(place, level))?);
            }
        }
        Some(peak)
    }

    /// The horizons on either side of `time`; `None` before the origin and past the end.
    fn around(&self, time: Timestamp) -> Option<Around> {
        if time < self.origin {
            return None;
        }
        let origin = self.origin;
        let right = self.ahead.partition_point(|&ahead| after(origin, ahead) < time);
        let right_ahead = *self.ahead.get(right)?;
        let left = right.checked_sub(1).map(|left| {
            let passed = self.time_of(left).duration_until(time).as_secs_f64();
            (left, passed / f64::from(right_ahead - self.ahead[left]))
        });
        Some(Around { left, right })
    }

    fn time_of(&self, place: usize) -> Timestamp {
        after(self.origin, self.ahead[place])
    }

    /// The loads of a horizon, one per level.
    fn amounts(&self, place: usize) -> impl ExactSizeIterator<Item = f64> + '_ {
        let width = self.levels.len();
        self.amounts[place * width..][..width].iter().copied().map(f64::from)
    }

    fn at_level(&self, place: usize, level: Quantile) -> f64 {
        let levels = &self.levels;
        let above = levels.partition_point(|&own| own < level).min(levels.len() - 1);
        let amount = |level: usize| f64::from(self.amounts[place * levels.len() + level]);
        let high = amount(above);
        if above == 0 || levels[above] <= level {
            return high;
        }
        let (left, right) = (levels[above - 1].logit(), levels[above].logit());
        lerp(amount(above - 1), high, (level.logit() - left) / (right - left))
    }
}

/// The places of the horizons on either side of a time.
struct Around {
    /// With how much of the way to the right one has passed; `None` up to the first horizon.
    left: Option<(usize, f64)>,
    right: usize,
}

fn after(origin: Timestamp, seconds: u32) -> Timestamp {
    origin.saturating_add(Duration::from_secs(u64::from(seconds))).unwrap_or(Timestamp::MAX)
}

fn lerp(left: f64, right: f64, share: f64) -> f64 {
    left + (right - left) * share
}

impl TryFrom<RawForecast> for Forecast {
    type Error = ForecastError;

    fn try_from(raw: RawForecast) -> Result<Self, ForecastError> {
        let RawForecast { origin, model, levels, horizons } = raw;
        if levels.is_empty() || !levels.is_sorted_by(|a, b| a < b) {
            return Err(ForecastError::Levels);
        }
        let whole = |ahead: Duration| u32::try_from(ahead.as_secs()).ok().filter(|_| ahead.subsec_nanos() == 0);
        let ahead: Option<Box<[u32]>> = horizons.iter().map(|horizon| whole(horizon.ahead)).collect();
        let ahead = ahead.ok_or(ForecastError::Horizons)?;
        if ahead.first().is_none_or(|&first| first == 0) || !ahead.is_sorted_by(|a, b| a < b) {
            return Err(ForecastError::Horizons);
        }
        // as loads are rounded, the largest may come out a little larger
        let is_load = |amount: &f32| f64::from(*amount).abs() <= Load::MAX * (1.0 + f64::from(f32::EPSILON));
        for RawHorizon { ahead, quantiles } in &horizons {
            if quantiles.len() != levels.len() || !quantiles.is_sorted() || !quantiles.iter().all(is_load) {
                return Err(ForecastError::Quantiles { ahead: *ahead });
            }
        }
        let amounts = horizons.into_iter().flat_map(|horizon| horizon.quantiles).collect();
        Ok(Self { origin, model, levels: levels.into(), ahead, amounts })
    }
}

impl From<Forecast> for RawForecast {
    fn from(forecast: Forecast) -> Self {
        let Forecast { origin, model, levels, ahead, amounts } = forecast;
        let width = levels.len();
        let horizons = ahead.iter().zip(amounts.chunks_exact(width)).map(|(&seconds, quantiles)| RawHorizon {
            ahead: Duration::from_secs(u64::from(seconds)),
            quantiles: quantiles.to_vec(),
        });
        Self { origin, model, horizons: horizons.collect(), levels: levels.into() }
    }
}

/// What is no forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForecastError {
    /// The levels are empty or not strictly rising.
    #[error("a forecast needs at least one level, in strictly rising order")]
    Levels,
    /// The horizons are empty, not strictly rising, or not whole seconds ahead, at least one.
    #[error("a forecast needs at least one horizon, whole seconds ahead and at least one, in strictly rising order")]
    Horizons,
    /// A horizon has another number of loads than there are levels, or loads that fall from one level to the next or are none.
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
