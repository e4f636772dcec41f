//! [`Cluster`]: HPA, pods and scorecard of one workload, run in step.

use std::time::Duration;

use policy::{HPA_SYNC, Threshold};
use series::{Load, Timestamp};

use crate::{Fleet, Hpa, HpaSettings, Queue, Scorecard, Scores, StartUp, Waiting};

/// How often an HPA syncs unless the cluster says otherwise, and the grain of everything here.
pub const TICK: Duration = HPA_SYNC;

/// One workload under one HPA.
#[derive(Debug, Clone)]
pub struct Cluster {
    hpa: Hpa,
    sync_period: Duration,
    next_sync: Option<Timestamp>,
    fleet: Fleet,
    card: Scorecard,
    per_pod: Threshold,
    queue: Option<Queue>,
}

/// What one tick came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tick {
    /// Pods that served.
    pub ready: u32,
    /// Pods that were starting.
    pub starting: u32,
    /// The load beyond the Ready pods; 0 where there were enough.
    pub unmet: f64,
}

impl Cluster {
    /// A workload of `ready` pods that carry `per_pod` each and take `start_up` to be Ready, under an HPA with `settings`.
    ///
    /// `per_pod` and the HPA's target differ where the HPA is to keep pods below what they can carry.
    pub fn new(settings: HpaSettings, per_pod: Threshold, start_up: impl Into<StartUp>, ready: u32) -> Self {
        let card = Scorecard::new(per_pod, settings.replicas, TICK);
        let hpa = Hpa::new(settings, ready);
        let fleet = Fleet::new(start_up, hpa.current());
        Self { hpa, sync_period: HPA_SYNC, next_sync: None, fleet, card, per_pod, queue: None }
    }

    /// The same under an HPA that syncs every `period`, or at every tick where that is shorter.
    #[must_use]
    pub fn synced_every(mut self, period: Duration) -> Self {
        self.sync_period = period;
        self
    }

    /// The same with a queue in front, where work without a pod waits for as long as `patience`.
    #[must_use]
    pub fn with_queue(mut self, patience: Duration) -> Self {
        self.queue = Some(Queue::with_patience(patience));
        self
    }

    /// One tick that begins at `now`: pods become Ready, the HPA syncs with `value` (`None`: the metric was an error and
    /// the HPA holds), and the fleet meets `load` until the next tick.
    pub fn tick(&mut self, now: Timestamp, value: Option<Load>, load: Load) -> Tick {
        self.fleet.advance(now);
        let before = self.hpa.current();
        if self.next_sync.is_none_or(|next| next <= now) {
            self.hpa.sync(now, value);
            self.next_sync = now.saturating_add(self.sync_period).ok();
        }
        let ordered = self.hpa.current();
        self.fleet.scale_to(ordered, now);
        let unmet = self.card.record(&self.fleet, load, i64::from(ordered) - i64::from(before));
        if let Some(queue) = &mut self.queue {
            queue.pass(load, f64::from(self.fleet.ready()) * self.per_pod.get(), TICK);
        }
        Tick { ready: self.fleet.ready(), starting: self.fleet.starting(), unmet }
    }

    /// The HPA.
    pub fn hpa(&self) -> &Hpa {
        &self.hpa
    }

    /// How it went so far; `None` before the first tick.
    pub fn scores(&self) -> Option<Scores> {
        self.card.scores()
    }

    /// How long requests waited so far; `None` without a queue.
    pub fn waiting(&self) -> Option<Waiting> {
        self.queue.as_ref().map(Queue::waiting)
    }
}
