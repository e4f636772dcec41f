//! KEDA, HPA and pods in small: what a stream of published values does to a fleet, and how well the fleet served.
//!
//! The policy's own [`Hpa`] turns values into pod counts, [`Fleet`] turns pod counts into Ready pods, [`Scorecard`] holds Ready pods
//! against the load, and [`Cluster`] runs the three in step. All of it is deterministic and counts in whole pods; there
//! is no network, no clock and no randomness here.
//!
//! What is left out: KEDA's scaling between zero and one, pods that fail, and nodes that have no room.

mod cluster;
mod fleet;
mod scorecard;

pub use cluster::{Cluster, TICK, Tick};
pub use fleet::Fleet;
pub use policy::{Hpa, HpaSettings, ReplicaRange, ReplicaRangeError};
pub use scorecard::{Scorecard, Scores};
