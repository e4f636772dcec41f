//! augurs, the peer in Rust: exponential smoothing, without seasons or on what MSTL leaves, with its own intervals.

use std::time::Duration;

use augurs::ets::AutoETS;
use augurs::mstl::MSTLModel;
use augurs::{Fit, Predict};

use crate::rows::{LEVELS, Quantiles};
use crate::trace::{Ahead, Trace};

const DAY: Duration = Duration::from_hours(24);
/// So many samples for exponential smoothing without seasons: three days of minutes.
const LONG: usize = 4320;

/// A way to use augurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// The best exponential smoothing without seasons, of the newest 4,320 samples.
    AutoEts,
    /// The season of a day taken out of 14 days, exponential smoothing for the rest.
    MstlDay,
    /// The seasons of a day and, where there are 14 days, of a week.
    MstlWeek,
}

/// A method that has no answer, in its own words.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Peer {
    /// The quantiles at every horizon.
    ///
    /// # Errors
    /// What augurs says where it cannot fit.
    pub fn forecast(self, trace: &Trace, origin: usize, horizons: &[Ahead]) -> Result<Vec<Quantiles>, Failure> {
        let day = trace.steps(DAY);
        let steps: Vec<usize> = horizons.iter().map(|ahead| ahead.steps).collect();
        let periods = match self {
            Self::AutoEts => return auto_ets(&trace.filled(origin, LONG.min(14 * day)), &steps, LEVELS),
            Self::MstlWeek if origin + 1 >= 14 * day => vec![day, 7 * day],
            Self::MstlDay | Self::MstlWeek => vec![day],
        };
        mstl(&trace.filled(origin, 14 * day), periods, &steps, LEVELS)
    }
}

/// Exponential smoothing of `values` without seasons; quantiles at `levels` for every one of `steps`.
///
/// # Errors
/// What augurs says where it cannot fit.
pub fn auto_ets<const N: usize>(values: &[f64], steps: &[usize], levels: [f64; N]) -> Result<Vec<[f64; N]>, Failure> {
    let fitted = AutoETS::new(1, "ZZN")?.fit(values)?;
    read(steps, levels, |most, width| Ok(fitted.predict(most, width)?))
}

/// MSTL of `values` with `periods`, exponential smoothing for the rest; quantiles at `levels` for every one of `steps`.
///
/// # Errors
/// What augurs says where it cannot fit.
pub fn mstl<const N: usize>(
    values: &[f64],
    periods: Vec<usize>,
    steps: &[usize],
    levels: [f64; N],
) -> Result<Vec<[f64; N]>, Failure> {
    let fitted = MSTLModel::new(periods, AutoETS::new(1, "ZZN")?.into_trend_model()).fit(values)?;
    read(steps, levels, |most, width| Ok(fitted.predict(most, width)?))
}

/// Quantiles from a point and the ends of central intervals.
fn read<const N: usize>(
    steps: &[usize],
    levels: [f64; N],
    predict: impl Fn(usize, Option<f64>) -> Result<augurs::Forecast, Failure>,
) -> Result<Vec<[f64; N]>, Failure> {
    let most = steps.iter().copied().max().unwrap_or(0);
    let mut quantiles = vec![[0.0; N]; steps.len()];
    for (place, level) in levels.into_iter().enumerate() {
        let width = (2.0 * level - 1.0).abs();
        let forecast = predict(most, (width > 1e-9).then_some(width))?;
        let ends = match &forecast.intervals {
            Some(intervals) if level > 0.5 => &intervals.upper,
            Some(intervals) if width > 1e-9 => &intervals.lower,
            _ => &forecast.point,
        };
        for (row, ahead) in quantiles.iter_mut().zip(steps) {
            row[place] = ends[ahead - 1];
        }
    }
    Ok(quantiles)
}
