//! Ridge: linear regression of the coming change on recent changes, local levels, and what the day and the week did before.
//!
//! One regression per knot `h` (a dozen horizons from one step to a day), direct, not iterated:
//!
//! ```text
//! ŷ(t+h) = y(t) + a_h + b_h · x_h(t)
//!
//! (a_h, b_h) = argmin  Σ_t (y(t+h) − y(t) − a − b·x_h(t))² / n  +  λ · Σ_j (σ_j b_j)²
//!
//! x_h(t) = y(t) − y(t−k)                      k = 1, 2, 3 steps; 1, 2, 3, 5, 10, 30 minutes
//!          y(t) − mean of the last w          w = 5, 15, 60 minutes
//!          S_c(t+h−P) − S_c(t−P)              P = day, week of wall-clock time; c = 5, 15 minutes
//!          y(t+h−P) − y(t−P)
//!          y(t) − S_15(t−P)
//! ```
//!
//! `y` the load on its root scale, `t` the origin, `n` the number of rows, `σ_j` the deviation of feature `j` (so the penalty is on
//! standardized coefficients), `S_c` the mean over `c` minutes centered on its argument, cut off at `t`. Lags and windows that fall
//! on one step are taken once. Between two knots the coefficients run along straight lines in the logarithm of the
//! horizon and meet the features of the exact horizon, so that the center follows the season between them; after the last
//! knot its coefficients hold. The penalty pulls toward persistence, as the target is the change. Predictions are held
//! inside the range seen, widened by its width.
//!
//! Source: Hoerl and Kennard, *Technometrics* 12, 1970; closed form by the Cholesky factor of the Gram matrix, which
//! is additive over rows, so that a rehearsal extends one fit block by block.
//!
//! **Minimum data**: 4 rows per coefficient before the first scored origin: about 3½ hours of minutes. The features of a period
//! join once half of it (at most two days) can be learned from before the first scored origin: the day's at 3 days, the week's at 12.
//!
//! | parameter | default | purpose | range |
//! |---|---|---|---|
//! | `penalty` (λ) | 0.01 | holds collinear features together | `0 < λ`, finite |
//! | rows | newest 8 days | old habits are forgotten | – |

mod features;
#[cfg(test)]
mod oracle;
mod regression;

use std::ops::Range;

use linfa::DatasetBase;
use linfa::traits::FitWith;
use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};
use series::ModelName;

use self::features::Features;
use self::regression::{Regression, RidgeParams};
use crate::horizons;
use crate::model::{Fit, Predict};
use crate::past::Past;
use crate::rolling::{Misses, Rolling};

const TRAINED_SECONDS: i64 = 8 * 86_400;
const ROWS_PER_COEFFICIENT: usize = 4;
const PENALTY: f64 = 1e-2;

/// Ridge before the fit: which features, from which rows.
#[derive(Debug, Clone)]
pub(crate) struct Ridge {
    features: Features,
    params: RidgeParams,
    first_row: usize,
    stride: usize,
}

/// One regression per knot.
#[derive(Debug, Clone)]
pub(crate) struct FittedRidge {
    features: Features,
    knots: Vec<usize>,
    regressions: Vec<Regression>,
    limits: Limits,
}

/// The range seen, widened by its width.
#[derive(Debug, Clone, Copy)]
struct Limits {
    low: f64,
    high: f64,
}

/// The rows of one knot: origins, features, and the change that came.
struct Rows {
    origins: Vec<usize>,
    features: Array2<f64>,
    changes: Array1<f64>,
}

impl Ridge {
    /// Ridge for `past`, with the features it is long enough for when scored as `rolling` says.
    pub(crate) fn new(past: &Past, rolling: &Rolling) -> Self {
        let features = Features::learnable(past.calendar(), rolling.first());
        let trained = past.calendar().steps_in(TRAINED_SECONDS);
        let first_row = past.last().saturating_sub(trained).max(features.first_origin(past.calendar()));
        Self { features, params: RidgeParams::new(PENALTY), first_row, stride: rolling.stride() }
    }

    /// How many samples it takes to learn and be scored `ahead` steps ahead, half of them scored.
    pub(crate) fn samples_needed(&self, ahead: usize) -> usize {
        2 * (self.first_row + ahead + self.rows_needed())
    }

    /// Fewer rows are too few.
    fn rows_needed(&self) -> usize {
        ROWS_PER_COEFFICIENT * self.features.count()
    }

    fn origins(&self, past: &Past, until: usize) -> Vec<usize> {
        (self.first_row..=until)
            .filter(|origin| (past.last() - origin).is_multiple_of(self.stride) && past.is_known(*origin))
            .collect()
    }

    /// The rows of the knot `ahead` whose change is known by `until`. `shared` holds the features that no horizon changes,
    /// one row per entry of `origins`.
    fn rows(&self, past: &Past, origins: &[usize], shared: &[f64], ahead: usize, until: usize) -> Rows {
        let width = self.features.count();
        let shared_width = self.features.shared_count();
        let mut flat = Vec::with_capacity(origins.len() * width);
        let mut kept = Vec::with_capacity(origins.len());
        let mut changes = Vec::with_capacity(origins.len());
        for (&origin, row) in origins.iter().zip(shared.chunks_exact(shared_width)) {
            if origin + ahead > until || !past.is_known(origin + ahead) {
                continue;
            }
            let before = flat.len();
            flat.extend_from_slice(row);
            if !self.features.push_ahead(past, origin, ahead, &mut flat) {
                flat.truncate(before);
                continue;
            }
            kept.push(origin);
            changes.push(past.value(origin + ahead) - past.value(origin));
        }
        let features = Array2::from_shape_vec((kept.len(), width), flat).unwrap_or_else(|_| Array2::zeros((0, width)));
        Rows { origins: kept, features, changes: Array1::from(changes) }
    }

    fn shared(&self, past: &Past, origins: &[usize]) -> Vec<f64> {
        let mut shared = Vec::with_capacity(origins.len() * self.features.shared_count());
        for &origin in origins {
            self.features.push_shared(past, origin, &mut shared);
        }
        shared
    }

    /// `former` with the rows of `range` added; `former` itself where there are none.
    fn extended(&self, former: Option<Regression>, rows: &Rows, range: Range<usize>) -> Option<Regression> {
        if range.is_empty() {
            return former;
        }
        let changes = rows.changes.slice_axis(Axis(0), Slice::from(range.clone()));
        self.params.fit_with(former, &DatasetBase::new(rows.of(range), changes)).ok()
    }
}

impl Fit for Ridge {
    type Fitted = FittedRidge;

    fn name(&self) -> ModelName {
        ModelName::Ridge
    }

    fn fit(&self, past: &Past, until: usize, knots: &[usize]) -> Option<FittedRidge> {
        let origins = self.origins(past, until);
        let shared = self.shared(past, &origins);
        let mut fitted = FittedRidge::none(self, Limits::of(&past.values()[..=until]));
        for &ahead in knots {
            let rows = self.rows(past, &origins, &shared, ahead, until);
            fitted.push(ahead, self.extended(None, &rows, 0..rows.origins.len()), self.rows_needed());
        }
        fitted.if_any()
    }

    fn roll(&self, past: &Past, rolling: &Rolling) -> Option<(Misses, FittedRidge)> {
        let origins = self.origins(past, past.last());
        let shared = self.shared(past, &origins);
        let limits: Vec<Limits> =
            rolling.blocks().iter().map(|block| Limits::of(&past.values()[..=block.fitted_at])).collect();
        let mut misses = Misses::none(rolling.knots());
        let mut fitted = FittedRidge::none(self, Limits::of(past.values()));
        for (knot, &ahead) in rolling.knots().iter().enumerate() {
            let rows = self.rows(past, &origins, &shared, ahead, past.last());
            let mut regression = None;
            let mut done = 0;
            for (block, limits) in rolling.blocks().iter().zip(&limits) {
                let known = rows.origins.partition_point(|origin| origin + ahead <= block.fitted_at);
                regression = self.extended(regression, &rows, done..known);
                done = known;
                let Some(enough) = regression.as_ref().filter(|fit| fit.rows() >= self.rows_needed()) else { continue };
                let from = rows.origins.partition_point(|&origin| origin < block.origins.start);
                let to = rows.origins.partition_point(|&origin| origin < block.origins.end);
                let changes = linfa::traits::Predict::predict(enough, &rows.of(from..to));
                for (&origin, change) in rows.origins[from..to].iter().zip(&changes) {
                    misses.record(knot, past, origin, ahead, limits.hold(past.value(origin) + change));
                }
            }
            fitted.push(ahead, self.extended(regression, &rows, done..rows.origins.len()), self.rows_needed());
        }
        Some((misses, fitted.if_any()?))
    }
}

impl Rows {
    fn of(&self, range: Range<usize>) -> ArrayView2<'_, f64> {
        self.features.slice_axis(Axis(0), Slice::from(range))
    }
}

impl FittedRidge {
    fn none(ridge: &Ridge, limits: Limits) -> Self {
        Self { features: ridge.features.clone(), knots: Vec::new(), regressions: Vec::new(), limits }
    }

    fn push(&mut self, ahead: usize, regression: Option<Regression>, rows_needed: usize) {
        if let Some(regression) = regression.filter(|regression| regression.rows() >= rows_needed) {
            self.knots.push(ahead);
            self.regressions.push(regression);
        }
    }

    fn if_any(self) -> Option<Self> {
        (!self.knots.is_empty()).then_some(self)
    }
}

impl Predict for FittedRidge {
    fn predict(&self, past: &Past, origin: usize, ahead: &[usize]) -> Option<Vec<f64>> {
        if origin < self.features.first_origin(past.calendar()) {
            return None;
        }
        let mut row = Vec::with_capacity(self.features.count());
        self.features.push_shared(past, origin, &mut row);
        let predict_one = |&ahead: &usize| {
            row.truncate(self.features.shared_count());
            if !self.features.push_ahead(past, origin, ahead, &mut row) {
                return None;
            }
            let (left, right, share) = horizons::place(&self.knots, ahead);
            let (near, far) = (self.regressions[left].change(&row), self.regressions[right].change(&row));
            Some(self.limits.hold(past.value(origin) + near + (far - near) * share))
        };
        ahead.iter().map(predict_one).collect()
    }
}

impl Limits {
    fn of(values: &[f64]) -> Self {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { low: low - (high - low), high: high + (high - low) }
    }

    fn hold(self, value: f64) -> f64 {
        value.max(self.low).min(self.high)
    }
}
