//! [`Glance`]: a history as it lies there, each value brought to the models' scale when it is read.

use std::ops::Range;

use jiff::tz::TimeZone;
use series::Series;

use crate::fill;
use crate::past::Calendar;
use crate::scale::Scale;
use crate::values::Values;

/// A view that costs nothing to make and a root per value to read; see [`Values`].
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
        Some(Self { history, scale, calendar, first, last: last - first, gaps })
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
}

impl Values for Glance<'_> {
    fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    fn last(&self) -> usize {
        self.last
    }

    fn value(&self, index: usize) -> f64 {
        self.scale.forward(self.load(index))
    }

    fn is_known(&self, index: usize) -> bool {
        self.known(index).is_some()
    }

    fn mean(&self, from: usize, to: usize) -> f64 {
        (from..=to).map(|index| self.value(index)).sum::<f64>() / (to + 1 - from) as f64
    }

    fn unrest(&self, from: usize, to: usize) -> f64 {
        let mut before = self.value(from - 1);
        let mut sum = 0.0;
        for index in from..=to {
            let value = self.value(index);
            sum += (value - before).abs();
            before = value;
        }
        sum / (to + 1 - from) as f64
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
        for (from, to) in [(1, 1), (50, 200), (1990, 2310), (5000, past.last())] {
            assert!((glance.mean(from, to) - Values::mean(&past, from, to)).abs() < 1e-9);
            assert!((glance.unrest(from, to) - past.unrest(from, to)).abs() < 1e-9);
        }
    }
}
