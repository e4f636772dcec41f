//! [`Replicas`]: which forecasters there are, by DNS, and which of them serve, by their own word.
//!
//! ```text
//!  DNS, every 2 s ---> addresses ---> one connection each ---> health stream ---> serving?
//! ```
//! A replica that crashes breaks its stream, one that stops says so before its streams end, and one that is cut off is
//! given up by keepalive. DNS that fails changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use wire::{Channel, Dial};

use super::ForecasterAddress;

/// How often the name is resolved: a headless Service changes when a pod becomes ready or begins to stop.
const RESOLVE: Duration = Duration::from_secs(2);

/// Pause before a lost replica is tried again; twice as long each time.
const SHORTEST_REST: Duration = Duration::from_millis(250);
const LONGEST_REST: Duration = Duration::from_secs(5);

/// The replicas that serve, each with its channel.
pub(super) type Serving = Arc<BTreeMap<SocketAddr, Channel>>;

/// Finds forecasters and tells who serves.
pub(super) struct Replicas {
    pub(super) addresses: Vec<ForecasterAddress>,
    pub(super) dial: Dial,
    pub(super) serving: watch::Sender<Serving>,
    pub(super) count: Gauge,
}

impl Replicas {
    /// Looks for replicas until `stop`.
    pub(super) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut followed: HashMap<SocketAddr, DropGuard> = HashMap::new();
        let mut names: Vec<_> = self.addresses.iter().map(|own| (own, BTreeSet::new(), false)).collect();
        loop {
            for (own, known, is_failing) in &mut names {
                match tokio::net::lookup_host((&*own.host, own.port)).await {
                    Ok(found) => {
                        *known = found.collect();
                        if std::mem::take(is_failing) {
                            tracing::info!(host = &*own.host, "forecasters can be looked up again");
                        }
                    }
                    Err(error) => {
                        if !std::mem::replace(is_failing, true) {
                            let host = &*own.host;
                            tracing::warn!(host, %error, "forecasters cannot be looked up, those known are kept");
                        }
                    }
                }
            }
            followed.retain(|address, _| names.iter().any(|(_, known, _)| known.contains(address)));
            for (own, known, _) in &names {
                for &address in known {
                    followed.entry(address).or_insert_with(|| {
                        let gone = stop.child_token();
                        tokio::spawn(Arc::clone(&self).follow(address, Arc::clone(&own.host), gone.clone()));
                        gone.drop_guard()
                    });
                }
            }
            if stop.run_until_cancelled(tokio::time::sleep(RESOLVE)).await.is_none() {
                return;
            }
        }
    }

    /// Follows the health of one replica until it is `gone` from DNS.
    async fn follow(self: Arc<Self>, address: SocketAddr, host: Arc<str>, gone: CancellationToken) {
        let mut rest = SHORTEST_REST;
        let follow = async {
            loop {
                match wire::connect(&self.dial, address, &host).await {
                    Ok(channel) => {
                        if self.follow_health(address, channel).await {
                            rest = SHORTEST_REST;
                        }
                        if self.serves(address, None) {
                            tracing::warn!(%address, "forecaster lost");
                        }
                    }
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::debug!(%address, error, "forecaster cannot be reached");
                    }
                }
                tokio::time::sleep(rest.mul_f64(1.0 + fastrand::f64())).await;
                rest = (rest * 2).min(LONGEST_REST);
            }
        };
        gone.run_until_cancelled(follow).await;
        if self.serves(address, None) {
            tracing::info!(%address, "forecaster gone");
        }
    }

    /// Takes in what the replica says of itself, until the stream breaks; tells whether it ever served.
    async fn follow_health(&self, address: SocketAddr, channel: Channel) -> bool {
        let request = HealthCheckRequest { service: SERVICE.to_owned() };
        let mut has_served = false;
        let Ok(stream) = HealthClient::new(channel.clone()).watch(request).await else { return false };
        let mut stream = stream.into_inner();
        while let Ok(Some(told)) = stream.message().await {
            let is_serving = told.status == ServingStatus::Serving as i32;
            has_served |= is_serving;
            if self.serves(address, is_serving.then(|| channel.clone())) {
                tracing::info!(%address, is_serving, "forecaster changed");
            }
        }
        has_served
    }

    /// Notes whether `address` serves; tells whether that is new.
    fn serves(&self, address: SocketAddr, channel: Option<Channel>) -> bool {
        self.serving.send_if_modified(|serving| {
            let is_new = serving.contains_key(&address) != channel.is_some();
            if is_new {
                let mut changed = BTreeMap::clone(serving);
                match channel {
                    Some(channel) => drop(changed.insert(address, channel)),
                    None => drop(changed.remove(&address)),
                }
                self.count.set(i64::try_from(changed.len()).unwrap_or(i64::MAX));
                *serving = Arc::new(changed);
            }
            is_new
        })
    }
}

/// The service whose health counts.
const SERVICE: &str = wire::prescale::forecasts_server::SERVICE_NAME;
