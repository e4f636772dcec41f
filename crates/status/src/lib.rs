//! What an operator sees: what every target was, is and will be.
//!
//! [`Observatory`] takes a look at the board every few seconds and keeps a record of each target, in bounded memory: the
//! last hours minute by minute, what had been forecast for each, how that turned out, and what happened. [`routes`] shows the
//! records as JSON, as server-sent events and as a page. Nothing here publishes, forecasts or asks a source, and no secret
//! reaches it: of headers and parameters it knows the names.

mod api;
mod observatory;
mod page;
mod record;
#[cfg(test)]
mod testing;
mod view;

pub use api::routes;
pub use observatory::Observatory;
pub use record::{Event, EventKind, Keep};
