//! [`Fleet`]: pods that are Ready and pods that are starting.

use series::Timestamp;
use std::collections::VecDeque;

use crate::StartUp;
use crate::start_up::Draws;

/// The pods of one workload. A pod is Ready its start-up after it was ordered; pods are removed at once, those that are
/// still starting first, and among them the newest first.
#[derive(Debug, Clone)]
pub struct Fleet {
    start_up: Draws,
    ready: u32,
    /// Those ordered first come first; where start-ups are drawn, they need not be Ready first.
    starting: VecDeque<Batch>,
}

/// Pods ordered together.
#[derive(Debug, Clone, Copy)]
struct Batch {
    ready_at: Timestamp,
    pods: u32,
}

impl Fleet {
    /// `ready` pods, and pods to come that take `start_up` to be Ready.
    pub fn new(start_up: impl Into<StartUp>, ready: u32) -> Self {
        Self { start_up: Draws::of(start_up.into()), ready, starting: VecDeque::new() }
    }

    /// Pods that serve.
    pub fn ready(&self) -> u32 {
        self.ready
    }

    /// Pods that were ordered and do not serve yet.
    pub fn starting(&self) -> u32 {
        self.starting.iter().map(|batch| batch.pods).sum()
    }

    /// Pods that are paid for: Ready or starting.
    pub fn ordered(&self) -> u32 {
        self.ready + self.starting()
    }

    /// Makes Ready what has started by `now`.
    pub fn advance(&mut self, now: Timestamp) {
        let ready = &mut self.ready;
        self.starting.retain(|batch| {
            let is_ready = batch.ready_at <= now;
            *ready += if is_ready { batch.pods } else { 0 };
            !is_ready
        });
    }

    /// Orders or removes pods at `now` until there are `count`.
    pub fn scale_to(&mut self, count: u32, now: Timestamp) {
        let ordered = self.ordered();
        if count > ordered {
            for (start_up, pods) in self.start_up.batches(count - ordered) {
                let ready_at = now.saturating_add(start_up).unwrap_or(Timestamp::MAX);
                self.starting.push_back(Batch { ready_at, pods });
            }
        } else {
            self.remove(ordered - count);
        }
    }

    fn remove(&mut self, mut surplus: u32) {
        while surplus > 0 {
            let Some(newest) = self.starting.back_mut() else {
                self.ready = self.ready.saturating_sub(surplus);
                return;
            };
            let removed = newest.pods.min(surplus);
            newest.pods -= removed;
            surplus -= removed;
            if newest.pods == 0 {
                self.starting.pop_back();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const START_UP: Duration = Duration::from_secs(180);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn counts(fleet: &Fleet) -> (u32, u32) {
        (fleet.ready(), fleet.starting())
    }

    #[test]
    fn pods_serve_once_their_start_up_is_over() {
        let mut fleet = Fleet::new(START_UP, 2);
        fleet.scale_to(5, at(0));
        fleet.advance(at(179));
        assert_eq!(counts(&fleet), (2, 3));
        fleet.advance(at(180));
        assert_eq!(counts(&fleet), (5, 0));
    }

    #[test]
    fn the_newest_starting_pods_go_first_and_ready_ones_last() {
        let mut fleet = Fleet::new(START_UP, 2);
        fleet.scale_to(5, at(0));
        fleet.scale_to(9, at(60));
        fleet.scale_to(4, at(75));
        assert_eq!(counts(&fleet), (2, 2));
        fleet.advance(at(180));
        assert_eq!(counts(&fleet), (4, 0));
        fleet.scale_to(1, at(181));
        assert_eq!(counts(&fleet), (1, 0));
    }

    proptest! {
        #[test]
        fn pods_that_take_their_own_time_are_as_many_too(orders in prop::collection::vec(0_u32..60, 1..50), seed: u64) {
            let mut fleet = Fleet::new(StartUp::LogNormal { median: START_UP, spread: 0.7, seed }, 7);
            for (tick, &count) in (0_i64..).zip(&orders) {
                fleet.advance(at(tick * 15));
                fleet.scale_to(count, at(tick * 15));
                prop_assert_eq!(fleet.ordered(), count);
            }
            fleet.advance(Timestamp::MAX);
            prop_assert_eq!(fleet.starting(), 0);
        }

        #[test]
        fn there_are_always_as_many_pods_as_were_asked_for(orders in prop::collection::vec(0_u32..60, 1..50)) {
            let mut fleet = Fleet::new(START_UP, 7);
            for (tick, &count) in (0_i64..).zip(&orders) {
                fleet.advance(at(tick * 15));
                fleet.scale_to(count, at(tick * 15));
                prop_assert_eq!(fleet.ordered(), count);
            }
        }
    }
}
