//! Periodic autoregression: what the load does next follows from what it just did and from the same time of the day and week
//! before, and how it follows changes over the day.
//!
//! ```text
//! x(t) = b_φ(t) · f(t) + e(t)          φ(t) the phase: the wall-clock time of the day at t
//!
//! f(t)   = x at places near t and near t′, S_Q at places near t and near t′, 1        t′ the same time the day before
//! S_Q(t) = α · x(t″) + (1−α) · S_Q(t″)                t″ the same time a season Q before; Q a day, a week
//!
//! (Σ_k K(φ−k) G_k + κ Ḡ + ε tr Ḡ/n · I) b_φ = Σ_k K(φ−k) g_k + κ ḡ
//! G_k = Σ w f fᵀ,  g_k = Σ w f x       over the t of phase k,  w = exp(−δ · age in weeks);  Ḡ, ḡ their means over the phases
//! ```
//!
//! `x` the load in units of its mean, on the scale of the member (the logarithm of it, or itself), standardized; `K` a Gaussian around
//! the clock that sums to 1; `n` the number of coefficients without the intercept, which has no `ε`. The equations are solved for every fourth
//! phase, coefficients between run along straight lines. They so vary smoothly over the
//! day and are drawn toward the fit of the whole day, not toward zero: shrinking an autoregression toward zero destroys its persistence. The
//! one-step model is iterated over the horizon, held inside the range seen widened by its width.
//!
//! | member | scale | `x` at | `S` at |
//! |---|---|---|---|
//! | first | logarithm | t−5…t−1; t′−5…t′+2 | week, t−2…t+2 and t′−1…t′+1 |
//! | second | as it is | t−5…t−1; t′−5…t′+2 | day, t−2…t+2 |
//! | three naive ones | as it is | the same time yesterday; last week; the mean of the weeks before (`α` = 0.4) | – |
//!
//! The first sees how usual the last hours and yesterday were for their time of the week, the second knows of no weeks and follows what is new:
//! they err in different ways.
//!
//! **Combination.** The last three weeks (six sevenths of the rows, where those are fewer) are forecast by fits from which the block was left
//! out, by subtracting its part of the sums. A member weighs `E^−3`, `E` its mean absolute error in these backtests as a multiple of the least one,
//! between that of the near and that of the far half of the horizon along a straight line; the center is 0.3 of the weighted mean, 0.7 of the
//! weighted median of the members.
//!
//! **Spread.** A user of horizons of his own gets quantiles of the combination's errors in these backtests, on the root scale:
//!
//! ```text
//! q_p(h, c) = s(h, c) · Q_p        s(h, c) = Σ K |e| / Σ K,  Q_p the quantile p of all e / s
//! ```
//!
//! `s` the size of the errors near the horizon `h` (deviation `max(4, 1 + 0.3 h)` steps) and the time of the day `c` (2 h), with one more error of the
//! size of all; `Q_p` is taken around the median, and 8 % farther out beyond the
//! levels 0.1 and 0.9. Sizes need few errors, tails many: so each has what it needs. Where models are compared, an honest
//! rehearsal is made as for every other model: each fit sees only what came before it.
//!
//! Sources: periodic autoregression, Pagano, *Annals of Statistics* 6, 1978; autoregressions with calendar effects as the best of simple methods
//! on hourly data, Doornik, Castle and Hendry, *IJF* 36, 2020; combination by inverse loss, Bates and Granger, *OR* 20, 1969.
//!
//! **Minimum data**: 5 days; without weeks in the first member below 11 days. **Steps**: those of which
//! a day holds 4 to 288, all alike (5 minutes to 6 hours): a finer one has more of the day than smooth coefficients of single steps
//! can tell, and ridge is the model for it.
//!
//! | parameter | value | purpose | range |
//! |---|---|---|---|
//! | `α` | 0.3 | how fast a seasonal average follows | `0 < α ≤ 1` |
//! | `κ` | 0.25 | pull toward the fit of the whole day | `0 ≤ κ` |
//! | deviation of `K` | 2 h | how fast coefficients may change over the day | positive |
//! | `ε` | 10⁻⁶ | holds collinear lags together | positive |
//! | `δ` | 0.3 | old habits fade | `0 ≤ δ` |
//!
//! Members and values were compared on the last 48, 96, 144 and 192 hours held out of the training part of M4 Hourly. The same time of another day
//! is that of the wall clock, but for steps too long to tell an hour.

mod backtest;
mod clock;
mod combination;
mod gram;
mod member;
mod naive;
#[cfg(test)]
mod oracle;
mod residuals;
mod road;

use series::ModelName;

use self::backtest::Backtest;
use self::clock::Clock;
use self::combination::Combination;
use self::member::Member;
use self::naive::{NAIVE, Naive, Said};
use self::residuals::Residuals;
use self::road::{Coefficients, MARGIN, Road, Standard};
use crate::model::{Fit, Predict};
use crate::past::Past;
use crate::quantiles::Offsets;
use crate::rolling::{Misses, Rolling};
use crate::scale::Scale;

/// Steps of a day: fewer have no shape, more are too fine for coefficients of single steps.
const STEPS_OF_DAY: std::ops::RangeInclusive<usize> = 4..=288;
/// Days of rows that a member needs after its longest lag.
const DAYS_OF_ROWS: usize = 3;
/// Fewer days than this leave nothing to learn from when a block is left out.
const FEWEST_DAYS: usize = 5;
/// Errors in the blocks left out that weights and bands need.
const FEWEST_ERRORS: usize = 30;

/// Periodic autoregression before the fit: there is nothing to choose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Periodic;

/// The members with their weights, and what their combination missed.
#[derive(Debug, Clone)]
pub(crate) struct FittedPeriodic {
    members: Vec<FittedMember>,
    /// The naive members that the history is long enough for.
    naive: Vec<Naive>,
    /// Steps of a day.
    day: usize,
    /// No relative load below this is forecast.
    floor: f64,
    combination: Combination,
    residuals: Residuals,
}

/// One member with its coefficients.
#[derive(Debug, Clone)]
struct FittedMember {
    member: &'static Member,
    standard: Standard,
    coefficients: Coefficients,
}

/// What the members go along.
struct Roads<'a> {
    walked: Vec<Road<'a>>,
    said: Vec<Said<'a>>,
}

impl Periodic {
    /// The samples it takes, where the step is one that it can do at all.
    pub(crate) fn samples_needed(past: &Past) -> Option<usize> {
        steps_of_day(past).map(|day| FEWEST_DAYS * day)
    }
}

impl Fit for Periodic {
    type Fitted = FittedPeriodic;

    fn name(&self) -> ModelName {
        ModelName::PeriodicAutoregression
    }

    fn fit(&self, past: &Past, until: usize, knots: &[usize]) -> Option<FittedPeriodic> {
        let day = steps_of_day(past)?;
        // what fills a gap that is still open has seen its end
        let until = (0..=until).rev().find(|&index| past.is_known(index))?;
        if until + 1 < FEWEST_DAYS * day {
            return None;
        }
        let reach = *knots.last()?;
        let loads = past.relative_loads(until);
        let clock = Clock::of(past.calendar(), until + 1 + reach + MARGIN, day);
        let members = Member::set_for(until + 1, day, DAYS_OF_ROWS * day);
        let first = members.iter().map(|member| member.first(day) + 2 * clock.late()).max()?;
        let backtest = Backtest::over(first, until + 1, day, reach);
        let places = backtest.places(past);
        if places.len() < FEWEST_ERRORS {
            return None;
        }
        let mut predicted = Vec::new();
        let members: Vec<FittedMember> = members
            .iter()
            .map(|member| {
                let (fitted, ahead) = backtest.fit(past, &clock, &loads, member);
                predicted.push(ahead);
                fitted
            })
            .collect();
        let floor = loads.iter().copied().fold(0.0, f64::min);
        let mut naive = Vec::with_capacity(NAIVE.len());
        for one in NAIVE {
            if let Some(said) = backtest.naive(&one.along(&loads, &clock)) {
                naive.push(one);
                predicted.push(said);
            }
        }
        let combination = Combination::of(&predicted, &places, &loads, reach);
        let residuals = Residuals::of(&combination, &predicted, &places, past, floor, reach);
        Some(FittedPeriodic { members, naive, day, floor, combination, residuals })
    }

    /// As every model is rehearsed, but the seasonal averages of a block are made once for all its origins.
    fn roll(&self, past: &Past, rolling: &Rolling) -> Option<(Misses, FittedPeriodic)> {
        let mut misses = Misses::none(rolling.knots());
        let loads = past.relative_loads(past.last());
        let (day, reach) = (steps_of_day(past)?, *rolling.knots().last()?);
        let clock = Clock::of(past.calendar(), loads.len() + reach + MARGIN, day);
        for block in rolling.blocks() {
            let Some(fitted) = self.fit(past, block.fitted_at, rolling.knots()) else { continue };
            let mut roads = fitted.roads(&clock, &loads, reach);
            for origin in rolling.origins(past, block) {
                let Some(values) = fitted.along(&mut roads, origin, rolling.knots()) else { continue };
                for (knot, (&ahead, &value)) in rolling.knots().iter().zip(&values).enumerate() {
                    misses.record(knot, past, origin, ahead, value);
                }
            }
        }
        Some((misses, self.fit(past, past.last(), rolling.knots())?))
    }
}

impl Predict for FittedPeriodic {
    fn predict(&self, past: &Past, origin: usize, ahead: &[usize]) -> Option<Vec<f64>> {
        let loads = past.relative_loads(origin);
        let reach = *ahead.iter().max()?;
        let clock = Clock::of(past.calendar(), loads.len() + reach + MARGIN, self.day);
        let mut roads = self.roads(&clock, &loads, reach);
        self.along(&mut roads, origin, ahead)
    }

    fn offsets(&self, ahead: usize, second_of_day: i64) -> Option<Offsets> {
        Some(self.residuals.at(ahead, second_of_day))
    }
}

impl FittedPeriodic {
    fn roads<'a>(&self, clock: &'a Clock, loads: &[f64], reach: usize) -> Roads<'a> {
        let road = |one: &FittedMember| Road::new(clock, loads, one.member, Some(one.standard), reach);
        let said = |one: &Naive| one.along(loads, clock);
        Roads { walked: self.members.iter().map(road).collect(), said: self.naive.iter().map(said).collect() }
    }

    /// The centers on the models' scale `ahead` steps after `origin`; nothing that came after it is looked at.
    fn along(&self, roads: &mut Roads<'_>, origin: usize, ahead: &[usize]) -> Option<Vec<f64>> {
        let reach = *ahead.iter().max()?;
        let mut walks = Vec::with_capacity(self.members.len() + self.naive.len());
        for (one, road) in self.members.iter().zip(&mut roads.walked) {
            if origin < road.first() {
                return None;
            }
            let mut walk = Vec::with_capacity(reach);
            road.walk(origin, reach, &one.coefficients, &mut walk);
            walks.push(walk);
        }
        for said in &roads.said {
            let walk: Option<Vec<f64>> = (1..=reach).map(|ahead| said.at(origin, ahead)).collect();
            walks.push(walk?);
        }
        let center = |&ahead: &usize| {
            let values = walks.iter().map(|walk| walk[ahead - 1].max(self.floor));
            Scale::of_relative(self.combination.center(ahead, values))
        };
        Some(ahead.iter().map(center).collect())
    }
}

/// How many steps a day holds, where those are all alike and neither too few nor too many.
fn steps_of_day(past: &Past) -> Option<usize> {
    let day = past.calendar().steps_in(86_400);
    (STEPS_OF_DAY.contains(&day) && past.calendar().divides_day()).then_some(day)
}
