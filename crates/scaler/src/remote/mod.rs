//! [`RemoteForecasts`]: outlooks from forecasters in other processes.
//!
//! ```text
//!  target ---> its owner among the serving replicas (rendezvous) ---> Forecasts.Watch ---> board
//! ```
//! A target that moves keeps its old stream until the new one has told something as new; a target whose stream is lost
//! keeps its last outlook, whose forecast reaches a day, and asks the next owner at once.

mod rendezvous;
mod replicas;
mod told;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use policy::Target;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use series::{Clock, Outlook, TargetKey};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Code, Status};
use wire::prescale::forecasts_client::ForecastsClient;
use wire::prescale::{FORMAT, WatchRequest};
use wire::{Channel, Dial};

use crate::{Board, Forecasts};
use replicas::{Replicas, Serving};
use told::{Ended, Told, message};

/// How long a replica may take to accept a stream.
const OPEN: Duration = Duration::from_secs(3);

/// Pause before a stream that could not be opened is tried again; twice as long each time.
const SHORTEST_REST: Duration = Duration::from_millis(200);
const LONGEST_REST: Duration = Duration::from_secs(10);

/// Largest message: an outlook is some tens of kilobytes.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Where the forecasters are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForecasterAddress {
    /// A name that resolves to every replica, or an address.
    pub host: Arc<str>,
    /// The port, the same for all.
    pub port: u16,
}

/// What was kept of a target, on its way from the store: its outlook, and what was learned beside it.
pub type Resumed = Pin<Box<dyn Future<Output = Option<(Arc<Outlook>, Option<Arc<str>>)>> + Send>>;

/// Outlooks from forecasters in other processes.
pub struct RemoteForecasts {
    shared: Arc<Shared>,
    /// One task per target, which ends when its guard is dropped.
    watched: Mutex<HashMap<TargetKey, DropGuard>>,
    /// Where targets are followed: handlers run elsewhere.
    work: Handle,
    stop: CancellationToken,
}

struct Shared {
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    serving: watch::Sender<Serving>,
    resume: Box<dyn Fn(TargetKey) -> Resumed + Send + Sync>,
    streams: Gauge,
    moves: Counter,
}

impl RemoteForecasts {
    /// Finds forecasters at `addresses` by way of `dial` until `stop`, and publishes what they tell on `board`. What
    /// `resume` gives for a target is published until then. All of that runs on the current runtime, whoever calls. Registers its metrics in `registry`, under their full names.
    pub fn new(
        addresses: Vec<ForecasterAddress>,
        dial: Dial,
        board: Arc<Board>,
        clock: Arc<dyn Clock>,
        resume: impl Fn(TargetKey) -> Resumed + Send + Sync + 'static,
        registry: &mut Registry,
        stop: CancellationToken,
    ) -> Self {
        let (serving, _) = watch::channel(Serving::default());
        let (count, streams, moves) = (Gauge::default(), Gauge::default(), Counter::default());
        registry.register(
            "prescale_forecasters_serving",
            "Forecasters that serve, as their health says",
            count.clone(),
        );
        registry.register("prescale_forecast_streams", "Targets that a forecaster tells of", streams.clone());
        let help = "Times that a target's outlooks began to come from another forecaster";
        registry.register("prescale_forecast_moves", help, moves.clone());
        let replicas = Replicas { addresses, dial, serving: serving.clone(), count };
        tokio::spawn(Arc::new(replicas).run(stop.clone()));
        let shared = Shared { board, clock, serving, resume: Box::new(resume), streams, moves };
        Self { shared: Arc::new(shared), watched: Mutex::default(), work: Handle::current(), stop }
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<TargetKey, DropGuard>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for RemoteForecasts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteForecasts").field("watched", &self.watched().len()).finish_non_exhaustive()
    }
}

impl Forecasts for RemoteForecasts {
    fn watch(&self, target: &Arc<Target>) {
        let ended = self.stop.child_token();
        let follower = Follower {
            shared: Arc::clone(&self.shared),
            target: Arc::clone(target),
            held: None,
            refused: HashSet::new(),
            last: None,
        };
        let until = ended.clone();
        self.work.spawn(async move { until.run_until_cancelled(follower.run()).await });
        // one that was there before ends with its guard
        self.watched().insert(target.key.clone(), ended.drop_guard());
    }

    fn forget(&self, key: &TargetKey) {
        self.watched().remove(key);
    }
}

/// Follows one target from replica to replica.
struct Follower {
    shared: Arc<Shared>,
    target: Arc<Target>,
    /// What was published last.
    held: Option<Arc<Outlook>>,
    /// Replicas that cannot serve this target: of another version. Forgotten when the replicas change.
    refused: HashSet<SocketAddr>,
    /// Who told something last.
    last: Option<SocketAddr>,
}

impl Follower {
    async fn run(mut self) {
        if let Some((outlook, memory)) = (self.shared.resume)(self.target.key.clone()).await {
            self.publish(outlook, memory.as_deref().unwrap_or_default());
        }
        let mut serving = self.shared.serving.subscribe();
        // the stream in force, and the one that is to take its place
        let (mut current, mut next): (Option<Told>, Option<Told>) = (None, None);
        let mut rest = Rest::default();
        loop {
            let replicas = Arc::clone(&serving.borrow_and_update());
            let owner = self.owner(&replicas);
            let is_open = |told: &Option<Told>| told.as_ref().is_some_and(|told| Some(told.from) == owner);
            if is_open(&current) {
                next = None;
            } else if !is_open(&next)
                && rest.is_over()
                && let Some(owner) = owner
                && let Some(channel) = replicas.get(&owner)
            {
                match self.open(owner, channel.clone()).await {
                    Ok(told) if current.is_some() => next = Some(told),
                    Ok(told) => current = Some(told),
                    Err(status) => {
                        tracing::debug!(target_key = %self.target.key, %owner, %status, "stream could not be opened");
                        rest.begin();
                        // where it refused this target another may own it now
                        continue;
                    }
                }
            }
            tokio::select! {
                changed = serving.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.refused.clear();
                    rest = Rest::default();
                }
                message = message(&mut current), if current.is_some() => match message {
                    Ok(message) => {
                        self.take(message, current.as_mut());
                        rest = Rest::default();
                    }
                    Err(ended) => {
                        self.ended(&ended, current.as_ref());
                        // where another is about to take its place it does so now
                        current = next.take();
                        rest.begin();
                    }
                },
                message = message(&mut next), if next.is_some() => {
                    let message = match message {
                        Ok(message) => message,
                        Err(ended) => {
                            self.ended(&ended, next.as_ref());
                            next = None;
                            rest.begin();
                            continue;
                        }
                    };
                    if self.take(message, next.as_mut()) {
                        current = next.take();
                        rest = Rest::default();
                    }
                }
                () = rest.over() => {}
            }
        }
    }

    /// Who the target belongs to, of those that can serve it.
    fn owner(&self, replicas: &BTreeMap<SocketAddr, Channel>) -> Option<SocketAddr> {
        rendezvous::owner(&self.target.key, replicas.keys().filter(|replica| !self.refused.contains(replica)))
    }

    async fn open(&mut self, from: SocketAddr, channel: Channel) -> Result<Told, Status> {
        let defect = |error: serde_json::Error| Status::internal(error.to_string());
        let Target { key, request, .. } = &*self.target;
        let memory = self.shared.board.memory(key).map(|memory| memory.as_bytes().to_vec());
        let request = WatchRequest {
            namespace: key.namespace.to_string(),
            name: key.name.to_string(),
            digest: key.digest.to_string(),
            format: FORMAT,
            request: serde_json::to_vec(request).map_err(defect)?,
            target: serde_json::to_vec(&*self.target).map_err(defect)?,
            memory: memory.unwrap_or_default(),
        };
        let mut client = ForecastsClient::new(channel).max_decoding_message_size(MOST_BYTES);
        let opened = tokio::time::timeout(OPEN, client.watch(request)).await;
        match opened.map_err(|_| Status::deadline_exceeded("no answer"))? {
            Ok(response) => {
                self.shared.streams.inc();
                Ok(Told { from, outlooks: 0, messages: response.into_inner(), streams: self.shared.streams.clone() })
            }
            Err(status) => {
                if matches!(status.code(), Code::FailedPrecondition | Code::Unimplemented | Code::InvalidArgument) {
                    tracing::warn!(target_key = %self.target.key, forecaster = %from, %status, "forecaster cannot serve this target");
                    self.refused.insert(from);
                }
                Err(status)
            }
        }
    }

    /// Takes in that the stream of `by` tells nothing more: one that cannot be understood is left to other scalers.
    fn ended(&mut self, ended: &Ended, by: Option<&Told>) {
        let key = &self.target.key;
        if let (Ended::Unreadable(_), Some(by)) = (ended, by) {
            tracing::warn!(target_key = %key, forecaster = %by.from, %ended, "forecaster cannot serve this target");
            self.refused.insert(by.from);
        } else {
            tracing::debug!(target_key = %key, %ended, "stream ended");
        }
    }

    /// Publishes what `by` told, where it is news; tells whether it was.
    fn take(&mut self, (outlook, memory): (Outlook, String), by: Option<&mut Told>) -> bool {
        let Some(by) = by else { return false };
        by.outlooks += 1;
        if !is_news(&outlook, self.held.as_deref(), by.outlooks) {
            return false;
        }
        self.publish(Arc::new(outlook), &memory);
        let from = Some(by.from);
        if self.last.is_some() && self.last != from {
            self.shared.moves.inc();
        }
        self.last = from;
        true
    }

    fn publish(&mut self, outlook: Arc<Outlook>, memory: &str) {
        self.held = Some(Arc::clone(&outlook));
        let Shared { board, clock, .. } = &*self.shared;
        if memory.is_empty() {
            board.publish(&self.target.key, outlook);
        } else {
            board.publish_told(&self.target.key, outlook, memory, clock.now());
        }
    }
}

/// Whether `outlook`, the `number`th that a stream told, is to take the place of the one `held`.
///
/// A replica that has just begun knows less than one that has long been at it: nothing emptier is taken, and nothing older
/// as its first. What comes after the first is of a refresh of its own, whatever its clock says.
fn is_news(outlook: &Outlook, held: Option<&Outlook>, number: u64) -> bool {
    let knows = |outlook: &Outlook| outlook.observation.is_ok() || outlook.forecast.is_ok();
    held.is_none_or(|held| (number > 1 || outlook.issued >= held.issued) && (knows(outlook) || !knows(held)))
}

/// The pause before a replica is asked again, where nothing else has changed.
#[derive(Debug, Default)]
struct Rest {
    until: Option<Instant>,
    length: Duration,
}

impl Rest {
    fn begin(&mut self) {
        self.length = (self.length * 2).clamp(SHORTEST_REST, LONGEST_REST);
        // thousands of targets that lost one replica together must not come back together
        self.until = Some(Instant::now() + self.length.mul_f64(1.0 + fastrand::f64()));
    }

    fn is_over(&self) -> bool {
        self.until.is_none_or(|until| until <= Instant::now())
    }

    /// Ends when a rest that was begun is over, and once it is over never.
    async fn over(&self) {
        match self.until {
            Some(until) if !self.is_over() => tokio::time::sleep_until(until).await,
            _ => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use series::{Load, Observation, Timestamp};

    use super::*;

    fn outlook(issued: i64, load: Option<f64>) -> Outlook {
        let at = Timestamp::from_second(1_000_000 + issued).unwrap();
        let first = Outlook::first_seen(at);
        let observed = load.map(|load| Observation { at, load: Load::new(load).unwrap() });
        Outlook { observation: observed.ok_or(series::NoObservation::NotYet), ..first }
    }

    #[test]
    fn nothing_older_and_nothing_emptier_takes_the_place_of_what_is_known() {
        let held = outlook(60, Some(1.0));
        assert!(is_news(&outlook(0, None), None, 1), "anything is more than nothing");
        assert!(is_news(&outlook(60, Some(2.0)), Some(&held), 1));
        assert!(!is_news(&outlook(59, Some(2.0)), Some(&held), 1), "what a store kept, perhaps");
        assert!(is_news(&outlook(59, Some(2.0)), Some(&held), 2), "its clock is behind, but it has asked since");
        assert!(!is_news(&outlook(61, None), Some(&held), 2));
        assert!(is_news(&outlook(61, None), Some(&outlook(60, None)), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn each_rest_is_longer_until_it_is_forgotten() {
        let mut rest = Rest::default();
        assert!(rest.is_over());
        let mut longest = Duration::ZERO;
        for _ in 0..12 {
            rest.begin();
            let began = Instant::now();
            rest.over().await;
            longest = began.elapsed();
            assert!(rest.is_over());
        }
        assert!(longest >= LONGEST_REST && longest <= 2 * LONGEST_REST + SHORTEST_REST, "{longest:?}");
    }
}
