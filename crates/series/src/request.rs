//! [`ForecastRequest`]: what the fast path asks the slow path to forecast, and [`TargetKey`], under what name.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ModelChoice, Seasons, ServerAddress, Step};

/// Which trigger of which ScaledObject: the object's namespace and name, and a digest of the trigger's metadata, since
/// KEDA tells two triggers of one object apart by nothing else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetKey {
    /// Namespace of the ScaledObject.
    pub namespace: Arc<str>,
    /// Name of the ScaledObject.
    pub name: Arc<str>,
    /// Digest of the metadata that matter, lower-case hexadecimal.
    pub digest: Arc<str>,
}

impl std::fmt::Display for TargetKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}#{}", self.namespace, self.name, self.digest)
    }
}

/// What to forecast, and how far ahead it matters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ForecastRequest {
    /// The query and the server that answers it.
    pub query: PrometheusQuery,
    /// The spacing of the history and of the near part of the forecast.
    pub step: Step,
    /// How much history to learn from.
    pub history: Duration,
    /// From the decision to a Ready pod; models are compared at this horizon.
    pub lead_time: Duration,
    /// Which model forecasts.
    pub model: ModelChoice,
    /// After how long the load repeats itself.
    #[serde(default)]
    pub seasons: Seasons,
    /// The time zone whose midnight begins a day, an IANA name (`Europe/Berlin`).
    pub timezone: String,
    /// Whether a forecast is wanted at all; where not, only observations are published.
    pub forecast_wanted: bool,
    /// The PromQL of the pods that the workload has, put to the server as `query` is; `None` asks for none.
    #[serde(default)]
    pub replicas_query: Option<String>,
}

impl ForecastRequest {
    /// What to ask for the pods that the workload has.
    pub fn replicas(&self) -> Option<PrometheusQuery> {
        let promql = self.replicas_query.clone()?;
        Some(PrometheusQuery { promql, missing_samples: MissingSamples::Unknown, ..self.query.clone() })
    }
}

/// A query and how to put it to a Prometheus-compatible server. Its `Debug` shows no value of a header or parameter.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PrometheusQuery {
    /// Where to ask; `None` asks the server's default.
    pub server: Option<ServerAddress>,
    /// The PromQL text; must give one series.
    pub promql: String,
    /// `namespace` parameter of multi-tenant proxies (Thanos on `OpenShift`).
    pub namespace: Option<String>,
    /// Further URL parameters.
    pub parameters: Vec<(String, String)>,
    /// Further HTTP headers. Values may be secret: they are left out of every log.
    pub headers: Vec<(String, String)>,
    /// Server-side credentials, by name.
    pub credentials: Option<CredentialName>,
    /// Accept any TLS certificate.
    pub accept_any_certificate: bool,
    /// How long one request may take; `None` for the server's default.
    pub timeout: Option<Duration>,
    /// What a missing sample means.
    pub missing_samples: MissingSamples,
}

impl PrometheusQuery {
    /// `promql`, put to the server's default as it is: no parameters, headers or credentials, missing samples unknown.
    pub fn new(promql: impl Into<String>) -> Self {
        Self {
            server: None,
            promql: promql.into(),
            namespace: None,
            parameters: Vec::new(),
            headers: Vec::new(),
            credentials: None,
            accept_any_certificate: false,
            timeout: None,
            missing_samples: MissingSamples::Unknown,
        }
    }
}

impl std::fmt::Debug for PrometheusQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        fn names(pairs: &[(String, String)]) -> Vec<&str> {
            pairs.iter().map(|(name, _)| name.as_str()).collect()
        }
        f.debug_struct("PrometheusQuery")
            .field("server", &self.server)
            .field("promql", &self.promql)
            .field("namespace", &self.namespace)
            .field("parameters", &names(&self.parameters))
            .field("headers", &names(&self.headers))
            .field("credentials", &self.credentials)
            .field("accept_any_certificate", &self.accept_any_certificate)
            .field("timeout", &self.timeout)
            .field("missing_samples", &self.missing_samples)
            .finish()
    }
}

/// What a sample that the source does not have means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingSamples {
    /// The load is not known (`ignoreNullValues: "false"`, and what holds where nothing is written).
    #[default]
    Unknown,
    /// The load is zero (`ignoreNullValues: "true"`).
    Zero,
}

/// The name of server-side credentials: 1 to 63 of `a-z`, `0-9`, `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CredentialName(String);

impl CredentialName {
    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for CredentialName {
    type Err = CredentialNameError;

    fn from_str(name: &str) -> Result<Self, CredentialNameError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=63).contains(&name.len()) && name.bytes().all(allowed) {
            Ok(Self(name.to_owned()))
        } else {
            Err(CredentialNameError)
        }
    }
}

impl TryFrom<String> for CredentialName {
    type Error = CredentialNameError;

    fn try_from(name: String) -> Result<Self, CredentialNameError> {
        name.parse()
    }
}

impl From<CredentialName> for String {
    fn from(name: CredentialName) -> Self {
        name.0
    }
}

impl std::fmt::Display for CredentialName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that names no credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write the name of credentials that the server's configuration holds: 1 to 63 of a-z, 0-9 and `-`")]
pub struct CredentialNameError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_of_a_query_shows_no_value_of_a_header_or_parameter() {
        let query = PrometheusQuery {
            parameters: vec![("token".to_owned(), "hush-1".to_owned())],
            headers: vec![("x-api-key".to_owned(), "hush-2".to_owned())],
            ..PrometheusQuery::new("up")
        };
        let dump = format!("{query:?}");
        assert!(dump.contains("x-api-key") && !dump.contains("hush"), "{dump}");
    }
}
