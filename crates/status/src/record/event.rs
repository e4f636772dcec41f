//! [`Event`]: what changed with a target, told once and in words.

use std::collections::VecDeque;
use std::time::Duration;

use scaler::{Readable, Snapshot};
use serde::Serialize;
use series::{ChoiceReason, ModelName, SourceState, Timestamp, Verdict};
use utoipa::ToSchema;

/// Something that happened to a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Event {
    /// When it was noticed.
    pub at: Timestamp,
    /// What kind of event it is.
    pub kind: EventKind,
    /// What happened, for people; free of secrets.
    pub text: String,
}

/// The kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// KEDA asked for the target for the first time.
    FirstSeen,
    /// The source stopped answering usably, or fails in another way than before.
    SourceFailing,
    /// The source answers again.
    SourceAnswering,
    /// A model was chosen for the first time, or another one was.
    ModelChosen,
    /// The model in force was fitted anew.
    Refit,
    /// The chosen model's forecasts came out worse than plain ones, and a plain one stands in for it.
    Demoted,
    /// It has earned its place again.
    Reinstated,
    /// What the demand rests on is worse than it was: an old forecast, or none.
    Weakened,
    /// It is as good as it should be again.
    Restored,
    /// KEDA gets an error, and holds the replica count.
    NoAnswer,
    /// The load has been outside of nearly all that was forecast for a while.
    LevelShift,
    /// It is back inside.
    LevelShiftEnded,
}

/// The newest events, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Events(VecDeque<Event>);

/// What an operator scrolls through.
const MOST: usize = 64;

impl Events {
    pub(crate) fn note(&mut self, at: Timestamp, kind: EventKind, text: impl Into<String>) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(Event { at, kind, text: text.into() });
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.0.iter()
    }

    /// Notes what changed from one look at a target to the next.
    pub(crate) fn compare(&mut self, before: &Snapshot, after: &Snapshot, now: Timestamp) {
        self.compare_sources(&before.outlook.source, &after.outlook.source, now);
        let (old, new) = (before.outlook.verdict.as_deref(), after.outlook.verdict.as_deref());
        self.compare_verdicts(old, new, now);
        self.compare_footings(Footing::of(before), Footing::of(after), after, now);
    }

    fn compare_sources(&mut self, before: &SourceState, after: &SourceState, now: Timestamp) {
        match (before, after) {
            (SourceState::Failing { fault: known, .. }, SourceState::Failing { fault, .. })
                if known.kind == fault.kind => {}
            (_, SourceState::Failing { fault, .. }) => {
                self.note(now, EventKind::SourceFailing, format!("the source fails: {fault}"));
            }
            (SourceState::Failing { since, .. }, SourceState::Answering) => {
                let text = format!("the source answers again after {}", span(*since, now));
                self.note(now, EventKind::SourceAnswering, text);
            }
            _ => {}
        }
    }

    fn compare_verdicts(&mut self, before: Option<&Verdict>, after: Option<&Verdict>, now: Timestamp) {
        match (before, after) {
            (None, Some(new)) => {
                self.note(now, EventKind::ModelChosen, format!("{} forecasts: {}", new.model, new.reason));
            }
            (Some(old), Some(new)) if demoted(old) != demoted(new) => match (demoted(old), demoted(new)) {
                // of a stand-in nobody has scores: it is told who it stands in for, and why
                (_, Some((model, since))) => {
                    let text = format!(
                        "{model} was demoted at {since:.0}: its forecasts came out worse than those of {}, which stands in for it",
                        new.model
                    );
                    self.note(now, EventKind::Demoted, text);
                }
                (Some((model, since)), None) => {
                    let text =
                        format!("{model} is demoted no more, after {}: {} forecasts", span(since, now), new.model);
                    self.note(now, EventKind::Reinstated, text);
                }
                (None, None) => {}
            },
            (Some(old), Some(new)) if old.model != new.model => {
                let text = format!("{} forecasts in place of {}: {}", new.model, old.model, new.reason);
                self.note(now, EventKind::ModelChosen, text);
            }
            // scores of another fit are never the same to the last bit
            (Some(old), Some(new)) if old != new => {
                self.note(now, EventKind::Refit, format!("{} was fitted anew", new.model));
            }
            _ => {}
        }
    }

    fn compare_footings(&mut self, before: Footing, after: Footing, now_is: &Snapshot, now: Timestamp) {
        if before == after {
            return;
        }
        let why = || match &now_is.plan {
            Ok(plan) => plan.reason.to_string(),
            Err(no_plan) => no_plan.to_string(),
        };
        match after {
            Footing::Starting => {}
            Footing::Sound if before == Footing::Starting => {}
            Footing::Sound => self.note(now, EventKind::Restored, format!("as it should be again: {}", why())),
            Footing::Weak => self.note(now, EventKind::Weakened, format!("the demand rests on less: {}", why())),
            Footing::None => self.note(now, EventKind::NoAnswer, format!("KEDA gets an error and holds: {}", why())),
        }
    }
}

/// The model that is demoted, and since when.
fn demoted(verdict: &Verdict) -> Option<(ModelName, Timestamp)> {
    match verdict.reason {
        ChoiceReason::Demoted { model, since } => Some((model, since)),
        _ => None,
    }
}

/// How well founded what is published is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Footing {
    /// Nothing is known yet.
    Starting,
    /// On what the user asked for.
    Sound,
    /// On an old forecast, or on none where one was asked for.
    Weak,
    /// On nothing: KEDA gets an error.
    None,
}

impl Footing {
    fn of(snapshot: &Snapshot) -> Self {
        match &snapshot.plan {
            Err(policy::NoPlan::NotYet) => Self::Starting,
            Err(_) => Self::None,
            Ok(plan) => match plan.reason.label() {
                // a young history makes no forecast yet: that is a beginning and no fall
                "no_forecast" if snapshot.outlook.verdict.is_none() => Self::Starting,
                "no_forecast" | "last_forecast" | "forecast_ended" => Self::Weak,
                _ => Self::Sound,
            },
        }
    }
}

/// From `then` to `now`, in whole seconds.
pub(crate) fn span(then: Timestamp, now: Timestamp) -> Readable {
    let seconds = u64::try_from(now.as_second().saturating_sub(then.as_second())).unwrap_or(0);
    Readable(Duration::from_secs(seconds))
}
