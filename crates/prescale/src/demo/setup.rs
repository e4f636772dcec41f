//! [`Setup`]: what both sides of the demo share.

use std::collections::HashMap;
use std::time::Duration;

use policy::Threshold;
use series::Load;
use simulator::{Cluster, HpaSettings, ReplicaRange};

use super::prometheus::QUERY;

/// The workload, and how it is scaled.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    /// The load one pod carries.
    pub(super) threshold: Threshold,
    /// Between how many pods the HPAs may choose.
    pub(super) replicas: ReplicaRange,
    /// From the order to a Ready pod.
    pub(super) start_up: Duration,
    /// The share of time with enough pods.
    pub(super) slo: f64,
    /// The share of its capacity that the reactive HPA keeps a pod at.
    pub(super) utilization: f64,
}

impl Setup {
    /// The one of the example manifests, next to the target that most people write.
    pub(super) fn of_the_examples() -> anyhow::Result<Self> {
        let (threshold, start_up) = (Threshold::new(12.0)?, Duration::from_secs(180));
        let replicas = ReplicaRange::new(1, 100)?;
        Ok(Self { threshold, replicas, start_up, slo: 0.995, utilization: 0.7 })
    }

    /// The trigger's metadata, as KEDA would hand them on.
    pub(super) fn metadata(&self) -> HashMap<String, String> {
        let pairs = [
            ("query", QUERY.to_owned()),
            ("threshold", self.threshold.get().to_string()),
            ("leadTime", format!("{}s", self.start_up.as_secs())),
            ("slo", self.slo_text()),
        ];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// The workload under an HPA with `target`, at the size that the HPA would order for `value`.
    pub(super) fn cluster(&self, target: Threshold, value: Load) -> Cluster {
        let settings = HpaSettings::defaults(target, self.replicas);
        Cluster::new(settings, self.threshold, self.start_up, self.replicas.covering(value, target))
    }

    /// The target of an HPA that keeps pods at `utilization` of what they can carry.
    pub(super) fn target_at(&self, utilization: f64) -> anyhow::Result<Threshold> {
        Ok(Threshold::new(self.threshold.get() * utilization)?)
    }

    /// The share of time with enough pods, as the trigger has it.
    pub(super) fn slo_text(&self) -> String {
        format!("{:.1}%", self.slo * 100.0)
    }

    /// What the reactive HPA is called.
    pub(super) fn reactive_name(&self) -> String {
        format!("HPA at {:.0}%", self.utilization * 100.0)
    }
}
