//! [`Combination`]: what each member weighs near and far ahead, and the one center they agree on.

use super::backtest::Place;

/// How strongly a smaller error counts: `MAE` to the power of minus this.
const POWER: i32 = 3;
/// Share of the weighted mean in the center; the rest is the weighted median's.
const MEAN_SHARE: f64 = 0.3;

/// One weight per member for each step ahead; those of a step sum to 1.
#[derive(Debug, Clone)]
pub(super) struct Combination {
    members: usize,
    /// Those of one step ahead after the other.
    weights: Vec<f64>,
}

impl Combination {
    /// By the mean absolute errors of what the members predicted, one row each, in the near and in the far half of `reach` steps.
    pub(super) fn of(predicted: &[Vec<f64>], places: &[Place], loads: &[f64], reach: usize) -> Self {
        let (near, far): (Vec<Place>, Vec<Place>) = places.iter().partition(|place| place.ahead * 2 <= reach);
        // of one step there is no near half, of a short backtest perhaps no far one
        let (near, far) = match (near.is_empty(), far.is_empty()) {
            (true, _) => (&far, &far),
            (_, true) => (&near, &near),
            _ => (&near, &far),
        };
        let (near, far) = (against_best(predicted, near, loads), against_best(predicted, far, loads));
        let mut weights = Vec::with_capacity(reach * predicted.len());
        for ahead in 0..reach {
            let share = (ahead as f64 + 0.5) / reach as f64;
            let errors = near.iter().zip(&far).map(|(near, far)| near * (1.0 - share) + far * share);
            let start = weights.len();
            weights.extend(errors.map(|error| error.powi(POWER).recip()));
            let total: f64 = weights[start..].iter().sum();
            weights[start..].iter_mut().for_each(|weight| *weight /= total);
        }
        Self { members: predicted.len(), weights }
    }

    /// The weights `ahead` steps ahead, one per member; those of the farthest step go on beyond it.
    pub(super) fn weights(&self, ahead: usize) -> &[f64] {
        let farthest = self.weights.len() / self.members;
        &self.weights[(ahead.min(farthest) - 1) * self.members..][..self.members]
    }

    /// The center of `values`, one per member, `ahead` steps ahead.
    pub(super) fn center(&self, ahead: usize, values: impl Iterator<Item = f64>) -> f64 {
        let mut weighted = [(0.0, 0.0); MOST_MEMBERS];
        let mut count = 0;
        let mut mean = 0.0;
        for ((slot, value), &weight) in weighted.iter_mut().zip(values).zip(self.weights(ahead)) {
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

/// The error of each member at `places` as a multiple of the least one.
fn against_best(predicted: &[Vec<f64>], places: &[Place], loads: &[f64]) -> Vec<f64> {
    let error = |row: &Vec<f64>| places.iter().map(|at| (row[at.entry] - loads[at.target]).abs()).sum::<f64>();
    let errors: Vec<f64> = predicted.iter().map(error).collect();
    let least = errors.iter().copied().fold(f64::INFINITY, f64::min);
    // of perfect members none is better
    errors.into_iter().map(|error| if error > least { error / least } else { 1.0 }).collect()
}

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

    fn place(entry: usize, ahead: usize) -> Place {
        Place { entry, ahead, target: 0 }
    }

    #[test]
    fn half_the_error_weighs_eight_times() {
        let one = Combination::of(&[vec![11.0], vec![12.0]], &[place(0, 1)], &[10.0], 1);
        assert!((one.weights(1)[0] / one.weights(1)[1] - 8.0).abs() < 1e-9, "{one:?}");
        assert_eq!(one.weights(9), one.weights(1));
        let perfect = Combination::of(&[vec![10.0], vec![10.0]], &[place(0, 1)], &[10.0], 1);
        assert_eq!(perfect.weights(1), [0.5, 0.5]);
        let one_perfect = Combination::of(&[vec![10.0], vec![11.0]], &[place(0, 1)], &[10.0], 2);
        assert_eq!(one_perfect.weights(1), [1.0, 0.0]);
    }

    #[test]
    fn who_is_good_at_one_end_weighs_most_there() {
        // the first is right near and off by three far ahead, the second the other way around but for one
        let predicted = [vec![11.0, 13.0], vec![13.0, 11.0]];
        let combination = Combination::of(&predicted, &[place(0, 1), place(1, 4)], &[10.0], 4);
        let first: Vec<f64> = (1..=4).map(|ahead| combination.weights(ahead)[0]).collect();
        assert!(first.is_sorted_by(|a, b| a > b), "{first:?}");
        // an eighth of the way: 1.25 against 2.75
        assert!((first[0] / (1.0 - first[0]) - (2.75_f64 / 1.25).powi(3)).abs() < 1e-9);
        assert!((first[0] + first[3] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_center_lies_between_the_mean_and_the_median() {
        let equal = Combination { members: 3, weights: vec![1.0 / 3.0; 3] };
        assert!((equal.center(1, [9.0, 0.0, 3.0].into_iter()) - 3.3).abs() < 1e-12);
        // half of the weight lies a quarter of the way from the middle of the first weight to that of the second
        let uneven = Combination { members: 2, weights: vec![0.75, 0.25] };
        assert!((uneven.center(1, [0.0, 4.0].into_iter()) - 1.0).abs() < 1e-12);
    }
}
