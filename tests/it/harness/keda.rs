//! KEDA's calls, over a socket. `tests/keda-client` plays KEDA with its own code; this is for what needs a switch thrown
//! between two calls.

use std::collections::HashMap;

use tonic::Status;
use tonic::transport::{Channel, Endpoint};
use wire::externalscaler::external_scaler_client::ExternalScalerClient;
use wire::externalscaler::{
    GetMetricSpecResponse, GetMetricsRequest, GetMetricsResponse, IsActiveResponse, MetricSpec, ScaledObjectRef,
};

use super::eventually::{bounded, eventually};

/// One connection, as KEDA has one for all its triggers.
#[derive(Debug, Clone)]
pub(crate) struct Keda {
    pub(crate) channel: Channel,
    client: ExternalScalerClient<Channel>,
}

impl Keda {
    /// Connects to `127.0.0.1:port`.
    pub(crate) async fn connect(address: &str) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address makes a URL");
        let channel = bounded("the connection", endpoint.connect()).await.expect("prescale listens");
        Self::over(channel)
    }

    /// Calls over a connection of the test's own.
    pub(crate) fn over(channel: Channel) -> Self {
        Self { client: ExternalScalerClient::new(channel.clone()), channel }
    }

    pub(crate) async fn specs(&self, trigger: &Trigger) -> Result<GetMetricSpecResponse, Status> {
        let mut client = self.client.clone();
        Ok(bounded("GetMetricSpec", client.get_metric_spec(trigger.reference())).await?.into_inner())
    }

    /// The one spec of a trigger, which never fails.
    pub(crate) async fn spec(&self, trigger: &Trigger) -> MetricSpec {
        let answer =
            self.specs(trigger).await.unwrap_or_else(|status| panic!("GetMetricSpec of {trigger:?}: {status}"));
        let [spec] = answer.metric_specs.as_slice() else { panic!("one spec, not {answer:?}") };
        assert!(spec.target_size_float > 0.0 && spec.target_size as f64 >= spec.target_size_float, "{spec:?}");
        spec.clone()
    }

    pub(crate) async fn metrics(&self, trigger: &Trigger, name: &str) -> Result<GetMetricsResponse, Status> {
        let mut client = self.client.clone();
        let scaled_object_ref = Some(trigger.reference());
        let request = GetMetricsRequest { scaled_object_ref, metric_name: name.to_owned() };
        Ok(bounded("GetMetrics", client.get_metrics(request)).await?.into_inner())
    }

    /// The value that the HPA would get; whatever is no sound answer is a failure of the test.
    pub(crate) async fn value(&self, trigger: &Trigger) -> Result<f64, Status> {
        let name = self.spec(trigger).await.metric_name;
        let answer = self.metrics(trigger, &name).await?;
        let [metric] = answer.metric_values.as_slice() else { panic!("one value, not {answer:?}") };
        assert_eq!(metric.metric_name, name);
        let float = metric.metric_value_float;
        // what is NaN is not at least zero
        assert!(float >= 0.0 && float.is_finite(), "{metric:?}");
        assert!(
            (0.0..1.0).contains(&(metric.metric_value as f64 - float)),
            "the int is the float rounded up: {metric:?}"
        );
        Ok(float)
    }

    pub(crate) async fn is_active(&self, trigger: &Trigger) -> Result<bool, Status> {
        let mut client = self.client.clone();
        Ok(bounded("IsActive", client.is_active(trigger.reference())).await?.into_inner().result)
    }

    /// Polls until there is a value.
    pub(crate) async fn value_at_last(&self, trigger: &Trigger) -> f64 {
        let what = format!("a value for {trigger:?}");
        eventually(&what, async || self.value(trigger).await.map_err(|status| status.to_string())).await
    }

    pub(crate) async fn try_stream_is_active(
        &self,
        trigger: &Trigger,
    ) -> Result<tonic::Streaming<IsActiveResponse>, Status> {
        let mut client = self.client.clone();
        Ok(bounded("StreamIsActive", client.stream_is_active(trigger.reference())).await?.into_inner())
    }

    pub(crate) async fn stream_is_active(&self, trigger: &Trigger) -> tonic::Streaming<IsActiveResponse> {
        let opened = self.try_stream_is_active(trigger).await;
        opened.unwrap_or_else(|status| panic!("StreamIsActive of {trigger:?}: {status}"))
    }

    pub(crate) async fn stream_metric_spec(&self, trigger: &Trigger) -> tonic::Streaming<GetMetricSpecResponse> {
        let mut client = self.client.clone();
        let opened = bounded("StreamMetricSpec", client.stream_metric_spec(trigger.reference())).await;
        opened.unwrap_or_else(|status| panic!("StreamMetricSpec of {trigger:?}: {status}")).into_inner()
    }
}

/// One trigger of a ScaledObject.
#[derive(Debug, Clone)]
pub(crate) struct Trigger {
    pub(crate) name: &'static str,
    pub(crate) metadata: HashMap<String, String>,
}

impl Trigger {
    /// The trigger `metadata` of the object `name`, with what KEDA sends along.
    pub(crate) fn new(name: &'static str, metadata: &[(&str, &str)]) -> Self {
        let always = [("scalerAddress", "keda-scaler.ml-autoscaler:6000"), ("enableTLS", "false")];
        let pairs = always.iter().chain(metadata).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Self { name, metadata: pairs.collect() }
    }

    /// A load of 40 requests per second and pod, asked of the server at `url`, with little history and a cheap model, so
    /// that many of them are no work.
    pub(crate) fn light(name: &'static str, url: &str) -> Self {
        let light = [("historyTimeWindow", "3d"), ("queryStep", "5m"), ("model", "seasonal-naive-day")];
        let metadata = [("serverAddress", url), ("query", "load"), ("threshold", "40"), ("leadTime", "10m")];
        Self::new(name, &[light.as_slice(), metadata.as_slice()].concat())
    }

    /// One that is cheap to forecast, and of which something is learned within a minute.
    pub(crate) fn quick(name: &'static str, url: &str) -> Self {
        let short = [("queryStep", "10s"), ("historyTimeWindow", "6h"), ("leadTime", "1m"), ("model", "persistence")];
        short.into_iter().fold(Self::light(name, url), |trigger, (key, value)| trigger.with(key, value))
    }

    /// The same with one more metadatum, or another value of it.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.metadata.insert(key.to_owned(), value.to_owned());
        self
    }

    /// What identifies it on the wire.
    pub(crate) fn reference(&self) -> ScaledObjectRef {
        ScaledObjectRef {
            name: self.name.to_owned(),
            namespace: "ml-autoscaler".to_owned(),
            scaler_metadata: self.metadata.clone(),
        }
    }
}
