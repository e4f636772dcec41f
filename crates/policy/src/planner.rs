//! [`Planner`]: what is remembered of a target from one plan to the next.

use std::sync::Arc;

use series::{Load, Outlook, Timestamp};

use crate::{FleetEstimate, NoPlan, Plan, Target, plan};

/// Makes a target's plans one after the other. A plan is made when an HPA sync or an outlook has come since the last one;
/// otherwise the last one is the answer, so that all who ask between two syncs are told the same.
#[derive(Debug, Clone)]
pub struct Planner {
    fleet: Option<FleetEstimate>,
    plan: Result<Arc<Plan>, NoPlan>,
    /// The lowest value published since the fleet was last moved, or none where there were errors alone.
    lowest: Option<Load>,
    /// Whether an outlook came since the plan was made.
    outdated: bool,
}

impl Planner {
    /// The planner of a target that nothing was published for yet.
    pub fn new() -> Self {
        Self { fleet: None, plan: Err(NoPlan::NotYet), lowest: None, outdated: true }
    }

    /// Takes notice that another outlook has come.
    pub fn outlook_came(&mut self) {
        self.outdated = true;
    }

    /// What to publish for `target` at `now`, from the newest `outlook`.
    ///
    /// # Errors
    /// [`NoPlan`], as for [`plan`].
    pub fn plan(&mut self, outlook: &Outlook, target: &Target, now: Timestamp) -> Result<Arc<Plan>, NoPlan> {
        let synced = self.fleet.as_ref().is_none_or(|fleet| fleet.is_due(now));
        if !synced && !self.outdated {
            return self.plan.clone();
        }
        if synced && let Some(fleet) = &mut self.fleet {
            match (&self.plan, self.lowest.take()) {
                (Ok(newest), Some(lowest)) => fleet.follow_from(lowest, newest.value, now),
                // the HPA got errors since
                _ => fleet.hold(now),
            }
        }
        self.plan = plan(outlook, target, self.fleet.as_ref(), now).map(Arc::new);
        self.outdated = false;
        if let Ok(made) = &self.plan {
            self.lowest = Some(self.lowest.filter(|lowest| *lowest <= made.value).unwrap_or(made.value));
        }
        if let (None, Ok(first)) = (&self.fleet, &self.plan) {
            // until the values published tell more, the fleet is taken for one that reacted to the load it has
            let carried = first.observed.unwrap_or(first.demand);
            self.fleet = Some(FleetEstimate::sized_for(carried, target.threshold, now));
        }
        self.plan.clone()
    }

    /// The replica count that the values published so far lead to.
    pub fn replicas(&self) -> Option<u32> {
        self.fleet.as_ref().map(FleetEstimate::replicas)
    }
}

impl Default for Planner {
    fn default() -> Self {
        Self::new()
    }
}
