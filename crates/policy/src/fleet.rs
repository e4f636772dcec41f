//! [`FleetEstimate`]: how many replicas an HPA that got the published values has by now.

use std::collections::VecDeque;

use series::{Load, Timestamp};

use crate::{HPA_STABILIZATION, HPA_SYNC, HPA_TOLERANCE, Threshold};

/// The replica count that the published values lead to, as far as they alone decide it.
///
/// KEDA tells a scaler no replica counts, so the estimate replays the HPA's own arithmetic on the values it was given:
/// AverageValue, tolerance, default scale-up policy (at most 4 pods or 100 % more per sync) and scale-down
/// stabilization. Limits of the ScaledObject and other triggers may hold the real count elsewhere; what
/// is published never relies on the estimate being right (see the `dead_band` module).
#[derive(Debug, Clone, PartialEq)]
pub struct FleetEstimate {
    replicas: u32,
    /// Recommendations of the stabilization window, oldest first, each higher than all after it.
    recommendations: VecDeque<(Timestamp, u32)>,
    synced: Timestamp,
}

impl FleetEstimate {
    /// Never fewer: zero is KEDA's own affair, an HPA holds at least one.
    const FEWEST: u32 = 1;

    /// More pods than any cluster holds; keeps the arithmetic away from overflow.
    const MOST: f64 = 1e9;

    /// The fleet that a reactive HPA would hold at `now` for `load`.
    pub fn sized_for(load: Load, threshold: Threshold, now: Timestamp) -> Self {
        Self { replicas: Self::needed(load, threshold), recommendations: VecDeque::new(), synced: now }
    }

    /// The replicas that carry `load` at `threshold` each, at least 1.
    pub fn needed(load: Load, threshold: Threshold) -> u32 {
        // a hair below whole numbers, so that rounding in `load / threshold` never costs a pod
        let pods = (load.get() / threshold.get() - 1e-9).ceil().clamp(f64::from(Self::FEWEST), Self::MOST);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=1e9 above")]
        let pods = pods as u32;
        pods
    }

    /// The estimated replica count, at least 1.
    pub fn replicas(&self) -> u32 {
        self.replicas
    }

    /// Whether the HPA has asked again since the estimate was last moved.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.synced.saturating_add(HPA_SYNC).is_ok_and(|next| next <= now)
    }

    /// Replays the HPA's syncs up to `now`, all of which saw `value`.
    ///
    /// After a pause of more than the stabilization window only that window is replayed: nothing older matters.
    pub fn follow(&mut self, value: Load, threshold: Threshold, now: Timestamp) {
        let horizon = now.saturating_sub(HPA_STABILIZATION + HPA_SYNC).unwrap_or(Timestamp::MIN);
        self.synced = self.synced.max(horizon);
        while self.is_due(now) {
            self.synced = self.synced.saturating_add(HPA_SYNC).unwrap_or(Timestamp::MAX);
            self.sync(value, threshold);
        }
    }

    fn sync(&mut self, value: Load, threshold: Threshold) {
        let now = self.synced;
        let ratio = value.get() / (threshold.get() * f64::from(self.replicas));
        let desired = if (ratio - 1.0).abs() <= HPA_TOLERANCE { self.replicas } else { Self::needed(value, threshold) };

        while self.recommendations.pop_back_if(|(_, lower)| *lower <= desired).is_some() {}
        self.recommendations.push_back((now, desired));
        let oldest = now.saturating_sub(HPA_STABILIZATION).unwrap_or(Timestamp::MIN);
        while self.recommendations.pop_front_if(|(at, _)| *at < oldest).is_some() {}

        let highest = self.recommendations.front().map_or(desired, |&(_, replicas)| replicas);
        self.replicas = if desired >= self.replicas {
            desired.min(self.replicas.saturating_add(self.replicas.max(4)))
        } else {
            self.replicas.min(highest)
        };
    }
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
        FleetEstimate::sized_for(load(f64::from(replicas) * 10.0), ten(), at(0))
    }

    #[test]
    fn a_load_that_fits_exactly_needs_no_further_pod() {
        let threshold = Threshold::new(0.1).unwrap();
        assert_eq!(FleetEstimate::needed(load(0.3), threshold), 3);
        assert_eq!(FleetEstimate::needed(load(0.301), threshold), 4);
        assert_eq!(FleetEstimate::needed(load(0.0), threshold), 1);
        assert_eq!(FleetEstimate::needed(load(-5.0), threshold), 1);
        assert_eq!(FleetEstimate::needed(load(9e15), Threshold::new(0.001).unwrap()), 1_000_000_000);
    }

    #[test]
    fn within_a_tenth_the_hpa_does_nothing() {
        let mut fleet = fleet(10);
        fleet.follow(load(109.9), ten(), at(15));
        assert_eq!(fleet.replicas(), 10);
        fleet.follow(load(110.1), ten(), at(30));
        assert_eq!(fleet.replicas(), 12);
    }

    #[test]
    fn it_grows_by_four_or_twofold_a_sync() {
        let mut fleet = fleet(1);
        let counts: Vec<_> = (1..=5)
            .map(|sync| {
                fleet.follow(load(500.0), ten(), at(15 * sync));
                fleet.replicas()
            })
            .collect();
        assert_eq!(counts, [5, 10, 20, 40, 50]);
    }

    #[test]
    fn it_shrinks_once_no_higher_recommendation_is_left_in_the_window() {
        let mut fleet = fleet(10);
        fleet.follow(load(100.0), ten(), at(15));
        fleet.follow(load(50.0), ten(), at(315));
        assert_eq!(fleet.replicas(), 10, "the recommendation of 15 s is still inside the window");
        fleet.follow(load(50.0), ten(), at(330));
        assert_eq!(fleet.replicas(), 5);
    }

    #[test]
    fn several_syncs_at_once_are_the_same_as_one_by_one() {
        let (mut at_once, mut stepwise) = (fleet(3), fleet(3));
        at_once.follow(load(200.0), ten(), at(90));
        (1..=6).for_each(|sync| stepwise.follow(load(200.0), ten(), at(15 * sync)));
        assert_eq!(at_once, stepwise);
    }

    #[test]
    fn a_year_without_questions_is_caught_up_at_once() {
        let mut fleet = fleet(3);
        fleet.follow(load(50.0), ten(), at(365 * 86_400));
        assert_eq!(fleet.replicas(), 5);
        assert!(!fleet.is_due(at(365 * 86_400)));
    }

    #[test]
    fn a_clock_that_jumps_back_moves_nothing() {
        let mut fleet = fleet(3);
        fleet.follow(load(500.0), ten(), at(-1000));
        assert_eq!(fleet, self::fleet(3));
    }
}
