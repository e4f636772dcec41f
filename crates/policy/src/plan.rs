//! [`plan`]: from what is known of a target to what is published for it, and why.
//!
//! ```text
//!                 forecast reaches the window                no forecast, or it ended
//!               ┌──────────────┴──────────────┐               ┌──────────┴──────────┐
//!          source answers               source fails     observed lately      nothing lately
//!               │                             │               │                     │
//!     max(forecast, observation)   last forecast, further   observation       NoPlan: an error,
//!                                  out, so wider                              and KEDA holds
//! ```
//!
//! No branch ends in zero or "inactive" because something failed.

use std::time::Duration;

use series::{FaultKind, Load, ModelName, NoForecast, Observation, Outlook, SourceFault, SourceState, Timestamp};

use crate::{FleetEstimate, HPA_SYNC, Mode, Target, dead_band};

/// What is published for a target, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// When it was made.
    pub made: Timestamp,
    /// The demand to be ready for: what pods that start now will meet.
    pub demand: Load,
    /// What KEDA gets: at least the demand, in whole thousandths where it is not the activation threshold itself.
    pub value: Load,
    /// Whether the workload is active: `demand > activation`, and the same of `value`.
    pub active: bool,
    /// What the demand rests on.
    pub reason: Reason,
    /// How the value was made from the demand.
    pub publication: Publication,
    /// The newest observation, where it is fresh.
    pub observed: Option<Load>,
    /// What the forecast asks for over the lead window, where it reaches that far: its peak at the target's quantile, or what the pods carry that hold the SLO
    /// at the least cost.
    pub predicted: Option<Load>,
    /// In `mode: shadow`, the value that would be published without it.
    pub shadow: Option<Load>,
}

/// What the demand of a plan rests on.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// On the forecast over the lead window.
    Forecast {
        /// Who made it.
        model: ModelName,
    },
    /// On the newest observation, which is above the forecast.
    ObservationAboveForecast {
        /// Who made the forecast.
        model: ModelName,
    },
    /// On the last forecast, read further out since nothing newer came.
    LastForecast {
        /// Who made it.
        model: ModelName,
        /// How old what it knew is.
        age: Duration,
    },
    /// On the newest observation, since there is no forecast.
    NoForecast(NoForecast),
    /// On the newest observation, since the last forecast has ended.
    ForecastEnded,
    /// On the newest observation: the forecast is recorded only (`mode: shadow`).
    Shadow,
    /// On the newest observation: no forecast is wanted (`mode: reactive`).
    Reactive,
}

impl Reason {
    /// Every label that [`Reason::label`] gives.
    pub const LABELS: [&'static str; 7] = [
        "forecast",
        "observation_above_forecast",
        "last_forecast",
        "no_forecast",
        "forecast_ended",
        "shadow",
        "reactive",
    ];

    /// The name in metric labels and logs.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Forecast { .. } => "forecast",
            Self::ObservationAboveForecast { .. } => "observation_above_forecast",
            Self::LastForecast { .. } => "last_forecast",
            Self::NoForecast(_) => "no_forecast",
            Self::ForecastEnded => "forecast_ended",
            Self::Shadow => "shadow",
            Self::Reactive => "reactive",
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Forecast { model } => write!(f, "forecast by {model}"),
            Self::ObservationAboveForecast { model } => write!(f, "observation, above the forecast by {model}"),
            Self::LastForecast { model, age } => {
                write!(f, "last forecast by {model}, {} s old: no newer samples", age.as_secs())
            }
            Self::NoForecast(why) => write!(f, "observation; no forecast: {why}"),
            Self::ForecastEnded => write!(f, "observation; the last forecast has ended"),
            Self::Shadow => write!(f, "observation; the forecast is recorded only (mode: shadow)"),
            Self::Reactive => write!(f, "observation; no forecast is wanted (mode: reactive)"),
        }
    }
}

/// How a value was made from the demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publication {
    /// It is the demand.
    AsIs,
    /// Raised to just outside the HPA's dead band, which would have ignored the rise.
    Raised,
    /// What the estimated fleet carries: the HPA would not act on so small a fall.
    Held,
}

/// Why nothing can be published: the rpc fails and KEDA holds the replica count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPlan {
    /// The target was just seen for the first time.
    #[error("nothing is known of this target yet: its history is being read, ask again in a few seconds")]
    NotYet,
    /// The source never answered usably, or the last observation is too old and no forecast reaches this far.
    #[error("no load is known: {0}")]
    SourceFailing(SourceFault),
    /// Observations stopped without the source failing, and no forecast reaches this far.
    #[error("the last load known is {} s old and no forecast reaches this far", age.as_secs())]
    OutOfDate {
        /// Age of the last observation.
        age: Duration,
    },
}

/// An observation older than this is no floor under the forecast any more.
const FRESH: Duration = Duration::from_secs(120);

/// Without a forecast, an observation is held for this long; then the rpc fails, and KEDA holds.
const HELD: Duration = Duration::from_secs(300);

/// What to publish for `target` at `now`, given what is known of it, the replicas it is thought to have, and the `pods` that the price of a shortage asks
/// for: without those, the forecast is read at the quantile of the service level.
///
/// The lead window begins at `now` and ends when pods ordered at the HPA's next sync are Ready: lead time and one sync
/// later, and one step more, since a sample speaks of the step before it.
///
/// # Errors
/// [`NoPlan`] where nothing is known that could be published honestly.
pub fn plan(
    outlook: &Outlook,
    target: &Target,
    fleet: Option<&FleetEstimate>,
    pods: Option<u32>,
    now: Timestamp,
) -> Result<Plan, NoPlan> {
    plan_as(target.mode, outlook, target, fleet, pods, now)
}

/// As [`plan`], in another `mode` than that of the target.
pub(crate) fn plan_as(
    mode: Mode,
    outlook: &Outlook,
    target: &Target,
    fleet: Option<&FleetEstimate>,
    pods: Option<u32>,
    now: Timestamp,
) -> Result<Plan, NoPlan> {
    let step = target.request.step.duration();
    let observation = outlook.observation.as_ref().ok();
    let fresh = fresh(outlook, target, now);
    let predicted = predicted_peak(outlook, target, now).map(|peak| asked_for(pods, peak, target));

    let (demand, reason) = match (mode, &outlook.forecast) {
        (Mode::Reactive, _) => (held(outlook, observation, step, now)?, Reason::Reactive),
        (Mode::Shadow, _) => (held(outlook, observation, step, now)?, Reason::Shadow),
        (Mode::Predict, Err(why)) => (held(outlook, observation, step, now)?, Reason::NoForecast(why.clone())),
        (Mode::Predict, Ok(forecast)) => match predicted {
            None => (held(outlook, observation, step, now)?, Reason::ForecastEnded),
            Some(predicted) => {
                let model = forecast.model();
                let age = age(forecast.origin(), now);
                match fresh {
                    Some(observed) if observed > predicted => (observed, Reason::ObservationAboveForecast { model }),
                    _ if age > FRESH + 2 * step => (predicted, Reason::LastForecast { model, age }),
                    _ => (predicted, Reason::Forecast { model }),
                }
            }
        },
    };

    let (value, publication) = match (mode, fleet) {
        (Mode::Predict, Some(fleet)) => dead_band::publish(demand, target.threshold, fleet),
        _ => (demand, Publication::AsIs),
    };
    let active = demand > target.activation;
    // the value must tell the same of the activity as the plan does: KEDA sees both
    let value = if active { in_thousandths(value) } else { at_most(in_thousandths(value), target.activation, demand) };
    Ok(Plan { made: now, demand, value, active, reason, publication, observed: fresh, predicted, shadow: None })
}

/// The newest observation, where it is a floor under the forecast.
pub(crate) fn fresh(outlook: &Outlook, target: &Target, now: Timestamp) -> Option<Load> {
    let fresh = FRESH + target.request.step.duration();
    let observation = outlook.observation.as_ref().ok().filter(|seen| age(seen.at, now) <= fresh)?;
    Some(at_least_zero(observation.load))
}

fn predicted_peak(outlook: &Outlook, target: &Target, now: Timestamp) -> Option<Load> {
    let forecast = outlook.forecast.as_ref().ok()?;
    let window = target.request.lead_time + HPA_SYNC + target.request.step.duration();
    let end = now.checked_add(window).ok()?;
    forecast.peak(now.max(forecast.origin()), end, target.service_level.quantile()).map(at_least_zero)
}

/// The load that takes `pods`. Whether the workload is active at all is a matter of the `peak`, not of whole pods.
fn asked_for(pods: Option<u32>, peak: Load, target: &Target) -> Load {
    match pods.map(|pods| dead_band::carrying(pods, target.threshold)) {
        Some(load) if peak > target.activation && load > target.activation => load,
        _ => peak,
    }
}

/// The newest observation, as long as it may stand in for the present.
fn held(outlook: &Outlook, observation: Option<&Observation>, step: Duration, now: Timestamp) -> Result<Load, NoPlan> {
    let fault = match &outlook.source {
        SourceState::Failing { fault, .. } => Some(fault),
        SourceState::NotAsked | SourceState::Answering => None,
    };
    match (observation, fault) {
        (Some(seen), _) if age(seen.at, now) <= HELD + step => Ok(at_least_zero(seen.load)),
        (_, Some(fault)) => Err(NoPlan::SourceFailing(fault.clone())),
        (Some(seen), None) => Err(NoPlan::OutOfDate { age: age(seen.at, now) }),
        (None, None) => Err(NoPlan::NotYet),
    }
}

fn age(then: Timestamp, now: Timestamp) -> Duration {
    // a time in the future (a clock that jumped back) is as fresh as can be
    Duration::try_from(now.duration_since(then)).unwrap_or(Duration::ZERO)
}

fn at_least_zero(load: Load) -> Load {
    load.max(Load::ZERO)
}

/// Rounded up to KEDA's resolution, so that no rise is lost in its rounding.
fn in_thousandths(load: Load) -> Load {
    // beyond 1e12 thousandths are finer than the number itself
    if load.get() > 1e12 {
        return load;
    }
    // the hair keeps 0.3 from becoming 0.301, and the maximum keeps the hair from taking anything away
    Load::new((load.get() * 1000.0 - 1e-6).ceil() / 1000.0).map_or(load, |rounded| rounded.max(load))
}

fn at_most(value: Load, most: Load, least: Load) -> Load {
    if value > most { most.max(least) } else { value }
}

impl NoPlan {
    /// The class of the source's fault, where one is the cause.
    pub fn fault(&self) -> Option<FaultKind> {
        match self {
            Self::SourceFailing(fault) => Some(fault.kind),
            Self::NotYet | Self::OutOfDate { .. } => None,
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
pub(crate) mod tests;
