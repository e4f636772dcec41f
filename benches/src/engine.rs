//! Our forecasts as the service makes them. The one page of this package that knows `forecasting`.

use std::time::{Duration, Instant};

use forecasting::{Fitted, Seasons, Settings, fit};
use jiff::tz::TimeZone;
use series::{Forecast, ModelChoice, NoForecast, Series};

/// What a target with that lead time asks for.
pub fn settings(lead_time: Duration) -> Settings {
    Settings { lead_time, model: ModelChoice::Auto, timezone: TimeZone::UTC, seasons: Seasons::Found, horizon: None }
}

/// The newest fit of one target, and what fits cost.
#[derive(Debug, Clone)]
pub struct Engine {
    settings: Settings,
    fitted: Option<Fitted>,
    /// How many fits there were.
    pub fits: u32,
    /// How long all of them took.
    pub fitting: Duration,
    /// How long the newest took.
    pub newest_fit: Duration,
}

impl Engine {
    /// An engine that has seen nothing, for a target with that lead time.
    pub fn new(lead_time: Duration) -> Self {
        let (fitting, newest_fit) = (Duration::ZERO, Duration::ZERO);
        Self { settings: settings(lead_time), fitted: None, fits: 0, fitting, newest_fit }
    }

    /// Takes notice of a history some samples longer: learns from them, fits where a fit is due, and keeps the last one where the new one fails.
    pub fn refresh(&mut self, history: &Series) {
        if let Some(fitted) = &mut self.fitted {
            fitted.learn(history);
            if !fitted.is_due(history) {
                return;
            }
        }
        let began = Instant::now();
        let new = self.fitted.as_ref().map_or_else(|| fit(history, &self.settings), |fitted| fitted.refit(history));
        if let Ok(fitted) = new {
            self.newest_fit = began.elapsed();
            self.fits += 1;
            self.fitting += self.newest_fit;
            self.fitted = Some(fitted);
        }
    }

    /// The forecast from the end of `history`.
    ///
    /// # Errors
    /// As `Fitted::forecast`; [`NoForecast::TooLittleHistory`] before the first fit.
    pub fn forecast(&self, history: &Series) -> Result<Forecast, NoForecast> {
        match &self.fitted {
            Some(fitted) => fitted.forecast(history),
            None => Err(NoForecast::TooLittleHistory { known: history.known(), needed: history.known() + 1 }),
        }
    }
}
