//! [`ScalingRules`]: one direction of an HPA's `behavior`.

use std::sync::Arc;
use std::time::Duration;

use crate::{HPA_STABILIZATION, HPA_SYNC, HPA_TOLERANCE};

/// How an HPA may scale in one direction (`behavior.scaleUp`, `behavior.scaleDown`).
#[derive(Debug, Clone, PartialEq)]
pub struct ScalingRules {
    /// How far from `target × current` the value may be, as a share of it, before anything is done; 0.1 unless the
    /// cluster or the `behavior` says otherwise (`tolerance`, Kubernetes 1.33 and later).
    pub tolerance: f64,
    /// For how long all recommendations must agree before the count is moved (`stabilizationWindowSeconds`).
    pub stabilization: Duration,
    /// How much may change within how long.
    pub limits: RateLimits,
}

/// What an HPA makes of several limits on its rate.
#[derive(Debug, Clone, PartialEq)]
pub enum RateLimits {
    /// Whichever allows the largest change counts (`selectPolicy: Max`); none at all allows any change.
    Loosest(Arc<[ScalingPolicy]>),
    /// Whichever allows the smallest change counts (`selectPolicy: Min`).
    Tightest(Arc<[ScalingPolicy]>),
    /// Nothing may change in this direction (`selectPolicy: Disabled`).
    Disabled,
}

/// A limit on the rate of change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScalingPolicy {
    /// By how much the count may change …
    pub change: Change,
    /// … within how long (`periodSeconds`).
    pub period: Duration,
}

/// By how much a count may change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// By so many pods.
    Pods(u32),
    /// By so many percent of the pods that there were when the period began.
    Percent(u32),
}

impl ScalingRules {
    /// Kubernetes' defaults for scaling up: at once, by 4 pods or 100 % in 15 s, whichever is more.
    pub fn default_up() -> Self {
        let policy = |change| ScalingPolicy { change, period: HPA_SYNC };
        Self {
            tolerance: HPA_TOLERANCE,
            stabilization: Duration::ZERO,
            limits: RateLimits::Loosest(Arc::new([policy(Change::Pods(4)), policy(Change::Percent(100))])),
        }
    }

    /// Kubernetes' defaults for scaling down: to the highest count that was recommended in the last 300 s.
    pub fn default_down() -> Self {
        let limits = RateLimits::Loosest(Arc::new([ScalingPolicy { change: Change::Percent(100), period: HPA_SYNC }]));
        Self { tolerance: HPA_TOLERANCE, stabilization: HPA_STABILIZATION, limits }
    }

    pub(crate) fn longest_period(&self) -> Duration {
        self.limits.policies().iter().map(|policy| policy.period).max().unwrap_or(Duration::ZERO)
    }

    /// The most pods that may be ordered now, at least `current`; `begun_with` tells the count when a period began.
    pub(crate) fn most(&self, current: u32, begun_with: impl Fn(Duration) -> u32) -> u32 {
        let most = |policy: &ScalingPolicy| {
            let begun = begun_with(policy.period);
            match policy.change {
                Change::Pods(pods) => begun.saturating_add(pods),
                Change::Percent(percent) => whole((f64::from(begun) * (1.0 + f64::from(percent) / 100.0)).ceil()),
            }
        };
        let most = match &self.limits {
            RateLimits::Loosest(policies) => policies.iter().map(most).max(),
            RateLimits::Tightest(policies) => policies.iter().map(most).min(),
            RateLimits::Disabled => Some(current),
        };
        most.unwrap_or(u32::MAX).max(current)
    }

    /// The fewest pods that may be left now, at most `current`.
    pub(crate) fn least(&self, current: u32, begun_with: impl Fn(Duration) -> u32) -> u32 {
        let least = |policy: &ScalingPolicy| {
            let begun = begun_with(policy.period);
            match policy.change {
                Change::Pods(pods) => begun.saturating_sub(pods),
                // the fraction of a pod is cut off, as Kubernetes does
                Change::Percent(percent) => whole(f64::from(begun) * (1.0 - f64::from(percent) / 100.0)),
            }
        };
        let least = match &self.limits {
            RateLimits::Loosest(policies) => policies.iter().map(least).min(),
            RateLimits::Tightest(policies) => policies.iter().map(least).max(),
            RateLimits::Disabled => Some(current),
        };
        least.unwrap_or(0).min(current)
    }
}

impl RateLimits {
    fn policies(&self) -> &[ScalingPolicy] {
        match self {
            Self::Loosest(policies) | Self::Tightest(policies) => policies,
            Self::Disabled => &[],
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` stops at the ends of u32")]
fn whole(pods: f64) -> u32 {
    pods as u32
}
