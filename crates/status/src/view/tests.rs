//! What is shown of a target, in its states.

use std::sync::Arc;

use series::{FaultKind, Outlook, SourceFault, SourceState};

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
    assert_eq!((summary.compared, summary.coverage, summary.skill_over_persistence), (0, None, None));
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
         No forecast has come due yet."
    );
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
