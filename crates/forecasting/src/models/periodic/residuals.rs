//! [`Residuals`]: how far the combination was off in the blocks left out, by horizon and time of the day, and how its errors spread around
//! that.

use super::backtest::Place;
use super::combination::Combination;
use crate::past::Past;
use crate::quantiles::{LEVELS, MEDIAN, Offsets, of_errors};
use crate::scale::Scale;

/// At most about so many errors are looked at; more would tell hardly more.
const MOST: usize = 1_000;
/// Deviation of the closeness in the time of the day, in hours.
const HOURS_NEAR: f64 = 2.0;
/// Deviation of the closeness in horizon, in steps: at least this, and growing by [`STEPS_NEAR_GROWTH`] a step from 1 on.
const STEPS_NEAR: f64 = 4.0;
const STEPS_NEAR_GROWTH: f64 = 0.3;
/// What is farther than this many deviations is left aside.
const CUT: f64 = 3.0;
/// Horizons are told apart in at most this many classes.
const MOST_CLASSES: usize = 48;
/// The size of all errors counts among those of a horizon and hour as so many of them.
const OF_ALL: f64 = 1.0;
/// Beyond this level and its counterpart errors of weeks to come are this much larger than those of the weeks seen.
const TAIL: f64 = 0.9;
const TAIL_WIDER: f64 = 1.08;
const HOURS: usize = 24;

/// Sizes of errors on the models' scale, and their quantiles in units of their size.
#[derive(Debug, Clone)]
pub(super) struct Residuals {
    reach: usize,
    /// The mean absolute error, by class of horizon and hour.
    sizes: Vec<[f64; HOURS]>,
    shape: Offsets,
}

#[derive(Debug, Clone, Copy)]
struct Residual {
    error: f64,
    class: usize,
    hour: usize,
}

/// A sum and of how many.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Residuals {
    /// Those of the combination at `places`, thinned evenly where they are many.
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
            let center = combination.center(place.ahead, predicted.iter().map(|row| row[place.entry].max(floor)));
            let error = past.value(place.target) - Scale::of_relative(center);
            let hour = hour_of(past.calendar().second_of_day(place.target));
            Residual { error, class: class_of(place.ahead, reach), hour }
        };
        let residuals: Vec<Residual> = places.iter().step_by(stride).map(residual).collect();
        let sizes = sizes(&residuals, reach);
        let in_sizes = |residual: &Residual| {
            let size = sizes[residual.class][residual.hour];
            if size > 0.0 { residual.error / size } else { 0.0 }
        };
        let mut errors: Vec<f64> = residuals.iter().map(in_sizes).collect();
        errors.sort_unstable_by(f64::total_cmp);
        let shape = shape(of_errors(&errors, &vec![1.0; errors.len()], 1.0));
        Self { reach, sizes, shape }
    }

    /// The offsets around the center `ahead` steps away, where it is `second_of_day` then. Beyond the reach of the backtest
    /// they grow with the root of the horizon, as those of a random walk.
    pub(super) fn at(&self, ahead: usize, second_of_day: i64) -> Offsets {
        let size = self.sizes[class_of(ahead, self.reach)][hour_of(second_of_day)];
        let growth = if ahead > self.reach { (ahead as f64 / self.reach as f64).sqrt() } else { 1.0 };
        self.shape.map(|offset| offset * size * growth)
    }
}

/// The mean absolute error by class and hour, smoothed over both.
fn sizes(residuals: &[Residual], reach: usize) -> Vec<[f64; HOURS]> {
    let mut seen = vec![[Mean::default(); HOURS]; class_of(reach, reach) + 1];
    for residual in residuals {
        seen[residual.class][residual.hour].add(1.0, Mean { sum: residual.error.abs(), count: 1.0 });
    }
    let mut all = Mean::default();
    seen.iter().flatten().for_each(|&one| all.add(1.0, one));
    let typical = Mean { sum: OF_ALL * all.sum / all.count.max(1.0), count: OF_ALL };
    let by_hour: [f64; HOURS] = std::array::from_fn(|apart| bell(apart.min(HOURS - apart) as f64 / HOURS_NEAR));
    let over_hours: Vec<[Mean; HOURS]> = seen
        .iter()
        .map(|seen| {
            std::array::from_fn(|hour| {
                let mut mean = Mean::default();
                let weighed = seen.iter().enumerate().map(|(other, &one)| (by_hour[hour.abs_diff(other)], one));
                weighed.filter(|(weight, _)| *weight > 0.0).for_each(|(weight, one)| mean.add(weight, one));
                mean
            })
        })
        .collect();
    let width = width(reach) as f64;
    (0..seen.len())
        .map(|class| {
            let deviation = (1.0 + STEPS_NEAR_GROWTH * (class as f64 + 0.5) * width).max(STEPS_NEAR);
            let mut means = [typical; HOURS];
            for (other, over_hours) in over_hours.iter().enumerate() {
                let weight = bell(class.abs_diff(other) as f64 * width / deviation);
                if weight > 0.0 {
                    means.iter_mut().zip(over_hours).for_each(|(mean, &one)| mean.add(weight, one));
                }
            }
            means.map(|mean| mean.sum / mean.count)
        })
        .collect()
}

/// Around the median, which the center is: weeks left out say how far, but not, when a few errors agree, in which direction.
fn shape(quantiles: Offsets) -> Offsets {
    std::array::from_fn(|place| {
        let (level, offset) = (LEVELS[place], quantiles[place] - quantiles[MEDIAN]);
        if (1.0 - TAIL..=TAIL).contains(&level) { offset } else { offset * TAIL_WIDER }
    })
}

impl Mean {
    fn add(&mut self, weight: f64, other: Self) {
        self.sum += weight * other.sum;
        self.count += weight * other.count;
    }
}

/// How many steps a class of horizons holds.
fn width(reach: usize) -> usize {
    reach.div_ceil(MOST_CLASSES)
}

fn class_of(ahead: usize, reach: usize) -> usize {
    (ahead.min(reach) - 1) / width(reach)
}

fn bell(deviations: f64) -> f64 {
    if deviations <= CUT { (-0.5 * deviations * deviations).exp() } else { 0.0 }
}

fn hour_of(second_of_day: i64) -> usize {
    usize::try_from(second_of_day / 3600).unwrap_or(0).min(HOURS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn residuals(error: impl Fn(usize, usize) -> f64) -> Vec<Residual> {
        let of_class = |class| (0..HOURS).map(move |hour| (class, hour));
        (0..48).flat_map(of_class).map(|(class, hour)| Residual { error: error(class, hour), class, hour }).collect()
    }

    #[test]
    fn sizes_follow_horizon_and_hour() {
        let flat = sizes(&residuals(|class, _| if class % 2 == 0 { 2.0 } else { -2.0 }), 48);
        assert!(flat.iter().flatten().all(|size| (size - 2.0).abs() < 1e-12));
        let busy_at_noon = sizes(&residuals(|class, hour| if hour == 12 { 1.0 + class as f64 } else { 1.0 }), 48);
        assert!(busy_at_noon[40][12] > 3.0 * busy_at_noon[40][0]);
        assert!(busy_at_noon[40][12] > 1.5 * busy_at_noon[10][12]);
        // around the clock, 23 and 1 are one as near to midnight as the other
        let busy_at_midnight = sizes(&residuals(|_, hour| if hour == 0 { 9.0 } else { 1.0 }), 48);
        assert!((busy_at_midnight[20][23] - busy_at_midnight[20][1]).abs() < 1e-12);
        assert!(busy_at_midnight[20][23] > 1.5);
    }

    #[test]
    fn hours_without_any_error_take_the_size_of_all() {
        let mut some = residuals(|_, _| 3.0);
        some.retain(|residual| residual.hour < 2 && residual.class < 4);
        let sizes = sizes(&some, 48);
        assert!(sizes.iter().flatten().all(|size| (size - 3.0).abs() < 1e-12));
    }

    #[test]
    fn far_horizons_share_classes_and_beyond_the_reach_spread_grows() {
        assert_eq!([1, 2, 48, 49].map(|ahead| class_of(ahead, 48)), [0, 1, 47, 47]);
        assert_eq!([1, 3, 4, 144].map(|ahead| class_of(ahead, 144)), [0, 0, 1, 47]);
        assert_eq!([1, 9].map(|ahead| class_of(ahead, 1)), [0, 0]);
    }

    #[test]
    fn only_the_tails_are_widened_around_the_median() {
        let around = shape(std::array::from_fn(|place| LEVELS[place] * 10.0));
        let place = |level: f64| LEVELS.iter().position(|&own| own == level).unwrap();
        assert_eq!(around[MEDIAN], 0.0);
        assert!((around[place(0.9)] - 4.0).abs() < 1e-12 && (around[place(0.1)] + 4.0).abs() < 1e-12);
        assert!((around[place(0.95)] - 4.5 * 1.08).abs() < 1e-12 && (around[place(0.05)] + 4.5 * 1.08).abs() < 1e-12);
    }
}
