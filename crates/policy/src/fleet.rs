//! [`FleetEstimate`]: how many replicas an HPA that got the published values has by now.

use serde::{Deserialize, Serialize};
use series::{Load, Timestamp};

use crate::dead_band::HAIR;
use crate::hpa::HpaState;
use crate::{HPA_STABILIZATION, HPA_SYNC, Hpa, HpaSettings, ReplicaRange, Threshold, Tolerance};

/// The replica count that the published values lead to, as far as they alone decide it.
///
/// KEDA tells a scaler no replica counts, so the estimate replays the HPA's own arithmetic, with the cluster's
/// defaults but for the tolerance, on the values it was given. Limits of the `ScaledObject` and other triggers may hold the real count
/// elsewhere; what is published never relies on the estimate being right (see the `dead_band` module).
#[derive(Debug, Clone, PartialEq)]
pub struct FleetEstimate {
    hpa: Hpa,
    synced: Timestamp,
}

/// All of a fleet that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FleetMemory {
    hpa: HpaState,
    synced: Timestamp,
}

impl FleetEstimate {
    /// The fleet that a reactive HPA with `tolerance` would hold at `now` for `load`.
    pub fn sized_for(load: Load, threshold: Threshold, tolerance: Tolerance, now: Timestamp) -> Self {
        Self::of_pods(ReplicaRange::at_least(1).covering(load, threshold), threshold, tolerance, now)
    }

    /// A fleet of `pods` at `now`, under an HPA with `tolerance`.
    pub(crate) fn of_pods(pods: u32, threshold: Threshold, tolerance: Tolerance, now: Timestamp) -> Self {
        Self { hpa: Hpa::new(settings(threshold, tolerance), pods), synced: now }
    }

    /// Goes on from what is remembered of one.
    pub(crate) fn resumed(memory: &FleetMemory, threshold: Threshold, tolerance: Tolerance) -> Self {
        Self { hpa: Hpa::resumed(settings(threshold, tolerance), memory.hpa.clone()), synced: memory.synced }
    }

    /// All of it that changes.
    pub(crate) fn memory(&self) -> FleetMemory {
        FleetMemory { hpa: self.hpa.state().clone(), synced: self.synced }
    }

    /// Takes notice that the workload has `count` pods. Where those are more than the values led to, others asked for them, and are taken to
    /// do so until `until`.
    pub(crate) fn correct(&mut self, count: u32, until: Timestamp) {
        self.hpa.heed_others((count > self.replicas()).then_some((count, until)));
        self.hpa.set(count);
    }

    /// Takes notice that the workload still has `count` pods: where others ask for as many, they do so until `until`, and else no more.
    pub(crate) fn confirm(&mut self, count: u32, until: Timestamp) {
        let still = self.hpa.others().filter(|others| count >= *others);
        self.hpa.heed_others(still.map(|others| (others, until)));
    }

    /// The least and the greatest count that a changed recommendation can lead to: just outside the tolerance.
    pub(crate) fn nearest_changes(&self) -> (u32, u32) {
        let (settings, current) = (self.hpa.settings(), self.replicas());
        let outside = |share: f64| f64::from(current) * share;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` stops at the ends of u32")]
        let (fall, rise) = (
            outside((1.0 - settings.down.tolerance) * (1.0 - HAIR)).floor() as u32,
            outside((1.0 + settings.up.tolerance) * (1.0 + HAIR)).ceil() as u32,
        );
        (fall.min(current - 1), rise.max(current.saturating_add(1)))
    }

    /// The count that recommendations made so far will still hold at `time`.
    pub(crate) fn held_at(&self, time: Timestamp) -> u32 {
        self.hpa.held_at(time)
    }

    /// The tolerances, up and down.
    pub(crate) fn tolerances(&self) -> (f64, f64) {
        let settings = self.hpa.settings();
        (settings.up.tolerance, settings.down.tolerance)
    }

    /// The replicas that carry `load`, at least 1.
    pub fn needed(&self, load: Load) -> u32 {
        let settings = self.hpa.settings();
        settings.replicas.covering(load, settings.target)
    }

    /// The estimated replica count, at least 1.
    pub fn replicas(&self) -> u32 {
        self.hpa.current()
    }

    /// Whether the HPA has asked again since the estimate was last moved.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.synced.saturating_add(HPA_SYNC).is_ok_and(|next| next <= now)
    }

    /// Replays the HPA's syncs up to `now`, all of which saw `value`.
    ///
    /// After a pause of more than the stabilization window only that window is replayed: nothing older matters.
    pub fn follow(&mut self, value: Load, now: Timestamp) {
        self.sync_until(now, Some(value));
    }

    /// Replays the HPA's syncs up to `now`, where the values changed on the way: since the estimate was last moved nothing
    /// below `lowest` was published, and from its next sync on nothing but `newest`.
    ///
    /// When an HPA syncs is not known. Whenever it was, it has seen `lowest` or more; a value that came just before the
    /// estimate's own sync may not have been seen at all.
    pub fn follow_from(&mut self, lowest: Load, newest: Load, now: Timestamp) {
        let next = self.synced.saturating_add(HPA_SYNC).unwrap_or(Timestamp::MAX);
        self.sync_until(next.min(now), Some(lowest));
        self.sync_until(now, Some(newest));
    }

    /// Replays the HPA's syncs up to `now`, all of which got an error: the count holds.
    pub fn hold(&mut self, now: Timestamp) {
        self.sync_until(now, None);
    }

    fn sync_until(&mut self, now: Timestamp, value: Option<Load>) {
        let horizon = now.saturating_sub(HPA_STABILIZATION + HPA_SYNC).unwrap_or(Timestamp::MIN);
        self.synced = self.synced.max(horizon);
        while self.is_due(now) {
            self.synced = self.synced.saturating_add(HPA_SYNC).unwrap_or(Timestamp::MAX);
            self.hpa.sync(self.synced, value);
        }
    }
}

fn settings(threshold: Threshold, tolerance: Tolerance) -> HpaSettings {
    HpaSettings::defaults(threshold, ReplicaRange::at_least(1)).with_tolerance(tolerance.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn load(amount: f64) -> Load {
        Load::new(amount).unwrap()
    }

    fn ten() -> Threshold {
        Threshold::new(10.0).unwrap()
    }

    fn fleet(replicas: u32) -> FleetEstimate {
        FleetEstimate::sized_for(load(f64::from(replicas) * 10.0), ten(), Tolerance::DEFAULT, at(0))
    }

    #[test]
    fn several_syncs_at_once_are_the_same_as_one_by_one() {
        let (mut at_once, mut stepwise) = (fleet(3), fleet(3));
        at_once.follow(load(200.0), at(90));
        (1..=6).for_each(|sync| stepwise.follow(load(200.0), at(15 * sync)));
        assert_eq!(at_once, stepwise);
    }

    #[test]
    fn a_year_without_questions_is_caught_up_at_once() {
        let mut fleet = fleet(3);
        fleet.follow(load(50.0), at(365 * 86_400));
        assert_eq!(fleet.replicas(), 5);
        assert!(!fleet.is_due(at(365 * 86_400)));
    }

    #[test]
    fn the_first_sync_saw_the_least_value_and_the_others_the_last() {
        let mut fleet = fleet(3);
        fleet.follow_from(load(30.0), load(50.0), at(14));
        assert!(!fleet.is_due(at(14)), "nothing was due");
        fleet.follow_from(load(30.0), load(50.0), at(15));
        assert_eq!(fleet.replicas(), 3);
        fleet.follow_from(load(30.0), load(50.0), at(45));
        assert_eq!(fleet.replicas(), 5);
    }

    #[test]
    fn errors_move_no_replicas_and_are_not_made_up_for_later() {
        let mut fleet = fleet(3);
        fleet.hold(at(3600));
        assert_eq!((fleet.replicas(), fleet.is_due(at(3614))), (3, false));
        fleet.follow(load(50.0), at(3614));
        assert_eq!(fleet.replicas(), 3, "no sync has seen the value yet");
        fleet.follow(load(50.0), at(3615));
        assert_eq!(fleet.replicas(), 5);
    }

    #[test]
    fn a_clock_that_jumps_back_moves_nothing() {
        let mut fleet = fleet(3);
        fleet.follow(load(500.0), at(-1000));
        assert_eq!(fleet, self::fleet(3));
    }
}
