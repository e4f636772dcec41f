//! The fast path, running: trigger metadata into targets, targets onto the [`Board`], and KEDA's five rpcs answered from it.
//!
//! Nothing here asks a source or makes a forecast: whoever does is handed in as [`Forecasts`] and publishes on the board. It
//! is in the same process, or in others: then [`RemoteForecasts`] finds them.

mod board;
mod durations;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod learned;
mod limits;
mod metadata;
mod metrics;
mod remote;
mod seat;
mod seats;
mod server;
mod service;
mod spellings;
mod status;
mod streams;

pub use board::Board;
pub use durations::{DurationError, Readable, parse_duration};
pub use limits::{Limits, NoSeat};
pub use metadata::{
    DefaultInForce, Defaults, Mistake, Mistakes, Review, metric_name, parse_target, parse_threshold, review,
};
pub use remote::{ForecasterAddress, RemoteForecasts, Resumed};
pub use seat::{Snapshot, Told};
pub use server::{ServeError, serve};
pub use service::{Forecasts, Scaler};
