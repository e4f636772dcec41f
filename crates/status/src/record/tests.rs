//! A target over time: what its record remembers.

use std::sync::Arc;

use series::{ChoiceReason, FaultKind, ModelName, ModelScore, SourceFault, SourceState, Verdict};

use super::*;
use crate::testing::{self, at, forecast, outlook, snapshot};

fn record(outlook: series::Outlook) -> Record {
    Record::begin(snapshot(outlook, at(0)), Keep { minutes: 60 }, at(0), 1)
}

fn kinds(record: &Record) -> Vec<EventKind> {
    record.events.iter().map(|event| event.kind).collect()
}

/// Looks at the record once a minute, from minute 1 to `minutes`, at a load of `load`.
fn run(record: &mut Record, minutes: i64, load: impl Fn(i64) -> f64) {
    for minute in 1..=minutes {
        let now = at(60 * minute);
        let outlook = series::Outlook { forecast: Ok(Arc::new(forecast(now, 100.0))), ..outlook(load(minute), now) };
        record.look(snapshot(outlook, now), now, 1);
    }
}

#[test]
fn what_was_forecast_for_a_minute_stands_beside_what_came() {
    let mut record = record(outlook(100.0, at(0)));
    run(&mut record, 10, |minute| 100.0 + minute as f64);
    // the lead time is three minutes: the first forecast was made in minute 1, for minute 4
    let expected: Vec<_> = record.rows.iter().map(|row| row.expected.known()).collect();
    assert_eq!(expected[..4], [None; 4]);
    assert_eq!(expected[4..], [Some(100.0); 7]);
    let observed: Vec<_> = record.rows.iter().skip(1).map(|row| row.observed.known()).collect();
    assert_eq!(observed[9], Some(110.0));
    // minutes 4 to 9 are over; persistence was three behind
    let total = record.scores.total();
    assert_eq!((total.compared, total.persistence.mean()), (6, Some(3.0)));
    assert_eq!(total.mean_error(), Some(6.5));
}

#[test]
fn a_load_above_all_that_was_forecast_is_a_level_shift() {
    let mut record = record(outlook(100.0, at(0)));
    run(&mut record, 40, |minute| if minute > 10 { 300.0 } else { 100.0 });
    assert!(kinds(&record).contains(&EventKind::LevelShift), "{:?}", kinds(&record));
    assert!(record.scores.total().coverage().unwrap() < 0.3);
}

#[test]
fn a_source_that_fails_and_comes_back_is_told_with_how_long_it_took() {
    let mut record = record(outlook(100.0, at(0)));
    let fault = SourceFault { kind: FaultKind::Timeout, message: "no answer within 10s".into() };
    let failing = SourceState::Failing { since: at(60), fault };
    for minute in 1..4 {
        let now = at(60 * minute);
        let broken = series::Outlook { source: failing.clone(), ..outlook(100.0, at(0)) };
        record.look(snapshot(broken, now), now, 1);
    }
    record.look(snapshot(outlook(100.0, at(240)), at(240)), at(240), 1);
    assert_eq!(kinds(&record), [EventKind::FirstSeen, EventKind::SourceFailing, EventKind::SourceAnswering]);
    let last = record.events.iter().next_back().unwrap();
    assert_eq!(last.text, "the source answers again after 3m");
}

#[test]
fn an_observation_is_one_of_its_minute_and_not_of_those_after_it() {
    let mut record = record(outlook(100.0, at(0)));
    for minute in 1..4 {
        record.look(snapshot(outlook(100.0, at(0)), at(60 * minute)), at(60 * minute), 1);
    }
    let observed: Vec<_> = record.rows.iter().map(|row| row.observed.known()).collect();
    assert_eq!(observed, [Some(100.0), Some(100.0), None, None]);
}

#[test]
fn a_look_that_shows_nothing_new_changes_nothing() {
    let first = snapshot(outlook(100.0, at(0)), at(0));
    let mut record = Record::begin(first.clone(), Keep::default(), at(0), 1);
    assert!(!record.look(first.clone(), at(5), 2));
    assert_eq!(record.version, 1);
    assert!(record.look(testing::told(first, at(6)), at(6), 3));
    assert_eq!(record.version, 3);
}

#[test]
fn a_demotion_and_its_end_are_events_that_name_the_model() {
    let with = |verdict: Verdict, now| series::Outlook { verdict: Some(Arc::new(verdict)), ..outlook(1.0, now) };
    let chosen = |score| Verdict { model: ModelName::Ridge, reason: ChoiceReason::LeastLoss, scores: vec![score] };
    let score = ModelScore { model: ModelName::Ridge, pinball: 1.0, absolute_error: 1.0 };
    let reason = ChoiceReason::Demoted { model: ModelName::Ridge, since: at(60) };
    let demoted = Verdict { model: ModelName::Persistence, reason, scores: vec![score] };
    let mut record = record(with(chosen(score), at(0)));
    for (seconds, verdict) in [(60, &demoted), (75, &demoted), (660, &chosen(score))] {
        let now = at(seconds);
        record.look(snapshot(with(verdict.clone(), now), now), now, 1);
    }
    assert_eq!(kinds(&record), [EventKind::FirstSeen, EventKind::Demoted, EventKind::Reinstated]);
    let texts: Vec<_> = record.events.iter().skip(1).map(|event| event.text.as_str()).collect();
    assert!(
        texts[0].starts_with("ridge was demoted at 2023-11-14T22:15:00Z") && texts[0].contains("persistence"),
        "{texts:?}"
    );
    assert_eq!(texts[1], "ridge is demoted no more, after 10m: ridge forecasts");
}

#[test]
fn a_model_that_takes_the_place_of_another_is_an_event_and_so_is_a_fit() {
    let mut record = record(testing::with_verdict(outlook(1.0, at(0)), "ridge", 1.0));
    for (seconds, model, pinball) in [(15, "ridge", 2.0), (30, "theta", 2.0), (45, "theta", 2.0)] {
        let now = at(seconds);
        record.look(snapshot(testing::with_verdict(outlook(1.0, now), model, pinball), now), now, 1);
    }
    assert_eq!(kinds(&record), [EventKind::FirstSeen, EventKind::Refit, EventKind::ModelChosen]);
}
