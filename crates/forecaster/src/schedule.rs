//! [`Schedule`]: one loop that refreshes every target at its pace, no more than so many at once.
//!
//! ```text
//!  new ------> glance (the present alone) ---> due
//!  due ------> refresh (what has settled since) ---> due again an interval later
//!                 '--> fill in, while the history is not whole
//! ```
//! Thousands of targets that come together all have an answer before the first of them has its weeks of history; and while those are
//! read, refreshes go on: filling in gets half of the places at most.
//!
//! A server that hangs keeps each refresh of its targets until the timeout. So that it does not keep everybody else's too,
//! no server gets more than three quarters of the places, nor does any namespace where there are several, and namespaces take turns.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::refresh::Refresher;
use crate::settings::Settings;
use crate::target::Target;
use crate::turns::{Share, Turns};

/// How far an interval may be off by chance: enough to pull targets apart that were first seen together.
const JITTER: f64 = 0.1;

/// Targets that begin with a stored outlook are refreshed from so long after they came: those that come with them are told what was
/// stored first.
const RESUMED_AFTER: Duration = Duration::from_secs(2);

/// When each target is due, what waits for a place, and what is under way.
pub(crate) struct Schedule {
    refresher: Arc<Refresher>,
    interval: Duration,
    concurrency: usize,
    /// Targets in the order they are due, those of one moment in the order they came.
    due: BinaryHeap<Reverse<Due>>,
    /// Numbers the entries.
    entries: u64,
    /// Nothing is known of them.
    new: Turns,
    /// Due.
    waiting: Turns,
    /// Their histories are not whole.
    unfilled: Turns,
    /// Whether the newest place was taken by a fill.
    has_just_filled: bool,
    /// What namespaces and servers have under way, counted by what it holds.
    shares: HashMap<Share, Arc<()>>,
    under_way: JoinSet<Done>,
    /// The namespace of the first target.
    first_namespace: Option<Arc<str>>,
    /// Whether a target of another one has come.
    has_several_namespaces: bool,
    /// Held by each fill under way.
    fill: Arc<()>,
}

/// One entry. It holds no target alive: a forgotten one is gone when its turn comes.
struct Due {
    at: Instant,
    number: u64,
    target: Weak<Target>,
}

/// What is done for a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Glance,
    Refresh,
    Fill,
}

/// The target, where its history is to be filled in.
type Done = Option<Weak<Target>>;

impl Schedule {
    pub(crate) fn new(refresher: Arc<Refresher>, settings: &Settings) -> Self {
        Self {
            refresher,
            interval: settings.refresh_interval,
            concurrency: settings.concurrency,
            due: BinaryHeap::new(),
            entries: 0,
            new: Turns::default(),
            waiting: Turns::default(),
            unfilled: Turns::default(),
            has_just_filled: false,
            shares: HashMap::new(),
            under_way: JoinSet::new(),
            first_namespace: None,
            has_several_namespaces: false,
            fill: Arc::default(),
        }
    }

    /// Runs until `stop`, or until no target can arrive any more.
    pub(crate) async fn run(mut self, mut arrivals: UnboundedReceiver<Weak<Target>>, stop: CancellationToken) {
        loop {
            self.queue_what_is_due();
            while self.under_way.len() < self.concurrency && self.start_next() {}
            let next = self.due.peek().map(|Reverse(due)| due.at);
            tokio::select! {
                () = stop.cancelled() => break,
                arrival = arrivals.recv() => match arrival {
                    Some(target) => {
                        self.welcome(target);
                        // those that came together are known together, so that they share the places
                        while let Ok(target) = arrivals.try_recv() {
                            self.welcome(target);
                        }
                    }
                    None => break,
                },
                Some(ended) = self.under_way.join_next() => self.ended(ended),
                () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            }
        }
        self.under_way.shutdown().await;
    }

    fn welcome(&mut self, newcomer: Weak<Target>) {
        let Some(target) = newcomer.upgrade() else { return };
        let first = self.first_namespace.get_or_insert_with(|| Arc::clone(&target.key.namespace));
        self.has_several_namespaces |= *first != target.key.namespace;
        if !target.request.forecast_wanted {
            // the present is all there is
            self.waiting.push(&target);
        } else if target.is_resumed {
            let by_chance = self.interval.mul_f64(fastrand::f64());
            self.enter(Instant::now() + RESUMED_AFTER.min(self.interval) + by_chance, newcomer);
        } else {
            self.new.push(&target);
        }
    }

    fn queue_what_is_due(&mut self) {
        let now = Instant::now();
        while self.due.peek().is_some_and(|Reverse(due)| due.at <= now)
            && let Some(Reverse(due)) = self.due.pop()
        {
            if let Some(target) = due.target.upgrade() {
                self.waiting.push(&target);
            }
        }
    }

    /// Starts what comes next; tells whether there was something with a place for it.
    fn start_next(&mut self) -> bool {
        let (shares, most) = (&self.shares, self.concurrency - self.concurrency / 4);
        let is_alone = |share: &Share| matches!(share, Share::Namespace(_)) && !self.has_several_namespaces;
        let has_room =
            |share: &Share| is_alone(share) || shares.get(share).is_none_or(|held| Arc::strong_count(held) <= most);
        let may_fill = Arc::strong_count(&self.fill) <= self.concurrency.div_ceil(2);
        let mut found = None;
        // by turns, so that neither waits for the other for good
        let mut order = [Work::Glance, Work::Refresh, Work::Fill];
        if !self.has_just_filled {
            order.rotate_right(1);
        }
        for work in order {
            let target = match work {
                Work::Glance => self.new.pop(has_room),
                Work::Refresh => self.waiting.pop(has_room),
                Work::Fill if may_fill => self.unfilled.pop(has_room),
                Work::Fill => None,
            };
            if let Some(target) = target {
                found = Some((work, target));
                break;
            }
        }
        let Some((work, target)) = found else { return false };
        self.has_just_filled = work == Work::Fill;
        match work {
            // whatever a glance sees, the rest is due
            Work::Glance => self.enter(Instant::now(), Arc::downgrade(&target)),
            Work::Refresh => self.enter(Instant::now() + self.jittered_interval(), Arc::downgrade(&target)),
            Work::Fill => {}
        }
        // a turn that comes while the last refresh is still under way is left out
        if work != Work::Fill && target.is_busy() {
            return true;
        }
        let places = Share::of(&target).map(|share| Arc::clone(self.shares.entry(share).or_default()));
        let fill = (work == Work::Fill).then(|| Arc::clone(&self.fill));
        let refresher = Arc::clone(&self.refresher);
        self.under_way.spawn(async move {
            let is_whole = match work {
                Work::Glance => {
                    refresher.glance(&target).await;
                    true
                }
                Work::Refresh => refresher.refresh_newest(&target).await,
                Work::Fill => {
                    target.is_filled_in();
                    refresher.fill_in(&target).await;
                    true
                }
            };
            drop((places, fill));
            (!is_whole).then(|| Arc::downgrade(&target))
        });
        true
    }

    fn ended(&mut self, ended: Result<Done, tokio::task::JoinError>) {
        match ended {
            Ok(unfilled) => {
                if let Some(target) = unfilled.and_then(|target| target.upgrade())
                    && target.asks_for_fill()
                {
                    self.unfilled.push(&target);
                }
            }
            Err(error) => {
                // the target keeps its place: the next refresh was entered when this one started
                tracing::error!(%error, "refresh panicked");
            }
        }
        self.shares.retain(|_, held| Arc::strong_count(held) > 1);
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
