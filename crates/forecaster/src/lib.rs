//! The slow path, running: reads histories from Prometheus-compatible servers, keeps them, has them forecast, and
//! publishes one [`Outlook`](series::Outlook) per refresh and target.
//!
//! [`Forecaster`] is the whole of it: targets are watched and forgotten, one schedule refreshes them all, and what
//! comes out goes to a [`Publish`]. [`Source`] alone asks once, for commands. Nothing here answers KEDA.

mod accuracy;
mod forecaster;
mod history;
mod metrics;
mod refresh;
mod schedule;
mod settings;
mod source;
mod target;
#[cfg(test)]
mod testing;

pub use forecaster::{Forecaster, Publish};
pub use settings::{Settings, SetupError, SourceSettings};
pub use source::{
    Allowed, Authorization, ClientIdentity, Credentials, Secret, ServerPattern, ServerPatternError, Source, SourceError,
};
