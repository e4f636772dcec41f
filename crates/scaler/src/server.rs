//! [`serve`]: the gRPC server around the five rpcs, with health, reflection, keepalive, eviction and a drained stop.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use wire::Served;
use wire::externalscaler::external_scaler_server::ExternalScalerServer;

use crate::service::{Scaler, Service};

/// KEDA sends no keepalive of its own and has no deadlines in its poll loop: without pings a connection that died
/// silently would stall a poll loop for minutes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Metadata are bounded far below this; what is larger is no trigger of anybody's.
const MOST_REQUEST_BYTES: usize = 256 * 1024;

const SWEEP: Duration = Duration::from_secs(60);
/// After the stop signal, open connections get this long to end.
const GRACE: Duration = Duration::from_secs(5);

/// Why the server ended other than by its stop signal.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The transport failed.
    #[error("the gRPC server failed")]
    Transport(#[from] tonic::transport::Error),
    /// Reflection could not be set up from the compiled-in descriptors; this is a defect.
    #[error("the compiled-in descriptors cannot be served")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves KEDA on the connections that come `incoming` until `stop`; then ends all streams with OK, lets open calls finish, and returns.
///
/// Health is `NOT_SERVING` until calls are accepted, and again once `stop` came.
///
/// # Errors
/// [`ServeError`] where the server could not start or broke down.
pub async fn serve<C: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    incoming: impl Stream<Item = std::io::Result<C>>,
    scaler: Arc<Scaler>,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let (health, health_service) = tonic_health::server::health_reporter();
    // the reporter's overall state starts as SERVING
    health.set_service_status("", tonic_health::ServingStatus::NotServing).await;
    health.set_not_serving::<ExternalScalerServer<Service>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(wire::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let service = Service { scaler: Arc::clone(&scaler), stop: stop.clone() };
    let rpcs = ExternalScalerServer::new(service).max_decoding_message_size(MOST_REQUEST_BYTES);

    let server = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .add_service(rpcs)
        .add_service(health_service)
        .add_service(reflection)
        .serve_with_incoming_shutdown(incoming.map(|came| came.map(Served)), stop.clone().cancelled_owned());

    // sweeps are counted and not the time, which may jump
    let idle_sweeps = u32::try_from(scaler.board.limits().idle.as_secs() / SWEEP.as_secs()).unwrap_or(u32::MAX);
    let sweep = async {
        loop {
            tokio::time::sleep(SWEEP).await;
            scaler.sweep(idle_sweeps);
        }
    };
    let follow_health = async {
        health.set_service_status("", tonic_health::ServingStatus::Serving).await;
        health.set_serving::<ExternalScalerServer<Service>>().await;
        stop.cancelled().await;
        health.set_service_status("", tonic_health::ServingStatus::NotServing).await;
        health.set_not_serving::<ExternalScalerServer<Service>>().await;
        // watchers of the health service hold streams open of their own: the server does not wait for them for ever
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server => ended?,
        () = follow_health => tracing::warn!("connections were still open after the grace period"),
        () = sweep => {}
    }
    Ok(())
}

impl Scaler {
    /// Gives up the targets that nobody asked for in the last `most` sweeps.
    fn sweep(&self, most: u32) {
        for key in self.board.sweep(most) {
            tracing::info!(namespace = %key.namespace, name = %key.name, digest = %key.digest, "idle target forgotten");
            self.forecasts.forget(&key);
            // KEDA may have asked again since it lost its seat: what was watched for the new one was just forgotten
            if let Some(target) = self.board.target(&key) {
                self.forecasts.watch(&target);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};
    use std::sync::{Mutex, OnceLock};

    use policy::Target;
    use series::{Clock, TargetKey, Timestamp};

    use super::*;
    use crate::{Board, Defaults, Forecasts};

    #[derive(Debug)]
    struct Epoch;

    impl Clock for Epoch {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
    }

    /// Is told to forget a target just after KEDA asked for it again.
    #[derive(Debug, Default)]
    struct Overtaken {
        watched: Mutex<HashSet<TargetKey>>,
        scaler: OnceLock<Arc<Scaler>>,
    }

    impl Forecasts for Overtaken {
        fn watch(&self, target: &Arc<Target>) {
            self.watched.lock().unwrap().insert(target.key.clone());
        }

        fn forget(&self, key: &TargetKey) {
            take_seat(self.scaler.get().unwrap());
            self.watched.lock().unwrap().remove(key);
        }
    }

    /// What the scaler does with KEDA's first question about a target.
    fn take_seat(scaler: &Scaler) {
        let metadata: HashMap<_, _> = [("query", "load"), ("threshold", "10"), ("serverAddress", "http://p:9090")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        let target = crate::parse_target("shop", "checkout", &metadata, &Defaults::default()).unwrap();
        let (seat, is_new) = scaler.board.take_seat(target, Timestamp::UNIX_EPOCH).unwrap();
        assert!(is_new);
        scaler.forecasts.watch(seat.target());
    }

    #[test]
    fn a_target_that_is_asked_for_while_it_is_given_up_is_watched_all_the_same() {
        let forecasts = Arc::new(Overtaken::default());
        let (board, defaults) = (Arc::new(Board::default()), Defaults::default());
        let registry = &mut prometheus_client::registry::Registry::default();
        let scaler = Scaler::new(board, Arc::clone(&forecasts) as _, Arc::new(Epoch), defaults, registry);
        let scaler = Arc::new(scaler);
        forecasts.scaler.set(Arc::clone(&scaler)).unwrap();
        take_seat(&scaler);
        scaler.sweep(0);
        assert_eq!(scaler.board.len(), 1);
        assert_eq!(forecasts.watched.lock().unwrap().len(), 1);
    }
}
