//! [`Blend`]: the center as a weighted mean of what the chosen model and some simple members say.
//!
//! ```text
//! c' = Σ_m w_m z_m / Σ_m w_m        w_m = ( (Σ λ^k |z_m − y'| + K l_m) / (Σ λ^k + K) + l/50 )^−8
//!
//! z_m = c                                            the model's center
//!       y,  ȳ                                        the last value; the mean of the last half hour
//!       y_P,  y − S(t−P) + S(t+h−P),  ȳ − ȳ(t−P) + S(t+h−P)      P = day, week
//!       U(t+h)                                       what is usual at that time of the day
//! ```
//!
//! `y'` what came, `h` steps after `t`; `y_P` the value at that time a day or a week before, `S` the mean over 15 minutes around it, `U` that mean over six days
//! without the extremes. The sums are over what came since, `λ` halves them in three hours; `l` is the model's mean error over the rehearsal, `l_m` that, half as much again of all
//! members but the model, and `K` weighs an hour. So the model's word counts until others have lately done better, and a load that begins to repeat last week to the letter, or
//! leaves its level, is followed within the hour that shows it. Beyond an hour ahead the model speaks alone. A member without a past says what the model says, and earns
//! nothing by it.
//!
//! Powers of the inverse loss: Bates and Granger, *Operational Research Quarterly* 20, 1969; Stock and Watson, *Journal of Forecasting* 23, 2004. In a rehearsal each
//! center is blended by what had come before it alone, so errors measured on it are those to be expected.

use crate::horizons;
use crate::past::Past;
use crate::rolling::{Miss, Misses};
use crate::values::Values;

/// How many members there are, the model first.
const MEMBERS: usize = 10;
const HALF_LIFE_SECONDS: f64 = 3.0 * 3600.0;
/// K, in seconds.
const PRIOR_SECONDS: f64 = 3600.0;
/// What is not the model is taken to miss so many times as much, before anything came.
const HANDICAP: f64 = 1.5;
const POWER: i32 = 8;
/// The share of the model's error below which errors are alike.
const ALIKE: f64 = 0.02;
/// Farther out what came tells too late which member to trust, and a day that was like no other comes back with its members.
const FARTHEST_SECONDS: i64 = 3600;
const LATELY_SECONDS: i64 = 1800;
const AROUND_SECONDS: i64 = 900;
/// Errors below this (on the models' scale, where loads are near 1) are rounding.
const LEAST_ERROR: f64 = 1e-9;

pub(crate) type Row = [f64; MEMBERS];

/// The weights of the members, per knot of the rehearsal.
#[derive(Debug, Clone)]
pub(crate) struct Blend {
    knots: Vec<Knot>,
    /// The first knot at which the model speaks alone.
    alone_from: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Knot {
    ahead: usize,
    /// λ
    fading: f64,
    /// K, in steps
    prior: f64,
    /// l
    expected: f64,
    /// Σ λ^k |z − y'|
    losses: Row,
    /// Σ λ^k
    seen: f64,
}

/// What members say of an origin, whatever the horizon.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    origin: usize,
    half: usize,
    now: f64,
    lately: f64,
    /// Of the day and the week before: the mean around the same time, and of the half hour before it.
    before: [Option<(f64, f64)>; 2],
}

impl Start {
    const DAYS: [i64; 2] = [1, 7];

    /// The start at `origin`.
    pub(crate) fn at(values: &impl Values, origin: usize) -> Self {
        let lately = values.calendar().steps_in(LATELY_SECONDS).max(1);
        let half = values.calendar().steps_in(AROUND_SECONDS).saturating_sub(1) / 2;
        let mean = |to: usize| values.mean((to + 1).saturating_sub(lately), to);
        let before = Self::DAYS.map(|days| {
            let then = values.season_before(origin, days, origin)?;
            Some((values.centered(then, half, origin), mean(then)))
        });
        Self { origin, half, now: values.value(origin), lately: mean(origin), before }
    }

    /// What every member says of the time `ahead` steps later, where the model says `center`.
    fn members(&self, values: &impl Values, ahead: usize, center: f64) -> Row {
        let mut row = [center; MEMBERS];
        (row[1], row[2]) = (self.now, self.lately);
        let time = self.origin + ahead;
        for (place, (days, before)) in Self::DAYS.into_iter().zip(self.before).enumerate() {
            let Some((around, lately)) = before else { continue };
            let Some(then) = values.season_before(time, days, self.origin) else { continue };
            let season = values.centered(then, self.half, self.origin);
            let first = 3 + 3 * place;
            row[first] = values.value(then);
            row[first + 1] = self.now - around + season;
            row[first + 2] = self.lately - lately + season;
            if days == 1 {
                row[9] = values.usual(then, self.half, self.origin);
            }
        }
        row
    }
}

impl Blend {
    /// Blends the centers of a rehearsal's `misses`, each by those whose outcome was known at its origin, and returns the blend after all of them.
    pub(crate) fn rehearse(misses: &mut Misses, past: &Past) -> Self {
        let mut origins: Vec<usize> =
            misses.iter().flat_map(|(_, misses)| misses.iter().map(|miss| miss.origin)).collect();
        origins.sort_unstable();
        origins.dedup();
        let starts: Vec<Start> = origins.into_iter().map(|origin| Start::at(past, origin)).collect();
        let hour = past.calendar().steps_in(FARTHEST_SECONDS).max(1);
        let blended = misses.iter_mut().take_while(|(ahead, _)| *ahead <= hour);
        let knots: Vec<Knot> = blended.map(|(ahead, misses)| Knot::rehearse(ahead, misses, past, &starts)).collect();
        Self { alone_from: misses.iter().map(|(ahead, _)| ahead).find(|ahead| *ahead > hour), knots }
    }

    /// The blended center `ahead` steps after `start`, where the model says `center`.
    pub(crate) fn center(&self, values: &impl Values, start: &Start, ahead: usize, center: f64) -> f64 {
        if self.knots.is_empty() {
            return center;
        }
        let (left, right, share) = horizons::place_by(&self.knots, |knot| knot.ahead, ahead);
        let last = self.knots[right].ahead;
        if let Some(alone) = self.alone_from.filter(|_| ahead > last) {
            if ahead >= alone {
                return center;
            }
            let (_, _, share) = horizons::place(&[last, alone], ahead);
            let blended = self.knots[right].blended(&start.members(values, ahead, center));
            return blended + (center - blended) * share;
        }
        let row = start.members(values, ahead, center);
        let near = self.knots[left].blended(&row);
        if left == right { near } else { near + (self.knots[right].blended(&row) - near) * share }
    }

    /// Learns that `actual` came `ahead` steps after `start`, where the model said `center`; returns what the blend would have said.
    pub(crate) fn learn(&mut self, values: &impl Values, start: &Start, ahead: usize, center: f64, actual: f64) -> f64 {
        let Some(knot) = self.knots.iter_mut().find(|knot| knot.ahead == ahead) else { return center };
        let row = start.members(values, ahead, center);
        let blended = knot.blended(&row);
        knot.learn(&row, actual, 1.0, knot.fading);
        blended
    }

    /// What was learned in use, by horizon in steps: what each member lost, and in how much time.
    pub(crate) fn lessons(&self) -> Vec<(usize, Row, f64)> {
        self.knots.iter().map(|knot| (knot.ahead, knot.losses, knot.seen)).collect()
    }

    /// Takes over what another one learned.
    pub(crate) fn inherit(&mut self, lessons: &[(usize, Row, f64)]) {
        for own in &mut self.knots {
            if let Some(&(_, losses, seen)) = lessons.iter().find(|(ahead, ..)| *ahead == own.ahead) {
                (own.losses, own.seen) = (losses, seen);
            }
        }
    }
}

impl Knot {
    fn rehearse(ahead: usize, misses: &mut [Miss], past: &Past, starts: &[Start]) -> Self {
        let step = f64::from(past.calendar().step().seconds());
        let error = misses.iter().map(|miss| miss.error().abs()).sum::<f64>() / misses.len().max(1) as f64;
        let mut knot = Self {
            ahead,
            fading: 0.5_f64.powf(step / HALF_LIFE_SECONDS),
            prior: PRIOR_SECONDS / step,
            expected: error.max(LEAST_ERROR),
            losses: [0.0; MEMBERS],
            seen: 0.0,
        };
        // origins are some steps apart, all about as many
        let span = misses.last().map_or(0, |last| last.origin - misses[0].origin);
        let stride = span as f64 / misses.len().saturating_sub(1).max(1) as f64;
        let fading = knot.fading.powf(stride);
        let mut all = starts.iter();
        let mut rows: Vec<Row> = Vec::with_capacity(misses.len());
        let mut known = 0;
        for place in 0..misses.len() {
            let Miss { origin, predicted, .. } = misses[place];
            let Some(start) = all.find(|start| start.origin == origin) else { continue };
            while known < place && misses[known].origin + ahead <= origin {
                knot.learn(&rows[known], misses[known].actual, stride, fading);
                known += 1;
            }
            let row = start.members(past, ahead, predicted);
            misses[place].predicted = knot.blended(&row);
            rows.push(row);
        }
        for (row, miss) in rows.iter().zip(misses.iter()).skip(known) {
            knot.learn(row, miss.actual, stride, fading);
        }
        knot
    }

    #[expect(clippy::float_cmp, reason = "a member without a past says the very same")]
    fn learn(&mut self, row: &Row, actual: f64, weight: f64, fading: f64) {
        let first = (row[0] - actual).abs();
        for (member, (loss, said)) in self.losses.iter_mut().zip(row).enumerate() {
            // who has no past yet, and says what the model says, earns nothing by it
            let missed = if member > 0 && *said == row[0] { HANDICAP * first } else { (said - actual).abs() };
            *loss = fading * *loss + weight * missed;
        }
        self.seen = fading * self.seen + weight;
    }

    fn blended(&self, row: &Row) -> f64 {
        let per = ((self.seen + self.prior) * self.expected).recip();
        let first = row[0];
        let (mut sum, mut total) = (0.0, 0.0);
        for (member, (loss, said)) in self.losses.iter().zip(row).enumerate() {
            let handicap = if member == 0 { 1.0 } else { HANDICAP };
            let relative = (loss * per) + self.prior * handicap * self.expected * per + ALIKE;
            let weight = relative.recip().powi(POWER);
            sum += weight * (said - first);
            total += weight;
        }
        first + sum / total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{normals, past};

    const DAY: usize = 1440;
    const WEEK: usize = 7 * DAY;
    const AHEAD: usize = 60;

    /// Two weeks of minutes that move from hour to hour, the second as the first was.
    fn two_alike() -> Past {
        let noise = normals(4, WEEK);
        let mut level = 100.0;
        let week: Vec<f64> = noise
            .iter()
            .map(|noise| {
                level = 100.0 + 0.99 * (level - 100.0) + 2.0 * noise;
                level
            })
            .collect();
        past(&(0..2 * WEEK).map(|i| Some(week[i % WEEK].max(0.0))).collect::<Vec<_>>())
    }

    /// What a center that says the last value misses of it, from `first` on.
    fn misses(past: &Past, first: usize, stride: usize) -> Misses {
        let mut misses = Misses::none(&[AHEAD]);
        for origin in (first..past.last() - AHEAD).step_by(stride) {
            misses.record(0, past, origin, AHEAD, past.value(origin));
        }
        misses
    }

    fn mean_size(misses: &[Miss]) -> f64 {
        misses.iter().map(|miss| miss.error().abs()).sum::<f64>() / misses.len() as f64
    }

    #[test]
    fn a_load_that_begins_to_repeat_its_week_is_followed_within_hours() {
        let past = two_alike();
        let mut blended = misses(&past, WEEK, 7);
        let alone = mean_size(blended.at(AHEAD));
        let mut blend = Blend::rehearse(&mut blended, &past);
        let from_then = &blended.at(AHEAD)[6 * 60 / 7..];
        assert!(mean_size(from_then) < 0.05 * alone, "{} of {alone}", mean_size(from_then));
        // and in use
        let start = Start::at(&past, past.last() - AHEAD);
        let actual = past.value(past.last());
        let said = blend.center(&past, &start, AHEAD, start.now);
        assert!((said - actual).abs() < 0.1 * alone, "{said}, not {actual}");
        assert!((blend.learn(&past, &start, AHEAD, start.now, actual) - said).abs() < 1e-12);
    }

    #[test]
    fn weights_are_solved_by_hand() {
        let fading = 0.5;
        let mut knot = Knot { ahead: 5, fading, prior: 2.0, expected: 0.5, losses: [0.0; MEMBERS], seen: 0.0 };
        let mut row = [1.0; MEMBERS];
        row[1] = 0.0;
        // before anything came: eight members of a half more loss, one of which says 0
        let first = (1.0 + 0.02_f64).powi(-8);
        let others = (1.5 + 0.02_f64).powi(-8);
        let expected = (first + 8.0 * others) / (first + 9.0 * others);
        assert!((knot.blended(&row) - expected).abs() < 1e-12);
        // the model misses by a half, the others by nothing and one by 1
        let mut came = [1.0; MEMBERS];
        (came[0], came[1]) = (0.5, 0.0);
        knot.learn(&came, 1.0, 1.0, fading);
        let relative = |loss: f64, handicap: f64| (loss + 2.0 * 0.5 * handicap) / 3.0 / 0.5 + 0.02;
        let weight = |loss: f64, handicap: f64| relative(loss, handicap).powi(-8);
        let agreeing = weight(0.5, 1.0) + 8.0 * weight(0.0, 1.5);
        assert!((knot.blended(&row) - agreeing / (agreeing + weight(1.0, 1.5))).abs() < 1e-12);
    }

    #[test]
    fn a_rehearsal_blends_by_what_was_known_at_each_origin() {
        let (past, cut) = (two_alike(), 10 * DAY);
        let mut whole = misses(&past, WEEK, 31);
        let mut changed = whole.clone();
        for (_, misses) in changed.iter_mut() {
            misses
                .iter_mut()
                .filter(|miss| miss.origin + AHEAD > cut)
                .for_each(|miss| miss.actual = 2.0 * miss.predicted - miss.actual);
        }
        // the model misses by as much as before, on the other side
        Blend::rehearse(&mut whole, &past);
        Blend::rehearse(&mut changed, &past);
        let mut later = 0.0;
        for (one, other) in whole.at(AHEAD).iter().zip(changed.at(AHEAD)) {
            if one.origin <= cut {
                assert!((one.predicted - other.predicted).abs() < 1e-9, "{}", one.origin);
            } else {
                later += (one.predicted - other.predicted).abs();
            }
        }
        assert!(later > 1.0, "{later}");
    }

    #[test]
    fn without_a_day_behind_the_model_and_the_last_values_are_left() {
        let past = past(&(0..300).map(|i| Some(100.0 + f64::from(i % 7))).collect::<Vec<_>>());
        let start = Start::at(&past, 250);
        let row = start.members(&past, 10, 1.25);
        assert!((row[1] - past.value(250)).abs() < 1e-12 && (row[2] - past.mean(221, 250)).abs() < 1e-12);
        assert!(row[3..].iter().all(|said| (said - 1.25).abs() < 1e-12), "{row:?}");
    }
}
