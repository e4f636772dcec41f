//! [`Correction`]: what a curve of the day missed lately, carried on over the horizon, and how far the curve is believed.
//!
//! ```text
//! ŷ(t+h) = c(t+h) + b_h0 · (c(t+h) − c(t)) + Σ_w b_hw · r_w(t)        r_w(t) the mean of y − c over the last w
//!
//! b_h = argmin  Σ_t (y(t+h) − ŷ(t+h))²  +  λ · tr(G)/n · |b|²         w = a step; 2, 5, 15, 60, 240 minutes
//! ```
//!
//! `c` the curve, `G` the Gram matrix of the `n` coefficients. An autoregression of what the curve left, direct per horizon. The `b_hw` sum to
//! about 1 just after the origin, where all that was missed is missed again, and to about 0 a day later, where the curve alone speaks.
//! `b_h0` is 0 where the curve's own move is believed, and −1 where it is noise. Between two knots the coefficients run along straight lines in
//! the logarithm of the horizon.
//!
//! The rows are origins at even distances, counted back from the last sample, so that a rehearsal extends one fit block by block.

use linfa_linalg::cholesky::SolveCInplace;
use ndarray::{Array2, Axis};

use crate::horizons;
use crate::past::Past;

const WINDOW_SECONDS: [i64; 5] = [120, 300, 900, 3600, 14_400];
/// A step, the windows, the move of the curve.
const MOST: usize = WINDOW_SECONDS.len() + 2;
const TRAINED_SECONDS: i64 = 18 * 86_400;
/// About so many origins a fit learns from; more would tell hardly more.
const ROWS: usize = 900;
/// Rows per coefficient below which there is no fit.
const ROWS_PER_COEFFICIENT: usize = 4;
/// `λ`
const PENALTY: f64 = 1e-3;

/// One entry per coefficient: the windows, rising, and the move of the curve; those beyond stay 0.
type Row = [f64; MOST];

/// A curve from some first index on, and what it missed there.
#[derive(Debug, Clone)]
pub(super) struct Missed {
    first: usize,
    windows: Vec<usize>,
    curve: Vec<f64>,
    /// `sums[i]` is the sum of what the first `i` entries of the curve missed.
    sums: Vec<f64>,
}

/// The coefficients per knot.
#[derive(Debug, Clone)]
pub(super) struct Correction {
    windows: usize,
    knots: Vec<usize>,
    coefficients: Vec<Row>,
}

/// Where a horizon lies between the knots: left, right, and the share of the right one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(usize, usize, f64);

/// The sums a correction is solved from, extended as time goes on.
#[derive(Debug)]
pub(super) struct Learner<'a> {
    past: &'a Past,
    missed: &'a Missed,
    origins: Vec<(usize, Row)>,
    knots: Vec<Sums>,
}

/// The sums of one knot.
#[derive(Debug)]
struct Sums {
    ahead: usize,
    /// How many of the origins were looked at.
    done: usize,
    rows: usize,
    /// Lower triangle of `Σ x xᵀ`.
    gram: [Row; MOST],
    /// `Σ x y`
    cross: Row,
}

impl Missed {
    /// What `curve`, whose first entry belongs to index `first`, misses of `past`.
    pub(super) fn of(past: &Past, first: usize, curve: Vec<f64>) -> Self {
        let mut sum = 0.0;
        let mut sums = Vec::with_capacity(curve.len() + 1);
        sums.push(sum);
        for (value, expected) in past.values()[first..].iter().zip(&curve) {
            sum += value - expected;
            sums.push(sum);
        }
        Self { first, windows: windows(past), curve, sums }
    }

    /// The first index at which all means are known.
    pub(super) fn first_origin(&self) -> usize {
        self.first + self.windows[self.windows.len() - 1] - 1
    }

    /// The last index with a curve.
    fn last(&self) -> usize {
        self.first + self.curve.len() - 1
    }

    /// The curve at `index`.
    pub(super) fn curve(&self, index: usize) -> f64 {
        self.curve[index - self.first]
    }

    fn at(&self, index: usize) -> f64 {
        self.sums[index + 1 - self.first] - self.sums[index - self.first]
    }

    fn means(&self, origin: usize) -> Row {
        let mut means = [0.0; MOST];
        let end = origin + 1 - self.first;
        for (mean, &window) in means.iter_mut().zip(&self.windows) {
            *mean = (self.sums[end] - self.sums[end - window]) / window as f64;
        }
        means
    }
}

impl<'a> Learner<'a> {
    /// Before it has seen anything; `missed` reaches to the last sample.
    pub(super) fn new(past: &'a Past, missed: &'a Missed, knots: &[usize]) -> Self {
        let trained = past.calendar().steps_in(TRAINED_SECONDS);
        let first = past.last().saturating_sub(trained).max(missed.first_origin());
        let stride = (past.last().saturating_sub(first) / ROWS).max(1);
        let origins = (0..=past.last().saturating_sub(first) / stride).rev().map(|back| past.last() - back * stride);
        let origins = origins.filter(|&origin| origin >= first && origin <= missed.last() && past.is_known(origin));
        let sums = |&ahead: &usize| Sums { ahead, done: 0, rows: 0, gram: [[0.0; MOST]; MOST], cross: [0.0; MOST] };
        Self {
            past,
            missed,
            origins: origins.map(|origin| (origin, missed.means(origin))).collect(),
            knots: knots.iter().map(sums).collect(),
        }
    }

    /// The correction learned from targets up to `until`; `None` where they are too few at every knot.
    pub(super) fn learn(&mut self, until: usize) -> Option<Correction> {
        let windows = self.missed.windows.len();
        let mut correction = Correction { windows, knots: Vec::new(), coefficients: Vec::new() };
        for sums in &mut self.knots {
            sums.extend(self.past, self.missed, &self.origins, until);
            let coefficients = sums.solve(windows + 1);
            if let Some(coefficients) = coefficients {
                correction.knots.push(sums.ahead);
                correction.coefficients.push(coefficients);
            }
        }
        (!correction.knots.is_empty()).then_some(correction)
    }
}

impl Sums {
    fn extend(&mut self, past: &Past, missed: &Missed, origins: &[(usize, Row)], until: usize) {
        let windows = missed.windows.len();
        for (origin, means) in &origins[self.done..] {
            let target = origin + self.ahead;
            if target > until {
                break;
            }
            self.done += 1;
            if !past.is_known(target) {
                continue;
            }
            let mut row = *means;
            row[windows] = missed.curve(target) - missed.curve(*origin);
            let came = missed.at(target);
            for i in 0..MOST {
                for j in 0..=i {
                    self.gram[i][j] += row[i] * row[j];
                }
                self.cross[i] += row[i] * came;
            }
            self.rows += 1;
        }
    }

    /// The first `width` coefficients; all 0 where nothing was ever missed, `None` with too few rows.
    fn solve(&self, width: usize) -> Option<Row> {
        if self.rows < ROWS_PER_COEFFICIENT * width {
            return None;
        }
        let mut coefficients = [0.0; MOST];
        let trace: f64 = (0..width).map(|i| self.gram[i][i]).sum();
        if trace.is_nan() || trace <= f64::MIN_POSITIVE {
            return Some(coefficients);
        }
        // in units of the trace, so that tiny and huge misses are solved alike
        let mut normal = Array2::from_shape_fn((width, width), |(i, j)| {
            let penalty = if i == j { PENALTY / width as f64 } else { 0.0 };
            self.gram[i.max(j)][i.min(j)] / trace + penalty
        });
        let right = Array2::from_shape_fn((width, 1), |(i, _)| self.cross[i] / trace);
        let solution = normal.solvec_into(right).ok()?;
        coefficients.iter_mut().zip(solution.index_axis(Axis(1), 0)).for_each(|(one, solved)| *one = *solved);
        coefficients.iter().all(|one| one.is_finite()).then_some(coefficients)
    }
}

impl Correction {
    /// How many steps of the curve before an origin it looks at.
    pub(super) fn reach(past: &Past) -> usize {
        windows(past).last().copied().unwrap_or(1)
    }

    /// Where the horizon `ahead` lies.
    pub(super) fn place(&self, ahead: usize) -> Place {
        let (left, right, share) = horizons::place(&self.knots, ahead);
        Place(left, right, share)
    }

    /// What comes at a place where the curve stands so high, as seen from `origin`.
    pub(super) fn from<'a>(&'a self, missed: &Missed, origin: usize) -> impl Fn(Place, f64) -> f64 + 'a {
        let means = missed.means(origin);
        let now = missed.curve(origin);
        move |Place(left, right, share), curve| {
            let mut row = means;
            row[self.windows] = curve - now;
            let near = dot(&self.coefficients[left], &row);
            let far = if left == right { near } else { dot(&self.coefficients[right], &row) };
            curve + near + (far - near) * share
        }
    }
}

fn dot(left: &Row, right: &Row) -> f64 {
    left.iter().zip(right).map(|(l, r)| l * r).sum()
}

/// The windows in steps, rising, each once.
fn windows(past: &Past) -> Vec<usize> {
    let mut windows = vec![1];
    windows
        .extend(WINDOW_SECONDS.iter().map(|&seconds| past.calendar().steps_in(seconds)).filter(|&window| window > 0));
    windows.dedup();
    windows
}
