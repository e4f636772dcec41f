//! [`Board`]: the latest outlook per target, where the two paths meet.
//!
//! The slow path publishes outlooks, handlers read plans. A plan is made when an outlook or an HPA sync has come since the
//! last one, in microseconds and under a lock that is never held over an await; otherwise the last one is the answer, so
//! that `GetMetrics` and the `IsActive` after it tell the same. Syncs are taken to be at whole quarters of a minute, in every
//! process: what is on the board follows from outlooks, memories and the time, and not from who was asked when.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use policy::{Comparison, HPA_SYNC, NoPlan, Plan, Planner, Target};
use series::{Outlook, TargetKey, Timestamp};
use tokio::sync::watch;

use crate::learned;

/// The latest outlook per target.
#[derive(Debug, Default)]
pub struct Board {
    seats: RwLock<HashMap<TargetKey, Arc<Seat>>>,
    limits: RwLock<Limits>,
}

/// How many targets there may be: whoever can write a trigger can have one watched, and each costs memory and queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In all; at least 1.
    pub targets: usize,
    /// In one namespace; at least 1.
    pub targets_per_namespace: usize,
    /// Samples of history that the targets of one namespace ask for together; at least 1.
    pub samples_per_namespace: usize,
    /// How long a target that nobody asks about is kept; minutes at least, and longer than any `pollingInterval`.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        // the targets of a namespace have room for two weeks of minutes each, and a quarter more
        let samples_per_namespace = 50_000_000;
        Self { targets: 10_000, targets_per_namespace: 2_000, samples_per_namespace, idle: Duration::from_secs(3600) }
    }
}

/// Why a new target gets no seat; those that have one are not touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSeat {
    /// There are as many targets as there may be.
    #[error(
        "this scaler has {0} targets, as many as it may (--max-targets); raise that, or wait an hour after triggers were removed"
    )]
    Total(usize),
    /// The namespace has as many targets as it may.
    #[error(
        "this namespace has {0} targets, as many as it may (--max-targets-per-namespace); ask for more, or wait an hour after \
         triggers were removed or changed"
    )]
    Namespace(usize),
    /// The targets of the namespace ask for as much history as they may.
    #[error(
        "the targets of this namespace would ask for {asked} samples of history together, where {most} are the most \
         (--max-samples-per-namespace); write a shorter historyTimeWindow or a longer queryStep, or ask for more"
    )]
    Samples {
        /// What they would ask for with the new one.
        asked: usize,
        /// What they may.
        most: usize,
    },
}

/// One target on the board.
#[derive(Debug)]
pub(crate) struct Seat {
    target: Arc<Target>,
    state: Mutex<State>,
    /// Counts the outlooks published; streams wait on it.
    published: watch::Sender<u64>,
    /// Sweeps since KEDA last asked. Counted rather than taken from the clock, which may jump.
    sweeps_since_asked: AtomicU32,
    open_streams: AtomicUsize,
}

#[derive(Debug)]
struct State {
    outlook: Arc<Outlook>,
    planner: Planner,
    told: Option<Told>,
}

/// What KEDA was told when it last asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// When it asked.
    pub at: Timestamp,
    /// The plan it was answered from, or why it got an error.
    pub answer: Result<Arc<Plan>, NoPlan>,
}

/// What the board knows of one target at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The target as parsed from the trigger's metadata.
    pub target: Arc<Target>,
    /// What the slow path published last.
    pub outlook: Arc<Outlook>,
    /// What KEDA is told, or why it is told nothing.
    pub plan: Result<Arc<Plan>, NoPlan>,
    /// What KEDA was told last; `None` where it has asked for no value yet.
    pub told: Option<Told>,
    /// The replica count that the values published so far lead to.
    pub replicas: Option<u32>,
    /// What a moment with too few pods is taken to cost, in pods; see [`Planner::price`].
    pub price: Option<f64>,
    /// What the forecasts cost and saved so far; see [`Planner::comparison`].
    pub comparison: Option<Comparison>,
}

impl Board {
    /// A board with room for so many targets.
    pub fn with_limits(limits: Limits) -> Self {
        Self { limits: RwLock::new(limits), ..Self::default() }
    }

    /// Has room for so many from now on; targets that have a seat keep it.
    pub fn set_limits(&self, limits: Limits) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// What it has room for.
    pub(crate) fn limits(&self) -> Limits {
        *self.limits.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the newest outlook of a target on the board; one that is not (or no longer) on it is left out.
    pub fn publish(&self, key: &TargetKey, outlook: Arc<Outlook>) {
        if let Some(seat) = self.found(key) {
            seat.publish(outlook, None);
        }
    }

    /// The same from a process that plans for the target beside this one: from here on it is planned from what that one
    /// remembers, as [`Board::memory`] told it there.
    pub fn publish_told(&self, key: &TargetKey, outlook: Arc<Outlook>, memory: &str, now: Timestamp) {
        if let Some(seat) = self.found(key) {
            seat.publish(outlook, learned::read(key, memory).map(|memory| (memory, now)));
        }
    }

    /// What was learned of a target by answering for it, to be kept beside its outlook; `None` where that is nothing.
    pub fn memory(&self, key: &TargetKey) -> Option<Arc<str>> {
        learned::write(key, self.found(key)?.memory()?)
    }

    /// Goes on from what [`Board::memory`] gave, before a restart perhaps; what is older than what is known by now is left out.
    pub fn remember(&self, key: &TargetKey, memory: &str, now: Timestamp) {
        let Some(seat) = self.found(key) else { return };
        let Some(memory) = learned::read(key, memory) else { return };
        let mut state = seat.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.planner.memory().is_none_or(|own| own.at() < memory.at()) {
            state.planner.adopt(memory, &seat.target, now);
        }
    }

    /// What is known of every target at `now`, in order of their keys.
    pub fn snapshots(&self, now: Timestamp) -> Vec<Snapshot> {
        let mut snapshots: Vec<_> = self.all().iter().map(|seat| seat.snapshot(now)).collect();
        snapshots.sort_by(|a, b| a.target.key.cmp(&b.target.key));
        snapshots
    }

    /// Plans for `key` at `now`, though nobody asks, and tells what is remembered since: whoever goes on from that with the same outlook
    /// comes to the same plan. `None` after the first plan, which rests on nothing remembered.
    pub fn advance(&self, key: &TargetKey, now: Timestamp) -> Option<Arc<str>> {
        let seat = self.found(key)?;
        let is_first = seat.memory().is_none();
        // why there is no plan is told to who asks
        drop(seat.plan(now));
        if is_first { None } else { learned::write(key, seat.memory()?) }
    }

    /// What is known of each of the targets `keys` that are on the board, at `now`.
    pub fn snapshots_of(&self, keys: &[TargetKey], now: Timestamp) -> Vec<Snapshot> {
        keys.iter().filter_map(|key| Some(self.found(key)?.snapshot(now))).collect()
    }

    /// Which targets are on the board.
    pub fn keys(&self) -> Vec<TargetKey> {
        self.seats.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// How many targets are on the board.
    pub fn len(&self) -> usize {
        self.seats.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether no target is on the board.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives `target` a seat, in place of the one that its key has, for a process that plans without being asked by KEDA.
    ///
    /// # Errors
    /// [`NoSeat`] where there are as many as there may be.
    pub fn add(&self, target: Target, now: Timestamp) -> Result<(), NoSeat> {
        self.remove(&target.key);
        self.take_seat(target, now).map(drop)
    }

    /// Takes the seat of `key` away.
    pub fn remove(&self, key: &TargetKey) {
        self.seats.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// The seat of `key`, if it has one, left as it is.
    fn found(&self, key: &TargetKey) -> Option<Arc<Seat>> {
        self.seats.read().unwrap_or_else(PoisonError::into_inner).get(key).map(Arc::clone)
    }

    fn all(&self) -> Vec<Arc<Seat>> {
        self.seats.read().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect()
    }

    /// The seat of `key`, if it has one, marked as asked for.
    pub(crate) fn seat(&self, key: &TargetKey) -> Option<Arc<Seat>> {
        let seats = self.seats.read().unwrap_or_else(PoisonError::into_inner);
        let seat = seats.get(key)?;
        // before the lock is released: a sweep must not take a seat away from one who just found it
        seat.sweeps_since_asked.store(0, Ordering::Relaxed);
        Some(Arc::clone(seat))
    }

    /// The target of `key`, if it has a seat.
    pub(crate) fn target(&self, key: &TargetKey) -> Option<Arc<Target>> {
        let seats = self.seats.read().unwrap_or_else(PoisonError::into_inner);
        seats.get(key).map(|seat| Arc::clone(&seat.target))
    }

    /// Gives `target` a seat, and tells whether it is new. One that differs from what the same trigger was before in what is made of the forecasts alone
    /// goes on from what that has learned.
    ///
    /// # Errors
    /// [`NoSeat`] where a new one would be more than there may be.
    pub(crate) fn take_seat(&self, target: Target, now: Timestamp) -> Result<(Arc<Seat>, bool), NoSeat> {
        let mut seats = self.seats.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(seat) = seats.get(&target.key) {
            seat.sweeps_since_asked.store(0, Ordering::Relaxed);
            return Ok((Arc::clone(seat), false));
        }
        let limits = self.limits();
        if seats.len() >= limits.targets {
            return Err(NoSeat::Total(limits.targets));
        }
        // as long as there are fewer in all, nobody's own have to be counted
        let most = limits.targets_per_namespace;
        let is_own = |key: &&TargetKey| key.namespace == target.key.namespace;
        if seats.len() >= most && seats.keys().filter(is_own).take(most).count() == most {
            return Err(NoSeat::Namespace(most));
        }
        let most = limits.samples_per_namespace;
        let own = seats.values().map(|seat| &*seat.target).filter(|other| other.key.namespace == target.key.namespace);
        let asked = own.map(samples).fold(samples(&target), usize::saturating_add);
        if asked > most {
            return Err(NoSeat::Samples { asked, most });
        }
        let key = target.key.clone();
        let seat = Seat::new(target, now);
        let before = seats.values().filter(|other| other.target.learns_as(&seat.target));
        if let Some(memory) = before.filter_map(|other| other.memory()).max_by_key(policy::Memory::at) {
            let mut state = seat.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.planner.adopt(memory, &seat.target, now);
        }
        let seat = Arc::new(seat);
        seats.insert(key, Arc::clone(&seat));
        Ok((seat, true))
    }

    /// Takes away the seats that nobody asked for in the last `most` sweeps and that no stream holds; gives their keys.
    pub(crate) fn sweep(&self, most: u32) -> Vec<TargetKey> {
        let mut cleared = Vec::new();
        self.seats.write().unwrap_or_else(PoisonError::into_inner).retain(|key, seat| {
            let held = seat.open_streams.load(Ordering::Relaxed) > 0;
            let idle = seat.sweeps_since_asked.fetch_add(1, Ordering::Relaxed) >= most;
            if idle && !held {
                cleared.push(key.clone());
            }
            held || !idle
        });
        cleared
    }
}

/// How many samples of history `target` asks for.
fn samples(target: &Target) -> usize {
    target.request.step.count_in(target.request.history)
}

impl Seat {
    fn new(target: Target, now: Timestamp) -> Self {
        let state = State { outlook: Arc::new(Outlook::first_seen(now)), planner: Planner::new(), told: None };
        Self {
            target: Arc::new(target),
            state: Mutex::new(state),
            published: watch::Sender::new(0),
            sweeps_since_asked: AtomicU32::new(0),
            open_streams: AtomicUsize::new(0),
        }
    }

    /// Whose seat it is.
    pub(crate) fn target(&self) -> &Arc<Target> {
        &self.target
    }

    fn memory(&self) -> Option<policy::Memory> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).planner.memory()
    }

    /// Answers KEDA, and remembers it: what it is told at `now`, or why it is told nothing.
    pub(crate) fn tell(&self, now: Timestamp) -> Result<Arc<Plan>, NoPlan> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = state.plan(&self.target, now);
        state.told = Some(Told { at: now, answer: answer.clone() });
        answer
    }

    /// What KEDA would be told at `now`, or why it would be told nothing.
    pub(crate) fn plan(&self, now: Timestamp) -> Result<Arc<Plan>, NoPlan> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).plan(&self.target, now)
    }

    /// A count that moves with every outlook published.
    pub(crate) fn publications(&self) -> watch::Receiver<u64> {
        self.published.subscribe()
    }

    /// Keeps the seat as long as the guard lives, whether or not anybody else asks.
    pub(crate) fn hold(self: &Arc<Self>) -> Hold {
        self.open_streams.fetch_add(1, Ordering::Relaxed);
        Hold(Arc::clone(self))
    }

    fn publish(&self, outlook: Arc<Outlook>, memory: Option<(policy::Memory, Timestamp)>) {
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.outlook = outlook;
            state.planner.outlook_came();
            if let Some((memory, now)) = memory {
                state.planner.adopt(memory, &self.target, now);
            }
        }
        self.published.send_modify(|count| *count += 1);
    }

    fn snapshot(&self, now: Timestamp) -> Snapshot {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = state.plan(&self.target, now);
        Snapshot {
            target: Arc::clone(&self.target),
            outlook: Arc::clone(&state.outlook),
            plan,
            told: state.told.clone(),
            replicas: state.planner.replicas(),
            price: state.planner.price(&self.target),
            comparison: state.planner.comparison(),
        }
    }
}

impl State {
    fn plan(&mut self, target: &Target, now: Timestamp) -> Result<Arc<Plan>, NoPlan> {
        // what an outlook tells that came since the last sync counts at once
        let told = self.outlook.issued.min(now);
        self.planner.plan(&self.outlook, target, last_sync(now).max(told))
    }
}

/// The last whole quarter of a minute, which stands for the HPA's last sync; when that really was is not known.
fn last_sync(now: Timestamp) -> Timestamp {
    let (second, pace) = (now.as_second(), HPA_SYNC.as_secs().cast_signed());
    Timestamp::from_second(second - second.rem_euclid(pace)).unwrap_or(now)
}

/// Keeps a [`Seat`] on the board.
#[derive(Debug)]
pub(crate) struct Hold(Arc<Seat>);

impl std::ops::Deref for Hold {
    type Target = Seat;

    fn deref(&self) -> &Seat {
        &self.0
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.open_streams.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
