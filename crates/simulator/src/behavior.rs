//! [`Behavior`]: what people run today, and the best that anybody could, as streams of values.
//!
//! Each has one knob, and is run at every setting of it: what a behavior costs at a shortage that all share is the fair comparison,
//! and hindsight is the best tuning there can be.

use std::collections::VecDeque;
use std::time::Duration;

use policy::{Hpa, Threshold};
use series::Load;

use crate::course::load;
use crate::family::{Family, Point};
use crate::{Course, HpaSettings, Tick, Trial};

/// A stream of values to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Behavior {
    /// A plain HPA: the load as last known. Its knob is the share of its capacity that a pod is kept at.
    Reactive,
    /// The load as last known, or the highest in the half hour around this time yesterday, a start-up ahead, where that is more:
    /// `max_over_time(x[30m] offset …)`. The knob is that of the plain HPA.
    DayAgo,
    /// The same with last week.
    WeekAgo,
    /// A controller that knows the coming start-up exactly and still has to act through the HPA, its dead band in mind. Its knob is the
    /// share of its capacity that a pod is planned at.
    Limit,
}

const DAY: Duration = Duration::from_hours(24);

/// Half of the window around the same time of another day.
const HALF_WINDOW_SECONDS: u32 = 900;

/// Less than this many days know nothing of last week worth comparing.
const WEEK_AGO_FROM: u32 = 10;

const SHARES: [f64; 15] = [0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0];
const SHARES_OF_LIMIT: [f64; 13] = [0.97, 1.0, 1.02, 1.04, 1.06, 1.08, 1.1, 1.15, 1.2, 1.3, 1.5, 1.8, 2.5];

impl Behavior {
    /// Every behavior, simplest first.
    pub const ALL: [Self; 4] = [Self::Reactive, Self::DayAgo, Self::WeekAgo, Self::Limit];

    /// The name in machine-readable output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reactive => "reactive",
            Self::DayAgo => "day_ago_max",
            Self::WeekAgo => "week_ago_max",
            Self::Limit => "limit",
        }
    }

    /// The settings of the knob that are tried.
    pub fn knobs(self) -> &'static [f64] {
        if self == Self::Limit { &SHARES_OF_LIMIT } else { &SHARES }
    }

    /// The behavior at every setting of its knob; `None` where the load is too short for it.
    pub fn family(self, trial: &Trial<'_>) -> Option<Family> {
        let signal = self.signal(trial)?;
        let points = self.knobs().iter().filter_map(|&knob| {
            let scores = self.run_on(trial, &signal, knob, |_, _| ())?;
            Some(Point { knob, scores })
        });
        Some(Family { behavior: self, points: points.collect() })
    }

    /// One run at that setting of the knob; `each` hears of every tick.
    pub fn run(self, trial: &Trial<'_>, knob: f64, each: impl FnMut(usize, Tick)) -> Option<crate::Scores> {
        self.run_on(trial, &self.signal(trial)?, knob, each)
    }

    fn run_on(
        self,
        trial: &Trial<'_>,
        signal: &[f64],
        knob: f64,
        each: impl FnMut(usize, Tick),
    ) -> Option<crate::Scores> {
        let known = |tick: usize| signal[trial.course.grid().bucket(tick).saturating_sub(1)];
        if self != Self::Limit {
            let target = Threshold::new(knob * trial.per_pod.get()).ok()?;
            return trial.run(target, |tick| Some(load(known(tick))), each);
        }
        let planned = Threshold::new(knob * trial.per_pod.get()).ok()?;
        let needed = |tick| trial.hpa.replicas.covering(load(known(tick)), planned);
        let values = through_dead_band(trial, needed);
        trial.run(trial.per_pod, |tick| values.get(tick - trial.from).copied(), each)
    }

    /// One amount per bucket, known once the bucket has closed.
    fn signal(self, trial: &Trial<'_>) -> Option<Vec<f64>> {
        let (course, step) = (trial.course, trial.course.grid().step());
        let lead = step.count_covering(trial.usual_start_up()) + 1;
        let ago = |days: u32| max_with_ago(course, lead, step.count_in(DAY * days));
        match self {
            Self::Reactive => Some(course.amounts().to_vec()),
            Self::DayAgo => Some(ago(1)),
            Self::WeekAgo if course.amounts().len() < step.count_in(DAY * WEEK_AGO_FROM) => None,
            Self::WeekAgo => Some(ago(7)),
            Self::Limit => Some(window_max(course.amounts(), 0, lead + 2)),
        }
    }
}

/// The load, or the highest around the time that was `period` buckets before the one `lead` ahead, where that is more.
fn max_with_ago(course: &Course, lead: usize, period: usize) -> Vec<f64> {
    let amounts = course.amounts();
    let half = usize::try_from(HALF_WINDOW_SECONDS / course.grid().step().seconds()).unwrap_or(0).max(1);
    let around = window_max(amounts, half, half);
    let then = |index: usize| (index + lead).checked_sub(period).filter(|&then| then >= half);
    let with_then = |(index, &now): (usize, &f64)| {
        let then = then(index).and_then(|then| around.get(then.min(amounts.len() - 1)));
        then.map_or(now, |&then| now.max(then))
    };
    amounts.iter().enumerate().map(with_then).collect()
}

/// The highest amount from `before` places before each to `after` places after it.
fn window_max(amounts: &[f64], before: usize, after: usize) -> Vec<f64> {
    let mut falling: VecDeque<usize> = VecDeque::new();
    let mut highest = Vec::with_capacity(amounts.len());
    let mut next = 0;
    for index in 0..amounts.len() {
        while next < amounts.len() && next <= index + after {
            while falling.back().is_some_and(|&earlier| amounts[earlier] <= amounts[next]) {
                falling.pop_back();
            }
            falling.push_back(next);
            next += 1;
        }
        while falling.front().is_some_and(|&earlier| earlier + before < index) {
            falling.pop_front();
        }
        highest.push(falling.front().map_or(amounts[index], |&place| amounts[place]));
    }
    highest
}

/// Values that make the HPA follow `needed` pods: a rise within its tolerance is published just outside, a fall within it as no change.
fn through_dead_band(trial: &Trial<'_>, needed: impl Fn(usize) -> u32) -> Vec<Load> {
    let (per_pod, tolerance) = (trial.per_pod.get(), trial.hpa.up.tolerance);
    let settings = HpaSettings { target: trial.per_pod, ..trial.hpa.clone() };
    let mut hpa = Hpa::new(settings, needed(trial.from));
    let publish = |tick: usize| {
        let (needed, current) = (f64::from(needed(tick)), f64::from(hpa.current()));
        let value = if needed > current {
            (needed * per_pod).max((1.0 + tolerance) * current * per_pod * 1.0001)
        } else if needed < (1.0 - trial.hpa.down.tolerance) * current * 0.9999 {
            needed * per_pod
        } else {
            current * per_pod
        };
        let value = load(value);
        hpa.sync(trial.course.time(tick), Some(value));
        value
    };
    trial.ticks().map(publish).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_highest_of_a_window_is_no_lower_than_any_in_it(
            amounts in prop::collection::vec(0.0_f64..100.0, 1..80), before in 0_usize..9, after in 0_usize..9,
        ) {
            for (index, &highest) in window_max(&amounts, before, after).iter().enumerate() {
                let window = &amounts[index.saturating_sub(before)..(index + after + 1).min(amounts.len())];
                prop_assert_eq!(highest, window.iter().copied().fold(f64::MIN, f64::max));
            }
        }
    }
}
