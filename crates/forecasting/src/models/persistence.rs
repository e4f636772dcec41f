//! Persistence: the last value goes on.
//!
//! ```text
//! ŷ(t+h) = y(t)
//! ```
//!
//! `y(t)` the last known load, `h` the horizon. The best possible forecast of a random walk, the yardstick of every other model, and
//! the one that answers while a history is short (the "naive method" of Hyndman and Athanasopoulos, *Forecasting:
//! Principles and Practice*, 3rd edition, 5.2).
//!
//! **Minimum data**: 3 known samples, for two errors to make bands of. **Parameters**: none.

use series::ModelName;

use crate::model::{Fit, Predict};
use crate::past::Past;

/// Persistence, before and after the fit: there is nothing to learn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Persistence;

impl Fit for Persistence {
    type Fitted = Self;

    fn name(&self) -> ModelName {
        ModelName::Persistence
    }

    fn fit(&self, _: &Past, _: usize, _: &[usize]) -> Option<Self> {
        Some(Self)
    }
}

impl Predict for Persistence {
    fn predict(&self, past: &Past, origin: usize, ahead: &[usize]) -> Option<Vec<f64>> {
        Some(vec![past.value(origin); ahead.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::past;

    #[test]
    fn the_value_at_the_origin_goes_on() {
        let past = past(&[Some(1.0), Some(7.0), Some(2.0)]);
        assert_eq!(Persistence.predict(&past, 1, &[1, 500]), Some(vec![past.value(1); 2]));
    }
}
