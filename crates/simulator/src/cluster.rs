//! [`Cluster`]: HPA, pods and scorecard of one workload, run in step.

use std::time::Duration;

use policy::Threshold;
use series::{Load, Timestamp};

use crate::{Fleet, Hpa, HpaSettings, Scorecard, Scores};

/// How often an HPA syncs, and the grain of everything here.
pub const TICK: Duration = Duration::from_secs(15);

/// One workload under one HPA.
#[derive(Debug, Clone)]
pub struct Cluster {
    hpa: Hpa,
    fleet: Fleet,
    card: Scorecard,
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
    pub fn new(settings: HpaSettings, per_pod: Threshold, start_up: Duration, ready: u32) -> Self {
        let hpa = Hpa::new(settings, ready);
        let fleet = Fleet::new(start_up, hpa.current());
        Self { hpa, fleet, card: Scorecard::new(per_pod, settings.replicas, TICK) }
    }

    /// One tick that begins at `now`: pods become Ready, the HPA syncs with `value` (`None`: the metric was an error and
    /// the HPA holds), and the fleet meets `load` until the next tick.
    pub fn tick(&mut self, now: Timestamp, value: Option<Load>, load: Load) -> Tick {
        self.fleet.advance(now);
        let before = self.hpa.current();
        let ordered = self.hpa.sync(now, value);
        self.fleet.scale_to(ordered, now);
        let unmet = self.card.record(&self.fleet, load, ordered != before);
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
}
