//! [`Target`]: one trigger of one ScaledObject, what to forecast and how to scale.

use serde::{Deserialize, Serialize};
use series::{ForecastRequest, Load, TargetKey};

use crate::{ServiceLevel, Tolerance};

/// One trigger of one ScaledObject: what to forecast and how to scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Which trigger.
    pub key: TargetKey,
    /// What to forecast.
    pub request: ForecastRequest,
    /// The load one pod can carry.
    pub threshold: Threshold,
    /// The workload is active while demand is above this; at or below it KEDA may scale to zero.
    pub activation: Load,
    /// How sure the fleet must be to be large enough.
    pub service_level: ServiceLevel,
    /// How far from its target the HPA lets the value be before it acts.
    pub hpa_tolerance: Tolerance,
    /// What is done with the forecast.
    pub mode: Mode,
}

impl Target {
    /// Whether what is learned of `other` holds for this one too: another level or mode of the same trigger.
    pub fn learns_as(&self, other: &Self) -> bool {
        let same_object = self.key.name == other.key.name && self.key.namespace == other.key.namespace;
        let load = |target: &Self| ForecastRequest { forecast_wanted: true, ..target.request.clone() };
        same_object
            && load(self) == load(other)
            && (self.threshold, self.hpa_tolerance) == (other.threshold, other.hpa_tolerance)
    }
}

/// The load one pod can carry, in the unit of the query: at least 0.001, the finest target that an HPA can hold.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Threshold(f64);

impl Threshold {
    /// A threshold of `load` per pod, from 0.001 to [`Load::MAX`].
    ///
    /// # Errors
    /// [`ThresholdError`] outside that range; NaN included.
    pub fn new(load: f64) -> Result<Self, ThresholdError> {
        if (0.001..=Load::MAX).contains(&load) { Ok(Self(load)) } else { Err(ThresholdError) }
    }

    /// The load per pod.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl From<Threshold> for f64 {
    fn from(threshold: Threshold) -> Self {
        threshold.0
    }
}

impl TryFrom<f64> for Threshold {
    type Error = ThresholdError;

    fn try_from(load: f64) -> Result<Self, ThresholdError> {
        Self::new(load)
    }
}

/// A number that is no threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must lie from 0.001 (the finest target that an HPA can hold) to 9.2e15")]
pub struct ThresholdError;

/// What is done with the forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is published.
    #[default]
    Predict,
    /// It is computed and recorded, and the observation is published.
    Shadow,
    /// None is made; the observation is published.
    Reactive,
}

impl Mode {
    /// The name in metadata, metric labels and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Predict => "predict",
            Self::Shadow => "shadow",
            Self::Reactive => "reactive",
        }
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        [Self::Predict, Self::Shadow, Self::Reactive].into_iter().find(|mode| mode.as_str() == name).ok_or(UnknownMode)
    }
}

/// A name that no mode has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the modes are predict, shadow, reactive")]
pub struct UnknownMode;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_that_an_hpa_cannot_hold_are_refused() {
        for load in [0.0, -1.0, 0.0009, f64::NAN, f64::INFINITY, 1e16] {
            assert_eq!(Threshold::new(load), Err(ThresholdError), "{load}");
        }
        assert_eq!(Threshold::new(0.001).unwrap().get(), 0.001);
    }

    #[test]
    fn modes_come_back_from_their_text() {
        for mode in [Mode::Predict, Mode::Shadow, Mode::Reactive] {
            assert_eq!(mode.as_str().parse(), Ok(mode));
        }
        assert_eq!("Predict".parse::<Mode>(), Err(UnknownMode));
    }
}
