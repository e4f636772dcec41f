//! A load that comes and goes with the day, more or less as its forecast says.

#![allow(dead_code, reason = "each test uses a part of it")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is wrong")]

use std::time::Duration;

use policy::{Mode, ServiceLevel, Target, Threshold, Tolerance};
use series::{
    Forecast, ForecastRequest, Horizon, Load, ModelChoice, ModelName, PrometheusQuery, Quantile, Seasons, Step,
    TargetKey, Timestamp,
};

pub(crate) const MINUTE: i64 = 60;
pub(crate) const DAY: usize = 1440;
pub(crate) const LEAD: usize = 3;
/// Levels and the standard normal's quantiles at them.
pub(crate) const NORMAL: [(f64, f64); 8] = [
    (0.05, -1.644_854),
    (0.25, -0.674_490),
    (0.5, 0.0),
    (0.75, 0.674_490),
    (0.9, 1.281_552),
    (0.975, 1.959_964),
    (0.99, 2.326_348),
    (0.999, 3.090_232),
];

pub(crate) fn at(minute: usize) -> Timestamp {
    Timestamp::from_second(1_700_000_040 + MINUTE * i64::try_from(minute).unwrap()).unwrap()
}

pub(crate) fn load(amount: f64) -> Load {
    Load::new(amount).unwrap()
}

pub(crate) fn target(slo: f64) -> Target {
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
            replicas_query: None,
        },
        threshold: Threshold::new(10.0).unwrap(),
        activation: Load::ZERO,
        service_level: ServiceLevel::slo(slo).unwrap(),
        hpa_tolerance: Tolerance::new(0.0).unwrap(),
        mode: Mode::Predict,
    }
}

/// What is expected of a minute, and how far the load strays from it: calm nights, restless days.
pub(crate) fn expected(minute: usize) -> (f64, f64) {
    let phase = (minute as f64 / DAY as f64 * std::f64::consts::TAU).sin();
    (200.0 + 100.0 * phase, 12.0 + 8.0 * phase)
}

/// Standard normal, by the sum of twelve uniforms.
pub(crate) fn strays(state: &mut u64) -> f64 {
    let mut uniform = || {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..12).map(|_| uniform()).sum::<f64>() - 6.0
}

/// A forecast that knows the middle and takes the spread for `sureness` times smaller than it is.
pub(crate) fn forecast(minute: usize, sureness: f64) -> Forecast {
    let horizon = |ahead: usize| {
        let (middle, spread) = expected(minute + ahead);
        let quantiles = NORMAL.iter().map(|(_, normal)| load((middle + normal * spread / sureness).max(0.0))).collect();
        Horizon { ahead: Duration::from_secs(60 * ahead as u64), quantiles }
    };
    let levels = NORMAL.iter().map(|&(level, _)| Quantile::new(level).unwrap()).collect();
    Forecast::new(at(minute), ModelName::Ridge, levels, (1..=15).map(horizon).collect()).unwrap()
}
