//! From an outlook to the value that KEDA gets: pure, without IO, clock or async.
//!
//! [`Target`] says how one trigger is to be scaled.

mod service_level;
mod target;

pub use service_level::{ServiceLevel, ServiceLevelError};
pub use target::{Mode, Target, Threshold, ThresholdError, UnknownMode};
