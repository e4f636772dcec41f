//! [`size`]: the count of pods to ask for, where a pod costs one and a shortage its price.
//!
//! A decision binds the HPA for a while: a count that was recommended once is held for the stabilization window, and small changes are
//! ignored. So the count is not read off one quantile. Among the counts that the HPA would follow, that one is taken for which
//!
//! ```text
//!   Σ pods(s)  over the time that a recommendation made now is held
//! + price · Σ P(load(t) > what the Ready pods carry)  over the times that it has a say in
//! ```
//!
//! is least, given what earlier recommendations hold anyway and what later ones will ask for by today's knowledge. That is the Lagrangian of
//! "as few pod-hours as possible, too few pods for no more than so much of the time": at one price, the last pod takes away the same
//! chance of a shortage at every hour, so pods go where they help most (Boyd and Vandenberghe, Convex Optimization, 2004, 5.5).

use series::Timestamp;

use crate::FleetEstimate;
use crate::risk::Risk;

/// A rise beyond what is wanted by so much, as a share of it, is not looked at.
const FURTHEST_RISE: u32 = 4;

/// A count to ask for, and what to expect of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sizing {
    /// How many pods to ask for.
    pub(crate) pods: u32,
    /// The probability that there will be too few when pods ordered now are Ready.
    pub(crate) shortage: f64,
}

/// The count to ask for at `now` from the fleet's HPA, where too few pods cost `price` pods.
pub(crate) fn size(risk: &Risk, fleet: &FleetEstimate, price: f64, now: Timestamp) -> Sizing {
    let course = Course::of(risk, fleet, price, now);
    let current = fleet.replicas();
    let wanted = course.wanted;
    let (next_below, next_above) = fleet.nearest_changes();
    let grain = usize::try_from(risk.grain()).unwrap_or(usize::MAX);
    // below the lowest count and beyond the highest at hand no pod makes a difference
    let (lowest, highest) = (risk.lowest().min(wanted), risk.highest());
    let falls = (lowest..=next_below.min(highest)).step_by(grain).chain([wanted]).filter(|&pods| pods <= next_below);
    let furthest = wanted.saturating_add(wanted / FURTHEST_RISE + 1).min(highest);
    let nearest = next_above.max(lowest);
    let rises = (nearest..=furthest.max(nearest)).step_by(grain);
    let mut best = (course.cost(current), current);
    for pods in falls.chain(rises) {
        let cost = course.cost(pods);
        if cost < best.0 - 1e-9 {
            best = (cost, pods);
        }
    }
    Sizing { pods: best.1, shortage: course.shortage(best.1, risk.lead()) }
}

/// How the count will go as far as this decision does not change it.
struct Course<'a> {
    risk: &'a Risk,
    price: f64,
    current: u32,
    /// What this decision would ask for if it did not bind anybody.
    wanted: u32,
    /// The count at each time: held by earlier recommendations, or asked for by later ones.
    without: Vec<u32>,
    /// The least of those over the lead time before each time: while this decision is remembered, and after that.
    least: Vec<(u32, u32)>,
}

impl<'a> Course<'a> {
    fn of(risk: &'a Risk, fleet: &FleetEstimate, price: f64, now: Timestamp) -> Self {
        let (lead, hold) = (risk.lead(), risk.hold());
        let end = lead.max(hold);
        // what a decision at `time` answers for: pods it orders serve from `lead` later on, and those it keeps until the next ones are Ready
        let cheapest: Vec<u32> = (0..=end + lead).map(|time| risk.cheapest(time, price)).collect();
        let asked = |time: usize| cheapest[time + hold.min(lead)..=time + lead].iter().copied().max().unwrap_or(1);
        let mut without = Vec::with_capacity(end + 1);
        let mut later = 0;
        for time in 0..=end {
            if time > 0 {
                later = asked(time).max(later);
            }
            let earlier = now.checked_add(risk.after(time)).map_or(0, |then| fleet.held_at(then));
            without.push(earlier.max(later).max(1));
        }
        let least_of = |from: usize, to: usize| without[from..to.max(from)].iter().copied().min().unwrap_or(u32::MAX);
        let least = (0..=end)
            .map(|time| {
                let (from, turn) = (time.saturating_sub(lead), (hold + 1).min(time + 1));
                (least_of(from, turn), least_of(turn.max(from), time + 1))
            })
            .collect();
        Self { risk, price, current: fleet.replicas(), wanted: asked(0), without, least }
    }

    /// The count at `time` if `pods` are asked for now.
    fn count(&self, pods: u32, time: usize) -> u32 {
        if time <= self.risk.hold() { pods.max(self.without[time]) } else { self.without[time] }
    }

    /// The chance that there are too few Ready pods at `time`: no more than at any moment of the lead time before it.
    fn shortage(&self, pods: u32, time: usize) -> f64 {
        let (remembered, forgotten) = self.least[time];
        let ready = remembered.max(pods).min(forgotten);
        let ready = if time < self.risk.lead() { ready.min(self.current) } else { ready };
        self.risk.of_shortage(time, ready)
    }

    fn cost(&self, pods: u32) -> f64 {
        let paid: f64 = (0..=self.risk.hold()).map(|time| f64::from(self.count(pods, time))).sum();
        let short: f64 = (0..self.without.len()).map(|time| self.shortage(pods, time)).sum();
        paid + self.price * short
    }
}

#[cfg(test)]
#[path = "sizing_tests.rs"]
mod tests;
