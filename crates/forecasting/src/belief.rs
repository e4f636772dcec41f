//! [`Beliefs`]: how far the model's word is taken, when what comes does not go along with it.
//!
//! ```text
//! c' = y + a · (c − y)        a = (Σ λ^k (c − y)(y' − y) + K m) / (Σ λ^k (c − y)² + K m),  held in [0, 1]
//! ```
//!
//! `y` the value at the origin, `c` the model's center, `y'` what came; the sums are over the samples that came in use, `λ` halves them in an hour,
//! `m` is the mean of `(c − y)²` in the rehearsal and `K` = 60 what it weighs: the least-squares slope of what came on what was foretold, drawn toward 1. A model
//! that wants back to a level that is gone is soon believed no more, and one that foresees well not a bit less.

use crate::horizons;
use crate::past::Past;
use crate::rolling::Misses;

/// What the rehearsal weighs, in samples.
const PRIOR: f64 = 60.0;
const HALF_LIFE_SECONDS: f64 = 3600.0;
/// Moves smaller than this (on the models' scale, where loads are near 1) are none.
const LEAST_SQUARE: f64 = 1e-12;

/// One belief per knot of the rehearsal.
#[derive(Debug, Clone)]
pub(crate) struct Beliefs {
    knots: Vec<Belief>,
    /// λ
    fading: f64,
}

#[derive(Debug, Clone, Copy)]
struct Belief {
    ahead: usize,
    prior: f64,
    /// Σ λ^k (c − y)(y' − y)
    agreed: f64,
    /// Σ λ^k (c − y)²
    foretold: f64,
}

impl Beliefs {
    /// Full belief at every knot of a rehearsal.
    pub(crate) fn of(misses: &Misses, past: &Past) -> Self {
        let belief = |(ahead, misses): (usize, &[crate::rolling::Miss])| {
            let squares = misses.iter().map(|miss| (miss.predicted - past.value(miss.origin)).powi(2)).sum::<f64>();
            let prior = PRIOR * squares / misses.len().max(1) as f64 + LEAST_SQUARE;
            Belief { ahead, prior, agreed: 0.0, foretold: 0.0 }
        };
        let step_seconds = f64::from(past.calendar().step().seconds());
        Self { knots: misses.iter().map(belief).collect(), fading: 0.5_f64.powf(step_seconds / HALF_LIFE_SECONDS) }
    }

    /// The center as far as it is believed, `ahead` steps after an origin where the value is `now`.
    pub(crate) fn believed(&self, now: f64, ahead: usize, center: f64) -> f64 {
        if self.knots.is_empty() {
            return center;
        }
        let (left, right, share) = horizons::place_by(&self.knots, |belief| belief.ahead, ahead);
        let (near, far) = (self.knots[left].slope(), self.knots[right].slope());
        now + (near + (far - near) * share) * (center - now)
    }

    /// Learns that `actual` came `ahead` steps after a value of `now`, where the model's center was `center`.
    pub(crate) fn learn(&mut self, now: f64, ahead: usize, center: f64, actual: f64) {
        let fading = self.fading;
        if let Some(belief) = self.knots.iter_mut().find(|belief| belief.ahead == ahead) {
            belief.agreed = fading * belief.agreed + (center - now) * (actual - now);
            belief.foretold = fading * belief.foretold + (center - now).powi(2);
        }
    }

    /// Takes over what `former` learned in use.
    pub(crate) fn inherit(&mut self, former: &Self) {
        for own in &mut self.knots {
            if let Some(before) = former.knots.iter().find(|before| before.ahead == own.ahead) {
                (own.agreed, own.foretold) = (before.agreed, before.foretold);
            }
        }
    }
}

impl Belief {
    fn slope(self) -> f64 {
        ((self.agreed + self.prior) / (self.foretold + self.prior)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::past;

    fn beliefs() -> Beliefs {
        let past = past(&(0..200).map(|i| Some(100.0 + f64::from(i % 10))).collect::<Vec<_>>());
        let mut misses = Misses::none(&[1, 10]);
        for (knot, ahead) in [(0, 1), (1, 10)] {
            for origin in 0..150 {
                misses.record(knot, &past, origin, ahead, past.value(origin) + 0.1);
            }
        }
        Beliefs::of(&misses, &past)
    }

    #[test]
    fn a_model_is_believed_until_what_comes_does_not_go_along() {
        let mut beliefs = beliefs();
        assert!((beliefs.believed(1.0, 10, 2.0) - 2.0).abs() < 1e-12);
        for _ in 0..30 {
            // it wants half a unit down, and nothing moves
            beliefs.learn(2.0, 10, 1.5, 2.0);
        }
        let believed = beliefs.believed(2.0, 10, 1.5);
        assert!(believed > 1.9 && believed <= 2.0, "{believed}");
        assert!((beliefs.believed(2.0, 1, 1.5) - 1.5).abs() < 1e-12, "the other knot has learned nothing");
        let between = beliefs.believed(2.0, 3, 1.5);
        assert!(between > 1.5 && between < believed, "{between}");
    }

    #[test]
    fn belief_comes_back_and_is_never_more_than_full() {
        let mut beliefs = beliefs();
        for _ in 0..30 {
            beliefs.learn(2.0, 1, 1.5, 2.0);
        }
        for _ in 0..300 {
            beliefs.learn(2.0, 1, 1.5, 1.0);
        }
        assert!((beliefs.believed(2.0, 1, 1.5) - 1.5).abs() < 1e-9);
        let mut fresh = self::beliefs();
        fresh.inherit(&beliefs);
        assert!((fresh.believed(2.0, 1, 1.5) - beliefs.believed(2.0, 1, 1.5)).abs() < 1e-12);
    }
}
