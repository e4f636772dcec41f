//! Holt-Winters: exponential smoothing of a level, a damped trend and the shape of the day.
//!
//! ```text
//! e(i) = y(i) − ℓ(i−1) − φ b(i−1) − s(i)
//! ℓ(i) = ℓ(i−1) + φ b(i−1) + α e(i)          b(i) = φ b(i−1) + β e(i)          s(i+1d) = s(i) + γ e(i)
//!
//! ŷ(t+h) = ℓ(t) + (φ + φ² + … + φ^h) b(t) + s(t+h)
//! ```
//!
//! `y` the load on its root scale, `s` one number per wall-clock step of the day, `t` the origin, `h` the horizon. The season begins as the first
//! day of the history, smoothed over 15 minutes, less its mean and its drift, and joins after that day; the part of the grid that has no season walks
//! beside it.
//! An unknown sample lets time pass and teaches nothing.
//!
//! The parameters are chosen per horizon, from the grid, by the mean absolute error at that horizon over the last 18 days, each forecast made
//! with what was known then: those that are best a minute ahead follow noise an hour ahead.
//!
//! Sources: Holt, ONR memorandum 52, 1957 (*IJF* 20, 2004); Winters, *Management Science* 6, 1960; damping, Gardner, *Journal of Forecasting* 4,
//! 1985; in the form of one error, the additive models of Hyndman, Koehler, Ord and Snyder, *Forecasting with Exponential
//! Smoothing*, 2008.
//!
//! **Minimum data**: 12 errors before the first scored origin; the season joins at 2 days.
//!
//! | parameter | grid | purpose | range |
//! |---|---|---|---|
//! | `α` | with a season 0.02, 0.1, 0.3, 0.7; without 0.1, 0.3, 0.6, 0.95 | how fast the level follows | `0 < α ≤ 1` |
//! | `β`, `φ` | none; `α/10`, 0.95 | how fast the trend follows and fades | `0 ≤ β ≤ α`, `0 ≤ φ < 1` |
//! | `γ` | 0.1, 0.3 | how fast the season follows | `0 ≤ γ ≤ 1 − α` for a stable season |

mod filters;
#[cfg(test)]
mod oracle;

use std::ops::Range;

use series::ModelName;

use self::filters::{Filters, SETTINGS};
use super::contest::Contest;
use crate::horizons;
use crate::model::{Fit, Predict};
use crate::past::Past;
use crate::rolling::{Misses, Rolling};

const LEARNED_SECONDS: i64 = 28 * 86_400;

/// Holt-Winters before the fit: there is nothing to choose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HoltWinters;

/// The best setting per knot; the states follow from the history whenever they are asked for.
#[derive(Debug, Clone)]
pub(crate) struct FittedHoltWinters {
    knots: Vec<usize>,
    settings: Vec<usize>,
}

/// The first index that is learned from.
fn first(past: &Past) -> usize {
    past.last().saturating_sub(past.calendar().steps_in(LEARNED_SECONDS))
}

/// Lets all settings be judged by what they expect from `origin`.
fn judge(contest: &mut Contest, filters: &Filters, past: &Past, origin: usize) {
    for knot in 0..contest.knots().len() {
        let ahead = contest.knots()[knot];
        let target = origin + ahead;
        if past.is_known(target) {
            let step_of_day = past.calendar().step_of_day(target);
            contest.note(knot, target, past.value(target), filters.all_ahead(ahead, step_of_day));
        }
    }
}

impl Fit for HoltWinters {
    type Fitted = FittedHoltWinters;

    fn name(&self) -> ModelName {
        ModelName::HoltWinters
    }

    fn fit(&self, past: &Past, until: usize, knots: &[usize]) -> Option<FittedHoltWinters> {
        let first = first(past);
        let mut filters = Filters::new(past, first);
        let mut contest = Contest::over(past, filters.first_origin(), vec![until], knots, SETTINGS);
        for index in first..=until {
            filters.step(past, index);
            if contest.judges(past, index) {
                judge(&mut contest, &filters, past, index);
            }
        }
        Some(FittedHoltWinters { knots: knots.to_vec(), settings: contest.best(until)? })
    }

    /// As every model is rehearsed, in one pass.
    fn roll(&self, past: &Past, rolling: &Rolling) -> Option<(Misses, FittedHoltWinters)> {
        let knots = rolling.knots();
        let first = first(past);
        let mut filters = Filters::new(past, first);
        let times = rolling.blocks().iter().map(|block| block.fitted_at).chain([past.last()]).collect();
        let mut contest = Contest::over(past, filters.first_origin(), times, knots, SETTINGS);
        let mut misses = Misses::none(knots);
        let mut blocks = rolling.blocks().iter().peekable();
        let mut chosen: Option<(Range<usize>, Vec<usize>)> = None;
        for index in first..=past.last() {
            filters.step(past, index);
            if contest.judges(past, index) {
                judge(&mut contest, &filters, past, index);
            }
            if let Some(block) = blocks.next_if(|block| block.fitted_at == index) {
                chosen = contest.best(index).map(|settings| (block.origins.clone(), settings));
            }
            let Some((origins, settings)) = &chosen else { continue };
            if !origins.contains(&index) || !rolling.is_origin(past, index) {
                continue;
            }
            for (knot, (&ahead, &setting)) in knots.iter().zip(settings).enumerate() {
                if past.is_known(index + ahead) {
                    let step_of_day = past.calendar().step_of_day(index + ahead);
                    misses.record(knot, past, index, ahead, filters.ahead(setting, ahead, step_of_day));
                }
            }
        }
        Some((misses, FittedHoltWinters { knots: knots.to_vec(), settings: contest.best(past.last())? }))
    }
}

impl Predict for FittedHoltWinters {
    fn predict(&self, past: &Past, origin: usize, ahead: &[usize]) -> Option<Vec<f64>> {
        let first = first(past);
        let mut filters = Filters::new(past, first);
        if origin < filters.first_origin() {
            return None;
        }
        (first..=origin).for_each(|index| filters.step(past, index));
        let one = |&ahead: &usize| {
            let step_of_day = past.calendar().step_of_day(origin + ahead);
            let (left, right, share) = horizons::place(&self.knots, ahead);
            let near = filters.ahead(self.settings[left], ahead, step_of_day);
            let far = filters.ahead(self.settings[right], ahead, step_of_day);
            near + (far - near) * share
        };
        Some(ahead.iter().map(one).collect())
    }
}
