//! History in, calibrated forecast out.
//!
//! [`fit`] rehearses the models on the past of one series, chooses the one whose quantiles would have cost least at the lead time, and makes
//! quantiles of what it missed. The [`Fitted`] model learns from each sample that comes, and gives a [`series::Forecast`] whenever asked. All of it is pure CPU
//! work on the arguments: no IO, no clock, no async. [`renew`] is the order of these that the service keeps.
//!
//! ```text
//! Series ── past (gaps filled, root scale) ── rolling (origins) ── models (rehearsed) ── choice ── mixture of quantiles ──┐
//! Series ── glance (each value as it is read) ── model in force ── center ───────────────────────────────────────────────┴─ Forecast
//! ```
//!
//! The models have a page each under [`models`].

mod belief;
mod choice;
mod engine;
mod fill;
mod fitted;
mod glance;
mod horizons;
mod local_time;
mod mixture;
mod model;
pub mod models;
mod past;
mod periods;
mod quantiles;
mod renewal;
mod rolling;
mod scale;
mod seasons;
mod spread;
#[cfg(test)]
mod testing;
mod values;

pub use engine::{FEWEST_SAMPLES, Settings, fit};
pub use fitted::Fitted;
pub use renewal::{Renewal, renew};
pub use seasons::Seasons;
