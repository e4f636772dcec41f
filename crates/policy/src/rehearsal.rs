//! [`Rehearsal`]: one price tried out beside the real thing, on a fleet that exists in memory only.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use series::{Load, Timestamp};

use crate::risk::Risk;
use crate::sizing::size;
use crate::track::Track;
use crate::{FleetEstimate, HPA_SYNC, Target, dead_band};

/// A fleet that was sized at one price all along, and how often it was too small.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rehearsal {
    track: Track,
    /// How many pods it asks for.
    asked: u32,
    /// When pods ordered at past decisions were to be Ready, and how likely they were to be too few.
    foretold: VecDeque<(Timestamp, f64)>,
    experience: Experience,
}

/// What one price is known to lead to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Experience {
    /// Seconds with too few Ready pods, and those that were expected; both fade.
    short: f64,
    expected: f64,
    /// The pods of its fleet.
    count: u32,
}

impl Rehearsal {
    /// A fleet that a reactive HPA would hold at `now` for `load`.
    pub(crate) fn new(target: &Target, load: Load, now: Timestamp) -> Self {
        let fleet = FleetEstimate::sized_for(load, target.threshold, target.hpa_tolerance, now);
        let count = fleet.replicas();
        Self::resumed(target, Experience { short: 0.0, expected: 0.0, count }, now)
    }

    /// One that goes on from `experience`; what was under way is not remembered.
    pub(crate) fn resumed(target: &Target, experience: Experience, now: Timestamp) -> Self {
        let fleet = FleetEstimate::of_pods(experience.count, target.threshold, target.hpa_tolerance, now);
        let asked = fleet.replicas();
        Self { track: Track::of(fleet, now), asked, foretold: VecDeque::new(), experience }
    }

    /// What is known of its price.
    pub(crate) fn experience(&self) -> Experience {
        Experience { count: self.track.fleet.replicas(), ..self.experience }
    }

    /// Goes on with what others have seen of its price.
    pub(crate) fn adopt(&mut self, Experience { short, expected, .. }: Experience) {
        (self.experience.short, self.experience.expected) = (short, expected);
    }

    /// Decides anew at `price`.
    pub(crate) fn decide(&mut self, risk: &Risk, price: f64, now: Timestamp) {
        let sizing = size(risk, &self.track.fleet, price, now);
        self.asked = sizing.pods;
        if let Ok(ready) = now.checked_add(risk.after(risk.lead()) + HPA_SYNC) {
            self.foretold.push_back((ready, sizing.shortage));
        }
    }

    /// Lets its HPA sync at `now`, if it is time for that: it asks, and is told what is asked for now, or the load `observed` where that is more.
    pub(crate) fn sync(&mut self, target: &Target, observed: Load, now: Timestamp) {
        if !self.track.fleet.is_due(now) {
            return;
        }
        let demand = dead_band::carrying(self.asked, target.threshold).max(observed);
        let value = dead_band::publish(demand, target.threshold, &self.track.fleet).0;
        self.track.follow(value, now);
    }

    /// Holds its Ready pods against the `load` of the step up to `until`; what was before counts `fade` as much.
    pub(crate) fn score(&mut self, target: &Target, load: Load, until: Timestamp, fade: f64) {
        let seconds = target.request.step.duration().as_secs_f64();
        let Experience { short, expected, .. } = &mut self.experience;
        *short = *short * fade + self.track.stood(target, load, until).short;
        *expected *= fade;
        while let Some((_, chance)) = self.foretold.pop_front_if(|(due, _)| *due <= until) {
            *expected += seconds * chance;
        }
    }
}

impl Experience {
    /// The seconds with too few pods, as far as so few are known: those expected, times `(short + c) / (expected + c)`.
    ///
    /// `c` is the `trust` in the expectation, less where it was exceeded: forecasts that are too sure of themselves must not vouch for themselves.
    pub(crate) fn seconds_short(&self, trust: Duration) -> f64 {
        let exceeded = if self.short > self.expected { self.expected / self.short } else { 1.0 };
        let trust = trust.as_secs_f64() * exceeded.max(f64::MIN_POSITIVE);
        self.expected * (self.short + trust) / (self.expected + trust)
    }
}
