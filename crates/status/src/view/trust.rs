//! How good the forecasts have been, who makes them for what reason, and what the service level comes to: in sentences.

use policy::{Mode, ServiceLevel};
use scaler::{Readable, Snapshot};
use series::{ChoiceReason, ForecastSkill};

use super::comparison::Comparison;
use super::numbers::{amount, percent, time_of_day};
use super::story::{count, zone};
use crate::record::Score;

/// All that speaks for and against the forecasts of a target, whose errors were `total`.
pub(super) fn trust(snapshot: &Snapshot, total: &Score) -> Vec<String> {
    let mut told = vec![chosen(snapshot), errors(snapshot, total)];
    if let Some(skill) = &snapshot.outlook.skill {
        told.extend([beside(skill), coverage(skill)]);
    }
    told.extend(price(snapshot));
    told.extend(Comparison::of(snapshot).map(|comparison| comparison.told(snapshot.target.mode)));
    told
}

fn chosen(snapshot: &Snapshot) -> String {
    match snapshot.outlook.verdict.as_deref() {
        Some(verdict) => match verdict.reason {
            ChoiceReason::Demoted { model, since } => format!(
                "{} stands in for {model}, whose forecasts came out worse: it is demoted since {}, until it loses no more than the plain ones.",
                verdict.model,
                time_of_day(since, &zone(snapshot)),
            ),
            reason => format!("The model {} was chosen: {reason}.", verdict.model),
        },
        None => "No model was chosen yet.".to_owned(),
    }
}

fn errors(snapshot: &Snapshot, total: &Score) -> String {
    let Some(error) = total.mean_error() else { return "No forecast has come due yet.".to_owned() };
    format!(
        "Over {}, what was forecast {} ahead was off by {} on average.",
        count(total.compared, "minute"),
        Readable(snapshot.target.request.lead_time),
        amount(error),
    )
}

fn beside(skill: &ForecastSkill) -> String {
    let than = |over: f64, other: &str| {
        let how = if over >= 0.0 { "less" } else { "more" };
        format!("{} {how} than {other}", percent(over.abs()))
    };
    let last_value = than(skill.over_persistence(), "the last value would have");
    let last_week =
        skill.over_last_week().map_or_else(String::new, |over| format!(", and {}", than(over, "last week would have")));
    format!("Lately the chosen model’s quantiles lost {last_value}{last_week}.")
}

fn coverage(skill: &ForecastSkill) -> String {
    let (usual, high) = (percent(skill.coverage_90), percent(skill.coverage_99));
    format!("Of the loads that came, {usual} were within the 90% forecast and {high} within the 99% one.")
}

/// What a moment with too few pods is taken to cost.
fn price(snapshot: &Snapshot) -> Option<String> {
    let target = &snapshot.target;
    let ServiceLevel::Slo(share) = target.service_level else { return None };
    let share = percent(share.get());
    match snapshot.price {
        Some(price) => {
            Some(format!("The SLO of {share} comes to a price of {} pods for a moment of shortage.", amount(price)))
        }
        None if target.mode == Mode::Reactive => None,
        None => Some(format!(
            "What a moment of shortage must cost for the SLO of {share} is being learned; until a day was seen, the {share} forecast stands in."
        )),
    }
}
