//! KEDA's five rpcs: metadata in, the board's plan out. No handler queries, fits or waits.

use std::pin::Pin;
use std::sync::Arc;

use policy::Target;
use series::{Clock, TargetKey};
use tokio_stream::Stream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use wire::externalscaler::external_scaler_server::ExternalScaler;
use wire::externalscaler::{
    GetMetricSpecResponse, GetMetricsRequest, GetMetricsResponse, IsActiveResponse, MetricSpec, MetricValue,
    ScaledObjectRef,
};

use crate::board::Board;
use crate::metadata::{self, Defaults};
use crate::metrics::{Metrics, Rpc};
use crate::seat::Seat;
use crate::spellings::Spellings;
use crate::{status, streams};

/// Who makes the outlooks: told of every target that is seen for the first time, and of every one that is given up.
pub trait Forecasts: Send + Sync + std::fmt::Debug {
    /// Outlooks of `target` are wanted on the board from now on. Must not block.
    fn watch(&self, target: &Arc<Target>);
    /// Outlooks of `key` are not wanted any more.
    fn forget(&self, key: &TargetKey);
}

/// KEDA's external scaler: what all its rpcs share.
#[derive(Debug)]
pub struct Scaler {
    pub(crate) board: Arc<Board>,
    pub(crate) forecasts: Arc<dyn Forecasts>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    defaults: Defaults,
    spellings: Spellings,
}

impl Scaler {
    /// A scaler that answers from `board` and asks `forecasts` for what is not on it.
    pub fn new(
        board: Arc<Board>,
        forecasts: Arc<dyn Forecasts>,
        clock: Arc<dyn Clock>,
        defaults: Defaults,
        registry: &mut prometheus_client::registry::Registry,
    ) -> Self {
        let metrics = Metrics::register(registry, Arc::clone(&board), Arc::clone(&clock));
        let spellings = Spellings::new(board.limits().targets);
        Self { board, forecasts, clock, metrics, defaults, spellings }
    }

    /// The seat of the trigger that `object` describes; a new one is announced to the slow path.
    fn seat(&self, object: &ScaledObjectRef) -> Result<Arc<Seat>, Status> {
        if let Some(seat) = self.spellings.key(object).and_then(|key| self.board.seat(&key)) {
            return Ok(seat);
        }
        let target = metadata::parse_target(&object.namespace, &object.name, &object.scaler_metadata, &self.defaults)
            .map_err(|mistakes| status::of_mistakes(&mistakes))?;
        let key = target.key.clone();
        if let Some(seat) = self.board.seat(&key) {
            self.spellings.note(object, &key);
            return Ok(seat);
        }
        let taken = self.board.take_seat(target, self.clock.now());
        let (seat, is_new) = taken.map_err(|no_seat| {
            self.metrics.refused(no_seat);
            status::of_no_seat(no_seat)
        })?;
        if is_new {
            tracing::info!(namespace = %key.namespace, name = %key.name, digest = %key.digest, "target first seen");
            self.forecasts.watch(seat.target());
        }
        self.spellings.note(object, &key);
        Ok(seat)
    }

    fn is_active(&self, object: &ScaledObjectRef) -> Result<IsActiveResponse, Status> {
        let plan = self.seat(object)?.tell(self.clock.now()).map_err(|no_plan| status::of_no_plan(&no_plan))?;
        Ok(IsActiveResponse { result: plan.active })
    }

    fn get_metrics(&self, request: &GetMetricsRequest) -> Result<GetMetricsResponse, Status> {
        let object = described(request.scaled_object_ref.as_ref())?;
        let name = metadata::metric_name();
        // KEDA has asked in other case than it was told; an empty name stands for all metrics
        if !request.metric_name.is_empty() && !request.metric_name.eq_ignore_ascii_case(name) {
            let text = format!("this trigger has one metric, `{name}`; it has no `{}`", cut(&request.metric_name));
            return Err(Status::not_found(text));
        }
        let plan = self.seat(object)?.tell(self.clock.now()).map_err(|no_plan| status::of_no_plan(&no_plan))?;
        let value = plan.value.get();
        let metric_value =
            MetricValue { metric_name: name.to_owned(), metric_value: whole(value), metric_value_float: value };
        Ok(GetMetricsResponse { metric_values: vec![metric_value] })
    }
}

/// The spec of a trigger: a function of its metadata alone.
fn metric_spec(object: &ScaledObjectRef) -> Result<GetMetricSpecResponse, Status> {
    let threshold =
        metadata::parse_threshold(&object.scaler_metadata).map_err(|mistakes| status::of_mistakes(&mistakes))?;
    let spec = MetricSpec {
        metric_name: metadata::metric_name().to_owned(),
        target_size: whole(threshold.get()),
        target_size_float: threshold.get(),
    };
    Ok(GetMetricSpecResponse { metric_specs: vec![spec] })
}

fn described(object: Option<&ScaledObjectRef>) -> Result<&ScaledObjectRef, Status> {
    object.ok_or_else(|| Status::invalid_argument("scaledObjectRef is missing: KEDA always sends it"))
}

/// The integer that stands for `amount` where KEDA knows no floats: rounded up, so that nothing needed is lost.
fn whole(amount: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "loads and thresholds end at 9.2e15; `as` saturates beyond")]
    let whole = amount.ceil() as i64;
    whole
}

fn cut(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

/// The rpcs of one running server, which ends its streams when it is told to stop.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) scaler: Arc<Scaler>,
    pub(crate) stop: CancellationToken,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ExternalScaler for Service {
    type StreamIsActiveStream = Answers<IsActiveResponse>;
    type StreamMetricSpecStream = Answers<GetMetricSpecResponse>;

    async fn is_active(&self, request: Request<ScaledObjectRef>) -> Result<Response<IsActiveResponse>, Status> {
        let scaler = &self.scaler;
        scaler.metrics.observe(Rpc::IsActive, || scaler.is_active(request.get_ref())).map(Response::new)
    }

    async fn get_metric_spec(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<GetMetricSpecResponse>, Status> {
        self.scaler.metrics.observe(Rpc::GetMetricSpec, || metric_spec(request.get_ref())).map(Response::new)
    }

    async fn get_metrics(&self, request: Request<GetMetricsRequest>) -> Result<Response<GetMetricsResponse>, Status> {
        let scaler = &self.scaler;
        scaler.metrics.observe(Rpc::GetMetrics, || scaler.get_metrics(request.get_ref())).map(Response::new)
    }

    async fn stream_is_active(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamIsActiveStream>, Status> {
        let scaler = &self.scaler;
        let hold = scaler.metrics.observe(Rpc::StreamIsActive, || Ok(scaler.seat(request.get_ref())?.hold()))?;
        let activations = streams::activations(hold, Arc::clone(&scaler.clock), self.stop.clone());
        Ok(Response::new(Box::pin(activations)))
    }

    async fn stream_metric_spec(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamMetricSpecStream>, Status> {
        let spec = self.scaler.metrics.observe(Rpc::StreamMetricSpec, || metric_spec(request.get_ref()))?;
        Ok(Response::new(Box::pin(streams::once_then_open(spec, self.stop.clone()))))
    }
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
