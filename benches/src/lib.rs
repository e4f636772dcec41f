//! What benchmarks and comparisons share. Targets for the answers; traces, methods and rows for the accuracy; a made load for the speed.
//!
//! `docs/benchmarks.md` says what is measured and how to repeat it.

pub mod engine;
pub mod m4;
mod made;
pub mod naive;
pub mod peer;
pub mod rows;
pub mod serving;
mod targets;
pub mod trace;
pub mod walk;

pub use made::made_load;
pub use targets::{metadata, object_name, outlook, target};
