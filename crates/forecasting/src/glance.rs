//! [`Glance`]: a history as it lies there, brought to the models' scale where it is read.

use std::cell::OnceCell;
use std::ops::Range;

use jiff::tz::TimeZone;
use series::{Load, Series};

use crate::fill;
use crate::past::Calendar;
use crate::scale::Scale;
use crate::values::Values;

/// So many values are made ready when one of them is read: about as many as a window holds.
const BLOCK: usize = 32;

/// A view that costs next to nothing to make, and a root for each value near one that is read; see [`Values`].
#[derive(Debug)]
pub(crate) struct Glance<'a> {
    history: &'a Series,
    scale: Scale,
    calendar: Calendar,
    /// Index in the series of the first known sample.
    first: usize,
    /// Index from there of the last known one.
    last: usize,
    /// The runs of unknown samples between the two, oldest first.
    gaps: Vec<Range<usize>>,
    /// What has been read of the whole, from the first known sample on.
    blocks: Vec<OnceCell<Box<Block>>>,
}

/// Some values side by side.
#[derive(Debug)]
struct Block {
    values: [f64; BLOCK],
    /// `sums[i]` is the sum of the first `i` values.
    sums: [f64; BLOCK + 1],
    /// `changes[i]` is the sum of the sizes of the changes to the first `i` values, each from the value before it.
    changes: [f64; BLOCK + 1],
}

impl<'a> Glance<'a> {
    /// A view of `history` on `scale`; `None` where no sample is known.
    pub(crate) fn new(history: &'a Series, scale: Scale, timezone: &TimeZone) -> Option<Self> {
        let first = (0..history.len()).find(|&index| history.load(index).is_some())?;
        let last = (0..history.len()).rev().find(|&index| history.load(index).is_some())?;
        let calendar = Calendar::new(history.time(first), history.step(), history.len() - first, timezone);
        let mut gaps: Vec<Range<usize>> = Vec::new();
        for gap in history.gaps().iter().filter(|gap| first < gap.first && gap.first < last) {
            let (start, end) = (gap.first - first, gap.first + gap.len - first);
            match gaps.last_mut() {
                Some(before) if before.end == start => before.end = end,
                _ => gaps.push(start..end),
            }
        }
        let blocks = std::iter::repeat_with(OnceCell::new).take((last - first) / BLOCK + 1).collect();
        Some(Self { history, scale, calendar, first, last: last - first, gaps, blocks })
    }

    /// How many steps the history goes on after its last known sample.
    pub(crate) fn stale(&self) -> usize {
        self.history.len() - 1 - self.first - self.last
    }

    fn known(&self, index: usize) -> Option<f64> {
        self.history.load(self.first + index).map(series::Load::get)
    }

    fn load(&self, index: usize) -> f64 {
        if let Some(load) = self.known(index) {
            return load;
        }
        let gap = self.gaps.get(self.gaps.partition_point(|gap| gap.end <= index)).cloned().unwrap_or(index..index + 1);
        let neighbors = (gap.start.checked_sub(1).and_then(|left| self.known(left)), self.known(gap.end));
        fill::inside(&gap, index, neighbors, &self.calendar, |source| self.load(source))
    }

    fn block(&self, place: usize) -> &Block {
        self.blocks[place].get_or_init(|| Box::new(self.read(place * BLOCK)))
    }

    /// The block that begins at index `start`.
    fn read(&self, start: usize) -> Block {
        let end = (start + BLOCK).min(self.last + 1);
        let amounts = &self.history.amounts()[self.first + start..self.first + end];
        let mut values = [0.0_f64; BLOCK];
        for (value, amount) in values.iter_mut().zip(amounts) {
            // rounding may have carried the largest load out of its range
            *value = self.scale.forward(f64::from(*amount).clamp(-Load::MAX, Load::MAX));
        }
        for (index, value) in (start..end).zip(&mut values) {
            if value.is_nan() {
                *value = self.scale.forward(self.load(index));
            }
        }
        let (mut sums, mut changes) = ([0.0; BLOCK + 1], [0.0; BLOCK + 1]);
        let (mut sum, mut change) = (0.0, 0.0);
        let mut before = start.checked_sub(1).map_or(values[0], |index| self.scale.forward(self.load(index)));
        for (place, value) in (1..).zip(values) {
            sum += value;
            change += (value - before).abs();
            before = value;
            (sums[place], changes[place]) = (sum, change);
        }
        Block { values, sums, changes }
    }

    /// The sum over `from..=to` of what `sums` holds the running sums of.
    fn sum(&self, from: usize, to: usize, sums: impl Fn(&Block) -> &[f64; BLOCK + 1]) -> f64 {
        let (first, last) = (from / BLOCK, to / BLOCK);
        let (before, through) = (from % BLOCK, to % BLOCK + 1);
        let of_first = sums(self.block(first));
        if first == last {
            return of_first[through] - of_first[before];
        }
        let between: f64 = (first + 1..last).map(|place| sums(self.block(place))[BLOCK]).sum();
        of_first[BLOCK] - of_first[before] + between + sums(self.block(last))[through]
    }
}

impl Values for Glance<'_> {
    fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    fn last(&self) -> usize {
        self.last
    }

    fn value(&self, index: usize) -> f64 {
        self.block(index / BLOCK).values[index % BLOCK]
    }

    fn is_known(&self, index: usize) -> bool {
        self.known(index).is_some()
    }

    fn mean(&self, from: usize, to: usize) -> f64 {
        self.sum(from, to, |block| &block.sums) / (to + 1 - from) as f64
    }

    fn unrest(&self, from: usize, to: usize) -> f64 {
        self.sum(from, to, |block| &block.changes) / (to + 1 - from) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::past::Past;
    use crate::testing::series;

    #[test]
    fn a_glance_sees_what_the_prepared_past_holds() {
        let mut loads: Vec<Option<f64>> = (0..4 * 1440_u32).map(|i| Some(f64::from(i * 7919 % 97))).collect();
        loads[..3].fill(None);
        loads[100..130].fill(None);
        loads[2000..2300].fill(None);
        loads[3400..3900].fill(None);
        loads[5755..].fill(None);
        let history = series(&loads);
        let scale = Scale::of(&history);
        let (past, glance) = (
            Past::new(&history, scale, &TimeZone::UTC).unwrap(),
            Glance::new(&history, scale, &TimeZone::UTC).unwrap(),
        );
        assert_eq!((glance.last(), glance.stale()), (past.last(), past.stale()));
        for index in 0..=past.last() {
            assert!((glance.value(index) - past.value(index)).abs() < 1e-12, "value {index}");
            assert_eq!(glance.is_known(index), past.is_known(index));
        }
        for (from, to) in [(1, 1), (31, 32), (32, 63), (50, 200), (1990, 2310), (5000, past.last())] {
            assert!((glance.mean(from, to) - Values::mean(&past, from, to)).abs() < 1e-9);
            assert!((glance.unrest(from, to) - past.unrest(from, to)).abs() < 1e-9);
        }
    }
}
