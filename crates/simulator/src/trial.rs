//! [`Trial`]: one workload against a past load, once for every stream of values.

use std::time::Duration;

use policy::{HPA_SYNC, Threshold};
use series::Load;

use crate::{Cluster, Course, HpaSettings, ReplicaRange, Scores, StartUp, Tick};

/// A workload and the load it has to meet. What is published for it is the one thing that differs from run to run.
#[derive(Debug, Clone)]
pub struct Trial<'a> {
    /// The load.
    pub course: &'a Course,
    /// The first tick that counts; those before are for learning.
    pub from: usize,
    /// What one pod can carry.
    pub per_pod: Threshold,
    /// How long a pod takes to be Ready.
    pub start_up: StartUp,
    /// How the HPA acts, whatever its target is.
    pub hpa: HpaSettings,
    /// How often the HPA syncs.
    pub sync_period: Duration,
}

impl<'a> Trial<'a> {
    /// Pods that carry `per_pod` and take `start_up` to be Ready, against `course` from tick `from` on, under an HPA with Kubernetes'
    /// defaults and without a limit to its pods.
    pub fn new(course: &'a Course, from: usize, per_pod: Threshold, start_up: impl Into<StartUp>) -> Self {
        let hpa = HpaSettings::defaults(per_pod, ReplicaRange::at_least(1));
        Self { course, from, per_pod, start_up: start_up.into(), hpa, sync_period: HPA_SYNC }
    }

    /// The ticks that count.
    pub fn ticks(&self) -> std::ops::Range<usize> {
        self.from..self.course.grid().ticks()
    }

    /// The workload under an HPA with `target` that gets `value` of each tick (`None`: an error, and the HPA holds); `each` hears of
    /// every tick. The fleet begins at the size that the first value asks for. `None` where no tick counts.
    pub fn run(
        &self,
        target: Threshold,
        value: impl Fn(usize) -> Option<Load>,
        mut each: impl FnMut(usize, Tick),
    ) -> Option<Scores> {
        let first = self.ticks().find_map(&value).unwrap_or(Load::ZERO);
        let settings = HpaSettings { target, ..self.hpa.clone() };
        let pods = settings.replicas.covering(first, target);
        let mut cluster =
            Cluster::new(settings, self.per_pod, self.start_up.clone(), pods).synced_every(self.sync_period);
        for tick in self.ticks() {
            each(tick, cluster.tick(self.course.time(tick), value(tick), self.course.load(tick)));
        }
        cluster.scores()
    }

    /// How long after a value the pods that it asks for are Ready, at the median.
    pub fn usual_start_up(&self) -> Duration {
        match self.start_up {
            StartUp::Fixed(fixed) => fixed,
            StartUp::LogNormal { median, .. } => median,
        }
    }
}
