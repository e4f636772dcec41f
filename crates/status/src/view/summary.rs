//! [`Summary`]: one target in one line of a list.

use policy::NoPlan;
use scaler::Snapshot;
use serde::Serialize;
use series::{ChoiceReason, Load, Quantile, SourceState, Timestamp};
use utoipa::ToSchema;

use super::numbers::tidy;
use crate::record::Record;

/// One target in one line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    /// Namespace of the ScaledObject.
    pub(crate) namespace: String,
    /// Name of the ScaledObject.
    pub(crate) name: String,
    /// Digest of the trigger's metadata: it tells two triggers of one object apart.
    pub(crate) digest: String,
    /// What is done with the forecast: `predict`, `shadow`, `reactive`.
    pub(crate) mode: &'static str,
    /// How it is.
    pub(crate) state: State,
    /// The newest load that the source told, in the unit of the query.
    pub(crate) observed: Option<f64>,
    /// When it told it.
    pub(crate) observed_at: Option<Timestamp>,
    /// The load that the median forecast expects a lead time ahead.
    pub(crate) expected: Option<f64>,
    /// What the forecast asks to be ready for over the lead window: what the cheapest fleet that holds the SLO carries, or its peak at the promised quantile.
    pub(crate) forecast: Option<f64>,
    /// Up to when the load was known to the forecast.
    pub(crate) forecast_origin: Option<Timestamp>,
    /// The value that KEDA gets.
    pub(crate) published: Option<f64>,
    /// In `mode: shadow`, the value that it would get without.
    pub(crate) shadow: Option<f64>,
    /// Whether the workload is active; while it is not, KEDA may scale it to zero.
    pub(crate) active: Option<bool>,
    /// The load that one pod can carry.
    pub(crate) threshold: f64,
    /// Pods that the published value leads an HPA to; the limits of the ScaledObject and other triggers are not known here.
    pub(crate) pods: Option<u32>,
    /// Pods that an HPA which got the values published so far has by now; an estimate.
    pub(crate) replicas: Option<u32>,
    /// What the demand rests on, by its label in metrics; `none` where KEDA gets an error.
    pub(crate) reason: &'static str,
    /// The same in words.
    pub(crate) reason_text: String,
    /// The model in force.
    pub(crate) model: Option<&'static str>,
    /// The model that it stands in for, whose forecasts came out worse than plain ones; null while none is demoted.
    pub(crate) demoted: Option<&'static str>,
    /// Since when that one is.
    pub(crate) demoted_since: Option<Timestamp>,
    /// How much less than the last value the chosen model's forecasts lately lost at the lead time, as a share: 1 is perfect, 0 no better, negative worse.
    pub(crate) skill_over_persistence: Option<f64>,
    /// The same against the load of a week before.
    pub(crate) skill_over_last_week: Option<f64>,
    /// The quantile of demand that the target asks to be ready for.
    pub(crate) promised: f64,
    /// Share of the loads of the last day or so within the 90 % quantile that was forecast for them a lead time before.
    #[serde(rename = "coverage90")]
    pub(crate) coverage_90: Option<f64>,
    /// The same of the 99 % quantile.
    #[serde(rename = "coverage99")]
    pub(crate) coverage_99: Option<f64>,
    /// What a moment with too few pods is taken to cost so that the SLO is held, in pods; null where no SLO is stated, and until it was learned.
    pub(crate) price: Option<f64>,
    /// What is wrong with the source, while something is.
    pub(crate) error: Option<String>,
    /// Since when.
    pub(crate) error_since: Option<Timestamp>,
    /// Loads of the last hour, every two minutes, oldest first, in percents of the highest of them; null where none was observed.
    pub(crate) sparkline: Vec<Option<u8>>,
}

/// How a target is, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Its forecast is published.
    Predicting,
    /// Its forecast is recorded, its observation published (`mode: shadow`).
    Shadow,
    /// No forecast is wanted (`mode: reactive`).
    Reactive,
    /// Too little is known for a forecast yet.
    Learning,
    /// The source fails, or the forecast is old or gone: what is known is held on to.
    Degraded,
    /// KEDA gets an error, and holds the replica count.
    Silent,
}

impl State {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let failing = matches!(snapshot.outlook.source, SourceState::Failing { .. });
        match &snapshot.plan {
            Err(NoPlan::NotYet) => Self::Learning,
            Err(_) => Self::Silent,
            Ok(_) if failing => Self::Degraded,
            Ok(plan) => match plan.reason.label() {
                "shadow" => Self::Shadow,
                "reactive" => Self::Reactive,
                "no_forecast" if snapshot.outlook.verdict.is_none() => Self::Learning,
                "no_forecast" | "last_forecast" | "forecast_ended" => Self::Degraded,
                _ => Self::Predicting,
            },
        }
    }
}

const SPARK_MINUTES: usize = 60;
const SPARK_STRIDE: usize = 2;

impl Summary {
    pub(crate) fn of(record: &Record) -> Self {
        let Snapshot { target, outlook, plan, replicas, price, .. } = &record.latest;
        let key = &target.key;
        let forecast = outlook.forecast.as_deref().ok();
        let (made, number) = (plan.as_deref().ok(), |load: Load| tidy(load.get()));
        let now = record.rows.newest().map_or(outlook.issued, |(newest, _)| newest);
        let ahead = now.checked_add(target.request.lead_time).ok();
        let expected = forecast.zip(ahead).and_then(|(forecast, ahead)| forecast.quantile(ahead, Quantile::MEDIAN));
        let seen = outlook.observation.as_ref().ok();
        let skill = outlook.skill;
        let demotion = outlook.verdict.as_ref().and_then(|verdict| match verdict.reason {
            ChoiceReason::Demoted { model, since } => Some((model.as_str(), since)),
            _ => None,
        });
        let (error, error_since) = match &outlook.source {
            SourceState::Failing { since, fault } => (Some(fault.to_string()), Some(*since)),
            SourceState::NotAsked | SourceState::Answering => (None, None),
        };
        Self {
            namespace: key.namespace.to_string(),
            name: key.name.to_string(),
            digest: key.digest.to_string(),
            mode: target.mode.as_str(),
            state: State::of(&record.latest),
            observed: seen.map(|seen| number(seen.load)),
            observed_at: seen.map(|seen| seen.at),
            expected: expected.map(number),
            forecast: made.and_then(|plan| plan.predicted).map(number),
            forecast_origin: forecast.map(series::Forecast::origin),
            published: made.map(|plan| number(plan.value)),
            shadow: made.and_then(|plan| plan.shadow).map(number),
            active: made.map(|plan| plan.active),
            threshold: target.threshold.get(),
            pods: made.map(|plan| pods(&record.latest, plan)),
            replicas: *replicas,
            reason: made.map_or("none", |plan| plan.reason.label()),
            reason_text: match plan {
                Ok(plan) => plan.reason.to_string(),
                Err(no_plan) => no_plan.to_string(),
            },
            model: outlook.verdict.as_ref().map(|verdict| verdict.model.as_str()),
            demoted: demotion.map(|(model, _)| model),
            demoted_since: demotion.map(|(_, since)| since),
            skill_over_persistence: skill.map(|skill| tidy(skill.over_persistence())),
            skill_over_last_week: skill.and_then(|skill| skill.over_last_week()).map(tidy),
            promised: tidy(target.service_level.quantile().get()),
            coverage_90: skill.map(|skill| tidy(skill.coverage_90)),
            coverage_99: skill.map(|skill| tidy(skill.coverage_99)),
            price: price.map(tidy),
            error,
            error_since,
            sparkline: sparkline(record),
        }
    }
}

/// The pods that a plan's value leads an HPA to: those there are where it would not act, and none while the workload is not active.
pub(crate) fn pods(snapshot: &Snapshot, plan: &policy::Plan) -> u32 {
    let asked = pods_for(snapshot, plan.value);
    let would_act = |replicas: u32| {
        let carried = f64::from(replicas) * snapshot.target.threshold.get();
        (plan.value.get() / carried - 1.0).abs() > policy::HPA_TOLERANCE
    };
    match snapshot.replicas {
        _ if !plan.active => 0,
        Some(replicas) if !would_act(replicas) => replicas,
        _ => asked,
    }
}

/// The pods that carry `load`, at least 1.
pub(crate) fn pods_for(snapshot: &Snapshot, load: Load) -> u32 {
    policy::ReplicaRange::at_least(1).covering(load, snapshot.target.threshold)
}

fn sparkline(record: &Record) -> Vec<Option<u8>> {
    let skipped = record.rows.len().saturating_sub(SPARK_MINUTES);
    let observed: Vec<_> =
        record.rows.iter().skip(skipped).step_by(SPARK_STRIDE).map(|row| row.observed.known()).collect();
    let highest = observed.iter().flatten().fold(0.0_f32, |highest, &load| highest.max(load));
    let share = |load: f32| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 100")]
        let percent = (100.0 * load / highest).round().clamp(0.0, 100.0) as u8;
        if highest > 0.0 { percent } else { 0 }
    };
    observed.into_iter().map(|load| load.map(share)).collect()
}
