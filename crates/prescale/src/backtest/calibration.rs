//! [`Calibration`]: how often the load stayed at or below what was forecast for it.

use series::Series;

use super::walk::{LEVELS, Walk};

/// One level: what was promised, and what came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Calibration {
    /// The level.
    pub(super) promised: f64,
    /// Share of the values at or below the forecast of that level, made a lead time before.
    pub(super) came: f64,
    /// How many values that is of.
    pub(super) values: usize,
}

/// One per level, over the known values of `load` from bucket `from` on; none where nothing was forecast.
pub(super) fn calibration(load: &Series, walk: &Walk, from: usize) -> Vec<Calibration> {
    let mut below = [0_usize; LEVELS.len()];
    let mut values = 0;
    for (bucket, band) in walk.bands.iter().enumerate().skip(from) {
        let Some(came) = load.load(bucket).filter(|_| !band[0].is_nan()) else { continue };
        values += 1;
        for (below, &forecast) in below.iter_mut().zip(band) {
            *below += usize::from(came.get() <= f64::from(forecast));
        }
    }
    let calibrated = LEVELS.iter().zip(below).map(|(&promised, below)| {
        let came = below as f64 / values.max(1) as f64;
        Calibration { promised, came, values }
    });
    calibrated.filter(|_| values > 0).collect()
}
