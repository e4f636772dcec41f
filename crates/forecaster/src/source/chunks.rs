//! [`GridRange`]: a run of grid times, and how it is cut into pieces that a server answers.

use series::{Step, Timestamp};

/// Points per series and request: Prometheus refuses more than 11,000 steps.
pub(crate) const MOST_POINTS: usize = 11_000;

/// `count` grid times, `step` apart, from `first` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GridRange {
    first: Timestamp,
    count: usize,
    step: Step,
}

impl GridRange {
    /// The grid times from `first` to `last`, both on the grid of `step`; `None` where there are none.
    pub(crate) fn between(first: Timestamp, last: Timestamp, step: Step) -> Option<Self> {
        let steps = (last.as_second() - first.as_second()).div_euclid(i64::from(step.seconds()));
        let count = usize::try_from(steps).ok()?.checked_add(1)?;
        Some(Self { first, count, step })
    }

    pub(crate) fn first(&self) -> Timestamp {
        self.first
    }

    pub(crate) fn last(&self) -> Timestamp {
        self.time(self.count - 1)
    }

    /// How many grid times there are, at least 1.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// How many of its times are not after `time`.
    pub(crate) fn count_until(&self, time: Timestamp) -> usize {
        Self::between(self.first, self.step.floor(time), self.step).map_or(0, |until| until.count.min(self.count))
    }

    pub(crate) fn step(&self) -> Step {
        self.step
    }

    /// The pieces of at most `most` (1 or more) grid times, oldest first; the newest may be shorter.
    pub(crate) fn oldest_first(self, most: usize) -> impl Iterator<Item = Self> {
        let most = most.max(1);
        (0..self.count.div_ceil(most)).map(move |piece| {
            let skipped = piece * most;
            Self { first: self.time(skipped), count: most.min(self.count - skipped), step: self.step }
        })
    }

    /// The newest `most` (1 or more) grid times, or all where there are fewer.
    pub(crate) fn newest(self, most: usize) -> Self {
        let count = self.count.min(most.max(1));
        Self { first: self.time(self.count - count), count, step: self.step }
    }

    fn time(&self, index: usize) -> Timestamp {
        self.step.shift(self.first, i64::try_from(index).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(first: i64, count: usize, step: u32) -> GridRange {
        let step = Step::from_seconds(step).unwrap();
        let first = step.floor(Timestamp::from_second(first).unwrap());
        GridRange { first, count, step }
    }

    fn times(range: &GridRange) -> Vec<Timestamp> {
        (0..range.count).map(|index| range.time(index)).collect()
    }

    #[test]
    fn both_ends_belong_to_a_range() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let count = |first, last| GridRange::between(at(first), at(last), Step::MINUTE).map(|range| range.count());
        assert_eq!(count(60, 60), Some(1));
        assert_eq!(count(60, 180), Some(3));
        assert_eq!(count(120, 60), None);
        assert_eq!(count(120, -60_000), None);
    }

    #[test]
    fn times_are_counted_up_to_one_that_need_not_be_among_them() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let range = GridRange::between(at(60), at(180), Step::MINUTE).unwrap();
        let counts = [-60, 59, 60, 119, 120, 180, 100_000].map(|seconds| range.count_until(at(seconds)));
        assert_eq!(counts, [0, 0, 1, 1, 2, 3, 3]);
        assert_eq!((range.count_until(Timestamp::MIN), range.count_until(Timestamp::MAX)), (0, 3));
    }

    proptest! {
        #[test]
        fn pieces_cover_every_time_once_and_none_is_too_long(
            first in 0_i64..2_000_000_000, count in 1_usize..500, step in 1_u32..4000, most in 1_usize..60,
        ) {
            let whole = range(first, count, step);
            let pieces: Vec<_> = whole.oldest_first(most).collect();
            prop_assert!(pieces.iter().all(|piece| (1..=most).contains(&piece.count())));
            let covered: Vec<_> = pieces.iter().flat_map(times).collect();
            prop_assert_eq!(covered, times(&whole));
            prop_assert_eq!(pieces.last().map(GridRange::last), Some(whole.last()));
        }

        #[test]
        fn walking_back_from_the_newest_piece_covers_every_time_once(
            first in 0_i64..2_000_000_000, count in 1_usize..500, step in 1_u32..4000, most in 1_usize..60,
        ) {
            let whole = range(first, count, step);
            let mut left = Some(whole);
            let mut covered = Vec::new();
            while let Some(rest) = left {
                let piece = rest.newest(most);
                prop_assert!((1..=most).contains(&piece.count()));
                covered.splice(0..0, times(&piece));
                let before = rest.step().shift(piece.first(), -1);
                left = GridRange::between(rest.first(), before, rest.step());
            }
            prop_assert_eq!(covered, times(&whole));
        }
    }
}
