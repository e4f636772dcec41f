//! [`Spread`]: how large errors are to be expected, from the hour, the level and the recent regime.
//!
//! ```text
//! E|e(t, h)| = exp( β · f(t, h) )
//!
//! f = 1
//!     ln of the unrest of the last 10 minutes, hour, six hours       unrest: the mean size of the changes from step to step
//!     ln |z(t) − mean of the last 15 minutes|
//!     ln of the unrest around t+h a day before
//!     ln |change over h up to t+h a day before|
//!     z(t),  c(t, h),  ln |c(t, h) − z(t)|
//! ```
//!
//! `e` the error of the center `c` of the quantiles, `z` the load, both on the models' scale; every logarithm is of its argument plus 0.001. The
//! coefficients maximize the gamma likelihood of the sizes with a log link (McCullagh and Nelder, *Generalized Linear Models*, 2nd edition, chapter
//! 8), by Fisher scoring: the information matrix is the same in every step. The sizes of heavy tails are cut off at twenty
//! times what is expected, expectations are held between a fiftieth of the mean size and twenty times it, and to what the rehearsal's largest
//! one was.

use linfa_linalg::cholesky::SolveCInplace;
use ndarray::{Array1, Axis, aview2};

use crate::rolling::Miss;
use crate::values::Values;

/// How many features there are, the constant among them.
pub(crate) const WIDTH: usize = 10;
/// Fewer errors tell the mean size and nothing of what it follows.
const FEWEST: usize = 200;
const UNREST_SECONDS: [i64; 3] = [600, 3600, 6 * 3600];
const MEAN_SECONDS: i64 = 900;
const AROUND_SECONDS: i64 = 1800;
/// Holds logarithms of nothing; loads are near 1 on the models' scale.
const LEAST: f64 = 1e-3;
/// Penalty on the coefficients, relative to the variances of their features.
const PENALTY: f64 = 1e-2;
const ROUNDS: usize = 6;
/// Coefficients that move expectations by less than this share do not move.
const SETTLED: f64 = 1e-3;
const LARGEST_RATIO: f64 = 20.0;
/// Expected sizes are held within these many times the mean size …
const HELD: (f64, f64) = (0.02, 20.0);
/// … and below the largest one of the rehearsal, but for this much in logarithms.
const HEADROOM: f64 = 0.2;

/// What is going on at an origin, whatever the horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Regime {
    origin: usize,
    now: f64,
    unrest: [f64; UNREST_SECONDS.len()],
    off_mean: f64,
}

/// The expected size of the errors at one horizon.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spread {
    means: [f64; WIDTH],
    coefficients: [f64; WIDTH],
    /// The least and the greatest expected size, in logarithms.
    held: (f64, f64),
}

impl Regime {
    /// The regime at `origin`.
    pub(crate) fn at(values: &impl Values, origin: usize) -> Self {
        let steps = |seconds: i64| values.calendar().steps_in(seconds).max(2);
        let now = values.value(origin);
        let back = |seconds: i64| (origin + 1).saturating_sub(steps(seconds));
        let unrest = UNREST_SECONDS.map(|seconds| match back(seconds).max(1) {
            from if from <= origin => log(values.unrest(from, origin)),
            _ => log(0.0),
        });
        Self { origin, now, unrest, off_mean: log(now - values.mean(back(MEAN_SECONDS), origin)) }
    }

    /// Where it is.
    pub(crate) fn origin(&self) -> usize {
        self.origin
    }

    /// The value at the origin.
    pub(crate) fn now(&self) -> f64 {
        self.now
    }

    /// The features `ahead` steps from here, where the center of the quantiles is `center`.
    pub(crate) fn features(&self, values: &impl Values, ahead: usize, center: f64) -> [f64; WIDTH] {
        let around = values.calendar().steps_in(AROUND_SECONDS).max(2);
        let before = values.season_before(self.origin + ahead, 1, self.origin);
        let unrest_before = before.and_then(|index| {
            let to = (index + around).min(self.origin);
            let from = index.saturating_sub(around).max(1).min(to);
            (from >= 1).then(|| log(values.unrest(from, to)))
        });
        let change_before =
            before.and_then(|index| Some(values.value(index) - values.value(index.checked_sub(ahead)?)));
        let [ten_minutes, hour, six_hours] = self.unrest;
        [
            1.0,
            ten_minutes,
            hour,
            six_hours,
            self.off_mean,
            unrest_before.unwrap_or(six_hours),
            log(change_before.unwrap_or(0.0)),
            self.now,
            center,
            log(center - self.now),
        ]
    }
}

impl Spread {
    /// The expected sizes of `misses`, whose features are `rows`, one each; `None` where they are too few or all nothing.
    pub(crate) fn of(misses: &[Miss], rows: &[[f64; WIDTH]]) -> Option<Self> {
        if misses.len() < FEWEST {
            return None;
        }
        let count = misses.len() as f64;
        let sizes: Vec<f64> = misses.iter().map(|miss| miss.error().abs()).collect();
        let mean_size = sizes.iter().sum::<f64>() / count;
        if mean_size < LEAST * LEAST {
            return None;
        }
        let mut means = [0.0; WIDTH];
        for row in rows {
            add(&mut means, row, count.recip());
        }
        means[0] = 0.0;
        let features: Vec<[f64; WIDTH]> = rows.iter().map(|row| std::array::from_fn(|j| row[j] - means[j])).collect();
        let whole = aview2(&features);
        let gram = whole.t().dot(&whole) / count;
        let deviations: [f64; WIDTH] = std::array::from_fn(|j| gram[(j, j)].sqrt());
        let penalties: [f64; WIDTH] = std::array::from_fn(|j| if j == 0 { 0.0 } else { PENALTY * gram[(j, j)] });
        let mut information = gram;
        // a feature that never varies has a coefficient of nothing
        information.diag_mut().iter_mut().zip(penalties).for_each(|(entry, penalty)| *entry += penalty + LEAST * LEAST);
        let held = ((HELD.0 * mean_size).ln(), (HELD.1 * mean_size).ln());
        let mut coefficients = [0.0; WIDTH];
        coefficients[0] = mean_size.ln();
        for _ in 0..ROUNDS {
            let mut score = [0.0; WIDTH];
            for (row, size) in features.iter().zip(&sizes) {
                let expected = dot(row, &coefficients).clamp(held.0, held.1).exp();
                add(&mut score, row, (size / expected).min(LARGEST_RATIO) - 1.0);
            }
            let score: Array1<f64> = (0..WIDTH).map(|j| score[j] / count - penalties[j] * coefficients[j]).collect();
            let step = information.clone().solvec_into(score.insert_axis(Axis(1))).ok()?;
            let mut moved = 0.0;
            for (j, coefficient) in coefficients.iter_mut().enumerate() {
                *coefficient += step[(j, 0)];
                moved += (step[(j, 0)] * deviations[j]).abs();
            }
            if moved < SETTLED {
                break;
            }
        }
        // nothing is expected to be larger than what the largest of the rows was expected to be
        let largest = features.iter().map(|row| dot(row, &coefficients)).fold(held.0, f64::max);
        let held = (held.0, held.1.min(largest + HEADROOM));
        coefficients.iter().all(|coefficient| coefficient.is_finite()).then_some(Self { means, coefficients, held })
    }

    /// The expected size of an error with these features, positive.
    pub(crate) fn size(&self, features: &[f64; WIDTH]) -> f64 {
        let centered = std::array::from_fn(|j| features[j] - self.means[j]);
        dot(&centered, &self.coefficients).clamp(self.held.0, self.held.1).exp()
    }
}

fn dot(left: &[f64; WIDTH], right: &[f64; WIDTH]) -> f64 {
    let products: [f64; WIDTH] = std::array::from_fn(|j| left[j] * right[j]);
    // two sums side by side wait for each other half as long as one
    let halves = (0..WIDTH / 2).fold((0.0, 0.0), |sums, j| (sums.0 + products[2 * j], sums.1 + products[2 * j + 1]));
    halves.0 + halves.1
}

fn add(sum: &mut [f64; WIDTH], row: &[f64; WIDTH], times: f64) {
    sum.iter_mut().zip(row).for_each(|(sum, entry)| *sum += entry * times);
}

fn log(amount: f64) -> f64 {
    (amount.abs() + LEAST).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::past::Past;
    use crate::testing::{normals, past};

    const DAY: usize = 1440;

    /// Noise that is five times as wide in the second half of every day, around the same level.
    fn quiet_and_busy() -> Past {
        let width = |i: usize| if i % DAY < DAY / 2 { 1.0 } else { 5.0 };
        past(
            &normals(1, 6 * DAY)
                .iter()
                .enumerate()
                .map(|(i, noise)| Some(100.0 + width(i) * noise))
                .collect::<Vec<_>>(),
        )
    }

    fn misses(past: &Past, ahead: usize) -> Vec<Miss> {
        let predicted = past.mean(0, past.last());
        let origins = (2 * DAY..past.last() - ahead).step_by(3);
        origins.map(|origin| Miss { origin, predicted, actual: past.value(origin + ahead) }).collect()
    }

    fn rows(past: &Past, misses: &[Miss], ahead: usize) -> Vec<[f64; WIDTH]> {
        misses.iter().map(|miss| Regime::at(past, miss.origin).features(past, ahead, miss.predicted)).collect()
    }

    #[test]
    fn errors_are_expected_large_where_they_are_large() {
        let (past, ahead) = (quiet_and_busy(), 5);
        let misses = misses(&past, ahead);
        let rows = rows(&past, &misses, ahead);
        let spread = Spread::of(&misses, &rows).unwrap();
        let mean_in = |half: usize, of: &dyn Fn(usize) -> f64| {
            let places: Vec<usize> =
                (0..misses.len()).filter(|&i| (misses[i].origin + ahead) % DAY / (DAY / 2) == half).collect();
            places.iter().map(|&i| of(i)).sum::<f64>() / places.len() as f64
        };
        for half in [0, 1] {
            let (expected, came) =
                (mean_in(half, &|i| spread.size(&rows[i])), mean_in(half, &|i| misses[i].error().abs()));
            assert!((expected / came - 1.0).abs() < 0.1, "half {half}: {expected} of {came}");
        }
        assert!(mean_in(1, &|i| spread.size(&rows[i])) > 4.0 * mean_in(0, &|i| spread.size(&rows[i])));
    }

    #[test]
    fn expected_sizes_are_positive_and_held_whatever_comes() {
        let (past, ahead) = (quiet_and_busy(), 5);
        let misses = misses(&past, ahead);
        let spread = Spread::of(&misses, &rows(&past, &misses, ahead)).unwrap();
        let mean = misses.iter().map(|miss| miss.error().abs()).sum::<f64>() / misses.len() as f64;
        for extreme in [-1e6, 1e6] {
            let size = spread.size(&[extreme; WIDTH]);
            assert!(size >= 0.999 * HELD.0 * mean && size <= 1.001 * HELD.1 * mean, "{size}");
        }
    }

    #[test]
    fn too_few_errors_and_errors_of_nothing_tell_no_size() {
        let (past, ahead) = (quiet_and_busy(), 5);
        let misses = misses(&past, ahead);
        let rows = rows(&past, &misses, ahead);
        assert_eq!(Spread::of(&misses[..FEWEST - 1], &rows[..FEWEST - 1]), None);
        let exact: Vec<Miss> = misses.iter().map(|miss| Miss { predicted: miss.actual, ..*miss }).collect();
        assert_eq!(Spread::of(&exact, &rows), None);
    }
}
