//! [`Planner`]: what is remembered of a target from one plan to the next.

use std::sync::Arc;

use series::{Load, Outlook, Timestamp};

use crate::prices::Prices;
use crate::risk::Risk;
use crate::sizing::size;
use crate::{FleetEstimate, Mode, NoPlan, Plan, ServiceLevel, Target, plan};

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
    /// What a shortage must cost; nothing before the first observation, and where the service level names no share of time.
    prices: Option<Prices>,
    /// That of the newest forecast, for as long as time does not change it.
    risk: Option<Risk>,
}

impl Planner {
    /// The planner of a target that nothing was published for yet.
    pub fn new() -> Self {
        Self { fleet: None, plan: Err(NoPlan::NotYet), lowest: None, outdated: true, prices: None, risk: None }
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
        let pods = self.pods(outlook, target, now);
        self.plan = plan(outlook, target, self.fleet.as_ref(), pods, now).map(Arc::new);
        self.outdated = false;
        if let Ok(made) = &self.plan {
            self.lowest = Some(self.lowest.filter(|lowest| *lowest <= made.value).unwrap_or(made.value));
        }
        if let (None, Ok(first)) = (&self.fleet, &self.plan) {
            // until the values published tell more, the fleet is taken for one that reacted to the load it has
            let carried = first.observed.unwrap_or(first.demand);
            self.fleet = Some(FleetEstimate::sized_for(carried, target.threshold, target.hpa_tolerance, now));
        }
        self.plan.clone()
    }

    /// How many pods the service level asks for, where it names a share of time and enough is known of what a shortage must cost.
    fn pods(&mut self, outlook: &Outlook, target: &Target, now: Timestamp) -> Option<u32> {
        if !matches!(target.service_level, ServiceLevel::Slo(_)) || target.mode == Mode::Reactive {
            return None;
        }
        if self.prices.is_none() {
            self.prices = Prices::begin(outlook, target, now);
        }
        let forecast = outlook.forecast.as_deref().ok();
        self.risk = forecast.and_then(|forecast| match self.risk.take() {
            Some(same) if same.is_of(forecast, target, now) => Some(same),
            _ => Risk::of(forecast, target, now),
        });
        let (risk, prices) = (self.risk.as_ref(), self.prices.as_mut()?);
        prices.learn(outlook, target, risk, now);
        Some(size(risk?, self.fleet.as_ref()?, prices.price(target.service_level)?, now).pods)
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
