//! Calendar regression: a smooth curve over the day and the week of the wall clock, corrected by what it lately missed.
//!
//! ```text
//! c(i) = a + Σ_k ( u_k cos 2πkτ + v_k sin 2πkτ )          τ the time of the week at i, in weeks
//!
//! (a, u, v) = argmin  Σ_i (y(i) − c(i))² / 2nσ²  +  α ( ρ |b|₁ + (1−ρ)/2 |b|² )          b = (u, v) / σ
//!
//! ŷ(t+h) = c(t+h) + b_h0 · (c(t+h) − c(t)) + Σ_w b_hw · r_w(t)          r_w(t) the mean of y − c over the last w
//! ```
//!
//! `y` the load on its root scale, known samples alone, `n` of them with the deviation `σ`. The waves are those of the day (`k` = 7, 14, … 84: down
//! to two hours), of the week (1, 2, 3), and their products up to twice a day (5, 6, 8, 9, 12, 13, 15, 16): those let a weekend have a day of another
//! size and shape, whichever days it falls on, so that no list of rest days is needed. The curve is taken at every quarter of an hour and runs
//! along straight lines between. The last line is the correction of the seasonal median: `w` a step and 2, 5, 15, 60 and 240 minutes, coefficients by
//! least squares per horizon on the misses of the last 18 days, each of a curve that was learned up to a day before.
//!
//! The elastic net sees a Cholesky factor of the Gram matrix in place of the samples: as many rows as waves, and the same minimum. Sums
//! over samples are additive, so a rehearsal extends them block by block. A forecast learns the curve anew up to its origin.
//!
//! Sources: the elastic net, Zou and Hastie, *JRSS B* 67, 2005, by coordinate descent (Friedman, Hastie and Tibshirani, *JSS* 33, 2010) in
//! `linfa-elasticnet`; harmonic regression with errors that go on, Hyndman and Athanasopoulos, *Forecasting: Principles and Practice*, 3rd edition,
//! 10.5.
//!
//! **Minimum data**: 2 days for a curve of the day, 9 for one of the week, and about 6 hours of misses before the first scored origin. **Steps**: up
//! to 6 hours.
//!
//! | parameter | value | purpose | range |
//! |---|---|---|---|
//! | `α` | 0.001 | waves that tell little are left out | `0 ≤ α` |
//! | `ρ` | 0.5 | how much of it leaves out, and how much only shrinks | `0 ≤ ρ ≤ 1` |
//! | waves of the day | 12 | how sharp a shape may be | below half the samples of a day |
//! | memory | 56 days | old habits are forgotten | – |

mod net;
#[cfg(test)]
mod oracle;
mod week;

use std::ops::Range;

use series::ModelName;

use self::net::Learned;
use self::week::Week;
use super::correction::{Correction, Learner, Missed, Place};
use crate::model::{Fit, Predict};
use crate::past::Past;
use crate::rolling::{Misses, Rolling};

const LEARNED_SECONDS: i64 = 56 * 86_400;
/// From so much of the past on there is a curve of the day.
const CURVE_SECONDS: i64 = 2 * 86_400;
/// From so much on the week is told from the day.
const WEEK_SECONDS: i64 = 9 * 86_400;
/// How long a curve serves those misses that the correction learns from.
const SERVED_SECONDS: i64 = 86_400;
/// As many curves serve.
const SERVING: usize = 18;

/// Calendar regression before the fit: there is nothing to choose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CalendarRegression;

/// How much of what the curve missed goes on. The curve itself is learned from the history whenever it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct FittedCalendar {
    correction: Correction,
}

/// The curves of one history.
#[derive(Debug)]
struct Curves<'a> {
    past: &'a Past,
    week: Week,
    first: usize,
}

impl<'a> Curves<'a> {
    /// To be read up to `beyond` steps after the end; `None` where the step is too coarse.
    fn of(past: &'a Past, beyond: usize) -> Option<Self> {
        let first = past.last().saturating_sub(past.calendar().steps_in(LEARNED_SECONDS));
        Some(Self { past, week: Week::of(past, beyond)?, first })
    }

    fn learned(&self) -> Learned {
        Learned::from(self.first, &self.week)
    }

    fn reaches(&self, until: usize, seconds: i64) -> bool {
        until >= self.first + self.past.calendar().steps_in(seconds)
    }

    /// The curve of what is known at `until`.
    fn curve(&self, learned: &mut Learned, until: usize) -> Option<Vec<f64>> {
        let columns =
            if self.reaches(until, WEEK_SECONDS) { self.week.features.ncols() } else { self.week.day_columns };
        learned.extend(self.past, &self.week, until);
        learned.curve(&self.week, columns)
    }

    /// Up to when the serving curves are learned, oldest first; the last one up to the last sample, or so little before that it serves no more.
    fn anchors(&self) -> Vec<usize> {
        let served = self.past.calendar().steps_in(SERVED_SECONDS).max(1);
        let back = (0..=SERVING).rev().filter_map(|back| self.past.last().checked_sub(back * served));
        back.filter(|&anchor| self.reaches(anchor, CURVE_SECONDS)).collect()
    }

    fn read(&self, curve: &[f64], range: Range<usize>) -> impl Iterator<Item = f64> {
        range.map(|index| self.week.read(curve, index))
    }
}

impl Fit for CalendarRegression {
    type Fitted = FittedCalendar;

    fn name(&self) -> ModelName {
        ModelName::CalendarRegression
    }

    fn fit(&self, past: &Past, until: usize, knots: &[usize]) -> Option<FittedCalendar> {
        let curves = Curves::of(past, 0)?;
        let anchors = curves.anchors();
        let first = *anchors.first()? + 1;
        let (mut learned, mut along) = (curves.learned(), Vec::new());
        for pair in anchors.windows(2).filter(|pair| pair[0] < until) {
            let curve = curves.curve(&mut learned, pair[0])?;
            along.extend(curves.read(&curve, pair[0] + 1..pair[1].min(until) + 1));
        }
        let missed = Missed::of(past, first, along);
        Some(FittedCalendar { correction: Learner::new(past, &missed, knots).learn(until)? })
    }

    /// As every model is rehearsed, but the sums of a block extend those before, and the curve is as old as the block.
    fn roll(&self, past: &Past, rolling: &Rolling) -> Option<(Misses, FittedCalendar)> {
        let farthest = *rolling.knots().last()?;
        let curves = Curves::of(past, farthest)?;
        let anchors = curves.anchors();
        let first = *anchors.first()? + 1;
        let mut times: Vec<usize> =
            rolling.blocks().iter().map(|block| block.fitted_at).chain(anchors.clone()).collect();
        times.retain(|&time| curves.reaches(time, CURVE_SECONDS));
        times.sort_unstable();
        times.dedup();
        let mut learned = curves.learned();
        let drawn: Vec<Vec<f64>> =
            times.iter().map(|&time| curves.curve(&mut learned, time)).collect::<Option<Vec<_>>>()?;
        let curve_at = |time: usize| times.binary_search(&time).ok().map(|place| drawn[place].as_slice());
        let mut along = Vec::with_capacity(past.last() + 1 - first);
        for pair in anchors.windows(2) {
            along.extend(curves.read(curve_at(pair[0])?, pair[0] + 1..pair[1] + 1));
        }
        let serving = Missed::of(past, first, along);
        let mut corrections = Learner::new(past, &serving, rolling.knots());
        let mut misses = Misses::none(rolling.knots());
        for block in rolling.blocks() {
            let Some(curve) = curve_at(block.fitted_at) else { continue };
            let Some(correction) = corrections.learn(block.fitted_at) else { continue };
            let from = (block.origins.start + 1).saturating_sub(Correction::reach(past));
            let ahead = Missed::of(past, from, curves.read(curve, from..block.origins.end + farthest).collect());
            let places: Vec<Place> = rolling.knots().iter().map(|&ahead| correction.place(ahead)).collect();
            for origin in rolling.origins(past, block).filter(|&origin| origin >= ahead.first_origin()) {
                let corrected = correction.from(&ahead, origin);
                for (knot, (&steps, &place)) in rolling.knots().iter().zip(&places).enumerate() {
                    misses.record(knot, past, origin, steps, corrected(place, ahead.curve(origin + steps)));
                }
            }
        }
        Some((misses, FittedCalendar { correction: corrections.learn(past.last())? }))
    }
}

impl Predict for FittedCalendar {
    fn predict(&self, past: &Past, origin: usize, ahead: &[usize]) -> Option<Vec<f64>> {
        let farthest = *ahead.iter().max()?;
        let curves = Curves::of(past, farthest)?;
        let first =
            (origin + 1).checked_sub(Correction::reach(past)).filter(|_| curves.reaches(origin, CURVE_SECONDS))?;
        let curve = curves.curve(&mut curves.learned(), origin)?;
        let missed = Missed::of(past, first, curves.read(&curve, first..origin + 1).collect());
        let corrected = self.correction.from(&missed, origin);
        let center = |&ahead: &usize| corrected(self.correction.place(ahead), curves.week.read(&curve, origin + ahead));
        Some(ahead.iter().map(center).collect())
    }
}
