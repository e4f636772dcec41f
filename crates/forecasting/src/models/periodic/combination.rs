//! [`Combination`]: what each member weighs, and the one center they agree on.

use super::backtest::Place;

/// How strongly a smaller error counts: `MAE` to the power of minus this.
const POWER: i32 = 4;
/// Share of the weighted mean in the center; the rest is the weighted median's.
const MEAN_SHARE: f64 = 0.5;

/// One weight per member; they sum to 1.
#[derive(Debug, Clone)]
pub(super) struct Combination(Vec<f64>);

impl Combination {
    /// By the mean absolute errors of what the members predicted, one row each.
    pub(super) fn of(predicted: &[Vec<f64>], places: &[Place], loads: &[f64]) -> Self {
        let error = |row: &Vec<f64>| places.iter().map(|at| (row[at.entry] - loads[at.target]).abs()).sum::<f64>();
        let errors: Vec<f64> = predicted.iter().map(error).collect();
        let least = errors.iter().copied().fold(f64::INFINITY, f64::min);
        // of perfect members none is better
        let weight = |&error: &f64| if error > least { (least / error).powi(POWER) } else { 1.0 };
        let weights: Vec<f64> = errors.iter().map(weight).collect();
        let total: f64 = weights.iter().sum();
        Self(weights.into_iter().map(|weight| weight / total).collect())
    }

    /// The weights, one per member.
    #[cfg(test)]
    pub(super) fn weights(&self) -> &[f64] {
        &self.0
    }

    /// The center of `values`, one per member.
    pub(super) fn center(&self, values: impl Iterator<Item = f64>) -> f64 {
        let mut weighted = [(0.0, 0.0); MOST_MEMBERS];
        let mut count = 0;
        let mut mean = 0.0;
        for ((slot, value), &weight) in weighted.iter_mut().zip(values).zip(&self.0) {
            *slot = (value, weight);
            mean += value * weight;
            count += 1;
        }
        let weighted = &mut weighted[..count];
        weighted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        MEAN_SHARE * mean + (1.0 - MEAN_SHARE) * median(weighted)
    }
}

/// Room for all members.
const MOST_MEMBERS: usize = 8;

/// Where half of the weight lies below, along straight lines between the middles of the weights; `weighted` in rising order.
fn median(weighted: &[(f64, f64)]) -> f64 {
    let mut below = 0.0;
    let mut before: Option<(f64, f64)> = None;
    for &(value, weight) in weighted {
        let middle = below + weight / 2.0;
        if middle >= 0.5 {
            return before.map_or(value, |(left, low)| low + (value - low) * (0.5 - left) / (middle - left));
        }
        before = Some((middle, value));
        below += weight;
    }
    before.map_or(0.0, |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_the_error_weighs_sixteen_times() {
        let places = [Place { entry: 0, ahead: 1, target: 0 }];
        let Combination(weights) = Combination::of(&[vec![11.0], vec![12.0]], &places, &[10.0]);
        assert!((weights[0] / weights[1] - 16.0).abs() < 1e-9, "{weights:?}");
        let Combination(perfect) = Combination::of(&[vec![10.0], vec![10.0]], &places, &[10.0]);
        assert_eq!(perfect, [0.5, 0.5]);
    }

    #[test]
    fn a_center_lies_half_way_from_the_mean_to_the_median() {
        let equal = Combination(vec![1.0 / 3.0; 3]);
        assert!((equal.center([9.0, 0.0, 3.0].into_iter()) - 3.5).abs() < 1e-12);
        // half of the weight lies a quarter of the way from the middle of the first weight to that of the second
        let uneven = Combination(vec![0.75, 0.25]);
        assert!((uneven.center([0.0, 4.0].into_iter()) - 1.0).abs() < 1e-12);
    }
}
