//! [`Course`]: a past load without gaps, on the grid of ticks.

use series::{Load, Series, Timestamp};

use crate::Grid;

/// A past load on the grid of ticks. What is not known of it is taken for a straight line between its neighbors: load does not stop
/// where its measurement does.
#[derive(Debug, Clone)]
pub struct Course {
    grid: Grid,
    /// One per bucket.
    amounts: Vec<f64>,
    /// How many of them were not known.
    drawn: usize,
}

impl Course {
    /// The course of `load`; `None` where nothing is known of it.
    pub fn of(load: &Series) -> Option<Self> {
        let mut amounts: Vec<f64> = (0..load.len()).map(|index| load.load(index).map_or(f64::NAN, Load::get)).collect();
        let first = amounts.iter().position(|amount| !amount.is_nan())?;
        let level = amounts[first];
        amounts[..first].fill(level);
        let mut last = first;
        for index in first + 1..amounts.len() {
            if amounts[index].is_nan() {
                continue;
            }
            let (left, right, span) = (amounts[last], amounts[index], (index - last) as f64);
            for (place, amount) in amounts[last + 1..index].iter_mut().enumerate() {
                *amount = left + (right - left) * (place + 1) as f64 / span;
            }
            last = index;
        }
        let level = amounts[last];
        amounts[last + 1..].fill(level);
        Some(Self { grid: Grid::of(load), amounts, drawn: load.len() - load.known() })
    }

    /// Its ticks.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// When `tick` begins.
    pub fn time(&self, tick: usize) -> Timestamp {
        self.grid.time(tick)
    }

    /// The load during `tick`.
    pub fn load(&self, tick: usize) -> Load {
        load(self.amounts.get(self.grid.bucket(tick)).copied().unwrap_or_default())
    }

    /// One amount per bucket.
    pub fn amounts(&self) -> &[f64] {
        &self.amounts
    }

    /// How many buckets were not known, and are drawn.
    pub fn drawn(&self) -> usize {
        self.drawn
    }
}

/// Of a mean or a multiple of loads, which is one but for the far end of the range.
pub(crate) fn load(amount: f64) -> Load {
    Load::new(amount.clamp(-Load::MAX, Load::MAX)).unwrap_or(Load::ZERO)
}

#[cfg(test)]
mod tests {
    use series::{GapReason, Sample, Step};

    use super::*;

    #[test]
    fn gaps_are_straight_lines_and_the_ends_go_on() {
        let none = Sample::Gap(GapReason::NoSample);
        let value = |amount| Sample::Value(Load::new(amount).unwrap());
        let samples = [none, value(2.0), none, none, value(8.0), value(4.0), none];
        let start = Timestamp::from_second(60).unwrap();
        let course = Course::of(&Series::from_samples(start, Step::MINUTE, samples).unwrap()).unwrap();
        assert_eq!(course.amounts(), [2.0, 2.0, 4.0, 6.0, 8.0, 4.0, 4.0]);
        assert_eq!((course.drawn(), course.load(8).get(), course.time(8).as_second()), (4, 4.0, 120));
        assert!(Course::of(&Series::from_samples(start, Step::MINUTE, [none]).unwrap()).is_none());
    }
}
