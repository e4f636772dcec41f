//! [`Moment`]: one minute of a target's past, as far back as it is kept.

use serde::Serialize;
use series::Timestamp;
use utoipa::ToSchema;

use super::numbers::{amount, hour, tidy};
use super::story::zone;
use crate::record::{Amount, Event, Record};

/// One minute of a target's past.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Moment {
    /// When the minute began.
    pub(crate) at: Timestamp,
    /// The load that was observed in it.
    pub(crate) observed: Option<f64>,
    /// The median that had been forecast for it, a lead time before.
    pub(crate) expected: Option<f64>,
    /// The promised quantile of the same forecast.
    pub(crate) promised: Option<f64>,
    /// The peak over the lead window that was forecast in it, at the promised quantile.
    pub(crate) forecast: Option<f64>,
    /// The demand to be ready for.
    pub(crate) demand: Option<f64>,
    /// The value that was published.
    pub(crate) published: Option<f64>,
    /// Pods that an HPA which got the values had by then; an estimate.
    pub(crate) replicas: Option<u32>,
    /// What the demand rested on, by its label in metrics; `none` where nothing was published.
    pub(crate) reason: &'static str,
    /// The model whose forecast it was.
    pub(crate) model: Option<&'static str>,
    /// All of it in sentences.
    pub(crate) story: Vec<String>,
    /// What happened up to a quarter of an hour before and after, oldest first.
    pub(crate) events: Vec<Event>,
}

const AROUND_SECONDS: i64 = 900;

impl Moment {
    /// The minute that covers `time`; `None` where that is not known (any more).
    pub(crate) fn of(record: &Record, time: Timestamp) -> Option<Self> {
        let (at, row) = record.rows.at(time)?;
        let number = |amount: Amount| amount.known().map(|known| tidy(f64::from(known)));
        let near = |event: &&Event| (event.at.as_second() - at.as_second()).abs() <= AROUND_SECONDS;
        let mut moment = Self {
            at,
            observed: number(row.observed),
            expected: number(row.expected),
            promised: number(row.promised),
            forecast: number(row.predicted),
            demand: number(row.demand),
            published: number(row.published),
            replicas: row.replicas.map(std::num::NonZero::get),
            reason: row.reason().unwrap_or("none"),
            model: row.model.map(series::ModelName::as_str),
            story: Vec::new(),
            events: record.events.iter().filter(near).cloned().collect(),
        };
        moment.story = moment.told(&hour(at, &zone(&record.latest)), at < record.rows.step().floor(record.first_seen));
        Some(moment)
    }

    fn told(&self, hour: &str, is_from_before: bool) -> Vec<String> {
        let mut told = Vec::new();
        told.push(match (self.observed, self.expected) {
            (Some(observed), Some(expected)) => {
                format!(
                    "At {hour} the load was {}; a lead time before, {} had been expected.",
                    amount(observed),
                    amount(expected)
                )
            }
            (Some(observed), None) => {
                format!("At {hour} the load was {}; no forecast had been made for it.", amount(observed))
            }
            (None, _) => format!("At {hour} no fresh load was known."),
        });
        if let Some(forecast) = self.forecast {
            let model = self.model.unwrap_or("the model");
            told.push(format!(
                "{model} expected no more than {} until pods ordered then would be Ready.",
                amount(forecast)
            ));
        }
        if is_from_before {
            told.push("That is from the history of the source: this process had not seen the target yet.".to_owned());
            return told;
        }
        told.push(match (self.published, self.demand) {
            (Some(published), Some(demand)) => {
                let because = self.reason.replace('_', " ");
                format!(
                    "The demand to be ready for was {} ({because}); {} was published.",
                    amount(demand),
                    amount(published)
                )
            }
            _ => "Nothing was published: KEDA got an error, if it asked, and held the replica count.".to_owned(),
        });
        if let Some(replicas) = self.replicas {
            told.push(format!("What was published until then had led the HPA to about {replicas} pods."));
        }
        told
    }
}
