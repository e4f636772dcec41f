//! The HPA's arithmetic: cases of Kubernetes' own tests, and cases worked out by hand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use policy::{Change, Hpa, HpaSettings, RateLimits, ReplicaRange, ScalingPolicy, Threshold};
use series::{Load, Timestamp};

fn settings(target: f64) -> HpaSettings {
    HpaSettings::defaults(Threshold::new(target).unwrap(), ReplicaRange::at_least(1))
}

/// The counts after syncs at these seconds with these values.
fn counts<const N: usize>(settings: &HpaSettings, current: u32, syncs: [(i64, f64); N]) -> [u32; N] {
    let mut hpa = Hpa::new(settings.clone(), current);
    syncs.map(|(second, value)| hpa.sync(Timestamp::from_second(second).unwrap(), Some(Load::new(value).unwrap())))
}

fn per(seconds: u64, change: Change) -> ScalingPolicy {
    ScalingPolicy { change, period: Duration::from_secs(seconds) }
}

#[test]
fn the_cases_of_kubernetes_replica_calculator_come_out_as_there() {
    // external metrics per pod of replica_calculator_test.go and horizontal_test.go: pods, value, target, pods wanted
    for (current, value, target, wanted) in
        [(3, 8.6, 2.15, 4), (3, 8.6, 2.222, 4), (5, 8.6, 2.867, 3), (3, 8.6, 2.9, 3), (1, 8.6, 4.4, 2)]
    {
        let mut settings = settings(target);
        settings.down.stabilization = Duration::ZERO;
        assert_eq!(counts(&settings, current, [(0, value)]), [wanted], "{current} pods at {value} of {target} each");
    }
}

#[test]
fn each_direction_has_its_own_tolerance() {
    let mut settings = settings(10.0);
    settings.down.stabilization = Duration::ZERO;
    (settings.up.tolerance, settings.down.tolerance) = (0.0, 0.2);
    assert_eq!(counts(&settings, 10, [(0, 100.1)]), [11], "nothing is tolerated upward");
    assert_eq!(counts(&settings, 10, [(0, 81.0)]), [10], "a fifth is downward");
    assert_eq!(counts(&settings, 10, [(0, 79.0)]), [8]);
}

#[test]
fn pods_added_in_a_period_count_against_its_limit() {
    let mut settings = settings(10.0);
    settings.up.limits = RateLimits::Loosest(Arc::new([per(60, Change::Pods(3))]));
    let syncs = [(0, 900.0), (15, 900.0), (59, 900.0), (60, 900.0), (75, 900.0)];
    assert_eq!(counts(&settings, 10, syncs), [13, 13, 13, 16, 16]);
}

#[test]
fn of_several_limits_the_loosest_or_the_tightest_counts() {
    let limits = || -> Arc<[ScalingPolicy]> { Arc::new([per(15, Change::Pods(4)), per(15, Change::Percent(50))]) };
    let mut settings = settings(10.0);
    settings.up.limits = RateLimits::Loosest(limits());
    assert_eq!(counts(&settings, 20, [(0, 900.0)]), [30]);
    assert_eq!(counts(&settings, 3, [(0, 900.0)]), [7]);
    settings.up.limits = RateLimits::Tightest(limits());
    assert_eq!(counts(&settings, 20, [(0, 900.0)]), [24]);
    // half of three pods is rounded up
    assert_eq!(counts(&settings, 3, [(0, 900.0)]), [5]);
    settings.up.limits = RateLimits::Disabled;
    assert_eq!(counts(&settings, 3, [(0, 900.0)]), [3]);
}

#[test]
fn removal_is_limited_as_well_and_what_was_added_may_go_again() {
    let mut settings = settings(10.0);
    settings.down.stabilization = Duration::ZERO;
    settings.down.limits = RateLimits::Loosest(Arc::new([per(60, Change::Percent(10)), per(60, Change::Pods(1))]));
    assert_eq!(counts(&settings, 50, [(0, 0.0), (15, 0.0), (60, 0.0)]), [45, 45, 40]);
    // nine tenths of five pods are four and a half, and the half is cut off
    assert_eq!(counts(&settings, 5, [(0, 0.0), (60, 0.0)]), [4, 3]);
    // 10 were added within the period: it began with 10, of which 9 must stay
    assert_eq!(counts(&settings, 10, [(0, 200.0), (15, 0.0)]), [20, 9]);
    settings.down.limits = RateLimits::Disabled;
    assert_eq!(counts(&settings, 50, [(0, 0.0)]), [50]);
}

#[test]
fn a_rise_waits_where_it_must_be_asked_for_all_the_time() {
    let mut settings = settings(10.0);
    settings.up.stabilization = Duration::from_secs(60);
    let syncs = [(0, 100.0), (15, 200.0), (30, 150.0), (60, 200.0), (75, 200.0), (91, 200.0)];
    // the lowest of the last minute: 10 until second 60, then 15 from second 30 until second 90
    assert_eq!(counts(&settings, 10, syncs), [10, 10, 10, 10, 15, 20]);
}
