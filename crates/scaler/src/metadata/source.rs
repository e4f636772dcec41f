//! What to ask, and where: the query and how to put it to Prometheus.

use std::time::Duration;

use series::{CredentialName, MissingSamples, PrometheusQuery, ServerAddress};

use super::Defaults;
use super::fields::{Fields, Read};
use super::keys;
use super::mistake::Fault;
use super::pairs::{headers, parameters};
use super::scalars::boolean;
use crate::durations::{DurationError, Readable, parse_duration};

/// The longest that one request may take: a refresh that takes a minute is late for any lead time.
const MAX_TIMEOUT: Duration = Duration::from_secs(60);

/// The query and how to put it, where all of it is usable.
pub(super) fn read_source(fields: &mut Fields<'_>, defaults: Defaults) -> Option<PrometheusQuery> {
    let server = read_server(fields, defaults);
    let meaning = "the PromQL of the load, which gives one series";
    let promql = fields.required(&keys::QUERY, meaning, |query| Ok(query.to_owned()));
    let missing_samples = fields.or_default(&keys::IGNORE_NULL_VALUES, MissingSamples::Unknown, "false", |value| {
        Ok(if boolean(value)? { MissingSamples::Zero } else { MissingSamples::Unknown })
    });
    let credentials = fields.read(&keys::CREDENTIALS, |name| credentials(name).map(Some)).or(None);
    let headers = fields.read(&keys::CUSTOM_HEADERS, headers).or(Vec::new());
    let parameters = fields.read(&keys::QUERY_PARAMETERS, parameters).or(Vec::new());
    let namespace = fields.read(&keys::NAMESPACE, |namespace| Ok(Some(namespace.to_owned()))).or(None);
    let accept_any_certificate = fields.read(&keys::UNSAFE_SSL, boolean).or(false);
    let timeout = fields.read(&keys::TIMEOUT, |value| timeout(value).map(Some)).or(None);
    Some(PrometheusQuery {
        server: server.or(None)?,
        promql: promql?,
        namespace: namespace?,
        parameters: parameters?,
        headers: headers?,
        credentials: credentials?,
        accept_any_certificate: accept_any_certificate?,
        timeout: timeout?,
        missing_samples: missing_samples?,
    })
}

/// Unwritten asks the scaler's default server; where it has none, that is a mistake.
fn read_server(fields: &mut Fields<'_>, defaults: Defaults) -> Read<Option<ServerAddress>> {
    let read = fields.read(&keys::SERVER_ADDRESS, |value| match value.parse() {
        Ok(address) => Ok(Some(address)),
        Err(error @ series::ServerAddressError::NotAUrl) => Err(Fault::new("no server address", error.to_string())),
        Err(error) => Err(Fault::new("more than a base URL", error.to_string())),
    });
    if matches!(read, Read::Unwritten) && !defaults.has_default_server {
        let meaning = "the URL of your Prometheus, such as http://prometheus-server.monitoring.svc:9090; \
                       this scaler has no default one";
        fields.missing(&keys::SERVER_ADDRESS, meaning);
    }
    read
}

fn credentials(value: &str) -> Result<CredentialName, Fault> {
    value.parse().map_err(|error: series::CredentialNameError| Fault::new("no name of credentials", error.to_string()))
}

/// A duration, or as in KEDA a bare whole number of milliseconds.
fn timeout(value: &str) -> Result<Duration, Fault> {
    let instead = "write a duration such as 5s, or a whole number of milliseconds";
    let bare = value.bytes().all(|byte| byte.is_ascii_digit());
    let duration = if bare {
        value.parse().map(Duration::from_millis).map_err(|_| Fault::new(DurationError::TooLong.to_string(), instead))?
    } else {
        parse_duration(value).map_err(|error| Fault::new(error.to_string(), instead))?
    };
    if duration.is_zero() || duration > MAX_TIMEOUT {
        let problem = if bare { "outside the range; a bare number is milliseconds" } else { "outside the range" };
        return Err(Fault::new(problem, format!("write more than 0s and at most {}", Readable(MAX_TIMEOUT))));
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_timeout_is_milliseconds_as_in_keda() {
        assert_eq!(timeout("1000"), Ok(Duration::from_secs(1)));
        assert_eq!(timeout("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(timeout("1m"), Ok(MAX_TIMEOUT));
        for text in ["0", "0s", "-5", "61s", "60001", "1.5", "99999999999999999999", "soon"] {
            assert!(timeout(text).is_err(), "{text}");
        }
    }
}
