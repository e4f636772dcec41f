//! [`Distribution`]: how likely which loads are at one time.

use crate::{Load, Quantile};

/// A tail is no steeper than this share of the load itself: equal quantiles still leave room for a doubt.
const STEEPEST_TAIL: f64 = 1e-6;

/// How likely which loads are at one time, as quantiles at some levels.
///
/// Between two levels it runs along straight lines in the log odds. Above the highest one its tail is exponential, as
/// steep as between the highest two; below the lowest one nothing is told apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution<'a> {
    levels: &'a [Quantile],
    loads: Vec<f64>,
}

impl<'a> Distribution<'a> {
    /// One load per level, both never falling and at least one.
    pub(crate) fn new(levels: &'a [Quantile], loads: Vec<f64>) -> Self {
        debug_assert_eq!(levels.len(), loads.len(), "one load per level");
        Self { levels, loads }
    }

    /// The probability that the load is above `amount`, from 0 to 1. Falls as `amount` rises.
    pub fn exceedance(&self, amount: f64) -> f64 {
        let above = self.loads.partition_point(|&load| load <= amount);
        let last = self.loads.len() - 1;
        if above == 0 {
            return self.levels.first().map_or(0.0, |level| 1.0 - level.get());
        }
        if above > last {
            let rest = 1.0 - self.levels[last].get();
            return rest * (-(amount - self.loads[last]) / self.tail_scale()).exp();
        }
        let (left, right) = (self.loads[above - 1], self.loads[above]);
        let (from, to) = (self.levels[above - 1].logit(), self.levels[above].logit());
        1.0 / (1.0 + (from + (to - from) * (amount - left) / (right - left)).exp())
    }

    /// The load that is exceeded with probability `1 − level`; beyond the levels at hand, the nearest one's below them and the tail's above.
    pub fn quantile(&self, level: Quantile) -> Load {
        let above = self.levels.partition_point(|&own| own < level);
        let amount = match (above, self.levels.get(above)) {
            (_, None) => {
                let last = self.loads.len() - 1;
                let rest = (1.0 - self.levels[last].get()) / (1.0 - level.get());
                self.loads[last] + self.tail_scale() * rest.ln()
            }
            (0, Some(_)) => self.loads[0],
            (above, Some(&right)) => {
                let left = self.levels[above - 1];
                let share = (level.logit() - left.logit()) / (right.logit() - left.logit());
                self.loads[above - 1] + (self.loads[above] - self.loads[above - 1]) * share
            }
        };
        Load::new(amount).unwrap_or(Load::ZERO)
    }

    /// By how much load the tail's probability falls to 1/e.
    fn tail_scale(&self) -> f64 {
        let last = self.loads.len() - 1;
        let steepest = STEEPEST_TAIL * self.loads[last].abs() + f64::MIN_POSITIVE;
        let Some(before) = last.checked_sub(1) else { return steepest };
        let rests = (1.0 - self.levels[before].get()) / (1.0 - self.levels[last].get());
        ((self.loads[last] - self.loads[before]) / rests.ln()).max(steepest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn levels() -> Vec<Quantile> {
        [0.1, 0.5, 0.9, 0.99].map(|level| Quantile::new(level).unwrap()).to_vec()
    }

    #[test]
    fn the_levels_own_loads_are_exceeded_as_often_as_they_say() {
        let levels = levels();
        let distribution = Distribution::new(&levels, vec![10.0, 20.0, 30.0, 50.0]);
        for (level, load) in levels.iter().zip([10.0, 20.0, 30.0, 50.0]) {
            assert!((distribution.exceedance(load) - (1.0 - level.get())).abs() < 1e-12, "{load}");
        }
        assert_eq!(distribution.exceedance(-5.0), 0.9);
    }

    #[test]
    fn the_tail_falls_as_fast_as_between_the_highest_two_levels() {
        let levels = levels();
        let distribution = Distribution::new(&levels, vec![10.0, 20.0, 30.0, 50.0]);
        // 20 of load took the probability to a tenth
        assert!((distribution.exceedance(70.0) - 0.001).abs() < 1e-12);
    }

    #[test]
    fn a_load_that_never_varies_is_as_good_as_never_exceeded() {
        let levels = levels();
        let distribution = Distribution::new(&levels, vec![10.0; 4]);
        assert!(distribution.exceedance(10.1) < 1e-9);
    }

    proptest! {
        #[test]
        fn quantile_and_exceedance_are_each_others_inverse(
            steps in prop::collection::vec(0.1_f64..100.0, 4),
            level in 0.11_f64..0.9999,
        ) {
            let levels = levels();
            let loads = steps.iter().scan(0.0, |sum, step| { *sum += step; Some(*sum) }).collect();
            let distribution = Distribution::new(&levels, loads);
            let load = distribution.quantile(Quantile::new(level).unwrap()).get();
            prop_assert!((distribution.exceedance(load) - (1.0 - level)).abs() < 1e-6);
        }
    }
}
