//! [`Detail`]: everything known of one target.

use scaler::Told;
use serde::Serialize;
use series::{SourceState, Timestamp};
use utoipa::ToSchema;

use super::ahead::{Bands, PlannedHour, plan};
use super::comparison::Comparison;
use super::metadata::Metadata;
use super::numbers::tidy;
use super::story::{answer, story, zone};
use super::summary::Summary;
use crate::record::{Amount, Event, Record, Rows};

/// Everything known of one target.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Detail {
    /// The time by the server's clock.
    pub(crate) now: Timestamp,
    /// The target in one line.
    pub(crate) target: Summary,
    /// When this process first saw it.
    pub(crate) first_seen: Timestamp,
    /// What was observed, forecast and published, and why, in sentences.
    pub(crate) story: Vec<String>,
    /// What KEDA was told when it last asked for a value.
    pub(crate) answer: Option<LastAnswer>,
    /// How the source was at the last refresh.
    pub(crate) source: Source,
    /// Which model forecasts, and how all of them did.
    pub(crate) verdict: Option<Verdict>,
    /// How the forecasts made a lead time ago turned out, over a week at most.
    pub(crate) accuracy: Accuracy,
    /// What they cost and saved, beside reactive scaling; null before anything was compared, and in `mode: reactive`.
    pub(crate) comparison: Option<Comparison>,
    /// The last hours, a minute each.
    pub(crate) history: History,
    /// The newest forecast.
    pub(crate) forecast: Option<Bands>,
    /// What it asks for over the next day.
    pub(crate) plan: Vec<PlannedHour>,
    /// What happened, newest first.
    pub(crate) events: Vec<Event>,
    /// The trigger's metadata as they were understood.
    pub(crate) metadata: Metadata,
}

/// What KEDA was told when it last asked for a value.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LastAnswer {
    /// When it asked.
    pub(crate) at: Timestamp,
    /// The value; null where it got an error.
    pub(crate) value: Option<f64>,
    /// Whether the workload is active; null where it got an error.
    pub(crate) active: Option<bool>,
    /// The message of the error.
    pub(crate) error: Option<String>,
    /// All of it in a sentence.
    pub(crate) text: String,
}

impl LastAnswer {
    fn of(told: &Told, text: String) -> Self {
        let plan = told.answer.as_deref().ok();
        Self {
            at: told.at,
            value: plan.map(|plan| tidy(plan.value.get())),
            active: plan.map(|plan| plan.active),
            error: told.answer.as_ref().err().map(ToString::to_string),
            text,
        }
    }
}

/// How the source was at the last refresh.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Source {
    /// `not-asked`, `answering` or `failing`.
    pub(crate) state: &'static str,
    /// Since when it fails.
    pub(crate) since: Option<Timestamp>,
    /// The class of the fault, as in the metrics.
    pub(crate) kind: Option<&'static str>,
    /// What is wrong, and what to do about it.
    pub(crate) message: Option<String>,
}

impl Source {
    fn of(state: &SourceState) -> Self {
        let sound = |state| Self { state, since: None, kind: None, message: None };
        match state {
            SourceState::NotAsked => sound("not-asked"),
            SourceState::Answering => sound("answering"),
            SourceState::Failing { since, fault } => Self {
                state: "failing",
                since: Some(*since),
                kind: Some(fault.kind.as_str()),
                message: Some(fault.message.clone()),
            },
        }
    }
}

/// Which model forecasts, and how all of them did on the target's own past.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verdict {
    /// The model in force.
    pub(crate) model: &'static str,
    /// Why it is.
    pub(crate) reason: String,
    /// One score per model that was compared, best first.
    pub(crate) scores: Vec<ModelScore>,
}

/// How a model did at the lead time, over rolling origins of the target's own past.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ModelScore {
    /// The model.
    pub(crate) model: &'static str,
    /// Mean quantile loss, in the unit of the load.
    pub(crate) quantile_loss: f64,
    /// Mean absolute error of the median, in the unit of the load.
    pub(crate) absolute_error: f64,
}

impl Verdict {
    fn of(verdict: &series::Verdict) -> Self {
        let score = |score: &series::ModelScore| ModelScore {
            model: score.model.as_str(),
            quantile_loss: tidy(score.pinball),
            absolute_error: tidy(score.absolute_error),
        };
        Self {
            model: verdict.model.as_str(),
            reason: verdict.reason.to_string(),
            scores: verdict.scores.iter().map(score).collect(),
        }
    }
}

/// How the forecasts made a lead time ago turned out.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Accuracy {
    /// Mean absolute error of the median, in the unit of the load.
    pub(crate) error: Option<f64>,
    /// That of the load at the time of the forecast, over the minutes it is known for.
    pub(crate) persistence_error: Option<f64>,
    /// That of the load a week before, over the minutes it is known for.
    pub(crate) last_week_error: Option<f64>,
    /// The same hour by hour, oldest first.
    pub(crate) hours: Vec<AccuracyHour>,
}

/// How the forecasts that came due in one hour turned out.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccuracyHour {
    /// When the hour began.
    pub(crate) at: Timestamp,
    /// How many minutes were compared.
    pub(crate) compared: u32,
    /// Mean absolute error of the median.
    pub(crate) error: Option<f64>,
    /// That of persistence.
    pub(crate) persistence_error: Option<f64>,
    /// That of the load a week before.
    pub(crate) last_week_error: Option<f64>,
    /// Share of the minutes in which the load was within the promised quantile.
    pub(crate) coverage: Option<f64>,
}

impl Accuracy {
    fn of(record: &Record) -> Self {
        let total = record.scores.total();
        let hours = record.scores.hours().map(|(at, score)| AccuracyHour {
            at,
            compared: score.compared,
            error: score.mean_error().map(tidy),
            persistence_error: score.persistence.mean().map(tidy),
            last_week_error: score.last_week.mean().map(tidy),
            coverage: score.coverage().map(tidy),
        });
        Self {
            error: total.mean_error().map(tidy),
            persistence_error: total.persistence.mean().map(tidy),
            last_week_error: total.last_week.mean().map(tidy),
            hours: hours.collect(),
        }
    }
}

/// The last hours, a minute each, oldest first; null where nothing is known. All lists are equally long.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct History {
    /// The time of the first minute, in Unix seconds.
    pub(crate) start: i64,
    /// From one minute to the next, in seconds.
    pub(crate) step: u32,
    /// The load that was observed.
    pub(crate) observed: Vec<Option<f64>>,
    /// The median that had been forecast for the minute, a lead time before it.
    pub(crate) expected: Vec<Option<f64>>,
    /// The promised quantile of the same forecast.
    pub(crate) promised: Vec<Option<f64>>,
    /// The value that was published.
    pub(crate) published: Vec<Option<f64>>,
    /// Pods that an HPA which got the values had by then; an estimate.
    pub(crate) replicas: Vec<Option<u32>>,
}

impl History {
    fn of(rows: &Rows) -> Self {
        let amount = |amount: Amount| amount.known().map(|known| tidy(f64::from(known)));
        Self {
            start: rows.start().map_or(0, Timestamp::as_second),
            step: rows.step().seconds(),
            observed: rows.iter().map(|row| amount(row.observed)).collect(),
            expected: rows.iter().map(|row| amount(row.expected)).collect(),
            promised: rows.iter().map(|row| amount(row.promised)).collect(),
            published: rows.iter().map(|row| amount(row.published)).collect(),
            replicas: rows.iter().map(|row| row.replicas.map(std::num::NonZero::get)).collect(),
        }
    }
}

impl Detail {
    pub(crate) fn of(record: &Record, now: Timestamp) -> Self {
        let snapshot = &record.latest;
        let zone = zone(snapshot);
        Self {
            now,
            target: Summary::of(record),
            first_seen: record.first_seen,
            story: story(record, now),
            answer: snapshot.told.as_ref().map(|told| LastAnswer::of(told, answer(told, &zone))),
            source: Source::of(&snapshot.outlook.source),
            verdict: snapshot.outlook.verdict.as_deref().map(Verdict::of),
            accuracy: Accuracy::of(record),
            comparison: Comparison::of(snapshot),
            history: History::of(&record.rows),
            forecast: Bands::of(snapshot),
            plan: plan(snapshot, now),
            events: record.events.iter().rev().cloned().collect(),
            metadata: Metadata::of(&snapshot.target),
        }
    }
}
