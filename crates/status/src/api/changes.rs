//! [`Changes`]: what changes in the records, made into one message for all who listen.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use series::{TargetKey, Timestamp};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::Observatory;
use crate::view::Summary;

/// Between two messages at least: as often as people can follow.
const PACE: Duration = Duration::from_millis(250);

/// Messages that wait for a listener; one that falls further behind is told to read everything anew.
const MOST_WAITING: usize = 16;

/// What changed since the message before.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Change {
    /// The time by the server's clock.
    now: Timestamp,
    /// Of what version the list is with it.
    version: u64,
    /// The targets that changed, in a line each.
    changed: Vec<Summary>,
    /// The targets that KEDA asks for no more.
    gone: Vec<Gone>,
}

/// A target that KEDA asks for no more.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Gone {
    namespace: String,
    name: String,
    digest: String,
}

/// Sends what changes to everyone who listens.
#[derive(Debug)]
pub(super) struct Changes(broadcast::Sender<Arc<str>>);

impl Changes {
    /// Follows the records until `stop`.
    pub(super) fn follow(observatory: Arc<Observatory>, stop: CancellationToken) -> Self {
        let (sender, _) = broadcast::channel(MOST_WAITING);
        let messages = sender.clone();
        tokio::spawn(async move { stop.run_until_cancelled(send(observatory, messages)).await });
        Self(sender)
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<Arc<str>> {
        self.0.subscribe()
    }
}

async fn send(observatory: Arc<Observatory>, messages: broadcast::Sender<Arc<str>>) {
    let mut seen = observatory.changes();
    let (mut version, mut keys) = (seen.borrow().version, BTreeSet::new());
    while seen.changed().await.is_ok() {
        let now = *seen.borrow_and_update();
        // who begins to listen reads the whole list first: nothing is owed to those who are not there
        if messages.receiver_count() > 0 {
            let present: BTreeSet<TargetKey> = observatory.keys(|_| true).into_iter().collect();
            let gone = |key: &TargetKey| Gone {
                namespace: key.namespace.to_string(),
                name: key.name.to_string(),
                digest: key.digest.to_string(),
            };
            let change = Change {
                now: now.at,
                version: now.version,
                changed: observatory.since(version, Summary::of),
                gone: keys.difference(&present).map(gone).collect(),
            };
            keys = present;
            if let Ok(text) = serde_json::to_string(&change) {
                // an error says that the last listener has just left
                let _ = messages.send(text.into());
            }
        }
        version = now.version;
        tokio::time::sleep(PACE).await;
    }
}
