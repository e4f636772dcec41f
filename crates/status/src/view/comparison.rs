//! [`Comparison`]: what the forecasts cost and save, beside plain reactive scaling.

use std::time::Duration;

use policy::{Mode, ServiceLevel, Tally};
use scaler::{Readable, Snapshot};
use serde::Serialize;
use series::Timestamp;
use utoipa::ToSchema;

use super::numbers::{amount, percent, tidy};

const HOUR: f64 = 3600.0;

/// Two estimated fleets over the same time: one that got the predictive values, and one that got the load itself.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Comparison {
    /// Since when they are compared.
    pub(crate) since: Timestamp,
    /// Seconds of load that were compared.
    pub(crate) seconds: f64,
    /// The share of them that may be short; null where no SLO is stated.
    pub(crate) allowed: Option<f64>,
    /// With the values that are published, or would be in `mode: shadow`.
    pub(crate) predictive: Fleet,
    /// With the load as the value, which is what a `prometheus` trigger gives.
    pub(crate) reactive: Fleet,
}

/// How one fleet stood.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fleet {
    /// Pods ordered, times hours.
    pub(crate) pod_hours: f64,
    /// Seconds with fewer Ready pods than the load took.
    pub(crate) short_seconds: f64,
    /// The same as a share of the time compared.
    pub(crate) short: f64,
}

impl Fleet {
    fn of(tally: Tally, seconds: f64) -> Self {
        Self {
            pod_hours: tidy(tally.pod_seconds / HOUR),
            short_seconds: tidy(tally.short_seconds),
            short: tidy(tally.short_seconds / seconds),
        }
    }

    fn told(&self) -> String {
        let short = match Duration::try_from_secs_f64(self.short_seconds.round()) {
            Ok(Duration::ZERO) => "was never short".to_owned(),
            Ok(span) => format!("was short for {} ({})", Readable(span), percent(self.short)),
            Err(_) => format!("was short for {}", percent(self.short)),
        };
        format!("{} pod-hours and {short}", amount(self.pod_hours))
    }
}

impl Comparison {
    /// `None` before anything was compared, and in `mode: reactive`.
    pub(crate) fn of(snapshot: &Snapshot) -> Option<Self> {
        let kept = snapshot.comparison.filter(|kept| kept.seconds > 0.0)?;
        let allowed = match snapshot.target.service_level {
            ServiceLevel::Slo(share) => Some(tidy(1.0 - share.get())),
            ServiceLevel::Quantile(_) | ServiceLevel::CostRatio(_) => None,
        };
        Some(Self {
            since: kept.since,
            seconds: tidy(kept.seconds),
            allowed,
            predictive: Fleet::of(kept.predictive, kept.seconds),
            reactive: Fleet::of(kept.reactive, kept.seconds),
        })
    }

    /// Both in a sentence.
    pub(crate) fn told(&self, mode: Mode) -> String {
        let span = Readable(Duration::try_from_secs_f64(self.seconds.round()).unwrap_or(Duration::MAX));
        let (ours, plain) = (self.predictive.told(), self.reactive.told());
        let allowed = self.allowed.map_or_else(String::new, |share| format!("; the SLO allows {}", percent(share)));
        let (first, second) = if mode == Mode::Shadow {
            ("a fleet that got the forecasts would have taken", "the one that gets the load takes")
        } else {
            ("the fleet took", "one that got the load as its value")
        };
        format!("By estimate, in {span} of load {first} {ours}, {second} {plain}{allowed}.")
    }
}
