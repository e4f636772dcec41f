//! [`Record`]: what one target was, in as much memory for each target as for any other.

mod amount;
mod event;
mod excursion;
mod foretold;
mod row;
mod score;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::time::Duration;

use scaler::Snapshot;
use series::{Step, Timestamp};

pub(crate) use amount::Amount;
pub use event::{Event, EventKind};
pub(crate) use event::{Events, span};
pub(crate) use row::Rows;
pub(crate) use score::{Score, Scores};

use excursion::Excursion;
use foretold::{Foretold, Pending};

/// An observation is one of its minute up to this age: sources are asked every minute at least.
const CURRENT: Duration = Duration::from_secs(90);

/// How much is kept of each target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// How many minutes, at least 1.
    pub minutes: usize,
}

impl Default for Keep {
    /// Six hours: a shift of an operator, and 12 kB a target.
    fn default() -> Self {
        Self { minutes: 6 * 60 }
    }
}

/// What one target was, and what it is.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) latest: Snapshot,
    pub(crate) rows: Rows,
    pub(crate) scores: Scores,
    pub(crate) events: Events,
    pub(crate) first_seen: Timestamp,
    pending: Pending,
    /// What had been forecast for the newest row.
    due: Option<Foretold>,
    excursion: Excursion,
    /// Counts what was seen in all records when this one changed last.
    pub(crate) version: u64,
}

impl Record {
    /// A record that begins with the first look at a target.
    pub(crate) fn begin(snapshot: Snapshot, keep: Keep, now: Timestamp, version: u64) -> Self {
        let mut events = Events::default();
        events.note(now, EventKind::FirstSeen, "KEDA asked for it for the first time since this process started");
        let mut record = Self {
            rows: Rows::new(Step::MINUTE, keep.minutes),
            scores: Scores::default(),
            events,
            first_seen: now,
            pending: Pending::default(),
            due: None,
            excursion: Excursion::default(),
            version,
            latest: snapshot,
        };
        record.write(now);
        if let Some(recent) = &record.latest.outlook.recent {
            record.rows.fill_before(recent);
        }
        record
    }

    /// Takes in another look; tells whether it showed anything new.
    pub(crate) fn look(&mut self, snapshot: Snapshot, now: Timestamp, version: u64) -> bool {
        let is_new = differs(&self.latest, &snapshot);
        let is_next_minute = self.rows.newest().is_none_or(|(newest, _)| newest < Step::MINUTE.floor(now));
        if !is_new && !is_next_minute {
            return false;
        }
        self.events.compare(&self.latest, &snapshot, now);
        let had_history = self.latest.outlook.recent.is_some();
        self.latest = snapshot;
        if let (false, Some(recent)) = (had_history, &self.latest.outlook.recent) {
            self.rows.fill_before(recent);
        }
        if is_next_minute {
            self.close(now);
        }
        self.write(now);
        self.version = version;
        true
    }

    /// Scores the newest row, before the next one begins.
    fn close(&mut self, now: Timestamp) {
        let Some((time, row)) = self.rows.newest() else { return };
        if let (Some(observed), Some(foretold)) = (row.observed.known(), self.due.take()) {
            self.scores.add(time, observed, &foretold);
            self.excursion.follow(observed, &foretold, now, &mut self.events);
        }
    }

    /// Writes what is known now into the row of this minute, and keeps what is forecast for a lead time ahead.
    fn write(&mut self, now: Timestamp) {
        let Snapshot { target, outlook, plan, replicas, .. } = &self.latest;
        let minute = self.rows.step().floor(now);
        let is_first_look = self.rows.newest().is_none_or(|(newest, _)| newest < minute);
        let Some(row) = self.rows.begin(now) else { return };
        if is_first_look {
            self.due = self.pending.due(minute);
            row.expected = self.due.map(|due| due.expected).into();
            row.promised = self.due.map(|due| due.promised).into();
        }
        let seen = outlook.observation.as_ref().ok();
        let current = seen.filter(|seen| seen.at.saturating_add(CURRENT).is_ok_and(|end| end >= now));
        row.observed = current.map(|seen| seen.load).into();
        let plan = plan.as_deref().ok();
        row.predicted = plan.and_then(|plan| plan.predicted).into();
        row.demand = plan.map(|plan| plan.demand).into();
        row.published = plan.map(|plan| plan.value).into();
        row.replicas = replicas.and_then(NonZeroU32::new);
        row.set_reason(plan.map_or("", |plan| plan.reason.label()));
        row.model = outlook.forecast.as_ref().ok().map(|forecast| forecast.model());
        if is_first_look {
            let observed = row.observed;
            if let Ok(due) = now.checked_add(target.request.lead_time)
                && let Some(foretold) = Foretold::by(outlook, due, target.service_level.quantile(), observed)
            {
                self.pending.keep(self.rows.step(), due, foretold);
            }
        }
    }
}

/// Whether two looks at one target show different things.
fn differs(before: &Snapshot, after: &Snapshot) -> bool {
    let same_plan = match (&before.plan, &after.plan) {
        (Ok(old), Ok(new)) => std::sync::Arc::ptr_eq(old, new),
        (old, new) => old == new,
    };
    !same_plan
        || !std::sync::Arc::ptr_eq(&before.outlook, &after.outlook)
        || before.replicas != after.replicas
        || before.told.as_ref().map(|told| told.at) != after.told.as_ref().map(|told| told.at)
}
