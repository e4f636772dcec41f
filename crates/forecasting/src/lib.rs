//! History in, calibrated forecast out.
//!
//! [`fit`] rehearses the models on the past of one series, chooses the one whose quantiles would have cost least at the lead time, and makes
//! quantiles of what it missed. The [`Fitted`] model learns from each sample that comes, and gives a [`series::Forecast`] whenever asked. All of it is pure CPU
//! work on the arguments: no IO, no clock, no async. An [`OnlineForecaster`] does these in the order that the service keeps, and watches how its forecasts come out.
//!
//! ```text
//! Series ── past (gaps filled, root scale) ── rolling (origins) ── models (rehearsed) ── choice ── mixture of quantiles ──┐
//! Series ── glance (each value as it is read) ── model in force ── center ───────────────────────────────────────────────┴─ Forecast
//! ```
//!
//! The models have a page each under [`models`].
//!
//! ```
//! use std::time::Duration;
//!
//! use forecasting::{Seasons, Settings, fit};
//! use jiff::tz::TimeZone;
//! use series::{Load, ModelChoice, Quantile, Sample, Series, Step, Timestamp};
//!
//! // three days of a load that comes and goes with the day, a sample every ten minutes
//! let step = Step::from_seconds(600)?;
//! let wave = |index: u32| 100.0 + 50.0 * (std::f64::consts::TAU * f64::from(index) / 144.0).sin();
//! let samples = (0..3 * 144).map(|index| Load::new(wave(index)).map(Sample::Value));
//! let history = Series::from_samples(Timestamp::UNIX_EPOCH, step, samples.collect::<Result<Vec<_>, _>>()?)?;
//!
//! let settings = Settings {
//!     lead_time: Duration::from_secs(1800),
//!     model: ModelChoice::Auto,
//!     timezone: TimeZone::UTC,
//!     seasons: Seasons::Found,
//!     horizon: None,
//! };
//! let forecast = fit(&history, &settings)?.forecast(&history)?;
//!
//! let in_half_an_hour = forecast.origin() + settings.lead_time;
//! let median = forecast.quantile(in_half_an_hour, Quantile::MEDIAN);
//! assert!(median.is_some_and(|load| (load.get() - wave(3 * 144 + 2)).abs() < 10.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod belief;
mod blend;
mod choice;
mod engine;
mod fill;
mod fitted;
mod glance;
mod horizons;
mod lessons;
mod local_time;
mod mixture;
mod model;
pub mod models;
mod online;
mod past;
mod periods;
mod quantiles;
mod rolling;
mod scale;
mod seasons;
mod spread;
mod standing;
#[cfg(test)]
mod testing;
mod values;

pub use engine::{FEWEST_SAMPLES, Settings, fit};
pub use fitted::Fitted;
pub use online::{Learned, OnlineForecaster, Renewal};

pub use series::Seasons;
