//! KEDA, HPA and pods in small: what a stream of published values does to a fleet, and how well the fleet served.
//!
//! [`Replay`] gives the values that Prescale would have published over a past load, made by the very functions that serve. The policy's own
//! [`Hpa`] turns values into pod counts, [`Fleet`] turns pod counts into Ready pods, [`Scorecard`] holds Ready pods against the load, and
//! [`Cluster`] runs the three in step. A [`Trial`] does that over a whole [`Course`] of load, for any stream of values: Prescale's, or
//! those of a [`Behavior`] that it is compared with. All of it is deterministic and counts in whole pods; there is no network and no clock
//! here, and what is drawn by chance comes back with its seed.
//!
//! What is left out: KEDA's scaling between zero and one, pods that fail, and nodes that have no room.

mod behavior;
mod cluster;
mod course;
mod family;
mod fleet;
mod grid;
mod known;
mod queue;
mod replay;
mod scorecard;
mod start_up;
mod trial;

pub use behavior::Behavior;
pub use cluster::{Cluster, TICK, Tick};
pub use course::Course;
pub use family::{Family, Point, cost_at, gap_closed};
pub use fleet::Fleet;
pub use grid::Grid;
pub use policy::{Change, Hpa, HpaSettings, RateLimits, ReplicaRange, ReplicaRangeError, ScalingPolicy, ScalingRules};
pub use queue::{Queue, Waiting};
pub use replay::{Moment, Replay, ReplayError};
pub use scorecard::{Scorecard, Scores};
pub use start_up::StartUp;
pub use trial::Trial;
