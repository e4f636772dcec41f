//! What a planner remembers: it outlives the process, and it says what forecasts cost and save.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is wrong")]

mod world;

use std::sync::Arc;
use std::time::Duration;

use policy::{Memory, Mode, Planner, ServiceLevel, Target, Tolerance};
use series::{NoForecast, Observation, Outlook, ReplicasSeen, SourceState};
use world::{DAY, at, expected, forecast, load, strays, target};

/// What is known at `minute` of a load that is the same for all.
fn outlook(minute: usize) -> Outlook {
    let (middle, spread) = expected(minute);
    let mut state = (minute as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let load = load((middle + spread * strays(&mut state)).max(0.0));
    Outlook {
        observation: Ok(Observation { at: at(minute), load }),
        forecast: Ok(Arc::new(forecast(minute, 1.0))),
        source: SourceState::Answering,
        ..Outlook::first_seen(at(minute))
    }
}

fn value(planner: &mut Planner, target: &Target, minute: usize) -> f64 {
    planner.outlook_came();
    planner.plan(&outlook(minute), target, at(minute)).unwrap().value.get()
}

fn after(days: usize, target: &Target) -> Planner {
    let mut planner = Planner::new();
    for minute in 0..days * DAY {
        value(&mut planner, target, minute);
    }
    planner
}

/// Through what a store keeps.
fn kept(planner: &Planner) -> Memory {
    serde_json::from_slice(&serde_json::to_vec(&planner.memory().unwrap()).unwrap()).unwrap()
}

/// The plans of each HPA sync of a minute.
fn values(planner: &mut Planner, target: &Target, minute: usize) -> [f64; 4] {
    let outlook = outlook(minute);
    planner.outlook_came();
    [0, 15, 30, 45].map(|second| {
        let now = at(minute) + Duration::from_secs(second);
        planner.plan(&outlook, target, now).unwrap().value.get()
    })
}

#[test]
fn planners_asked_in_turn_publish_what_one_alone_would() {
    let level = ServiceLevel::of_quantile(0.95).unwrap();
    let slo = Target { hpa_tolerance: Tolerance::DEFAULT, ..target(0.99) };
    for target in [slo.clone(), Target { service_level: level, ..slo }] {
        let (mut alone, mut one) = (after(2, &target), after(2, &target));
        let mut other = Planner::new();
        for minute in 2 * DAY..2 * DAY + 120 {
            let expected = values(&mut alone, &target, minute);
            assert_eq!(values(&mut one, &target, minute), expected, "minute {minute}");
            other.adopt(kept(&one), &target, at(minute) + Duration::from_secs(45));
            std::mem::swap(&mut one, &mut other);
        }
    }
}

#[test]
fn what_a_shortage_must_cost_is_still_known_after_a_restart() {
    let target = target(0.99);
    let before = after(3, &target);
    let mut restarted = Planner::new();
    assert_eq!(restarted.price(&target), None);
    // hours later: the values of then are in force no more
    let minute = 3 * DAY + 300;
    restarted.adopt(kept(&before), &target, at(minute));
    assert_eq!(restarted.price(&target), before.price(&target));
    assert!(before.price(&target).is_some());
    assert_eq!(restarted.replicas(), before.replicas());
    let carried = value(&mut restarted, &target, minute);
    assert!(carried.is_finite() && carried >= outlook(minute).observation.unwrap().load.get());
    assert_eq!(restarted.comparison().unwrap().since, before.comparison().unwrap().since);
}

#[test]
fn a_fleet_that_is_held_elsewhere_is_known_as_soon_as_it_is_seen() {
    let target = Target { hpa_tolerance: Tolerance::DEFAULT, ..target(0.99) };
    let mut planner = after(2, &target);
    let mut seen = |minute: usize, count: Option<u32>| {
        planner.outlook_came();
        let replicas = count.map(|count| ReplicasSeen { at: at(minute), count });
        planner.plan(&Outlook { replicas, ..outlook(minute) }, &target, at(minute)).unwrap();
        planner.replicas().unwrap()
    };
    let own = seen(2 * DAY, None);
    assert!((20..40).contains(&own), "{own}");
    for minute in 2 * DAY + 1..2 * DAY + 60 {
        assert_eq!(seen(minute, Some(70)), 70, "another trigger holds it");
    }
    // nobody tells of it any more: for three minutes that means nothing, and then the stabilization window passes
    for minute in 2 * DAY + 60..2 * DAY + 67 {
        assert_eq!(seen(minute, None), 70);
    }
    let back = (2 * DAY + 67..2 * DAY + 70).map(|minute| seen(minute, None)).last().unwrap();
    assert!(back.abs_diff(own) < 6, "{back} after, {own} before");
    assert_eq!(seen(2 * DAY + 70, Some(9)), 9, "a limit holds it");
}

#[test]
fn a_count_that_the_fleet_has_just_left_contradicts_nothing() {
    let target = target(0.99);
    let (mut blind, mut seeing) = (after(2, &target), after(2, &target));
    let mut before = blind.replicas();
    let mut moved = 0;
    for minute in 2 * DAY..2 * DAY + 600 {
        blind.outlook_came();
        seeing.outlook_came();
        let replicas = before.map(|count| ReplicasSeen { at: at(minute), count });
        let expected = blind.plan(&outlook(minute), &target, at(minute)).unwrap();
        let told = seeing.plan(&Outlook { replicas, ..outlook(minute) }, &target, at(minute)).unwrap();
        assert_eq!(told.value, expected.value, "minute {minute}");
        moved += u32::from(before != blind.replicas());
        before = blind.replicas();
    }
    assert!(moved > 20, "{moved}");
}

#[test]
fn a_memory_of_another_version_is_no_memory() {
    let bytes = serde_json::to_string(&after(1, &target(0.99)).memory().unwrap()).unwrap();
    assert!(serde_json::from_str::<Memory>(&bytes.replace("\"fleet\"", "\"herd\"")).is_err());
}

#[test]
fn shadow_publishes_the_load_and_records_what_forecasts_would_have_cost_and_saved() {
    let predict = target(0.99);
    let shadow = Target { mode: Mode::Shadow, ..predict.clone() };
    let (mut applied, mut recorded) = (Planner::new(), Planner::new());
    let (mut same, minutes) = (0, 3 * DAY);
    for minute in 0..minutes {
        let published = value(&mut applied, &predict, minute);
        recorded.outlook_came();
        let plan = recorded.plan(&outlook(minute), &shadow, at(minute)).unwrap();
        assert_eq!(plan.value, outlook(minute).observation.unwrap().load.max(plan.value), "the load, rounded up");
        assert!(plan.value.get() < outlook(minute).observation.unwrap().load.get() + 0.002);
        same += usize::from(minute > 0 && plan.shadow.unwrap().get().to_bits() == published.to_bits());
    }
    assert!(same > minutes * 9 / 10, "shadow would have published the same at {same} of {minutes} minutes");

    for comparison in [applied.comparison().unwrap(), recorded.comparison().unwrap()] {
        assert_eq!(comparison.seconds.to_bits(), ((minutes - 1) as f64 * 60.0).to_bits());
        let (ahead, behind) = (comparison.predictive, comparison.reactive);
        assert!(ahead.short_seconds < behind.short_seconds / 4.0, "{comparison:?}");
        assert!(ahead.pod_seconds > behind.pod_seconds, "{comparison:?}");
    }
}

#[test]
fn without_a_forecast_both_fleets_are_the_same() {
    let target = target(0.99);
    let mut planner = Planner::new();
    for minute in 0..DAY {
        planner.outlook_came();
        let blind = Outlook { forecast: Err(NoForecast::NotYet), ..outlook(minute) };
        planner
            .plan(
                &blind,
                &Target { service_level: ServiceLevel::of_quantile(0.5).unwrap(), ..target.clone() },
                at(minute),
            )
            .unwrap();
    }
    let comparison = planner.comparison().unwrap();
    assert!(comparison.reactive.short_seconds > 0.0);
    assert!(comparison.predictive.short_seconds <= comparison.reactive.short_seconds, "{comparison:?}");
}
