//! The fast path, running: trigger metadata into targets.

mod durations;
mod metadata;

pub use durations::{DurationError, Readable, parse_duration};
pub use metadata::{
    DefaultInForce, Defaults, Mistake, Mistakes, Review, metric_name, parse_target, parse_threshold, review,
};
