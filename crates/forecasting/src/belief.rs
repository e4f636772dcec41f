//! [`Beliefs`]: how far the model's word is taken, when what comes does not go along with it.
//!
//! ```text
//! c' = b + a · (c − b)        a = (Σ λ^k (c − b)(y' − b) + K m a₀) / (Σ λ^k (c − b)² + K m),  held in [0, 1]
//!
//! b = y + κ · u               κ = Σ u (y' − y) / Σ u²  over the rehearsal,  held in [0, 1]
//! ```
//!
//! `y` the value at the origin, `u` how what is usual goes on from there, `c` the model's center, `y'` what came; the sums for `a` are over the samples
//! that came in use, `λ` halves them in an hour, `m` is the mean of `(c − b)²` in the rehearsal and `K` = 60 what it weighs: the least-squares slope of
//! what came on what was foretold, where `y' − b` is held within twice `c − b`. It is drawn toward `a₀`, which is 1 up to an hour ahead and halfway to `a` of the next nearer knot
//! farther out: after a shift, a forecast for hours ahead need not wait for hours to be told wrong, and a crowd that leaves within the hour never tells it. A model that wants back to a level that is gone is soon believed no more, and one that foresees well
//! not a bit less. What is left then is the new level with the shape of the day as far as the load keeps to one: a shift says nothing against that.

use crate::horizons;
use crate::past::Past;
use crate::rolling::{Miss, Misses};

/// What the rehearsal weighs, in samples.
const PRIOR: f64 = 60.0;
/// In less than an hour the day moves little, and what six days have of noise with it; a horizon longer than it begins with what the one before has learned.
const HOUR_SECONDS: i64 = 3600;
/// What came counts for at most so many times what was foretold: forecasts from before a shift tell nothing of it.
const FARTHEST: f64 = 2.0;
/// More misses than this tell hardly more of how the load keeps to its shape.
const MOST_ASKED: usize = 400;
const HALF_LIFE_SECONDS: f64 = 3600.0;
/// Moves smaller than this (on the models' scale, where loads are near 1) are none.
const LEAST_SQUARE: f64 = 1e-12;

/// One belief per knot of the rehearsal.
#[derive(Debug, Clone)]
pub(crate) struct Beliefs {
    knots: Vec<Belief>,
    /// In steps.
    hour: usize,
    /// λ
    fading: f64,
}

#[derive(Debug, Clone, Copy)]
struct Belief {
    ahead: usize,
    /// κ
    shape: f64,
    prior: f64,
    /// Σ λ^k (c − b)(y' − b)
    agreed: f64,
    /// Σ λ^k (c − b)²
    foretold: f64,
}

impl Beliefs {
    /// Full belief at every knot of a rehearsal; `shape` tells how what is usual goes on so many steps from an origin.
    pub(crate) fn of(misses: &Misses, past: &Past, shape: impl Fn(usize, usize) -> f64) -> Self {
        let hour = past.calendar().steps_in(HOUR_SECONDS);
        let belief = |(ahead, misses): (usize, &[Miss])| {
            let asked: Vec<(f64, &Miss)> = misses
                .iter()
                .step_by(misses.len().div_ceil(MOST_ASKED).max(1))
                .map(|miss| (shape(miss.origin, ahead), miss))
                .collect();
            let now = |miss: &Miss| past.value(miss.origin);
            let moved: f64 = asked.iter().map(|(shape, miss)| shape * (miss.actual - now(miss))).sum();
            let foretold: f64 = asked.iter().map(|(shape, _)| shape * shape).sum();
            let is_far = hour <= ahead;
            let kept = if is_far && foretold > LEAST_SQUARE { (moved / foretold).clamp(0.0, 1.0) } else { 0.0 };
            let beyond = |(shape, miss): &(f64, &Miss)| (miss.predicted - now(miss) - kept * shape).powi(2);
            let prior = PRIOR * asked.iter().map(beyond).sum::<f64>() / asked.len().max(1) as f64 + LEAST_SQUARE;
            Belief { ahead, shape: kept, prior, agreed: 0.0, foretold: 0.0 }
        };
        let step_seconds = f64::from(past.calendar().step().seconds());
        Self {
            knots: misses.iter().map(belief).collect(),
            hour,
            fading: 0.5_f64.powf(step_seconds / HALF_LIFE_SECONDS),
        }
    }

    /// The center as far as it is believed, `ahead` steps after an origin where the value is `now`, and what is usual moves by `shape`.
    pub(crate) fn believed(&self, now: f64, ahead: usize, shape: f64, center: f64) -> f64 {
        if self.knots.is_empty() {
            return center;
        }
        let (left, right, part) = horizons::place_by(&self.knots, |belief| belief.ahead, ahead);
        let (near, far) = (self.knots[left], self.knots[right]);
        let between = |near: f64, far: f64| near + (far - near) * part;
        let base = now + between(near.shape, far.shape) * shape;
        base + between(self.slope(left), self.slope(right)) * (center - base)
    }

    /// `a` at the knot of that place.
    fn slope(&self, place: usize) -> f64 {
        let belief = self.knots[place];
        let at_first = match place.checked_sub(1) {
            Some(nearer) if belief.ahead > self.hour => f64::midpoint(1.0, self.slope(nearer)),
            _ => 1.0,
        };
        ((belief.agreed + at_first * belief.prior) / (belief.foretold + belief.prior)).clamp(0.0, 1.0)
    }

    /// Learns that `actual` came `ahead` steps after a value of `now`, where the model's center was `center` and what is usual moved by `shape`.
    pub(crate) fn learn(&mut self, now: f64, ahead: usize, shape: f64, center: f64, actual: f64) {
        let fading = self.fading;
        if let Some(belief) = self.knots.iter_mut().find(|belief| belief.ahead == ahead) {
            let base = now + belief.shape * shape;
            let (foretold, came) = (center - base, actual - base);
            let most = FARTHEST * foretold.abs();
            belief.agreed = fading * belief.agreed + foretold * came.clamp(-most, most);
            belief.foretold = fading * belief.foretold + foretold * foretold;
        }
    }

    /// What was learned in use, by horizon in steps: how far the load went along, and how far it was to go.
    pub(crate) fn lessons(&self) -> Vec<(usize, f64, f64)> {
        self.knots.iter().map(|belief| (belief.ahead, belief.agreed, belief.foretold)).collect()
    }

    /// Takes over what other ones learned.
    pub(crate) fn inherit(&mut self, lessons: &[(usize, f64, f64)]) {
        for own in &mut self.knots {
            if let Some(&(_, agreed, foretold)) = lessons.iter().find(|(ahead, ..)| *ahead == own.ahead) {
                (own.agreed, own.foretold) = (agreed, foretold);
            }
        }
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
        Beliefs::of(&misses, &past, |_, _| 0.0)
    }

    #[test]
    fn a_model_is_believed_until_what_comes_does_not_go_along() {
        let mut beliefs = beliefs();
        assert!((beliefs.believed(1.0, 10, 0.0, 2.0) - 2.0).abs() < 1e-12);
        for _ in 0..30 {
            // it wants half a unit down, and nothing moves
            beliefs.learn(2.0, 10, 0.0, 1.5, 2.0);
        }
        let believed = beliefs.believed(2.0, 10, 0.0, 1.5);
        assert!(believed > 1.9 && believed <= 2.0, "{believed}");
        assert!((beliefs.believed(2.0, 1, 0.0, 1.5) - 1.5).abs() < 1e-12, "the other knot has learned nothing");
        let between = beliefs.believed(2.0, 3, 0.0, 1.5);
        assert!(between > 1.5 && between < believed, "{between}");
    }

    #[test]
    fn belief_comes_back_and_is_never_more_than_full() {
        let mut beliefs = beliefs();
        for _ in 0..30 {
            beliefs.learn(2.0, 1, 0.0, 1.5, 2.0);
        }
        for _ in 0..300 {
            beliefs.learn(2.0, 1, 0.0, 1.5, 1.0);
        }
        assert!((beliefs.believed(2.0, 1, 0.0, 1.5) - 1.5).abs() < 1e-9);
        let mut fresh = self::beliefs();
        fresh.inherit(&beliefs.lessons());
        assert!((fresh.believed(2.0, 1, 0.0, 1.5) - beliefs.believed(2.0, 1, 0.0, 1.5)).abs() < 1e-12);
    }

    #[test]
    fn what_an_hour_ahead_was_learned_holds_for_the_hours_after_it_and_no_nearer() {
        let past = past(&(0..1200).map(|i| Some(100.0 + f64::from(i % 10))).collect::<Vec<_>>());
        let mut misses = Misses::none(&[30, 60, 180]);
        for (knot, ahead) in [(0, 30), (1, 60), (2, 180)] {
            (0..900).for_each(|origin| misses.record(knot, &past, origin, ahead, past.value(origin) + 0.1));
        }
        let after = |ahead: usize| {
            let mut beliefs = Beliefs::of(&misses, &past, |_, _| 0.0);
            (0..30).for_each(|_| beliefs.learn(2.0, ahead, 0.0, 1.0, 2.0));
            [30, 60, 180].map(|ahead| beliefs.believed(2.0, ahead, 0.0, 1.0))
        };
        let [half, hour, three] = after(60);
        assert!(half < 1.001 && hour > 1.9 && (1.4..1.6).contains(&three), "{half}, {hour}, {three}");
        let [half, hour, three] = after(30);
        assert!(half > 1.9 && hour < 1.001 && three < 1.001, "{half}, {hour}, {three}");
    }

    #[test]
    fn forecasts_from_before_a_shift_do_not_tell_of_it() {
        let mut beliefs = beliefs();
        for _ in 0..60 {
            // nothing much was foretold, and the level doubled
            beliefs.learn(1.0, 10, 0.0, 0.99, 2.0);
        }
        assert!(beliefs.believed(2.0, 10, 0.0, 1.0) < 1.2, "{}", beliefs.believed(2.0, 10, 0.0, 1.0));
    }

    #[test]
    fn what_is_left_of_a_model_that_is_not_believed_keeps_to_the_shape_of_the_load() {
        // an hour up, an hour down, and what is usual tells it
        let past = past(&(0..1000).map(|i| Some(if i / 60 % 2 == 0 { 108.0 } else { 100.0 })).collect::<Vec<_>>());
        let moves = |origin: usize, ahead: usize| past.value(origin + ahead) - past.value(origin);
        let mut misses = Misses::none(&[60]);
        for origin in 0..800 {
            misses.record(0, &past, origin, 60, past.value(origin + 60) + 0.1);
        }
        let mut beliefs = Beliefs::of(&misses, &past, moves);
        let shape = moves(0, 60);
        for _ in 0..100 {
            // the level has doubled, the shape is the same, the model wants back
            beliefs.learn(2.0, 60, shape, 1.0, 2.0 + shape);
        }
        let believed = beliefs.believed(2.0, 60, shape, 1.0);
        assert!(shape < -0.03 && (believed - (2.0 + shape)).abs() < 0.02, "{believed}, not {}", 2.0 + shape);
    }
}
