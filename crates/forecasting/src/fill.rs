//! Filling of gaps, so that features can be made across them. What was filled is never a target and never an origin.

use crate::past::Calendar;

use std::ops::Range;

/// Gaps up to this long are bridged by a straight line.
const LONGEST_LINE_SECONDS: i64 = 3600;
/// A longer one holds what was these days before, the nearest first.
const DAYS_BEFORE: [i64; 2] = [1, 7];

/// Fills the gaps between known loads: short ones (at most an hour) along the straight line between their neighbors, longer ones
/// with the loads of the same wall-clock time a day before, or a week before, and with the line only where neither is.
///
/// Zeros are never invented. The first and the last load must be known; both neighbors of a gap lie before the next known
/// load, so nothing that is made at a known origin has seen what came after it.
pub(crate) fn fill(loads: &[Option<f64>], calendar: &Calendar) -> Vec<f64> {
    let mut filled: Vec<f64> = Vec::with_capacity(loads.len());
    while let Some(load) = loads.get(filled.len()) {
        if let Some(load) = load {
            filled.push(*load);
            continue;
        }
        let start = filled.len();
        let length = loads[start..].iter().take_while(|load| load.is_none()).count();
        let neighbors = (filled.last().copied(), loads.get(start + length).copied().flatten());
        for index in start..start + length {
            let load = inside(&(start..start + length), index, neighbors, calendar, |source| filled[source]);
            filled.push(load);
        }
    }
    filled
}

/// What stands at `index` inside a `gap` between two `neighbors`, where `earlier` tells what stands at an index before it.
pub(crate) fn inside(
    gap: &Range<usize>,
    index: usize,
    neighbors: (Option<f64>, Option<f64>),
    calendar: &Calendar,
    earlier: impl Fn(usize) -> f64,
) -> f64 {
    if gap.len() > calendar.steps_in(LONGEST_LINE_SECONDS).max(1) {
        let source = DAYS_BEFORE.into_iter().find_map(|days| calendar.same_time_before(index, days));
        if let Some(source) = source {
            return earlier(source);
        }
    }
    let share = (index - gap.start + 1) as f64 / (gap.len() + 1) as f64;
    match neighbors {
        (Some(left), Some(right)) => left + (right - left) * share,
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::minutes;

    #[test]
    fn a_short_gap_is_a_straight_line() {
        let filled = fill(&[Some(1.0), None, None, Some(4.0)], &minutes());
        assert_eq!(filled, [1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn a_long_gap_is_what_was_a_day_before() {
        let day = 1440;
        let mut loads: Vec<Option<f64>> = (0..2 * day).map(|i| Some((i % day) as f64)).collect();
        loads[day + 100..day + 200].fill(None);
        let filled = fill(&loads, &minutes());
        assert_eq!(filled[day + 150], 150.0);
        // an hour is short, and its neighbors are nearer than yesterday
        let mut loads = vec![Some(10.0); day];
        loads.extend(vec![Some(20.0); day]);
        loads[day + 100..day + 160].fill(None);
        assert_eq!(fill(&loads, &minutes())[day + 130], 20.0);
        loads[day + 160] = None;
        assert_eq!(fill(&loads, &minutes())[day + 130], 10.0);
    }

    #[test]
    fn a_long_gap_without_a_day_before_is_a_line() {
        let mut loads = vec![Some(10.0); 300];
        loads[100..200].fill(None);
        assert_eq!(fill(&loads, &minutes()), vec![10.0; 300]);
    }
}
