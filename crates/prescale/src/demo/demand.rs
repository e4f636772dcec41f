//! [`Demand`]: the load of an invented chat service.
//!
//! Two weeks of history and the day that is shown: night and day with a late-morning and an evening shoulder, quieter
//! weekends, noise that drifts and noise of single requests, a job that runs every afternoon at about the same time, and
//! one burst on the last day that nothing before it hints at. The seed decides all of the chance in it.

use std::f64::consts::TAU;
use std::time::Duration;

use fastrand::Rng;
use series::{Load, Step, Timestamp};

/// Days before the one that is shown.
pub(super) const HISTORY_DAYS: usize = 14;

/// Grain of the load: one sync of an HPA.
const SLOT_SECONDS: usize = 15;
const SLOTS_PER_DAY: usize = 86_400 / SLOT_SECONDS;
const SLOTS_PER_MINUTE: usize = 60 / SLOT_SECONDS;

/// Midnight (UTC) of a Wednesday, so that the day shown is an ordinary Wednesday as well.
const FIRST_MIDNIGHT: i64 = 1_772_582_400;
const FIRST_WEEKDAY: usize = 2;

/// What the rhythm is multiplied with, in requests per second.
const SIZE: f64 = 330.0;

/// Extra load of the daily job and of the one burst, in requests per second: about a third of what there is by day.
const EXTRA: f64 = 110.0;

/// When the job runs, give or take a few minutes, and when the burst begins on the last day, in hours after midnight.
const JOB_HOUR: f64 = 15.0;
const BURST_HOUR: f64 = 11.5;

/// How long the burst stays at its height, in seconds.
const BURST_HOLD: f64 = 900.0;

/// Requests per second, in slots of 15 seconds.
#[derive(Debug)]
pub(super) struct Demand {
    slots: Vec<f64>,
}

impl Demand {
    /// The load that `seed` makes.
    pub(super) fn invent(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut slots = Vec::with_capacity((HISTORY_DAYS + 1) * SLOTS_PER_DAY);
        let mut drift = 0.0;
        for day in 0..=HISTORY_DAYS {
            let level = (0.03 * normal(&mut rng)).exp();
            let mut bumps = vec![Bump { begin: JOB_HOUR * 3600.0 + 180.0 * normal(&mut rng), hold: 1500.0 }];
            if day == HISTORY_DAYS {
                bumps.push(Bump { begin: BURST_HOUR * 3600.0, hold: BURST_HOLD });
            }
            for slot in 0..SLOTS_PER_DAY {
                // a first-order autoregression that forgets in ten minutes and wanders by 3 %
                let memory = (-(SLOT_SECONDS as f64) / 600.0).exp();
                drift = memory * drift + 0.03 * (1.0 - memory * memory).sqrt() * normal(&mut rng);
                let second = (slot * SLOT_SECONDS) as f64;
                let extra: f64 = bumps.iter().map(|bump| EXTRA * bump.share(second)).sum();
                let mean = SIZE * level * rhythm(day, second / 3600.0) * drift.exp() + extra;
                // a count of many independent requests: its variance is its mean
                let requests = mean * SLOT_SECONDS as f64;
                let counted = (requests + requests.sqrt() * normal(&mut rng)).round().max(0.0);
                slots.push(counted / SLOT_SECONDS as f64);
            }
        }
        Self { slots }
    }

    /// Where the history begins.
    pub(super) fn history_begins() -> Timestamp {
        Timestamp::from_second(FIRST_MIDNIGHT).unwrap_or_default()
    }

    /// Where the day that is shown begins.
    pub(super) fn day_begins() -> Timestamp {
        let days = i64::try_from(HISTORY_DAYS).unwrap_or_default();
        Step::MINUTE.shift(Self::history_begins(), days * 24 * 60)
    }

    /// When the one burst of the day that is shown begins, and when the last of it is gone.
    pub(super) fn burst() -> (Timestamp, Timestamp) {
        let begin = Self::day_begins().saturating_add(Duration::from_secs_f64(BURST_HOUR * 3600.0));
        let begin = begin.unwrap_or(Timestamp::MAX);
        let length = Duration::from_secs_f64(Bump::RISE + BURST_HOLD + Bump::FALL);
        (begin, begin.saturating_add(length).unwrap_or(Timestamp::MAX))
    }

    /// How many ticks the day that is shown has.
    pub(super) fn ticks() -> usize {
        SLOTS_PER_DAY
    }

    /// When tick `tick` of the day that is shown begins.
    pub(super) fn tick_begins(tick: usize) -> Timestamp {
        let passed = Duration::from_secs((tick * SLOT_SECONDS) as u64);
        Self::day_begins().saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// The load from `at` until 15 seconds later; none outside of what was invented.
    pub(super) fn from(&self, at: Timestamp) -> Load {
        slot_of(at).and_then(|slot| self.slots.get(slot)).map_or(Load::ZERO, |&amount| load(amount))
    }

    /// What `rate(…[1m])` gives at `at`: the mean of the minute before; `None` where not all of it is known.
    pub(super) fn rate(&self, at: Timestamp) -> Option<Load> {
        let end = slot_of(at)?;
        let minute = self.slots.get(end.checked_sub(SLOTS_PER_MINUTE)?..end)?;
        Some(load(minute.iter().sum::<f64>() / SLOTS_PER_MINUTE as f64))
    }
}

/// Extra load that rises within two minutes, holds, and falls within ten.
struct Bump {
    begin: f64,
    hold: f64,
}

impl Bump {
    const RISE: f64 = 120.0;
    const FALL: f64 = 600.0;

    /// How much of it there is `second` seconds after midnight, from 0 to 1.
    fn share(&self, second: f64) -> f64 {
        let rising = (second - self.begin) / Self::RISE;
        let falling = 1.0 - (second - self.begin - Self::RISE - self.hold) / Self::FALL;
        rising.min(falling).clamp(0.0, 1.0)
    }
}

/// The load of a time of day, as a share of [`SIZE`].
fn rhythm(day: usize, hour: f64) -> f64 {
    let weekend = (FIRST_WEEKDAY + day) % 7 >= 5;
    let (size, morning) = if weekend { (0.7, 12.0) } else { (1.0, 10.5) };
    let shoulder = |center: f64, width: f64| {
        // the hours run in a circle
        let away = (hour - center + 12.0).rem_euclid(24.0) - 12.0;
        (-(away / width).powi(2) / 2.0).exp()
    };
    0.25 + size * (0.75 * shoulder(morning, 2.3) + 0.55 * shoulder(15.0, 2.5) + 0.7 * shoulder(20.0, 2.0))
}

/// A standard normal number (Box and Muller, Annals of Mathematical Statistics 29, 1958).
fn normal(rng: &mut Rng) -> f64 {
    let uniform = 1.0 - rng.f64();
    (-2.0 * uniform.ln()).sqrt() * (TAU * rng.f64()).cos()
}

fn slot_of(at: Timestamp) -> Option<usize> {
    let seconds = usize::try_from(at.as_second() - FIRST_MIDNIGHT).ok()?;
    Some(seconds / SLOT_SECONDS)
}

fn load(amount: f64) -> Load {
    // counts of thousands of requests are loads
    Load::new(amount).unwrap_or(Load::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean load from minute `from` to minute `to` of `day`.
    fn mean(demand: &Demand, day: usize, from: usize, to: usize) -> f64 {
        let slot = |minute: usize| day * SLOTS_PER_DAY + minute * SLOTS_PER_MINUTE;
        let part = &demand.slots[slot(from)..slot(to)];
        part.iter().sum::<f64>() / part.len() as f64
    }

    #[test]
    fn one_seed_makes_one_load() {
        assert_eq!(Demand::invent(7).slots, Demand::invent(7).slots);
        assert_ne!(Demand::invent(7).slots, Demand::invent(8).slots);
    }

    #[test]
    fn the_rate_is_the_mean_of_the_minute_before() {
        let demand = Demand::invent(1);
        let at = |seconds: i64| Timestamp::from_second(FIRST_MIDNIGHT + seconds).unwrap();
        assert_eq!(demand.rate(at(45)), None);
        let first = [0, 15, 30, 45].map(|second| demand.from(at(second)).get());
        assert_eq!(demand.rate(at(60)).map(Load::get), Some(first.iter().sum::<f64>() / 4.0));
        assert_eq!(demand.from(at(-1)), Load::ZERO);
        assert!(demand.rate(Demand::tick_begins(SLOTS_PER_DAY)).is_some());
        assert_eq!(demand.rate(Demand::tick_begins(SLOTS_PER_DAY + 1)), None);
    }

    #[test]
    fn days_have_their_shoulders_weekends_are_quieter_and_the_job_comes_every_day() {
        let demand = Demand::invent(3);
        for day in 0..=HISTORY_DAYS {
            assert!(mean(&demand, day, 600, 660) > 1.5 * mean(&demand, day, 180, 240), "day {day}");
            assert!(mean(&demand, day, 912, 924) > mean(&demand, day, 858, 876) + 60.0, "day {day}");
        }
        // the first Saturday and the Wednesday before
        assert!(mean(&demand, 3, 480, 1320) < 0.85 * mean(&demand, 0, 480, 1320));
    }

    #[test]
    fn the_burst_comes_on_the_last_day_alone() {
        let demand = Demand::invent(3);
        let jump = |day: usize| mean(&demand, day, 693, 705) - mean(&demand, day, 678, 690);
        assert!((0..HISTORY_DAYS).all(|day| jump(day) < 40.0));
        assert!(jump(HISTORY_DAYS) > 70.0);
    }
}
