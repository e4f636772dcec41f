//! [`Backtest`]: what each member would have said in the last weeks, fitted without the week asked about.

use std::ops::Range;

use super::FittedMember;
use super::clock::Clock;
use super::gram::{Gram, Kernels};
use super::member::Member;
use super::naive::Said;
use super::road::Road;
use crate::past::Past;

/// Blocks that are left out, one at a time.
const BLOCKS: usize = 3;
/// A block is a week; of a shorter history so large a part, as a numerator and a denominator, that a seventh is never left out.
const PART: (usize, usize) = (2, 7);
/// About so many origins; more would tell hardly more.
const ORIGINS: usize = 46;
/// What a week of age takes of the weight of a row, in the exponent (`δ`).
const FORGETTING: f64 = 0.3;

/// From which origins it is asked, and how far.
#[derive(Debug, Clone)]
pub(super) struct Backtest {
    samples: usize,
    reach: usize,
    blocks: Vec<Range<usize>>,
    origins: Vec<usize>,
    kernels: Kernels,
}

/// Where one prediction of a backtest belongs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Place among the predictions of a member.
    pub(super) entry: usize,
    /// How many steps ahead of its origin.
    pub(super) ahead: usize,
    /// The index predicted, known.
    pub(super) target: usize,
}

impl Backtest {
    /// The plan for `samples` samples, `day` of them a day, of which those from `first` on have all regressors.
    pub(super) fn over(first: usize, samples: usize, day: usize, reach: usize) -> Self {
        let len = (7 * day).min((samples - first) * PART.0 / PART.1);
        let first = samples - BLOCKS * len;
        let blocks = (0..BLOCKS).map(|block| first + block * len..first + (block + 1) * len).collect();
        let mut stride = (BLOCKS * len).div_ceil(ORIGINS).max(1);
        // origins at the same few times of the day would not see the others
        while greatest_common_divisor(stride, day) > 1 {
            stride += 1;
        }
        let mut origins: Vec<usize> = (first..samples - 1).rev().step_by(stride).collect();
        origins.reverse();
        Self { samples, reach, blocks, origins, kernels: Kernels::of(day) }
    }

    /// The member fitted on everything, and what it said from all origins in turn, fitted without their block.
    pub(super) fn fit(
        &self,
        past: &Past,
        clock: &Clock,
        loads: &[f64],
        member: &'static Member,
    ) -> (FittedMember, Vec<f64>) {
        let day = clock.day();
        let mut road = Road::new(clock, loads, member, None, self.reach);
        let mut left_out: Vec<Gram> = self.blocks.iter().map(|_| Gram::none(road.columns(), day)).collect();
        let mut whole = Gram::none(road.columns(), day);
        let mut row = vec![0.0; road.columns()];
        // the oldest row weighs this, and each one after it so much more that the newest weighs 1
        let newer = (FORGETTING / (7.0 * day as f64)).exp();
        let mut next = newer.powi(i32::try_from(self.samples - 1 - road.first()).unwrap_or(i32::MAX)).recip();
        for index in road.first()..self.samples {
            let weight = next;
            next *= newer;
            if !past.is_known(index) {
                continue;
            }
            road.row(index, &mut row);
            let block = self.blocks.iter().position(|block| block.contains(&index));
            let gram = block.map_or(&mut whole, |block| &mut left_out[block]);
            gram.add(clock.step_of_day(index), day, &row, weight);
        }
        for gram in &left_out {
            whole.join(gram);
        }
        let mut predicted = Vec::with_capacity(self.origins.len() * self.reach);
        for (block, gram) in self.blocks.iter().zip(&left_out) {
            let coefficients = whole.without(gram).solve(&self.kernels, day);
            for &origin in self.origins.iter().filter(|origin| block.contains(origin)) {
                road.walk(origin, self.reach_from(origin), &coefficients, &mut predicted);
            }
        }
        let standard = road.standard();
        (FittedMember { member, standard, coefficients: whole.solve(&self.kernels, day) }, predicted)
    }

    /// What a naive member said from all origins in turn; `None` where it had too little behind it.
    pub(super) fn naive(&self, said: &Said<'_>) -> Option<Vec<f64>> {
        let origins = self.origins.iter();
        let asked = origins.flat_map(|&origin| (1..=self.reach_from(origin)).map(move |ahead| (origin, ahead)));
        asked.map(|(origin, ahead)| said.at(origin, ahead)).collect()
    }

    /// Where it is known what came.
    pub(super) fn places(&self, past: &Past) -> Vec<Place> {
        let origins = self.origins.iter();
        let asked = origins.flat_map(|&origin| (1..=self.reach_from(origin)).map(move |ahead| (ahead, origin + ahead)));
        let places = asked.enumerate().map(|(entry, (ahead, target))| Place { entry, ahead, target });
        places.filter(|place| past.is_known(place.target)).collect()
    }

    fn reach_from(&self, origin: usize) -> usize {
        self.reach.min(self.samples - 1 - origin)
    }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
