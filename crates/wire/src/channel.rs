//! [`connect`]: a channel to one replica of another role, over a connection of one's own making.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::transport::{Channel, Endpoint, Error};

/// Bytes to and from another process.
pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// A socket that is being connected.
pub type Dialing = Pin<Box<dyn Future<Output = io::Result<Box<dyn Socket>>> + Send>>;

/// Connects to an address of a host, whose certificate is for the host's name where there is TLS.
pub type Dial = Arc<dyn Fn(SocketAddr, Arc<str>) -> Dialing + Send + Sync>;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A peer that is cut off without a word is noticed after both of these.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(4);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(4);

/// Thousands of streams share the connection: with HTTP/2's own 64 KiB they would wait for one another.
const CONNECTION_WINDOW: u32 = 8 * 1024 * 1024;
const STREAM_WINDOW: u32 = 1024 * 1024;

/// A channel to the replica of `host` at `address`, connected.
///
/// # Errors
/// Where no connection came about in three seconds.
pub async fn connect(dial: &Dial, address: SocketAddr, host: &Arc<str>) -> Result<Channel, Error> {
    let (dial, host) = (Arc::clone(dial), Arc::clone(host));
    let connector = tower::service_fn(move |_| {
        let socket = dial(address, Arc::clone(&host));
        async move { socket.await.map(TokioIo::new) }
    });
    // who is spoken to is decided by the socket; this only stands in the requests
    Endpoint::from_static("http://forecaster")
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_stream_window_size(STREAM_WINDOW)
        .connect_with_connector(connector)
        .await
}
