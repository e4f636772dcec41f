//! The reference workload: a server that pretends to be a small language model.
//!
//! It answers `/chat` at the pace of tokens, a few requests at a time, and counts `http_requests_total`, which is what
//! the example manifests scale on. It knows nothing of the scaler.

mod backend;
mod metrics;
mod routes;
mod settings;

use std::io;
use std::sync::Arc;

use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use crate::backend::Backend;
use crate::settings::Settings;

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt().json().init();
    let settings = Settings::parse();
    let listener = TcpListener::bind(settings.listen).await?;
    info!(address = %listener.local_addr()?, ?settings, "listening");
    serve(listener, Arc::new(Backend::new(settings)), stop_signal()?).await?;
    info!("drained");
    Ok(())
}

/// Serves until `stop` resolves; then reports unready, keeps serving until the endpoints have forgotten this pod, and
/// returns once every request is answered.
async fn serve(
    listener: TcpListener,
    backend: Arc<Backend>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let routes = routes::router(Arc::clone(&backend));
    let drained = async move {
        stop.await;
        info!("draining");
        backend.drain().await;
    };
    axum::serve(listener, routes).with_graceful_shutdown(drained).await
}

/// Resolves on SIGTERM or SIGINT.
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;

    use super::*;

    async fn call(address: std::net::SocketAddr, head: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{head} HTTP/1.1\r\nHost: chat\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_request_in_flight_is_answered_before_the_server_ends() {
        let settings = Settings::try_parse_from(["chat-backend", "--first-token-ms=200", "--drain-seconds=0"]).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let backend = Arc::new(Backend::new(settings));
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(serve(listener, Arc::clone(&backend), async move { stopped.await.unwrap() }));

        assert!(call(address, "GET /livez").await.starts_with("HTTP/1.1 200"));
        assert!(call(address, "GET /readyz").await.starts_with("HTTP/1.1 200"));
        let request = tokio::spawn(call(address, "POST /chat"));
        let in_flight = |count: u8| format!("http_requests_in_flight{{app=\"chat-backend\"}} {count}\n");
        while !backend.metrics.text().contains(&in_flight(1)) {
            tokio::task::yield_now().await;
        }
        stop.send(()).unwrap();
        server.await.unwrap().unwrap();
        assert!(backend.metrics.text().contains(&in_flight(0)));
        assert!(request.await.unwrap().starts_with("HTTP/1.1 200"));
    }
}
