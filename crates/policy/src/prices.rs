//! [`Prices`]: what a shortage must cost for the service level to be held.
//!
//! `slo: "99.5%"` says for what share of time there may be too few pods, not what a shortage costs. The price that comes to that share is different
//! for every load and HPA, so it is found by trying: a fleet is rehearsed at each of a row of prices, on the real forecasts, through the
//! same arithmetic as the real one, and the load that comes shows how often it was too small. The price in force is read off between the two
//! whose shares lie around what is allowed. All prices learn from every sample, so there is no loop to swing, and a change of the
//! service level needs no new learning.
//!
//! Shares below a percent are seen rarely. So the share of a price is what its fleet expected by its forecasts, corrected by how much more or less
//! came (see [`Rehearsal::seconds_short`]); what was seen fades with a half-life of two weeks.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use series::{Load, Outlook, Timestamp};

use crate::plan::fresh;
use crate::rehearsal::{Experience, Rehearsal};
use crate::risk::Risk;
use crate::samples::Samples;
use crate::{ServiceLevel, Target};

/// The prices, in fleets of the mean size: from [`LEAST`] on, each [`RATIO`] times the one before.
const COUNT: usize = 18;
const LEAST: f64 = 0.2;
const RATIO: f64 = 1.8;
/// How fast the past fades.
const HALF_LIFE: Duration = Duration::from_hours(14 * 24);
/// So much of shortage is taken to have come just as expected, at the beginning.
const TRUST: Duration = Duration::from_mins(20);
/// Before so long no price is told: a night says little of a day.
const LEAST_TIME: Duration = Duration::from_hours(24);

/// A row of prices, each with the fleet that is rehearsed at it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prices {
    rehearsals: Vec<Rehearsal>,
    span: Span,
    samples: Samples,
    /// What the newest decision was made from.
    origin: Timestamp,
}

/// The time that the prices were learned in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Span {
    /// Seconds that were scored; they fade as what was counted in them.
    seconds: f64,
    /// The mean load in pods, over the same time.
    mean_pods: f64,
}

/// What a row of prices has learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lessons {
    span: Span,
    counted: Timestamp,
    experiences: Vec<Experience>,
}

impl Prices {
    /// Prices of which nothing is known at `now`; `None` before anything was observed.
    pub(crate) fn begin(outlook: &Outlook, target: &Target, now: Timestamp) -> Option<Self> {
        let load = outlook.observation.as_ref().ok()?.load;
        let rehearsals = vec![Rehearsal::new(target, load, now); COUNT];
        let span = Span { seconds: 0.0, mean_pods: (load.get() / target.threshold.get()).max(1.0) };
        Some(Self { rehearsals, span, samples: Samples { counted: now }, origin: Timestamp::MIN })
    }

    /// Goes on at `now` from what was learned; `None` where that was of another row of prices.
    pub(crate) fn resumed(lessons: &Lessons, target: &Target, now: Timestamp) -> Option<Self> {
        let resumed = |experience: &Experience| Rehearsal::resumed(target, *experience, now);
        let rehearsals: Vec<_> = lessons.experiences.iter().map(resumed).collect();
        let (span, samples) = (lessons.span, Samples { counted: lessons.counted });
        (rehearsals.len() == COUNT).then_some(Self { rehearsals, span, samples, origin: Timestamp::MIN })
    }

    /// Takes over what others have learned; the fleets go on as they are.
    pub(crate) fn adopt(&mut self, lessons: &Lessons) {
        if lessons.experiences.len() == COUNT {
            (self.span, self.samples.counted) = (lessons.span, lessons.counted);
            for (rehearsal, experience) in self.rehearsals.iter_mut().zip(&lessons.experiences) {
                rehearsal.adopt(*experience);
            }
        }
    }

    /// What was learned.
    pub(crate) fn lessons(&self) -> Lessons {
        let experiences = self.rehearsals.iter().map(Rehearsal::experience).collect();
        Lessons { span: self.span, counted: self.samples.counted, experiences }
    }

    /// Learns what an `outlook` tells at `now`; `risk` is that of its forecast.
    pub(crate) fn learn(&mut self, outlook: &Outlook, target: &Target, risk: Option<&Risk>, now: Timestamp) {
        self.score(outlook, target);
        if let (Ok(forecast), Some(risk)) = (&outlook.forecast, risk)
            && forecast.origin() != self.origin
        {
            self.origin = forecast.origin();
            for (place, rehearsal) in self.rehearsals.iter_mut().enumerate() {
                rehearsal.decide(risk, self.span.mean_pods * price(place), now);
            }
        }
        let observed = fresh(outlook, target, now).unwrap_or(Load::ZERO);
        for rehearsal in &mut self.rehearsals {
            rehearsal.sync(target, observed, now);
        }
    }

    /// Scores the step that the newest observation speaks of, if it is not one that was scored.
    fn score(&mut self, outlook: &Outlook, target: &Target) {
        if self.origin == Timestamp::MIN {
            return;
        }
        let Some(seen) = self.samples.next(outlook, target) else { return };
        let step = target.request.step.duration().as_secs_f64();
        let fade = 0.5_f64.powf(step / HALF_LIFE.as_secs_f64());
        let Span { seconds, mean_pods } = &mut self.span;
        *seconds = *seconds * fade + step;
        let pods = (seen.load.get() / target.threshold.get()).max(1.0);
        *mean_pods += (pods - *mean_pods) * (step / *seconds);
        for rehearsal in &mut self.rehearsals {
            rehearsal.score(target, seen.load, seen.at, fade);
        }
    }

    /// The price of a shortage, in pods, at which there are too few for the share of time that `level` allows; `None` where that is not what it says, and
    /// while too little is known.
    pub(crate) fn price(&self, level: ServiceLevel) -> Option<f64> {
        let ServiceLevel::Slo(share) = level else { return None };
        (self.span.seconds >= LEAST_TIME.as_secs_f64()).then(|| self.span.mean_pods * self.holding(1.0 - share.get()))
    }

    /// The price, in fleets, whose share of time with too few pods is `allowed`, on straight lines between the logarithms of both.
    fn holding(&self, allowed: f64) -> f64 {
        let mut shares = Vec::with_capacity(COUNT);
        let mut fewest = f64::INFINITY;
        for rehearsal in &self.rehearsals {
            let share = rehearsal.experience().seconds_short(TRUST) / self.span.seconds;
            // what costs more is short no more often
            fewest = fewest.min(share.max(f64::MIN_POSITIVE));
            shares.push(fewest);
        }
        let enough = shares.partition_point(|&share| share > allowed);
        match (enough.checked_sub(1), shares.get(enough)) {
            (None, _) => price(0),
            (Some(dearest), None) => price(dearest),
            (Some(cheaper), Some(&right)) => {
                let left = shares[cheaper];
                let part = (left / allowed).ln() / (left / right).ln();
                price(cheaper) * RATIO.powf(part)
            }
        }
    }
}

/// The price at `place` of the row, in fleets.
fn price(place: usize) -> f64 {
    LEAST * RATIO.powi(i32::try_from(place).unwrap_or(i32::MAX))
}
