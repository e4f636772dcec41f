//! The story of a target in plain sentences: what was observed, what is forecast, what is published, and why each.

use std::time::Duration;

use jiff::tz::TimeZone;
use policy::{Plan, Publication, Reason, Threshold};
use scaler::{Readable, Snapshot, Told};
use series::{SourceState, Timestamp};

use super::numbers::{amount, percent, time_of_day};
use super::summary::pods;
use super::trust::trust;
use crate::record::{Record, span};

/// The whole chain of reasons at `now`, one sentence or two per link.
pub(crate) fn story(record: &Record, now: Timestamp) -> Vec<String> {
    let teller = Teller { snapshot: &record.latest, zone: zone(&record.latest), now };
    let mut told = vec![teller.observed()];
    told.extend(teller.source());
    told.push(teller.forecast());
    match &record.latest.plan {
        Ok(plan) => {
            told.push(demand(plan));
            told.push(teller.publication(plan));
            told.extend(shadow(plan));
            told.push(teller.pods(plan));
        }
        Err(no_plan) => told.push(format!(
            "Nothing is published: KEDA gets an error and holds the replica count. The error says: {no_plan}."
        )),
    }
    told.extend(trust(&record.latest, &record.scores.total()));
    told
}

/// What KEDA was told last.
pub(crate) fn answer(told: &Told, zone: &TimeZone) -> String {
    let at = time_of_day(told.at, zone);
    match &told.answer {
        Ok(plan) => {
            let active = if plan.active { "active" } else { "not active" };
            format!("At {at} KEDA asked and was told {}, {active}.", amount(plan.value.get()))
        }
        Err(no_plan) => format!("At {at} KEDA asked and got an error, upon which it holds: {no_plan}."),
    }
}

/// The target's own time zone.
pub(crate) fn zone(snapshot: &Snapshot) -> TimeZone {
    // metadata name a zone of the bundled database
    TimeZone::get(&snapshot.target.request.timezone).unwrap_or(TimeZone::UTC)
}

struct Teller<'a> {
    snapshot: &'a Snapshot,
    zone: TimeZone,
    now: Timestamp,
}

impl Teller<'_> {
    fn observed(&self) -> String {
        match &self.snapshot.outlook.observation {
            Ok(seen) => {
                let (at, ago) = (time_of_day(seen.at, &self.zone), span(seen.at, self.now));
                format!("The source said {} at {at}, {ago} ago.", amount(seen.load.get()))
            }
            Err(_) => "No load has been observed yet.".to_owned(),
        }
    }

    fn source(&self) -> Option<String> {
        let SourceState::Failing { since, fault } = &self.snapshot.outlook.source else { return None };
        let (at, long) = (time_of_day(*since, &self.zone), span(*since, self.now));
        Some(format!("The source has been failing since {at}, for {long}: {fault}."))
    }

    fn forecast(&self) -> String {
        let outlook = &self.snapshot.outlook;
        let forecast = match &outlook.forecast {
            Ok(forecast) => forecast,
            Err(why) => return format!("There is no forecast: {why}."),
        };
        let target = &self.snapshot.target;
        let (level, lead_time) = (target.service_level.quantile(), target.request.lead_time);
        let ahead = self.now.saturating_add(lead_time).unwrap_or(Timestamp::MAX);
        let origin = time_of_day(forecast.origin(), &self.zone);
        let Some(expected) = forecast.quantile(ahead, series::Quantile::MEDIAN) else {
            return format!("The last forecast, made from what was known at {origin}, has ended.");
        };
        let expects = format!(
            "From what was known at {origin}, {} expects {} a lead time ({}) ahead",
            forecast.model(),
            amount(expected.get()),
            Readable(lead_time),
        );
        match self.snapshot.plan.as_deref().ok().and_then(|plan| plan.predicted) {
            Some(predicted) => {
                let (most, sure) = (amount(predicted.get()), percent(level.get()));
                if self.snapshot.price.is_some() {
                    format!(
                        "{expects}; the cheapest fleet that holds {sure} until pods ordered now are Ready is one for {most}."
                    )
                } else {
                    format!("{expects}, and until pods ordered now are Ready no more than {most}, {sure} sure.")
                }
            }
            None => format!("{expects}."),
        }
    }

    fn publication(&self, plan: &Plan) -> String {
        let value = amount(plan.value.get());
        let replicas = self.snapshot.replicas.map_or_else(|| "the present".to_owned(), |count| count.to_string());
        let carried = |threshold: Threshold| {
            self.snapshot.replicas.map_or_else(|| value.clone(), |count| amount(f64::from(count) * threshold.get()))
        };
        match plan.publication {
            Publication::AsIs => format!("{value} is published: the demand as it is."),
            Publication::Raised => format!(
                "An HPA ignores what lies within 10% of what {replicas} pods carry, so {value} is published, just outside."
            ),
            Publication::Held => format!(
                "An HPA would not act on so small a change, so {value} is published, within 10% of what {replicas} pods carry ({}).",
                carried(self.snapshot.target.threshold),
            ),
        }
    }

    fn pods(&self, plan: &Plan) -> String {
        let threshold = amount(self.snapshot.target.threshold.get());
        let activation = amount(self.snapshot.target.activation.get());
        if !plan.active {
            return format!(
                "The demand is not above the activation threshold of {activation}: the workload is not active, and KEDA may scale it to zero."
            );
        }
        let wanted = pods(self.snapshot, plan);
        let asked = format!("At {threshold} a pod, that asks for {}", count(wanted, "pod"));
        match self.snapshot.replicas {
            Some(replicas) if replicas == wanted => format!("{asked}, about as many as the HPA has."),
            Some(replicas) => format!("{asked}; what was published so far has led the HPA to about {replicas}."),
            None => format!("{asked}."),
        }
    }
}

/// What `mode: shadow` keeps from KEDA.
fn shadow(plan: &Plan) -> Option<String> {
    let value = amount(plan.shadow?.get());
    Some(format!("Without the shadow mode {value} would have been published."))
}

fn demand(plan: &Plan) -> String {
    let demand = amount(plan.demand.get());
    match &plan.reason {
        Reason::Forecast { .. } => match plan.observed {
            Some(_) => format!("That is above the observed load, so the demand to be ready for is {demand}."),
            None => format!("No fresh load stands against it, so the demand to be ready for is {demand}."),
        },
        Reason::ObservationAboveForecast { .. } => {
            format!("The observed load is above that already, so the demand to be ready for is {demand}.")
        }
        Reason::LastForecast { age, .. } => format!(
            "Nothing newer came for {}, so that forecast is read further out, where it is less sure: the demand to be ready for is {demand}.",
            Readable(Duration::from_secs(age.as_secs())),
        ),
        reason => format!("The demand to be ready for is {demand}: {reason}."),
    }
}

pub(super) fn count(number: u32, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", amount(f64::from(number)))
}
