//! What the scaler tells Prometheus of itself: rpcs, and the plan of every target, read from the board at each scrape.

use std::sync::Arc;
use std::time::Instant;

use policy::{NoPlan, Reason};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric as _, LabelValueEncoder,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use series::{Clock, Timestamp};
use tonic::{Code, Status};

use crate::board::{Board, NoSeat, Snapshot};

/// One of KEDA's rpcs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Rpc {
    IsActive,
    StreamIsActive,
    GetMetricSpec,
    GetMetrics,
    StreamMetricSpec,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RpcLabels {
    rpc: Rpc,
    code: CodeLabel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct CodeLabel(Code);

impl EncodeLabelValue for CodeLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        use std::fmt::Write as _;
        // the variants' own names are a closed set
        write!(encoder, "{:?}", self.0)
    }
}

/// The scaler's own metrics.
#[derive(Debug)]
pub(crate) struct Metrics {
    rpc_duration: Family<RpcLabels, Histogram, fn() -> Histogram>,
    refused: Family<LimitLabel, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabel {
    limit: Limit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Limit {
    Total,
    Namespace,
}

impl EncodeLabelValue for Limit {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        match self {
            Self::Total => "total",
            Self::Namespace => "namespace",
        }
        .encode(encoder)
    }
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry, board: Arc<Board>, clock: Arc<dyn Clock>) -> Self {
        // answers come from memory: a microsecond to a few milliseconds, and a tail that tells of a starved process
        let histogram: fn() -> Histogram =
            || Histogram::new([1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 1e-2, 0.1, 1.0]);
        let rpc_duration = Family::new_with_constructor(histogram);
        registry.register(
            "prescale_rpc_duration_seconds",
            "Time to answer one rpc of KEDA; for streams, to open one",
            rpc_duration.clone(),
        );
        let refused = Family::<LimitLabel, Counter>::default();
        // there from the start: a rate over a counter that appears with its first count misses it
        for limit in [Limit::Total, Limit::Namespace] {
            drop(refused.get_or_create(&LimitLabel { limit }));
        }
        let help = "Calls for new targets that were refused because there are as many as there may be";
        registry.register("prescale_targets_refused", help, refused.clone());
        registry.register_collector(Box::new(BoardCollector { board, clock }));
        Self { rpc_duration, refused }
    }

    /// Counts a target that got no seat.
    pub(crate) fn refused(&self, no_seat: NoSeat) {
        let limit = match no_seat {
            NoSeat::Total(_) => Limit::Total,
            NoSeat::Namespace(_) => Limit::Namespace,
        };
        self.refused.get_or_create(&LimitLabel { limit }).inc();
    }

    /// Answers one rpc and records how long it took and how it ended.
    pub(crate) fn observe<T>(&self, rpc: Rpc, answer: impl FnOnce() -> Result<T, Status>) -> Result<T, Status> {
        let start = Instant::now();
        let answer = answer();
        let code = CodeLabel(answer.as_ref().map_or_else(Status::code, |_| Code::Ok));
        self.rpc_duration.get_or_create(&RpcLabels { rpc, code }).observe(start.elapsed().as_secs_f64());
        answer
    }
}

/// Reads every target's plan from the board at each scrape, so that a target that is gone leaves no series behind.
#[derive(Debug)]
struct BoardCollector {
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
}

type Amount = fn(&Snapshot, Timestamp) -> Option<f64>;

/// Name, help and how to read it; absent where it is not known.
const GAUGES: [(&str, &str, Amount); 9] = [
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
