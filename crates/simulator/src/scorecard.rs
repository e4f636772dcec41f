//! [`Scorecard`]: how well a fleet served its load and what it cost, added up over equal stretches of time.

use std::time::Duration;

use policy::Threshold;
use series::Load;

use crate::{Fleet, ReplicaRange};

/// A load beyond capacity by less than this is rounding, not a shortage.
const SLACK: f64 = 1e-9;

/// Sums over the stretches that were recorded.
#[derive(Debug, Clone)]
pub struct Scorecard {
    per_pod: Threshold,
    replicas: ReplicaRange,
    stretch: Duration,
    stretches: u64,
    short_stretches: u64,
    surplus_stretches: u64,
    actions: u64,
    reversals: u64,
    /// Whether the last action added pods.
    last_added: Option<bool>,
    /// Ready and needed pods of the stretch before.
    before: Option<(u32, u32)>,
    unparallel_stretches: u64,
    /// Pod-stretches of this fleet, and of the one that always has exactly enough.
    ordered: u64,
    needed: u64,
    load: f64,
    unmet: f64,
    shortage: f64,
    surplus: f64,
}

/// What a scorecard comes to. Shares run from 0 to 1.
///
/// `θ`, `τ` and `υ` are the elasticity metrics of the SPEC Research Group (Herbst et al., "Ready for Rain?", SPEC-RG-2016-01).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// Share of time with too few Ready pods (`τ_u`).
    pub short_time: f64,
    /// How long there were too few Ready pods.
    pub short: Duration,
    /// Share of time with more Ready pods than needed (`τ_o`).
    pub surplus_time: f64,
    /// Share of the load that went beyond the Ready pods.
    pub unmet_share: f64,
    /// The load that went beyond the Ready pods, in the load's unit × seconds: requests, for requests per second.
    pub unmet: f64,
    /// Hours of pods paid for, Ready or starting.
    pub pod_hours: f64,
    /// The same of the clairvoyant fleet, which always has `⌈load / per pod⌉` Ready pods and pays for no start-up.
    pub clairvoyant_pod_hours: f64,
    /// Scaling actions per hour.
    pub actions_per_hour: f64,
    /// Scaling actions per hour that took back the one before: pods removed after some were added, or the other way round.
    pub reversals_per_hour: f64,
    /// Share of time in which Ready and needed pods did not move in the same direction (instability, `υ`).
    pub instability: f64,
    /// Mean shortage of Ready pods, as a share of those needed (`θ_u`).
    pub mean_shortage: f64,
    /// Mean surplus of Ready pods, as a share of those needed (`θ_o`); can exceed 1.
    pub mean_surplus: f64,
}

impl Scores {
    /// Pod-hours as a multiple of the clairvoyant fleet's.
    pub fn relative_cost(&self) -> f64 {
        self.pod_hours / self.clairvoyant_pod_hours
    }

    /// Elastic speedup over `baseline` (`ε`): the geometric mean of how many times smaller `θ_u`, `θ_o`, `τ_u` and `τ_o` are; above 1
    /// is better than the baseline. What is smaller than a thousandth counts as that, so that a perfect score has one too.
    pub fn elastic_speedup(&self, baseline: &Self) -> f64 {
        let ratio = |of: fn(&Self) -> f64| (of(baseline).max(1e-3) / of(self).max(1e-3)).ln();
        let sum = ratio(|scores| scores.mean_shortage)
            + ratio(|scores| scores.mean_surplus)
            + ratio(|scores| scores.short_time)
            + ratio(|scores| scores.surplus_time);
        (sum / 4.0).exp()
    }
}

impl Scorecard {
    /// An empty card for pods that carry `per_pod` each, of which `replicas` allows so many, recorded every `stretch`.
    pub fn new(per_pod: Threshold, replicas: ReplicaRange, stretch: Duration) -> Self {
        Self {
            per_pod,
            replicas,
            stretch,
            stretches: 0,
            short_stretches: 0,
            surplus_stretches: 0,
            actions: 0,
            reversals: 0,
            last_added: None,
            before: None,
            unparallel_stretches: 0,
            ordered: 0,
            needed: 0,
            load: 0.0,
            unmet: 0.0,
            shortage: 0.0,
            surplus: 0.0,
        }
    }

    /// Records that `fleet` met `load` for one stretch, and by how many pods its size was `changed` at the beginning; returns the
    /// load beyond its Ready pods.
    pub fn record(&mut self, fleet: &Fleet, load: Load, changed: i64) -> f64 {
        let beyond = load.get() - f64::from(fleet.ready()) * self.per_pod.get();
        let unmet = if beyond > SLACK { beyond } else { 0.0 };
        let needed = self.replicas.covering(load, self.per_pod);
        self.stretches += 1;
        self.short_stretches += u64::from(unmet > 0.0);
        self.surplus_stretches += u64::from(fleet.ready() > needed);
        self.act(changed);
        self.move_to(fleet.ready(), needed);
        self.ordered += u64::from(fleet.ordered());
        self.needed += u64::from(needed);
        self.load += load.get();
        self.unmet += unmet;
        self.shortage += f64::from(needed.saturating_sub(fleet.ready())) / f64::from(needed);
        self.surplus += f64::from(fleet.ready().saturating_sub(needed)) / f64::from(needed);
        unmet
    }

    fn act(&mut self, changed: i64) {
        if changed == 0 {
            return;
        }
        let added = changed > 0;
        self.actions += 1;
        self.reversals += u64::from(self.last_added.is_some_and(|before| before != added));
        self.last_added = Some(added);
    }

    fn move_to(&mut self, ready: u32, needed: u32) {
        if let Some((ready_before, needed_before)) = self.before {
            let is_parallel = ready.cmp(&ready_before) == needed.cmp(&needed_before);
            self.unparallel_stretches += u64::from(!is_parallel);
        }
        self.before = Some((ready, needed));
    }

    /// What it comes to so far; `None` before the first stretch.
    pub fn scores(&self) -> Option<Scores> {
        if self.stretches == 0 {
            return None;
        }
        let count = self.stretches as f64;
        let seconds = self.stretch.as_secs_f64();
        let stretch_hours = seconds / 3600.0;
        Some(Scores {
            short_time: self.short_stretches as f64 / count,
            short: self.stretch.saturating_mul(u32::try_from(self.short_stretches).unwrap_or(u32::MAX)),
            surplus_time: self.surplus_stretches as f64 / count,
            unmet_share: if self.load > 0.0 { self.unmet / self.load } else { 0.0 },
            unmet: self.unmet * seconds,
            pod_hours: self.ordered as f64 * stretch_hours,
            clairvoyant_pod_hours: self.needed as f64 * stretch_hours,
            actions_per_hour: self.actions as f64 / (count * stretch_hours),
            reversals_per_hour: self.reversals as f64 / (count * stretch_hours),
            instability: self.unparallel_stretches as f64 / (count - 1.0).max(1.0),
            mean_shortage: self.shortage / count,
            mean_surplus: self.surplus / count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_short_and_a_stretch_over_come_to_their_halves() {
        let per_pod = Threshold::new(10.0).unwrap();
        let mut card = Scorecard::new(per_pod, ReplicaRange::at_least(1), Duration::from_secs(1800));
        assert_eq!(card.scores(), None);
        let fleet = Fleet::new(Duration::ZERO, 4);
        assert_eq!(card.record(&fleet, Load::new(50.0).unwrap(), 1), 10.0);
        assert_eq!(card.record(&fleet, Load::new(20.0).unwrap(), 0), 0.0);
        let scores = card.scores().unwrap();
        assert_eq!((scores.short_time, scores.surplus_time), (0.5, 0.5));
        assert_eq!(scores.short, Duration::from_secs(1800));
        assert_eq!((scores.unmet, scores.unmet_share), (18_000.0, 10.0 / 70.0));
        assert_eq!((scores.pod_hours, scores.clairvoyant_pod_hours), (4.0, 3.5));
        assert_eq!(scores.actions_per_hour, 1.0);
        assert_eq!((scores.mean_shortage, scores.mean_surplus), (0.1, 0.5));
    }

    #[test]
    fn actions_that_take_back_are_counted_apart_and_steps_aside_are_instability() {
        let mut card =
            Scorecard::new(Threshold::new(10.0).unwrap(), ReplicaRange::at_least(1), Duration::from_secs(900));
        // needed 1, 2, 2, 3 and ready 4, 5, 4, 5: only the second of the three steps goes its own way
        for (load, ready, changed) in [(10.0, 4, 0), (20.0, 5, 1), (20.0, 4, -1), (30.0, 5, 1)] {
            card.record(&Fleet::new(Duration::ZERO, ready), Load::new(load).unwrap(), changed);
        }
        let scores = card.scores().unwrap();
        assert_eq!((scores.actions_per_hour, scores.reversals_per_hour), (3.0, 2.0));
        assert!((scores.instability - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn speedup_is_one_over_itself_and_more_over_what_is_worse() {
        let scores = |load: f64| {
            let mut card =
                Scorecard::new(Threshold::new(10.0).unwrap(), ReplicaRange::at_least(1), Duration::from_secs(15));
            for load in [load, 5.0] {
                card.record(&Fleet::new(Duration::ZERO, 2), Load::new(load).unwrap(), 0);
            }
            card.scores().unwrap()
        };
        let (good, bad) = (scores(30.0), scores(60.0));
        assert_eq!(good.elastic_speedup(&good), 1.0);
        // a shortage of 4 of 6 pods instead of 1 of 3, all else the same
        assert!((good.elastic_speedup(&bad) - 2.0_f64.powf(0.25)).abs() < 1e-12);
    }

    #[test]
    fn a_load_without_requests_leaves_none_unmet() {
        let mut card = Scorecard::new(Threshold::new(1.0).unwrap(), ReplicaRange::at_least(1), Duration::from_secs(15));
        card.record(&Fleet::new(Duration::ZERO, 1), Load::ZERO, 0);
        assert_eq!(card.scores().unwrap().unmet_share, 0.0);
    }
}
