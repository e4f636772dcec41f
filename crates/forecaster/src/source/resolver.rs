//! [`Resolver`]: from a server's name to the addresses that a connection may be made to.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use series::ServerAddress;

use super::allow::Allowed;
use super::reserved::Reserved;

/// The addresses of a host, looked up anew each time.
pub(super) type Lookup = Arc<dyn Fn(String) -> LookingUp + Send + Sync>;
type LookingUp = Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>;

/// Resolves names and leaves out the addresses that they must not lead to. The connection is made to what comes out, so that
/// a name cannot lead elsewhere between the check and the connection.
pub(super) struct Resolver {
    allowed: Allowed,
    /// Host of the default server, which may lead anywhere.
    trusted: Option<String>,
    lookup: Lookup,
}

impl Resolver {
    /// A resolver that asks as the system is set up to, and trusts the default server.
    pub(super) fn new(allowed: Allowed, default: Option<&ServerAddress>) -> Self {
        Self::with_lookup(allowed, default, Arc::new(|host| Box::pin(system(host))))
    }

    pub(super) fn with_lookup(allowed: Allowed, default: Option<&ServerAddress>, lookup: Lookup) -> Self {
        Self { allowed, trusted: default.map(|server| server.host().to_owned()), lookup }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let allowed = (self.trusted.as_deref() != Some(name.as_str())).then(|| self.allowed.clone());
        let looking_up = (self.lookup)(host.clone());
        Box::pin(async move {
            let found = looking_up.await?;
            let mut refused = None;
            let mut open = Vec::with_capacity(found.len());
            for address in found {
                match allowed.as_ref().and_then(|allowed| allowed.refuses(&host, address)) {
                    None => open.push(SocketAddr::from((address, 0))),
                    Some(reserved) => refused = Some(RefusedAddress { address, reserved }),
                }
            }
            match refused {
                Some(refused) if open.is_empty() => Err(refused.into()),
                _ => Ok(Box::new(open.into_iter()) as Addrs),
            }
        })
    }
}

async fn system(host: String) -> std::io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
}

/// A name leads to addresses that it must not lead to, and to no other; one of them.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{address} is reserved for {reserved}")]
pub(super) struct RefusedAddress {
    pub(super) address: IpAddr,
    pub(super) reserved: Reserved,
}
