//! [`serve`]: the gRPC server around the five rpcs, with health, reflection, keepalive, eviction and a drained stop.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use wire::externalscaler::external_scaler_server::ExternalScalerServer;

use crate::service::{Scaler, Service};

/// KEDA sends no keepalive of its own and has no deadlines in its poll loop: without pings a connection that died
/// silently would stall a poll loop for minutes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Metadata are bounded far below this; what is larger is no trigger of anybody's.
const MOST_REQUEST_BYTES: usize = 256 * 1024;

/// Nobody asked for a target for this long: its ScaledObject is gone. KEDA polls at 30 s by default, and its HPA at 15 s.
const IDLE: Duration = Duration::from_secs(3600);
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

/// Serves KEDA on `listener` until `stop`; then ends all streams with OK, lets open calls finish, and returns.
///
/// Health is `NOT_SERVING` until calls are accepted, and again once `stop` came.
///
/// # Errors
/// [`ServeError`] where the server could not start or broke down.
pub async fn serve(listener: TcpListener, scaler: Arc<Scaler>, stop: CancellationToken) -> Result<(), ServeError> {
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
        .tcp_nodelay(true)
        .add_service(rpcs)
        .add_service(health_service)
        .add_service(reflection)
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop.clone().cancelled_owned());

    let sweep = async {
        loop {
            tokio::time::sleep(SWEEP).await;
            scaler.forget_idle(IDLE);
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
    /// Gives up the targets that nobody asked for in the last `idle`.
    fn forget_idle(&self, idle: Duration) {
        for key in self.board.clear_idle(idle, self.clock.now()) {
            tracing::info!(namespace = %key.namespace, name = %key.name, digest = %key.digest, "idle target forgotten");
            self.forecasts.forget(&key);
        }
    }
}
