//! [`Family`]: one behavior at every setting of its knob, and what it costs at a shortage that others have too.

use crate::{Behavior, Scores};

/// One behavior at every setting of its knob.
#[derive(Debug, Clone)]
pub struct Family {
    /// Which one.
    pub behavior: Behavior,
    /// What each setting came to.
    pub points: Vec<Point>,
}

/// One setting of a knob and what it came to.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// The setting.
    pub knob: f64,
    /// What it came to.
    pub scores: Scores,
}

impl Family {
    /// The cheapest setting that is short for no more than `short_time`; `None` where none is.
    pub fn cheapest_within(&self, short_time: f64) -> Option<&Point> {
        let within = self.points.iter().filter(|point| point.scores.short_time <= short_time);
        within.min_by(|a, b| a.scores.pod_hours.total_cmp(&b.scores.pod_hours))
    }

    /// The setting with the least shortage, and the cheapest of several.
    pub fn safest(&self) -> Option<&Point> {
        let key = |point: &Point| (point.scores.short_time, point.scores.pod_hours);
        self.points.iter().min_by(|a, b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal))
    }

    /// What being short for `short_time` costs.
    pub fn cost_at(&self, short_time: f64) -> Option<f64> {
        cost_at(self.points.iter().map(|point| (point.scores.short_time, point.scores.relative_cost())), short_time)
    }
}

/// Less than this share of time is none: where the logarithm of a shortage begins.
const LEAST_SHORT: f64 = 1e-5;

/// Where a family of (share of time short, relative cost) crosses `short_time`: the cheapest at or below each share, and between two of them a
/// straight line over the logarithm of the share. `None` where the family never gets that low.
pub fn cost_at(points: impl Iterator<Item = (f64, f64)>, short_time: f64) -> Option<f64> {
    let mut points: Vec<(f64, f64)> = points.map(|(short, cost)| (short.max(LEAST_SHORT), cost)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut cheapest = f64::INFINITY;
    for (_, cost) in &mut points {
        cheapest = cheapest.min(*cost);
        *cost = cheapest;
    }
    let short_time = short_time.max(LEAST_SHORT);
    let after = points.partition_point(|&(short, _)| short <= short_time);
    let &(left, left_cost) = points.get(after.checked_sub(1)?)?;
    let Some(&(right, right_cost)) = points.get(after) else { return Some(left_cost) };
    let share = (short_time.ln() - left.ln()) / (right.ln() - left.ln());
    Some(left_cost + (right_cost - left_cost) * share)
}

/// The share of the way from the `best` of the baselines to the `limit` that `cost` goes; `None` where the limit is no cheaper.
pub fn gap_closed(cost: f64, best: f64, limit: f64) -> Option<f64> {
    (best > limit).then(|| (best - cost) / (best - limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_between_two_settings_lies_on_the_logarithm_of_the_shortage() {
        let points = [(0.0001, 2.0), (0.01, 1.0), (0.005, 5.0)];
        let at = |short| cost_at(points.into_iter(), short);
        assert_eq!(at(0.0001), Some(2.0));
        // the dear setting between the two counts for nothing; 0.001 is half way from 0.0001 to 0.01, but from 0.0001 to 0.005 first
        assert_eq!(at(0.005), Some(2.0));
        assert!((at(0.005 * 2.0_f64.sqrt()).unwrap() - 1.5).abs() < 1e-12);
        assert_eq!(at(0.5), Some(1.0));
        assert_eq!(at(0.00005), None);
        assert_eq!(cost_at([(0.0, 3.0)].into_iter(), 0.0), Some(3.0));
    }

    #[test]
    fn the_way_to_the_limit_is_none_at_the_baseline_and_all_at_the_limit() {
        assert_eq!(gap_closed(1.5, 1.5, 1.1), Some(0.0));
        assert_eq!(gap_closed(1.1, 1.5, 1.1), Some(1.0));
        assert_eq!(gap_closed(1.9, 1.5, 1.1).map(|gap| (gap * 1e9).round() / 1e9), Some(-1.0));
        assert_eq!(gap_closed(1.0, 1.0, 1.0), None);
    }
}
