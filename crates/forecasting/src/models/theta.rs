//! Theta: exponential smoothing of the seasonally adjusted load, drawn along its straight line.
//!
//! ```text
//! x(i) = y(i) − S(i)                     S the shape of the day: deviations from the centered mean of a day, per wall-clock time
//! ℓ(i) = α x(i) + (1−α) ℓ(i−1)
//! ŷ(t+h) = ℓ(t) + (1 − 1/θ) · ( (1−α)^n a + b · (h − 1 + (1 − (1−α)^(n+1)) / α) ) + S(t+h)
//! ```
//!
//! `y` the load on its root scale, `t` the origin, `h` the horizon, `a + b·i` the straight line by least squares through the last `n` adjusted
//! values, `i` from 1. `θ` is how much the curvature is magnified in the line that is smoothed: 1 leaves simple exponential smoothing, 2 is the
//! classical method with half of the drift, a large one takes all of it. The season is taken out where the autocorrelation of the hourly means a
//! day apart is significant (90 %), as in the M competitions; it is taken anew every half a day, from the last 28 days.
//!
//! `α` and `θ` are chosen per horizon, from the grid, by the mean absolute error at that horizon over the last 18 days, each forecast made with
//! what was known then.
//!
//! Sources: Assimakopoulos and Nikolopoulos, *IJF* 16, 2000; as smoothing with drift, Hyndman and Billah, *IJF* 19, 2003; with `θ` to be
//! optimized, Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler, *IJF* 32, 2016, whose equations these are. The line is drawn through a window
//! here: that through weeks of minutes is flat.
//!
//! **Minimum data**: 12 errors before the first scored origin; the season joins at 3 days.
//!
//! | parameter | grid | purpose | range |
//! |---|---|---|---|
//! | `α` | 0.03, 0.1, 0.3, 0.8 | how fast the level follows | `0 < α < 1` |
//! | `θ`, `n` | 1; 2 and 10 over a day; 2 over 2 hours | how far the line is followed, and which | `1 ≤ θ` |

mod lines;
#[cfg(test)]
mod oracle;
mod season;

use std::ops::Range;

use series::ModelName;

use self::lines::{Lines, SETTINGS, Seen};
use self::season::Season;
use super::contest::Contest;
use crate::horizons;
use crate::model::{Fit, Predict};
use crate::past::Past;
use crate::rolling::{Misses, Rolling};

const LEARNED_SECONDS: i64 = 28 * 86_400;
/// The longest line.
const WINDOW_SECONDS: i64 = 86_400;
/// How long a season is kept.
const SEASON_SECONDS: i64 = 43_200;

/// Theta before the fit: there is nothing to choose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Theta;

/// The best setting per knot.
#[derive(Debug, Clone)]
pub(crate) struct FittedTheta {
    knots: Vec<usize>,
    settings: Vec<usize>,
}

/// A walk through a history, one stretch with one season after the other.
#[derive(Debug)]
struct Walk<'a> {
    past: &'a Past,
    season: Season,
    stretch: Option<Stretch>,
    /// Steps of a stretch.
    every: usize,
}

/// Origins with one season behind them.
#[derive(Debug)]
struct Stretch {
    /// Per step of the day.
    shape: Vec<f64>,
    lines: Lines,
    until: usize,
}

impl<'a> Walk<'a> {
    fn through(past: &'a Past) -> Self {
        let calendar = past.calendar();
        let first = past.last().saturating_sub(calendar.steps_in(LEARNED_SECONDS));
        let every = calendar.steps_in(SEASON_SECONDS).max(1);
        Self { past, season: Season::from(past, first), stretch: None, every }
    }

    /// What is seen from `index`, which never falls. Stretches begin at even distances, counted back from the last sample.
    fn seen(&mut self, index: usize) -> (Seen, &Stretch) {
        let current = self.stretch.take().filter(|stretch| index <= stretch.until);
        let stretch = current.unwrap_or_else(|| {
            let boundary = self.past.last() - (self.past.last() - index) / self.every * self.every;
            if boundary == index {
                Stretch::of(self.past, &mut self.season, index, index + self.every - 1)
            } else {
                Stretch::of(self.past, &mut self.season, boundary.saturating_sub(self.every), boundary - 1)
            }
        });
        let stretch = self.stretch.insert(stretch);
        (stretch.lines.seen(index), stretch)
    }

    /// Lets all settings be judged by what they expect from `index`.
    fn judge(&mut self, contest: &mut Contest, index: usize) {
        let past = self.past;
        let (seen, stretch) = self.seen(index);
        for knot in 0..contest.knots().len() {
            let ahead = contest.knots()[knot];
            let target = index + ahead;
            if past.is_known(target) {
                let adjusted = past.value(target) - stretch.season(past, target);
                contest.note(knot, target, adjusted, seen.all_ahead(ahead));
            }
        }
    }
}

impl Stretch {
    /// With the season known at `from`, through `until`.
    fn of(past: &Past, season: &mut Season, from: usize, until: usize) -> Self {
        season.extend(past, from);
        let shape = season.shape(past, from);
        let window = past.calendar().steps_in(WINDOW_SECONDS).max(2);
        let first = (from + 1).saturating_sub(window);
        let until = until.min(past.last());
        let adjusted = (first..=until).map(|index| past.value(index) - entry(&shape, past, index));
        let lines = Lines::of(first, window, adjusted);
        Self { shape, lines, until }
    }

    fn season(&self, past: &Past, index: usize) -> f64 {
        entry(&self.shape, past, index)
    }
}

fn entry(shape: &[f64], past: &Past, index: usize) -> f64 {
    shape.get(past.calendar().step_of_day(index)).copied().unwrap_or(0.0)
}

impl Fit for Theta {
    type Fitted = FittedTheta;

    fn name(&self) -> ModelName {
        ModelName::Theta
    }

    fn fit(&self, past: &Past, until: usize, knots: &[usize]) -> Option<FittedTheta> {
        let mut walk = Walk::through(past);
        let mut contest = Contest::over(past, 0, vec![until], knots, SETTINGS);
        for index in 0..=until {
            if contest.judges(past, index) {
                walk.judge(&mut contest, index);
            }
        }
        Some(FittedTheta { knots: knots.to_vec(), settings: contest.best(until)? })
    }

    /// As every model is rehearsed, in one walk.
    fn roll(&self, past: &Past, rolling: &Rolling) -> Option<(Misses, FittedTheta)> {
        let knots = rolling.knots();
        let mut walk = Walk::through(past);
        let times = rolling.blocks().iter().map(|block| block.fitted_at).chain([past.last()]).collect();
        let mut contest = Contest::over(past, 0, times, knots, SETTINGS);
        let mut misses = Misses::none(knots);
        let mut blocks = rolling.blocks().iter().peekable();
        let mut chosen: Option<(Range<usize>, Vec<usize>)> = None;
        for index in 0..=past.last() {
            if contest.judges(past, index) {
                walk.judge(&mut contest, index);
            }
            if let Some(block) = blocks.next_if(|block| block.fitted_at == index) {
                chosen = contest.best(index).map(|settings| (block.origins.clone(), settings));
            }
            let Some((origins, settings)) = &chosen else { continue };
            if !origins.contains(&index) || !rolling.is_origin(past, index) {
                continue;
            }
            let (seen, stretch) = walk.seen(index);
            for (knot, (&ahead, &setting)) in knots.iter().zip(settings).enumerate() {
                let target = index + ahead;
                if past.is_known(target) {
                    let predicted = seen.ahead(setting, ahead) + stretch.season(past, target);
                    misses.record(knot, past, index, ahead, predicted);
                }
            }
        }
        Some((misses, FittedTheta { knots: knots.to_vec(), settings: contest.best(past.last())? }))
    }
}

impl Predict for FittedTheta {
    fn predict(&self, past: &Past, origin: usize, ahead: &[usize]) -> Option<Vec<f64>> {
        let mut walk = Walk::through(past);
        let (seen, stretch) = walk.seen(origin);
        let one = |&ahead: &usize| {
            let (left, right, share) = horizons::place(&self.knots, ahead);
            let near = seen.ahead(self.settings[left], ahead);
            let far = seen.ahead(self.settings[right], ahead);
            near + (far - near) * share + stretch.season(past, origin + ahead)
        };
        Some(ahead.iter().map(one).collect())
    }
}
