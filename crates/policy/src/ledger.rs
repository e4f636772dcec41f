//! [`Ledger`]: what forecasts cost and save, beside plain reactive scaling.

use serde::{Deserialize, Serialize};
use series::{Load, Outlook, Timestamp};

use crate::samples::Samples;
use crate::track::{Stood, Track};
use crate::{FleetEstimate, Target};

/// How a fleet that got the predictive values stood against the load that came, beside one that got the load itself.
///
/// Both are estimates: they follow the HPA's arithmetic with the cluster's defaults, without the limits of the `ScaledObject`, and their pods
/// are Ready a lead time after they were ordered. The comparison is fair all the same, since both are estimated alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Since when it is kept.
    pub since: Timestamp,
    /// Seconds of load that were compared.
    pub seconds: f64,
    /// With the values that are published, or would be in `mode: shadow`.
    pub predictive: Tally,
    /// With the load as the value, which is what a `prometheus` trigger gives.
    pub reactive: Tally,
}

/// How one fleet stood.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Pods ordered, times seconds.
    pub pod_seconds: f64,
    /// Seconds with fewer Ready pods than the load took.
    pub short_seconds: f64,
}

/// Keeps a [`Comparison`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ledger {
    comparison: Comparison,
    predictive: Side,
    reactive: Side,
    samples: Samples,
}

#[derive(Debug, Clone, PartialEq)]
struct Side {
    track: Track,
    /// What its HPA gets; `None` where that is an error.
    value: Option<Load>,
}

impl Ledger {
    /// A ledger with nothing in it, whose fleets are as large as the real one.
    pub(crate) fn begin(fleet: &FleetEstimate, now: Timestamp) -> Self {
        let (predictive, reactive) = (Tally::default(), Tally::default());
        Self::resumed(Comparison { since: now, seconds: 0.0, predictive, reactive }, fleet, now)
    }

    /// Goes on with `comparison` at `now`.
    pub(crate) fn resumed(comparison: Comparison, fleet: &FleetEstimate, now: Timestamp) -> Self {
        let side = Side { track: Track::of(fleet.clone(), now), value: None };
        Self { comparison, predictive: side.clone(), reactive: side, samples: Samples { counted: now } }
    }

    /// Takes over a comparison that others have kept.
    pub(crate) fn adopt(&mut self, comparison: Comparison) {
        self.comparison = comparison;
    }

    /// What was compared so far.
    pub(crate) fn comparison(&self) -> Comparison {
        self.comparison
    }

    /// The fleet that follows the predictive values.
    pub(crate) fn predictive(&self) -> &FleetEstimate {
        &self.predictive.track.fleet
    }

    /// Lets both HPAs sync up to `now`.
    pub(crate) fn sync(&mut self, now: Timestamp) {
        self.predictive.sync(now);
        self.reactive.sync(now);
    }

    /// Takes in the values of this moment, and the load that has come.
    pub(crate) fn enter(
        &mut self,
        predictive: Option<Load>,
        reactive: Option<Load>,
        outlook: &Outlook,
        target: &Target,
    ) {
        (self.predictive.value, self.reactive.value) = (predictive, reactive);
        if let Some(seen) = self.samples.next(outlook, target) {
            self.comparison.seconds += target.request.step.duration().as_secs_f64();
            self.comparison.predictive.add(self.predictive.track.stood(target, seen.load, seen.at));
            self.comparison.reactive.add(self.reactive.track.stood(target, seen.load, seen.at));
        }
    }
}

impl Side {
    fn sync(&mut self, now: Timestamp) {
        if self.track.fleet.is_due(now) {
            match self.value {
                Some(value) => self.track.follow(value, now),
                None => self.track.fleet.hold(now),
            }
        }
    }
}

impl Tally {
    fn add(&mut self, stood: Stood) {
        self.pod_seconds += stood.pod_seconds;
        self.short_seconds += stood.short;
    }
}
