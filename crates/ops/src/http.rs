//! The HTTP endpoints for probes and Prometheus, `/livez`, `/readyz` and `/metrics`, beside whatever else is served there.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Readiness;
use crate::hosts::{Hosts, admitted};

/// After the stop, requests under way get this long to end: a client that sends half a request, or reads no answer, must
/// not keep the process.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Shared {
    registry: Registry,
    readiness: Readiness,
}

/// Serves the endpoints, and `further` routes, on `listener` until `stop`; requests under way then have five seconds to end.
/// Only requests for one of `hosts` are answered, but for those of probes, which name no target.
///
/// # Errors
/// Where the listener breaks down.
pub async fn serve(
    listener: TcpListener,
    hosts: Hosts,
    further: Router,
    registry: Registry,
    readiness: Readiness,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let shared = Arc::new(Shared { registry, readiness });
    let probes = Router::new().route("/livez", get(live)).route("/readyz", get(ready));
    let guarded = Router::new().route("/metrics", get(metrics)).with_state(Arc::clone(&shared)).merge(further);
    let guarded = guarded.layer(from_fn_with_state(Arc::new(hosts), admitted));
    let routes = probes.with_state(shared).merge(guarded);
    let grace = {
        let stop = stop.clone();
        async move {
            stop.cancelled().await;
            tokio::time::sleep(GRACE).await;
        }
    };
    tokio::select! {
        ended = axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()) => ended,
        () = grace => {
            tracing::warn!("HTTP requests were still under way after the grace period");
            Ok(())
        }
    }
}

/// Alive as long as it answers: nothing outside the process can make it dead.
async fn live() -> &'static str {
    "ok\n"
}

async fn ready(State(shared): State<Arc<Shared>>) -> (StatusCode, String) {
    let (status, word) = if shared.readiness.is_ready() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "starting or stopping\n")
    };
    (status, word.to_owned() + &shared.readiness.notes())
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    // those of thousands of targets take long enough to keep probes and the page waiting
    let encoding = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &shared.registry).map(|()| text)
    });
    match encoding.await.map_err(std::io::Error::from).and_then(|text| text.map_err(std::io::Error::other)) {
        Ok(text) => {
            let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, content_type)], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "metrics could not be encoded");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn half_a_request_does_not_keep_the_server_from_stopping() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n").await.unwrap();
        let stop = CancellationToken::new();
        let (readiness, _starting) = Readiness::new(stop.clone());
        let server = tokio::spawn(serve(
            listener,
            Hosts::default(),
            Router::new(),
            Registry::default(),
            readiness,
            stop.clone(),
        ));
        // the server has read that half before it is told to stop
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(60), server).await;
        ended.expect("the server waits for the other half").unwrap().unwrap();
    }
}
