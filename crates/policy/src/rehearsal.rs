//! [`Rehearsal`]: one price tried out beside the real thing, on a fleet that exists in memory only.

use std::collections::VecDeque;
use std::time::Duration;

use series::{Load, Timestamp};

use crate::risk::Risk;
use crate::sizing::size;
use crate::{FleetEstimate, HPA_SYNC, Target, dead_band};

/// A step is looked at no more often than this.
const MOST_LOOKS: u32 = 20;

/// A fleet that was sized at one price all along, and how often it was too small.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rehearsal {
    fleet: FleetEstimate,
    /// How many pods it asks for.
    asked: u32,
    /// When the count changed, and to what: from before the longest lead time that is still looked at.
    counts: VecDeque<(Timestamp, u32)>,
    /// When pods ordered at past decisions were to be Ready, and how likely they were to be too few.
    foretold: VecDeque<(Timestamp, f64)>,
    /// Seconds with too few Ready pods, and those that were expected; both fade.
    short: f64,
    expected: f64,
}

impl Rehearsal {
    /// A fleet that a reactive HPA would hold at `now` for `load`.
    pub(crate) fn new(target: &Target, load: Load, now: Timestamp) -> Self {
        let fleet = FleetEstimate::sized_for(load, target.threshold, target.hpa_tolerance, now);
        let count = fleet.replicas();
        let (counts, foretold) = (VecDeque::from([(now, count)]), VecDeque::new());
        Self { fleet, asked: count, counts, foretold, short: 0.0, expected: 0.0 }
    }

    /// Decides anew at `price`.
    pub(crate) fn decide(&mut self, risk: &Risk, price: f64, now: Timestamp) {
        let sizing = size(risk, &self.fleet, price, now);
        self.asked = sizing.pods;
        if let Ok(ready) = now.checked_add(risk.after(risk.lead()) + HPA_SYNC) {
            self.foretold.push_back((ready, sizing.shortage));
        }
    }

    /// Lets its HPA sync at `now`, if it is time for that: it asks, and is told what is asked for now, or the load `observed` where that is more.
    pub(crate) fn sync(&mut self, target: &Target, observed: Load, now: Timestamp) {
        if !self.fleet.is_due(now) {
            return;
        }
        let demand = dead_band::carrying(self.asked, target.threshold).max(observed);
        let value = dead_band::publish(demand, target.threshold, &self.fleet).0;
        self.fleet.follow(value, now);
        let count = self.fleet.replicas();
        if self.counts.back().is_none_or(|&(_, before)| before != count) {
            self.counts.push_back((now, count));
        }
    }

    /// Holds its Ready pods against the `load` of the `step` up to `until`; what was before counts `fade` as much.
    pub(crate) fn score(&mut self, target: &Target, load: Load, until: Timestamp, step: Duration, fade: f64) {
        let seconds = step.as_secs_f64();
        let looks = u32::try_from(step.as_secs() / HPA_SYNC.as_secs()).unwrap_or(u32::MAX).clamp(1, MOST_LOOKS);
        let needed = self.fleet.needed(load);
        let short = (0..looks).filter(|&look| {
            until
                .checked_sub(step * (looks - look) / looks)
                .is_ok_and(|at| self.ready_at(at, target.request.lead_time) < needed)
        });
        self.short = self.short * fade + seconds * short.count() as f64 / f64::from(looks);
        self.expected *= fade;
        while let Some((_, chance)) = self.foretold.pop_front_if(|(due, _)| *due <= until) {
            self.expected += seconds * chance;
        }
        self.forget(until, target.request.lead_time + 2 * step);
    }

    /// The seconds with too few pods, as far as so few are known: those expected, times `(short + c) / (expected + c)`.
    ///
    /// `c` is the `trust` in the expectation, less where it was exceeded: forecasts that are too sure of themselves must not vouch for themselves.
    pub(crate) fn seconds_short(&self, trust: Duration) -> f64 {
        let exceeded = if self.short > self.expected { self.expected / self.short } else { 1.0 };
        let trust = trust.as_secs_f64() * exceeded.max(f64::MIN_POSITIVE);
        self.expected * (self.short + trust) / (self.expected + trust)
    }

    /// The pods that were Ready at `time`: no more than were ordered at any moment of the lead time before.
    fn ready_at(&self, time: Timestamp, lead_time: Duration) -> u32 {
        let from = time.checked_sub(lead_time).unwrap_or(Timestamp::MIN);
        let begun = self.counts.partition_point(|&(at, _)| at <= from).saturating_sub(1);
        let within = self.counts.range(begun..).take_while(|(at, _)| *at <= time);
        within.map(|&(_, count)| count).min().unwrap_or_else(|| self.fleet.replicas())
    }

    fn forget(&mut self, now: Timestamp, after: Duration) {
        let from = now.checked_sub(after).unwrap_or(Timestamp::MIN);
        while self.counts.get(1).is_some_and(|&(at, _)| at <= from) {
            self.counts.pop_front();
        }
    }
}
