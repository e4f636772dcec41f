//! Seasonal median: the middle of what the same time of the days before was, corrected by what it lately missed.
//!
//! ```text
//! c(i) = mean of all but the lowest and the highest fifth of  { s(i−1d), …, s(i−14d) }      the 7th and the 14th counted twice
//! s(i) = mean of the 5 minutes around i
//!
//! ŷ(t+h) = c(t+h) + b_h0 · (c(t+h) − c(t)) + Σ_w b_hw · r_w(t)        r_w(t) the mean of y − c over the last w
//! ```
//!
//! `y` the load on its root scale, `i−1d` the same wall-clock time a day before, `t` the origin, `h` the horizon; days that are not known whole at `t`
//! are left out. A crowd or an outage of one day falls to the trimmed ends and does not come back tomorrow, as it does in seasonal naive; the
//! weekday counts twice, so that a weekend leans to the last one. The second part adjusts the level: `w` a step and 2, 5, 15, 60 and 240
//! minutes, `b` by least squares per horizon on the last 18 days, each coefficient drawn a little to 0. `b_h0` takes the move of the curve back
//! where it is noise.
//!
//! Sources: the trimmed mean, Tukey, *Contributions to Probability and Statistics*, 1960; a median over days with the recent level is what
//! operators of call centers and power grids compare with ("similar day", Hahn, Meyer-Nieberg and Pickl, *EJOR* 199, 2009).
//!
//! **Minimum data**: a day and about 6 hours before the first scored origin.
//!
//! | parameter | value | purpose | range |
//! |---|---|---|---|
//! | days | 14 | how many days are compared | `1 ≤ days` |
//! | left aside | a fifth on either side | how many odd days do no harm | below a half, which is the median |
//! | weight of the weekday | 2 | how far a week repeats | whole |
//! | smoothing | 5 minutes | the noise of single samples | a step or more |
//! | penalty | 0.001 | holds collinear means together | positive |

#[cfg(test)]
mod oracle;

use series::ModelName;

use super::correction::{Correction, Learner, Missed, Place};
use crate::model::{Fit, Predict};
use crate::past::Past;
use crate::rolling::{Misses, Rolling};

const SMOOTHED_SECONDS: i64 = 300;
/// A day may be longer or shorter than 24 hours by less than this.
const CLOCK_CHANGE_SECONDS: i64 = 7200;
/// The misses of so much of the past are corrected, the windows of the correction included.
const CURVE_SECONDS: i64 = 18 * 86_400;
const DAYS: usize = 14;
/// How often the same weekday counts.
const SAME_WEEKDAY: usize = 2;
/// Room for all days.
const MOST: usize = DAYS + (SAME_WEEKDAY - 1) * (DAYS / 7);
/// Of so many values one is left aside on either side.
const TRIMMED: usize = 5;

/// Seasonal median before the fit: there is nothing to choose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeasonalMedian;

/// How much of what the curve missed goes on. The curve itself is read from the days before whenever it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct FittedMedian {
    correction: Correction,
}

/// The middle of the days before, in one history.
#[derive(Debug)]
struct Curve<'a> {
    past: &'a Past,
    /// Half the width of the smoothing, in steps.
    half: usize,
}

/// The smoothed loads of a history and where each index was a day before, for those who read all of them.
#[derive(Debug)]
struct Prepared {
    smoothed: Vec<f64>,
    /// [`NONE`] where there is no day before.
    day_before: Vec<usize>,
}

/// No index.
const NONE: usize = usize::MAX;

impl<'a> Curve<'a> {
    fn of(past: &'a Past) -> Self {
        Self { past, half: past.calendar().steps_in(SMOOTHED_SECONDS).saturating_sub(1) / 2 }
    }

    /// The first index with a day before it.
    fn first(&self) -> usize {
        self.past.calendar().steps_in(86_400 + CLOCK_CHANGE_SECONDS) + 2 * self.half
    }

    /// How near a target must be for its day before to be known whole at the origin.
    fn next_day(&self) -> usize {
        self.past.calendar().steps_in(86_400 - CLOCK_CHANGE_SECONDS).saturating_sub(self.half)
    }

    /// The curve at `index`, as far as it is known at `origin`.
    fn at(&self, index: usize, origin: usize) -> f64 {
        let mut middle = Middle::none();
        let mut source = index;
        for day in 1..=DAYS {
            let before = self.past.calendar().same_time_before(source, 1);
            let Some(before) = before.filter(|&before| before >= self.half && before < source) else { break };
            source = before;
            if source + self.half <= origin {
                middle.add(day, self.smoothed(source));
            }
        }
        middle.mean().unwrap_or_else(|| self.past.value(origin))
    }

    /// The same of what is prepared.
    fn at_prepared(&self, prepared: &Prepared, index: usize, origin: usize) -> f64 {
        let mut middle = Middle::none();
        let mut source = index;
        for day in 1..=DAYS {
            source = prepared.day_before[source];
            if source == NONE {
                break;
            }
            if source + self.half <= origin {
                middle.add(day, prepared.smoothed[source]);
            }
        }
        middle.mean().unwrap_or_else(|| self.past.value(origin))
    }

    fn prepared(&self) -> Prepared {
        let last = self.past.last();
        let inside = self.half..(last + 1).saturating_sub(self.half);
        let smoothed =
            |index: usize| if inside.contains(&index) { self.smoothed(index) } else { self.past.value(index) };
        let day_before = |index: usize| {
            let before = self.past.calendar().same_time_before(index, 1);
            before.filter(|&before| before >= self.half && before < index).unwrap_or(NONE)
        };
        Prepared { smoothed: (0..=last).map(smoothed).collect(), day_before: (0..=last).map(day_before).collect() }
    }

    fn smoothed(&self, index: usize) -> f64 {
        self.past.mean(index - self.half, index + self.half)
    }

    /// The misses that a correction learns from, through `last`: each of a curve as seen from the step before.
    fn learned_from(&self, prepared: &Prepared, last: usize) -> Option<Missed> {
        let oldest = self.past.last().saturating_sub(self.past.calendar().steps_in(CURVE_SECONDS));
        let first = oldest.max(self.first());
        let curve = || (first..=last).map(|index| self.at_prepared(prepared, index, index - 1)).collect();
        (first <= last).then(|| Missed::of(self.past, first, curve()))
    }
}

/// The mean of all but the lowest and the highest fifth of a few values, as they come.
#[derive(Debug, Clone, Copy)]
struct Middle {
    count: usize,
    sum: f64,
    /// The lowest, rising, and the highest, falling; as many as may be left aside.
    low: [f64; MOST / TRIMMED],
    high: [f64; MOST / TRIMMED],
}

impl Middle {
    fn none() -> Self {
        let (low, high) = ([f64::INFINITY; MOST / TRIMMED], [f64::NEG_INFINITY; MOST / TRIMMED]);
        Self { count: 0, sum: 0.0, low, high }
    }

    /// Adds what was so many days before.
    fn add(&mut self, day: usize, value: f64) {
        for _ in 0..if day.is_multiple_of(7) { SAME_WEEKDAY } else { 1 } {
            self.count += 1;
            self.sum += value;
            let (mut rising, mut falling) = (value, value);
            for (low, high) in self.low.iter_mut().zip(&mut self.high) {
                (*low, rising) = (low.min(rising), low.max(rising));
                (*high, falling) = (high.max(falling), high.min(falling));
            }
        }
    }

    /// `None` of nothing.
    fn mean(&self) -> Option<f64> {
        let aside = self.count / TRIMMED;
        let ends: f64 = self.low[..aside].iter().chain(&self.high[..aside]).sum();
        (self.count > 0).then(|| (self.sum - ends) / (self.count - 2 * aside) as f64)
    }
}

impl Fit for SeasonalMedian {
    type Fitted = FittedMedian;

    fn name(&self) -> ModelName {
        ModelName::SeasonalMedian
    }

    fn fit(&self, past: &Past, until: usize, knots: &[usize]) -> Option<FittedMedian> {
        let curve = Curve::of(past);
        let missed = curve.learned_from(&curve.prepared(), until)?;
        Some(FittedMedian { correction: Learner::new(past, &missed, knots).learn(until)? })
    }

    /// As every model is rehearsed, but the curve is drawn once for all origins, and the sums of a block extend those before.
    fn roll(&self, past: &Past, rolling: &Rolling) -> Option<(Misses, FittedMedian)> {
        let curve = Curve::of(past);
        let prepared = curve.prepared();
        let along = curve.learned_from(&prepared, past.last())?;
        let mut learner = Learner::new(past, &along, rolling.knots());
        let mut misses = Misses::none(rolling.knots());
        let next_day = curve.next_day();
        for block in rolling.blocks() {
            let Some(correction) = learner.learn(block.fitted_at) else { continue };
            let places: Vec<Place> = rolling.knots().iter().map(|&ahead| correction.place(ahead)).collect();
            for origin in rolling.origins(past, block).filter(|&origin| origin >= along.first_origin()) {
                let corrected = correction.from(&along, origin);
                for (knot, (&ahead, &place)) in rolling.knots().iter().zip(&places).enumerate() {
                    let target = origin + ahead;
                    if past.is_known(target) {
                        let near = ahead < next_day;
                        let there =
                            if near { along.curve(target) } else { curve.at_prepared(&prepared, target, origin) };
                        misses.record(knot, past, origin, ahead, corrected(place, there));
                    }
                }
            }
        }
        Some((misses, FittedMedian { correction: learner.learn(past.last())? }))
    }
}

impl Predict for FittedMedian {
    fn predict(&self, past: &Past, origin: usize, ahead: &[usize]) -> Option<Vec<f64>> {
        let curve = Curve::of(past);
        let first = (origin + 1).checked_sub(Correction::reach(past)).filter(|&first| first >= curve.first())?;
        let missed = Missed::of(past, first, (first..=origin).map(|index| curve.at(index, index - 1)).collect());
        let corrected = self.correction.from(&missed, origin);
        let center = |&ahead: &usize| corrected(self.correction.place(ahead), curve.at(origin + ahead, origin));
        Some(ahead.iter().map(center).collect())
    }
}
