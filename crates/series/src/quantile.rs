//! [`Quantile`]: a probability level strictly between 0 and 1.

use serde::{Deserialize, Serialize};

/// A probability level, strictly between 0 and 1: the load stays at or below its `0.9` quantile nine times in ten.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Quantile(f64);

impl Quantile {
    /// The middle of the distribution.
    pub const MEDIAN: Self = Self(0.5);

    /// The level `level`, where `0 < level < 1`.
    ///
    /// # Errors
    /// [`QuantileError`] for anything else, NaN included.
    pub fn new(level: f64) -> Result<Self, QuantileError> {
        if level > 0.0 && level < 1.0 { Ok(Self(level)) } else { Err(QuantileError(level)) }
    }

    /// The level, in `(0, 1)`.
    pub fn get(self) -> f64 {
        self.0
    }

    /// The log odds of the level; quantile functions are closer to straight lines in it than in the level itself.
    pub fn logit(self) -> f64 {
        (self.0 / (1.0 - self.0)).ln()
    }

    /// Pinball (quantile) loss of forecasting `forecast` where `actual` came: `q·(y − f)` above, `(1 − q)·(f − y)` below
    /// (Koenker and Bassett, Econometrica 1978). In the unit of the load; 0 at best.
    pub fn pinball(self, actual: f64, forecast: f64) -> f64 {
        let miss = actual - forecast;
        if miss >= 0.0 { self.0 * miss } else { (self.0 - 1.0) * miss }
    }
}

impl std::fmt::Display for Quantile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Quantile> for f64 {
    fn from(level: Quantile) -> Self {
        level.0
    }
}

impl TryFrom<f64> for Quantile {
    type Error = QuantileError;

    fn try_from(level: f64) -> Result<Self, QuantileError> {
        Self::new(level)
    }
}

/// A number that is no probability level.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is no quantile: it must be more than 0 and less than 1")]
pub struct QuantileError(f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_lie_strictly_between_0_and_1() {
        for level in [0.0, 1.0, -0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(Quantile::new(level).is_err(), "{level}");
        }
        assert_eq!(Quantile::new(0.25).unwrap().get(), 0.25);
    }

    #[test]
    fn pinball_weighs_the_two_sides_by_the_level() {
        let q = Quantile::new(0.9).unwrap();
        assert!((q.pinball(10.0, 8.0) - 1.8).abs() < 1e-12);
        assert!((q.pinball(8.0, 10.0) - 0.2).abs() < 1e-12);
        assert_eq!(q.pinball(8.0, 8.0), 0.0);
    }
}
