//! What is to come: the forecast's bands, and the plan over the next day.

use std::time::Duration;

use scaler::Snapshot;
use serde::Serialize;
use series::{Forecast, Load, Quantile, Step, Timestamp};
use utoipa::ToSchema;

use super::numbers::tidy;
use super::summary::pods_for;

/// The newest forecast, as bands over time. All lists are as long as `at`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Bands {
    /// Up to when the load was known.
    pub(crate) origin: Timestamp,
    /// Who made it.
    pub(crate) model: &'static str,
    /// The times it speaks of, in Unix seconds.
    pub(crate) at: Vec<i64>,
    /// Exceeded 19 times out of 20.
    pub(crate) p05: Vec<f64>,
    /// Exceeded 3 times out of 4.
    pub(crate) p25: Vec<f64>,
    /// Exceeded every other time.
    pub(crate) p50: Vec<f64>,
    /// Exceeded once out of 4 times.
    pub(crate) p75: Vec<f64>,
    /// Exceeded once out of 20 times.
    pub(crate) p95: Vec<f64>,
    /// The quantile that the target asks to be ready for.
    pub(crate) promised: Vec<f64>,
}

impl Bands {
    pub(crate) fn of(snapshot: &Snapshot) -> Option<Self> {
        let forecast = snapshot.outlook.forecast.as_deref().ok()?;
        let time = |ahead: Duration| forecast.origin().saturating_add(ahead).unwrap_or(Timestamp::MAX);
        let times: Vec<_> = forecast.horizons().map(|horizon| time(horizon.ahead)).collect();
        let read = |level: f64| -> Option<Vec<f64>> {
            let level = Quantile::new(level).ok()?;
            times.iter().map(|&at| Some(tidy(forecast.quantile(at, level)?.get()))).collect()
        };
        Some(Self {
            origin: forecast.origin(),
            model: forecast.model().as_str(),
            at: times.iter().map(|at| at.as_second()).collect(),
            p05: read(0.05)?,
            p25: read(0.25)?,
            p50: read(0.5)?,
            p75: read(0.75)?,
            p95: read(0.95)?,
            promised: read(snapshot.target.service_level.quantile().get())?,
        })
    }
}

/// What the forecast asks for in one stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlannedHour {
    /// When it begins.
    pub(crate) from: Timestamp,
    /// When it ends.
    pub(crate) to: Timestamp,
    /// The highest median of the load in it.
    pub(crate) expected: f64,
    /// The highest load in it at the promised quantile.
    pub(crate) promised: f64,
    /// The pods that carry that.
    pub(crate) pods: u32,
}

/// The plan from `now` on, hour by hour on the clock, as far as the forecast reaches; empty where there is none.
pub(crate) fn plan(snapshot: &Snapshot, now: Timestamp) -> Vec<PlannedHour> {
    let Ok(forecast) = snapshot.outlook.forecast.as_deref() else { return Vec::new() };
    let Ok(hour) = Step::from_seconds(3600) else { return Vec::new() };
    let starts = std::iter::successors(Some(hour.floor(now)), |&start| Some(hour.shift(start, 1)));
    // a day and the hour that has begun
    let hours = starts.take(25).map_while(|start| planned(snapshot, forecast, start.max(now), hour.shift(start, 1)));
    hours.collect()
}

fn planned(snapshot: &Snapshot, forecast: &Forecast, from: Timestamp, end: Timestamp) -> Option<PlannedHour> {
    let from = from.max(forecast.origin());
    let to = end.min(forecast.end());
    if from >= to {
        return None;
    }
    let expected = forecast.peak(from, to, Quantile::MEDIAN)?;
    let promised = forecast.peak(from, to, snapshot.target.service_level.quantile())?;
    let needed = if promised > snapshot.target.activation { pods_for(snapshot, promised) } else { 0 };
    let number = |load: Load| tidy(load.get());
    Some(PlannedHour { from, to, expected: number(expected), promised: number(promised), pods: needed })
}
