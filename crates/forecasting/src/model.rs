//! The two traits every model implements: [`Fit`] before, [`Predict`] after. There is no model that may or may not be fitted.

use series::ModelName;

use crate::past::Past;
use crate::quantiles::Offsets;
use crate::rolling::{Misses, Rolling};

/// A model before it has seen a history.
pub(crate) trait Fit {
    /// The model after.
    type Fitted: Predict + 'static;

    /// The name users know it by.
    fn name(&self) -> ModelName;

    /// Fits on the values up to and including index `until`, for predictions around the horizons `knots` (in steps, rising);
    /// `None` where those are too few. Nothing after `until` is looked at.
    fn fit(&self, past: &Past, until: usize, knots: &[usize]) -> Option<Self::Fitted>;

    /// What it misses over rolling origins: refitted at the start of each block, on nothing later, and asked at every
    /// origin of the block; and the model fitted on everything at last.
    ///
    /// A model that can share work between the blocks overrides this, to the same result.
    fn roll(&self, past: &Past, rolling: &Rolling) -> Option<(Misses, Self::Fitted)> {
        let mut misses = Misses::none(rolling.knots());
        for block in rolling.blocks() {
            let Some(fitted) = self.fit(past, block.fitted_at, rolling.knots()) else { continue };
            for origin in rolling.origins(past, block) {
                let Some(values) = fitted.predict(past, origin, rolling.knots()) else { continue };
                for (knot, (&ahead, &value)) in rolling.knots().iter().zip(&values).enumerate() {
                    misses.record(knot, past, origin, ahead, value);
                }
            }
        }
        Some((misses, self.fit(past, past.last(), rolling.knots())?))
    }
}

/// A model that has seen a history.
pub(crate) trait Predict: std::fmt::Debug + Send + Sync {
    /// The center of what the value will be `ahead` steps after index `origin`, one per entry of `ahead`, all at least 1.
    /// `None` where the past does not reach back far enough. Nothing after `origin` is looked at.
    fn predict(&self, past: &Past, origin: usize, ahead: &[usize]) -> Option<Vec<f64>>;

    /// The offsets of the quantiles to that center, where it is `second_of_day` then, of a model that measures its errors itself while it is fitted;
    /// `None` of one that learns of them in a rehearsal alone.
    fn offsets(&self, ahead: usize, second_of_day: i64) -> Option<Offsets> {
        let _ = (ahead, second_of_day);
        None
    }
}
