//! The slow path, running: reads histories from Prometheus-compatible servers, keeps them, has them forecast, and
//! publishes one [`Outlook`](series::Outlook) per refresh and target.
//!
//! [`Forecaster`] is the whole of it: targets are watched and forgotten, one schedule refreshes them all, and what
//! comes out goes to a [`Publish`]: to whoever is in the same process, or to a [`Hub`], from which [`serve`] tells scalers in
//! other processes. [`Source`] alone asks once, for commands. Nothing here answers KEDA.

mod accuracy;
mod archive;
mod forecaster;
mod history;
mod hub;
mod metrics;
mod refresh;
mod schedule;
mod server;
mod settings;
mod source;
mod target;
#[cfg(test)]
mod testing;
mod turns;

pub use archive::Archive;
pub use forecaster::{Forecaster, Publish};
pub use hub::Hub;
pub use server::{Brought, Keeper, Resumed, Role, serve};
pub use settings::{Settings, SetupError, SourceSettings};
#[cfg(any(test, fuzzing))]
pub use source::fuzzing;
pub use source::{
    Allowed, Authorization, ClientIdentity, Credentials, Reserved, Secret, ServerPattern, ServerPatternError, Source,
    SourceError,
};
