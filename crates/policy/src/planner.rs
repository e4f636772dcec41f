//! [`Planner`]: what is remembered of a target from one plan to the next.

use std::sync::Arc;
use std::time::Duration;

use series::{Outlook, ReplicasSeen, Timestamp};

use crate::ledger::Ledger;
use crate::memory::Published;
use crate::plan::plan_as;
use crate::prices::Prices;
use crate::risk::Risk;
use crate::sizing::size;
use crate::track::{SIGHT, Track};
use crate::{Comparison, FleetEstimate, HPA_SYNC, Memory, Mode, NoPlan, Plan, ServiceLevel, Target};

/// After a pause of so long nobody can have been told the last value any more.
const SILENCE: Duration = HPA_SYNC.saturating_mul(2);

/// Makes a target's plans one after the other. A plan is made when an HPA sync or an outlook has come since the last one;
/// otherwise the last one is the answer, so that all who ask between two syncs are told the same.
#[derive(Debug, Clone)]
pub struct Planner {
    track: Option<Track>,
    /// When the replicas were seen that it was last held against.
    seen: Option<Timestamp>,
    plan: Result<Arc<Plan>, NoPlan>,
    /// When that was made; `None` before the first.
    made: Option<Timestamp>,
    published: Published,
    /// Whether an outlook came since the plan was made.
    outdated: bool,
    /// What a shortage must cost; nothing before the first observation, and where the service level names no share of time.
    prices: Option<Prices>,
    /// That of the newest forecast, for as long as time does not change it.
    risk: Option<Risk>,
    /// Nothing before the first plan, and where no forecast is wanted.
    ledger: Option<Ledger>,
}

impl Planner {
    /// The planner of a target that nothing was published for yet.
    pub fn new() -> Self {
        Self {
            track: None,
            seen: None,
            plan: Err(NoPlan::NotYet),
            made: None,
            published: Published::default(),
            outdated: true,
            prices: None,
            risk: None,
            ledger: None,
        }
    }

    /// Takes notice that another outlook has come.
    pub fn outlook_came(&mut self) {
        self.outdated = true;
    }

    /// What to publish for `target` at `now`, from the newest `outlook`.
    ///
    /// # Errors
    /// [`NoPlan`], as for [`plan`](crate::plan).
    pub fn plan(&mut self, outlook: &Outlook, target: &Target, now: Timestamp) -> Result<Arc<Plan>, NoPlan> {
        let synced = self.fleet().is_none_or(|fleet| fleet.is_due(now));
        if !synced && !self.outdated {
            return self.plan.clone();
        }
        if synced && let Some(Track { fleet, .. }) = &mut self.track {
            match (self.published.newest, self.published.lowest.take()) {
                (Some(newest), Some(lowest)) => fleet.follow_from(lowest, newest, now),
                // the HPA got errors since
                _ => fleet.hold(now),
            }
        }
        self.look(outlook, now);
        if let Some(ledger) = &mut self.ledger {
            ledger.sync(now);
        }
        let pods = self.pods(outlook, target, now);
        self.plan = self.decided(outlook, target, pods, now).map(Arc::new);
        (self.made, self.outdated) = (Some(now), false);
        self.published.add(self.plan.as_ref().ok().map(|made| made.value));
        if let (None, Ok(first)) = (&self.track, &self.plan) {
            // until the values published tell more, the fleet is taken for one that reacted to the load it has
            let carried = first.observed.unwrap_or(first.demand);
            let fleet = FleetEstimate::sized_for(carried, target.threshold, target.hpa_tolerance, now);
            self.track = Some(Track::of(fleet, now));
        }
        self.compare(outlook, target, now);
        self.plan.clone()
    }

    fn fleet(&self) -> Option<&FleetEstimate> {
        self.track.as_ref().map(|track| &track.fleet)
    }

    /// Notes where the fleet is by now, and holds it against the replicas that were seen.
    fn look(&mut self, outlook: &Outlook, now: Timestamp) {
        let Some(track) = &mut self.track else { return };
        track.moved(now);
        track.forget(now, 2 * SIGHT);
        let news = |seen: &ReplicasSeen| {
            self.seen.is_none_or(|last| last < seen.at) && seen.at.saturating_add(SIGHT).is_ok_and(|until| until >= now)
        };
        if let Some(seen) = outlook.replicas.filter(news) {
            track.correct(seen, now);
            self.seen = Some(seen.at);
        }
    }

    /// The plan at `now`, and in `mode: shadow` what would be published.
    fn decided(&self, outlook: &Outlook, target: &Target, pods: Option<u32>, now: Timestamp) -> Result<Plan, NoPlan> {
        let plan = plan_as(target.mode, outlook, target, self.fleet(), pods, now)?;
        let shadow = (target.mode == Mode::Shadow).then(|| {
            let fleet = self.ledger.as_ref().map(Ledger::predictive);
            plan_as(Mode::Predict, outlook, target, fleet, pods, now).ok().map(|would_be| would_be.value)
        });
        Ok(Plan { shadow: shadow.flatten(), ..plan })
    }

    /// Enters into the ledger what the fleets are told by the newest plan.
    fn compare(&mut self, outlook: &Outlook, target: &Target, now: Timestamp) {
        if self.ledger.is_none() && target.mode != Mode::Reactive {
            self.ledger = self.fleet().map(|fleet| Ledger::begin(fleet, now));
        }
        let Some(ledger) = &mut self.ledger else { return };
        let plan = self.plan.as_ref().ok();
        let predictive = plan.and_then(|plan| if target.mode == Mode::Shadow { plan.shadow } else { Some(plan.value) });
        let reactive = plan_as(Mode::Reactive, outlook, target, None, None, now).ok().map(|plan| plan.value);
        ledger.enter(predictive, reactive, outlook, target);
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
        let shadow = self.ledger.as_ref().filter(|_| target.mode == Mode::Shadow).map(Ledger::predictive);
        let fleet = shadow.or(self.track.as_ref().map(|track| &track.fleet))?;
        Some(size(risk?, fleet, prices.price(target.service_level)?, now).pods)
    }

    /// The replica count that the values published so far lead to, corrected by what was seen.
    pub fn replicas(&self) -> Option<u32> {
        self.fleet().map(FleetEstimate::replicas)
    }

    /// What a moment with too few pods is taken to cost, in pods held as long: what the service level comes to on this load. `None` where the service level
    /// names no share of time, and in the first day.
    pub fn price(&self, target: &Target) -> Option<f64> {
        self.prices.as_ref()?.price(target.service_level)
    }

    /// What the forecasts cost and saved so far; `None` before the first plan, and in `mode: reactive`.
    pub fn comparison(&self) -> Option<Comparison> {
        self.ledger.as_ref().map(Ledger::comparison)
    }

    /// What is to outlive this planner; `None` before its first plan.
    pub fn memory(&self) -> Option<Memory> {
        Some(Memory {
            at: self.made?,
            fleet: self.fleet()?.memory(),
            published: self.published,
            lessons: self.prices.as_ref().map(Prices::lessons),
            comparison: self.comparison(),
        })
    }

    /// Goes on at `now` from what another planner of `target` remembered, in place of what this one does.
    pub fn adopt(&mut self, memory: Memory, target: &Target, now: Timestamp) {
        let Memory { at, fleet, published, lessons, comparison } = memory;
        let fleet = FleetEstimate::resumed(&fleet, target.threshold, target.hpa_tolerance);
        let is_current = at.saturating_add(SILENCE).is_ok_and(|until| until >= now);
        self.published = if is_current { published } else { Published::default() };
        if let Some(lessons) = lessons {
            match &mut self.prices {
                Some(prices) => prices.adopt(&lessons),
                None => self.prices = Prices::resumed(&lessons, target, now),
            }
        }
        if let Some(comparison) = comparison {
            match &mut self.ledger {
                Some(ledger) => ledger.adopt(comparison),
                None => self.ledger = Some(Ledger::resumed(comparison, &fleet, now)),
            }
        }
        (self.track, self.made, self.outdated) = (Some(Track::of(fleet, now)), Some(at.min(now)), true);
    }
}

impl Default for Planner {
    fn default() -> Self {
        Self::new()
    }
}
