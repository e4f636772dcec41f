//! What is shown of a target, in its states.

use std::sync::Arc;

use policy::{Comparison, Plan, Tally};
use series::{ChoiceReason, FaultKind, ForecastSkill, ModelName, Outlook, SourceFault, SourceState, Verdict};

use super::summary::State;
use super::*;
use crate::record::{Keep, Record};
use crate::testing::{at, forecast, outlook, snapshot, told, with_verdict};

fn predicted(observed: f64, expected: f64) -> Outlook {
    let forecast = Ok(Arc::new(forecast(at(0), expected)));
    with_verdict(Outlook { forecast, ..outlook(observed, at(0)) }, "ridge", 1.0)
}

fn failing(outlook: Outlook) -> Outlook {
    let fault = SourceFault { kind: FaultKind::Unreachable, message: "connection refused".into() };
    Outlook { source: SourceState::Failing { since: at(-600), fault }, ..outlook }
}

fn record(outlook: Outlook, seconds: i64) -> Record {
    Record::begin(told(snapshot(outlook, at(seconds)), at(seconds)), Keep::default(), at(seconds), 1)
}

fn story(outlook: Outlook, seconds: i64) -> String {
    Detail::of(&record(outlook, seconds), at(seconds)).story.join("\n")
}

#[test]
fn a_summary_says_what_is_observed_expected_published_and_how_many_pods_that_asks_for() {
    let summary = Summary::of(&record(predicted(100.0, 150.0), 0));
    assert_eq!((summary.observed, summary.expected), (Some(100.0), Some(150.0)));
    assert_eq!((summary.published, summary.pods, summary.replicas), (Some(165.0), Some(17), Some(10)));
    assert_eq!((summary.reason, summary.model, summary.state), ("forecast", Some("ridge"), State::Predicting));
    assert_eq!((summary.coverage_99, summary.skill_over_persistence, summary.demoted), (None, None, None));
}

#[test]
fn states_tell_what_is_wrong_and_beginnings_are_no_faults() {
    let state = |outlook, seconds| Summary::of(&record(outlook, seconds)).state;
    assert_eq!(state(Outlook::first_seen(at(0)), 0), State::Learning);
    assert_eq!(state(outlook(100.0, at(0)), 0), State::Learning);
    assert_eq!(state(predicted(100.0, 90.0), 0), State::Predicting);
    assert_eq!(state(predicted(100.0, 90.0), 3600), State::Degraded, "nothing newer came for an hour");
    assert_eq!(state(failing(predicted(100.0, 90.0)), 0), State::Degraded);
    assert_eq!(state(failing(outlook(100.0, at(0))), 3600), State::Silent);
}

#[test]
fn the_story_of_a_forecast_goes_from_what_was_observed_to_the_pods() {
    let story = story(predicted(100.0, 150.0), 9);
    assert_eq!(
        story,
        "The source said 100 at 22:14:00, 9s ago.\n\
         From what was known at 22:14:00, ridge expects 150 a lead time (3m) ahead, and until pods ordered now are Ready no \
         more than 165, 99% sure.\n\
         That is above the observed load, so the demand to be ready for is 165.\n\
         165 is published: the demand as it is.\n\
         At 10 a pod, that asks for 17 pods; what was published so far has led the HPA to about 10.\n\
         The model ridge was chosen: least quantile loss at the lead time.\n\
         No forecast has come due yet.\n\
         What a moment of shortage must cost for the SLO of 99% is being learned; until a day was seen, the 99% forecast stands in."
    );
}

#[test]
fn skill_coverage_and_a_demotion_are_those_of_the_outlook() {
    let skill = ForecastSkill {
        loss: 3.0,
        persistence_loss: 4.0,
        last_week_loss: Some(2.0),
        coverage_90: 0.91,
        coverage_99: 0.985,
    };
    let reason = ChoiceReason::Demoted { model: ModelName::Ridge, since: at(-600) };
    let verdict = Verdict { model: ModelName::SeasonalNaiveWeek, reason, scores: Vec::new() };
    let outlook = Outlook { skill: Some(skill), verdict: Some(Arc::new(verdict)), ..predicted(100.0, 150.0) };
    let summary = Summary::of(&record(outlook.clone(), 0));
    assert_eq!((summary.skill_over_persistence, summary.skill_over_last_week), (Some(0.25), Some(-0.5)));
    assert_eq!((summary.coverage_90, summary.coverage_99), (Some(0.91), Some(0.985)));
    assert_eq!((summary.demoted, summary.demoted_since), (Some("ridge"), Some(at(-600))));
    let told = story(outlook, 0);
    assert!(
        told.contains("seasonal-naive-week stands in for ridge") && told.contains("demoted since 22:04:00"),
        "{told}"
    );
    assert!(told.contains("lost 25% less than the last value would have, and 50% more than last week"), "{told}");
    assert!(told.contains("91% were within the 90% forecast and 98.5% within the 99% one"), "{told}");
}

#[test]
fn the_price_of_the_slo_and_what_the_forecasts_cost_are_told_in_pods_and_time() {
    let tally = |pods: f64, short: f64| Tally { pod_seconds: pods * 7200.0, short_seconds: short };
    let (predictive, reactive) = (tally(11.0, 0.0), tally(10.0, 360.0));
    let comparison = Comparison { since: at(-7200), seconds: 7200.0, predictive, reactive };
    let mut record = record(predicted(100.0, 150.0), 0);
    (record.latest.price, record.latest.comparison) = (Some(42.0), Some(comparison));
    let detail = Detail::of(&record, at(0));
    let (kept, told) = (detail.comparison.unwrap(), detail.story.join("\n"));
    assert_eq!((kept.predictive.pod_hours, kept.reactive.pod_hours), (22.0, 20.0));
    assert_eq!((kept.reactive.short_seconds, kept.reactive.short, kept.allowed), (360.0, 0.05, Some(0.01)));
    assert!(told.contains("The SLO of 99% comes to a price of 42 pods for a moment of shortage."), "{told}");
    assert!(told.contains("the cheapest fleet that holds 99%"), "{told}");
    let expected = "in 2h of load the fleet took 22 pod-hours and was never short, one that got the load as its value 20 \
                    pod-hours and was short for 6m (5%); the SLO allows 1%.";
    assert!(told.contains(expected), "{told}");
}

#[test]
fn shadow_mode_tells_what_would_have_been_published() {
    let mut record = record(predicted(100.0, 150.0), 0);
    let plan =
        Plan { shadow: Some(series::Load::new(165.0).unwrap()), ..record.latest.plan.as_deref().unwrap().clone() };
    record.latest.plan = Ok(Arc::new(plan));
    assert_eq!(Summary::of(&record).shadow, Some(165.0));
    let told = Detail::of(&record, at(0)).story.join("\n");
    assert!(told.contains("Without the shadow mode 165 would have been published."), "{told}");
}

#[test]
fn the_story_of_a_failing_source_says_since_when_and_what_is_held_on_to() {
    let held = story(failing(predicted(100.0, 150.0)), 1200);
    assert!(held.contains("The source has been failing since 22:04:00, for 30m: connection refused."), "{held}");
    assert!(held.contains("Nothing newer came for 20m, so that forecast is read further out"), "{held}");
    let silent = story(failing(outlook(100.0, at(0))), 3600);
    assert!(silent.contains("KEDA gets an error and holds the replica count"), "{silent}");
}

#[test]
fn the_plan_goes_by_the_hours_of_the_clock_as_far_as_the_forecast_does() {
    let detail = Detail::of(&record(predicted(100.0, 150.0), 0), at(0));
    // 22:14 to 22:14 of the next day
    assert_eq!(detail.plan.len(), 25);
    assert_eq!((detail.plan[0].from, detail.plan[0].to), (at(0), at(46 * 60)));
    assert_eq!((detail.plan[24].from, detail.plan[24].to), (at(46 * 60 + 23 * 3600), at(24 * 3600)));
    assert!(detail.plan.iter().all(|hour| hour.pods == 17 && hour.expected == 150.0 && hour.promised == 165.0));
}

#[test]
fn the_bands_of_a_forecast_never_cross() {
    let bands = Detail::of(&record(predicted(100.0, 150.0), 0), at(0)).forecast.unwrap();
    let rising = |place: usize| {
        [
            bands.p05[place],
            bands.p25[place],
            bands.p50[place],
            bands.p75[place],
            bands.p95[place],
            bands.promised[place],
        ]
    };
    assert!((0..bands.at.len()).all(|place| rising(place).is_sorted()));
}

#[test]
fn a_moment_of_the_past_is_told_as_long_as_it_is_kept() {
    let mut record = record(predicted(100.0, 150.0), 0);
    for minute in 1..10 {
        let now = at(60 * minute);
        record.look(snapshot(Outlook { issued: now, ..predicted(100.0, 150.0) }, now), now, 2);
    }
    let moment = Moment::of(&record, at(5 * 60 + 59)).unwrap();
    assert_eq!((moment.at, moment.published, moment.expected), (at(300), Some(165.0), Some(150.0)));
    assert!(moment.story[0].starts_with("At 22:19 no fresh load was known"), "{:?}", moment.story);
    assert_eq!(Moment::of(&record, at(-1)), None);
    assert_eq!(Moment::of(&record, at(600)), None);
}
