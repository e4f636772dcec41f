//! [`tuned`]: the reactive HPA that would have been as good, had somebody known the day.

use super::demand::Demand;
use super::setup::Setup;

/// A reactive HPA, tuned on the day it is scored on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tuned {
    /// The share of its capacity it keeps a pod at.
    pub(super) utilization: f64,
    /// What that costs.
    pub(super) pod_hours: f64,
}

/// The highest target, in whole percents, at which a reactive HPA is short for no more than `short_time` of the day;
/// `None` where even at 20 % it is short for longer.
pub(super) fn tuned(setup: &Setup, demand: &Demand, short_time: f64) -> anyhow::Result<Option<Tuned>> {
    for percent in (20..=100_u8).rev() {
        let utilization = f64::from(percent) / 100.0;
        let target = setup.target_at(utilization)?;
        let first = demand.rate(Demand::day_begins()).unwrap_or(series::Load::ZERO);
        let mut cluster = setup.cluster(target, first);
        for tick in 0..Demand::ticks() {
            let now = Demand::tick_begins(tick);
            cluster.tick(now, demand.rate(now), demand.from(now));
        }
        if let Some(scores) = cluster.scores().filter(|scores| scores.short_time <= short_time) {
            return Ok(Some(Tuned { utilization, pod_hours: scores.pod_hours }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_less_shortage_is_allowed_the_more_it_costs() {
        let setup = Setup::of_the_examples().unwrap();
        let demand = Demand::invent(2);
        let tuned = |short_time| tuned(&setup, &demand, short_time).unwrap();
        let (strict, lax) = (tuned(0.0).unwrap(), tuned(0.05).unwrap());
        assert!(strict.utilization < lax.utilization && strict.pod_hours > lax.pod_hours, "{strict:?} {lax:?}");
        assert_eq!(tuned(1.0).unwrap().utilization, 1.0);
        assert_eq!(tuned(-1.0), None);
    }
}
