//! [`serve`]: the gRPC server of the forecaster role: `Forecasts.Watch` with health, keepalive and a drained stop.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use series::{ForecastRequest, Outlook, TargetKey};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use wire::Served;
use wire::prescale::forecasts_server::{Forecasts, ForecastsServer};
use wire::prescale::{FORMAT, WatchRequest, WatchResponse};

use crate::Forecaster;
use crate::hub::{Arrival, Hub, Told, Watcher};

const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);

const MOST_REQUEST_BYTES: usize = 256 * 1024;

/// How often the targets that nobody watches are looked for.
const SWEEP: Duration = Duration::from_secs(10);

/// After the stop signal, scalers get this long to watch their targets elsewhere before the streams end.
const DRAIN: Duration = Duration::from_secs(8);

/// After the streams ended, open connections get this long.
const GRACE: Duration = Duration::from_secs(3);

/// An outlook that was kept, on its way from the store.
pub type Resumed = Pin<Box<dyn Future<Output = Option<Arc<Outlook>>> + Send>>;

/// The forecaster role: whom it serves, and what it begins with.
pub struct Role {
    /// The slow path, which publishes on the hub.
    pub forecaster: Arc<Forecaster>,
    /// Where it publishes.
    pub hub: Arc<Hub>,
    /// Who looks after what goes with the outlooks.
    pub keeper: Arc<dyn Keeper>,
}

/// Looks after what goes with the outlooks of watched targets: what was kept of them, and what the policy remembers.
pub trait Keeper: Send + Sync {
    /// `key` is watched for the first time, by a scaler that brought this; gives what was kept of it.
    fn arrived(&self, key: TargetKey, brought: Brought) -> Resumed;
    /// `key` is not watched any more.
    fn left(&self, key: &TargetKey);
}

/// What a scaler tells of a target that it watches, as it wrote it down; empty where it told nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// What to scale by.
    pub target: Vec<u8>,
    /// What its policy remembers.
    pub memory: Vec<u8>,
}

impl std::fmt::Debug for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Role").field("forecaster", &self.forecaster).field("hub", &self.hub).finish_non_exhaustive()
    }
}

/// Serves scalers on the connections that come `incoming` until `stop`.
///
/// Then it says so in its health, and goes on until every scaler watches its targets elsewhere, or for eight seconds; all
/// streams that are left end with OK. The schedule of refreshes must run on until this returns.
///
/// # Errors
/// Where the server broke down.
pub async fn serve<C: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    incoming: impl Stream<Item = std::io::Result<C>>,
    role: Arc<Role>,
    stop: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_service_status("", tonic_health::ServingStatus::NotServing).await;
    health.set_not_serving::<ForecastsServer<Service>>().await;
    let drained = CancellationToken::new();
    let service = Service { role: Arc::clone(&role), drained: drained.clone() };
    let server = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .add_service(ForecastsServer::new(service).max_decoding_message_size(MOST_REQUEST_BYTES))
        .add_service(health_service)
        .serve_with_incoming_shutdown(incoming.map(|came| came.map(Served)), drained.clone().cancelled_owned());

    let sweep = async {
        loop {
            tokio::time::sleep(SWEEP).await;
            for key in role.hub.sweep() {
                tracing::info!(namespace = %key.namespace, name = %key.name, digest = %key.digest, "target no longer watched");
                role.forecaster.forget(&key);
                role.keeper.left(&key);
            }
        }
    };
    let follow = async {
        health.set_service_status("", tonic_health::ServingStatus::Serving).await;
        health.set_serving::<ForecastsServer<Service>>().await;
        stop.cancelled().await;
        health.set_service_status("", tonic_health::ServingStatus::NotServing).await;
        health.set_not_serving::<ForecastsServer<Service>>().await;
        let deserted = async {
            while role.hub.watchers() > 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(DRAIN, deserted).await.is_err() {
            tracing::warn!(watched = role.hub.watchers(), "targets were still watched when the streams ended");
        }
        drained.cancel();
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server => ended?,
        () = follow => tracing::warn!("connections were still open after the grace period"),
        () = sweep => {}
    }
    Ok(())
}

/// The rpcs of one running server.
struct Service {
    role: Arc<Role>,
    /// Ends the streams.
    drained: CancellationToken,
}

#[tonic::async_trait]
impl Forecasts for Service {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<WatchResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let WatchRequest { target, memory, .. } = request.get_ref();
        let brought = Brought { target: target.clone(), memory: memory.clone() };
        let (key, request) = parse(request.get_ref())?;
        let (watcher, arrival) = self.role.hub.watch(&key, &request);
        if arrival == Arrival::First {
            tracing::info!(namespace = %key.namespace, name = %key.name, digest = %key.digest, "target first watched");
            let role = Arc::clone(&self.role);
            tokio::spawn(async move {
                let kept = role.keeper.arrived(key.clone(), brought).await;
                role.forecaster.watch(&key, &request, kept);
            });
        }
        Ok(Response::new(Box::pin(outlooks(watcher, self.drained.clone()))))
    }
}

fn parse(message: &WatchRequest) -> Result<(TargetKey, ForecastRequest), Status> {
    if message.format != FORMAT {
        let text = format!("this forecaster reads format {FORMAT}, the request has format {}", message.format);
        return Err(Status::failed_precondition(text));
    }
    let key = TargetKey {
        namespace: message.namespace.as_str().into(),
        name: message.name.as_str().into(),
        digest: message.digest.as_str().into(),
    };
    let request = serde_json::from_slice(&message.request)
        .map_err(|error| Status::invalid_argument(format!("the request cannot be read: {error}")))?;
    Ok((key, request))
}

/// The newest outlook, whenever there is a newer one; a reader that is slow leaves out those between.
fn outlooks(
    mut watcher: Watcher,
    drained: CancellationToken,
) -> impl Stream<Item = Result<WatchResponse, Status>> + Send {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let newest = watcher.newest.borrow_and_update().clone();
            if let Some(Told { outlook, memory }) = newest {
                let memory = memory.map(|memory| memory.as_bytes().to_vec()).unwrap_or_default();
                let written = serde_json::to_vec(&*outlook);
                let message = written
                    .map(|outlook| WatchResponse { format: FORMAT, outlook, memory })
                    .map_err(|error| Status::internal(format!("the outlook cannot be written down: {error}")));
                if sender.send(message).await.is_err() {
                    return;
                }
            }
            tokio::select! {
                () = drained.cancelled() => return,
                () = sender.closed() => return,
                changed = watcher.newest.changed() => if changed.is_err() {
                    return;
                },
            }
        }
    });
    ReceiverStream::new(receiver)
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[test]
    fn requests_of_another_format_and_requests_that_are_none_are_told_apart() {
        let request = crate::testing::request(&"http://p".parse().unwrap(), 100);
        let written = serde_json::to_vec(&request).unwrap();
        let sound = WatchRequest {
            namespace: "shop".to_owned(),
            name: "checkout".to_owned(),
            digest: "0a".to_owned(),
            format: FORMAT,
            request: written,
            target: Vec::new(),
            memory: Vec::new(),
        };
        let (key, read) = parse(&sound).unwrap();
        assert_eq!((key.to_string().as_str(), read), ("shop/checkout#0a", request));
        let newer = WatchRequest { format: FORMAT + 1, ..sound.clone() };
        assert_eq!(parse(&newer).unwrap_err().code(), Code::FailedPrecondition);
        let garbled = WatchRequest { request: b"{".to_vec(), ..sound };
        assert_eq!(parse(&garbled).unwrap_err().code(), Code::InvalidArgument);
    }
}
