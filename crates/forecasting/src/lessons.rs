//! [`Lessons`]: what a fit has learned in use. A new fit goes on from it, in the same process or in the next one.

use serde::{Deserialize, Serialize};
use series::ModelName;

use crate::blend::Row;
use crate::quantiles::Offsets;

/// What a fit has learned in use; all of it by horizon in steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lessons {
    /// Whose errors it was learned from; of no use to another model.
    pub(crate) model: ModelName,
    /// Of the quantiles; see [`Mixture`](crate::mixture::Mixture).
    pub(crate) corrections: Vec<(usize, Offsets)>,
    /// See [`Beliefs`](crate::belief::Beliefs).
    pub(crate) beliefs: Vec<(usize, f64, f64)>,
    /// See [`Blend`](crate::blend::Blend); `None` where the model speaks alone.
    pub(crate) blend: Option<Vec<(usize, Row, f64)>>,
}
