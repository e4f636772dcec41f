//! [`Grid`]: the ticks of a past load, and the buckets they fall in.

use series::{Series, Step, Timestamp};

use crate::TICK;

/// The ticks over a load, from the beginning of its first bucket to the end of its last.
///
/// As everywhere, the sample at time `t` was known at `t` and speaks of the step before: its bucket ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    begin: Timestamp,
    step: Step,
    buckets: usize,
}

impl Grid {
    /// The grid of `load`.
    pub fn of(load: &Series) -> Self {
        Self { begin: load.step().shift(load.start(), -1), step: load.step(), buckets: load.len() }
    }

    /// How many ticks there are.
    pub fn ticks(&self) -> usize {
        let end = self.step.shift(self.begin, signed(self.buckets)).as_second();
        usize::try_from((end - self.first_tick() - 1).div_euclid(grain()) + 1).unwrap_or(0)
    }

    /// When tick `tick` begins: ticks lie at multiples of [`TICK`] since the epoch.
    pub fn time(&self, tick: usize) -> Timestamp {
        let seconds = grain().saturating_mul(signed(tick)).saturating_add(self.first_tick());
        Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
    }

    /// The first tick `span` after the beginning or later.
    pub fn tick_after(&self, span: std::time::Duration) -> usize {
        let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX) + self.begin.as_second() - self.first_tick();
        usize::try_from((seconds + grain() - 1).div_euclid(grain())).unwrap_or(0)
    }

    /// The bucket in which `tick` begins.
    pub fn bucket(&self, tick: usize) -> usize {
        self.closed_at(self.time(tick)).min(self.buckets.saturating_sub(1))
    }

    /// How many buckets have closed at `now`.
    pub(crate) fn closed_at(&self, now: Timestamp) -> usize {
        let whole = (now.as_second() - self.begin.as_second()).div_euclid(i64::from(self.step.seconds()));
        usize::try_from(whole).unwrap_or(0).min(self.buckets)
    }

    /// The spacing of the buckets.
    pub fn step(&self) -> Step {
        self.step
    }

    fn first_tick(&self) -> i64 {
        (self.begin.as_second() + grain() - 1).div_euclid(grain()) * grain()
    }
}

fn grain() -> i64 {
    signed(usize::try_from(TICK.as_secs()).unwrap_or(usize::MAX))
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use series::{GapReason, Sample};

    use super::*;

    fn grid(begin: i64, step: u32, buckets: usize) -> Grid {
        let step = Step::from_seconds(step).unwrap();
        let start = step.shift(Timestamp::from_second(begin).unwrap(), 1);
        let samples = (0..buckets).map(|_| Sample::Gap(GapReason::NoSample));
        Grid::of(&Series::from_samples(start, step, samples).unwrap())
    }

    #[test]
    fn a_minute_has_four_ticks_that_know_of_the_minutes_before() {
        let grid = grid(600, 60, 3);
        assert_eq!((grid.ticks(), grid.time(0).as_second(), grid.time(11).as_second()), (12, 600, 765));
        assert_eq!((0..12).map(|tick| grid.bucket(tick)).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
        assert_eq!((0..12).map(|tick| grid.closed_at(grid.time(tick))).max(), Some(2));
        assert_eq!(grid.tick_after(Duration::from_secs(61)), 5);
    }

    #[test]
    fn ticks_lie_on_quarter_minutes_whatever_the_step_is() {
        let grid = grid(14, 7, 10);
        assert_eq!((grid.time(0).as_second(), grid.ticks()), (15, 5));
        // buckets begin at 14, 21, 28, 35, …; ticks at 15, 30, 45
        assert_eq!([0, 1, 2].map(|tick| grid.bucket(tick)), [0, 2, 4]);
        assert_eq!(self::grid(-120, 60, 2).time(1).as_second(), -105);
    }
}
