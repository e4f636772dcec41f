//! What the scaler tells Prometheus of itself: rpcs, and the plan of every target, read from the board at each scrape.

mod targets;

use std::sync::Arc;
use std::time::Instant;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use series::Clock;
use tonic::{Code, Status};

use crate::board::Board;
use crate::limits::NoSeat;
use targets::BoardCollector;

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
    Samples,
}

impl EncodeLabelValue for Limit {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        match self {
            Self::Total => "total",
            Self::Namespace => "namespace",
            Self::Samples => "samples",
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
        for limit in [Limit::Total, Limit::Namespace, Limit::Samples] {
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
            NoSeat::Samples { .. } => Limit::Samples,
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
