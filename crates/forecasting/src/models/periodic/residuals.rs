//! [`Residuals`]: what the combination missed in the blocks left out, and the offsets of a horizon and time of day they ask for.

use super::backtest::Place;
use super::combination::Combination;
use crate::past::Past;
use crate::quantiles::{MEDIAN, Offsets, of_errors};
use crate::scale::Scale;

/// At most about so many errors are kept; more would tell hardly more.
const MOST: usize = 1_000;
/// Deviation of the closeness in the time of the day, in hours.
const HOURS_NEAR: f64 = 3.0;
/// Deviation of the closeness in horizon, in steps: at least this, and growing by [`STEPS_NEAR_GROWTH`] a step from 1 on.
const STEPS_NEAR: f64 = 4.0;
const STEPS_NEAR_GROWTH: f64 = 0.5;
/// Errors that weigh less than this against the nearest are left aside.
const LEAST_WEIGHT: f64 = 1e-3;
const HOURS: usize = 24;

/// Errors on the models' scale in rising order.
#[derive(Debug, Clone)]
pub(super) struct Residuals {
    errors: Vec<Residual>,
    reach: usize,
}

#[derive(Debug, Clone, Copy)]
struct Residual {
    error: f64,
    ahead: usize,
    hour: usize,
}

impl Residuals {
    /// The errors of the combination at `places`, thinned evenly where they are many.
    pub(super) fn of(
        combination: &Combination,
        predicted: &[Vec<f64>],
        places: &[Place],
        past: &Past,
        floor: f64,
        reach: usize,
    ) -> Self {
        let stride = places.len().div_ceil(MOST).max(1);
        let residual = |place: &Place| {
            let center = combination.center(predicted.iter().map(|row| row[place.entry].max(floor)));
            let error = past.value(place.target) - Scale::of_relative(center);
            Residual { error, ahead: place.ahead, hour: hour_of(past.calendar().second_of_day(place.target)) }
        };
        let mut errors: Vec<Residual> = places.iter().step_by(stride).map(residual).collect();
        errors.sort_unstable_by(|a, b| a.error.total_cmp(&b.error));
        Self { errors, reach }
    }

    /// The offsets around the center `ahead` steps away, where it is `second_of_day` then. Beyond the reach of the backtest
    /// they grow with the root of the horizon, as those of a random walk.
    pub(super) fn at(&self, ahead: usize, second_of_day: i64) -> Offsets {
        let (within, hour) = (ahead.min(self.reach), hour_of(second_of_day));
        let deviation = (1.0 + STEPS_NEAR_GROWTH * within as f64).max(STEPS_NEAR);
        let by_ahead: Vec<f64> =
            (0..=self.reach).map(|other| bell(other.abs_diff(within) as f64 / deviation)).collect();
        let by_hour: [f64; HOURS] = std::array::from_fn(|other| {
            let apart = other.abs_diff(hour);
            bell(apart.min(HOURS - apart) as f64 / HOURS_NEAR)
        });
        let (mut errors, mut weights) = (Vec::with_capacity(self.errors.len()), Vec::with_capacity(self.errors.len()));
        for residual in &self.errors {
            let weight = by_ahead[residual.ahead] * by_hour[residual.hour];
            if weight > LEAST_WEIGHT {
                errors.push(residual.error);
                weights.push(weight);
            }
        }
        if errors.is_empty() {
            // gaps have eaten everything near: what is far must do
            errors.extend(self.errors.iter().map(|residual| residual.error));
            weights.resize(errors.len(), 1.0);
        }
        let growth = if ahead > within { (ahead as f64 / within as f64).sqrt() } else { 1.0 };
        let mut offsets = of_errors(&errors, &weights, 1.0).map(|offset| offset * growth);
        // weeks left out say how far, but not, when a few errors agree, in which direction
        offsets[MEDIAN] = 0.0;
        for (level, offset) in offsets.iter_mut().enumerate() {
            *offset = if level < MEDIAN { offset.min(0.0) } else { offset.max(0.0) };
        }
        offsets
    }
}

fn bell(deviations: f64) -> f64 {
    (-0.5 * deviations * deviations).exp()
}

fn hour_of(second_of_day: i64) -> usize {
    usize::try_from(second_of_day / 3600).unwrap_or(0).min(HOURS - 1)
}
