//! [`Told`]: the stream of outlooks from one replica, and why it has [`Ended`].

use std::net::SocketAddr;

use prometheus_client::metrics::gauge::Gauge;
use series::Outlook;
use tonic::{Status, Streaming};
use wire::prescale::{FORMAT, WatchResponse};

/// A stream from one replica; counted as long as it lives.
pub(super) struct Told {
    pub(super) from: SocketAddr,
    /// Outlooks that it told so far.
    pub(super) outlooks: u64,
    pub(super) messages: Streaming<WatchResponse>,
    pub(super) streams: Gauge,
}

impl Drop for Told {
    fn drop(&mut self) {
        self.streams.dec();
    }
}

/// Why a stream tells nothing more.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("{0}")]
    Lost(#[from] Status),
    /// What it tells is of another version.
    #[error("what it tells cannot be read: {0}")]
    Unreadable(String),
}

/// The next outlook of a stream and the memory that goes with it, or why it has ended. Safe to be given up while it waits.
pub(super) async fn message(told: &mut Option<Told>) -> Result<(Outlook, String), Ended> {
    let Some(told) = told else { return std::future::pending().await };
    let message = told.messages.message().await?.ok_or_else(|| Status::unavailable("the stream has ended"))?;
    if message.format != FORMAT {
        return Err(Ended::Unreadable(format!("it has format {}, this version reads format {FORMAT}", message.format)));
    }
    let outlook = serde_json::from_slice(&message.outlook).map_err(|error| Ended::Unreadable(error.to_string()))?;
    let memory = String::from_utf8(message.memory).map_err(|error| Ended::Unreadable(error.to_string()))?;
    Ok((outlook, memory))
}
