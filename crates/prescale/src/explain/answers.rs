//! What of the server's answers is laid out. Its own page describes them: `/api/v1/openapi.json`.

use serde::Deserialize;
use series::Timestamp;

#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) now: Timestamp,
    pub(super) targets: Vec<Summary>,
}

/// One target in a line.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) digest: String,
    pub(super) state: String,
    pub(super) observed: Option<f64>,
    pub(super) expected: Option<f64>,
    pub(super) forecast: Option<f64>,
    pub(super) published: Option<f64>,
    pub(super) shadow: Option<f64>,
    pub(super) model: Option<String>,
    pub(super) demoted: Option<String>,
    #[serde(rename = "skillOverPersistence")]
    pub(super) over_persistence: Option<f64>,
    #[serde(rename = "skillOverLastWeek")]
    pub(super) over_last_week: Option<f64>,
    pub(super) coverage90: Option<f64>,
    pub(super) coverage99: Option<f64>,
    pub(super) price: Option<f64>,
    pub(super) pods: Option<u32>,
    pub(super) replicas: Option<u32>,
}

/// Everything known of one.
#[derive(Debug, Deserialize)]
pub(super) struct Detail {
    pub(super) target: Summary,
    pub(super) story: Vec<String>,
    pub(super) answer: Option<LastAnswer>,
    pub(super) comparison: Option<Comparison>,
    pub(super) plan: Vec<PlannedHour>,
    pub(super) events: Vec<Event>,
    pub(super) metadata: Metadata,
}

#[derive(Debug, Deserialize)]
pub(super) struct LastAnswer {
    pub(super) text: String,
}

/// What the forecasts cost and saved.
#[derive(Debug, Deserialize)]
pub(super) struct Comparison {
    pub(super) seconds: f64,
    pub(super) allowed: Option<f64>,
    pub(super) predictive: Fleet,
    pub(super) reactive: Fleet,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fleet {
    pub(super) pod_hours: f64,
    pub(super) short_seconds: f64,
    pub(super) short: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct PlannedHour {
    pub(super) from: Timestamp,
    pub(super) expected: f64,
    pub(super) promised: f64,
    pub(super) pods: u32,
}

#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) at: Timestamp,
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) query: String,
    pub(super) timezone: String,
}

/// One minute of the past.
#[derive(Debug, Deserialize)]
pub(super) struct Moment {
    pub(super) story: Vec<String>,
    pub(super) events: Vec<Event>,
}
