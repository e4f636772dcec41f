//! How Prescale did beside what people run today, and beside the best that anybody could.

use std::time::Duration;

use policy::ServiceLevel;
use simulator::{Behavior, Course, Family, HpaSettings, ReplicaRange, Scores, Trial, gap_closed};

use super::walk::Walk;
use super::worst::{Moment, worst};

/// The first days are for learning, and not scored.
pub(super) const WARM_UP: Duration = Duration::from_hours(3 * 24);

/// So many of the worst moments are told.
const MOST_MOMENTS: usize = 5;

/// What all runs share.
#[derive(Debug, Clone)]
pub(super) struct Workload {
    pub(super) threshold: policy::Threshold,
    pub(super) start_up: simulator::StartUp,
    pub(super) tolerance: f64,
    pub(super) replicas: ReplicaRange,
}

impl Workload {
    /// The workload against `course`, scored after the warm-up.
    pub(super) fn trial<'a>(&self, course: &'a Course) -> Trial<'a> {
        let from = course.grid().tick_after(WARM_UP);
        let hpa = HpaSettings::defaults(self.threshold, self.replicas).with_tolerance(self.tolerance);
        Trial { hpa, ..Trial::new(course, from, self.threshold, self.start_up.clone()) }
    }
}

/// All the scores.
#[derive(Debug)]
pub(super) struct Comparison {
    /// A plain HPA with the threshold as its target.
    pub(super) today: Scores,
    /// What is tuned in hindsight.
    pub(super) families: Vec<Family>,
    /// One per service level, in the order they were asked.
    pub(super) outcomes: Vec<Outcome>,
}

/// How Prescale did at one service level.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) level: ServiceLevel,
    pub(super) scores: Scores,
    /// Ready pods of each tick that counts.
    pub(super) ready: Vec<u32>,
    /// The worst moments, worst first.
    pub(super) worst: Vec<Moment>,
    /// The same shortage by the others, where they reach it.
    pub(super) matched: Matched,
}

/// What others cost at the shortage that Prescale had, relative to the clairvoyant fleet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matched {
    /// The cheapest of what people run today, tuned in hindsight.
    pub(super) best: Option<(Behavior, f64)>,
    pub(super) limit: Option<f64>,
    /// The share of the way from the best to the limit that Prescale goes.
    pub(super) gap_closed: Option<f64>,
}

impl Outcome {
    /// The share of time that may be short: what the service level leaves.
    pub(super) fn allowed(&self) -> f64 {
        1.0 - self.level.quantile().get()
    }
}

impl Comparison {
    /// Runs everything; `None` where no tick is left after the warm-up.
    pub(super) fn run(trial: &Trial<'_>, walk: &Walk, levels: &[ServiceLevel]) -> Option<Self> {
        let today = Behavior::Reactive.run(trial, 1.0, |_, _| ())?;
        let families: Vec<Family> = Behavior::ALL.iter().filter_map(|behavior| behavior.family(trial)).collect();
        let outcomes = walk.published.iter().zip(levels).filter_map(|(published, &level)| {
            let mut ready = Vec::with_capacity(trial.ticks().len());
            let scores = trial.run(trial.per_pod, |tick| published.values[tick], |_, tick| ready.push(tick.ready))?;
            let worst = worst(trial, &ready, published, MOST_MOMENTS);
            let matched = Matched::at(&families, &scores);
            Some(Outcome { level, scores, ready, worst, matched })
        });
        let outcomes = outcomes.collect();
        Some(Self { today, families, outcomes })
    }

    /// One behavior at every setting.
    pub(super) fn family(&self, behavior: Behavior) -> Option<&Family> {
        self.families.iter().find(|family| family.behavior == behavior)
    }
}

impl Matched {
    fn at(families: &[Family], scores: &Scores) -> Self {
        let short_time = scores.short_time;
        let costs = families.iter().filter_map(|family| Some((family.behavior, family.cost_at(short_time)?)));
        let (limits, others): (Vec<_>, Vec<_>) = costs.partition(|&(behavior, _)| behavior == Behavior::Limit);
        let best = others.into_iter().min_by(|a, b| a.1.total_cmp(&b.1));
        let limit = limits.first().map(|&(_, cost)| cost);
        let gap_closed = best.zip(limit).and_then(|((_, best), limit)| gap_closed(scores.relative_cost(), best, limit));
        Self { best, limit, gap_closed }
    }
}
