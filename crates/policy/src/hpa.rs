//! [`Hpa`]: the Horizontal Pod Autoscaler's arithmetic for one external metric of type `AverageValue`.
//!
//! As in Kubernetes' `pkg/controller/podautoscaler`: the count that the value asks for, then the tolerance, then stabilization, then the
//! limits on the rate. Without a `behavior` there is no wait before scaling up, at most +100 % or 4 pods each 15 s, and
//! a stabilization window before scaling down.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use series::{Load, Timestamp};

use crate::hpa_rules::ScalingRules;
use crate::{ReplicaRange, Threshold};

/// What an HPA is told.
#[derive(Debug, Clone, PartialEq)]
pub struct HpaSettings {
    /// The load one pod is to get (`averageValue`).
    pub target: Threshold,
    /// Between how many pods it may choose.
    pub replicas: ReplicaRange,
    /// How it may add pods (`behavior.scaleUp`).
    pub up: ScalingRules,
    /// How it may remove pods (`behavior.scaleDown`).
    pub down: ScalingRules,
}

impl HpaSettings {
    /// Kubernetes' defaults in both directions.
    pub fn defaults(target: Threshold, replicas: ReplicaRange) -> Self {
        Self { target, replicas, up: ScalingRules::default_up(), down: ScalingRules::default_down() }
    }

    /// The same with one tolerance in both directions.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: f64) -> Self {
        (self.up.tolerance, self.down.tolerance) = (tolerance, tolerance);
        self
    }
}

/// One HPA, asked to sync every 15 s.
#[derive(Debug, Clone, PartialEq)]
pub struct Hpa {
    settings: HpaSettings,
    state: HpaState,
}

/// What an HPA remembers from one sync to the next.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct HpaState {
    current: u32,
    /// Recommendations that may yet be the highest of the window before scaling down: oldest first, strictly falling.
    highest: VecDeque<(Timestamp, u32)>,
    /// The same for the lowest of the window before scaling up: strictly rising.
    lowest: VecDeque<(Timestamp, u32)>,
    /// What was added or, negative, removed, and when: as far back as the limits on the rate look.
    changes: VecDeque<(Timestamp, i64)>,
    /// What others ask for, and until when that is known.
    others: Option<(u32, Timestamp)>,
}

impl Hpa {
    /// An HPA over a workload of `current` pods.
    pub fn new(settings: HpaSettings, current: u32) -> Self {
        Self::resumed(settings, HpaState { current, ..HpaState::default() })
    }

    /// An HPA that goes on from `state`.
    pub(crate) fn resumed(settings: HpaSettings, mut state: HpaState) -> Self {
        state.current = settings.replicas.clamp(state.current);
        Self { settings, state }
    }

    /// What it remembers.
    pub(crate) fn state(&self) -> &HpaState {
        &self.state
    }

    /// Takes notice that there are `count` pods at `now`, whatever was recommended.
    pub(crate) fn set(&mut self, count: u32) {
        self.state.current = self.settings.replicas.clamp(count);
    }

    /// What others are known to ask for, another metric or a user, and until when; nothing in place of what was known where that is `None`.
    pub(crate) fn heed_others(&mut self, others: Option<(u32, Timestamp)>) {
        self.state.others = others;
    }

    /// What others are known to ask for.
    pub(crate) fn others(&self) -> Option<u32> {
        self.state.others.map(|(count, _)| count)
    }

    /// How many pods are ordered.
    pub fn current(&self) -> u32 {
        self.state.current
    }

    /// What it was told.
    pub fn settings(&self) -> &HpaSettings {
        &self.settings
    }

    /// The count below which the window before scaling down will not let it go just after `time`, as far as recommendations made so far decide
    /// it; 0 where none of them is remembered then.
    pub(crate) fn held_at(&self, time: Timestamp) -> u32 {
        let length = self.settings.down.stabilization;
        let remembered = |at: Timestamp| at.saturating_add(length).is_ok_and(|until| until > time);
        self.state.highest.iter().find(|(at, _)| remembered(*at)).map_or(0, |&(_, count)| count)
    }

    /// One sync with the value that the metrics API gave, or `None` where that was an error; returns the pods ordered.
    ///
    /// Without a value nothing changes, and nothing is remembered of the sync.
    pub fn sync(&mut self, now: Timestamp, value: Option<Load>) -> u32 {
        let Some(value) = value else {
            return self.state.current;
        };
        // of several metrics the one that asks for most decides
        let others = self.state.others.filter(|(_, until)| *until >= now).map_or(0, |(count, _)| count);
        let desired = self.desired(value).max(self.settings.replicas.clamp(others));
        let stabilized = self.stabilized(now, desired);
        let allowed = self.allowed(now, stabilized);
        if allowed != self.state.current {
            self.state.changes.push_back((now, i64::from(allowed) - i64::from(self.state.current)));
            self.state.current = allowed;
        }
        self.state.current
    }

    /// `⌈value / target⌉`, or the current count while `value / (target · current)` is within the tolerances of 1.
    fn desired(&self, value: Load) -> u32 {
        let HpaSettings { target, replicas, up, down } = &self.settings;
        let usage_ratio = value.get() / (target.get() * f64::from(self.state.current));
        if usage_ratio - 1.0 <= up.tolerance && 1.0 - usage_ratio <= down.tolerance {
            replicas.clamp(self.state.current)
        } else {
            replicas.covering(value, *target)
        }
    }

    /// The current count, moved up to the lowest recommendation of the one window and down to the highest of the other.
    fn stabilized(&mut self, now: Timestamp, desired: u32) -> u32 {
        let HpaSettings { up, down, .. } = &self.settings;
        let highest = remember(&mut self.state.highest, now, desired, down.stabilization, |earlier| earlier <= desired);
        let lowest = remember(&mut self.state.lowest, now, desired, up.stabilization, |earlier| earlier >= desired);
        self.state.current.max(lowest).min(highest)
    }

    /// As near to `wanted` as the limits on the rate let the count come.
    fn allowed(&mut self, now: Timestamp, wanted: u32) -> u32 {
        let HpaSettings { up, down, replicas, .. } = &self.settings;
        let longest = up.longest_period().max(down.longest_period());
        while self.state.changes.front().is_some_and(|&(at, _)| !is_within(at, longest, now)) {
            self.state.changes.pop_front();
        }
        // the count at the beginning of a period, by what was added and removed since
        let begun_with = |period: Duration| {
            let changed: i64 =
                self.state.changes.iter().filter(|(at, _)| is_within(*at, period, now)).map(|(_, change)| change).sum();
            u32::try_from((i64::from(self.state.current) - changed).max(0)).unwrap_or(u32::MAX)
        };
        let allowed = match wanted.cmp(&self.state.current) {
            std::cmp::Ordering::Greater => wanted.min(up.most(self.state.current, begun_with)),
            std::cmp::Ordering::Less => wanted.max(down.least(self.state.current, begun_with)),
            std::cmp::Ordering::Equal => wanted,
        };
        replicas.clamp(allowed)
    }
}

/// Adds a recommendation to a window, drops those that it `outdoes` and those that are too old, and gives the window's extreme.
fn remember(
    window: &mut VecDeque<(Timestamp, u32)>,
    now: Timestamp,
    desired: u32,
    length: Duration,
    outdoes: impl Fn(u32) -> bool,
) -> u32 {
    while window.back().is_some_and(|&(_, earlier)| outdoes(earlier)) {
        window.pop_back();
    }
    window.push_back((now, desired));
    let too_old = |at: Timestamp| at.saturating_add(length).is_ok_and(|until| until < now);
    while window.front().is_some_and(|&(at, _)| too_old(at)) {
        window.pop_front();
    }
    window.front().map_or(desired, |&(_, extreme)| extreme)
}

/// Whether a change at `at` counts among those of the `period` before `now`: one just as old as the period does not.
fn is_within(at: Timestamp, period: Duration, now: Timestamp) -> bool {
    at.saturating_add(period).is_ok_and(|until| until > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: f64 = 10.0;

    fn hpa(current: u32) -> Hpa {
        let target = Threshold::new(TARGET).unwrap();
        Hpa::new(HpaSettings::defaults(target, ReplicaRange::new(1, 100).unwrap()), current)
    }

    fn sync(hpa: &mut Hpa, second: i64, value: f64) -> u32 {
        hpa.sync(Timestamp::from_second(second).unwrap(), Some(Load::new(value).unwrap()))
    }

    #[test]
    fn values_inside_the_tolerance_change_nothing() {
        assert_eq!(sync(&mut hpa(20), 0, 219.0), 20);
        assert_eq!(sync(&mut hpa(20), 0, 181.0), 20);
        assert_eq!(sync(&mut hpa(20), 0, 221.0), 23);
        assert_eq!(sync(&mut hpa(20), 0, 179.0), 18);
    }

    #[test]
    fn a_rise_is_limited_to_doubling_or_four_pods_a_sync() {
        let mut small = hpa(1);
        assert_eq!([0, 15, 30].map(|second| sync(&mut small, second, 900.0)), [5, 10, 20]);
        assert_eq!(sync(&mut hpa(60), 0, 5000.0), 100);
    }

    #[test]
    fn a_fall_waits_until_the_last_higher_recommendation_is_out_of_the_window() {
        let mut hpa = hpa(20);
        assert_eq!(sync(&mut hpa, 0, 200.0), 20);
        assert_eq!(sync(&mut hpa, 15, 150.0), 20);
        assert_eq!(sync(&mut hpa, 300, 100.0), 20);
        assert_eq!(sync(&mut hpa, 301, 100.0), 15);
        assert_eq!(sync(&mut hpa, 316, 100.0), 10);
    }

    #[test]
    fn without_a_value_the_count_holds_and_the_window_goes_on() {
        let mut hpa = hpa(20);
        assert_eq!(sync(&mut hpa, 0, 200.0), 20);
        assert_eq!(hpa.sync(Timestamp::from_second(400).unwrap(), None), 20);
        assert_eq!(sync(&mut hpa, 401, 100.0), 10);
    }

    #[test]
    fn the_count_stays_in_its_range() {
        let range = ReplicaRange::new(3, 5).unwrap();
        let mut hpa = Hpa::new(HpaSettings::defaults(Threshold::new(TARGET).unwrap(), range), 50);
        assert_eq!(hpa.current(), 5);
        assert_eq!(sync(&mut hpa, 0, 1000.0), 5);
        assert_eq!(sync(&mut hpa, 400, 0.0), 3);
    }
}
