//! The service level is held by what comes, not by what the forecast promises.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is wrong")]

use std::sync::Arc;
use std::time::Duration;

use policy::{FleetEstimate, Mode, Planner, ServiceLevel, Target, Threshold, Tolerance};
use series::{
    Forecast, ForecastRequest, Horizon, Load, ModelChoice, ModelName, Observation, Outlook, PrometheusQuery, Quantile,
    Seasons, SourceState, Step, TargetKey, Timestamp,
};

const MINUTE: i64 = 60;
const DAY: usize = 1440;
const LEAD: usize = 3;
/// Levels and the standard normal's quantiles at them.
const NORMAL: [(f64, f64); 8] = [
    (0.05, -1.644_854),
    (0.25, -0.674_490),
    (0.5, 0.0),
    (0.75, 0.674_490),
    (0.9, 1.281_552),
    (0.975, 1.959_964),
    (0.99, 2.326_348),
    (0.999, 3.090_232),
];

fn at(minute: usize) -> Timestamp {
    Timestamp::from_second(1_700_000_040 + MINUTE * i64::try_from(minute).unwrap()).unwrap()
}

fn load(amount: f64) -> Load {
    Load::new(amount).unwrap()
}

fn target(slo: f64) -> Target {
    Target {
        key: TargetKey { namespace: "shop".into(), name: "checkout".into(), digest: "0".into() },
        request: ForecastRequest {
            query: PrometheusQuery::new("sum(load)"),
            step: Step::MINUTE,
            history: Duration::from_secs(14 * 86_400),
            lead_time: Duration::from_secs(60 * LEAD as u64),
            model: ModelChoice::Auto,
            seasons: Seasons::Found,
            timezone: "UTC".into(),
            forecast_wanted: true,
        },
        threshold: Threshold::new(10.0).unwrap(),
        activation: Load::ZERO,
        service_level: ServiceLevel::slo(slo).unwrap(),
        hpa_tolerance: Tolerance::new(0.0).unwrap(),
        mode: Mode::Predict,
    }
}

/// What is expected of a minute, and how far the load strays from it: calm nights, restless days.
fn expected(minute: usize) -> (f64, f64) {
    let phase = (minute as f64 / DAY as f64 * std::f64::consts::TAU).sin();
    (200.0 + 100.0 * phase, 12.0 + 8.0 * phase)
}

/// Standard normal, by the sum of twelve uniforms.
fn strays(state: &mut u64) -> f64 {
    let mut uniform = || {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..12).map(|_| uniform()).sum::<f64>() - 6.0
}

/// A forecast that knows the middle and takes the spread for `sureness` times smaller than it is.
fn forecast(minute: usize, sureness: f64) -> Forecast {
    let horizon = |ahead: usize| {
        let (middle, spread) = expected(minute + ahead);
        let quantiles = NORMAL.iter().map(|(_, normal)| load((middle + normal * spread / sureness).max(0.0))).collect();
        Horizon { ahead: Duration::from_secs(60 * ahead as u64), quantiles }
    };
    let levels = NORMAL.iter().map(|&(level, _)| Quantile::new(level).unwrap()).collect();
    Forecast::new(at(minute), ModelName::Ridge, levels, (1..=15).map(horizon).collect()).unwrap()
}

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
