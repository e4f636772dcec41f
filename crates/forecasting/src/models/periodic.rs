//! Periodic autoregression: what the load does next follows from what it just did and from the same time of the day and week
//! before, and how it follows changes over the day.
//!
//! ```text
//! x(t) = b_φ(t) · f(t) + e(t)          φ(t) the phase: the wall-clock time of the day at t
//!
//! f(t)   = lags of x near 1, near a day, near a week;  S_Q(t+j);  1
//! S_Q(t) = α · x(t−Q) + (1−α) · S_Q(t−Q)                Q a day, a week
//!
//! (Σ_k K(φ−k) G_k + κ Ḡ + ε tr Ḡ/n · I) b_φ = Σ_k K(φ−k) g_k + κ ḡ
//! G_k = Σ w f fᵀ,  g_k = Σ w f x       over the t of phase k,  w = exp(−δ · age in weeks);  Ḡ, ḡ their means over the phases
//! ```
//!
//! `x` the load in units of its mean, on the scale of the member (the logarithm of it, or itself), standardized; `K` a Gaussian around
//! the clock that sums to 1; `n` the number of coefficients without the intercept, which has no `ε`. The equations are solved for every third
//! phase, coefficients between run along straight lines. They so vary smoothly over the
//! day and are drawn toward the fit of the whole day, not toward zero: shrinking an autoregression toward zero destroys its persistence. The
//! one-step model is iterated over the horizon, held inside the range seen widened by its width.
//!
//! | member | scale | lags | averages `S` at |
//! |---|---|---|---|
//! | first | logarithm | 1–4; a day −2…+3 | week, t−2…t+1 |
//! | second | as it is | 1–3; a day −1…+2 | day, t−1…t+1; week, t−1…t+1 |
//! | third | logarithm | 1–3; a day ±1; a week ±1; 8 days ±1 | – |
//! | three naive ones | as it is | yesterday's value; last week's; the mean of the weeks before (`α` = 0.4) | – |
//!
//! **Combination.** The last three weeks (six sevenths of the rows, where those are fewer) are forecast by fits from which the block was left
//! out, by subtracting its part of the sums. A member weighs `MAE^−4` of these backtests; the center is half the weighted mean, half the
//! weighted median of the members. A user of horizons of his own gets quantiles of the combination's errors in them, on the
//! root scale, weighted by closeness in horizon (deviation `max(4, 1 + 0.5 h)` steps) and in the time of the day (3 h), around the
//! center. Where models are compared, an honest rehearsal is made as for every other model: each fit sees only what came
//! before it.
//!
//! Sources: periodic autoregression, Pagano, *Annals of Statistics* 6, 1978; autoregressions with calendar effects as the best of simple methods
//! on hourly data, Doornik, Castle and Hendry, *IJF* 36, 2020; combination by inverse loss, Bates and Granger, *OR* 20, 1969.
//!
//! **Minimum data**: 5 days; without the weekly members, and with the day's alone in their place, below 11 days. **Steps**: those of which
//! a day holds 4 to 288, all alike (5 minutes to 6 hours): a finer one has more of the day than smooth coefficients of single steps
//! can tell, and ridge is the model for it.
//!
//! | parameter | value | purpose | range |
//! |---|---|---|---|
//! | `α` | 0.2 | how fast a seasonal average follows | `0 < α ≤ 1` |
//! | `κ` | 0.5 | pull toward the fit of the whole day | `0 ≤ κ` |
//! | deviation of `K` | 2 h | how fast coefficients may change over the day | positive |
//! | `ε` | 10⁻⁶ | holds collinear lags together | positive |
//! | `δ` | 0.3 | old habits fade | `0 ≤ δ` |
//!
//! The values were compared on the last 48, 96 and 144 hours held out of the training part of M4 Hourly. Phases are those of
//! the wall clock; the lags of a day and a week are whole multiples of 24 hours, and so an hour off in the week of a clock change.

mod backtest;
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
use self::combination::Combination;
use self::member::Member;
use self::naive::{NAIVE, Naive, Said};
use self::residuals::Residuals;
use self::road::{Coefficients, Road, Standard};
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
struct Roads {
    walked: Vec<Road>,
    said: Vec<Said>,
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
        let members = Member::set_for(until + 1, day, DAYS_OF_ROWS * day);
        let first = members.iter().map(|member| member.first(day)).max()?;
        let backtest = Backtest::over(first, until + 1, day, reach);
        let places = backtest.places(past);
        if places.len() < FEWEST_ERRORS {
            return None;
        }
        let mut predicted = Vec::new();
        let members: Vec<FittedMember> = members
            .iter()
            .map(|member| {
                let (fitted, ahead) = backtest.fit(past, &loads, member, day);
                predicted.push(ahead);
                fitted
            })
            .collect();
        let floor = loads.iter().copied().fold(0.0, f64::min);
        let mut naive = Vec::with_capacity(NAIVE.len());
        for one in NAIVE {
            if let Some(said) = backtest.naive(&one.along(&loads, day)) {
                naive.push(one);
                predicted.push(said);
            }
        }
        let combination = Combination::of(&predicted, &places, &loads);
        let residuals = Residuals::of(&combination, &predicted, &places, past, floor, reach);
        Some(FittedPeriodic { members, naive, day, floor, combination, residuals })
    }

    /// As every model is rehearsed, but the seasonal averages of a block are made once for all its origins.
    fn roll(&self, past: &Past, rolling: &Rolling) -> Option<(Misses, FittedPeriodic)> {
        let mut misses = Misses::none(rolling.knots());
        let loads = past.relative_loads(past.last());
        for block in rolling.blocks() {
            let Some(fitted) = self.fit(past, block.fitted_at, rolling.knots()) else { continue };
            let mut roads = fitted.roads(past, &loads, *rolling.knots().last()?);
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
        let mut roads = self.roads(past, &loads, *ahead.iter().max()?);
        self.along(&mut roads, origin, ahead)
    }

    fn offsets(&self, ahead: usize, second_of_day: i64) -> Option<Offsets> {
        Some(self.residuals.at(ahead, second_of_day))
    }
}

impl FittedPeriodic {
    fn roads(&self, past: &Past, loads: &[f64], reach: usize) -> Roads {
        let road = |one: &FittedMember| Road::new(past, loads, one.member, one.standard, self.day, reach);
        let said = |one: &Naive| one.along(loads, self.day);
        Roads { walked: self.members.iter().map(road).collect(), said: self.naive.iter().map(said).collect() }
    }

    /// The centers on the models' scale `ahead` steps after `origin`; nothing that came after it is looked at.
    fn along(&self, roads: &mut Roads, origin: usize, ahead: &[usize]) -> Option<Vec<f64>> {
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
            let combined = self.combination.center(walks.iter().map(|walk| walk[ahead - 1].max(self.floor)));
            Scale::of_relative(combined)
        };
        Some(ahead.iter().map(center).collect())
    }
}

/// How many steps a day holds, where those are all alike and neither too few nor too many.
fn steps_of_day(past: &Past) -> Option<usize> {
    let day = past.calendar().steps_in(86_400);
    (STEPS_OF_DAY.contains(&day) && past.calendar().divides_day()).then_some(day)
}
