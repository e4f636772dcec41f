//! [`Rolling`]: the origins in the past from which every model is asked, as if each were now, and the [`Misses`] it made.

use std::ops::Range;

use crate::past::Past;

/// How much of the past is scored: long enough to see every part of the day several times, short enough to be what the
/// load is like now.
const WINDOW_SECONDS: i64 = 3 * 86_400;
/// Models are refitted twice a day in service, and so in the rehearsal.
const BLOCK_SECONDS: i64 = 43_200;
/// More origins than this would tell hardly more; a history of a finer step is walked in longer strides.
const MOST_ORIGINS: usize = 4_320;
/// Coarse steps make a window of many days; more fits than this would tell hardly more.
const MOST_BLOCKS: usize = 8;
/// So few samples are scored from the first on; half of them would tell nothing.
const SCORED_WHOLE: usize = 60;

/// A stretch of origins with one fit before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// The last index the fit may look at.
    pub(crate) fitted_at: usize,
    /// The origins, none before `fitted_at`.
    pub(crate) origins: Range<usize>,
}

/// The plan of a rehearsal: which origins, in which blocks, how far ahead.
#[derive(Debug, Clone)]
pub(crate) struct Rolling {
    knots: Vec<usize>,
    blocks: Vec<Block>,
    stride: usize,
    last: usize,
}

/// What was predicted and what came, `ahead` steps after an origin; both on the models' scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Miss {
    /// Index of the origin.
    pub(crate) origin: usize,
    /// What was predicted there.
    pub(crate) predicted: f64,
    /// What came.
    pub(crate) actual: f64,
}

/// The misses of one model, per knot, in the order of their origins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Misses(Vec<(usize, Vec<Miss>)>);

impl Rolling {
    /// The plan for `past`: the newest half of it, at most three days, asked `knots` ahead.
    pub(crate) fn over(past: &Past, knots: Vec<usize>) -> Self {
        let calendar = past.calendar();
        let last = past.last();
        let most = calendar.steps_in(WINDOW_SECONDS).max(SCORED_WHOLE);
        let window = (last / 2).max(SCORED_WHOLE).min(most).min(last);
        Self::with_window(past, knots, window)
    }

    /// The plan for `past` with as many origins as `first` through the end hold, at most three days of them.
    pub(crate) fn from(past: &Past, knots: Vec<usize>, first: usize) -> Self {
        let most = past.calendar().steps_in(WINDOW_SECONDS).max(SCORED_WHOLE);
        let window = past.last().saturating_sub(first).min(most);
        Self::with_window(past, knots, window)
    }

    fn with_window(past: &Past, knots: Vec<usize>, window: usize) -> Self {
        let last = past.last();
        let block = window.div_ceil(MOST_BLOCKS).max(past.calendar().steps_in(BLOCK_SECONDS).min(window)).max(1);
        let first = last - window;
        let blocks = (first..last)
            .step_by(block)
            .map(|start| Block { fitted_at: start, origins: start..(start + block).min(last) })
            .collect();
        Self { knots, blocks, stride: window.div_ceil(MOST_ORIGINS).max(1), last }
    }

    /// The horizons asked for, in steps, rising.
    pub(crate) fn knots(&self) -> &[usize] {
        &self.knots
    }

    /// The blocks, oldest first.
    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The first origin.
    pub(crate) fn first(&self) -> usize {
        self.blocks.first().map_or(self.last, |block| block.origins.start)
    }

    /// Every how many steps an origin is.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// The origins of a block: on the stride, counted back from the last sample, and known.
    pub(crate) fn origins<'a>(&'a self, past: &'a Past, block: &Block) -> impl Iterator<Item = usize> + 'a {
        block.origins.clone().filter(|&origin| self.is_origin(past, origin))
    }

    /// Whether `index` is one of the origins, were it in a block.
    pub(crate) fn is_origin(&self, past: &Past, index: usize) -> bool {
        (self.last - index).is_multiple_of(self.stride) && past.is_known(index)
    }
}

impl Misses {
    /// No miss yet at any of `knots`.
    pub(crate) fn none(knots: &[usize]) -> Self {
        Self(knots.iter().map(|&knot| (knot, Vec::new())).collect())
    }

    /// Notes what was predicted, where it is known what came.
    pub(crate) fn record(&mut self, knot: usize, past: &Past, origin: usize, ahead: usize, predicted: f64) {
        if past.is_known(origin + ahead) {
            self.0[knot].1.push(Miss { origin, predicted, actual: past.value(origin + ahead) });
        }
    }

    /// Puts `misses` in the place of those at a knot.
    #[cfg(test)]
    pub(crate) fn replace(&mut self, knot: usize, misses: Vec<Miss>) {
        self.0[knot].1 = misses;
    }

    /// Every knot with its misses, nearest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &[Miss])> {
        self.0.iter().map(|(knot, misses)| (*knot, misses.as_slice()))
    }

    /// The misses at the knot `ahead` steps away; none where that is no knot.
    pub(crate) fn at(&self, ahead: usize) -> &[Miss] {
        self.0.iter().find(|(knot, _)| *knot == ahead).map_or(&[], |(_, misses)| misses)
    }
}

impl Miss {
    /// How much more came than was predicted.
    pub(crate) fn error(&self) -> f64 {
        self.actual - self.predicted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::past;

    fn plan(samples: usize) -> Rolling {
        Rolling::over(&past(&vec![Some(1.0); samples]), vec![1, 4])
    }

    #[test]
    fn a_long_history_is_scored_on_its_last_three_days_in_half_days() {
        let rolling = plan(14 * 1440);
        let day = 1440;
        assert_eq!(rolling.first(), 14 * day - 1 - 3 * day);
        assert_eq!(rolling.blocks().len(), 6);
        assert!(rolling.blocks().iter().all(|block| block.origins.len() == day / 2));
        assert_eq!(rolling.stride(), 1);
    }

    #[test]
    fn a_short_history_is_scored_on_its_newer_half_and_a_very_short_one_whole() {
        assert_eq!(plan(1001).first(), 500);
        assert_eq!(plan(50).first(), 0);
        assert_eq!(plan(3).blocks().iter().map(|block| block.origins.len()).sum::<usize>(), 2);
    }

    #[test]
    fn blocks_follow_each_other_and_never_begin_before_their_fit() {
        for samples in [2, 3, 61, 200, 2000, 10_000] {
            let rolling = plan(samples);
            let blocks = rolling.blocks();
            assert!(blocks.iter().all(|block| block.fitted_at <= block.origins.start && !block.origins.is_empty()));
            assert!(blocks.windows(2).all(|pair| pair[0].origins.end == pair[1].origins.start));
            assert_eq!(blocks.last().map(|block| block.origins.end), Some(samples - 1));
        }
    }

    #[test]
    fn only_known_samples_are_origins_and_targets() {
        let past = past(&[Some(1.0), None, Some(2.0), Some(3.0)]);
        let rolling = Rolling::over(&past, vec![1]);
        let origins: Vec<usize> = rolling.blocks().iter().flat_map(|block| rolling.origins(&past, block)).collect();
        assert_eq!(origins, vec![0, 2]);
        let mut misses = Misses::none(&[1]);
        for origin in origins {
            misses.record(0, &past, origin, 1, 0.0);
        }
        assert_eq!(misses.at(1).iter().map(|miss| miss.origin).collect::<Vec<_>>(), [2]);
    }
}
