//! The service level is held by what comes, not by what the forecast promises.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is wrong")]

mod world;

use std::sync::Arc;

use policy::{FleetEstimate, Planner};
use series::{Observation, Outlook, SourceState};
use world::{DAY, LEAD, at, expected, forecast, load, strays, target};

/// The share of time with too few Ready pods over the last six of ten days, and the pods ordered, on average.
fn walk(slo: f64, sureness: f64) -> (f64, f64) {
    let target = target(slo);
    let mut planner = Planner::new();
    let mut outlook = Outlook::first_seen(at(0));
    outlook.source = SourceState::Answering;
    let mut fleet = FleetEstimate::sized_for(load(200.0), target.threshold, target.hpa_tolerance, at(0));
    let (mut ordered, mut short, mut pods, mut state) = (vec![20; LEAD + 1], 0, 0, 7);
    for minute in 1..10 * DAY {
        // the load of the minute before is known, that of the minute to come is not
        let (middle, spread) = expected(minute);
        let seen = load((middle + spread * strays(&mut state)).max(0.0));
        let ready = ordered.iter().rev().take(LEAD + 1).min().copied().unwrap();
        if minute > 4 * DAY {
            short += usize::from(ready < fleet.needed(seen));
            pods += fleet.replicas() as usize;
        }
        outlook.observation = Ok(Observation { at: at(minute), load: seen });
        outlook.forecast = Ok(Arc::new(forecast(minute, sureness)));
        planner.outlook_came();
        let plan = planner.plan(&outlook, &target, at(minute)).unwrap();
        fleet.follow(plan.value, at(minute));
        ordered.push(fleet.replicas());
    }
    let minutes = (6 * DAY - 1) as f64;
    (short as f64 / minutes, pods as f64 / minutes)
}

#[test]
fn the_service_level_is_held_whether_or_not_the_forecast_is_too_sure_of_itself() {
    // a spread that is half of the truth makes the normal's tail fifteen times too thin: that takes the days to make up for
    for (sureness, most) in [(0.5, 1.5), (1.0, 1.5), (2.0, 2.0)] {
        for slo in [0.98, 0.995] {
            let of_allowed = walk(slo, sureness).0 / (1.0 - slo);
            assert!((0.5..=most).contains(&of_allowed), "{slo}, {sureness}: {of_allowed} of what is allowed");
        }
    }
}

#[test]
fn a_higher_service_level_costs_more_pods() {
    let pods = [0.95, 0.98, 0.995].map(|slo| walk(slo, 1.0).1);
    assert!(pods[0] < pods[1] && pods[1] < pods[2], "{pods:?}");
}
