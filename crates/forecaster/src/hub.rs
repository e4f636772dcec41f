//! [`Hub`]: the newest outlook of every target that another role watches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use series::{ForecastRequest, Outlook, TargetKey};
use tokio::sync::watch;
use tokio::time::Instant;

/// A target that nobody watches any more is kept fresh for this long: a scaler that restarts comes back for it.
const LINGER: Duration = Duration::from_secs(120);

/// The newest outlook of every target that is watched.
#[derive(Debug, Default)]
pub struct Hub {
    seats: Mutex<HashMap<TargetKey, Seat>>,
}

/// What watchers are told: an outlook, and what the policy remembers of the target as of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) outlook: Arc<Outlook>,
    pub(crate) memory: Option<Arc<str>>,
}

#[derive(Debug)]
struct Seat {
    request: ForecastRequest,
    newest: watch::Sender<Option<Told>>,
    watchers: usize,
    /// When the last watcher left.
    left: Instant,
}

/// Somebody who watches a target; leaves when dropped.
#[derive(Debug)]
pub(crate) struct Watcher {
    hub: Arc<Hub>,
    key: TargetKey,
    pub(crate) newest: watch::Receiver<Option<Told>>,
}

/// What a new watcher is to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Nobody watched it with this request.
    First,
    /// It is watched already.
    Further,
}

impl Hub {
    /// Has `key` watched by one more.
    pub(crate) fn watch(self: &Arc<Self>, key: &TargetKey, request: &ForecastRequest) -> (Watcher, Arrival) {
        let mut seats = self.seats();
        let mut arrival = Arrival::Further;
        let seat = seats.entry(key.clone()).or_insert_with(|| {
            arrival = Arrival::First;
            let newest = watch::Sender::new(None);
            Seat { request: request.clone(), newest, watchers: 0, left: Instant::now() }
        });
        if seat.request != *request {
            // a scaler of another version or configuration means something else by the same metadata
            seat.request = request.clone();
            arrival = Arrival::First;
        }
        seat.watchers += 1;
        (Watcher { hub: Arc::clone(self), key: key.clone(), newest: seat.newest.subscribe() }, arrival)
    }

    /// Tells all who watch `key` the newest outlook, and what the policy remembers of the target as of it.
    pub fn publish(&self, key: &TargetKey, outlook: Arc<Outlook>, memory: Option<Arc<str>>) {
        if let Some(seat) = self.seats().get(key) {
            seat.newest.send_replace(Some(Told { outlook, memory }));
        }
    }

    /// How many watch, all targets together.
    pub(crate) fn watchers(&self) -> usize {
        self.seats().values().map(|seat| seat.watchers).sum()
    }

    /// Takes away the targets that nobody has watched for a while; gives their keys.
    pub(crate) fn sweep(&self) -> Vec<TargetKey> {
        let mut gone = Vec::new();
        self.seats().retain(|key, seat| {
            let stays = seat.watchers > 0 || seat.left.elapsed() < LINGER;
            if !stays {
                gone.push(key.clone());
            }
            stays
        });
        gone
    }

    fn leave(&self, key: &TargetKey) {
        if let Some(seat) = self.seats().get_mut(key) {
            seat.watchers -= 1;
            seat.left = Instant::now();
        }
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<TargetKey, Seat>> {
        // every change under the lock is whole: a panic leaves nothing half done
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.hub.leave(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use series::Timestamp;

    use super::*;
    use crate::testing::request;

    fn key(name: &str) -> TargetKey {
        TargetKey { namespace: "n".into(), name: name.into(), digest: "d".into() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_stays_while_it_is_watched_and_a_little_longer() {
        let (hub, server) = (Arc::<Hub>::default(), "http://p".parse().unwrap());
        let (first, arrival) = hub.watch(&key("a"), &request(&server, 100));
        assert_eq!(arrival, Arrival::First);
        let (second, arrival) = hub.watch(&key("a"), &request(&server, 100));
        assert_eq!((arrival, hub.watchers()), (Arrival::Further, 2));
        drop(first);
        tokio::time::advance(2 * LINGER).await;
        assert_eq!(hub.sweep(), []);
        drop(second);
        tokio::time::advance(LINGER / 2).await;
        assert_eq!(hub.sweep(), []);
        let (again, arrival) = hub.watch(&key("a"), &request(&server, 100));
        assert_eq!(arrival, Arrival::Further, "it was still fresh");
        drop(again);
        tokio::time::advance(LINGER).await;
        assert_eq!(hub.sweep(), [key("a")]);
        assert_eq!(hub.watch(&key("a"), &request(&server, 100)).1, Arrival::First);
    }

    #[tokio::test]
    async fn a_watcher_gets_the_newest_and_another_request_begins_anew() {
        let (hub, server) = (Arc::<Hub>::default(), "http://p".parse().unwrap());
        let (mut watcher, _) = hub.watch(&key("a"), &request(&server, 100));
        hub.publish(&key("b"), Arc::new(Outlook::first_seen(Timestamp::UNIX_EPOCH)), None);
        assert!(!watcher.newest.has_changed().unwrap(), "that was another target");
        hub.publish(&key("a"), Arc::new(Outlook::first_seen(Timestamp::UNIX_EPOCH)), None);
        assert!(watcher.newest.borrow_and_update().is_some());
        let (late, arrival) = hub.watch(&key("a"), &request(&server, 200));
        assert_eq!(arrival, Arrival::First);
        assert!(late.newest.borrow().is_some(), "what is known is better than nothing");
    }
}
