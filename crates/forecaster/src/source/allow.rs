//! [`Allowed`]: which servers a target may name, and [`ServerPattern`], one entry of such a list.

use serde::{Deserialize, Serialize};
use series::ServerAddress;
use url::{Origin, Url};

/// Which servers the metadata of a target may name. The default server needs no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// Every server: for clusters where whoever writes a ScaledObject may reach every address anyway.
    Any,
    /// Only servers that match one of these; the empty list allows the default server alone.
    Only(Vec<ServerPattern>),
}

impl Allowed {
    /// Whether a target may ask `server`.
    pub fn permits(&self, server: &ServerAddress) -> bool {
        match self {
            Self::Any => true,
            Self::Only(patterns) => patterns.iter().any(|pattern| pattern.matches(server)),
        }
    }
}

/// An origin (`https://thanos.example.com:9091`) or every host below a domain (`*.monitoring.svc.cluster.local`).
///
/// An origin fixes scheme, host and port. A domain leaves scheme and port open; it matches neither itself nor an
/// address written as numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerPattern(Pattern);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Origin(Origin),
    /// With the dot in front: `.monitoring.svc`.
    Below(String),
}

impl ServerPattern {
    /// Whether `server` is meant.
    pub fn matches(&self, server: &ServerAddress) -> bool {
        let url = server.endpoint("query");
        match &self.0 {
            Pattern::Origin(origin) => url.origin() == *origin,
            Pattern::Below(suffix) => url.domain().is_some_and(|host| {
                host.strip_suffix(suffix.as_str()).is_some_and(|rest| !rest.is_empty() && !rest.ends_with('.'))
            }),
        }
    }
}

impl std::fmt::Display for ServerPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Pattern::Origin(origin) => f.write_str(&origin.ascii_serialization()),
            Pattern::Below(suffix) => write!(f, "*{suffix}"),
        }
    }
}

impl std::str::FromStr for ServerPattern {
    type Err = ServerPatternError;

    fn from_str(text: &str) -> Result<Self, ServerPatternError> {
        let text = text.trim();
        if let Some(domain) = text.strip_prefix("*.") {
            let labels_are_plain = domain.split('.').all(|label| {
                !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            });
            return if labels_are_plain {
                Ok(Self(Pattern::Below(format!(".{}", domain.to_ascii_lowercase()))))
            } else {
                Err(ServerPatternError::Domain)
            };
        }
        let url = Url::parse(text).map_err(|_| ServerPatternError::Neither)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(ServerPatternError::Neither);
        }
        let more_than_an_origin = url.path() != "/"
            || url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some();
        if more_than_an_origin {
            return Err(ServerPatternError::MoreThanAnOrigin);
        }
        Ok(Self(Pattern::Origin(url.origin())))
    }
}

impl TryFrom<String> for ServerPattern {
    type Error = ServerPatternError;

    fn try_from(text: String) -> Result<Self, ServerPatternError> {
        text.parse()
    }
}

impl From<ServerPattern> for String {
    fn from(pattern: ServerPattern) -> Self {
        pattern.to_string()
    }
}

/// Why a text is no pattern of servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServerPatternError {
    /// Neither an origin nor a domain with a star.
    #[error("write an origin such as http://prometheus.monitoring.svc:9090, or a domain such as *.monitoring.svc")]
    Neither,
    /// The star is not followed by a plain domain.
    #[error("write a plain domain after the star, such as *.monitoring.svc, without port or path")]
    Domain,
    /// Path, query or user name in an origin: they are not compared, so writing them would promise too much.
    #[error("write scheme, host and port alone; paths and parameters are not compared")]
    MoreThanAnOrigin,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, server: &str) -> bool {
        pattern.parse::<ServerPattern>().unwrap().matches(&server.parse().unwrap())
    }

    #[test]
    fn an_origin_fixes_scheme_host_and_port_and_leaves_the_path_open() {
        assert!(matches("http://p:9090", "http://p:9090"));
        assert!(matches("http://P:9090/", "http://p:9090/select/0/prometheus"));
        assert!(matches("https://p", "https://p:443"));
        assert!(!matches("http://p:9090", "https://p:9090"));
        assert!(!matches("http://p:9090", "http://p:9091"));
        assert!(!matches("http://p:9090", "http://p.evil:9090"));
    }

    #[test]
    fn a_domain_means_what_is_below_it_and_nothing_else() {
        assert!(matches("*.monitoring.svc", "http://p.monitoring.svc:9090"));
        assert!(matches("*.Monitoring.svc", "https://a.b.MONITORING.svc"));
        for server in [
            "http://monitoring.svc",
            "http://evilmonitoring.svc",
            "http://p.monitoring.svc.evil.com",
            "http://evil.com/p.monitoring.svc",
            "http://.monitoring.svc",
        ] {
            assert!(!matches("*.monitoring.svc", server), "{server}");
        }
        assert!(!matches("*.1", "http://10.0.0.1"));
    }

    #[test]
    fn an_empty_list_permits_nothing() {
        let server = "http://p".parse().unwrap();
        assert!(!Allowed::Only(vec![]).permits(&server));
        assert!(Allowed::Any.permits(&server));
    }

    #[test]
    fn what_promises_more_than_is_compared_is_refused() {
        let error = |text: &str| text.parse::<ServerPattern>().unwrap_err();
        for text in ["", "prometheus", "prometheus:9090", "ftp://p", "*", "*monitoring.svc"] {
            assert_eq!(error(text), ServerPatternError::Neither, "{text}");
        }
        for text in ["*.", "*.a..b", "*.a:9090", "*.a/b", "*.*.a"] {
            assert_eq!(error(text), ServerPatternError::Domain, "{text}");
        }
        for text in ["http://p/path", "http://p/?a", "http://p/#a", "http://u:s@p"] {
            assert_eq!(error(text), ServerPatternError::MoreThanAnOrigin, "{text}");
        }
    }

    #[test]
    fn patterns_come_back_from_their_text() {
        for text in ["*.monitoring.svc", "http://p:9090", "https://p"] {
            assert_eq!(text.parse::<ServerPattern>().unwrap().to_string(), text);
        }
    }
}
