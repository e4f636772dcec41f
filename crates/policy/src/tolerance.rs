//! [`Tolerance`]: how far from its target an HPA lets the value be before it acts.

use serde::{Deserialize, Serialize};

/// The share of `target × replicas` by which the value may differ before an HPA acts, from 0 to 0.5 (`--horizontal-pod-autoscaler-tolerance`, or
/// `behavior.scaleUp.tolerance` and `behavior.scaleDown.tolerance` of Kubernetes 1.33 and later).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Tolerance(f64);

impl Tolerance {
    /// The cluster default, a tenth.
    pub const DEFAULT: Self = Self(0.1);

    /// A tolerance of `share`.
    ///
    /// # Errors
    /// [`ToleranceError`] outside 0 to 0.5; NaN included.
    pub fn new(share: f64) -> Result<Self, ToleranceError> {
        if (0.0..=0.5).contains(&share) { Ok(Self(share)) } else { Err(ToleranceError) }
    }

    /// The share.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Default for Tolerance {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl std::fmt::Display for Tolerance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Tolerance> for f64 {
    fn from(tolerance: Tolerance) -> Self {
        tolerance.0
    }
}

impl TryFrom<f64> for Tolerance {
    type Error = ToleranceError;

    fn try_from(share: f64) -> Result<Self, ToleranceError> {
        Self::new(share)
    }
}

/// A number that is no tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must lie from 0 to 0.5; clusters that say nothing have 0.1")]
pub struct ToleranceError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tolerance_lies_from_nothing_to_a_half() {
        for share in [-0.01, 0.51, f64::NAN, f64::INFINITY] {
            assert_eq!(Tolerance::new(share), Err(ToleranceError), "{share}");
        }
        assert_eq!(Tolerance::new(0.0).map(Tolerance::get), Ok(0.0));
        assert_eq!(Tolerance::default().get(), crate::HPA_TOLERANCE);
    }
}
