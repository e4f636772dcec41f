//! [`Metadata`]: a trigger's metadata as they were understood. Values of headers and parameters, which may be secret, are not among them.

use policy::Target;
use scaler::Readable;
use serde::Serialize;
use series::{MissingSamples, ModelChoice, Seasons};
use utoipa::ToSchema;

use super::numbers::tidy;

/// A trigger's metadata, as they were understood: what was not written stands here with its default.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    /// The PromQL text.
    pub(crate) query: String,
    /// The PromQL text of the pods that there are; null where they are estimated alone.
    pub(crate) replicas_query: Option<String>,
    /// The server that is asked; null for the scaler's own default.
    pub(crate) server_address: Option<String>,
    /// The load that one pod can carry.
    pub(crate) threshold: f64,
    /// The workload is active while the demand is above this.
    pub(crate) activation_threshold: f64,
    /// From the decision to a Ready pod.
    pub(crate) lead_time: String,
    /// The same in seconds.
    pub(crate) lead_time_seconds: u64,
    /// How much history is learned from.
    pub(crate) history_time_window: String,
    /// The spacing of the history.
    pub(crate) query_step: String,
    /// How sure the fleet must be to be large enough, as it was written: `slo 99.5%`, `quantile 0.9`, `cost ratio 9`.
    pub(crate) service_level: String,
    /// The quantile of demand that this comes to.
    pub(crate) quantile: f64,
    /// How far from its target the HPA lets the value be before it acts, as a share.
    pub(crate) hpa_tolerance: f64,
    /// What is done with the forecast: `predict`, `shadow`, `reactive`.
    pub(crate) mode: &'static str,
    /// `auto`, or the model that was stated.
    pub(crate) model: &'static str,
    /// After how long the load repeats itself, where that is stated; empty where it is found.
    pub(crate) season: Vec<String>,
    /// The time zone whose midnight begins a day.
    pub(crate) timezone: String,
    /// Name of the server-side credentials.
    pub(crate) credentials: Option<String>,
    /// Names of further HTTP headers; their values are not shown.
    pub(crate) custom_headers: Vec<String>,
    /// Names of further URL parameters; their values are not shown.
    pub(crate) query_parameters: Vec<String>,
    /// The `namespace` parameter of the query.
    pub(crate) namespace: Option<String>,
    /// Whether a missing sample means a load of zero.
    pub(crate) ignore_null_values: bool,
    /// Whether any certificate of the server is accepted.
    pub(crate) unsafe_ssl: bool,
    /// How long one query may take; null for the scaler's own default.
    pub(crate) timeout: Option<String>,
}

impl Metadata {
    pub(crate) fn of(target: &Target) -> Self {
        let request = &target.request;
        let query = &request.query;
        let names = |pairs: &[(String, String)]| pairs.iter().map(|(name, _)| name.clone()).collect();
        let readable = |span| Readable(span).to_string();
        Self {
            query: query.promql.clone(),
            replicas_query: request.replicas_query.clone(),
            server_address: query.server.as_ref().map(ToString::to_string),
            threshold: target.threshold.get(),
            activation_threshold: target.activation.get(),
            lead_time: readable(request.lead_time),
            lead_time_seconds: request.lead_time.as_secs(),
            history_time_window: readable(request.history),
            query_step: readable(request.step.duration()),
            service_level: target.service_level.to_string(),
            quantile: tidy(target.service_level.quantile().get()),
            hpa_tolerance: tidy(target.hpa_tolerance.get()),
            mode: target.mode.as_str(),
            model: match request.model {
                ModelChoice::Auto => "auto",
                ModelChoice::Fixed(model) => model.as_str(),
            },
            season: match &request.seasons {
                Seasons::Found => Vec::new(),
                Seasons::Stated(seasons) => seasons.iter().copied().map(readable).collect(),
            },
            timezone: request.timezone.clone(),
            credentials: query.credentials.as_ref().map(ToString::to_string),
            custom_headers: names(&query.headers),
            query_parameters: names(&query.parameters),
            namespace: query.namespace.clone(),
            ignore_null_values: query.missing_samples == MissingSamples::Zero,
            unsafe_ssl: query.accept_any_certificate,
            timeout: query.timeout.map(readable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn names_of_headers_and_parameters_are_shown_and_their_values_are_not() {
        let target = testing::target(&[
            ("replicasQuery", "pods"),
            ("customHeaders", "X-Api-Key=hush-1"),
            ("queryParameters", "token=hush-2"),
            ("credentials", "tenant-a"),
        ]);
        assert_eq!(Metadata::of(&target).replicas_query.as_deref(), Some("pods"));
        let shown = serde_json::to_string(&Metadata::of(&target)).unwrap();
        assert!(shown.contains("x-api-key") && shown.contains("token") && shown.contains("tenant-a"), "{shown}");
        assert!(!shown.contains("hush"), "{shown}");
    }
}
