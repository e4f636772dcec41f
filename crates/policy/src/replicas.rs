//! [`ReplicaRange`]: between how many pods an HPA may choose, and the count that a load needs.

use series::Load;

use crate::Threshold;

/// Rounding must not order a pod for the last bit of a load: a share of a pod below this is none.
const SLACK: f64 = 1e-9;

/// The least and the most pods that an HPA may order (`minReplicas`, `maxReplicas`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplicaRange {
    least: u32,
    most: u32,
}

impl ReplicaRange {
    /// From `least` to `most` pods, where `1 ≤ least ≤ most`.
    ///
    /// # Errors
    /// [`ReplicaRangeError`] for anything else: an HPA cannot go to zero, only KEDA can.
    pub fn new(least: u32, most: u32) -> Result<Self, ReplicaRangeError> {
        if 1 <= least && least <= most { Ok(Self { least, most }) } else { Err(ReplicaRangeError { least, most }) }
    }

    /// `least` pods or more, without a limit above; at least one.
    pub fn at_least(least: u32) -> Self {
        Self { least: least.max(1), most: u32::MAX }
    }

    /// The least pods, 1 or more.
    pub fn least(self) -> u32 {
        self.least
    }

    /// The most pods.
    pub fn most(self) -> u32 {
        self.most
    }

    /// The count in the range that is nearest to `count`.
    pub fn clamp(self, count: u32) -> u32 {
        count.clamp(self.least, self.most)
    }

    /// How many pods `load` needs where each takes `per_pod`: `⌈load / per_pod⌉`, held in the range.
    pub fn covering(self, load: Load, per_pod: Threshold) -> u32 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` stops at the ends of u32")]
        let pods = (load.get() / per_pod.get() - SLACK).ceil() as u32;
        self.clamp(pods)
    }
}

/// Bounds that no HPA can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("from {least} to {most} replicas is no range: write at least 1, and the larger number second")]
pub struct ReplicaRangeError {
    least: u32,
    most: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(load: f64, per_pod: f64) -> u32 {
        let range = ReplicaRange::new(2, 50).unwrap();
        range.covering(Load::new(load).unwrap(), Threshold::new(per_pod).unwrap())
    }

    #[test]
    fn a_load_is_covered_by_whole_pods_inside_the_range() {
        assert_eq!((pods(36.0, 12.0), pods(36.01, 12.0)), (3, 4));
        assert_eq!((pods(0.0, 12.0), pods(-5.0, 12.0)), (2, 2));
        assert_eq!((pods(1e4, 12.0), pods(9e15, 0.001)), (50, 50));
    }

    #[test]
    fn rounding_orders_no_pod() {
        // in binary, 2.1 / 0.7 is a bit more than 3
        assert_eq!((pods(0.3, 0.1), pods(2.1, 0.7)), (3, 3));
    }

    #[test]
    fn a_range_begins_at_one_and_does_not_run_backward() {
        assert!(ReplicaRange::new(0, 3).is_err());
        assert!(ReplicaRange::new(4, 3).is_err());
        assert_eq!(ReplicaRange::new(3, 3).map(|range| (range.least(), range.most())), Ok((3, 3)));
        assert_eq!(ReplicaRange::at_least(0).least(), 1);
    }
}
