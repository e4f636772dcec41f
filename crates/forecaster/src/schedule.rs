//! [`Schedule`]: one loop that refreshes every target at its pace, no more than so many at once.
//!
//! A server that hangs keeps each refresh of its targets until the timeout. So that it does not keep everybody else's too,
//! no server gets more than three quarters of the places.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, Weak};
use std::time::Duration;

use series::ServerAddress;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::refresh::Refresher;
use crate::settings::Settings;
use crate::target::Target;

/// How far an interval may be off by chance: enough to pull targets apart that were first seen together.
const JITTER: f64 = 0.1;

/// When each target is due, and the refreshes under way.
pub(crate) struct Schedule {
    refresher: Arc<Refresher>,
    interval: Duration,
    concurrency: usize,
    /// Targets in the order they are due, those of one moment in the order they came.
    due: BinaryHeap<Reverse<Due>>,
    /// Due, but their server has all the places it gets.
    held: Vec<Due>,
    /// Numbers the entries.
    entries: u64,
    /// Each server's refreshes under way, counted by what they hold of it; `None` is the default server.
    servers: HashMap<Option<ServerAddress>, Arc<()>>,
    under_way: JoinSet<()>,
}

/// One entry. It holds no target alive: a forgotten one is gone when its turn comes.
struct Due {
    at: Instant,
    number: u64,
    target: Weak<Target>,
}

impl Schedule {
    pub(crate) fn new(refresher: Arc<Refresher>, settings: &Settings) -> Self {
        Self {
            refresher,
            interval: settings.refresh_interval,
            concurrency: settings.concurrency,
            due: BinaryHeap::new(),
            held: Vec::new(),
            entries: 0,
            servers: HashMap::new(),
            under_way: JoinSet::new(),
        }
    }

    /// Runs until `stop`, or until no target can arrive any more.
    pub(crate) async fn run(mut self, mut arrivals: UnboundedReceiver<Weak<Target>>, stop: CancellationToken) {
        loop {
            self.start_what_is_due();
            let next = self.due.peek().map(|Reverse(due)| due.at);
            let has_room = self.under_way.len() < self.concurrency;
            tokio::select! {
                () = stop.cancelled() => break,
                arrival = arrivals.recv() => match arrival {
                    Some(target) => self.enter(Instant::now(), target),
                    None => break,
                },
                Some(ended) = self.under_way.join_next() => {
                    if let Err(error) = ended && error.is_panic() {
                        // the target keeps its place: the next refresh is entered when one starts
                        tracing::error!(%error, "refresh panicked");
                    }
                    self.servers.retain(|_, place| Arc::strong_count(place) > 1);
                    self.due.extend(self.held.drain(..).map(Reverse));
                }
                () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() && has_room => {}
            }
        }
        self.under_way.shutdown().await;
    }

    fn start_what_is_due(&mut self) {
        let now = Instant::now();
        while self.under_way.len() < self.concurrency
            && self.due.peek().is_some_and(|Reverse(due)| due.at <= now)
            && let Some(Reverse(due)) = self.due.pop()
        {
            let Some(target) = due.target.upgrade() else {
                continue;
            };
            let place = self.servers.entry(target.request.query.server.clone()).or_default();
            if Arc::strong_count(place) > self.concurrency - self.concurrency / 4 {
                self.held.push(due);
                continue;
            }
            let place = Arc::clone(place);
            self.enter(now + self.jittered_interval(), due.target);
            // a turn that comes while the last refresh is still under way is left out
            if !target.is_busy() {
                let refresher = Arc::clone(&self.refresher);
                self.under_way.spawn(async move {
                    refresher.refresh(&target).await;
                    drop(place);
                });
            }
        }
    }

    fn enter(&mut self, at: Instant, target: Weak<Target>) {
        self.entries += 1;
        self.due.push(Reverse(Due { at, number: self.entries, target }));
    }

    fn jittered_interval(&self) -> Duration {
        self.interval.mul_f64(1.0 + JITTER * (2.0 * fastrand::f64() - 1.0))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}
