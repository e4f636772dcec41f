//! [`Hosts`]: under which names the HTTP port may be asked for.
//!
//! A page on the web can point a name of its own at this port's address and then read what it answers, as far as the browser
//! of somebody who reaches both is concerned (DNS rebinding). The browser tells that name in `Host`, so answers go only to
//! requests for names that nobody outside can own. [Where a name can come from](https://www.rfc-editor.org/rfc/rfc6761).

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Top-level domains that belong to nobody on the internet: loopback, and Services of a cluster.
const OWN_DOMAINS: [&str; 3] = ["localhost", "svc", "svc.cluster.local"];

/// The names under which the HTTP port may be asked for, beside those that nobody outside can own: addresses, names without a
/// dot, and names below `localhost`, `svc` and `svc.cluster.local`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Vec<HostPattern>);

/// A name, every name below a domain (`*.example.com`), or every name (`*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// Every name there is.
    Any,
    /// Every name below this one, which is in lower case.
    Below(String),
    /// This name, in lower case.
    Name(String),
}

/// Text that is no [`HostPattern`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a name without a port, such as prescale.example.com, every name below a domain (*.example.com), or * for all"
)]
pub struct HostPatternError;

impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<Self, HostPatternError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let (name, pattern): (_, fn(String) -> Self) =
            text.strip_prefix("*.").map_or((text, Self::Name), |domain| (domain, Self::Below));
        let is_label = |label: &str| {
            let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            !label.is_empty() && label.chars().all(is_letter)
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.split('.').all(is_label) { Ok(pattern(name.to_ascii_lowercase())) } else { Err(HostPatternError) }
    }
}

impl FromIterator<HostPattern> for Hosts {
    fn from_iter<I: IntoIterator<Item = HostPattern>>(patterns: I) -> Self {
        Self(patterns.into_iter().collect())
    }
}

impl Hosts {
    /// Whether a request for `host` is answered: a name or an address, without port.
    fn admit(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
        let is_own = || OWN_DOMAINS.iter().any(|domain| is_below(&host, domain));
        let is_stated = || {
            self.0.iter().any(|pattern| match pattern {
                HostPattern::Any => true,
                HostPattern::Below(domain) => is_below(&host, domain),
                HostPattern::Name(name) => *name == host,
            })
        };
        !host.is_empty() && (address.parse::<IpAddr>().is_ok() || !host.contains('.') || is_own() || is_stated())
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
}

/// Answers only requests for a host that is admitted.
pub(crate) async fn admitted(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    match asked(&request) {
        Some(host) if hosts.admit(&host) => next.run(request).await,
        host => refusal(host.as_deref()),
    }
}

/// The host that a request is for; `None` where it says none, or several.
fn asked(request: &Request) -> Option<String> {
    let authority = if let Some(authority) = request.uri().authority() {
        authority.clone()
    } else {
        let mut said = request.headers().get_all(header::HOST).iter();
        let (Some(host), None) = (said.next(), said.next()) else { return None };
        host.to_str().ok()?.parse::<Authority>().ok()?
    };
    (!authority.as_str().contains('@')).then(|| authority.host().to_owned())
}

/// RFC 9457.
#[derive(Serialize)]
struct Problem {
    status: u16,
    title: &'static str,
    detail: String,
}

fn refusal(host: Option<&str>) -> Response {
    let status = StatusCode::MISDIRECTED_REQUEST;
    let detail = match host {
        Some(host) => format!(
            "{host} is none of the names of this server: ask for an address, localhost or the name of its Service, or start it with \
             --allow-host {host}"
        ),
        None => "say in one Host header which server is asked".to_owned(),
    };
    let mut response =
        (status, Json(Problem { status: status.as_u16(), title: "not a name of this server", detail })).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nobody_outside_can_own_are_answered_and_others_only_where_they_are_stated() {
        let hosts = Hosts::default();
        for own in [
            "127.0.0.1",
            "10.1.2.3",
            "[::1]",
            "[fd00::7]",
            "localhost",
            "LocalHost.",
            "prescale.localhost",
            "prescale",
            "keda-scaler.ml-autoscaler.svc",
            "keda-scaler.ml-autoscaler.svc.cluster.local",
        ] {
            assert!(hosts.admit(own), "{own}");
        }
        for foreign in [
            "",
            ".",
            "example.com",
            "keda-scaler.dev",
            "127.0.0.1.example.com",
            "localhost.example.com",
            "svc.example.com",
            "xsvc.cluster.local.example.com",
            ".svc",
            "evilsvc.cluster.com",
            "10.0.0.1.nip.io",
        ] {
            assert!(!hosts.admit(foreign), "{foreign}");
        }
        let stated: Hosts =
            ["Prescale.Example.com", "*.intern.example.com"].map(|text| text.parse().unwrap()).into_iter().collect();
        for (host, is_answered) in [
            ("prescale.example.com", true),
            ("prescale.example.com.", true),
            ("other.example.com", false),
            ("a.intern.example.com", true),
            ("intern.example.com", false),
            ("xintern.example.com", false),
        ] {
            assert_eq!(stated.admit(host), is_answered, "{host}");
        }
        assert!(Hosts(vec![HostPattern::Any]).admit("example.com"));
    }

    #[test]
    fn a_pattern_is_a_name_and_nothing_else() {
        for text in ["", "*.", "a..b", "a b", "http://a", "a:80", "a/b", "*a", "a.*", "[::1]"] {
            assert_eq!(text.parse::<HostPattern>(), Err(HostPatternError), "{text}");
        }
    }

    #[test]
    fn the_host_is_what_the_request_line_or_one_header_says() {
        let request = |uri: &str, hosts: &[&str]| {
            let request = hosts.iter().fold(Request::builder().uri(uri), |request, host| request.header("host", *host));
            asked(&request.body(axum::body::Body::empty()).unwrap())
        };
        assert_eq!(request("/", &["a.example:80"]).as_deref(), Some("a.example"));
        assert_eq!(request("/", &["[::1]:80"]).as_deref(), Some("[::1]"));
        assert_eq!(request("http://b.example/", &["127.0.0.1"]).as_deref(), Some("b.example"));
        for none in [&[] as &[&str], &["localhost", "a.example"], &["localhost@a.example"], &["a b"]] {
            assert_eq!(request("/", none), None, "{none:?}");
        }
    }
}
