use std::sync::Arc;

use proptest::prelude::*;
use series::{Forecast, ForecastRequest, Horizon, ModelChoice, PrometheusQuery, Quantile, Seasons, Step, TargetKey};

use super::*;
use crate::{ServiceLevel, Threshold, Tolerance};

const NOW: i64 = 1_000_000_020;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn load(amount: f64) -> Load {
    Load::new(amount).unwrap()
}

pub(crate) fn target(mode: Mode, activation: f64) -> Target {
    Target {
        key: TargetKey { namespace: "shop".into(), name: "checkout".into(), digest: "0".into() },
        request: ForecastRequest {
            query: PrometheusQuery::new("sum(load)"),
            step: Step::MINUTE,
            history: Duration::from_secs(14 * 86_400),
            lead_time: Duration::from_secs(180),
            model: ModelChoice::Auto,
            seasons: Seasons::Found,
            timezone: "UTC".into(),
            forecast_wanted: mode != Mode::Reactive,
            replicas_query: None,
        },
        threshold: Threshold::new(10.0).unwrap(),
        activation: load(activation),
        service_level: ServiceLevel::of_quantile(0.9).unwrap(),
        hpa_tolerance: Tolerance::DEFAULT,
        mode,
    }
}

/// Median 50, `0.9` quantile `high`, flat for a day from `origin` on.
fn flat_forecast(origin: Timestamp, high: f64) -> Arc<Forecast> {
    let horizon =
        |ahead| Horizon { ahead: Duration::from_secs(ahead), quantiles: vec![load(50.0_f64.min(high)), load(high)] };
    let levels = vec![Quantile::MEDIAN, Quantile::new(0.9).unwrap()];
    Arc::new(Forecast::new(origin, ModelName::Ridge, levels, vec![horizon(60), horizon(86_400)]).unwrap())
}

fn outlook(observed: Option<(i64, f64)>, forecast: Result<Arc<Forecast>, NoForecast>) -> Outlook {
    Outlook {
        observation: observed
            .map(|(seconds, amount)| Observation { at: at(seconds), load: load(amount) })
            .ok_or(series::NoObservation::NotYet),
        forecast,
        source: SourceState::Answering,
        ..Outlook::first_seen(at(NOW))
    }
}

fn failing(mut outlook: Outlook) -> Outlook {
    let fault = SourceFault { kind: FaultKind::Unreachable, message: "connection refused".into() };
    outlook.source = SourceState::Failing { since: at(NOW - 60), fault };
    outlook
}

fn planned(outlook: &Outlook, target: &Target) -> (f64, Reason) {
    let plan = plan(outlook, target, None, None, at(NOW)).unwrap();
    (plan.demand.get(), plan.reason)
}

#[test]
fn the_forecast_is_published_with_the_fresh_observation_as_its_floor() {
    let target = target(Mode::Predict, 0.0);
    let forecast = flat_forecast(at(NOW - 60), 80.0);
    let below = outlook(Some((NOW - 5, 60.0)), Ok(Arc::clone(&forecast)));
    assert_eq!(planned(&below, &target), (80.0, Reason::Forecast { model: ModelName::Ridge }));
    let above = outlook(Some((NOW - 5, 95.0)), Ok(forecast));
    assert_eq!(planned(&above, &target), (95.0, Reason::ObservationAboveForecast { model: ModelName::Ridge }));
}

#[test]
fn an_old_observation_is_no_floor() {
    let old = outlook(Some((NOW - 3600, 95.0)), Ok(flat_forecast(at(NOW - 60), 80.0)));
    assert_eq!(planned(&old, &target(Mode::Predict, 0.0)).0, 80.0);
}

#[test]
fn the_last_forecast_stays_in_force_until_it_ends() {
    let target = target(Mode::Predict, 0.0);
    let hours_old = failing(outlook(Some((NOW - 7200, 60.0)), Ok(flat_forecast(at(NOW - 7200), 80.0))));
    let age = Duration::from_secs(7200);
    assert_eq!(planned(&hours_old, &target), (80.0, Reason::LastForecast { model: ModelName::Ridge, age }));

    let ended = failing(outlook(Some((NOW - 90_000, 60.0)), Ok(flat_forecast(at(NOW - 90_000), 80.0))));
    let refused = plan(&ended, &target, None, None, at(NOW)).unwrap_err();
    assert_eq!(refused.fault(), Some(FaultKind::Unreachable));
}

#[test]
fn without_a_forecast_the_observation_is_held_for_minutes_then_the_answer_is_an_error() {
    let target = target(Mode::Predict, 0.0);
    let none = || Err(NoForecast::TooLittleHistory { known: 1, needed: 3 });
    let recent = failing(outlook(Some((NOW - 240, 60.0)), none()));
    assert_eq!(planned(&recent, &target).0, 60.0);
    let old = failing(outlook(Some((NOW - 3600, 60.0)), none()));
    assert!(matches!(plan(&old, &target, None, None, at(NOW)), Err(NoPlan::SourceFailing(_))));
    let silent = outlook(Some((NOW - 3600, 60.0)), none());
    assert_eq!(plan(&silent, &target, None, None, at(NOW)), Err(NoPlan::OutOfDate { age: Duration::from_secs(3600) }));
    assert_eq!(plan(&Outlook::first_seen(at(NOW)), &target, None, None, at(NOW)), Err(NoPlan::NotYet));
}

#[test]
fn shadow_and_reactive_publish_the_observation_as_it_is() {
    let outlook = outlook(Some((NOW - 5, 10.5)), Ok(flat_forecast(at(NOW - 60), 80.0)));
    let fleet = FleetEstimate::sized_for(load(10.0), Threshold::new(10.0).unwrap(), Tolerance::DEFAULT, at(NOW));
    for mode in [Mode::Shadow, Mode::Reactive] {
        let plan = plan(&outlook, &target(mode, 0.0), Some(&fleet), None, at(NOW)).unwrap();
        assert_eq!((plan.value.get(), plan.publication, plan.predicted), (10.5, Publication::AsIs, Some(load(80.0))));
    }
}

#[test]
fn the_window_reaches_the_first_sample_that_new_pods_will_serve() {
    // quiet but for one peak; pods ordered at the next sync are Ready 195 s from now, and the sample that tells
    // of the load then comes up to a step later
    let peak_at = |ahead: u64| {
        let horizon = |ahead, amount| Horizon { ahead: Duration::from_secs(ahead), quantiles: vec![load(amount)] };
        let around = vec![
            horizon(1, 5.0),
            horizon(ahead - 1, 5.0),
            horizon(ahead, 70.0),
            horizon(ahead + 1, 5.0),
            horizon(9000, 5.0),
        ];
        let forecast = Forecast::new(at(NOW), ModelName::Ridge, vec![Quantile::MEDIAN], around).unwrap();
        planned(&outlook(Some((NOW, 5.0)), Ok(Arc::new(forecast))), &target(Mode::Predict, 0.0)).0
    };
    assert_eq!(peak_at(255), 70.0);
    assert_eq!(peak_at(257), 5.0);
}

#[test]
fn the_pods_that_are_asked_for_are_what_the_value_orders() {
    let outlook = outlook(Some((NOW - 5, 60.0)), Ok(flat_forecast(at(NOW - 60), 80.0)));
    let target = target(Mode::Predict, 0.0);
    for (running, pods) in [(20, 12), (20, 18), (10, 12), (10, 25), (7, 7)] {
        let mut fleet =
            FleetEstimate::sized_for(load(f64::from(running) * 10.0), target.threshold, Tolerance::DEFAULT, at(NOW));
        let made = plan(&outlook, &target, Some(&fleet), Some(pods), at(NOW)).unwrap();
        for sync in 1..=30 {
            fleet.follow(made.value, at(NOW + 15 * sync));
        }
        assert_eq!(fleet.replicas(), pods, "from {running}");
    }
}

#[test]
fn pods_are_no_reason_to_wake_a_workload() {
    let outlook = outlook(Some((NOW - 5, 0.0)), Ok(flat_forecast(at(NOW - 60), 0.0)));
    let idle = plan(&outlook, &target(Mode::Predict, 0.0), None, Some(1), at(NOW)).unwrap();
    assert_eq!((idle.value.get(), idle.active), (0.0, false));
}

#[test]
fn negative_loads_are_published_as_zero() {
    let negative = outlook(Some((NOW, -4.0)), Ok(flat_forecast(at(NOW - 60), -2.0)));
    let plan = plan(&negative, &target(Mode::Predict, 0.0), None, None, at(NOW)).unwrap();
    assert_eq!((plan.value.get(), plan.active), (0.0, false));
}

#[test]
fn a_rise_survives_the_rounding_to_thousandths() {
    assert_eq!(in_thousandths(load(0.0011)).get(), 0.002);
    assert_eq!(in_thousandths(load(0.3)).get(), 0.3);
    assert_eq!(in_thousandths(load(0.0)).get(), 0.0);
    assert_eq!(in_thousandths(load(3e15)).get(), 3e15);
}

prop_compose! {
    fn any_case()(
        observed in prop::option::of((-4000_i64..200, -10.0..1e6_f64)),
        forecast in prop::option::of((-90_000_i64..60, 0.0..1e6_f64)),
        mode in prop::sample::select(vec![Mode::Predict, Mode::Shadow, Mode::Reactive]),
        activation in prop_oneof![Just(0.0), -5.0..1e5_f64],
        fleet in prop::option::of(0.0..1e6_f64),
        pods in prop::option::of(1_u32..10_000),
        source_fails: bool,
    ) -> (Outlook, Target, Option<FleetEstimate>, Option<u32>) {
        let forecast = forecast
            .map(|(age, high)| flat_forecast(at(NOW + age), high))
            .ok_or(NoForecast::NotYet);
        let outlook = outlook(observed.map(|(age, amount)| (NOW + age, amount)), forecast);
        let outlook = if source_fails { failing(outlook) } else { outlook };
        let target = target(mode, activation);
        let fleet = fleet.map(|carried| FleetEstimate::sized_for(load(carried), target.threshold, Tolerance::DEFAULT, at(NOW)));
        (outlook, target, fleet, pods)
    }
}

proptest! {
    #[test]
    fn value_activity_and_demand_always_agree((outlook, target, fleet, pods) in any_case()) {
        if let Ok(plan) = plan(&outlook, &target, fleet.as_ref(), pods, at(NOW)) {
            prop_assert!(plan.demand >= Load::ZERO);
            prop_assert!(plan.value >= plan.demand, "{plan:?}");
            prop_assert_eq!(plan.active, plan.demand > target.activation);
            prop_assert_eq!(plan.active, plan.value > target.activation, "{:?}", plan);
            if let (Mode::Predict, Some(observed)) = (target.mode, plan.observed) {
                prop_assert!(plan.value >= observed);
            }
        }
    }

    #[test]
    fn a_wrong_idea_of_the_fleet_never_takes_needed_pods_away(
        demand in 0.0..1e5_f64, believed in 1.0..1e5_f64, real in 1_u32..10_000,
    ) {
        let threshold = Threshold::new(10.0).unwrap();
        let fleet = FleetEstimate::sized_for(load(believed), threshold, Tolerance::DEFAULT, at(NOW));
        let (value, _) = crate::dead_band::publish(load(demand), threshold, &fleet);
        let mut hpa = FleetEstimate::sized_for(load(f64::from(real) * 10.0), threshold, Tolerance::DEFAULT, at(NOW));
        // an hour of the same answer: ramps and stabilization are over
        (1..=240).for_each(|sync| hpa.follow(value, at(NOW + 15 * sync)));
        let needed = hpa.needed(load(demand));
        prop_assert!(
            f64::from(hpa.replicas()) * (1.0 + crate::HPA_TOLERANCE) >= f64::from(needed) - 1.0,
            "{} replicas for {needed} needed", hpa.replicas(),
        );
    }
}
