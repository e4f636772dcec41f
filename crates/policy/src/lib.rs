//! From an outlook to the value that KEDA gets: pure, without IO, clock or async.
//!
//! [`Target`] says how one trigger is to be scaled. [`plan`] turns what is known of it into a [`Plan`]: the demand to be
//! ready for, the value to publish, whether the workload is active, and why. [`Planner`] makes one plan after the other and
//! remembers a [`FleetEstimate`] between them: how many replicas an HPA that got the published values has by now. [`Hpa`] is the HPA's own
//! arithmetic, which the estimate and the simulator share.
//!
//! Two rules hold for every plan (properties in the tests keep them): the value is never
//! below the demand, and it is above the activation threshold exactly where the workload is active.
//!
//! ```
//! use std::time::Duration;
//!
//! use policy::{Mode, Reason, ServiceLevel, Target, Threshold, Tolerance, plan};
//! use series::{
//!     ForecastRequest, Load, ModelChoice, Observation, Outlook, PrometheusQuery, Seasons, Step, TargetKey, Timestamp,
//! };
//!
//! let target = Target {
//!     key: TargetKey { namespace: "shop".into(), name: "checkout".into(), digest: "0a".into() },
//!     request: ForecastRequest {
//!         query: PrometheusQuery::new("sum(rate(http_requests_total[1m]))"),
//!         step: Step::MINUTE,
//!         history: Duration::from_secs(14 * 86_400),
//!         lead_time: Duration::from_secs(180),
//!         model: ModelChoice::Auto,
//!         seasons: Seasons::Found,
//!         timezone: "UTC".to_owned(),
//!         forecast_wanted: true,
//!         replicas_query: None,
//!     },
//!     threshold: Threshold::new(12.0)?,
//!     activation: Load::ZERO,
//!     service_level: ServiceLevel::slo(0.995)?,
//!     hpa_tolerance: Tolerance::DEFAULT,
//!     mode: Mode::Predict,
//! };
//!
//! // nothing but an observation is known: it is published, and the plan says why
//! let now = Timestamp::UNIX_EPOCH;
//! let observation = Ok(Observation { at: now, load: Load::new(70.0)? });
//! let outlook = Outlook { observation, ..Outlook::first_seen(now) };
//! let made = plan(&outlook, &target, None, None, now)?;
//! assert_eq!((made.value.get(), made.active), (70.0, true));
//! assert!(matches!(made.reason, Reason::NoForecast(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod dead_band;
mod fleet;
mod hpa;
mod hpa_rules;
mod ledger;
mod memory;
mod plan;
mod planner;
mod prices;
mod rehearsal;
mod replicas;
mod risk;
mod samples;
mod service_level;
mod sizing;
mod target;
mod tolerance;
mod track;

pub use fleet::FleetEstimate;
pub use hpa::{Hpa, HpaSettings};
pub use hpa_rules::{Change, RateLimits, ScalingPolicy, ScalingRules};
pub use ledger::{Comparison, Tally};
pub use memory::Memory;
pub use plan::{NoPlan, Plan, Publication, Reason, plan};
pub use planner::Planner;
pub use replicas::{ReplicaRange, ReplicaRangeError};
pub use service_level::{ServiceLevel, ServiceLevelError};
pub use target::{Mode, Target, Threshold, ThresholdError, UnknownMode};
pub use tolerance::{Tolerance, ToleranceError};

use std::time::Duration;

/// How often an HPA asks for its metrics (`--horizontal-pod-autoscaler-sync-period`, the cluster default).
pub const HPA_SYNC: Duration = Duration::from_secs(15);

/// The relative distance from `target × replicas` within which an HPA does nothing
/// (`--horizontal-pod-autoscaler-tolerance`, the cluster default).
pub const HPA_TOLERANCE: f64 = 0.1;

/// How long an HPA remembers its recommendations before it scales down (`stabilizationWindowSeconds`, the default).
pub const HPA_STABILIZATION: Duration = Duration::from_secs(300);
