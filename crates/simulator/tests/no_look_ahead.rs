//! The production path over a whole history: what comes later changes nothing that was published before.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is wrong")]

use std::time::Duration;

use policy::{Mode, ServiceLevel, Target, Threshold};
use series::{
    ForecastRequest, GapReason, Load, ModelChoice, PrometheusQuery, Sample, Seasons, Series, Step, TargetKey, Timestamp,
};
use simulator::{Replay, ReplayError};

const STEP_SECONDS: u32 = 300;
const DAY: usize = 86_400 / STEP_SECONDS as usize;
const TICKS: usize = STEP_SECONDS as usize / 15;

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

fn target(slo: f64) -> Target {
    let metadata_of = ForecastRequest {
        query: PrometheusQuery::new("sum(load)"),
        step: step(),
        history: Duration::from_secs(14 * 86_400),
        lead_time: Duration::from_secs(600),
        model: ModelChoice::Auto,
        seasons: Seasons::Found,
        timezone: "UTC".into(),
        forecast_wanted: true,
        replicas_query: None,
    };
    Target {
        key: TargetKey { namespace: "shop".into(), name: "checkout".into(), digest: "0".into() },
        request: metadata_of,
        threshold: Threshold::new(10.0).unwrap(),
        activation: Load::ZERO,
        service_level: ServiceLevel::slo(slo).unwrap(),
        hpa_tolerance: policy::Tolerance::DEFAULT,
        mode: Mode::Predict,
    }
}

/// What was published at every tick, and why, per target.
fn published(series: &Series, targets: &[Target]) -> Vec<Vec<(Option<Load>, String)>> {
    let mut replay = Replay::new(series, targets.to_vec(), Duration::ZERO).unwrap();
    let mut published = vec![Vec::new(); targets.len()];
    while let Some(moment) = replay.advance() {
        for (published, plan) in published.iter_mut().zip(moment.plans) {
            let reason = plan.as_ref().map_or_else(ToString::to_string, |plan| plan.reason.to_string());
            published.push((plan.as_ref().ok().map(|plan| plan.value), reason));
        }
    }
    published
}

#[test]
fn a_cut_load_gives_identical_earlier_values() {
    let targets = [target(0.99)];
    let whole = published(&history((0..5 * DAY).map(load)), &targets).remove(0);
    assert_eq!(whole.len(), 5 * DAY * TICKS);
    assert!(whole.iter().any(|(_, reason)| reason.starts_with("forecast by")), "the forecast must matter here");
    for cut in [3 * DAY + 1, 4 * DAY, 4 * DAY + 100] {
        let then = published(&history((0..cut).map(load)), &targets).remove(0);
        assert_eq!(then, whole[..cut * TICKS], "cut at {cut}");

        // the same past, and a future that has nothing to do with the real one; the bucket that is under way is future too
        let other = |index| if index < cut { load(index) } else { Sample::Value(Load::ZERO) };
        let otherwise = published(&history((0..5 * DAY).map(other)), &targets).remove(0);
        assert_eq!(otherwise[..(cut + 1) * TICKS], whole[..(cut + 1) * TICKS], "another future after {cut}");
        assert_ne!(otherwise, whole);
    }
}

#[test]
fn targets_that_share_a_walk_are_told_what_each_would_be_told_alone() {
    let series = history((0..2 * DAY).map(load));
    let targets = [target(0.9), target(0.999)];
    let together = published(&series, &targets);
    for (target, together) in targets.iter().zip(&together) {
        assert_eq!(*together, published(&series, std::slice::from_ref(target)).remove(0));
    }
    assert_ne!(together[0], together[1]);
}

#[test]
fn targets_that_ask_for_different_forecasts_share_no_walk() {
    let series = history((0..DAY).map(load));
    let mut other = target(0.99);
    other.request.lead_time = Duration::from_secs(60);
    let error = |targets| Replay::new(&series, targets, Duration::ZERO).map(|_| ()).unwrap_err();
    assert_eq!(error(vec![target(0.99), other.clone()]), ReplayError::Requests);
    assert_eq!(error(vec![]), ReplayError::NoTarget);
    other.request.step = Step::MINUTE;
    assert_eq!(error(vec![other]), ReplayError::Requests);
}
