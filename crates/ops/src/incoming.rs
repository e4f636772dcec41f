//! [`incoming`]: connections that are ready to be served, with or without TLS.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, Sender};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::either::Either;

use crate::Tls;

/// A connection from a client.
pub type Connection = Either<TcpStream, TlsStream<TcpStream>>;

/// A client that connects and says nothing must not hold a place for ever.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Handshakes at once; more connections than these wait in the backlog of the listener.
const MOST_HANDSHAKES: usize = 256;

/// Rest after the operating system refused a connection: out of file descriptors, say.
const REST: Duration = Duration::from_millis(100);

/// Failing handshakes are logged no more often than this.
const TELL: Duration = Duration::from_secs(10);

/// The connections that `listener` accepts, after their handshake where there is `tls`. No item is an error: a client that
/// fails is logged and let go. The listener closes when the stream is dropped.
pub fn incoming(listener: TcpListener, tls: Option<Arc<Tls>>) -> ReceiverStream<io::Result<Connection>> {
    let (sender, receiver) = mpsc::channel(64);
    tokio::spawn(accept(listener, tls, sender));
    ReceiverStream::new(receiver)
}

async fn accept(listener: TcpListener, tls: Option<Arc<Tls>>, sender: Sender<io::Result<Connection>>) {
    let mut handshakes = JoinSet::new();
    let mut told = None;
    loop {
        let has_room = handshakes.len() < MOST_HANDSHAKES;
        tokio::select! {
            () = sender.closed() => return,
            Some(ended) = handshakes.join_next() => {
                if let Ok(Err(error)) = ended {
                    tell(&error, &mut told);
                }
            }
            accepted = listener.accept(), if has_room => match (accepted, &tls) {
                (Ok((stream, _)), Some(tls)) => {
                    drop(handshakes.spawn(shake_hands(Arc::clone(tls), stream, sender.clone())));
                }
                (Ok((stream, _)), None) => hand_over(Either::Left(stream), &sender).await,
                (Err(error), _) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(REST).await;
                }
            },
        }
    }
}

async fn shake_hands(tls: Arc<Tls>, stream: TcpStream, sender: Sender<io::Result<Connection>>) -> io::Result<()> {
    let shaken = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await;
    let stream = shaken.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    hand_over(Either::Right(stream), &sender).await;
    Ok(())
}

async fn hand_over(connection: Connection, sender: &Sender<io::Result<Connection>>) {
    let stream = match &connection {
        Either::Left(stream) => stream,
        Either::Right(stream) => stream.get_ref().0,
    };
    // answers are small and must not wait to be filled up
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was lost before it was served");
        return;
    }
    // where nobody serves any more the connection is dropped
    let _ = sender.send(Ok(connection)).await;
}

fn tell(error: &io::Error, told: &mut Option<Instant>) {
    if told.is_none_or(|told| told.elapsed() >= TELL) {
        *told = Some(Instant::now());
        tracing::warn!(%error, "TLS was not agreed on with a client; prescale_tls_handshake_failures_total counts them");
    }
}
