//! History in, calibrated forecast out.
//!
//! [`fit`] rehearses every model on the past of one series, as if each past moment were now, chooses the one whose quantiles
//! would have cost least at the lead time, and makes error bands of what it missed. The [`Fitted`] model then gives a
//! [`series::Forecast`] whenever a few samples have come. Both are pure CPU work on their arguments: no IO, no clock, no
//! async.
//!
//! ```text
//! Series ── past (gaps filled, root scale) ── rolling (origins) ── models (fit, predict) ── choice ── bands ── Forecast
//! ```
//!
//! The models have a page each under [`models`].

mod bands;
mod choice;
mod engine;
mod fill;
mod horizons;
mod local_time;
mod model;
pub mod models;
mod past;
mod quantiles;
mod rolling;
mod scale;
#[cfg(test)]
mod testing;

pub use engine::{FEWEST_SAMPLES, Fitted, Settings, fit};
