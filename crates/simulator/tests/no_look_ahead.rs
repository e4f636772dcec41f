//! Fit, forecast and plan over a whole history: what comes later changes nothing that was decided before.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is wrong")]

use std::sync::Arc;
use std::time::Duration;

use forecasting::{Fitted, Seasons, Settings, fit};
use policy::{FleetEstimate, Mode, Plan, ServiceLevel, Target, Threshold, plan};
use series::{
    ForecastRequest, GapReason, Load, ModelChoice, Observation, Outlook, PrometheusQuery, Sample, Series, SourceState,
    Step, TargetKey, Timestamp,
};

const STEP_SECONDS: u32 = 300;
const DAY: usize = 86_400 / STEP_SECONDS as usize;
const LEAD_TIME: Duration = Duration::from_secs(600);

fn step() -> Step {
    Step::from_seconds(STEP_SECONDS).unwrap()
}

/// A daily rhythm, a drifting level, unrest that looks like chance, and a gap.
fn load(index: usize) -> Sample {
    if (700..712).contains(&index) {
        return Sample::Gap(GapReason::NoSample);
    }
    let time = index as f64;
    let rhythm = (time / DAY as f64 * std::f64::consts::TAU).sin();
    let unrest = (time * 12.9898).sin() * 43_758.545;
    let amount = 200.0 + 90.0 * rhythm + 0.01 * time + 15.0 * (unrest - unrest.floor());
    Sample::Value(Load::new(amount).unwrap())
}

fn history(samples: impl Iterator<Item = Sample>) -> Series {
    let start = step().floor(Timestamp::from_second(1_700_000_000).unwrap());
    Series::from_samples(start, step(), samples).unwrap()
}

fn target() -> Target {
    Target {
        key: TargetKey { namespace: "shop".into(), name: "checkout".into(), digest: "0".into() },
        request: ForecastRequest {
            query: PrometheusQuery::new("sum(load)"),
            step: step(),
            history: Duration::from_secs(14 * 86_400),
            lead_time: LEAD_TIME,
            model: ModelChoice::Auto,
            timezone: "UTC".into(),
            forecast_wanted: true,
        },
        threshold: Threshold::new(10.0).unwrap(),
        activation: Load::ZERO,
        service_level: ServiceLevel::slo(0.99).unwrap(),
        mode: Mode::Predict,
    }
}

/// Every plan after the third day, each from what was known at its time.
fn decisions(series: &Series) -> Vec<Plan> {
    let timezone = jiff::tz::TimeZone::UTC;
    let settings =
        Settings { lead_time: LEAD_TIME, model: ModelChoice::Auto, timezone, seasons: Seasons::Found, horizon: None };
    let target = target();
    let (mut fitted, mut fleet) = (None::<Fitted>, None::<FleetEstimate>);
    let mut plans: Vec<Plan> = Vec::new();
    for index in 3 * DAY..series.len() {
        let now = series.time(index);
        let known = series.until(now);
        let current = match fitted.take() {
            Some(current) if !current.is_due(&known) => current,
            _ => fit(&known, &settings).unwrap(),
        };
        let (at, load) = known.latest().unwrap();
        let outlook = Outlook {
            observation: Ok(Observation { at, load }),
            forecast: Ok(Arc::new(current.forecast(&known).unwrap())),
            verdict: Some(Arc::clone(current.verdict())),
            source: SourceState::Answering,
            ..Outlook::first_seen(now)
        };
        fitted = Some(current);
        if let (Some(fleet), Some(last)) = (&mut fleet, plans.last()) {
            fleet.follow(last.value, now);
        }
        let made = plan(&outlook, &target, fleet.as_ref(), now).unwrap();
        fleet.get_or_insert_with(|| FleetEstimate::sized_for(made.demand, target.threshold, now));
        plans.push(made);
    }
    plans
}

#[test]
fn a_cut_series_gives_identical_earlier_plans() {
    let decided = decisions(&history((0..5 * DAY).map(load)));
    assert!(decided.iter().any(|plan| plan.reason.label() == "forecast"), "the forecast must matter here");
    for cut in [3 * DAY + 1, 4 * DAY, 4 * DAY + 100] {
        let decided_then = decisions(&history((0..cut).map(load)));
        assert_eq!(decided_then, decided[..decided_then.len()], "cut at {cut}");

        // the same past, and a future that has nothing to do with the real one
        let other = |index| if index < cut { load(index) } else { Sample::Value(Load::ZERO) };
        let decided_otherwise = decisions(&history((0..5 * DAY).map(other)));
        assert_eq!(decided_otherwise[..decided_then.len()], decided_then[..], "another future after {cut}");
        assert_ne!(decided_otherwise, decided);
    }
}
