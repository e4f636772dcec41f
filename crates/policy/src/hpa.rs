//! [`Hpa`]: the Horizontal Pod Autoscaler's arithmetic for one external metric of type `AverageValue`.
//!
//! As in Kubernetes' `pkg/controller/podautoscaler`, with the default behavior: no wait before scaling up, at most
//! +100 % or 4 pods each 15 s, and a stabilization window before scaling down.

use std::collections::VecDeque;
use std::time::Duration;

use series::{Load, Timestamp};

use crate::{HPA_STABILIZATION, HPA_TOLERANCE, ReplicaRange, Threshold};

/// How many pods an HPA may add in one sync where doubling would add fewer.
const ALWAYS_ALLOWED_RISE: u32 = 4;

/// What an HPA is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HpaSettings {
    /// The load one pod is to get (`averageValue`).
    pub target: Threshold,
    /// How far from `target × current` the value may be, as a share of it, before anything is done; 0.1 unless the
    /// cluster says otherwise.
    pub tolerance: f64,
    /// For how long the highest desired count holds before scaling down; 300 s unless the behavior says otherwise.
    pub stabilization: Duration,
    /// Between how many pods it may choose.
    pub replicas: ReplicaRange,
}

impl HpaSettings {
    /// Kubernetes' defaults: tolerance 0.1, stabilization 300 s.
    pub fn defaults(target: Threshold, replicas: ReplicaRange) -> Self {
        Self { target, tolerance: HPA_TOLERANCE, stabilization: HPA_STABILIZATION, replicas }
    }
}

/// One HPA, asked to sync every 15 s.
#[derive(Debug, Clone, PartialEq)]
pub struct Hpa {
    settings: HpaSettings,
    current: u32,
    /// Recommendations of the stabilization window that may yet be its highest: oldest first, strictly falling.
    recommended: VecDeque<(Timestamp, u32)>,
}

impl Hpa {
    /// An HPA over a workload of `current` pods.
    pub fn new(settings: HpaSettings, current: u32) -> Self {
        Self { settings, current: settings.replicas.clamp(current), recommended: VecDeque::new() }
    }

    /// How many pods are ordered.
    pub fn current(&self) -> u32 {
        self.current
    }

    /// What it was told.
    pub fn settings(&self) -> &HpaSettings {
        &self.settings
    }

    /// One sync with the value that the metrics API gave, or `None` where that was an error; returns the pods ordered.
    ///
    /// Without a value nothing changes, and nothing is remembered of the sync.
    pub fn sync(&mut self, now: Timestamp, value: Option<Load>) -> u32 {
        let Some(value) = value else {
            return self.current;
        };
        let desired = self.desired(value);
        self.remember(now, desired);
        self.current = if desired >= self.current {
            desired.min(self.current.saturating_add(self.current.max(ALWAYS_ALLOWED_RISE)))
        } else {
            self.stabilized(desired).min(self.current)
        };
        self.current
    }

    /// `⌈value / target⌉`, or the current count while `|value / (target · current) − 1| ≤ tolerance`.
    fn desired(&self, value: Load) -> u32 {
        let HpaSettings { target, tolerance, replicas, .. } = self.settings;
        let usage_ratio = value.get() / (target.get() * f64::from(self.current));
        if (usage_ratio - 1.0).abs() <= tolerance {
            replicas.clamp(self.current)
        } else {
            replicas.covering(value, target)
        }
    }

    fn remember(&mut self, now: Timestamp, desired: u32) {
        while self.recommended.back().is_some_and(|&(_, earlier)| earlier <= desired) {
            self.recommended.pop_back();
        }
        self.recommended.push_back((now, desired));
        let stabilization = self.settings.stabilization;
        let too_old = |at: Timestamp| at.saturating_add(stabilization).is_ok_and(|until| until < now);
        while self.recommended.front().is_some_and(|&(at, _)| too_old(at)) {
            self.recommended.pop_front();
        }
    }

    /// The highest recommendation of the window.
    fn stabilized(&self, desired: u32) -> u32 {
        self.recommended.front().map_or(desired, |&(_, highest)| highest)
    }
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
