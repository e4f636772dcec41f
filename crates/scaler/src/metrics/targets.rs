//! What is known of every target, read from the board at each scrape.

use std::sync::Arc;

use policy::{NoPlan, Reason, ServiceLevel};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use series::{ChoiceReason, Clock, Timestamp};

use crate::board::Board;
use crate::seat::Snapshot;

/// Reads every target's plan from the board at each scrape, so that a target that is gone leaves no series behind.
#[derive(Debug)]
pub(super) struct BoardCollector {
    pub(super) board: Arc<Board>,
    pub(super) clock: Arc<dyn Clock>,
}

type Amount = fn(&Snapshot, Timestamp) -> Option<f64>;

/// Name, help and how to read it; absent where it is not known.
const GAUGES: [(&str, &str, Amount); 12] = [
    ("prescale_target_published", "Value that KEDA gets, in the unit of the query", |target, _| {
        target.plan.as_ref().ok().map(|plan| plan.value.get())
    }),
    ("prescale_target_demand", "Demand to be ready for, in the unit of the query", |target, _| {
        target.plan.as_ref().ok().map(|plan| plan.demand.get())
    }),
    ("prescale_target_active", "1 while the workload is active, 0 while it may scale to zero", |target, _| {
        target.plan.as_ref().ok().map(|plan| f64::from(u8::from(plan.active)))
    }),
    ("prescale_target_forecast", "Peak over the lead window at the target's quantile", |target, _| {
        target.plan.as_ref().ok()?.predicted.map(series::Load::get)
    }),
    ("prescale_target_observed", "Newest load that the source told", |target, _| {
        target.outlook.observation.as_ref().ok().map(|seen| seen.load.get())
    }),
    ("prescale_target_observation_age_seconds", "Age of the newest load that the source told", |target, now| {
        target.outlook.observation.as_ref().ok().map(|seen| seconds_since(seen.at, now))
    }),
    ("prescale_target_forecast_age_seconds", "Age of what the newest forecast knew", |target, now| {
        target.outlook.forecast.as_ref().ok().map(|forecast| seconds_since(forecast.origin(), now))
    }),
    (
        "prescale_target_lead_time_error",
        "Mean absolute error of the median forecasts made a lead time ago, in the unit of the query",
        |target, _| target.outlook.lead_time_error,
    ),
    ("prescale_target_replicas_expected", "Replicas that the values published so far lead to", |target, _| {
        target.replicas.map(f64::from)
    }),
    (
        "prescale_target_demoted",
        "1 while a plainer model stands in for one whose forecasts came out worse",
        |target, _| {
            let verdict = target.outlook.verdict.as_deref()?;
            Some(f64::from(u8::from(matches!(verdict.reason, ChoiceReason::Demoted { .. }))))
        },
    ),
    (
        "prescale_target_shortage_price",
        "What a moment with too few pods is taken to cost so that the service level is held, in pods",
        |target, _| target.price,
    ),
    (
        "prescale_target_slo",
        "Share of the time in which there must be enough pods; absent where a quantile or a cost ratio is stated",
        |target, _| match target.target.service_level {
            ServiceLevel::Slo(share) => Some(share.get()),
            ServiceLevel::Quantile(_) | ServiceLevel::CostRatio(_) => None,
        },
    ),
];

type Share = fn(&Snapshot) -> Option<f64>;

/// Amounts that a label tells apart.
struct Labeled {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    label: &'static str,
    /// The values of the label, and how to read the amount of each.
    amounts: [(&'static str, Share); 2],
}

const LABELED: [Labeled; 4] = [
    Labeled {
        name: "prescale_target_skill",
        help: "How much less the forecasts of the chosen model lately lost than plain ones, as a share; below 0 they lost more",
        kind: MetricType::Gauge,
        label: "over",
        amounts: [
            ("persistence", |target| Some(target.outlook.skill?.over_persistence())),
            ("last_week", |target| target.outlook.skill?.over_last_week()),
        ],
    },
    Labeled {
        name: "prescale_target_coverage",
        help: "Share of loads at or below the quantile that was foretold for them a lead time before",
        kind: MetricType::Gauge,
        label: "quantile",
        amounts: [
            ("0.9", |target| Some(target.outlook.skill?.coverage_90)),
            ("0.99", |target| Some(target.outlook.skill?.coverage_99)),
        ],
    },
    Labeled {
        name: "prescale_target_pod_seconds",
        help: "Pods of an estimated fleet, with predictive values and with the load as the value",
        kind: MetricType::Counter,
        label: "scaling",
        amounts: [
            ("predictive", |target| Some(target.comparison?.predictive.pod_seconds)),
            ("reactive", |target| Some(target.comparison?.reactive.pod_seconds)),
        ],
    },
    Labeled {
        name: "prescale_target_short_seconds",
        help: "Time with fewer Ready pods than the load took in an estimated fleet, with predictive values and with the load as the value",
        kind: MetricType::Counter,
        label: "scaling",
        amounts: [
            ("predictive", |target| Some(target.comparison?.predictive.short_seconds)),
            ("reactive", |target| Some(target.comparison?.reactive.short_seconds)),
        ],
    },
];

impl Collector for BoardCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let now = self.clock.now();
        let targets = self.board.snapshots(now);
        let count = i64::try_from(targets.len()).unwrap_or(i64::MAX);
        let help = "Targets that KEDA asks for";
        ConstGauge::new(count).encode(encoder.encode_descriptor(
            "prescale_targets",
            help,
            None,
            MetricType::Gauge,
        )?)?;

        for (name, help, amount) in GAUGES {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for target in &targets {
                if let Some(amount) = amount(target, now) {
                    ConstGauge::new(amount).encode(family.encode_family(&labels(target))?)?;
                }
            }
        }

        for Labeled { name, help, kind, label, amounts } in LABELED {
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for target in &targets {
                for (value, amount) in amounts {
                    let Some(amount) = amount(target) else { continue };
                    let labels = [labels(target).as_slice(), &[(label, value)]].concat();
                    let labels = labels.as_slice();
                    let metric = family.encode_family(&labels)?;
                    match kind {
                        MetricType::Counter => ConstCounter::new(amount).encode(metric)?,
                        _ => ConstGauge::new(amount).encode(metric)?,
                    }
                }
            }
        }

        let help = "1 for what the demand rests on, 0 for the other reasons";
        let mut family = encoder.encode_descriptor("prescale_target_reason", help, None, MetricType::Gauge)?;
        for target in &targets {
            let reason = reason(&target.plan);
            for label in Reason::LABELS.into_iter().chain(["none"]) {
                let labels = [labels(target).as_slice(), &[("reason", label)]].concat();
                ConstGauge::new(i64::from(label == reason)).encode(family.encode_family(&labels.as_slice())?)?;
            }
        }
        Ok(())
    }
}

fn labels(target: &Snapshot) -> [(&str, &str); 3] {
    let key = &target.target.key;
    [("namespace", &key.namespace), ("name", &key.name), ("digest", &key.digest)]
}

fn reason(plan: &Result<Arc<policy::Plan>, NoPlan>) -> &'static str {
    plan.as_ref().map_or("none", |plan| plan.reason.label())
}

fn seconds_since(then: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(then).as_secs_f64().max(0.0)
}
