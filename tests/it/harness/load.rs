//! The load of the imagined chat service, a function of the time alone: the history, the fresh samples and the
//! expectations of the tests are the same numbers, in whichever process they are made.

use std::f64::consts::TAU;

/// The least that [`at`] ever gives.
pub(crate) const LEAST: f64 = 60.0;

/// The most that [`at`] ever gives.
pub(crate) const MOST: f64 = 340.0;

const DAY: f64 = 86_400.0;
const WEEK: f64 = 7.0 * DAY;

/// Requests per second at `time` (Unix seconds): a daily and a weekly wave and some noise, anew each minute.
pub(crate) fn at(time: f64) -> f64 {
    let daily = 90.0 * (TAU * time / DAY).sin();
    let weekly = 40.0 * (TAU * time / WEEK).cos();
    let noise = 10.0 * noise((time / 60.0).floor());
    200.0 + daily + weekly + noise
}

/// A number from -1 to 1 that looks random: the fraction of a large sine, as shaders make it.
fn noise(minute: f64) -> f64 {
    let large = (minute * 12.9898).sin() * 43_758.545_3;
    2.0 * (large - large.floor()) - 1.0
}
