//! [`Mixture`]: quantiles from what was missed. Three ways to put them around a center are mixed, level by level, as each has earned it.
//!
//! ```text
//! usual       c + Q_q(e)                      the errors as they come
//! regime      c + s · (Q_q(e/s) + k_q)        the errors as large as the hour, the level and the recent regime have them (see `spread`)
//! persistence y + Q_q(y' − y)                 whatever the model says
//! ```
//!
//! `c` the center, `e` its errors, `s` their expected size, `y` the last value, `y'` what came, `Q_q` the quantile of a rehearsal's errors, weighted by
//! age. Seven mixtures (each alone, the halves, the thirds) are compared by their pinball loss on the rehearsal at four levels; each weighs
//! `exp(−(loss/best − 1)/τ)`. Levels between take weights from both sides.
//!
//! `k_q` is learned while the forecasts are in use, from every sample that comes: up where it lies above the quantile, down a little where below,
//!
//! ```text
//! k_q += γ · (Q_.9 − Q_.5) · (1{e/s > Q_q + k_q} − (1 − q)) / √(q(1 − q))
//! ```
//!
//! so that the promised share comes back after every change of habits (quantile tracking: Gibbs and Candès, *Adaptive conformal inference under
//! distribution shift*, 2021; Angelopoulos, Candès and Tibshirani, *Conformal PID control for time series prediction*, 2023).

use crate::horizons;
use crate::past::Past;
use crate::quantiles::{COUNT, LEVELS, MEDIAN, NINETY, Offsets, of_errors, rising, settle};
use crate::rolling::{Miss, Misses};
use crate::spread::{Regime, Spread, WIDTH};
use crate::values::Values;

/// Further knots with fewer errors than this are not believed; the near ones are extrapolated instead.
const FEWEST: usize = 12;
/// Errors of a week ago weigh `exp(−3)`.
const FADING_PER_WEEK: f64 = 3.0;
const WEEK_SECONDS: f64 = 7.0 * 86_400.0;
/// Places among the levels at which mixtures are compared.
const COMPARED: [usize; 4] = [2, MEDIAN, NINETY, 9];
/// Beyond this many errors, their correlation matters ever less for their quantiles.
const MANY: f64 = 200.0;
/// τ: a mixture that loses this share more than the best weighs 1/e of it.
const TEMPERATURE: f64 = 0.03;
/// Shares of the usual, the regime and persistence.
const MIXTURES: [[f64; 3]; 7] = [
    [1.0, 0.0, 0.0],
    [0.0, 1.0, 0.0],
    [0.0, 0.0, 1.0],
    [0.5, 0.5, 0.0],
    [0.5, 0.0, 0.5],
    [0.0, 0.5, 0.5],
    [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0],
];
/// γ
const LEARNING_RATE: f64 = 0.01;
/// No correction is larger than this many distances from the median to the .9 quantile.
const LARGEST_CORRECTION: f64 = 10.0;

/// Quantiles around centers, per knot; see the page.
#[derive(Debug, Clone)]
pub(crate) struct Mixture {
    knots: Vec<Knot>,
}

/// The quantiles at one horizon.
#[derive(Debug, Clone)]
struct Knot {
    ahead: usize,
    usual: Offsets,
    regime: Option<Scaled>,
    persistence: Offsets,
    /// Shares of the three, per level.
    shares: [[f64; 3]; COUNT],
}

/// Quantiles of errors over their expected size.
#[derive(Debug, Clone)]
struct Scaled {
    spread: Spread,
    offsets: Offsets,
    corrections: Offsets,
}

impl Mixture {
    /// The mixture that the misses of a rehearsal call for; `None` where there are none at the nearest knot.
    pub(crate) fn of(misses: &Misses, past: &Past) -> Option<Self> {
        let mut origins: Vec<usize> =
            misses.iter().flat_map(|(_, misses)| misses.iter().map(|miss| miss.origin)).collect();
        origins.sort_unstable();
        origins.dedup();
        let regimes: Vec<Regime> = origins.into_iter().map(|origin| Regime::at(past, origin)).collect();
        let mut knots = Vec::new();
        for (ahead, misses) in misses.iter() {
            if !misses.is_empty() && (knots.is_empty() || misses.len() >= FEWEST) {
                knots.push(Knot::of(misses, ahead, past, &regimes));
            }
        }
        knots.shrink_to_fit();
        (!knots.is_empty()).then_some(Self { knots })
    }

    /// The usual quantiles at one horizon, nothing mixed in.
    pub(crate) fn usual_at(misses: &[Miss], ahead: usize, past: &Past) -> Option<Self> {
        if misses.is_empty() {
            return None;
        }
        let usual = Errors::of(misses, past).quantiles(|place| misses[place].error());
        let knot = Knot { ahead, usual, regime: None, persistence: usual, shares: [MIXTURES[0]; COUNT] };
        Some(Self { knots: vec![knot] })
    }

    /// The quantiles on the models' scale `ahead` steps after the origin of `regime`, around `center`; never falling.
    ///
    /// Between two knots along straight lines in the logarithm of the horizon; after the last one the distances from the center grow with the root
    /// of the horizon, as those of a random walk.
    pub(crate) fn quantiles(&self, values: &impl Values, regime: &Regime, ahead: usize, center: f64) -> Offsets {
        let (left, right, share) = horizons::place_by(&self.knots, |knot| knot.ahead, ahead);
        let features = regime.features(values, ahead, center);
        let far = self.knots[right].quantiles(regime.now(), &features, center);
        let last = self.knots[right].ahead;
        if ahead > last {
            let growth = (ahead as f64 / last as f64).sqrt();
            return far.map(|quantile| center + (quantile - center) * growth);
        }
        if left == right {
            return far;
        }
        let near = self.knots[left].quantiles(regime.now(), &features, center);
        std::array::from_fn(|level| near[level] + (far[level] - near[level]) * share)
    }

    /// The horizons, in steps, at which it learns from what comes.
    pub(crate) fn learned(&self) -> impl Iterator<Item = usize> {
        self.knots.iter().filter(|knot| knot.regime.is_some()).map(|knot| knot.ahead)
    }

    /// Learns that `actual` came `ahead` steps, one of [`Self::learned`], after the origin of `regime`, where the center was `center`.
    ///
    /// Returns how large the error was as a multiple of what was expected.
    pub(crate) fn learn(
        &mut self,
        values: &impl Values,
        regime: &Regime,
        ahead: usize,
        center: f64,
        actual: f64,
    ) -> Option<f64> {
        let scaled = self.knots.iter_mut().find(|knot| knot.ahead == ahead)?.regime.as_mut()?;
        let error = (actual - center) / scaled.spread.size(&regime.features(values, ahead, center));
        scaled.learn(error);
        Some(error.abs())
    }

    /// What was learned in use, by horizon in steps.
    pub(crate) fn lessons(&self) -> Vec<(usize, Offsets)> {
        self.knots.iter().filter_map(|knot| Some((knot.ahead, knot.regime.as_ref()?.corrections))).collect()
    }

    /// Takes over what another one learned.
    pub(crate) fn inherit(&mut self, lessons: &[(usize, Offsets)]) {
        for Knot { ahead, regime, .. } in &mut self.knots {
            let former = lessons.iter().find(|(before, _)| before == ahead);
            if let (Some(own), Some(&(_, corrections))) = (regime, former) {
                own.corrections = corrections;
            }
        }
    }
}

impl Knot {
    /// `regimes` holds those of the misses' origins, in their order, and perhaps further ones.
    fn of(misses: &[Miss], ahead: usize, past: &Past, regimes: &[Regime]) -> Self {
        let mut all = regimes.iter();
        let regimes: Vec<&Regime> =
            misses.iter().filter_map(|miss| all.find(|regime| regime.origin() == miss.origin)).collect();
        let features: Vec<[f64; WIDTH]> =
            misses.iter().zip(&regimes).map(|(miss, regime)| regime.features(past, ahead, miss.predicted)).collect();
        let spread = if features.len() == misses.len() { Spread::of(misses, &features) } else { None };
        let errors = Errors::of(misses, past);
        let now = |place: usize| past.value(misses[place].origin);
        let usual = errors.quantiles(|place| misses[place].error());
        let persistence = errors.quantiles(|place| misses[place].actual - now(place));
        let scaled = spread.map(|spread| {
            let sizes: Vec<f64> = features.iter().map(|features| spread.size(features)).collect();
            let offsets = errors.quantiles(|place| misses[place].error() / sizes[place]);
            (sizes, Scaled { spread, offsets, corrections: [0.0; COUNT] })
        });
        let mut shares = [[0.0; 3]; COUNT];
        for level in COMPARED {
            // how far above the quantile of each way it came
            let above = |place: usize| {
                let miss = &misses[place];
                let regime = scaled.as_ref().map_or(0.0, |(sizes, scaled)| sizes[place] * scaled.offsets[level]);
                [miss.error() - usual[level], miss.error() - regime, miss.actual - now(place) - persistence[level]]
            };
            let above = (0..misses.len()).map(|place| (above(place), errors.weights[place]));
            shares[level] = mixed_by_loss(above, LEVELS[level], scaled.is_some());
        }
        Self { ahead, usual, regime: scaled.map(|(_, scaled)| scaled), persistence, shares: between(&shares) }
    }

    fn quantiles(&self, now: f64, features: &[f64; WIDTH], center: f64) -> Offsets {
        let size = self.regime.as_ref().map_or(0.0, |scaled| scaled.spread.size(features));
        let quantile = |level: usize| {
            let [usual, regime, persistence] = self.shares[level];
            let scaled = self.regime.as_ref().map_or(0.0, |scaled| scaled.offsets[level] + scaled.corrections[level]);
            usual * (center + self.usual[level])
                + regime * (center + size * scaled)
                + persistence * (now + self.persistence[level])
        };
        settle(std::array::from_fn(quantile))
    }
}

impl Scaled {
    fn learn(&mut self, error: f64) {
        let width = self.offsets[NINETY] - self.offsets[MEDIAN];
        for ((correction, offset), level) in self.corrections.iter_mut().zip(self.offsets).zip(LEVELS) {
            let missed = if error > offset + *correction { 1.0 } else { 0.0 };
            let step = LEARNING_RATE * width * (missed - (1.0 - level)) / (level * (1.0 - level)).sqrt();
            let most = LARGEST_CORRECTION * width;
            *correction = (*correction + step).clamp(-most, most);
        }
    }
}

/// The mean of the mixtures, each weighed by its pinball loss at `level`, where `above` tells how far above the quantile of each way it came, and how much that
/// counts.
fn mixed_by_loss(above: impl Iterator<Item = ([f64; 3], f64)>, level: f64, has_regime: bool) -> [f64; 3] {
    // way by way, so that the mixtures stand side by side in a register
    let shares: [[f64; MIXTURES.len()]; 3] = std::array::from_fn(|way| MIXTURES.map(|shares| shares[way]));
    let mut losses = [0.0; MIXTURES.len()];
    for ([usual, regime, persistence], weight) in above {
        for (mixture, loss) in losses.iter_mut().enumerate() {
            let above = shares[0][mixture] * usual + shares[1][mixture] * regime + shares[2][mixture] * persistence;
            let (over, under) = (level * above, (level - 1.0) * above);
            *loss += weight * if over > under { over } else { under };
        }
    }
    let losses = || MIXTURES.iter().zip(losses).filter(|(shares, _)| has_regime || shares[1] == 0.0);
    let best = losses().map(|(_, loss)| loss).fold(f64::INFINITY, f64::min);
    let mut mixed = [0.0; 3];
    let mut total = 0.0;
    for (shares, loss) in losses() {
        // where the best lost nothing, whoever lost anything weighs nothing
        let weight = (-(loss - best) / (TEMPERATURE * best).max(f64::MIN_POSITIVE)).exp();
        total += weight;
        mixed.iter_mut().zip(shares).for_each(|(sum, share)| *sum += weight * share);
    }
    mixed.map(|sum| sum / total)
}

/// The shares of the levels between the compared ones, along straight lines in the log odds; beyond, those of the nearest.
fn between(compared: &[[f64; 3]; COUNT]) -> [[f64; 3]; COUNT] {
    let log_odds = |level: usize| (LEVELS[level] / (1.0 - LEVELS[level])).ln();
    std::array::from_fn(|level| {
        let right = COMPARED.into_iter().find(|&place| place >= level).unwrap_or(COMPARED[COMPARED.len() - 1]);
        let left = COMPARED.into_iter().rev().find(|&place| place <= level).unwrap_or(COMPARED[0]);
        if left == right {
            return compared[left];
        }
        let share = (log_odds(level) - log_odds(left)) / (log_odds(right) - log_odds(left));
        std::array::from_fn(|way| compared[left][way] + (compared[right][way] - compared[left][way]) * share)
    })
}

/// How much each miss of a knot counts.
struct Errors {
    /// 1 for the newest.
    weights: Vec<f64>,
    independence: f64,
}

impl Errors {
    fn of(misses: &[Miss], past: &Past) -> Self {
        let newest = misses.last().map_or(0, |miss| miss.origin);
        let week = WEEK_SECONDS / f64::from(past.calendar().step().seconds());
        let age = |miss: &Miss| (newest - miss.origin) as f64 / week;
        let weights = misses.iter().map(|miss| (-FADING_PER_WEEK * age(miss)).exp()).collect();
        let independence = independence(misses).powf((MANY / misses.len() as f64).min(1.0));
        Self { weights, independence }
    }

    /// The quantiles of what `error` says of each miss.
    fn quantiles(&self, error: impl Fn(usize) -> f64) -> Offsets {
        let errors: Vec<f64> = (0..self.weights.len()).map(error).collect();
        let (errors, weights): (Vec<f64>, Vec<f64>) =
            rising(&errors).map(|place| (errors[place], self.weights[place])).unzip();
        of_errors(&errors, &weights, self.independence)
    }
}

/// The share of the errors that their correlation `ρ` from one origin to the next leaves independent: `√((1 − ρ) / (1 + ρ))`.
///
/// Without the root it would be the share for their *mean*, were they an autoregression of the first order (Bayley and
/// Hammersley, JRSS Supplement 8, 1946). Errors far out in the tail come in shorter runs than errors in the middle; on
/// recorded loads the full discount made bands cover too much and the root of it what they say.
fn independence(misses: &[Miss]) -> f64 {
    let mean = misses.iter().map(Miss::error).sum::<f64>() / misses.len() as f64;
    let variance: f64 = misses.iter().map(|miss| (miss.error() - mean).powi(2)).sum();
    let covariance: f64 = misses.windows(2).map(|pair| (pair[0].error() - mean) * (pair[1].error() - mean)).sum();
    let correlation = if variance > 0.0 { (covariance / variance).clamp(0.0, 0.999) } else { 0.0 };
    ((1.0 - correlation) / (1.0 + correlation)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{normals, past};

    const DAY: usize = 1440;
    const AHEAD: usize = 5;

    /// Noise that is five times as wide in the second half of every day, and what a center of the mean misses of it.
    fn quiet_and_busy() -> (Past, Vec<Miss>) {
        let width = |i: usize| if i % DAY < DAY / 2 { 1.0 } else { 5.0 };
        let noise = normals(1, 6 * DAY);
        let past = past(&noise.iter().enumerate().map(|(i, noise)| Some(100.0 + width(i) * noise)).collect::<Vec<_>>());
        let predicted = past.mean(0, past.last());
        let origins = (2 * DAY..past.last() - AHEAD).step_by(3);
        let misses = origins.map(|origin| Miss { origin, predicted, actual: past.value(origin + AHEAD) }).collect();
        (past, misses)
    }

    fn mixture(past: &Past, misses: &[Miss]) -> Mixture {
        let origins: Vec<Regime> = misses.iter().map(|miss| Regime::at(past, miss.origin)).collect();
        Mixture { knots: vec![Knot::of(misses, AHEAD, past, &origins)] }
    }

    #[test]
    fn quantiles_are_wide_in_the_busy_hours_and_narrow_in_the_quiet_ones() {
        let (past, misses) = quiet_and_busy();
        let mixture = mixture(&past, &misses);
        let width = |origin: usize| {
            let quantiles = mixture.quantiles(&past, &Regime::at(&past, origin), AHEAD, misses[0].predicted);
            quantiles[NINETY] - quantiles[MEDIAN]
        };
        let (quiet, busy) = (width(5 * DAY + 300), width(5 * DAY + 1100));
        assert!(busy > 3.5 * quiet, "{quiet} {busy}");
        let [usual, regime, persistence] = mixture.knots[0].shares[NINETY];
        assert!(regime > 0.8 && usual + regime + persistence < 1.0 + 1e-9, "{usual} {regime} {persistence}");
    }

    #[test]
    fn the_promised_share_comes_back_when_errors_grow() {
        let (past, misses) = quiet_and_busy();
        let mut mixture = mixture(&past, &misses);
        let origin = 5 * DAY + 300;
        let regime = Regime::at(&past, origin);
        let center = misses[0].predicted;
        let size = mixture.knots[0].regime.as_ref().unwrap().spread.size(&regime.features(&past, AHEAD, center));
        // twice as large as they were: the .9 quantile would cover about .74
        let errors: Vec<f64> = normals(2, 6000).iter().map(|error| 2.0 * error * 1.25 * size).collect();
        let mut covered = Vec::new();
        for error in errors {
            let quantile = mixture.quantiles(&past, &regime, AHEAD, center)[NINETY];
            covered.push(center + error <= quantile);
            mixture.learn(&past, &regime, AHEAD, center, center + error);
        }
        let share = |of: &[bool]| of.iter().filter(|&&is| is).count() as f64 / of.len() as f64;
        let (first, late) = (share(&covered[..100]), share(&covered[3000..]));
        assert!(first < 0.84 && (late - 0.9_f64).abs() < 0.02, "{first} {late}");
    }

    #[test]
    fn corrections_are_held_and_handed_on() {
        let (past, misses) = quiet_and_busy();
        let mut first = mixture(&past, &misses);
        let regime = Regime::at(&past, 5 * DAY);
        for _ in 0..100_000 {
            first.learn(&past, &regime, AHEAD, misses[0].predicted, 1e6);
        }
        let scaled = first.knots[0].regime.clone().unwrap();
        let most = LARGEST_CORRECTION * (scaled.offsets[NINETY] - scaled.offsets[MEDIAN]);
        assert!(scaled.corrections.iter().all(|correction| (correction - most).abs() < 1e-9));
        let mut second = mixture(&past, &misses);
        second.inherit(&first.lessons());
        assert_eq!(second.knots[0].regime.as_ref().unwrap().corrections, scaled.corrections);
    }

    #[test]
    fn who_lost_nothing_has_it_all() {
        let above = || [[0.0, 0.0, 1.0], [0.0; 3], [0.0; 3]].into_iter().map(|above| (above, 1.0));
        let [usual, regime, persistence] = mixed_by_loss(above(), 0.5, true);
        assert!(persistence == 0.0 && (usual + regime - 1.0).abs() < 1e-12);
        let [_, regime, _] = mixed_by_loss(above(), 0.5, false);
        assert_eq!(regime, 0.0);
    }

    #[test]
    fn shares_between_compared_levels_add_up() {
        let mut shares = [[0.0; 3]; COUNT];
        for (place, level) in COMPARED.into_iter().enumerate() {
            shares[level][place % 3] = 1.0;
        }
        let all = between(&shares);
        assert!(all.iter().all(|shares| (shares.iter().sum::<f64>() - 1.0).abs() < 1e-12), "{all:?}");
        assert_eq!((all[0], all[COUNT - 1]), (shares[COMPARED[0]], shares[9]));
    }
}
