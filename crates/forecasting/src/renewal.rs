//! [`renew`]: what is done whenever a history has grown, by the service and by whoever replays it.

use series::{Forecast, NoForecast, Series};

use crate::engine::{Settings, fit};
use crate::fitted::Fitted;

/// What a grown history led to.
#[derive(Debug)]
pub struct Renewal {
    /// The model in force; `None` while there was no fit.
    pub fitted: Option<Fitted>,
    /// The forecast from the end of the history.
    pub forecast: Result<Forecast, NoForecast>,
    /// Why a fit that was due failed; the model before it stays in force.
    pub failed_refit: Option<NoForecast>,
}

/// Learns from what `history` has gained, fits where that is due, and forecasts from its end. Each fit is made while what
/// `fit_begins` gave is held.
pub fn renew<T>(fitted: Option<Fitted>, history: &Series, settings: &Settings, fit_begins: impl Fn() -> T) -> Renewal {
    let timed = |fit: &dyn Fn() -> Result<Fitted, NoForecast>| {
        let _held = fit_begins();
        fit()
    };
    let mut failed_refit = None;
    let in_force = match fitted {
        None => match timed(&|| fit(history, settings)) {
            Ok(new) => new,
            Err(reason) => return Renewal { fitted: None, forecast: Err(reason), failed_refit },
        },
        Some(mut in_force) => {
            in_force.learn(history);
            if in_force.is_due(history) {
                timed(&|| in_force.refit(history)).unwrap_or_else(|reason| {
                    failed_refit = Some(reason);
                    in_force
                })
            } else {
                in_force
            }
        }
    };
    let forecast = in_force.forecast(history);
    Renewal { fitted: Some(in_force), forecast, failed_refit }
}
