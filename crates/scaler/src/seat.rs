//! [`Seat`]: the latest outlook of one target, and the plan made from it.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use policy::{Comparison, HPA_SYNC, Memory, NoPlan, Plan, Planner, Target};
use series::{Outlook, Timestamp};
use tokio::sync::watch;

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

impl Seat {
    pub(crate) fn new(target: Target, now: Timestamp) -> Self {
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

    /// What was learned of the target by answering for it.
    pub(crate) fn memory(&self) -> Option<Memory> {
        self.state().planner.memory()
    }

    /// Plans from `memory` on.
    pub(crate) fn adopt(&self, memory: Memory, now: Timestamp) {
        self.state().planner.adopt(memory, &self.target, now);
    }

    /// The same unless the seat's own is as new.
    pub(crate) fn adopt_if_newer(&self, memory: Memory, now: Timestamp) {
        let mut state = self.state();
        if state.planner.memory().is_none_or(|own| own.at() < memory.at()) {
            state.planner.adopt(memory, &self.target, now);
        }
    }

    /// Notes that KEDA asks.
    pub(crate) fn asked_for(&self) {
        self.sweeps_since_asked.store(0, Ordering::Relaxed);
    }

    /// Counts one more sweep; tells whether nobody asked in the `most` before, and no stream is open.
    pub(crate) fn is_idle_after_sweep(&self, most: u32) -> bool {
        let is_held = self.open_streams.load(Ordering::Relaxed) > 0;
        self.sweeps_since_asked.fetch_add(1, Ordering::Relaxed) >= most && !is_held
    }

    /// Answers KEDA, and remembers it: what it is told at `now`, or why it is told nothing.
    pub(crate) fn tell(&self, now: Timestamp) -> Result<Arc<Plan>, NoPlan> {
        let mut state = self.state();
        let answer = state.plan(&self.target, now);
        state.told = Some(Told { at: now, answer: answer.clone() });
        answer
    }

    /// What KEDA would be told at `now`, or why it would be told nothing.
    pub(crate) fn plan(&self, now: Timestamp) -> Result<Arc<Plan>, NoPlan> {
        self.state().plan(&self.target, now)
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

    /// Has an outlook come, and with it what to plan from.
    pub(crate) fn publish(&self, outlook: Arc<Outlook>, memory: Option<(Memory, Timestamp)>) {
        {
            let mut state = self.state();
            state.outlook = outlook;
            state.planner.outlook_came();
            if let Some((memory, now)) = memory {
                state.planner.adopt(memory, &self.target, now);
            }
        }
        self.published.send_modify(|count| *count += 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known at `now`.
    pub(crate) fn snapshot(&self, now: Timestamp) -> Snapshot {
        let mut state = self.state();
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
