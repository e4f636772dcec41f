//! Targets with forecasts of the size that the forecaster makes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use policy::Target;
use series::{Forecast, Horizon, Load, ModelName, Observation, Outlook, Quantile, SourceState, Timestamp};

/// The levels that the forecaster writes.
const LEVELS: [f64; 12] = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999];

/// The metadata of a trigger as users write it.
pub fn metadata() -> HashMap<String, String> {
    [
        ("scalerAddress", "keda-external-scaler.ml-autoscaler.svc.cluster.local:6000"),
        ("serverAddress", "http://prometheus.monitoring.svc:9090"),
        ("query", r#"sum(rate(http_requests_total{app="chat-backend"}[1m]))"#),
        ("threshold", "12"),
        ("leadTime", "3m"),
        ("slo", "99.5%"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// The target of the `index`th ScaledObject.
///
/// # Panics
/// Where [`metadata`] holds a mistake.
#[expect(clippy::expect_used, reason = "a benchmark stops at the first thing that is wrong")]
pub fn target(index: usize) -> Target {
    scaler::parse_target("shop", &object_name(index), &metadata(), &scaler::Defaults::default())
        .expect("valid metadata")
}

/// The name of the `index`th ScaledObject.
pub fn object_name(index: usize) -> String {
    format!("workload-{index}")
}

/// An outlook made at `now`: a forecast of a day at 18 horizons by the minute and 96 by the quarter of an hour.
///
/// # Panics
/// Never, unless the words of `series` change their invariants.
#[expect(clippy::expect_used, reason = "a benchmark stops at the first thing that is wrong")]
pub fn outlook(now: Timestamp) -> Arc<Outlook> {
    let minutes = (1..=18).chain((1..=96).map(|quarter| 15 * quarter).filter(|minute| *minute > 18));
    let horizons = minutes.map(|minute: u32| {
        let center = 200.0 + 100.0 * (f64::from(minute) / 229.0).sin();
        let spread = 5.0 + f64::from(minute).sqrt();
        let load = |level: f64| Load::new(center + spread * (level / (1.0 - level)).ln()).expect("finite");
        Horizon {
            ahead: Duration::from_secs(u64::from(minute) * 60),
            quantiles: LEVELS.into_iter().map(load).collect(),
        }
    });
    let levels = LEVELS.into_iter().map(|level| Quantile::new(level).expect("inside (0, 1)")).collect();
    let forecast = Forecast::new(now, ModelName::Ridge, levels, horizons.collect()).expect("ordered");
    Arc::new(Outlook {
        observation: Ok(Observation { at: now, load: Load::new(190.0).expect("finite") }),
        forecast: Ok(Arc::new(forecast)),
        source: SourceState::Answering,
        ..Outlook::first_seen(now)
    })
}
