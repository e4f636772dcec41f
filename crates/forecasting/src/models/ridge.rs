//! Ridge: linear regression of the coming change on recent changes, local levels, and what the days, the week and shorter periods did before.
//!
//! One regression per knot `h` (a few horizons from one step to a day), direct, not iterated:
//!
//! ```text
//! ŷ(t+h) = y(t) + a_h + b_h · x_h(t)
//!
//! (a_h, b_h) = argmin  Σ_t w_t (y(t+h) − y(t) − a − b·x_h(t))² / Σ w  +  λ · Σ_j (σ_j b_j)²
//! w_t = 1 / max(|e_t|, m/2, ē/10)         e the errors of a first fit with w = 1, m their median size, ē their mean size
//!
//! x_h(t) = y(t) − y(t−k)                      k = 1, 2, 3 steps; 1, 2, 3, 5, 10, 30 minutes
//!          y(t) − mean of the last w          w = 5, 15, 60 minutes
//!          S_c(t+h−P) − S_c(t−P)              P = day, week of wall-clock time; c = none, 5, 15 minutes
//!          y(t) − S_15(t−P)
//!          U_c(t+h) − U_c(t)                  c = none, 15, 60 minutes
//!          y(t) − U_15(t)
//!          mean of the last 30 minutes − U_60(t)
//!          C_p(t+h) − C_p(t),  y(t) − C_p(t)  p a shorter period that the load was found to have
//! ```
//!
//! `y` the load on its root scale, `t` the origin, `σ_j` the deviation of feature `j` (so the penalty is on standardized coefficients), `S_c`
//! the mean over `c` minutes centered on its argument, cut off at `t`; `U_c` the mean of `S_c` over the same time of the last six
//! days, of four or more without the highest and the lowest; `C_p` the mean of `y` over the same place of the cycles of the last two days. Whatever would be read after `t` is read one period
//! earlier. Lags and windows that fall on one step are taken once.
//!
//! The weights draw the fit toward least absolute error (one step of iterated reweighting, Schlossmacher, *JASA* 68, 1973): a crowd that came once
//! does not bend the coefficients. The penalty pulls toward persistence, as the target is the change. Between two knots of the first hour both
//! regressions are asked, and their centers mixed along a straight line in the logarithm of the horizon. Farther out the center follows the profile, which is `U_5`, or
//! the mean of `U_0` and `C_p` where the load has a period, and what the regressions say beyond it at their knots runs along that line; after the last knot
//! that holds. Without a period that is the middle one of what they say beyond it at the knot, 15 minutes before and after: where the profile is steep, what is
//! said at one time alone is mostly of how wide means are. (Coefficients hold at their knot: a day ahead, what is usual hardly moves and counts for
//! nothing, and in a load with a period those of half of it are the opposite of those of the whole; there the first hour is no exception.) Predictions are held inside the range seen, widened by a
//! quarter of its width on either side.
//!
//! **Rehearsal.** The origins are cut into seven blocks; what is missed in one is measured by the fit on the six others, whose sums
//! of moments are those of all less its own.
//!
//! Source: Hoerl and Kennard, *Technometrics* 12, 1970; closed form by the Cholesky factor of the Gram matrix.
//!
//! **Minimum data**: 4 rows per coefficient: about 3½ hours of minutes. The features of the day join at a day and a half of history, those of the
//! week at nine days.
//!
//! | parameter | default | purpose | range |
//! |---|---|---|---|
//! | `penalty` (λ) | 0.01 | holds collinear features together | `0 < λ`, finite |
//! | rows | at most 14 days, about 2,500 | old habits are forgotten | – |
//! | blocks | 7 | honest errors | at least 2 |

mod features;
#[cfg(test)]
mod oracle;
mod prepared;
mod regression;

use linfa::ParamGuard;
use ndarray::{Array2, Axis, Slice};
use series::ModelName;

use self::features::{Anchor, Features};
use self::prepared::Prepared;
use self::regression::{Moments, Regression, RidgeParams, RidgeValidParams};
use crate::horizons;
use crate::model::{Fit, Predict};
use crate::past::Past;
use crate::rolling::{Misses, Rolling};
use crate::scale::Scale;
use crate::seasons::Found;
use crate::values::Values;

const ROWS_PER_COEFFICIENT: usize = 4;
const PENALTY: f64 = 1e-2;
const BLOCKS: usize = 7;
/// The shape of a day is taken for that of another level within these proportions, on the root scale.
const MOST_SHRUNK: f64 = 0.4;
const MOST_GROWN: f64 = 2.5;
/// More than the most a clock is ever changed by, so that a period is never longer than this much more than its days.
const CLOCK_CHANGE_SECONDS: i64 = 7200;

/// Ridge before the fit: which features, from which rows.
#[derive(Debug, Clone)]
pub(crate) struct Ridge {
    features: Features,
    origins: Vec<usize>,
}

/// One regression per knot.
#[derive(Debug, Clone)]
pub(crate) struct FittedRidge {
    features: Features,
    knots: Vec<usize>,
    regressions: Vec<Regression>,
    limits: Limits,
}

/// What is said of one time ahead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    /// The center.
    pub(crate) center: f64,
    /// How what is usual goes on from the origin until then, in proportion to the level.
    pub(crate) shape: f64,
}

/// The range seen, widened by a quarter of its width on either side.
#[derive(Debug, Clone, Copy)]
struct Limits {
    low: f64,
    high: f64,
}

/// The origins whose features are known, with those that no horizon changes.
struct Shared {
    origins: Vec<(usize, Anchor)>,
    features: Vec<f64>,
}

/// The rows of one knot: their origins, and their features with the change that came, as [`Moments`] takes them.
struct Rows {
    origins: Vec<usize>,
    rows: Array2<f64>,
}

impl Ridge {
    /// Ridge for `past`, learned at the origins of `rolling`, with the `seasons` of the load.
    pub(crate) fn new(past: &Past, rolling: &Rolling, seasons: &Found) -> Self {
        let features = Features::learnable(past.calendar(), rolling.first(), seasons);
        let first = features.first_origin(past.calendar());
        let origins = rolling.blocks().iter().flat_map(|block| rolling.origins(past, block));
        Self { origins: origins.filter(|&origin| origin >= first).collect(), features }
    }

    /// How many samples it takes to learn what comes `ahead` steps ahead.
    pub(crate) fn samples_needed(&self, past: &Past, ahead: usize) -> usize {
        2 * (self.features.first_origin(past.calendar()) + ahead + self.rows_needed())
    }

    /// Fewer rows are too few.
    fn rows_needed(&self) -> usize {
        ROWS_PER_COEFFICIENT * self.features.count()
    }

    /// `past` with what all rows are made of.
    fn prepared<'a>(&self, past: &'a Past) -> Prepared<'a> {
        let calendar = past.calendar();
        let before = self.origins.first().copied().unwrap_or(0);
        Prepared::new(
            past,
            before.saturating_sub(calendar.steps_in(86_400 + CLOCK_CHANGE_SECONDS)),
            self.features.usual(),
        )
    }

    fn shared(&self, past: &Prepared<'_>, until: usize) -> Shared {
        let width = self.features.shared_count();
        let mut shared = Shared { origins: Vec::new(), features: Vec::with_capacity(self.origins.len() * width) };
        for &origin in self.origins.iter().take_while(|&&origin| origin <= until) {
            match self.features.push_shared(past, origin, &mut shared.features) {
                Some(anchor) => shared.origins.push((origin, anchor)),
                None => shared.features.truncate(shared.origins.len() * width),
            }
        }
        shared
    }

    /// The rows of the knot `ahead` whose change is known by `until`.
    fn rows(&self, past: &Prepared<'_>, shared: &Shared, ahead: usize, until: usize) -> Option<Rows> {
        let width = self.features.count() + Moments::BESIDE;
        let mut flat = Vec::with_capacity(shared.origins.len() * width);
        let mut origins = Vec::with_capacity(shared.origins.len());
        for ((origin, anchor), row) in
            shared.origins.iter().zip(shared.features.chunks_exact(self.features.shared_count()))
        {
            if origin + ahead > until || !past.is_known(origin + ahead) {
                continue;
            }
            flat.extend_from_slice(row);
            if self.features.push_ahead(past, anchor, ahead, &mut flat).is_none() {
                flat.truncate(origins.len() * width);
                continue;
            }
            flat.extend(Moments::beside(past.value(origin + ahead) - past.value(*origin)));
            origins.push(*origin);
        }
        let rows = Array2::from_shape_vec((origins.len(), width), flat).ok()?;
        (origins.len() >= self.rows_needed()).then_some(Rows { origins, rows })
    }
}

impl Fit for Ridge {
    type Fitted = FittedRidge;

    fn name(&self) -> ModelName {
        ModelName::Ridge
    }

    fn fit(&self, past: &Past, until: usize, knots: &[usize]) -> Option<FittedRidge> {
        let params = RidgeParams::new(PENALTY).check().ok()?;
        let prepared = self.prepared(past);
        let shared = self.shared(&prepared, until);
        let mut fitted = FittedRidge::none(self, Limits::of(&past.values()[..=until]));
        for &ahead in knots {
            let Some(rows) = self.rows(&prepared, &shared, ahead, until) else { continue };
            fitted.push(ahead, params.solve(&rows.moments(&params)?.0).ok()?);
        }
        fitted.if_any()
    }

    /// Over left-out blocks, not over refits: every origin is asked of a fit that has not seen its block.
    fn roll(&self, past: &Past, rolling: &Rolling) -> Option<(Misses, FittedRidge)> {
        let params = RidgeParams::new(PENALTY).check().ok()?;
        let prepared = self.prepared(past);
        let shared = self.shared(&prepared, past.last());
        let mut misses = Misses::none(rolling.knots());
        let mut fitted = FittedRidge::none(self, Limits::of(past.values()));
        for (knot, &ahead) in rolling.knots().iter().enumerate() {
            let Some(rows) = self.rows(&prepared, &shared, ahead, past.last()) else { continue };
            let (all, parts) = rows.moments(&params)?;
            for (part, moments) in parts.iter().enumerate() {
                let others = params.solve(&all.without(moments)).ok()?;
                for row in rows.block(part) {
                    let origin = rows.origins[row];
                    let change = others.change(rows.features(row)?);
                    misses.record(knot, past, origin, ahead, fitted.limits.hold(past.value(origin) + change));
                }
            }
            fitted.push(ahead, params.solve(&all).ok()?);
        }
        Some((misses, fitted.if_any()?))
    }
}

impl Rows {
    /// The rows of a block.
    fn block(&self, block: usize) -> std::ops::Range<usize> {
        let count = self.origins.len();
        block * count / BLOCKS..(block + 1) * count / BLOCKS
    }

    /// The features of a row.
    fn features(&self, row: usize) -> Option<&[f64]> {
        self.rows.row(row).to_slice().map(Moments::features)
    }

    /// The moments of all rows and of each block, weighted by the errors of a first fit, for which every second row is enough.
    fn moments(&self, params: &RidgeValidParams) -> Option<(Moments, Vec<Moments>)> {
        let every_second = Slice::new(0, None, 2);
        let first = params.solve(&Moments::of(self.rows.slice_axis(Axis(0), every_second))).ok()?;
        let size = |row: &[f64]| (Moments::target(row) - first.change(Moments::features(row))).abs();
        let sizes: Vec<f64> = self.rows.outer_iter().map(|row| row.to_slice().map(size)).collect::<Option<_>>()?;
        let weights = weights(&sizes);
        let mut parts = (0..BLOCKS).map(|block| {
            let block = self.block(block);
            Moments::weighted(self.rows.slice_axis(Axis(0), Slice::from(block.clone())), &weights[block])
        });
        let mut all = parts.next()?;
        let parts: Vec<Moments> = std::iter::once(all.clone()).chain(parts).collect();
        parts[1..].iter().for_each(|part| all.add(part));
        Some((all, parts))
    }
}

/// A weight for each error: the reciprocal of its size, at most that of half the median or a tenth of the mean.
///
/// The mean is there for loads that rest for hours: most errors are nothing then, and would count for everything.
fn weights(sizes: &[f64]) -> Vec<f64> {
    let mut sorted = sizes.to_vec();
    let middle = sorted.len() / 2;
    let (_, median, _) = sorted.select_nth_unstable_by(middle, f64::total_cmp);
    let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
    let least = (*median / 2.0).max(mean / 10.0).max(LEAST_SIZE);
    sizes.iter().map(|size| least / size.max(least)).collect()
}

/// Errors below this (on the root scale, where loads are near 1) are rounding.
const LEAST_SIZE: f64 = 1e-9;

impl FittedRidge {
    fn none(ridge: &Ridge, limits: Limits) -> Self {
        Self { features: ridge.features.clone(), knots: Vec::new(), regressions: Vec::new(), limits }
    }

    fn push(&mut self, ahead: usize, regression: Regression) {
        self.knots.push(ahead);
        self.regressions.push(regression);
    }

    fn if_any(self) -> Option<Self> {
        (!self.knots.is_empty()).then_some(self)
    }

    /// What is said of the times `ahead` steps after `origin`; `None` where the past does not reach back far enough.
    pub(crate) fn told(&self, values: &impl Values, origin: usize, ahead: &[usize]) -> Option<Vec<Told>> {
        if origin < self.features.first_origin(values.calendar()) {
            return None;
        }
        let mut row = Vec::with_capacity(self.features.count());
        let anchor = self.features.push_shared(values, origin, &mut row)?;
        let now = values.value(origin);
        let usual_now = self.features.profile(values, origin, 0);
        // what the regressions of some knots say of a time so many steps ahead
        let mut says = |knots: [usize; 2], ahead: usize| {
            row.truncate(self.features.shared_count());
            self.features.push_ahead(values, &anchor, ahead, &mut row)?;
            Some(knots.map(|knot| self.limits.hold(now + self.regressions[knot].change(&row))))
        };
        let profile = |ahead: usize| self.features.profile(values, origin, ahead);
        let reach = self.features.reach(values.calendar());
        // what the regression of a knot says beyond the profile, each asked once
        let mut beyond: Vec<Option<f64>> = vec![None; self.knots.len()];
        let tell = |&ahead: &usize| {
            let (left, right, share) = horizons::place(&self.knots, ahead);
            let usual = profile(ahead);
            let goes_on = go_on(now, usual_now, usual);
            if self.knots[left] == ahead || self.knots[right] <= reach.mixed {
                let [near, far] = says([left, right], ahead)?;
                return Some(Told { center: near + (far - near) * share, shape: goes_on });
            }
            for knot in [left, right] {
                if beyond[knot].is_none() {
                    let mut at = |ahead: usize| Some(says([knot; 2], ahead)?[0] - profile(ahead));
                    let ahead = self.knots[knot];
                    beyond[knot] = Some(if reach.around > 0 && ahead > reach.around {
                        median(at(ahead - reach.around)?, at(ahead)?, at(ahead + reach.around)?)
                    } else {
                        at(ahead)?
                    });
                }
            }
            let (near, far) = (beyond[left]?, beyond[right]?);
            Some(Told { center: self.limits.hold(usual + near + (far - near) * share), shape: goes_on })
        };
        ahead.iter().map(tell).collect()
    }

    /// How what is usual goes on from `origin` through the time `ahead` steps later.
    pub(crate) fn shape(&self, values: &impl Values, origin: usize, ahead: usize) -> f64 {
        let profile = |ahead: usize| self.features.profile(values, origin, ahead);
        go_on(values.value(origin), profile(0), profile(ahead))
    }
}

/// How a load goes on from `now` where the usual one goes from `usual` to `then`: in proportion, within limits.
fn go_on(now: f64, usual: f64, then: f64) -> f64 {
    (then - usual) * Scale::proportion(now, usual).clamp(MOST_SHRUNK, MOST_GROWN)
}

/// The middle one of three.
fn median(a: f64, b: f64, c: f64) -> f64 {
    a.min(b).max(a.max(b).min(c))
}

impl Predict for FittedRidge {
    fn predict(&self, past: &Past, origin: usize, ahead: &[usize]) -> Option<Vec<f64>> {
        Some(self.told(past, origin, ahead)?.into_iter().map(|told| told.center).collect())
    }
}

impl Limits {
    fn of(values: &[f64]) -> Self {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let margin = (high - low) / 4.0;
        Self { low: low - margin, high: high + margin }
    }

    fn hold(self, value: f64) -> f64 {
        value.max(self.low).min(self.high)
    }
}
