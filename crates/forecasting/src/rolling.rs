//! [`Rolling`]: the origins in the past from which every model is asked, as if each were now, and the [`Misses`] it made.

use std::ops::Range;

use crate::past::Past;

/// How much of the past is scored at most: long enough to see every part of the day and rare spikes many times, short enough to be what
/// the load is like now.
const LONGEST_SECONDS: i64 = 14 * 86_400;
/// With the week's features learnable from two days, a history of nine days is scored from its eighth on.
const WEEK: Reach = Reach { days: 7, learned_seconds: 2 * 86_400 };
/// With the day's learnable from half a day, one of a day and a half is scored from its second on.
const DAY: Reach = Reach { days: 1, learned_seconds: 43_200 };
/// A clock change and the width of local means are left before the first origin.
const MARGIN_SECONDS: i64 = 7200 + 900;
/// Models that are refitted are so twice a day in service, and in the rehearsal.
const BLOCK_SECONDS: i64 = 43_200;
/// More origins than this would tell hardly more; a history of a finer step is walked in longer strides.
const MOST_ORIGINS: usize = 2_500;
/// Coarse steps make a window of many days; more fits than this would tell hardly more.
const MOST_BLOCKS: usize = 8;
/// So few samples are scored from the first on; half of them would tell nothing.
const SCORED_WHOLE: usize = 60;
/// The share of a step that strides are off a whole number of steps: the golden one comes near every minute of the hour equally often, so that
/// what happens on the half hour is neither missed nor taken for the rule.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// How far back the features of a season look, and how much more of the past it takes to learn from them.
struct Reach {
    days: i64,
    learned_seconds: i64,
}

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
    /// Steps from one origin to the next, in the mean.
    stride: f64,
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
    /// The plan for `past`, asked `knots` ahead: from where the longest season is behind that it is long enough for, at most the newest 14 days.
    pub(crate) fn over(past: &Past, knots: Vec<usize>) -> Self {
        let calendar = past.calendar();
        let (last, day) = (past.last(), calendar.steps_in(86_400));
        let behind = [WEEK, DAY].into_iter().find_map(|reach| {
            let before = calendar.steps_in(reach.days * 86_400 + MARGIN_SECONDS);
            let learned = calendar.steps_in(reach.learned_seconds);
            // an origin whose next day fell into a gap tells nothing of the far horizons
            let tells = |&index: &usize| past.is_known(index) && (index + day > last || past.is_known(index + day));
            (last >= before + learned && (before..=last).filter(tells).nth(learned.saturating_sub(1)).is_some())
                .then_some(before)
        });
        let first = behind.unwrap_or(last / 2).min(last.saturating_sub(SCORED_WHOLE));
        Self::from(past, knots, first)
    }

    /// The plan for `past` with as many origins as `first` through the end hold, at most 14 days of them.
    pub(crate) fn from(past: &Past, knots: Vec<usize>, first: usize) -> Self {
        let last = past.last();
        let most = past.calendar().steps_in(LONGEST_SECONDS).max(SCORED_WHOLE);
        let window = last.saturating_sub(first).min(most);
        let block = window.div_ceil(MOST_BLOCKS).max(past.calendar().steps_in(BLOCK_SECONDS).min(window)).max(1);
        let blocks = (last - window..last)
            .step_by(block)
            .map(|start| Block { fitted_at: start, origins: start..(start + block).min(last) })
            .collect();
        let strides = window.div_ceil(MOST_ORIGINS);
        Self { knots, blocks, stride: if strides > 1 { strides as f64 - 1.0 + GOLDEN } else { 1.0 }, last }
    }

    /// The same plan, asked for one horizon alone.
    pub(crate) fn asked(&self, ahead: usize) -> Self {
        Self { knots: vec![ahead], ..self.clone() }
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

    /// The origins of a block: on the stride, counted back from the last sample, and known.
    pub(crate) fn origins<'a>(&'a self, past: &'a Past, block: &Block) -> impl Iterator<Item = usize> + 'a {
        block.origins.clone().filter(|&origin| self.is_origin(past, origin))
    }

    /// Whether `index` is one of the origins, were it in a block: known, and the nearest before some whole number of strides back.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number of steps, at most those of the history"
    )]
    pub(crate) fn is_origin(&self, past: &Past, index: usize) -> bool {
        let back = self.last - index;
        let strides = (back as f64 / self.stride).ceil();
        (strides * self.stride) as usize == back && past.is_known(index)
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

    /// Every knot with its misses, nearest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &[Miss])> {
        self.0.iter().map(|(knot, misses)| (*knot, misses.as_slice()))
    }

    /// The same, to say the centers anew.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut [Miss])> {
        self.0.iter_mut().map(|(knot, misses)| (*knot, misses.as_mut_slice()))
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
    fn a_history_is_scored_from_where_its_seasons_are_behind_and_at_most_two_weeks() {
        let day = 1440;
        let (day_behind, week_behind) = (day + 135, 7 * day + 135);
        assert_eq!(plan(2 * day).first(), day_behind);
        assert_eq!(plan(9 * day).first(), day_behind);
        assert_eq!(plan(14 * day).first(), week_behind);
        assert_eq!(plan(40 * day).first(), 40 * day - 1 - 14 * day);
        assert_eq!(plan(40 * day).blocks().len(), 8);
    }

    #[test]
    fn every_minute_of_the_hour_is_an_origin_and_none_more_than_twice_as_often_as_another() {
        for days in [3, 14, 15, 20] {
            let past = past(&vec![Some(1.0); days * 1440]);
            let rolling = Rolling::over(&past, vec![1]);
            let mut counts = [0_usize; 60];
            for block in rolling.blocks() {
                rolling.origins(&past, block).for_each(|origin| counts[origin % 60] += 1);
            }
            let (all, most) = (counts.iter().sum::<usize>(), counts.iter().max().unwrap());
            assert!(all <= MOST_ORIGINS + 1 + MOST_ORIGINS / 2, "{days} days: {all}");
            assert!(*most <= 2 * counts.iter().min().unwrap(), "{days} days: {counts:?}");
        }
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
