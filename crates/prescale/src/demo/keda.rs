//! [`Keda`]: asks the scaler as KEDA and the HPA would, over gRPC.

use std::collections::HashMap;

use anyhow::Context as _;
use policy::Threshold;
use series::Load;
use wire::Channel;
use wire::externalscaler::external_scaler_client::ExternalScalerClient;
use wire::externalscaler::{GetMetricsRequest, ScaledObjectRef};

/// One trigger of one ScaledObject, asked at every sync of its HPA.
#[derive(Debug)]
pub(super) struct Keda {
    client: ExternalScalerClient<Channel>,
    object: ScaledObjectRef,
}

/// What the HPA gets out of one round of questions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Answer {
    /// `averageValue` of the HPA.
    pub(crate) target: Threshold,
    /// The metric; `None` where the scaler answered an error and the HPA holds.
    pub(crate) value: Option<Load>,
}

impl Keda {
    /// Connects to the scaler at `url` on behalf of a trigger with `metadata`.
    pub(super) async fn connect(url: String, metadata: HashMap<String, String>) -> anyhow::Result<Self> {
        let client = ExternalScalerClient::connect(url).await.context("cannot connect to the scaler")?;
        let (name, namespace) = ("chat-backend".to_owned(), "ml-autoscaler".to_owned());
        Ok(Self { client, object: ScaledObjectRef { name, namespace, scaler_metadata: metadata } })
    }

    /// `GetMetricSpec`, `GetMetrics`, `IsActive`, as on every sync; an error of the last two voids the value.
    pub(super) async fn ask(&mut self) -> anyhow::Result<Answer> {
        let specs =
            self.client.get_metric_spec(self.object.clone()).await.context("GetMetricSpec failed")?.into_inner();
        let [spec] = specs.metric_specs.as_slice() else {
            anyhow::bail!("GetMetricSpec gave {} specs instead of one", specs.metric_specs.len());
        };
        let target = number(spec.target_size_float, spec.target_size);
        let target = Threshold::new(target).context("GetMetricSpec gave a target that no HPA can hold")?;
        let scaled_object_ref = Some(self.object.clone());
        let request = GetMetricsRequest { scaled_object_ref, metric_name: spec.metric_name.clone() };
        let metrics = self.client.get_metrics(request).await;
        let active = self.client.is_active(self.object.clone()).await;
        let value = match (metrics, active) {
            (Ok(metrics), Ok(_)) => {
                let values = metrics.into_inner().metric_values;
                values.first().and_then(|value| quantity(number(value.metric_value_float, value.metric_value)))
            }
            _ => None,
        };
        Ok(Answer { target, value })
    }
}

/// KEDA reads the float where it is above zero, and the integer otherwise.
fn number(float: f64, integer: i64) -> f64 {
    if float > 0.0 { float } else { integer as f64 }
}

/// KEDA hands values to the HPA in whole thousandths.
fn quantity(value: f64) -> Option<Load> {
    Load::new((value * 1000.0).round() / 1000.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_integer_stands_in_where_the_float_is_not_above_zero() {
        assert_eq!((number(1.5, 2), number(0.0, 2), number(f64::NAN, 2)), (1.5, 2.0, 2.0));
        assert_eq!(quantity(1.2344).map(Load::get), Some(1.234));
    }
}
