//! [`Allowed`]: which servers a target may name, and [`ServerPattern`], one entry of such a list.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use series::ServerAddress;
use url::{Host, Origin, Url};

use super::reserved::Reserved;

/// Which servers the metadata of a target may name. The default server needs no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// Every server: for clusters where whoever writes a ScaledObject may reach every address anyway. Addresses that are
    /// no servers of a network need one of these all the same, but for the own host's.
    Any(Vec<ServerPattern>),
    /// Only servers that match one of these; the empty list allows the default server alone.
    Only(Vec<ServerPattern>),
}

impl Allowed {
    /// Whether a target may name `server`. Where its name leads to is another question, asked when it is resolved.
    pub fn permits(&self, server: &ServerAddress) -> bool {
        match self {
            Self::Any(_) => true,
            Self::Only(patterns) => patterns.iter().any(|pattern| pattern.matches(server)),
        }
    }

    /// What `address` is reserved for, where a connection to `host` must not lead there.
    pub(super) fn refuses(&self, host: &str, address: IpAddr) -> Option<Reserved> {
        let reserved = Reserved::of(address)?;
        let (of_own_host, patterns) = match self {
            Self::Any(patterns) => (reserved == Reserved::Loopback, patterns),
            Self::Only(patterns) => (false, patterns),
        };
        let is_named = of_own_host || patterns.iter().any(|pattern| pattern.names(host, address, reserved));
        (!is_named).then_some(reserved)
    }
}

/// An origin (`https://thanos.example.com:9091`), every host below a domain (`*.monitoring.svc.cluster.local`), or the
/// addresses of a network (`10.96.0.0/12`).
///
/// An origin fixes scheme, host and port. A domain leaves scheme and port open; it matches neither itself nor an
/// address written as numbers. A network matches addresses written as numbers, with any scheme and port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerPattern(Pattern);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Origin(Origin),
    /// With the dot in front: `.monitoring.svc`.
    Below(String),
    Network(IpNet),
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
            Pattern::Network(network) => server.ip().is_some_and(|address| network.contains(&address.to_canonical())),
        }
    }

    /// Whether whoever wrote this meant `address`, which is `reserved`: an origin by its numbers or as `localhost`, a
    /// network by holding nothing else. A wide network, or a name that happens to lead there, does not mean it.
    fn names(&self, host: &str, address: IpAddr, reserved: Reserved) -> bool {
        match &self.0 {
            Pattern::Origin(Origin::Tuple(_, Host::Domain(name), _)) => {
                name == "localhost" && host == name && reserved == Reserved::Loopback
            }
            Pattern::Origin(Origin::Tuple(_, Host::Ipv4(own), _)) => address == IpAddr::V4(*own),
            Pattern::Origin(Origin::Tuple(_, Host::Ipv6(own), _)) => address == IpAddr::V6(*own),
            Pattern::Origin(Origin::Opaque(_)) | Pattern::Below(_) => false,
            Pattern::Network(network) => {
                let ends = [network.network(), network.broadcast()];
                network.contains(&address.to_canonical()) && ends.map(Reserved::of) == [Some(reserved); 2]
            }
        }
    }
}

impl std::fmt::Display for ServerPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Pattern::Origin(origin) => f.write_str(&origin.ascii_serialization()),
            Pattern::Below(suffix) => write!(f, "*{suffix}"),
            Pattern::Network(network) => network.fmt(f),
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
        if let Ok(network) = text.parse::<IpNet>() {
            let whole = network.trunc();
            return if network == whole {
                Ok(Self(Pattern::Network(network)))
            } else {
                Err(ServerPatternError::InsideANetwork { whole })
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
    /// No origin, no domain with a star, no network.
    #[error(
        "write an origin such as http://prometheus.monitoring.svc:9090, a domain such as *.monitoring.svc, or a network such \
         as 10.96.0.0/12"
    )]
    Neither,
    /// The star is not followed by a plain domain.
    #[error("write a plain domain after the star, such as *.monitoring.svc, without port or path")]
    Domain,
    /// Path, query or user name in an origin: they are not compared, so writing them would promise too much.
    #[error("write scheme, host and port alone; paths and parameters are not compared")]
    MoreThanAnOrigin,
    /// An address inside of a network, with the length of its prefix: it may mean either.
    #[error("write {whole} for the whole network, or /32 (/128) after the address for it alone")]
    InsideANetwork {
        /// The network that the address lies in.
        whole: IpNet,
    },
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
        assert!(Allowed::Any(vec![]).permits(&server));
    }

    #[test]
    fn a_network_means_addresses_written_as_numbers_and_no_name() {
        for server in
            ["http://10.1.2.3", "https://10.1.255.255:9090/prefix", "http://[::ffff:10.1.0.1]", "http://0xa010001"]
        {
            assert!(matches("10.1.0.0/16", server), "{server}");
        }
        for server in ["http://10.2.0.1", "http://p", "http://10.1.0.1.evil.com", "http://[fd00::a01:1]"] {
            assert!(!matches("10.1.0.0/16", server), "{server}");
        }
        assert!(matches("fd00:1::/32", "http://[fd00:1::9]:9090"));
        assert!(!matches("fd00:1::/32", "http://[fd00:2::9]:9090"));
    }

    /// Whether the list `patterns`, with `*` for every server, lets `host` lead to `address`.
    fn leads(patterns: &str, host: &str, address: &str) -> bool {
        let (every, named): (Vec<_>, Vec<_>) = patterns.split_whitespace().partition(|pattern| *pattern == "*");
        let named = named.iter().map(|pattern| pattern.parse().unwrap()).collect();
        let allowed = if every.is_empty() { Allowed::Only(named) } else { Allowed::Any(named) };
        allowed.refuses(host, address.parse().unwrap()).is_none()
    }

    #[test]
    fn a_name_leads_to_servers_of_networks_alone() {
        for address in ["10.1.2.3", "192.168.0.1", "203.0.113.7", "2001:db8::1", "fd00::1"] {
            assert!(leads("*.svc", "p.svc", address), "{address}");
        }
        for address in
            ["169.254.169.254", "127.0.0.1", "::1", "fe80::1", "0.0.0.0", "::ffff:169.254.169.254", "fd00:ec2::254"]
        {
            assert!(!leads("*.svc", "p.svc", address), "{address}");
            assert!(!leads("http://p:9090", "p", address), "{address}");
        }
    }

    #[test]
    fn every_server_is_not_every_address() {
        assert!(leads("*", "p", "127.0.0.1") && leads("*", "p", "::1"));
        assert!(!leads("*", "p", "169.254.169.254") && !leads("*", "[fe80::1]", "fe80::1"));
        assert!(leads("* 169.254.20.0/24", "p", "169.254.20.10"));
    }

    #[test]
    fn a_reserved_address_is_allowed_by_those_who_mean_it() {
        assert!(leads("http://localhost:9090", "localhost", "127.0.0.1"));
        assert!(!leads("http://localhost:9090", "p.svc", "127.0.0.1"));
        assert!(!leads("http://localhost:9090", "localhost", "169.254.169.254"));
        assert!(leads("http://127.0.0.1:9090", "127.0.0.1", "127.0.0.1"));
        assert!(leads("*.svc 169.254.20.10/32", "p.svc", "169.254.20.10"));
        // what is wide means the servers in it
        assert!(!leads("*.svc 0.0.0.0/0", "p.svc", "169.254.20.10"));
        assert!(!leads("100.64.0.0/10", "100.100.100.200", "100.100.100.200"));
        assert!(!leads("fd00::/8", "[fd00:ec2::254]", "fd00:ec2::254"));
    }

    #[test]
    fn what_promises_more_than_is_compared_is_refused() {
        let error = |text: &str| text.parse::<ServerPattern>().unwrap_err();
        for text in ["", "prometheus", "prometheus:9090", "ftp://p", "*", "*monitoring.svc", "10.1.2.3", "10.0.0.0/33"]
        {
            assert_eq!(error(text), ServerPatternError::Neither, "{text}");
        }
        for text in ["*.", "*.a..b", "*.a:9090", "*.a/b", "*.*.a"] {
            assert_eq!(error(text), ServerPatternError::Domain, "{text}");
        }
        for (text, whole) in [("10.1.2.3/8", "10.0.0.0/8"), ("fd00::1/64", "fd00::/64")] {
            assert!(error(text).to_string().contains(whole), "{text}");
        }
        for text in ["http://p/path", "http://p/?a", "http://p/#a", "http://u:s@p"] {
            assert_eq!(error(text), ServerPatternError::MoreThanAnOrigin, "{text}");
        }
    }

    #[test]
    fn patterns_come_back_from_their_text() {
        for text in ["*.monitoring.svc", "http://p:9090", "https://p", "10.0.0.0/8", "fd00::/64"] {
            assert_eq!(text.parse::<ServerPattern>().unwrap().to_string(), text);
        }
    }
}
