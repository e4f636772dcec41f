//! [`ServerAddress`]: where a Prometheus-compatible server is.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The base URL of a server that speaks Prometheus' HTTP API: `http` or `https`, with any path prefix, without
/// credentials, query or fragment. `/api/v1/…` is appended to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerAddress(Url);

impl ServerAddress {
    /// The address of one endpoint of the API, `query_range` say.
    pub fn endpoint(&self, name: &str) -> Url {
        let mut url = self.0.clone();
        let path = format!("{}/api/v1/{name}", self.0.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }

    /// The host as written in the address.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The address, where the host is written as numbers.
    pub fn ip(&self) -> Option<IpAddr> {
        match self.0.host()? {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
        }
    }

    /// The base URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }
}

impl std::fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for ServerAddress {
    type Err = ServerAddressError;

    fn from_str(text: &str) -> Result<Self, ServerAddressError> {
        let url = Url::parse(text.trim()).map_err(|_| ServerAddressError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(ServerAddressError::NotAUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ServerAddressError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ServerAddressError::Query);
        }
        Ok(Self(url))
    }
}

impl TryFrom<String> for ServerAddress {
    type Error = ServerAddressError;

    fn try_from(text: String) -> Result<Self, ServerAddressError> {
        text.parse()
    }
}

impl From<ServerAddress> for String {
    fn from(address: ServerAddress) -> Self {
        address.as_str().to_owned()
    }
}

/// Why a text is no server address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServerAddressError {
    /// Not an absolute `http` or `https` URL with a host.
    #[error("write an http:// or https:// URL, such as http://prometheus-server.monitoring.svc:9090")]
    NotAUrl,
    /// A user name or password in the URL: it would travel through metadata and logs.
    #[error("write no user name or password in the URL; name server-side credentials with `credentials` instead")]
    Credentials,
    /// A query or fragment, which the API's own parameters would collide with.
    #[error("write no `?` or `#` in the URL; use `queryParameters` for further parameters")]
    Query,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> String {
        text.parse::<ServerAddress>().unwrap().endpoint("query").to_string()
    }

    #[test]
    fn path_prefixes_are_kept() {
        assert_eq!(endpoint("http://p:9090"), "http://p:9090/api/v1/query");
        assert_eq!(endpoint("http://p:9090/"), "http://p:9090/api/v1/query");
        assert_eq!(endpoint("https://vm/select/0/prometheus"), "https://vm/select/0/prometheus/api/v1/query");
        assert_eq!(endpoint("https://mimir/prometheus/"), "https://mimir/prometheus/api/v1/query");
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        let error = |text: &str| text.parse::<ServerAddress>().unwrap_err();
        for text in ["", "prometheus:9090", "ftp://p", "http://", "file:///etc/passwd", "unix:/var/run/docker.sock"] {
            assert_eq!(error(text), ServerAddressError::NotAUrl, "{text}");
        }
        assert_eq!(error("http://user:secret@p"), ServerAddressError::Credentials);
        assert_eq!(error("http://p/?a=b"), ServerAddressError::Query);
        assert_eq!(error("http://p/#x"), ServerAddressError::Query);
    }
}
